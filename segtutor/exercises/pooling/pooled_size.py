"""How many windows are there, when one may hang over the end?"""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def pooled_size(n, kernel, stride, padding=0, ceil_mode=False):
    """The number of pooling windows along one axis of n pixels."""
    raise NotImplementedError
'''


def pooled_size(n, kernel, stride, padding=0, ceil_mode=False):
    """Round as asked; drop a last window that would start behind the input."""
    steps = (n + 2 * padding - kernel) / stride
    size = (math.ceil(steps) if ceil_mode else math.floor(steps)) + 1
    if ceil_mode and (size - 1) * stride >= n + padding:
        size -= 1
    return size


def cases(generator: torch.Generator) -> list[Case]:
    """Return sizes at which rounding, padding and the last start matter, one by one."""
    designed = [
        Case((6, 2, 2)),
        Case((5, 2, 2)),
        Case((5, 2, 2), {"ceil_mode": True}),
        Case((6, 3, 3), {"ceil_mode": True}),  # fits exactly: nothing to round
        Case((5, 3, 2), {"ceil_mode": True}),  # likewise, with windows that overlap
        Case((3, 2, 2), {"padding": 1, "ceil_mode": True}),  # would start behind the input
        Case((6, 2, 3), {"ceil_mode": True}),  # likewise, without padding
        Case((7, 3, 2), {"padding": 1}),
        Case((8, 3, 2), {"padding": 1, "ceil_mode": True}),
        Case((9, 4, 3), {"padding": 2, "ceil_mode": True}),
        Case((10, 4, 3), {"padding": 2, "ceil_mode": True}),  # starts in the last pixel but one
    ]
    random = []
    for _ in range(10):
        kernel, stride = torch.randint(2, 6, (2,), generator=generator).tolist()
        padding = int(torch.randint(0, kernel // 2 + 1, (), generator=generator))
        n = kernel + int(torch.randint(0, 30, (), generator=generator))
        random.append(Case((n, kernel, stride), {"padding": padding, "ceil_mode": True}))
    return designed + random


def _always_down(n, kernel, stride, padding=0, ceil_mode=False):
    return (n + 2 * padding - kernel) // stride + 1


def _any_start(n, kernel, stride, padding=0, ceil_mode=False):
    steps = (n + 2 * padding - kernel) / stride
    return (math.ceil(steps) if ceil_mode else math.floor(steps)) + 1


def _start_in_padding(n, kernel, stride, padding=0, ceil_mode=False):
    size = _any_start(n, kernel, stride, padding, ceil_mode)
    return size - 1 if ceil_mode and (size - 1) * stride >= n + 2 * padding else size


def _start_before_padding(n, kernel, stride, padding=0, ceil_mode=False):
    size = _any_start(n, kernel, stride, padding, ceil_mode)
    return size - 1 if ceil_mode and (size - 1) * stride >= n else size


def _always_one_more(n, kernel, stride, padding=0, ceil_mode=False):
    size = (n + 2 * padding - kernel) // stride + 1 + int(ceil_mode)
    return size - 1 if ceil_mode and (size - 1) * stride >= n + padding else size


def _padding_once(n, kernel, stride, padding=0, ceil_mode=False):
    steps = (n + padding - kernel) / stride
    size = (math.ceil(steps) if ceil_mode else math.floor(steps)) + 1
    return size - 1 if ceil_mode and (size - 1) * stride >= n + padding else size


def _padding_ignored(n, kernel, stride, padding=0, ceil_mode=False):
    return pooled_size(n, kernel, stride, 0, ceil_mode)


def _steps(n, kernel, stride, padding=0, ceil_mode=False):
    return pooled_size(n, kernel, stride, padding, ceil_mode) - 1


exercise = Exercise(
    name="pooled_size",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Without `ceil_mode` it is the formula of a convolution. With it, the quotient is rounded "
        "up. Then look at the last window only: where does it start?",
        "Count positions from the first pixel of the padding: window number i starts at i·stride, "
        "the input covers the positions from padding to padding + n − 1. A window that starts "
        "behind the input sees no pixel of it.",
    ),
    solution=pooled_size,
    why=(
        "Rounding up allows a last window that hangs over the end. It is worth having only if it "
        "sees the input: with n = 3, padding 1 and windows of 2 with stride 2, a third window "
        "would start at position 4, on the padding behind the last pixel, and its maximum would be "
        "−∞. PyTorch therefore drops a window that starts at n + padding or later."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pool.ceil_ignored",
            _always_down,
            "`ceil_mode` has no effect on your answer. With it, a window may hang over the end: "
            "windows of 2 with stride 2 on 5 pixels are 3, not 2.",
        ),
        Mistake(
            "pool.ceil",
            _any_start,
            "You rounded up, and nothing else. The last window has to start inside the input or "
            "the padding before it, otherwise it would see padding alone: try n = 3 with a window "
            "of 2, stride 2 and padding 1.",
        ),
        Mistake(
            "pool.ceil_far_padding",
            _start_in_padding,
            "You let the last window start in the padding behind the input. All that it would see "
            "is −∞; the start has to lie before position n + padding.",
        ),
        Mistake(
            "pool.ceil_near_padding",
            _start_before_padding,
            "You compared the last start with n. Starts are counted from the first pixel of the "
            "padding, and so the input ends at n + padding.",
        ),
        Mistake(
            "pool.ceil_always_more",
            _always_one_more,
            "You always add a window with `ceil_mode`. Where the windows fit without a rest there "
            "is nothing to round: windows of 3 with stride 2 on 5 pixels are 2.",
        ),
        Mistake(
            "conv.padding_once",
            _padding_once,
            "You counted the padding once. It is added on both sides of the axis.",
        ),
        Mistake(
            "conv.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your answer. It is added on both sides before the window "
            "begins to slide.",
        ),
        Mistake(
            "conv.size",
            _steps,
            "You counted the steps, not the places: the `+ 1` is missing.",
        ),
    ),
)
