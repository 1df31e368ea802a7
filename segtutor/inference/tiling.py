"""Overlap-tile: pictures too large for the memory, piece by piece and without seams.

Paper: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, arXiv:1505.04597, figure 2. Each tile is
predicted with a margin around it that the network may look at, mirrored where the picture ends, and
only the tile itself is kept. Where the margin is as wide as the network sees, and tile and margin
are multiples of its stride, the tiles are those of the whole picture, number for number.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["tiled"]


def tiled(
    net: Callable[[Tensor], Tensor], images: Tensor, *, tile: int = 256, margin: int = 32
) -> Tensor:
    """Logits of large pictures, computed tile by tile.

    Args:
        net: From pictures (N, C, h, w) to logits, of the same size or, if its convolutions are
            unpadded, smaller by as much on all sides. Put it into evaluation mode.
        images: (N, C, H, W).
        tile: Side of the square that each call contributes. A multiple of the network's stride.
        margin: How far beyond its tile a call looks. A multiple of the network's stride.

    Returns:
        Logits (N, num_classes, H, W).

    Raises:
        ValueError: The margin cannot be mirrored or is narrower than what the network cuts off.

    Example:
        >>> smooth = torch.nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        >>> image = torch.rand(1, 1, 50, 70)
        >>> torch.allclose(tiled(smooth, image, tile=16, margin=2)[..., 1:-1, 1:-1],
        ...                smooth(image)[..., 1:-1, 1:-1])
        True
    """
    if images.ndim != 4:
        raise ValueError(f"images {tuple(images.shape)}: a batch (N, C, H, W) is needed; x[None]")
    height, width = images.shape[2:]
    if tile < 1 or margin < 0:
        raise ValueError(f"tile={tile}, margin={margin}: take a tile of 1 or more, a margin from 0")
    if margin >= min(height, width):
        raise ValueError(
            f"margin={margin}: a picture of {height}×{width} pixels cannot be mirrored so far; "
            "take a smaller margin, or the whole picture at once"
        )
    padded = F.pad(images, (margin,) * 4, mode="reflect")
    # The last row and column of tiles reach beyond: what they show there is thrown away.
    rest = [-side % tile for side in (width, height)]
    padded = F.pad(padded, (0, rest[0], 0, rest[1]), mode="replicate")
    rows = []
    for top in range(0, height, tile):
        pieces = []
        for left in range(0, width, tile):
            side = tile + 2 * margin
            logits = net(padded[..., top : top + side, left : left + side])
            pieces.append(_middle(logits, tile))  # (N, num_classes, tile, tile)
        rows.append(torch.cat(pieces, dim=3))
    return torch.cat(rows, dim=2)[..., :height, :width]


def _middle(logits: Tensor, tile: int) -> Tensor:
    """Cut the tile out of the logits of tile and margin."""
    down, right = ((side - tile) // 2 for side in logits.shape[2:])
    if min(down, right) < 0:
        raise ValueError(
            f"logits of {logits.shape[2]}×{logits.shape[3]} for a tile of {tile}×{tile}: the "
            "network cuts off more than the margin; take a wider margin"
        )
    return logits[..., down : down + tile, right : right + tile]
