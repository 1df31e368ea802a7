"""Pooling to a size: bins that divide the picture, one bin for all of it, and a pyramid of both."""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.ops.arithmetic import at_least, pair

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_bins",
    "adaptive_max_pool2d",
    "global_avg_pool2d",
    "pyramid_pool2d",
]

Sizes = int | tuple[int | None, int | None]


def adaptive_bins(n: int, size: int) -> list[tuple[int, int]]:
    """Divide n pixels of an axis into `size` bins, as PyTorch does: [⌊i·n/size⌋, ⌈(i+1)·n/size⌉).

    Every pixel is in a bin. Where n is no multiple of `size`, neighboring bins share pixels; where
    it is smaller, pixels are repeated.

    Args:
        n: Pixels along the axis.
        size: Bins, at least 1.

    Returns:
        First pixel and the one after the last, for each bin.

    Example:
        >>> adaptive_bins(6, 3)
        [(0, 2), (2, 4), (4, 6)]
        >>> adaptive_bins(7, 3)
        [(0, 3), (2, 5), (4, 7)]
    """
    at_least("n", n, 1, "an empty axis has nothing to pool")
    at_least("size", size, 1, "a map has one bin or more")
    return [(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]


def adaptive_avg_pool2d(x: Tensor, output_size: Sizes) -> Tensor:
    """Take the mean of each bin of a grid that covers the picture. Differentiable.

    The mean over a rectangle is the mean over its columns of the means over its rows.

    Args:
        x: Input, (N, C, H, W), floating-point.
        output_size: Bins down and across, or one number for both; None keeps an axis as it is.

    Returns:
        The means, (N, C, bins down, bins across).

    Example:
        >>> x = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> adaptive_avg_pool2d(x, (1, 2))
        tensor([[[[4.5000, 6.5000]]]])
    """
    down, across = _bins(x, output_size)
    working = x.to(torch.promote_types(x.dtype, torch.float32))  # half is averaged in single
    in_rows = torch.stack([working[:, :, i:j].mean(2) for i, j in down], dim=2)
    return torch.stack([in_rows[..., i:j].mean(3) for i, j in across], dim=3).to(x.dtype)


def adaptive_max_pool2d(x: Tensor, output_size: Sizes) -> Tensor:
    """Take the largest number of each bin of a grid that covers the picture. Differentiable.

    Args:
        x: Input, (N, C, H, W), floating-point.
        output_size: Bins down and across, or one number for both; None keeps an axis as it is.

    Returns:
        The maxima, (N, C, bins down, bins across).

    Example:
        >>> x = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> adaptive_max_pool2d(x, (1, 2))
        tensor([[[[ 9., 11.]]]])
    """
    down, across = _bins(x, output_size)
    in_rows = torch.stack([x[:, :, i:j].max(2).values for i, j in down], dim=2)  # (…, bins, W)
    return torch.stack([in_rows[..., i:j].max(3).values for i, j in across], dim=3)


def global_avg_pool2d(x: Tensor) -> Tensor:
    """Take the mean of each channel: one number for all of the picture.

    Args:
        x: Input, (N, C, H, W), floating-point, any size.

    Returns:
        The means, (N, C, 1, 1).

    Example:
        >>> global_avg_pool2d(torch.arange(12.0).reshape(1, 2, 2, 3)).flatten()
        tensor([2.5000, 8.5000])
    """
    check_maps(x)
    return x.mean((2, 3), keepdim=True)


def pyramid_pool2d(x: Tensor, bins: tuple[int, ...] = (1, 2, 3, 6)) -> list[Tensor]:
    """Pool into several grids at once, from one bin for all to many: the first step of PSPNet.

    Args:
        x: Input, (N, C, H, W), floating-point.
        bins: Bins along each axis, one number a grid. PSPNet's are the default.

    Returns:
        For each grid the means, (N, C, bins, bins).

    Example:
        >>> [tuple(level.shape) for level in pyramid_pool2d(torch.zeros(1, 5, 60, 90))]
        [(1, 5, 1, 1), (1, 5, 2, 2), (1, 5, 3, 3), (1, 5, 6, 6)]
    """
    return [adaptive_avg_pool2d(x, size) for size in bins]


def check_maps(x: Tensor) -> None:
    """Raise unless x is a batch of maps, (N, C, H, W), of floating-point numbers."""
    if x.dim() != 4:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, but needs the 4 axes (N, C, H, W): add those that are "
            "missing, as in `x[None]`"
        )
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}, but pooling works on floating-point maps: take x.float()")


def _bins(x: Tensor, output_size: Sizes) -> list[list[tuple[int, int]]]:
    """The bins down and across that `output_size` asks for."""
    check_maps(x)
    sizes = zip(x.shape[2:], pair("output_size", output_size), strict=True)
    return [adaptive_bins(n, n if size is None else size) for n, size in sizes]
