"""How large is the output of a transposed convolution?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def transposed_size(n, kernel, stride=1, padding=0, output_padding=0):
    """The number of outputs along one axis of n pixels."""
    raise NotImplementedError
'''


def transposed_size(n, kernel, stride=1, padding=0, output_padding=0):
    """Follow the last stamp to its end; cut both ends; keep the extra."""
    last = (n - 1) * stride  # where the last stamp begins
    return last + kernel - 2 * padding + output_padding


def cases(generator: torch.Generator) -> list[Case]:
    """Return sizes at which every part of the formula matters."""
    designed = [
        Case((4, 3)),
        Case((16, 2), {"stride": 2}),
        Case((16, 3), {"stride": 2, "padding": 1}),
        Case((16, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
        Case((16, 4), {"stride": 2, "padding": 1}),
        Case((5, 2), {"stride": 3}),  # stamps with a gap between them
        Case((7, 5), {"padding": 2}),
        Case((1, 64), {"stride": 32, "padding": 16}),
    ]
    random = []
    for _ in range(6):
        stride, padding = torch.randint(2, 6, (2,), generator=generator).tolist()
        kernel = 2 * padding + int(torch.randint(0, 5, (), generator=generator))
        more = {"stride": stride, "padding": padding}
        more["output_padding"] = int(torch.randint(0, stride, (), generator=generator))
        random.append(Case((int(torch.randint(2, 30, (), generator=generator)), kernel), more))
    return designed + random


def _times_stride(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride


def _one_stamp_more(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride + kernel - 2 * padding + output_padding


def _no_kernel(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 1 - 2 * padding + output_padding


def _padding_once(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - padding + output_padding


def _padding_added(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel + 2 * padding + output_padding


def _padding_ignored(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel + output_padding


def _output_padding_ignored(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding


def _output_padding_twice(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding + 2 * output_padding


def _as_convolution(n, kernel, stride=1, padding=0, output_padding=0):
    return (n + 2 * padding - kernel) // stride + 1


def _stride_ignored(n, kernel, stride=1, padding=0, output_padding=0):
    return n - 1 + kernel - 2 * padding + output_padding


def _output_padding_subtracted(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding - output_padding


def _kernel_forgotten(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride - 2 * padding + output_padding


exercise = Exercise(
    name="transposed_size",
    kind="function",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Forget padding for a moment. Four pixels, stride 2: the stamps begin at 0, 2, 4 and 6. "
        "With a kernel of 3, where does the last one end, and how many pixels is that?",
        "The last of n stamps begins at (n − 1)·stride and ends `kernel` pixels further. `padding` "
        "is then cut off at each end; `output_padding` is kept at the far end, once.",
    ),
    solution=transposed_size,
    why=(
        "n stamps have n − 1 steps between them, and the last stamp is a kernel long. Solved for "
        "n, this is the size formula of convolution; but that one rounds down, so `stride` "
        "different sizes lead to the same n, and `output_padding` says which of them you want "
        "back. It cannot be guessed: 31 and 32 both become 16."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "tconv.size",
            _times_stride,
            "You multiplied by the stride. That holds when the kernel fits it, as 2 with stride "
            "2, or 4 with stride 2 and padding 1; a kernel of 3 with stride 2 and padding 1 makes "
            "31 of 16.",
        ),
        Mistake(
            "tconv.one_stamp_more",
            _one_stamp_more,
            "You are one step too far: n stamps have n − 1 steps between them. A single pixel "
            "leaves a single kernel; try `transposed_size(1, 3, stride=2)`.",
        ),
        Mistake(
            "tconv.last_pixel",
            _no_kernel,
            "You give the index of the last pixel, not the number of pixels: counted from 0 they "
            "differ by one.",
        ),
        Mistake(
            "tconv.padding_once",
            _padding_once,
            "You took the padding away once. It is cut off at both ends of the axis.",
        ),
        Mistake(
            "tconv.padding_adds",
            _padding_added,
            "You added the padding. Where convolution adds a rim to its input, transposed "
            "convolution cuts one off its output.",
        ),
        Mistake(
            "tconv.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your answer. It is cut off at both ends of the axis.",
        ),
        Mistake(
            "tconv.output_padding_ignored",
            _output_padding_ignored,
            "`output_padding` has no effect on your answer. It makes the output that many pixels "
            "longer.",
        ),
        Mistake(
            "tconv.output_padding_twice",
            _output_padding_twice,
            "You counted `output_padding` at both ends. It lengthens the far end only.",
        ),
        Mistake(
            "tconv.as_convolution",
            _as_convolution,
            "This is the size of a convolution. The transposed one goes the other way: 4 pixels "
            "with a kernel of 3 become 6, not 2.",
        ),
        Mistake(
            "tconv.stride_ignored",
            _stride_ignored,
            "The stride has no effect on your answer. It is the step from one stamp to the next.",
        ),
        Mistake(
            "tconv.output_padding_subtracted",
            _output_padding_subtracted,
            "You took `output_padding` away. It leaves more of the rim: the output grows by it.",
        ),
        Mistake(
            "tconv.kernel_forgotten",
            _kernel_forgotten,
            "The kernel has no effect on your answer. The last stamp begins at (n − 1)·stride and "
            "is a whole kernel long.",
        ),
    ),
)
