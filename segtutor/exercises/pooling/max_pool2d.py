"""Write the max pooling that PyTorch calls `max_pool2d`."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def max_pool2d(x, kernel, stride, padding=0):
    """x (N, C, H, W) -> the largest number under each square window."""
    raise NotImplementedError
'''


def max_pool2d(x, kernel, stride, padding=0):
    """Compare the input with itself, shifted once for each pixel of the window."""
    x = F.pad(x, (padding,) * 4, value=-torch.inf)
    height = (x.shape[2] - kernel) // stride + 1
    width = (x.shape[3] - kernel) // stride + 1
    out = torch.full((*x.shape[:2], height, width), -torch.inf)
    for i in range(kernel):
        for j in range(kernel):
            # What lies under pixel (i, j) of the window while it visits all its places.
            rows = slice(i, i + stride * (height - 1) + 1, stride)
            columns = slice(j, j + stride * (width - 1) + 1, stride)
            out = torch.maximum(out, x[:, :, rows, columns])
    return out


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps on which every mistake shows: negative, odd, overlapping, no two axes alike."""

    def draw(*shape: int) -> torch.Tensor:
        return -1.0 - torch.rand(shape, generator=generator)

    ramp = torch.arange(20.0).reshape(1, 1, 4, 5) % 7
    return [
        Case((ramp, 2, 2)),
        Case((ramp - 3, 3, 1)),
        Case((draw(1, 1, 3, 4), 3, 2), {"padding": 1}),  # all below 0: a zero would win
        Case((draw(1, 3, 4, 6), 2, 2)),
        Case((draw(2, 3, 7, 5), 3, 2)),
        Case((draw(2, 3, 6, 9), 4, 3), {"padding": 2}),
        Case((draw(3, 2, 8, 7) + 2, 2, 3), {"padding": 1}),
        Case((torch.randn(2, 3, 5, 8, generator=generator), 3, 1), {"padding": 1}),
    ]


def _zero_pad(x, kernel, stride, padding=0):
    return F.max_pool2d(F.pad(x, (padding,) * 4), kernel, stride)


def _mean(x, kernel, stride, padding=0):
    return F.avg_pool2d(x, kernel, stride, padding)


def _smallest(x, kernel, stride, padding=0):
    return -F.max_pool2d(-x, kernel, stride, padding)


def _stride_ignored(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, 1, padding)


def _stride_is_kernel(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, kernel, padding)


def _padding_ignored(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, stride)


def _padding_one_side(x, kernel, stride, padding=0):
    x = F.pad(x, (padding, 0, padding, 0), value=-torch.inf)
    return F.max_pool2d(x, kernel, stride)


def _last_place_missing(x, kernel, stride, padding=0):
    return max_pool2d(x, kernel, stride, padding)[:, :, :-1, :-1]


def _over_channels(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, stride, padding).amax(1, keepdim=True)


def _ceil(x, kernel, stride, padding=0):
    return F.max_pool2d(x, kernel, stride, padding, ceil_mode=True)


exercise = Exercise(
    name="max_pool2d",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin without padding: two loops over the places of the window and "
        "`x[:, :, r:r + k, c:c + k].amax((2, 3))` in them, for all pictures and channels at once. "
        "Which number could you put into a frame that never wins a comparison?",
        "`F.pad(x, (p, p, p, p), value=…)` makes the frame; the number is −∞, "
        "`float('-inf')`. Then the padded picture has H + 2p rows, and the window of output "
        "(r, c) begins at row r·stride, column c·stride.",
    ),
    solution=max_pool2d,
    why=(
        "The loop goes over the pixels of the window, not over the places: in each round, all "
        "places look at one of their pixels at once and keep the larger number. Whatever is "
        "smaller than every real number may stand in the frame, and only −∞ is."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pool.zero_pad",
            _zero_pad,
            "You padded with 0. On a map that is negative everywhere, the zeros of the frame win, "
            "and the border of your result lights up. Max pooling pads with −∞.",
        ),
        Mistake(
            "pool.mean",
            _mean,
            "You took the mean of each window. That is average pooling.",
        ),
        Mistake(
            "pool.min",
            _smallest,
            "You kept the smallest number of each window. Try a single 1 among zeros.",
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
        Mistake(
            "pool.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your result. Put a frame of −∞, `padding` pixels wide, "
            "around the map before the window slides.",
        ),
        Mistake(
            "pool.padding_one_side",
            _padding_one_side,
            "You padded only above and on the left. The frame goes all around.",
        ),
        Mistake(
            "pool.size",
            _last_place_missing,
            "The last row and the last column of your result are missing: the number of places is "
            "the number of steps, plus 1.",
        ),
        Mistake(
            "pool.channels",
            _over_channels,
            "You took the largest number over the channels too. Every channel is pooled by itself, "
            "and as many come out as went in.",
        ),
        Mistake(
            "pool.ceil",
            _ceil,
            "You let a last window hang over the end. Without `ceil_mode` a window that does not "
            "fit is dropped.",
        ),
    ),
)
