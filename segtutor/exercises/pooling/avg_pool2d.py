"""Average pooling that leaves the padding out of the mean."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def avg_pool2d(x, kernel, stride, padding=0):
    """x (N, C, H, W) -> the mean of the *real* pixels under each window.

    Padding fills the window, but counts neither above nor below the line.
    """
    raise NotImplementedError
'''


def avg_pool2d(x, kernel, stride, padding=0):
    """Divide the sum under each window by the number of real pixels under it."""

    def total(map_):
        map_ = F.pad(map_, (padding,) * 4)
        windows = map_.unfold(2, kernel, stride).unfold(3, kernel, stride)
        return windows.sum((4, 5))

    return total(x) / total(torch.ones_like(x))


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps with zeros of their own, odd sides, overlapping windows and padding."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-5, 6, shape, generator=generator).float()

    white = torch.ones(1, 1, 3, 4)
    holes = torch.tensor([[0.0, 6.0, 0.0, 3.0], [2.0, 0.0, 0.0, 1.0], [0.0, 0.0, 4.0, 8.0]])
    return [
        Case((holes[None, None] + 1, 2, 1)),
        Case((white, 3, 1), {"padding": 1}),
        Case((holes[None, None], 3, 1), {"padding": 1}),
        Case((draw(1, 3, 4, 6), 2, 2)),
        Case((draw(2, 3, 7, 5), 3, 2), {"padding": 1}),
        Case((draw(2, 3, 6, 9), 4, 3), {"padding": 2}),
        Case((torch.randn(3, 2, 8, 7, generator=generator), 2, 3), {"padding": 1}),
    ]


def _divisor(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, stride, padding)


def _sum(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, stride, padding, divisor_override=1)


def _max(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, stride, padding)


def _nonzero(x, kernel, stride, padding=0):
    count = F.avg_pool2d((x != 0).float(), kernel, stride, padding, divisor_override=1)
    return _sum(x, kernel, stride, padding) / count.clamp(min=1)


def _by_kernel(x, kernel, stride, padding=0):
    return _sum(x, kernel, stride, padding) / kernel


def _padding_ignored(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, stride)


def _replicated(x, kernel, stride, padding=0):
    return F.avg_pool2d(F.pad(x, (padding,) * 4, mode="replicate"), kernel, stride)


def _stride_ignored(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, 1, padding, count_include_pad=False)


def _stride_is_kernel(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, kernel, padding, count_include_pad=False)


exercise = Exercise(
    name="avg_pool2d",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "The sum is easy: zeros in the frame do not change it. The question is what to divide by: "
        "under a window in a corner lie fewer real pixels than under one in the middle.",
        "How would you count the real pixels under every window with a function that adds up "
        "windows? Give it a map on which each real pixel is worth 1.",
    ),
    solution=avg_pool2d,
    why=(
        "A picture of ones, padded with zeros and summed by the same windows, is a count of the "
        "real pixels: the divisor costs no thought about borders. Where there is no padding it is "
        "k² everywhere. PyTorch calls this `count_include_pad=False`; its default is True, which "
        "divides by k² and leaves a dark frame."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pool.avg_divisor",
            _divisor,
            "You divided by k² everywhere, padding included. A white picture then comes back with "
            "a dark frame, 4/9 in the corners. Divide by the number of real pixels.",
        ),
        Mistake(
            "pool.sum",
            _sum,
            "You added up the window and did not divide.",
        ),
        Mistake(
            "pool.max",
            _max,
            "You took the largest number of each window. That is max pooling.",
        ),
        Mistake(
            "pool.avg_nonzero",
            _nonzero,
            "You divided by the number of pixels that are not 0. A pixel may be 0 and real: count "
            "pixels inside the picture, whatever their value.",
        ),
        Mistake(
            "pool.avg_by_k",
            _by_kernel,
            "You divided by k. A square window of k by k has k² pixels.",
        ),
        Mistake(
            "pool.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your result. It makes room for more windows, even though "
            "its pixels do not count.",
        ),
        Mistake(
            "pool.avg_replicate",
            _replicated,
            "You repeated the border into the padding. Then a border pixel counts two or more "
            "times; here every real pixel of a window counts once.",
        ),
        Mistake(
            "pool.stride_ignored",
            _stride_ignored,
            "The stride has no effect on your result. With stride 2 the window visits every second "
            "row and column only.",
        ),
        Mistake(
            "pool.stride_is_kernel",
            _stride_is_kernel,
            "You moved the window on by its own size. The stride is an argument of its own: where "
            "it is smaller than the window, neighbors overlap.",
        ),
    ),
)
