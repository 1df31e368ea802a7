"""Raise the mean IoU of a prediction without touching the prediction."""

from __future__ import annotations

import numpy as np
import torch

from segtutor.exercises.engine import Exercise, Requirement
from segtutor.exercises.iou.confusion_matrix import confusion_matrix
from segtutor.exercises.iou.iou_per_class import iou_per_class

VOID = 255
BUDGET = 12  # pixels that may become void
GOAL = 0.90  # from a mean IoU of 0.70


def _rows(text: str) -> torch.Tensor:
    return torch.tensor([[int(digit) for digit in line] for line in text.split()])


# 0 sky, 1 road, 2 pole, 3 car. The horizon is a row too low, the car a row too tall, the pole
# leans.
TARGET = _rows("""
    0000000000000000 0000000000000000 0000200000000000 0000200000000000
    0000200000000000 0000200000000000 0000200000000000 0000200003333300
    1111211113333311 1111211113333311 1111111111111111 1111111111111111
""")
PREDICTION = _rows("""
    0000000000000000 0000000000000000 0000020000000000 0000020000000000
    0000020000000000 0000200000000000 0000200000000000 0000200003333300
    0000200003333300 1111211113333311 1111111113333311 1111111111111111
""")

STUB = """
flatter = None  # the label map (12, 16), up to twelve of its pixels made void
"""


def flatter():
    """Spend the twelve pixels where a pixel is worth most."""
    labels = TARGET.clone()
    wrong = TARGET != PREDICTION
    pole = (TARGET == 2) | (PREDICTION == 2)
    car = (TARGET == 3) | (PREDICTION == 3)
    labels[wrong & pole] = VOID  # six pixels: all errors of the smallest class
    labels[wrong & car] = VOID  # five more: all of the next
    return labels


def score(labels: torch.Tensor) -> float:
    """Return the mean IoU of the prediction against these labels."""
    matrix = confusion_matrix(PREDICTION, labels, 4)
    return float(iou_per_class(matrix).nanmean())


def _as_map(thing):
    labels = torch.as_tensor(np.asarray(thing) if isinstance(thing, list) else thing).cpu()
    return labels.long() if labels.dtype == torch.uint8 else labels  # bytes would overflow


def _not_a_map(thing):
    if not isinstance(thing, (torch.Tensor, np.ndarray, list)):
        return (
            f"A label map is asked for; this is of type `{type(thing).__name__}`. Begin with "
            "`labels = TARGET.clone()`, and hand in the map."
        )
    labels = _as_map(thing)
    if labels.is_floating_point() or labels.dtype == torch.bool:
        return "A label map is made of whole numbers; yours is not."
    if labels.shape != TARGET.shape:
        return f"The label map has shape {tuple(TARGET.shape)}; yours has {tuple(labels.shape)}."
    return None


def _relabeled(thing):
    labels = _as_map(thing)
    changed = (labels != TARGET) & (labels != VOID)
    if not changed.any():
        return None
    row, column = changed.nonzero()[0].tolist()
    return (
        f"{int(changed.sum())} pixels have a class other than the annotator's, the first at "
        f"[{row}, {column}]. That would be noticed. You may only make pixels void: 255."
    )


def _untouched(thing):
    if (_as_map(thing) == VOID).any():
        return None
    return (
        f"No pixel is void yet, and the score is what it was: {score(TARGET):.2f}. Where do "
        "prediction and label map differ?"
    )


def _over_budget(thing):
    spent = int((_as_map(thing) == VOID).sum())
    if spent <= BUDGET:
        return None
    return (
        f"{spent} pixels are void; {BUDGET} are allowed. There are more errors than that: which of "
        "them cost the mean IoU most?"
    )


def _too_low(thing):
    reached = score(_as_map(thing))
    if reached >= GOAL:
        return None
    matrix = confusion_matrix(PREDICTION, _as_map(thing), 4)
    listed = ", ".join(f"{iou:.2f}" for iou in iou_per_class(matrix).tolist())
    return (
        f"The mean IoU is now {reached:.2f}; {GOAL:.2f} is asked for. The four classes are at "
        f"{listed}. Which of them moves most for one pixel?"
    )


def _first_errors() -> torch.Tensor:
    """Spend the budget on the errors between sky and road, where there are most."""
    labels = TARGET.clone()
    places = ((TARGET != PREDICTION) & (TARGET < 2) & (PREDICTION < 2)).nonzero()[:BUDGET]
    labels[places[:, 0], places[:, 1]] = VOID
    return labels


exercise = Exercise(
    name="flatter",
    kind="open",
    minutes=15,
    difficulty=4,
    stub=STUB,
    hints=(
        "Only errors are worth a void pixel: `TARGET != PREDICTION` shows them. Count them class "
        "by class, and print the IoU of every class. All four count alike in the mean.",
        "One error less moves a class of eight pixels by an eighth or so, and a class of a hundred "
        "by a hundredth. Misses and false alarms of the *smallest* class first, then those of the "
        "next.",
    ),
    solution=flatter,
    why=(
        "The prediction is what it was; only the question was changed. Void removes errors from "
        "rows and columns at once, and in the mean over classes an error at the pole weighs more "
        "than twice as much as one between sky and road. Nobody does this by hand, but a generous "
        "void ring around every object does it for you, and two scores with different void cannot "
        "be compared."
    ),
    requirements=(
        Requirement("flatter.not_a_map", "is a label map", _not_a_map, lambda: 0.9),
        Requirement(
            "flatter.relabeled",
            "keeps the annotator's classes",
            _relabeled,
            lambda: PREDICTION.clone(),
        ),
        Requirement("flatter.untouched", "has void pixels", _untouched, lambda: TARGET.clone()),
        Requirement(
            "flatter.budget",
            f"makes at most {BUDGET} pixels void",
            _over_budget,
            lambda: TARGET.masked_fill(TARGET != PREDICTION, VOID),
        ),
        Requirement(
            "flatter.too_low",
            f"lifts the mean IoU to {GOAL:.2f}",
            _too_low,
            _first_errors,
        ),
    ),
)
