"""Is this table possible? Some rows contradict themselves."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# Class, precision, recall, F1, IoU; rounded to two digits, as papers print them.
TABLE = (
    ("sky", 0.88, 0.99, 0.93, 0.87),
    ("sidewalk", 0.80, 0.90, 0.85, 0.88),
    ("tram", 0.75, 1.00, 0.86, 0.75),
    ("pole", 0.60, 0.40, 0.50, 0.33),
    ("person", 0.70, 0.50, 0.58, 0.29),
    ("road", 0.95, 0.97, 0.96, 0.92),
    ("car", 0.90, 0.60, 0.72, 0.56),
    ("plant", 0.50, 0.50, 0.50, 0.50),
)

STUB = """
possible_table = [
    None,  # sky: True if its four numbers can all be right, else False
    None,  # sidewalk
    None,  # tram
    None,  # pole
    None,  # person
    None,  # road
    None,  # car
    None,  # plant
]
"""


def possible_table():
    """Compute F1 and IoU again; what is left over must fit into the rounding."""
    answers = []
    for _, precision, recall, f1, iou in TABLE:
        f1_fits = abs(2 * precision * recall / (precision + recall) - f1) < 0.01
        iou_fits = abs(f1 / (2 - f1) - iou) < 0.015
        answers.append(f1_fits and iou_fits)
    return answers


def _only_order():
    return [iou <= f1 for _, _, _, f1, iou in TABLE]


def _only_f1():
    return [abs(2 * p * r / (p + r) - f1) < 0.01 for _, p, r, f1, _ in TABLE]


def _only_iou():
    return [abs(f1 / (2 - f1) - iou) < 0.015 for _, _, _, f1, iou in TABLE]


def _arithmetic_mean():
    fits = zip(_only_iou(), TABLE, strict=True)
    return [fit and abs((p + r) / 2 - f1) < 0.01 for fit, (_, p, r, f1, _) in fits]


def _below_both():
    below = (iou < min(p, r) for _, p, r, _, iou in TABLE)
    return [a and b for a, b in zip(possible_table(), below, strict=True)]


def _turned_round():
    return [not possible for possible in possible_table()]


def _all_possible():
    return [True] * len(TABLE)


exercise = Exercise(
    name="possible_table",
    kind="value",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Two things can be computed again from each row: F1 from precision and recall, and IoU "
        "from F1. Begin with the rows in which one look is enough: can IoU be above F1? Can the "
        "two be equal?",
        "F1 = 2 P R / (P + R) is the *harmonic* mean, which lies nearer to the smaller of the two. "
        "IoU = F1 / (2 − F1). Allow for the rounding: a difference of 0.01 proves nothing, one of "
        "0.02 does.",
    ),
    solution=possible_table,
    why=(
        "sidewalk has IoU above F1, and in plant they are equal at one half: both impossible. In "
        "pole, F1 is the plain mean of precision and recall; the harmonic mean is 0.48. In person, "
        "IoU is half of F1; it has to be 0.41. tram looks strange and is right: with "
        "recall 1 nothing is missed, the union is what was predicted, and IoU is precision. Four "
        "numbers that hang together are a check that any reader can do."
    ),
    mistakes=(
        Mistake(
            "table.only_order",
            _only_order,
            "You looked whether IoU is above F1. That finds one row. From F1 the IoU follows "
            "exactly: compute it for every row.",
        ),
        Mistake(
            "table.only_f1",
            _only_f1,
            "You computed F1 from precision and recall again, and found the row in which it does "
            "not fit. Now compute IoU from F1 too.",
        ),
        Mistake(
            "table.only_iou",
            _only_iou,
            "You computed IoU from F1 again, and found three rows. Now see whether F1 fits its "
            "precision and recall: it is their harmonic mean, not their plain one.",
        ),
        Mistake(
            "table.arithmetic_mean",
            _arithmetic_mean,
            "You took F1 for the plain mean of precision and recall. It is the harmonic mean, "
            "2 P R / (P + R), so that a class with one good and one bad of the two does not get "
            "half the marks for nothing.",
        ),
        Mistake(
            "table.below_both",
            _below_both,
            "Seven are right. IoU is never above precision or recall, but it can be equal to one "
            "of them: what is the union when no pixel is missed?",
        ),
        Mistake(
            "table.turned_round",
            _turned_round,
            "Every answer is the wrong way round: True stands for a row that is possible.",
        ),
        Mistake(
            "table.all_possible",
            _all_possible,
            "You let every row pass. In one of them, IoU is above F1.",
        ),
    ),
)
