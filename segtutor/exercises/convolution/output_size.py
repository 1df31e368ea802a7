"""How large is the output of a convolution?"""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    """The number of outputs along one axis of n pixels."""
    raise NotImplementedError
'''


def output_size(n, kernel, stride=1, padding=0, dilation=1):
    """Count the places where the kernel fits."""
    reach = dilation * (kernel - 1) + 1  # from its first tap to its last
    return (n + 2 * padding - reach) // stride + 1


def cases(generator: torch.Generator) -> list[Case]:
    """Return sizes at which every part of the formula matters."""
    designed = [
        Case((5, 3)),
        Case((5, 2), {"stride": 2}),  # a remainder: the last column is left out
        Case((6, 3), {"stride": 2}),
        Case((5, 3), {"padding": 1}),
        Case((9, 3), {"dilation": 2}),
        Case((32, 3), {"padding": 1}),
        Case((33, 4), {"stride": 3, "padding": 2, "dilation": 2}),
    ]
    random = []
    for _ in range(8):
        stride, padding, dilation, kernel = torch.randint(1, 5, (4,), generator=generator).tolist()
        n = dilation * kernel + int(torch.randint(0, 40, (), generator=generator))
        more = {"stride": stride, "padding": padding, "dilation": dilation}
        random.append(Case((n, kernel + 1), more))
    return designed + random


def _without_one(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride


def _one_too_early(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - dilation * (kernel - 1)) // stride


def _padding_once(n, kernel, stride=1, padding=0, dilation=1):
    return (n + padding - dilation * (kernel - 1) - 1) // stride + 1


def _padding_ignored(n, kernel, stride=1, padding=0, dilation=1):
    return (n - dilation * (kernel - 1) - 1) // stride + 1


def _rounded_up(n, kernel, stride=1, padding=0, dilation=1):
    return math.ceil((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1


def _true_division(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


def _stride_ignored(n, kernel, stride=1, padding=0, dilation=1):
    return n + 2 * padding - dilation * (kernel - 1)


def _dilation_ignored(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - kernel) // stride + 1


def _kernel_times_dilation(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - kernel * dilation) // stride + 1


exercise = Exercise(
    name="output_size",
    kind="function",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Forget stride for a moment. A kernel that reaches over 3 pixels, on a row of 5: write "
        "down every pixel on which its left end may stand, and count.",
        "The last start is (padded size − reach), the first is 0, so without stride there are "
        "(padded size − reach + 1) starts. With stride only every stride-th of them is used: how "
        "many multiples of the stride lie between 0 and the last start, 0 included?",
    ),
    solution=output_size,
    why=(
        "Starts run from 0 to `n + 2·padding − reach`. Of these, 0, stride, 2·stride, … are used: "
        "the whole-number quotient counts the steps, and the `+ 1` counts the start at 0. A "
        "dilated kernel has gaps between its taps and none after the last one, so it reaches "
        "over `dilation·(kernel − 1) + 1` pixels, not `dilation·kernel`."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "conv.size",
            _without_one,
            "You counted the steps, not the places: the `+ 1` is missing. A kernel as large as the "
            "picture fits in one place and makes no step; try `output_size(3, 3)`.",
        ),
        Mistake(
            "conv.size_inside",
            _one_too_early,
            "Your answer is right as long as the stride is 1. The `+ 1` belongs behind the "
            "division: it stands for the first place, which no stride can skip. Try a kernel of 3 "
            "on a row of 3 with stride 2.",
        ),
        Mistake(
            "conv.padding_once",
            _padding_once,
            "You counted the padding once. It is added on both sides of the axis: with padding 1 a "
            "row of 5 pixels becomes a row of 7.",
        ),
        Mistake(
            "conv.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your answer. It is added on both sides before the kernel "
            "begins to slide.",
        ),
        Mistake(
            "conv.stride_floor",
            _rounded_up,
            "You rounded up. A step that would carry the kernel over the border is not made, so "
            "the pixels that are left over at the end are never seen: a row of 5, a kernel of 2 "
            "and a stride of 2 give 2 outputs.",
        ),
        Mistake(
            "conv.true_division",
            _true_division,
            "You divided with `/`, which gives floating-point numbers and, where the stride leaves "
            "a remainder, fractions of a pixel. `//` counts whole steps.",
        ),
        Mistake(
            "conv.stride_ignored",
            _stride_ignored,
            "The stride has no effect on your answer. With stride 2 the kernel visits every second "
            "place only: of the 3 places on a row of 5 it visits the first and the last.",
        ),
        Mistake(
            "conv.dilation_ignored",
            _dilation_ignored,
            "The dilation has no effect on your answer. It pulls the taps of the kernel apart, so "
            "that the kernel reaches over more pixels: draw three taps with dilation 2.",
        ),
        Mistake(
            "conv.dilation_keff",
            _kernel_times_dilation,
            "You took a dilated kernel to reach over `kernel · dilation` pixels. There are gaps "
            "between the taps, but none after the last tap: draw three taps with dilation 2 and "
            "count from the first to the last.",
        ),
    ),
)
