"""The moving figure of the chapter on PSPNet: a picture's bins, and what they hand back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.figures.labelmaps import _bytes, _jpeg
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, class_colors
from segtutor.ops import adaptive_avg_pool2d, adaptive_bins

WHOLE = 10_000  # what a share of 100 % is shipped as: whole numbers are short


def pyramid_bins(
    image: Tensor,
    labels: Tensor,
    *,
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
    bins: Sequence[int] = (1, 2, 3, 6),
    chosen: int = 0,
    caption: str = "",
    alt: str = "A picture under a grid of bins, and the share of a class in each of them.",
) -> MovingFigure:
    """A picture's adaptive bins: what each holds, and what all of them hand back to the pixels.

    Every class is a channel that is 1 on its pixels and 0 elsewhere, so that the mean over a bin
    is the share of the class. The package pools them here; the page enlarges the means as PSPNet
    does, bilinearly and corner on corner.

    Args:
        image: Color picture (3, H, W), float in [0, 1] or uint8.
        labels: (H, W); 255 is void, a channel of its own.
        names: Name of each class.
        colors: Color of each class and, last, of void, as "#rrggbb".
        bins: Bins along each axis, one number a grid.
        chosen: The class whose shares are shown at the start.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> road = torch.zeros(8, 12, dtype=torch.long)
        >>> pyramid_bins(torch.rand(3, 8, 12), road, names=["road"], colors=["#222222", "#888888"])
        Moving figure: grids of 1, 2, 3 and 6 bins over a picture (open the page to move it)
    """
    colors = class_colors(names, colors)
    if image.shape[-2:] != labels.shape:
        raise ValueError(
            f"image is {tuple(image.shape[-2:])}, labels are {tuple(labels.shape)}: they have to "
            "be of one size"
        )
    if not bins or min(bins) < 1:
        raise ValueError(f"bins={tuple(bins)}: give at least one grid, of 1 bin or more an axis")
    if not 0 <= chosen < len(names):
        raise ValueError(f"chosen={chosen}: the classes are 0 to {len(names) - 1}")
    height, width = labels.shape
    truth = torch.from_numpy(as_label_map(labels, len(names))).long()
    numbered = truth.where(truth != 255, len(names))
    channels = F.one_hot(numbered, len(names) + 1).permute(2, 0, 1)[None].double()
    photo = _jpeg(_bytes(image))
    sizes = [str(size) for size in bins]
    listed = sizes[0] if len(sizes) == 1 else f"{', '.join(sizes[:-1])} and {sizes[-1]}"
    return MovingFigure(
        "pyramid-bins",
        {
            "photo": photo,
            "size": [height, width],
            "names": [*names, "void"],
            "colors": colors,
            "chosen": chosen,
            "whole": WHOLE,
            "grids": [
                {
                    "bins": size,
                    "rows": adaptive_bins(height, size),
                    "columns": adaptive_bins(width, size),
                    "shares": _shares(channels, size),
                }
                for size in bins
            ],
        },
        still=f'<img src="{photo}" alt="the picture" width="100%">',
        summary=f"grids of {listed} bins over a picture",
        caption=caption,
        alt=alt,
    )


def _shares(channels: Tensor, size: int) -> list[list[int]]:
    """For each class the share in every bin, row by row, as whole numbers."""
    return (adaptive_avg_pool2d(channels, size)[0].flatten(1) * WHOLE).round().long().tolist()
