"""Nine numbers with a pencil: who was taken for whom."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

VOID = 255
# Not symmetric, and no two rows or columns have the same sum: every slip gives other numbers.
TARGET = (
    (0, 0, 0, 0, 1),
    (0, 0, 2, 1, 1),
    (0, 0, 2, 1, VOID),
    (0, 0, 2, VOID, 1),
)
PREDICTION = (
    (0, 0, 0, 1, 1),
    (0, 2, 2, 1, 1),
    (0, 2, 1, 1, 1),
    (0, 0, 2, 2, 0),
)

STUB = """
confusion_by_hand = None  # your rows, as in [[1, 2, 3], [4, 5, 6], …]
"""


def confusion_by_hand():
    """One stroke for each judged pixel: in the row of its target, the column of its prediction."""
    matrix = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
    for targets, predictions in zip(TARGET, PREDICTION, strict=True):
        for target, prediction in zip(targets, predictions, strict=True):
            if target != VOID:
                matrix[target][prediction] += 1
    return matrix


def _matrix() -> torch.Tensor:
    return torch.tensor(confusion_by_hand())


def _with_void_as(label: int) -> list[list[int]]:
    matrix = confusion_by_hand()
    matrix[label][1] += 1  # one void pixel is predicted 1,
    matrix[label][2] += 1  # the other 2
    return matrix


def _transposed():
    return _matrix().T


def _void_is_background():
    return _with_void_as(0)


def _void_is_last():
    return _with_void_as(2)


def _void_is_right():
    matrix = confusion_by_hand()
    matrix[1][1] += 1
    matrix[2][2] += 1
    return matrix


def _void_in_a_row():
    return [*confusion_by_hand(), [0, 1, 1]]


def _errors_only():
    return _matrix().fill_diagonal_(0)


def _hits_only():
    return _matrix().diag().diag()


def _shares():
    return _matrix() / _matrix().sum(1, keepdim=True)


exercise = Exercise(
    name="confusion_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Draw an empty table of three rows and three columns. Go through the pixels one by one: "
        "the label map says which row, the prediction says which column. Make one stroke there.",
        "Two pixels are void. Nobody knows what they show, so they get no stroke at all, whatever "
        "was predicted: eighteen strokes in all. The first row has ten of them, seven in its first "
        "column.",
    ),
    solution=confusion_by_hand,
    why=(
        "Row 0 holds the ten pixels that *are* class 0: seven were found, one was taken for class "
        "1, two for class 2. Column 0 holds the eight pixels that were *called* class 0. All "
        "scores of this chapter are made of such rows, columns and the diagonal, where both agree."
    ),
    mistakes=(
        Mistake(
            "iou.transposed",
            _transposed,
            "Your rows are the predictions. All counts are right, but in this book (and in "
            "scikit-learn and torchmetrics) a row is what the pixel *is*, a column what it was "
            "called. Exchange rows and columns.",
        ),
        Mistake(
            "iou.void_background",
            _void_is_background,
            "You counted the two void pixels as class 0. Void is no class: nobody decided what is "
            "there, so nothing predicted there is right or wrong. Leave them out.",
        ),
        Mistake(
            "iou.void_last",
            _void_is_last,
            "You counted the two void pixels as class 2, the last. Void is no class: leave them "
            "out.",
        ),
        Mistake(
            "iou.void_right",
            _void_is_right,
            "You counted the two void pixels as found. Void is not judged at all, neither right "
            "nor wrong: eighteen strokes, not twenty.",
        ),
        Mistake(
            "iou.void_class",
            _void_in_a_row,
            "You gave void a row of its own. It has no place in the matrix: its pixels are left "
            "out, and three classes make three rows.",
        ),
        Mistake(
            "iou.errors_only",
            _errors_only,
            "The errors are right, and the diagonal is empty. Pixels that were found are counted "
            "too: in row 0 and column 0 stand those of class 0 that were called 0.",
        ),
        Mistake(
            "iou.hits_only",
            _hits_only,
            "The diagonal is right; the errors are missing. A pixel of class 0 that was called 2 "
            "makes a stroke in row 0, column 2.",
        ),
        Mistake(
            "iou.shares",
            _shares,
            "You divided each row by its sum. That is the normalized matrix, good to look at; "
            "here the counts themselves are asked for.",
        ),
    ),
)
