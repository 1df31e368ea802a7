"""U-Net's weights for the ground between two cells."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def seam_weights(instances, w0, sigma):
    """instances (H, W), 0 for the ground -> weights (H, W), floating.

    On the ground w0 * exp(-(d1 + d2)**2 / (2 * sigma**2)), where d1 and
    d2 are the straight-line distances to the nearest and to the second
    nearest cell, center of pixel to center of pixel. In cells 0.
    There are two cells or more.
    """
    raise NotImplementedError
'''


def _distances(instances, p=2.0):
    """From every pixel to the nearest and to the second nearest cell, (2, H, W)."""
    places = torch.cartesian_prod(*(torch.arange(float(n)) for n in instances.shape))
    away = [
        torch.cdist(places, places[(instances == cell).flatten()], p=p).min(1).values
        for cell in instances.unique().tolist()
        if cell != 0
    ]
    return torch.stack(away).sort(0).values[:2].reshape(2, *instances.shape)


def seam_weights(instances, w0, sigma):
    """Distance to every cell, the two smallest, the formula, ground only."""
    rows, columns = (torch.arange(float(n)) for n in instances.shape)
    places = torch.cartesian_prod(rows, columns)  # (H·W, 2)
    away = []
    for cell in instances.unique():
        if cell != 0:
            inside = places[(instances == cell).flatten()]
            away.append(torch.cdist(places, inside).min(1).values)
    d1, d2 = torch.stack(away).sort(0).values[:2]
    weights = w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    return weights.reshape(instances.shape) * (instances == 0)


def cases(generator: torch.Generator) -> list[Case]:
    """Return cells close together, far apart, three of them, and numbers with gaps."""

    def scene(height: int, width: int, **cells: tuple[int, int, int, int]) -> torch.Tensor:
        instances = torch.zeros(height, width, dtype=torch.int64)
        for name, (top, left, bottom, right) in cells.items():
            instances[top:bottom, left:right] = int(name[1:])
        return instances

    close = scene(7, 9, c1=(1, 1, 6, 4), c2=(2, 5, 6, 8))
    three = scene(10, 12, c4=(0, 0, 4, 5), c2=(5, 1, 9, 6), c9=(2, 8, 8, 12))
    left, top = torch.randint(1, 4, (2,), generator=generator).tolist()
    drawn = scene(11, 13, c1=(top, left, top + 4, left + 3), c5=(top + 2, left + 5, 11, 13),
                  c3=(9, 0, 11, 4))  # fmt: skip
    return [Case((close, 10.0, 2.0)), Case((three, 10.0, 5.0)), Case((drawn, 4.0, 3.0))]


def _term(instances, w0, sigma, combine, p=2.0):
    d1, d2 = _distances(instances, p)
    return w0 * torch.exp(combine(d1, d2, sigma)) * (instances == 0)


def _nearest_only(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -(d1**2) / (2 * s**2))


def _second_only(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -(d2**2) / (2 * s**2))


def _sum_of_squares(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -(d1**2 + d2**2) / (2 * s**2))


def _without_square(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -(d1 + d2) / (2 * s**2))


def _without_two(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -((d1 + d2) ** 2) / s**2)


def _sigma_once(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -((d1 + d2) ** 2) / (2 * s))


def _in_cells_too(instances, w0, sigma):
    d1, d2 = _distances(instances)
    return w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))


def _nearest_twice(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda d1, d2, s: -((2 * d1) ** 2) / (2 * s**2))


def _city_block(instances, w0, sigma):
    return _term(instances, w0, sigma, lambda a, b, s: -((a + b) ** 2) / (2 * s**2), p=1.0)


def _with_one(instances, w0, sigma):
    return 1 + seam_weights(instances, w0, sigma)


exercise = Exercise(
    name="seam_weights",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "One map of distances for each cell, then `sort` along the cells: the first two are d1 and "
        "d2. `scipy.ndimage.distance_transform_edt(instances != cell)` gives such a map; so does "
        "`torch.cdist` from all pixels to those of the cell.",
        "The numbers of cells may have gaps: go through `instances.unique()` and leave out 0. At "
        "the end multiply by `instances == 0`.",
    ),
    solution=seam_weights,
    why=(
        "d1 + d2 is small where *both* cells are near, that is in the gap between them. One "
        "distance alone would mark the rim of every cell, lonely ones too. At most w0 is reached "
        "nowhere: in a seam of one pixel d1 + d2 is 2."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _with_one,
            "You added the 1 that every pixel weighs anyway. In the paper, that place is taken by "
            "the weight that balances the classes; here only the second term was asked for.",
        ),
    ),
    mistakes=(
        Mistake(
            "seam.nearest",
            _nearest_only,
            "Only d1 counts in your weights, so the rim of every cell is heavy, with or without a "
            "neighbor. A seam is where the second cell is near too.",
        ),
        Mistake(
            "seam.nearest_twice",
            _nearest_twice,
            "You took the nearest cell twice: d2 is the distance to *another* cell. Sort along the "
            "cells and take the first two.",
        ),
        Mistake(
            "seam.second",
            _second_only,
            "Only d2 counts in your weights. The formula squares the sum of both distances.",
        ),
        Mistake(
            "seam.sum_of_squares",
            _sum_of_squares,
            "You added the squares; the formula squares the sum: (d1 + d2)², not d1² + d2².",
        ),
        Mistake(
            "seam.no_square",
            _without_square,
            "The square of d1 + d2 is missing, so your weights reach much too far.",
        ),
        Mistake(
            "seam.no_two",
            _without_two,
            "The 2 under the fraction is missing: 2σ², as in a bell curve.",
        ),
        Mistake(
            "seam.sigma_once",
            _sigma_once,
            "σ is squared under the fraction: 2σ².",
        ),
        Mistake(
            "seam.in_cells",
            _in_cells_too,
            "On the ground all is right. Inside cells d1 is 0 and your weights are large near a "
            "neighbor: there the network would be pushed to say *cell* with all force. Multiply by "
            "`instances == 0`.",
        ),
        Mistake(
            "seam.city_block",
            _city_block,
            "Your distances count steps along rows and columns. Straight-line distance is asked "
            "for: the root of the sum of squares.",
        ),
    ),
)
