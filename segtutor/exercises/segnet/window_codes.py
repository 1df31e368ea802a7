"""From an index in the plane to one of four places: the two bits that SegNet needs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def window_codes(indices, width):
    """Indices (N, C, h, w) of 2x2 pooling -> the place in each window.

    An index counts pixels in the plane before pooling, whose rows are
    `width` long. The place: 0 upper left, 1 upper right, 2 lower left,
    3 lower right. Returns whole numbers of the same shape.
    """
    raise NotImplementedError
'''


def window_codes(indices, width):
    """Row and column of the pixel; windows begin at even ones."""
    row, column = indices // width, indices % width
    return 2 * (row % 2) + column % 2


def cases(generator: torch.Generator) -> list[Case]:
    """Return indices of odd and even pictures; with an odd width a window may hang over."""

    def pooled(*shape: int) -> Case:
        x = torch.rand(shape, generator=generator)
        _, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        return Case((indices, shape[3]))

    known = torch.tensor([[[[1, 6], [12, 11]]]])
    return [
        Case((known, 4)),
        pooled(1, 1, 4, 6),
        pooled(1, 2, 5, 5),
        pooled(2, 3, 8, 10),
        pooled(2, 3, 9, 7),
        pooled(3, 2, 10, 13),
    ]


def _mod_four(indices, width):
    return indices % 4


def _columns_first(indices, width):
    row, column = indices // width, indices % width
    return 2 * (column % 2) + row % 2


def _parity(indices, width):
    return 2 * (indices // width % 2) + indices % 2


def _pooled_width(indices, width):
    short = indices.shape[3]
    return 2 * (indices // short % 2) + indices % short % 2


def _even_width(indices, width):
    even = 2 * indices.shape[3]
    return 2 * (indices // even % 2) + indices % even % 2


def _from_the_corner(indices, width):
    rows = torch.arange(indices.shape[2])[:, None] * 2
    columns = torch.arange(indices.shape[3]) * 2
    return indices - (rows * width + columns)


def _one_based(indices, width):
    return window_codes(indices, width) + 1


exercise = Exercise(
    name="window_codes",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "Which row and which column is pixel 12 of a plane whose rows are 4 long? `divmod` knows; "
        "for tensors it is `//` and `%`.",
        "Windows begin at even rows and even columns. So an odd row is the lower one of its "
        "window, and an odd column the right one.",
    ),
    solution=window_codes,
    why=(
        "Where a window lies is known without being kept: it is the place of the number in the "
        "pooled map. What has to be kept is which of four pixels won, two bits. The paper counts "
        "these two; PyTorch keeps the whole index, 64."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "code.mod_four",
            _mod_four,
            "You took the index modulo four. If the width is a multiple of four, that is the "
            "column modulo four; otherwise it means nothing.",
        ),
        Mistake(
            "code.columns_first",
            _columns_first,
            "Upper right and lower left are exchanged: 1 is to the right, 2 is below.",
        ),
        Mistake(
            "code.parity",
            _parity,
            "You took the index's own parity for the column's. With rows of odd length the two "
            "differ in every second row.",
        ),
        Mistake(
            "code.pooled_width",
            _pooled_width,
            "You divided by the width of the pooled map. An index counts in the plane *before* "
            "pooling.",
        ),
        Mistake(
            "unpool.size",
            _even_width,
            "You divided by twice the pooled width. Of a plane with an odd width that is one too "
            "many: with every row of the picture you drift one pixel farther.",
        ),
        Mistake(
            "code.from_corner",
            _from_the_corner,
            "You subtracted the index of the window's corner. In the lower row a whole width is "
            "left then: 0, 1, width, width + 1. Asked for is 0 to 3.",
        ),
        Mistake(
            "code.one_based",
            _one_based,
            "You count the places from 1. With 0 to 3 they fit into two bits.",
        ),
    ),
)
