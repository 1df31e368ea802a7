"""The largest of each window, with a pencil."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Exercise, Mistake

# Overlapping windows of 3 with stride 2. The largest numbers are mostly negative: whoever fills a
# frame with zeros, or drops signs, gets other answers. Each slip below gives other numbers.
PATCH = (
    (-3, -8, -2, -6, 9),
    (-7, -1, -8, -5, -8),
    (-6, -4, -8, -7, -3),
    (2, -9, -6, -5, -9),
    (-5, -8, -7, -2, -6),
)

STUB = """
pool_by_hand = None  # your rows, as in [[1, 2], [3, 4]]
"""


def pool_by_hand():
    """Two windows down, two across; the window moves on by two."""
    result = []
    for top in (0, 2):
        row = []
        for left in (0, 2):
            window = [PATCH[top + i][left + j] for i in range(3) for j in range(3)]
            row.append(max(window))
        result.append(row)
    return result


def _patch() -> torch.Tensor:
    return torch.tensor(PATCH, dtype=torch.float64)[None, None]


def _mean():
    return F.avg_pool2d(_patch(), 3, 2)[0, 0]


def _smallest():
    return -F.max_pool2d(-_patch(), 3, 2)[0, 0]


def _largest_size():
    windows = _patch()[0, 0].unfold(0, 3, 2).unfold(1, 3, 2).reshape(2, 2, 9)
    return windows.gather(2, windows.abs().argmax(2, keepdim=True))[..., 0]


def _absolute():
    return F.max_pool2d(_patch().abs(), 3, 2)[0, 0]


def _stride_one():
    return F.max_pool2d(_patch(), 3, 1)[0, 0]


def _small_window():
    return F.max_pool2d(_patch(), 2, 2)[0, 0]


def _zero_frame():
    return F.max_pool2d(F.pad(_patch(), (1, 1, 1, 1)), 3, 2)[0, 0]


def _clipped():
    return F.max_pool2d(_patch(), 3, 2)[0, 0].clamp(min=0)


def _by_columns():
    return F.max_pool2d(_patch(), 3, 2)[0, 0].T


exercise = Exercise(
    name="pool_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "The first window covers rows 0 to 2 and columns 0 to 2. Which of its nine numbers is the "
        "largest? Among negative numbers, that is the one nearest to 0.",
        "The largest of the first window is −1. The second window begins two columns further to "
        "the right and shares a column with the first. There are two windows across and two down.",
    ),
    solution=pool_by_hand,
    why=(
        "A window of 3 with stride 2 begins in rows 0 and 2 and in columns 0 and 2, so there are "
        "four windows, and neighbors share a row or a column. The largest of negative numbers is "
        "negative: a map on which nothing was found stays without a find."
    ),
    mistakes=(
        Mistake(
            "pool.mean",
            _mean,
            "You took the mean of each window. That is average pooling; max pooling keeps one of "
            "the nine numbers and forgets the others.",
        ),
        Mistake(
            "pool.min",
            _smallest,
            "You took the smallest number of each window. Of −1 and −8, the larger one is −1.",
        ),
        Mistake(
            "pool.largest_size",
            _largest_size,
            "You took the number farthest from 0, whatever its sign. Of −1 and −8, the larger one "
            "is −1.",
        ),
        Mistake(
            "pool.absolute",
            _absolute,
            "You dropped the minus signs before you compared. Max pooling compares the numbers as "
            "they are: −1 is larger than −8.",
        ),
        Mistake(
            "pool.stride_ignored",
            _stride_one,
            "You moved the window on by one pixel. With stride 2 it moves on by two, and there are "
            "two windows across and two down.",
        ),
        Mistake(
            "pool.window_is_stride",
            _small_window,
            "Your windows are 2 pixels wide, as wide as a step. The window has 3 × 3 pixels and "
            "moves on by 2, so that neighbors overlap.",
        ),
        Mistake(
            "pool.zero_pad",
            _zero_frame,
            "You put a frame of zeros around the patch. There is no padding here; and where there "
            "is, max pooling pads with −∞: a zero would win over every negative number.",
        ),
        Mistake(
            "pool.clipped",
            _clipped,
            "You wrote 0 where the largest number is negative. That would be a ReLU behind the "
            "pooling. Keep the negative numbers.",
        ),
        Mistake(
            "pool.by_columns",
            _by_columns,
            "The numbers are right, but stand in the wrong places: you wrote columns as rows. The "
            "second number of the first row belongs to the window two pixels to the *right*.",
        ),
    ),
)
