"""How much padding keeps the size?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def same_padding(kernel, dilation=1):
    """The padding that keeps the size: stride 1, an odd kernel."""
    raise NotImplementedError
'''


def same_padding(kernel, dilation=1):
    """Make up for half of what the kernel's reach takes away."""
    return dilation * (kernel - 1) // 2


def cases(generator: torch.Generator) -> list[Case]:
    """Return odd kernels, dense and dilated."""
    designed = [
        Case((1,)),
        Case((3,)),
        Case((5,)),
        Case((3,), {"dilation": 2}),
        Case((5,), {"dilation": 3}),
        Case((7,), {"dilation": 4}),
    ]
    drawn = torch.randint(1, 12, (6, 2), generator=generator).tolist()
    return designed + [Case((2 * half + 1,), {"dilation": d}) for half, d in drawn]


def _dilation_ignored(kernel, dilation=1):
    return (kernel - 1) // 2


def _kernel_times_dilation(kernel, dilation=1):
    return kernel * dilation // 2


def _both_sides(kernel, dilation=1):
    return dilation * (kernel - 1)


def _one_more(kernel, dilation=1):
    return dilation * (kernel - 1) // 2 + 1


def _only_for_three(kernel, dilation=1):
    return dilation


def _true_division(kernel, dilation=1):
    return dilation * (kernel - 1) / 2


def _dilation_added(kernel, dilation=1):
    return (kernel - 1) // 2 + dilation - 1


exercise = Exercise(
    name="same_padding",
    kind="function",
    minutes=5,
    difficulty=2,
    stub=STUB,
    hints=(
        "Without padding, a kernel that reaches over r pixels makes the picture r − 1 pixels "
        "smaller. Padding adds its pixels on both sides. When do the two cancel?",
        "A kernel of k taps has k − 1 gaps between neighbors, each `dilation` wide. So r − 1 is "
        "dilation·(k − 1). Check yourself with a 3×3 kernel: dilation 2 needs padding 2.",
    ),
    solution=same_padding,
    why=(
        "Set the output size equal to n in `n + 2p − d(k − 1) = n`: the padding is half of "
        "`d(k − 1)`. For an odd kernel this is a whole number. For a 3×3 kernel it equals the "
        'dilation, which is where the habit "padding = dilation" comes from.'
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "conv.dilation_pad",
            _dilation_ignored,
            "The dilation has no effect on your answer. A dilated kernel reaches further, so it "
            "needs more padding: with 3×3, dilation 2 and padding 1 every layer loses two rows.",
        ),
        Mistake(
            "conv.dilation_keff",
            _kernel_times_dilation,
            "You took half of `kernel · dilation`. There is no gap after the last tap: count the "
            "pixels from the first tap to the last for 3 taps with dilation 2.",
        ),
        Mistake(
            "pad.both_sides",
            _both_sides,
            "You gave the padding of both sides together. `padding=p` adds p pixels on each side.",
        ),
        Mistake(
            "pad.one_more",
            _one_more,
            "Your padding is one pixel too much, so the picture grows by two. A 1×1 kernel needs "
            "no padding at all; what do you get for it?",
        ),
        Mistake(
            "pad.only_for_three",
            _only_for_three,
            '"Padding equals dilation" is right for kernels of 3, and only for these: your '
            "answer does not depend on the kernel. Try a kernel of 5.",
        ),
        Mistake(
            "pad.true_division",
            _true_division,
            "The value is right and it is a floating-point number, which no layer accepts as its "
            "padding. `//` divides whole numbers into whole numbers.",
        ),
        Mistake(
            "pad.dilation_added",
            _dilation_added,
            "You added the dilation once. It stretches every gap between neighboring taps, and "
            "there are `kernel − 1` of these.",
        ),
    ),
)
