"""The moving figure of the chapter on augmentation: one turns it by hand, the labels follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from segtutor.figures.labelmaps import Array, _bytes, _jpeg, _runs
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, class_colors, colorize

SMALLEST, LARGEST = 8, 256  # pixels of a side


def augmentation(
    image: Array,
    labels: Array,
    *,
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
    seed: int = 0,
    caption: str = "",
    alt: str = "A picture and its label map, turned together by sliders.",
) -> MovingFigure:
    """A picture and its label map that the reader flips, turns, scales, shifts and bends.

    The labels are those of `segtutor.data`: `HorizontalFlip`, then `RandomAffine`, then
    `Elastic`, sampled once. Three switches make the mistakes: labels interpolated, filled with
    class 0, or left where they were. The figure counts what comes from outside, what was
    invented, and what still fits the picture.

    Args:
        image: Color picture of shape (3, H, W), float in [0, 1] or uint8, 8 to 256 pixels a side.
        labels: Integer label map of shape (H, W); 255 is void.
        names: Name of each class.
        colors: Color of each class and, last, of void, as "#rrggbb".
        seed: Which elastic deformation: that of `Elastic` after `torch.manual_seed(seed)`.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> augmentation(torch.rand(3, 16, 24), torch.zeros(16, 24, dtype=torch.int64),
        ...              names=["wall"], colors=["#7a5648", "#111111"])
        Moving figure: a 16×24 picture and its label map to turn (open the page to move it)
    """
    colors = class_colors(names, colors)
    picture = _bytes(image)
    classes = as_label_map(labels, len(names))
    if picture.shape[:2] != classes.shape:
        raise ValueError(
            f"image is {picture.shape[0]} by {picture.shape[1]} pixels, labels are "
            f"{classes.shape[0]} by {classes.shape[1]}: they have to be of one size"
        )
    height, width = classes.shape
    if not all(SMALLEST <= side <= LARGEST for side in (height, width)):
        raise ValueError(
            f"image is {height} by {width} pixels: this figure takes {SMALLEST} to {LARGEST} a side"
        )
    nodes = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(seed))[0]
    photo = _jpeg(picture)
    both = _jpeg(np.concatenate([picture, colorize(classes, colors)], axis=1))
    return MovingFigure(
        "augmentation",
        {
            "photo": photo,
            "runs": _runs(classes),
            "width": width,
            "height": height,
            "names": list(names),
            "colors": colors,
            "nodes": nodes.tolist(),
        },
        still=f'<img src="{both}" alt="the picture, and beside it its label map" width="100%">',
        summary=f"a {height}×{width} picture and its label map to turn",
        caption=caption,
        alt=alt,
    )
