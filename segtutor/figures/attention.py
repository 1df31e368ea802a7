"""The moving figure of the chapter on attention: pick a place and see where it looks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from segtutor.figures.labelmaps import _bytes, _jpeg
from segtutor.figures.moving import MovingFigure

WHOLE = 10_000  # what a look's 100 % is shipped as: whole numbers are short
MOST = 512  # places; the weights of all pairs travel with the page


def attention(
    image: Tensor,
    weights: Tensor | Mapping[str, Tensor],
    *,
    place: tuple[int, int] | None = None,
    caption: str = "",
    alt: str = "A picture under a grid of places; the picked one shows where it looks.",
) -> MovingFigure:
    """A picture under a grid of places, each of which shows where it looks when picked.

    The look can be turned around: who looks at the place. All weights are shipped with the
    figure, in hundredths of a percent.

    Args:
        image: Color picture (3, H, W), float in [0, 1] or uint8.
        weights: Who looks where, (h, w, h, w), as `maps` of a block returns it for one picture
            and one head: [y, x] sums to one. Or several such, by name, to choose from.
        place: Row and column that is picked at the start; None: the middle.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> alike = torch.full((2, 3, 2, 3), 1 / 6)
        >>> attention(torch.rand(3, 32, 48), alike)
        Moving figure: where each of 2×3 places looks (open the page to move it)
    """
    named = dict(weights) if isinstance(weights, Mapping) else {"attention": weights}
    if not named:
        raise ValueError("weights is empty: give at least one tensor (h, w, h, w)")
    parts = {name: _parts(name, each) for name, each in named.items()}
    sizes = {tuple(each.shape[:2]) for each in named.values()}
    if len(sizes) > 1:
        raise ValueError(f"weights are of different sizes, {sorted(sizes)}: make them alike")
    ((height, width),) = sizes
    row, column = (height // 2, width // 2) if place is None else place
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"place={place} is not on a map of {height}×{width} places")
    photo = _jpeg(_bytes(image))
    return MovingFigure(
        "attention",
        {
            "photo": photo,
            "ratio": round(image.shape[2] / image.shape[1], 4),
            "size": [height, width],
            "place": [row, column],
            "whole": WHOLE,
            "looks": parts,
        },
        still=f'<img src="{photo}" alt="the picture" width="100%">',
        summary=f"where each of {height}×{width} places looks",
        caption=caption,
        alt=alt,
    )


def _parts(name: str, weights: Tensor) -> list[list[int]]:
    """A row of whole numbers for each place, after checks."""
    if weights.dim() != 4 or weights.shape[:2] != weights.shape[2:]:
        raise ValueError(
            f"weights {name!r} have shape {tuple(weights.shape)}, but who looks where is "
            "(h, w, h, w): take one picture and one head"
        )
    places = weights.shape[0] * weights.shape[1]
    if not 1 <= places <= MOST:
        raise ValueError(f"weights {name!r} are of {places} places: this figure takes 1 to {MOST}")
    table = weights.detach().cpu().double().reshape(places, places)
    if not torch.allclose(table.sum(1), torch.ones(places).double(), atol=1e-3):
        raise ValueError(
            f"the looks of weights {name!r} do not sum to 1: was the softmax over the keys?"
        )
    return (table * WHOLE).round().long().tolist()
