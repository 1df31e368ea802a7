"""The edges of a class, the bands along them, and how far two edges lie apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.labels import check_void, judged_pixels
from segtutor.metrics.counting import class_maps, joint_counts

__all__ = ["bands", "edges", "regions", "surface_distances"]


def regions(
    pred: Tensor, target: Tensor, num_classes: int, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Check two maps; return them as (N, H, W), with True where a pixel is judged.

    Args:
        pred: Labels (N, H, W) or (H, W), or logits (N, C, H, W).
        target: Labels (N, H, W) or (H, W).
        num_classes: C.
        ignore_index: The label of pixels that are not judged.

    Returns:
        Predicted classes, target and judged pixels, each (N, H, W).
    """
    check_void(num_classes, ignore_index)
    pred, target = class_maps(pred, target, num_classes)
    if target.dim() not in (2, 3) or 0 in target.shape[-2:]:
        raise ValueError(
            f"target has shape {tuple(target.shape)}: an edge needs label maps (N, H, W) or (H, W)"
        )
    joint_counts(pred, target, num_classes, ignore_index)  # raises if a label is out of range
    shape = (-1, *target.shape[-2:])
    judged = judged_pixels(target, ignore_index)
    return pred.reshape(shape), target.reshape(shape), judged.reshape(shape)


def bands(region: Tensor, judged: Tensor, width: int) -> Tensor:
    """The pixels of a region that lie within `width` pixels of its end, diagonals included.

    The region ends at other judged pixels and at the border of the picture, not at void.

    Args:
        region: True where the class is, (N, H, W).
        judged: False where void is, (N, H, W).
        width: In pixels, at least 1.

    Returns:
        True on the band, (N, H, W).

    Example:
        >>> import torch
        >>> everything = torch.ones(1, 3, 5, dtype=torch.bool)
        >>> bands(everything, everything, width=1)[0].int()
        tensor([[1, 1, 1, 1, 1],
                [1, 0, 0, 0, 1],
                [1, 1, 1, 1, 1]], dtype=torch.int32)
    """
    outside = (judged & ~region).to(torch.float32)[:, None]
    outside = F.pad(outside, (width,) * 4, value=1.0)
    side = 2 * width + 1  # a square window is a column of rows
    near = F.max_pool2d(F.max_pool2d(outside, (side, 1), 1), (1, side), 1)[:, 0] > 0
    return region & near


def edges(region: Tensor, judged: Tensor) -> Tensor:
    """The pixels of a region with a neighbor above, below, left or right that is not in it.

    Void neighbors do not count; what lies beyond the border of the picture does.

    Example:
        >>> import torch
        >>> region = torch.ones(1, 3, 3, dtype=torch.bool)
        >>> edges(region, judged=region)[0].int()
        tensor([[1, 1, 1],
                [1, 0, 1],
                [1, 1, 1]], dtype=torch.int32)
    """
    inside = F.pad(region | ~judged, (1, 1, 1, 1))  # False beyond the border
    height, width = region.shape[1:]
    middle = slice(1, -1)
    surrounded = (
        inside[:, :height, middle]
        & inside[:, 2:, middle]
        & inside[:, middle, :width]
        & inside[:, middle, 2:]
    )
    return region & ~surrounded


def surface_distances(
    pred: Tensor, target: Tensor, judged: Tensor, num_classes: int
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """How far each edge pixel of one map lies from the nearest one of the other.

    Args:
        pred: Predicted classes, (N, H, W).
        target: Labels, (N, H, W).
        judged: False where void is, (N, H, W).
        num_classes: C.

    Yields:
        Image, class, distances of the prediction's edge pixels and of the target's, in
        pixels; infinite where the other map has no edge. Classes without an edge are left out.
    """
    from scipy.ndimage import distance_transform_edt

    def away(here: np.ndarray, there: np.ndarray) -> np.ndarray:
        if not there.any():  # the transform has nothing to measure to
            return np.full(int(here.sum()), np.inf)
        return distance_transform_edt(~there)[here]

    for index in range(num_classes):
        both = torch.stack([edges((each == index) & judged, judged) for each in (pred, target)])
        for image, (mine, theirs) in enumerate(both.transpose(0, 1).cpu().numpy()):
            if mine.any() or theirs.any():
                yield image, index, away(mine, theirs), away(theirs, mine)
