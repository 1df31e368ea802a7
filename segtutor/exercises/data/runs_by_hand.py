"""The run lengths of a small mask, as COCO writes them."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

MASK = ((1, 0, 1, 0, 0), (1, 1, 1, 0, 0), (0, 1, 1, 0, 1), (0, 0, 0, 0, 1))

STUB = """
runs_by_hand = None  # COCO's counts of the mask, as in [3, 1, 4, …]
"""


def runs_by_hand():
    """Down the columns, and zeros first."""
    return _lengths(torch.tensor(MASK).T.flatten().tolist())


def _lengths(pixels: list[int], first: int = 0) -> list[int]:
    """The lengths of the runs of `first`, of the other value, of `first` again, and so on."""
    lengths, value = [0], first
    for pixel in pixels:
        if pixel != value:
            lengths, value = [*lengths, 0], pixel
        lengths[-1] += 1
    return lengths


def _along_rows():
    return _lengths(torch.tensor(MASK).flatten().tolist())


def _ones_first():
    return _lengths(torch.tensor(MASK).T.flatten().tolist(), first=1)


def _rows_and_ones_first():
    return _lengths(torch.tensor(MASK).flatten().tolist(), first=1)


def _only_ones():
    return runs_by_hand()[1::2]


def _starts(base: int):
    counts = torch.tensor(runs_by_hand())
    ends = counts.cumsum(0)
    return torch.stack([ends[::2] + base, counts[1::2]], 1).flatten().tolist()


def _starts_and_lengths():
    return _starts(1)


def _starts_from_0():
    return _starts(0)


def _upward():
    return _lengths(torch.tensor(MASK).flip(0).T.flatten().tolist())


exercise = Exercise(
    name="runs_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Write the twenty pixels in one line, as COCO reads them: the first column from top to "
        "bottom, then the second column, and so on. The line begins 1 1 0 0 0 1 1 0.",
        "Now count: how many zeros, how many ones, how many zeros … The first number counts "
        "zeros, even if the line begins with a one. All numbers together are twenty.",
    ),
    solution=runs_by_hand,
    why=(
        "A file that always begins with the zeros needs no word about which value comes first; "
        "the price is a 0 where the mask begins at the upper left. And it goes down the columns "
        "because the first tool that wrote it kept its arrays that way. Reading it along the rows "
        "raises no error. It gives a mask of the right size that shows nothing."
    ),
    mistakes=(
        Mistake(
            "runs.along_rows",
            _along_rows,
            "You went along the rows, as one reads. COCO goes down the columns.",
        ),
        Mistake(
            "runs.ones_first",
            _ones_first,
            "The first number counts zeros. This mask begins with a one, so there are none of "
            "them: write that 0. Without it every run changes its meaning.",
        ),
        Mistake(
            "runs.rows_and_ones_first",
            _rows_and_ones_first,
            "Two things: COCO goes down the columns, not along the rows, and its first number "
            "counts zeros, here none.",
        ),
        Mistake(
            "runs.only_ones",
            _only_ones,
            "You counted the runs of ones alone. From these nobody can tell where they stand: the "
            "zeros between them are counted too.",
        ),
        Mistake(
            "runs.starts",
            _starts_and_lengths,
            "You wrote start and length of each run of ones, with pixels counted from 1. That is "
            "another code, known from competitions. COCO writes lengths alone, of zeros and ones "
            "in turn.",
        ),
        Mistake(
            "runs.starts_from_0",
            _starts_from_0,
            "You wrote start and length of each run of ones. COCO writes lengths alone, of zeros "
            "and ones in turn.",
        ),
        Mistake(
            "runs.upward",
            _upward,
            "You went up the columns. The first pixel is the upper left one, and the way is down.",
        ),
    ),
)
