"""Which pixel does an output pixel repeat?"""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def nearest_exact(n, size):
    """The index, 0 to n − 1, that each of `size` output pixels repeats."""
    raise NotImplementedError
'''


def nearest_exact(n, size):
    """Take the pixel in which the center of the output pixel falls."""
    # (i + ½)·n/size, written as a quotient of whole numbers: nothing is rounded.
    return [(2 * i + 1) * n // (2 * size) for i in range(size)]


def cases(generator: torch.Generator) -> list[Case]:
    """Return sizes that grow, shrink and stay; none at which rounding would have to decide."""
    designed = [Case((6, 2)), Case((5, 3)), Case((4, 2)), Case((5, 7)), Case((3, 6)), Case((1, 4))]
    designed += [Case((7, 7)), Case((9, 1)), Case((11, 4))]
    random = []
    while len(random) < 6:
        n, size = torch.randint(2, 40, (2,), generator=generator).tolist()
        on_an_edge = any((2 * i + 1) * n % (2 * size) == 0 for i in range(size))
        if not on_an_edge:
            random.append(Case((n, size)))
    return designed + random


def _upper_left(n, size):
    return [i * n // size for i in range(size)]


def _lower_right(n, size):
    return [-((-(i + 1) * n) // size) - 1 for i in range(size)]


def _rounded(n, size):
    return [min(round(i * n / size), n - 1) for i in range(size)]


def _half_to_even(n, size):
    return [round((i + 0.5) * n / size - 0.5) for i in range(size)]


def _corners(n, size):
    step = (n - 1) / (size - 1) if size > 1 else 0
    return [math.floor(i * step + 0.5) for i in range(size)]


def _upside_down(n, size):
    return [min(math.floor((i + 0.5) * size / n), n - 1) for i in range(size)]


def _places(n, size):
    return [(i + 0.5) * n / size for i in range(size)]


def _half_taken_back(n, size):
    return [max(math.floor((i + 0.5) * n / size - 0.5), 0) for i in range(size)]


exercise = Exercise(
    name="nearest_exact",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Draw six squares in a row, and under them two squares of the same total width. The "
        "center of the first large square: in which small square does it fall? The answer for "
        "(6, 2) is [1, 4].",
        "An output pixel is n/size input pixels wide, so the center of number i lies n/size times "
        "i + ½ from the left end. Pixel 0 reaches from 0 to 1, pixel 1 from 1 to 2: round down.",
    ),
    solution=nearest_exact,
    why=(
        "The center of output pixel i lies (i + ½)·n/size input pixels from the left end, and "
        "pixel m covers what is from m to m + 1. With i instead of i + ½ you have PyTorch's "
        '`mode="nearest"`: the *beginning* of the output pixel, so that a label map that shrinks '
        "threefold moves by a whole pixel."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "up.nearest_shift",
            _upper_left,
            'You took the pixel where the output pixel begins. That is `mode="nearest"`, and it '
            "shifts the picture: of 6 pixels in 2, it keeps 0 and 3, both at the left of what they "
            "stand for. Take the pixel in which the center falls.",
        ),
        Mistake(
            "up.nearest_end",
            _lower_right,
            "You took the pixel where the output pixel ends: of 6 pixels in 2, this keeps 2 and "
            "5. Take the pixel in which the center falls.",
        ),
        Mistake(
            "up.nearest_rounded",
            _rounded,
            "You rounded i·n/size to the nearest whole number. That is the place where the output "
            "pixel begins, and pixels are not posts but squares. Begin with its center, i + ½, "
            "and round down.",
        ),
        Mistake(
            "up.half_to_even",
            _half_to_even,
            "Almost: you took the half pixel back and then rounded, and Python rounds 0.5 to 0, "
            "1.5 to 2. A center that lies between two pixels belongs to the right one: leave the "
            "½ where it is and round down. Try (4, 2), which is [1, 3].",
        ),
        Mistake(
            "up.align_corners",
            _corners,
            "You laid the first and last pixels on each other, as `align_corners=True` does. Here "
            "the outer edges are laid on each other: an output pixel is n/size pixels wide.",
        ),
        Mistake(
            "up.ratio",
            _upside_down,
            "Your ratio stands on its head. When a picture shrinks, an output pixel is wider than "
            "an input pixel: n/size of them.",
        ),
        Mistake(
            "up.not_whole",
            _places,
            "You return the places of the centers. They are right; the index of the pixel that "
            "such a place falls in is the whole number below it.",
        ),
        Mistake(
            "up.half_taken_back",
            _half_taken_back,
            "You took the half pixel back before you rounded down. Bilinear interpolation does, "
            "since it measures from center to center; the pixel in which a place falls is found "
            "from its edges, which are the whole numbers.",
        ),
    ),
)
