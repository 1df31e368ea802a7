"""Nine numbers with a pencil: what a kernel does to a patch with an edge in it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Exercise, Mistake

# No flip, turn or change of sign brings this kernel onto itself, so that each slip of the hand
# gives other numbers. It compares the pixel on the right with those on the left and below.
PATCH = (
    (9, 3, 1, 2, 7),
    (8, 1, 2, 6, 8),
    (7, 2, 5, 8, 8),
    (5, 4, 7, 8, 9),
    (3, 7, 8, 8, 9),
)
KERNEL = (
    (0, 0, 0),
    (-1, 0, 2),
    (0, -1, 0),
)

STUB = """
edge_by_hand = None  # your rows, as in [[1, 2, 3], [4, 5, 6], …]
"""


def edge_by_hand():
    """Lay the kernel on every place where it fits; multiply, add, move on."""
    result = []
    for top in range(3):
        row = []
        for left in range(3):
            total = 0
            for i in range(3):
                for j in range(3):
                    total += PATCH[top + i][left + j] * KERNEL[i][j]
            row.append(total)
        result.append(row)
    return result


def _slid(kernel: torch.Tensor, padding: int = 0) -> torch.Tensor:
    patch = torch.tensor(PATCH, dtype=torch.float64)
    return F.conv2d(patch[None, None], kernel.double()[None, None], padding=padding)[0, 0]


_KERNEL = torch.tensor(KERNEL)


def _flipped():
    return _slid(_KERNEL.flip(0, 1))


def _kernel_transposed():
    return _slid(_KERNEL.T)


def _padded():
    return _slid(_KERNEL, padding=1)


def _sign():
    return -_slid(_KERNEL)


def _mean():
    return _slid(_KERNEL) / 9


def _clipped():
    return _slid(_KERNEL).clamp(min=0)


def _absolute():
    return _slid(_KERNEL).abs()


def _by_columns():
    return _slid(_KERNEL).T


def _largest_product():
    windows = torch.tensor(PATCH).unfold(0, 3, 1).unfold(1, 3, 1)  # (3, 3, 3, 3)
    return (windows * _KERNEL).amax((2, 3))


exercise = Exercise(
    name="edge_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Lay the kernel on the upper left corner of the patch, so that its nine cells cover nine "
        "pixels. Only three of the cells are not 0: multiply each of these with the pixel under "
        "it, and add the three products. That is the first number.",
        "The first number is (−1)·8 + 2·2 + (−1)·2 = −6. Now move the kernel one pixel to the "
        "right, as it stands, for the second. There are three places in a row, and three rows.",
    ),
    solution=edge_by_hand,
    why=(
        "The kernel has three places in each direction, because 5 − 3 + 1 = 3. It answers the "
        'question "is it brighter on the right than, on average, on the left and below?": the '
        "answers are large where the patch turns from dark to bright, negative where it turns from "
        "bright to dark, and small where it is even."
    ),
    mistakes=(
        Mistake(
            "conv.flip",
            _flipped,
            "You flipped the kernel: you turned it upside down and left to right before you laid "
            "it on the patch. That is convolution as mathematicians define it. Here, and in "
            "PyTorch's `conv2d`, the kernel slides as it stands. Lay it down once more with its 2 "
            "on the right.",
        ),
        Mistake(
            "conv.transpose",
            _kernel_transposed,
            "You exchanged the rows and the columns of the kernel. Its 2 stands in the middle row, "
            "on the right; where did yours stand?",
        ),
        Mistake(
            "edge.padded",
            _padded,
            "You let the kernel hang over the border and took the missing pixels as 0. This is "
            "called padding. Here the whole kernel has to lie on the "
            "patch: in how many places can it?",
        ),
        Mistake(
            "edge.sign",
            _sign,
            "All your signs are the other way round. Keep the signs of the kernel: what lies "
            "under the 2 is added twice, what lies under a −1 is taken away.",
        ),
        Mistake(
            "edge.mean",
            _mean,
            "You divided by 9. The weights say already how much each pixel counts: the result is "
            "the sum of the products, not their mean.",
        ),
        Mistake(
            "edge.clipped",
            _clipped,
            "You wrote 0 where the sum is negative. Negative sums are answers too: they say that "
            "it grows darker to the right. Keep them.",
        ),
        Mistake(
            "edge.absolute",
            _absolute,
            "You dropped the minus signs of your sums. The sign tells on which side the bright "
            "pixels are. Keep it.",
        ),
        Mistake(
            "edge.by_columns",
            _by_columns,
            "The numbers are right, but stand in the wrong places: you wrote columns as rows. The "
            "second number of the first row belongs to the kernel one pixel to the *right*.",
        ),
        Mistake(
            "edge.largest_product",
            _largest_product,
            "You kept the largest of the products. Add all of them, also the negative ones.",
        ),
    ),
)
