"""Flip a label map, then shift it, with a pencil."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

VOID = 255
# No two columns and no two rows are alike, and class 0 is in the column that is pushed out.
LABELS = (
    (0, 0, 1, 1),
    (0, 3, 1, 4),
    (2, 2, 2, 4),
    (2, 3, 2, 2),
)

STUB = """
turned_by_hand = None  # your rows, as in [[1, 2, 3, 4], [5, …], …]
"""


def turned_by_hand():
    """Each row backwards; then one place to the right, and void comes in on the left."""
    return [[VOID, *row[::-1][:-1]] for row in LABELS]


def _flipped() -> torch.Tensor:
    return torch.tensor(LABELS).flip(1)


def _shifted(labels: torch.Tensor, fill: int = VOID) -> torch.Tensor:
    return torch.cat([torch.full((4, 1), fill), labels[:, :-1]], dim=1)


def _shifted_first():
    return _shifted(torch.tensor(LABELS)).flip(1)


def _filled_with_zero():
    return _shifted(_flipped(), fill=0)


def _wrapped():
    return _flipped().roll(1, dims=1)


def _repeated():
    return torch.cat([_flipped()[:, :1], _flipped()[:, :-1]], dim=1)


def _not_flipped():
    return _shifted(torch.tensor(LABELS))


def _upside_down():
    return _shifted(torch.tensor(LABELS).flip(0))


def _only_flipped():
    return _flipped()


def _shifted_down():
    return torch.cat([torch.full((1, 4), VOID), _flipped()[:-1]])


exercise = Exercise(
    name="turned_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "A flip of left and right writes each row backwards. The first row, 0 0 1 1, becomes "
        "1 1 0 0.",
        "A shift to the right by one pixel: each pixel takes the label of the one to its left. The "
        "leftmost has none, so what it shows came from outside the picture, and the last label of "
        "the row is lost.",
    ),
    solution=turned_by_hand,
    why=(
        "The first column shows what nobody labeled: void, 255. The order matters: a flip and then "
        "a shift to the right is a shift to the *left* and then a flip. Picture and label map stay "
        "together only if both go through the same steps in the same order."
    ),
    mistakes=(
        Mistake(
            "aug.order",
            _shifted_first,
            "Your void is on the right. Either you shifted to the left, or you shifted first and "
            "flipped then, which comes to the same. Flip first, then push to the right.",
        ),
        Mistake(
            "aug.fill_zero",
            _filled_with_zero,
            "You filled the first column with 0. That is a class, and nobody saw it there: what "
            "comes from outside the picture is void, 255.",
        ),
        Mistake(
            "aug.wrap",
            _wrapped,
            "What left on the right came in on the left, as `torch.roll` does it. Behind the right "
            "border there is no left border: what comes in is void, 255.",
        ),
        Mistake(
            "aug.repeat",
            _repeated,
            "You repeated the first column. That claims to know what lies outside the picture. "
            "Nobody labeled it: void, 255.",
        ),
        Mistake(
            "aug.no_flip",
            _not_flipped,
            "Your shift is right; the flip is missing. Write each row backwards first.",
        ),
        Mistake(
            "aug.flip_rows",
            _upside_down,
            "You exchanged top and bottom. A flip of left and right writes each row backwards.",
        ),
        Mistake(
            "aug.no_shift",
            _only_flipped,
            "Your flip is right; the shift to the right by one pixel is missing.",
        ),
        Mistake(
            "aug.shift_rows",
            _shifted_down,
            "You shifted down. To the right is asked for: the first *column* is void.",
        ),
    ),
)
