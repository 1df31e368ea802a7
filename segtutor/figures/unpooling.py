"""The moving figure of the chapter on SegNet: pooled, and three ways back."""

from __future__ import annotations

import torch

from segtutor.figures.checks import Array, numbers, table
from segtutor.figures.moving import MovingFigure
from segtutor.ops import max_pool2d, max_unpool2d


def unpooling(
    pixels: Array,
    *,
    caption: str = "",
    alt: str = "A small map, its maxima with their indices, and the map that comes back of them.",
) -> MovingFigure:
    """A map that is pooled in windows of 2×2 and brought back: by indices, nearest or bilinear.

    The reader can paint the map, choose the way back, send what came back through one 3×3
    convolution, and step through the windows, by mouse, touch or keyboard.

    Args:
        pixels: Numbers of shape (H, W), from 2 by 2 to 8 by 8.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> unpooling([[1, 2, 0], [4, 3, 5]])
        Moving figure: 2×3 pixels, pooled and brought back (open the page to move it)
    """
    image = numbers("pixels", pixels, 8)
    height, width = len(image), len(image[0])
    if height < 2 or width < 2:
        raise ValueError(f"pixels are {height} by {width}: this figure takes 2 by 2 or more")
    x = torch.tensor(image, dtype=torch.float64)[None, None]
    values, indices = max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    back = max_unpool2d(values, indices, 2, output_size=x.shape)
    grids = {"the pixels": x, "their maxima": values, "indices": indices, "brought back": back}
    return MovingFigure(
        "unpooling",
        {"pixels": image},
        still="".join(table(grid[0, 0].tolist(), what) for what, grid in grids.items()),
        summary=f"{height}×{width} pixels, pooled and brought back",
        caption=caption,
        alt=alt,
    )
