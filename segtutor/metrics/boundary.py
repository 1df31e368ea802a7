"""How well the outlines agree: scores that a large region's middle cannot flatter.

Every function takes label maps (N, H, W) and returns one score an image and class, (N, C);
for one picture (H, W) it returns (C,). A class whose outline is in neither map gets NaN. The
border of the picture is part of an outline; where a region meets void there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from segtutor.labels import VOID
from segtutor.metrics.scores import fraction
from segtutor.metrics.surfaces import bands, regions, surface_distances

__all__ = [
    "boundary_f1",
    "boundary_iou",
    "hausdorff_distance",
    "hausdorff_distance_95",
    "surface_dice",
]


def boundary_iou(
    pred: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    ignore_index: int = VOID,
    ratio: float = 0.02,
    width: int | None = None,
) -> Tensor:
    """IoU of the bands along the inside of both outlines: Boundary IoU.

    Args:
        pred: Predicted labels (N, H, W) or (H, W), or logits (N, C, H, W).
        target: Labels (N, H, W) or (H, W).
        num_classes: C.
        ignore_index: The label of pixels that are not judged.
        ratio: Width of the band as a part of the picture's diagonal, rounded, at least 1 pixel.
        width: Width of the band in pixels, instead of `ratio`.

    Returns:
        Scores (N, C) or (C,), float64; NaN where neither map has a band.

    Example:
        >>> import torch
        >>> target = torch.zeros(12, 12, dtype=torch.long)
        >>> target[3:9, 3:9] = 1
        >>> pred = target.roll(1, dims=1)  # one pixel to the right
        >>> boundary_iou(pred, target, num_classes=2)[1]
        tensor(0.3333, dtype=torch.float64)
    """
    check_band(ratio, width)
    maps = regions(pred, target, num_classes, ignore_index)
    counts = band_counts(*maps, num_classes, ratio, width)
    return _like(target, fraction(counts[..., 0], counts[..., 1]))


def boundary_f1(
    pred: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    tolerance: float = 1.0,
    ignore_index: int = VOID,
) -> Tensor:
    """F1 of outlines: a predicted edge pixel is right within `tolerance` of a true one.

    Precision is the share of predicted edge pixels that are right, recall the share of true
    ones that were met; edges are counted with 4 neighbors. Also called BF score.

    Args:
        pred: Predicted labels (N, H, W) or (H, W), or logits (N, C, H, W).
        target: Labels (N, H, W) or (H, W).
        num_classes: C.
        tolerance: In pixels, from middle to middle.
        ignore_index: The label of pixels that are not judged.

    Returns:
        Scores (N, C) or (C,), float64; 0 where one map has no edge, NaN where neither has.

    Example:
        >>> import torch
        >>> target = torch.zeros(12, 12, dtype=torch.long)
        >>> target[3:9, 3:9] = 1
        >>> boundary_f1(target.roll(1, dims=1), target, num_classes=2)[1]
        tensor(1., dtype=torch.float64)
    """
    return _like(target, f1_of(near_counts(pred, target, num_classes, tolerance, ignore_index)))


def surface_dice(
    pred: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    tolerance: float = 1.0,
    ignore_index: int = VOID,
) -> Tensor:
    """Share of all edge pixels, of both maps, that lie within `tolerance` of the other map's.

    Where the two outlines differ in length the longer one weighs more; `boundary_f1` weighs
    both alike. Also called normalized surface distance (NSD).

    Args:
        pred: Predicted labels (N, H, W) or (H, W), or logits (N, C, H, W).
        target: Labels (N, H, W) or (H, W).
        num_classes: C.
        tolerance: In pixels, from middle to middle.
        ignore_index: The label of pixels that are not judged.

    Returns:
        Scores (N, C) or (C,), float64; 0 where one map has no edge, NaN where neither has.
    """
    near = near_counts(pred, target, num_classes, tolerance, ignore_index)
    return _like(target, fraction(near[..., 0] + near[..., 2], near[..., 1] + near[..., 3]))


def hausdorff_distance(
    pred: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    percentile: float = 100.0,
    ignore_index: int = VOID,
) -> Tensor:
    """How far the outlines part at most: the larger of both directed distances.

    Args:
        pred: Predicted labels (N, H, W) or (H, W), or logits (N, C, H, W).
        target: Labels (N, H, W) or (H, W).
        num_classes: C.
        percentile: 100 takes the farthest edge pixel of each map; 95 forgives the farthest
            twentieth of each.
        ignore_index: The label of pixels that are not judged.

    Returns:
        Pixels (N, C) or (C,), float64; infinite where one map has no edge, NaN where neither has.

    Example:
        >>> import torch
        >>> target = torch.zeros(12, 12, dtype=torch.long)
        >>> target[3:9, 3:9] = 1
        >>> hausdorff_distance(target.roll(2, dims=1), target, num_classes=2)[1]
        tensor(2., dtype=torch.float64)
    """
    check_percentile(percentile)
    maps = regions(pred, target, num_classes, ignore_index)
    scores = torch.full((len(maps[0]), num_classes), math.nan, dtype=torch.float64)
    for image, index, *both in surface_distances(*maps, num_classes):
        scores[image, index] = max(farthest(distances, percentile) for distances in both)
    return _like(target, scores)


def hausdorff_distance_95(
    pred: Tensor, target: Tensor, num_classes: int, *, ignore_index: int = VOID
) -> Tensor:
    """`hausdorff_distance` at the 95th percentile: HD95, which one stray pixel does not move."""
    return hausdorff_distance(pred, target, num_classes, percentile=95.0, ignore_index=ignore_index)


def farthest(distances: np.ndarray, percentile: float) -> float:
    """A percentile of distances; infinite if there is nothing to measure, or nothing to."""
    if not distances.size or np.isinf(distances).any():
        return math.inf
    return float(np.percentile(distances, percentile))


def band_counts(
    pred: Tensor,
    target: Tensor,
    judged: Tensor,
    num_classes: int,
    ratio: float,
    width: int | None,
) -> Tensor:
    """Pixels in the intersection and in the union of the bands, (N, C, 2), int64."""
    if width is None:
        width = max(1, round(ratio * math.hypot(*target.shape[1:])))
    counts = []
    for index in range(num_classes):
        mine, theirs = (bands((each == index) & judged, judged, width) for each in (pred, target))
        counts.append(torch.stack([(mine & theirs).sum((1, 2)), (mine | theirs).sum((1, 2))], -1))
    return torch.stack(counts, dim=1).cpu()


def near_counts(
    pred: Tensor, target: Tensor, num_classes: int, tolerance: float, ignore_index: int
) -> Tensor:
    """Near and all edge pixels of the prediction, then of the target, (N, C, 4), int64."""
    check_tolerance(tolerance)
    maps = regions(pred, target, num_classes, ignore_index)
    counts = torch.zeros(len(maps[0]), num_classes, 4, dtype=torch.int64)
    for image, index, *both in surface_distances(*maps, num_classes):
        counts[image, index] = near_and_all(both, tolerance)
    return counts


def near_and_all(both: Sequence[np.ndarray], tolerance: float) -> Tensor:
    """Count the distances within the tolerance, and all, of each of two edges, (4,)."""
    return torch.tensor([n for d in both for n in (int((d <= tolerance).sum()), d.size)])


def f1_of(near: Tensor) -> Tensor:
    """Boundary F1 (…) from the counts (…, 4) of `near_counts`."""
    precision, recall = fraction(near[..., 0], near[..., 1]), fraction(near[..., 2], near[..., 3])
    met = 2 * precision * recall / (precision + recall)
    nothing = near[..., 1] + near[..., 3] == 0
    return met.nan_to_num(0.0).where(~nothing, math.nan)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is no distance."""
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance={tolerance} is in pixels: it has to be 0 or a finite number")


def check_band(ratio: float, width: int | None) -> None:
    """Refuse a band that is none."""
    if not ratio > 0:
        raise ValueError(f"ratio={ratio} is a part of the diagonal: it has to be above 0")
    if width is not None and (not isinstance(width, int) or width < 1):
        raise ValueError(f"width={width} has to be a whole number of pixels, at least 1")


def check_percentile(percentile: float) -> None:
    """Refuse a percentile that is none."""
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile={percentile} has to be from 0 to 100")


def _like(target: Tensor, scores: Tensor) -> Tensor:
    return scores[0] if target.dim() == 2 else scores
