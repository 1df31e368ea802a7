"""Scores of single pictures and their means, beside other libraries'."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from segtutor.metrics import ConfusionMatrix, PerImage


def test_each_picture_has_the_scores_of_its_own_matrix(maps: Any, device: str) -> None:
    pred, target = maps(5, (4, 13, 11))
    target[1][target[1] == 3] = 0
    target[2] = 255
    per_image = PerImage(5).update(pred.to(device), target.to(device))
    assert len(per_image) == 4
    for image in range(4):
        cm = ConfusionMatrix(5).update(pred[image], target[image])
        for ours, theirs in (
            (per_image.iou(), cm.iou()),
            (per_image.dice(), cm.dice()),
            (per_image.tp, cm.tp),
            (per_image.fp, cm.fp),
            (per_image.fn, cm.fn),
        ):
            torch.testing.assert_close(ours[image], theirs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("absent", ["skip", "zero", "one", "target"])
def test_classes_first_is_the_mean_of_the_pictures_means(maps: Any, absent: str) -> None:
    pred, target = maps(6, (5, 4, 3))
    target[3] = 255  # takes no part
    matrices = [ConfusionMatrix(6).update(pred[i], target[i]) for i in (0, 1, 2, 4)]
    per_image = PerImage(6).update(pred, target)
    for name in ("mean_iou", "mean_dice"):
        each = [getattr(cm, name)(absent) for cm in matrices]
        assert getattr(per_image, name)(absent) == pytest.approx(sum(each) / 4)
        each = [getattr(cm, name)(absent, [1, 2, 5]) for cm in matrices]
        got = getattr(per_image, name)(absent, classes=[1, 2, 5])
        assert got == pytest.approx(torch.tensor(each).nanmean().item())
    micro = [cm.micro_iou() for cm in matrices]
    assert per_image.micro_iou() == pytest.approx(sum(micro) / 4)


def test_images_first_is_the_mean_of_the_columns_means(maps: Any) -> None:
    pred, target = maps(6, (5, 4, 3))
    per_image = PerImage(6).update(pred, target)
    expected = per_image.iou().nanmean(0).nanmean().item()
    assert per_image.mean_iou(first="images") == pytest.approx(expected)
    inside = (per_image.tp + per_image.fn > 0).double()
    columns = (per_image.iou().nan_to_num(0) * inside).sum(0) / inside.sum(0)
    got = per_image.mean_iou("target", first="images")
    assert got == pytest.approx(columns.nanmean().item())
    # Where every class counts in every picture, the order is free.
    for absent in ("zero", "one"):
        got = per_image.mean_iou(absent, first="images")
        assert got == pytest.approx(per_image.mean_iou(absent))


def test_peers_agree(maps: Any) -> None:
    pred, target = maps(7, (6, 5, 4), void=0.0)
    per_image = PerImage(7).update(pred, target)
    smp = pytest.importorskip("segmentation_models_pytorch").metrics
    stats = smp.get_stats(pred, target, mode="multiclass", num_classes=7)
    for settings, ours in (
        ({"reduction": "macro-imagewise"}, per_image.mean_iou("one")),
        ({"reduction": "macro-imagewise", "zero_division": 0}, per_image.mean_iou("zero")),
        ({"reduction": "micro-imagewise"}, per_image.micro_iou()),
    ):
        assert ours == pytest.approx(smp.iou_score(*stats, **settings).item(), abs=1e-6)
    monai = pytest.importorskip("monai.metrics")
    metric = monai.MeanIoU()
    metric(*(torch.nn.functional.one_hot(each, 7).movedim(-1, 1) for each in (pred, target)))
    assert per_image.mean_iou("target") == pytest.approx(metric.aggregate().item(), abs=1e-6)
    segmentation = pytest.importorskip("torchmetrics.segmentation")
    peer = segmentation.MeanIoU(num_classes=7, input_format="index")(pred, target)
    assert per_image.mean_iou() == pytest.approx(peer.item(), abs=1e-6)


def test_a_mean_of_pictures_is_not_the_score_of_the_data_set() -> None:
    target, pred = torch.zeros(2, 10, 10, dtype=torch.long), torch.zeros(2, 10, 10)
    target[0] = 1
    target[1, 0, 0] = 1
    pred[0] = 1  # the large object found, the small one missed
    pred = pred.long()
    of_pixels = ConfusionMatrix(2).update(pred, target).iou()[1].item()
    of_pictures = PerImage(2).update(pred, target).mean_iou(classes=[1])
    assert of_pixels == pytest.approx(100 / 101)
    assert of_pictures == 0.5


def test_nothing_seen_is_nan() -> None:
    for per_image in (PerImage(3), PerImage(3).update(*torch.full((2, 1, 2, 2), 255).where(
            torch.tensor([False, True])[:, None, None, None], 0))):  # fmt: skip
        for absent in ("skip", "zero", "one", "target"):
            for first in ("classes", "images"):
                assert math.isnan(per_image.mean_iou(absent, first))
        assert math.isnan(per_image.micro_iou())
    assert repr(PerImage(3)) == "PerImage(3 classes, 0 images)"


def test_pictures_have_to_be_told_apart(maps: Any) -> None:
    pred, target = maps(3, (4, 5))
    with pytest.raises(ValueError, match=r"target\[None\] make a batch of one picture"):
        PerImage(3).update(pred, target)
    with pytest.raises(ValueError, match="first='classes,images' has to be"):
        PerImage(3).mean_iou(first="classes,images")
