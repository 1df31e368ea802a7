"""The scores of outlines, beside MONAI's and beside the plainest definitions."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist, directed_hausdorff
from torch import Tensor

from segtutor.metrics import (
    BoundaryScores,
    boundary_f1,
    boundary_iou,
    hausdorff_distance,
    hausdorff_distance_95,
    surface_dice,
)

SCORES = [boundary_iou, boundary_f1, surface_dice, hausdorff_distance, hausdorff_distance_95]
each_score = pytest.mark.parametrize("score", SCORES, ids=lambda score: score.__name__)


def blobs(seed: int, classes: int = 3, shape: tuple[int, int, int] = (2, 31, 40)) -> Tensor:
    """Smooth label maps with outlines of every direction."""
    noise = torch.randn(shape[0], classes, 5, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(noise, size=shape[1:], mode="bicubic").argmax(1)


def square(size: int = 20, shift: int = 0) -> Tensor:
    target = torch.zeros(size, size, dtype=torch.long)
    target[5:15, 5 + shift : 15 + shift] = 1
    return target


def plain_edges(region: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel."""
    height, width = region.shape
    found = np.zeros_like(region)
    for y, x in product(range(height), range(width)):
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            b, a = y + dy, x + dx
            beyond = not (0 <= b < height and 0 <= a < width)
            if region[y, x] and (beyond or (judged[b, a] and not region[b, a])):
                found[y, x] = True
    return found


def plain_band(region: np.ndarray, judged: np.ndarray, width: int) -> np.ndarray:
    inside = binary_erosion(region | ~judged, np.ones((3, 3)), iterations=width)
    return region & ~inside


def plain_scores(pred: Tensor, target: Tensor, index: int, width: int) -> dict[Any, float]:
    """All scores of one class in one picture by the plainest means."""
    judged = (target != 255).numpy()
    regions = [(each == index).numpy() & judged for each in (pred, target)]
    mine, theirs = (plain_band(region, judged, width) for region in regions)
    union = (mine | theirs).sum()
    scores = {boundary_iou: (mine & theirs).sum() / union if union else math.nan}
    mine, theirs = (np.argwhere(plain_edges(region, judged)) for region in regions)
    if not len(mine) or not len(theirs):
        nothing = not len(mine) and not len(theirs)
        scores |= dict.fromkeys((boundary_f1, surface_dice), math.nan if nothing else 0.0)
        far = math.nan if nothing else math.inf
        return scores | dict.fromkeys((hausdorff_distance, hausdorff_distance_95), far)
    apart = cdist(mine, theirs)
    there, back = apart.min(1), apart.min(0)
    precision, recall = (there <= 1).mean(), (back <= 1).mean()
    both = precision + recall
    return scores | {
        boundary_f1: 2 * precision * recall / both if both else 0.0,
        surface_dice: ((there <= 1).sum() + (back <= 1).sum()) / (len(mine) + len(theirs)),
        hausdorff_distance: max(there.max(), back.max()),
        hausdorff_distance_95: max(np.percentile(there, 95), np.percentile(back, 95)),
    }


@pytest.mark.parametrize("void", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_the_definitions_pixel_by_pixel(seed: int, void: float, device: str) -> None:
    pred, target = blobs(seed), blobs(seed + 100)
    target = torch.where(torch.rand(target.shape) < 0.5, target, pred)
    target[blobs(seed + 200, 10) < 10 * void] = 255  # patches of void
    width = max(1, round(0.02 * math.hypot(31, 40)))
    for score in SCORES:
        got = score(pred.to(device), target.to(device), 3)
        assert got.shape == (2, 3)
        assert got.dtype == torch.float64
        for image, index in product(range(2), range(3)):
            expected = plain_scores(pred[image], target[image], index, width)[score]
            assert got[image, index].item() == pytest.approx(expected, nan_ok=True), score


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy")
def test_distances_are_monais(seed: int) -> None:
    monai = pytest.importorskip("monai.metrics")
    pred, target = blobs(seed), blobs(seed + 100)
    hot = [torch.nn.functional.one_hot(each, 3).movedim(-1, 1) for each in (pred, target)]
    for percentile in (50.0, 95.0, 100.0):
        ours = hausdorff_distance(pred, target, 3, percentile=percentile)
        theirs = monai.compute_hausdorff_distance(
            *hot, include_background=True, percentile=percentile
        )
        torch.testing.assert_close(ours, theirs.double(), rtol=0, atol=1e-4)
    for tolerance in (0.0, 1.0, 2.5):
        ours = surface_dice(pred, target, 3, tolerance=tolerance)
        theirs = monai.compute_surface_dice(*hot, [tolerance] * 3, include_background=True)
        torch.testing.assert_close(ours, theirs.double(), rtol=0, atol=1e-4)


def test_the_hausdorff_distance_is_scipys() -> None:
    pred, target = blobs(1)[0], blobs(2)[0]
    everything = np.ones(pred.shape, dtype=bool)
    for index in range(3):
        points = [
            np.argwhere(plain_edges((each == index).numpy(), everything)) for each in (pred, target)
        ]
        expected = max(directed_hausdorff(*points)[0], directed_hausdorff(*points[::-1])[0])
        assert hausdorff_distance(pred, target, 3)[index].item() == pytest.approx(expected)


def test_a_square_two_pixels_off() -> None:
    pred, target = square(shift=2), square()
    assert hausdorff_distance(pred, target, 2)[1] == 2
    assert surface_dice(pred, target, 2)[1].item() == pytest.approx(40 / 72)
    assert boundary_iou(pred, target, 2)[1].item() == pytest.approx(16 / 56)
    assert boundary_f1(pred, target, 2, tolerance=2)[1] == 1


def test_a_stray_pixel_moves_one_of_the_distances() -> None:
    target, pred = square(40), square(40)
    pred[38, 38] = 1
    far = math.hypot(24, 24)
    assert hausdorff_distance(pred, target, 2)[1].item() == pytest.approx(far)
    assert hausdorff_distance_95(pred, target, 2)[1] == 0
    assert hausdorff_distance(target, pred, 2)[1].item() == pytest.approx(far)  # symmetric


def test_f1_and_surface_dice_part_where_the_outlines_differ_in_length() -> None:
    target, pred = square(), torch.zeros(20, 20, dtype=torch.long)
    pred[5:15, 5:7] = 1  # the left edge alone: all of it right, most of the target missed
    assert boundary_f1(pred, target, 2)[1] != surface_dice(pred, target, 2)[1]
    assert boundary_f1(target, target, 2)[1] == surface_dice(target, target, 2)[1] == 1


@each_score
def test_empty_maps(score: Any) -> None:
    empty, target = torch.zeros(20, 20, dtype=torch.long), square()
    missing = math.inf if "hausdorff" in score.__name__ else 0.0
    assert score(empty, target, 3)[1] == missing
    assert score(target, empty, 3)[1] == missing
    assert score(target, target, 3)[2].isnan()
    assert score(target, torch.full_like(target, 255), 3).isnan().all()


@each_score
def test_where_a_region_meets_void_there_is_no_edge(score: Any) -> None:
    target = square()
    ring = torch.nn.functional.max_pool2d((target == 1).float()[None], 5, 1, 2)[0] > 0
    target[ring & (target == 0)] = 255  # two pixels of void all around
    pred = target.where(target != 255, 0)
    larger = ring.long()  # takes all the void: free
    perfect = 0.0 if "hausdorff" in score.__name__ else 1.0
    assert score(pred, target, 2)[0] == perfect  # the border of the picture is an edge
    assert score(pred, target, 2)[1].isnan()  # no judged outline is left
    assert torch.equal(score(larger, target, 2).isnan(), score(pred, target, 2).isnan())
    assert score(larger, target, 2)[0] == perfect


@each_score
def test_what_is_predicted_at_void_changes_nothing(score: Any) -> None:
    pred, target = blobs(5), blobs(6)
    target[:, 10:18, 10:25] = 255
    other = pred.clone()
    other[:, 10:18, 10:25] = blobs(7)[:, 10:18, 10:25]
    assert not torch.equal(pred, other)
    assert torch.equal(score(pred, target, 3), score(other, target, 3))


@each_score
def test_one_picture_and_logits(score: Any) -> None:
    pred, target = blobs(8), blobs(9)
    expected = score(pred, target, 3)
    assert torch.equal(score(pred[1], target[1], 3), expected[1])
    logits = torch.nn.functional.one_hot(pred, 3).movedim(-1, 1).half()
    assert torch.equal(score(logits, target.to(torch.uint8), 3), expected)
    assert torch.equal(score(pred.mT, target.mT, 3), expected)  # turned, and not contiguous


@given(st.integers(0, 10**6))
def test_bounds_and_symmetry(seed: int) -> None:
    pred, target = blobs(seed, shape=(1, 15, 12)), blobs(seed + 1, shape=(1, 15, 12))
    for score in SCORES:
        got = score(pred, target, 3)
        torch.testing.assert_close(got, score(target, pred, 3), equal_nan=True)
        assert (got[~got.isnan()] >= 0).all()
        if "hausdorff" not in score.__name__:
            assert (got[~got.isnan()] <= 1).all()
        itself = score(target, target, 3)
        perfect = 0.0 if "hausdorff" in score.__name__ else 1.0
        assert (itself[~itself.isnan()] == perfect).all()
    hd, hd95 = hausdorff_distance(pred, target, 3), hausdorff_distance_95(pred, target, 3)
    assert (hd.isnan() | (hd95 <= hd)).all()


@pytest.mark.parametrize(
    ("shape", "width"), [((16, 16), 1), ((100, 200), 4), ((3, 4), 1), ((512, 1024), 23)]
)
def test_the_band_is_a_fiftieth_of_the_diagonal(shape: tuple[int, int], width: int) -> None:
    pred = torch.randint(0, 2, shape).cummax(1).values
    target = torch.randint(0, 2, shape).cummax(0).values
    assert torch.equal(boundary_iou(pred, target, 2), boundary_iou(pred, target, 2, width=width))


def test_a_band_as_wide_as_the_picture_is_plain_iou() -> None:
    pred, target = blobs(3), blobs(4)
    hit = (pred == target) & (pred == 1)
    union = (pred == 1) | (target == 1)
    expected = hit.sum((1, 2)).double() / union.sum((1, 2))
    torch.testing.assert_close(boundary_iou(pred, target, 3, width=50)[:, 1], expected)


def test_over_a_data_set() -> None:
    pred, target = blobs(10, shape=(4, 31, 40)), blobs(11, shape=(4, 31, 40))
    target[2][target[2] == 1] = 0
    pred[2][pred[2] == 1] = 0  # class 1 is not in the third picture at all
    scores = BoundaryScores(3, tolerance=2.0, percentile=90.0)
    scores.update(pred[:1], target[:1]).update(pred[1:], target[1:])
    assert torch.equal(scores.hausdorff(), hausdorff_distance(pred, target, 3).nanmean(0))
    expected = hausdorff_distance(pred, target, 3, percentile=90.0).nanmean(0)
    assert torch.equal(scores.hausdorff_percentile(), expected)
    # Pictures set side by side, far enough apart by void, are one picture with all the pixels.
    side_by_side = [torch.full((31, 4 * 50), 255), torch.full((31, 4 * 50), 0)]
    for image in range(4):
        here = slice(50 * image, 50 * image + 40)
        side_by_side[0][:, here], side_by_side[1][:, here] = target[image], pred[image]
    # Void is no edge, so the pictures' own borders are left out on both sides.
    inner = target.clone()
    inner[:, :, [0, -1]] = 255
    side_by_side[0][:, [50 * i for i in range(4)] + [50 * i + 39 for i in range(4)]] = 255
    pooled = BoundaryScores(3, width=1).update(pred, inner)
    for name, one in (("boundary_iou", boundary_iou), ("surface_dice", surface_dice),
                      ("boundary_f1", boundary_f1)):  # fmt: skip
        settings = {"width": 1} if one is boundary_iou else {}
        whole = one(side_by_side[1], side_by_side[0], 3, **settings)
        torch.testing.assert_close(getattr(pooled, name)(), whole)
        assert pooled.mean(name) == pytest.approx(whole.mean().item())


def test_a_class_missed_in_one_picture_is_infinitely_far() -> None:
    target = torch.stack([square(), square()])
    pred = torch.stack([square(), torch.zeros_like(square())])
    assert BoundaryScores(2).update(pred, target).hausdorff()[1] == math.inf


@pytest.mark.parametrize(
    ("function", "settings", "words"),
    [
        (boundary_f1, {"tolerance": -1.0}, "tolerance=-1.0 is in pixels"),
        (surface_dice, {"tolerance": math.inf}, "tolerance=inf is in pixels"),
        (hausdorff_distance, {"percentile": 101.0}, "percentile=101.0 has to be from 0 to 100"),
        (boundary_iou, {"width": 0}, "width=0 has to be a whole number of pixels, at least 1"),
        (boundary_iou, {"width": 1.5}, "width=1.5 has to be a whole number"),
        (boundary_iou, {"ratio": -1.0}, "ratio=-1.0"),
    ],
)
def test_bad_settings(function: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function(square(), square(), 2, **settings)


def test_bad_settings_of_a_stream_are_told_at_once() -> None:
    for settings in ({"tolerance": -1.0}, {"percentile": 101.0}, {"width": 0}, {"ratio": -0.1}):
        with pytest.raises(ValueError, match=f"{next(iter(settings))}="):
            BoundaryScores(2, **settings)
    with pytest.raises(ValueError, match="score='iou' has to be one of boundary_iou"):
        BoundaryScores(2).mean("iou")
    with pytest.raises(ValueError, match="an edge needs label maps"):
        boundary_iou(torch.zeros(4, dtype=torch.long), torch.zeros(4, dtype=torch.long), 2)
