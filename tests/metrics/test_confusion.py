"""The confusion matrix: its counts and its scores, beside other libraries'."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segtutor.metrics import ConfusionMatrix

sk = pytest.importorskip("sklearn.metrics")
torchmetrics = pytest.importorskip("torchmetrics")

CASES = {
    "void, all classes": (5, (3, 17, 23), None),
    "an absent class": (5, (2, 9, 11), lambda p, t: (p.fill_(0), t.masked_fill_(t == 3, 1))),
    "a class only predicted": (5, (2, 9, 11), lambda p, t: t.masked_fill_(t == 2, 0)),
    "a class never predicted": (5, (2, 9, 11), lambda p, t: p.masked_fill_(p == 2, 0)),
    "two classes": (2, (1, 8, 8), None),
    "batch of one, odd size": (19, (1, 65, 97), None),
    "one pixel": (3, (1, 1, 1), lambda p, t: t.fill_(1)),
    "no void": (4, (2, 7, 5), lambda p, t: t.masked_fill_(t == 255, 0)),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, maps: Any, device: str) -> tuple[int, Tensor, Tensor]:
    classes, shape, change = CASES[request.param]
    pred, target = maps(classes, shape)
    if change:
        change(pred, target)
    return classes, pred.to(device), target.to(device)


def judged(pred: Tensor, target: Tensor) -> tuple[Any, Any]:
    """The judged pixels, target first, as scikit-learn takes them."""
    keep = target != 255
    return target[keep].cpu().numpy(), pred[keep].cpu().numpy()


def test_counts_are_scikit_learns_and_torchmetrics(case: Any) -> None:
    classes, pred, target = case
    matrix = ConfusionMatrix(classes).update(pred, target).matrix
    assert matrix.dtype == torch.int64
    assert matrix.device == pred.device
    theirs = sk.confusion_matrix(*judged(pred, target), labels=range(classes))
    assert matrix.cpu().tolist() == theirs.tolist()
    peer = torchmetrics.classification.MulticlassConfusionMatrix(classes, ignore_index=255)
    assert torch.equal(matrix.cpu(), peer(pred.cpu(), target.cpu()))


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_scores_are_scikit_learns(case: Any) -> None:
    classes, pred, target = case
    cm = ConfusionMatrix(classes).update(pred, target)
    maps, labels = judged(pred, target), {"labels": range(classes)}
    each = {"average": None, "zero_division": float("nan"), **labels}
    expected = {
        "iou": sk.jaccard_score(*maps, average=None, zero_division=0, **labels),
        "dice": sk.f1_score(*maps, **each),
        "f1": sk.f1_score(*maps, **each),
        "precision": sk.precision_score(*maps, **each),
        "recall": sk.recall_score(*maps, **each),
        "accuracy": sk.recall_score(*maps, **each),
    }
    union = cm.tp + cm.fp + cm.fn  # scikit-learn has no NaN for an IoU of nothing
    expected["iou"] = torch.as_tensor(expected["iou"]).masked_fill(union == 0, math.nan)
    for name, values in expected.items():
        got = getattr(cm, name)()
        assert got.dtype == torch.float64
        torch.testing.assert_close(got, torch.as_tensor(values), equal_nan=True, msg=name)
    means = {
        "pixel_accuracy": sk.accuracy_score(*maps),
        "mean_accuracy": sk.balanced_accuracy_score(*maps),
        "frequency_weighted_iou": sk.jaccard_score(
            *maps, average="weighted", zero_division=0, **labels
        ),
        "mean_iou": sk.jaccard_score(*maps, average="macro"),
        "micro_iou": sk.jaccard_score(*maps, average="micro"),
        "mean_dice": sk.f1_score(*maps, average="macro"),
    }
    for name, value in means.items():
        assert getattr(cm, name)() == pytest.approx(value, abs=1e-12), name


def test_scores_are_torchmetrics(case: Any) -> None:
    classes, pred, target = case
    cm = ConfusionMatrix(classes).update(pred, target)
    pred, target = pred.cpu(), target.cpu()
    peers = torchmetrics.classification
    settings = {"num_classes": classes, "ignore_index": 255}
    expected = {
        "mean_iou": peers.MulticlassJaccardIndex(average="macro", **settings),
        "pixel_accuracy": peers.MulticlassAccuracy(average="micro", **settings),
    }
    for name, peer in expected.items():
        assert getattr(cm, name)() == pytest.approx(peer(pred, target).item(), abs=1e-6), name
    peer = peers.MulticlassAccuracy(average="macro", **settings)  # counts only-predicted as 0
    assert cm.mean_accuracy("skip") == pytest.approx(peer(pred, target).item(), abs=1e-6)
    each = peers.MulticlassJaccardIndex(average="none", **settings)(pred, target)
    torch.testing.assert_close(cm.iou().nan_to_num(0).float(), each)


def test_dice_is_torchmetrics_and_counts_are_smps(maps: Any) -> None:
    pred, target = maps(6, (2, 33, 31), void=0.0)
    cm = ConfusionMatrix(6).update(pred, target)
    segmentation = pytest.importorskip("torchmetrics.segmentation")
    peer = segmentation.DiceScore(
        num_classes=6, average="none", input_format="index", aggregation_level="global"
    )
    torch.testing.assert_close(cm.dice().float(), peer(pred, target))
    smp = pytest.importorskip("segmentation_models_pytorch")
    stats = smp.metrics.get_stats(pred, target, mode="multiclass", num_classes=6)
    for ours, theirs in zip((cm.tp, cm.fp, cm.fn, cm.tn), stats, strict=True):
        assert torch.equal(ours, theirs.sum(0))


def test_one_class_only() -> None:
    target = torch.tensor([[[0, 0, 255]]])
    cm = ConfusionMatrix(1).update(torch.zeros(1, 1, 3, dtype=torch.long), target)
    assert cm.matrix.tolist() == [[2]]
    assert cm.mean_iou() == cm.pixel_accuracy() == cm.mean_accuracy() == 1


@pytest.mark.parametrize(
    "dtype",
    [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32],
)
def test_any_integer_dtype(maps: Any, dtype: torch.dtype, device: str) -> None:
    void = 100 if dtype == torch.int8 else 255  # 255 does not fit
    pred, target = maps(7)
    expected = ConfusionMatrix(7).update(pred, target).matrix
    target = target.masked_fill(target == 255, void)
    for ours, theirs in ((dtype, dtype), (dtype, torch.int64), (torch.int64, dtype)):
        cm = ConfusionMatrix(7, ignore_index=void)
        cm.update(pred.to(ours).to(device), target.to(theirs).to(device))
        assert torch.equal(cm.matrix.cpu(), expected)


def test_bytes_do_not_overflow() -> None:
    target = torch.arange(200, dtype=torch.uint8)
    cm = ConfusionMatrix(200).update(target.flip(0), target)
    assert torch.equal(cm.matrix, torch.eye(200, dtype=torch.int64).flip(1))


@pytest.mark.parametrize("void", [255, -100, -1, 0, 3, 20, 10**6])
def test_any_label_can_be_void(maps: Any, void: int, device: str) -> None:
    pred, target = maps(5)
    target = target.masked_fill(target == 255, void)
    matrix = ConfusionMatrix(5, ignore_index=void)
    matrix = matrix.update(pred.to(device), target.to(device)).matrix.cpu()
    keep = target != void
    theirs = sk.confusion_matrix(target[keep].numpy(), pred[keep].numpy(), labels=range(5))
    assert matrix.tolist() == theirs.tolist()


def test_background_as_void_turns_iou_into_recall(maps: Any) -> None:
    pred, target = maps(2)
    scores = ConfusionMatrix(2, ignore_index=0).update(pred, target.masked_fill(target == 255, 0))
    assert scores.iou()[1] == scores.recall()[1]


def test_layouts_in_memory_do_not_matter(maps: Any, device: str) -> None:
    pred, target = (each.to(device) for each in maps(5, (4, 16, 12)))
    expected = ConfusionMatrix(5).update(pred[::2, :, ::3], target[::2, :, ::3].contiguous())
    strided = ConfusionMatrix(5).update(pred[::2, :, ::3], target[::2, :, ::3])
    turned = ConfusionMatrix(5).update(
        pred[::2, :, ::3].transpose(1, 2), target[::2, :, ::3].transpose(1, 2)
    )
    assert torch.equal(strided.matrix, expected.matrix)
    assert torch.equal(turned.matrix, expected.matrix)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_logits_are_decided_by_the_largest(maps: Any, dtype: torch.dtype, device: str) -> None:
    pred, target = maps(4)
    logits = torch.nn.functional.one_hot(pred, 4).movedim(-1, 1) * 3.0 - 1
    cm = ConfusionMatrix(4).update(logits.to(device, dtype), target.to(device))
    assert torch.equal(cm.matrix.cpu(), ConfusionMatrix(4).update(pred, target).matrix)


def test_one_logit_a_pixel_is_a_binary_task(maps: Any) -> None:
    _, target = maps(2)
    logits = torch.randn(3, 1, 17, 23)
    expected = ConfusionMatrix(2).update((logits[:, 0].sigmoid() > 0.5).long(), target)
    assert torch.equal(ConfusionMatrix(2).update(logits, target).matrix, expected.matrix)


def test_inputs_are_not_changed(maps: Any) -> None:
    pred, target = maps()
    before = pred.clone(), target.clone()
    for classes, void in ((200, 255), (300, -100)):
        ConfusionMatrix(classes, ignore_index=void).update(pred, target)
    assert torch.equal(pred, before[0])
    assert torch.equal(target, before[1])


def test_nothing_judged_is_nan_and_silent() -> None:
    void = torch.full((1, 2, 2), 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cm in (
            ConfusionMatrix(3),
            ConfusionMatrix(3).update(torch.zeros_like(void), void),
            ConfusionMatrix(3).update(void[:0], void[:0]),
        ):
            for name in ("iou", "dice", "f1", "precision", "recall", "accuracy"):
                assert getattr(cm, name)().isnan().all()
            for name in ("pixel_accuracy", "micro_iou", "frequency_weighted_iou"):
                assert math.isnan(getattr(cm, name)())
            for absent in ("skip", "zero", "one", "target"):
                assert math.isnan(cm.mean_iou(absent))
                assert math.isnan(cm.mean_dice(absent))
                assert math.isnan(cm.mean_accuracy(absent))


@pytest.mark.parametrize(
    ("absent", "iou", "dice", "accuracy"),
    [
        ("skip", (2 / 3 + 2 / 3 + 0) / 3, (0.8 + 0.8 + 0) / 3, (2 / 3 + 0.8 + 0) / 3),
        ("zero", (2 / 3 + 2 / 3) / 4, (0.8 + 0.8) / 4, (2 / 3 + 0.8) / 4),
        ("one", (2 / 3 + 2 / 3 + 0 + 1) / 4, (0.8 + 0.8 + 0 + 1) / 4, (2 / 3 + 0.8 + 0 + 1) / 4),
        ("target", 2 / 3, 0.8, (2 / 3 + 0.8) / 2),
    ],
)
def test_classes_that_are_only_predicted_or_in_neither_map(
    absent: str, iou: float, dice: float, accuracy: float
) -> None:
    target = torch.tensor([[0, 0, 0, 1], [1, 1, 1, 1]])
    pred = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 2]])  # 2 is only predicted, 3 is nowhere
    cm = ConfusionMatrix(4).update(pred, target)
    assert cm.mean_iou(absent) == pytest.approx(iou)
    assert cm.mean_dice(absent) == pytest.approx(dice)
    assert cm.mean_accuracy(absent) == pytest.approx(accuracy)


def test_classes_of_a_mean() -> None:
    cm = ConfusionMatrix.from_counts([[90, 0, 0], [4, 4, 2], [0, 0, 0]])
    assert cm.mean_iou(classes=[1]) == pytest.approx(cm.iou()[1].item())
    assert cm.mean_iou(classes=[1, 2]) == pytest.approx(cm.iou()[1:].mean().item())
    assert cm.mean_iou("target", classes=[1, 2]) == pytest.approx(cm.iou()[1].item())
    assert math.isnan(cm.mean_accuracy(classes=[2]))


@st.composite
def label_maps(draw: st.DrawFn) -> tuple[int, Tensor, Tensor]:
    """A few classes, some of them absent or only predicted, and some void."""
    classes = draw(st.integers(1, 6))
    images, height, width = (draw(st.integers(1, 6)) for _ in range(3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    size = (images, height, width)
    pred = torch.randint(draw(st.integers(0, classes - 1)), classes, size, generator=generator)
    target = torch.randint(0, draw(st.integers(1, classes)), size, generator=generator)
    target[torch.rand(size, generator=generator) < draw(st.sampled_from([0, 0.3, 1.0]))] = 255
    return classes, pred, target


@given(label_maps())
def test_bounds_and_identities(case: tuple[int, Tensor, Tensor]) -> None:
    classes, pred, target = case
    cm = ConfusionMatrix(classes).update(pred, target)
    iou, dice, precision, recall = cm.iou(), cm.dice(), cm.precision(), cm.recall()
    for score in (iou, dice, precision, recall):
        assert (score.isnan() | ((score >= 0) & (score <= 1))).all()
    torch.testing.assert_close(dice, 2 * iou / (1 + iou), equal_nan=True)
    assert (iou.isnan() | (iou <= dice)).all()
    harmonic = 2 * precision * recall / (precision + recall)
    torch.testing.assert_close(dice.where(cm.tp > 0, 0), harmonic.where(cm.tp > 0, 0))
    assert torch.equal(iou.isnan(), cm.tp + cm.fp + cm.fn == 0)
    assert torch.equal(cm.tp + cm.fp + cm.fn + cm.tn, cm.matrix.sum().expand(classes))
    assert int(cm.matrix.sum()) == int((target != 255).sum())
    if cm.matrix.any():
        shares = (cm.tp + cm.fn) / cm.matrix.sum()
        weighted = (shares * iou.nan_to_num(0)).sum().item()
        assert cm.frequency_weighted_iou() == pytest.approx(weighted)
        assert cm.mean_iou("zero") <= cm.mean_iou() <= cm.mean_iou("one") + 1e-12
        assert cm.mean_iou() <= cm.mean_iou("target") + 1e-12
        assert cm.micro_iou() <= cm.pixel_accuracy()


@given(label_maps(), st.randoms(use_true_random=False))
def test_names_of_classes_do_not_matter(case: tuple[int, Tensor, Tensor], random: Any) -> None:
    classes, pred, target = case
    order = list(range(classes))
    random.shuffle(order)
    renamed = torch.tensor(order + [255] * (256 - classes))
    cm = ConfusionMatrix(classes).update(pred, target)
    other = ConfusionMatrix(classes).update(renamed[pred], renamed[target])
    torch.testing.assert_close(other.iou()[renamed[:classes]], cm.iou(), equal_nan=True)
    for absent in ("skip", "zero", "one", "target"):
        assert other.mean_iou(absent) == pytest.approx(cm.mean_iou(absent), nan_ok=True)


@given(label_maps(), st.randoms(use_true_random=False))
def test_order_and_batches_do_not_matter(case: tuple[int, Tensor, Tensor], random: Any) -> None:
    classes, pred, target = case
    at_once = ConfusionMatrix(classes).update(pred, target)
    order = list(range(len(pred)))
    random.shuffle(order)
    streamed, parts = ConfusionMatrix(classes), [ConfusionMatrix(classes) for _ in range(3)]
    for index in order:
        streamed.update(pred[index], target[index])
        parts[index % 3].update(pred[index][None], target[index][None])
    assert torch.equal(streamed.matrix, at_once.matrix)
    assert torch.equal((parts[0] + parts[1] + parts[2]).matrix, at_once.matrix)
