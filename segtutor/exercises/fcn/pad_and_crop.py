"""The arithmetic of FCN-32s: sizes, and where the cut begins."""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def pad_and_crop(height, padding):
    """Rows of a picture, padding of conv1_1 -> three whole numbers.

    The rows of the score map, the rows after enlarging (kernel 64,
    stride 32), and the row of these where the picture begins.
    """
    raise NotImplementedError
'''


def _numbers(padded: int, padding: int, up: bool = True, less: int = 6) -> list[int]:
    pooled = math.ceil(padded / 32) if up else padded // 32
    return [pooled - less, 32 * (pooled - less + 1), padding - 81]


def pad_and_crop(height, padding):
    """conv1_1 takes 2 rows and gets 2p; fc6 takes 6; the middles of cell 0 differ by p − 81."""
    return _numbers(height + 2 * (padding - 1), padding)


def cases(generator: torch.Generator) -> list[Case]:
    """Return heights around the steps of the ceiling, and paddings other than 100."""
    designed = [(375, 100), (500, 100), (33, 100), (26, 100), (27, 100), (91, 100), (90, 100),
                (220, 81), (224, 97), (58, 116), (59, 116), (154, 100), (186, 100)]  # fmt: skip
    random = [
        (
            int(torch.randint(200, 900, (), generator=generator)),
            int(torch.randint(82, 130, (), generator=generator)),
        )
        for _ in range(5)
    ]
    return [Case(pair) for pair in designed + random]


def _floor(height, padding):
    return _numbers(height + 2 * (padding - 1), padding, up=False)


def _convolution_keeps(height, padding):
    return _numbers(height + 2 * padding, padding)


def _one_side(height, padding):
    return _numbers(height + padding - 1, padding)


def _seven(height, padding):
    return _numbers(height + 2 * (padding - 1), padding, less=7)


def _times_32(height, padding):
    rows, _, crop = pad_and_crop(height, padding)
    return [rows, 32 * rows, crop]


def _middle(height, padding):
    rows, enlarged, _ = pad_and_crop(height, padding)
    return [rows, enlarged, (enlarged - height) // 2]


def _whole_padding(height, padding):
    return [*pad_and_crop(height, padding)[:2], padding]


def _always_19(height, padding):
    return [*pad_and_crop(height, padding)[:2], 19]


def _padding_unshifted(height, padding):
    return [*pad_and_crop(height, padding)[:2], padding - 80]


exercise = Exercise(
    name="pad_and_crop",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "Three steps. A 3 × 3 convolution with padding p makes H + 2p − 2 rows of H. Five poolings "
        "that round up: `math.ceil(… / 32)`, at once. A window of 7 takes 6 rows.",
        "For the cut, ask which row of the picture cell 0 stands for: the middle of rows 96 to 127 "
        "of the padded picture, less the p − 1 rows by which the padding has moved it. And where "
        "does it stand after enlarging? In the middle of rows 0 to 63.",
    ),
    solution=pad_and_crop,
    why=(
        "Sizes alone do not say where a cut begins; middles do. Cell 0 shows row 111.5 − (p − 1) "
        "of the picture and stands at row 31.5 when it is enlarged. The difference, p − 81, does "
        "not depend on the picture's height, while the rows that are left over at the bottom do. "
        "That is why a cut from the middle is wrong for almost all sizes."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "fcn.floor",
            _floor,
            "Your poolings round down. The published network's round up, as Caffe does: 573 rows "
            "become 18, not 17.",
        ),
        Mistake(
            "fcn.kernel_forgotten",
            _convolution_keeps,
            "You added the padding on both sides and forgot that a 3 × 3 kernel takes two rows "
            "away: H + 2p − 2.",
        ),
        Mistake(
            "fcn.one_side",
            _one_side,
            "You padded one side. The padding comes above and below.",
        ),
        Mistake(
            "fcn.seven_less",
            _seven,
            "You took 7 rows away for fc6. A window of 7 rows fits into n rows at n − 6 places.",
        ),
        Mistake(
            "tconv.size",
            _times_32,
            "You multiplied the score rows by 32. The stamps are 64 long: 32 · (h − 1) + 64.",
        ),
        Mistake(
            "fcn.center_crop",
            _middle,
            "You cut from the middle. What is left over is not the same above and below: the "
            "place where the picture begins follows from the middles of the cells, and does not "
            "depend on the height.",
        ),
        Mistake(
            "fcn.crop_is_padding",
            _whole_padding,
            "You cut off as much as was padded. fc6 has already eaten most of it: its windows "
            "take three cells of 32 rows above the first one that it stands for.",
        ),
        Mistake(
            "fcn.always_19",
            _always_19,
            "Your cut begins at 19 for any padding. 19 belongs to 100; with more padding the "
            "picture begins further down.",
        ),
        Mistake(
            "fcn.off_by_one",
            _padding_unshifted,
            "Your cut is one row too late. A 3 × 3 convolution that pads by 1 moves nothing, so a "
            "padding of p moves by p − 1.",
        ),
    ),
)
