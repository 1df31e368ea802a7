"""Pixels out of channels: r² channels are laid out as one channel of r × r times the pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.ops.arithmetic import at_least

__all__ = ["pixel_shuffle", "pixel_unshuffle"]


def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """Lay r² channels out as one channel of r × r times as many pixels.

    Args:
        x: Input, (N, C·r², H, W).
        upscale_factor: r.

    Returns:
        The same numbers in other places, (N, C, r·H, r·W).

    Example:
        >>> pixel_shuffle(torch.arange(4).reshape(1, 4, 1, 1), 2)[0, 0]
        tensor([[0, 1],
                [2, 3]])
    """
    n, channels, height, width = _four_axes(x)
    at_least("upscale_factor", upscale_factor, 1, "1 leaves the picture as it is")
    r = upscale_factor
    if channels % r**2:
        raise ValueError(
            f"x has {channels} channels, but upscale_factor={r} needs a multiple of {r}² = {r**2}: "
            "let the layer before make that many"
        )
    x = x.reshape(n, channels // r**2, r, r, height, width)
    x = x.permute(0, 1, 4, 2, 5, 3)  # (N, C, H, r, W, r)
    return x.reshape(n, channels // r**2, height * r, width * r)


def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """Undo `pixel_shuffle`: every block of r × r pixels becomes r² channels.

    Args:
        x: Input, (N, C, r·H, r·W).
        downscale_factor: r.

    Returns:
        The same numbers in other places, (N, C·r², H, W).

    Example:
        >>> pixel_unshuffle(torch.arange(4).reshape(1, 1, 2, 2), 2)[0, :, 0, 0]
        tensor([0, 1, 2, 3])
    """
    n, channels, height, width = _four_axes(x)
    at_least("downscale_factor", downscale_factor, 1, "1 leaves the picture as it is")
    r = downscale_factor
    if height % r or width % r:
        raise ValueError(
            f"x is {height} × {width} pixels, which downscale_factor={r} does not divide: crop or "
            "pad it first"
        )
    x = x.reshape(n, channels, height // r, r, width // r, r)
    x = x.permute(0, 1, 3, 5, 2, 4)  # (N, C, r, r, H, W)
    return x.reshape(n, channels * r**2, height // r, width // r)


def _four_axes(x: Tensor) -> torch.Size:
    if x.dim() != 4:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, but needs the 4 axes (N, C, H, W): add those that are "
            "missing, as in `x[None]`"
        )
    return x.shape
