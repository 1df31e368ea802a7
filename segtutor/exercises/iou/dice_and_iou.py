"""Six numbers with a pencil: from Dice to IoU and back."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# Chosen so that every answer is a decimal of four digits or fewer.
DICE = (0.4, 0.75)
IOU = 0.28
TP, FP, FN = 9, 5, 2

STUB = """
dice_and_iou = [
    None,  # the IoU of a class with Dice 0.4
    None,  # the IoU of a class with Dice 0.75
    None,  # the mean IoU of these two classes
    None,  # the Dice of a class with IoU 0.28
    None,  # the IoU of a class with 9 hits, 5 false alarms, 2 missed pixels
    None,  # the Dice of that class
]
"""


def dice_and_iou():
    """J = D / (2 − D) and D = 2 J / (1 + J)."""
    first, second = (dice / (2 - dice) for dice in DICE)
    return [
        first,
        second,
        (first + second) / 2,
        2 * IOU / (1 + IOU),
        TP / (TP + FP + FN),
        2 * TP / (2 * TP + FP + FN),
    ]


def _replaced(**places: float) -> list[float]:
    """The right answers, with some in other places."""
    answers = dice_and_iou()
    for place, value in places.items():
        answers[int(place.removeprefix("at"))] = value
    return answers


def _mean_converted():
    mean = sum(DICE) / 2
    return _replaced(at2=mean / (2 - mean))


def _directions_swapped():
    first, second = (2 * dice / (1 + dice) for dice in DICE)
    return _replaced(at0=first, at1=second, at2=(first + second) / 2, at3=IOU / (2 - IOU))


def _half():
    first, second = (dice / 2 for dice in DICE)
    return _replaced(at0=first, at1=second, at2=(first + second) / 2, at3=2 * IOU)


def _the_same():
    return _replaced(at0=DICE[0], at1=DICE[1], at2=sum(DICE) / 2, at3=IOU)


def _percent():
    return [100 * answer for answer in dice_and_iou()]


def _counts_swapped():
    right = dice_and_iou()
    return _replaced(at4=right[5], at5=right[4])


def _hits_once():
    return _replaced(at5=TP / (2 * TP + FP + FN))


def _hits_twice_above():
    return _replaced(at5=2 * TP / (TP + FP + FN))


exercise = Exercise(
    name="dice_and_iou",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "IoU is TP / (TP + FP + FN), Dice is 2 TP / (2 TP + FP + FN). Set TP = 1 and call the "
        "errors e: then IoU is 1 / (1 + e) and Dice is 2 / (2 + e). Dice 0.4 means e = 3.",
        "J = D / (2 − D), and backwards D = 2 J / (1 + J). The third number is a mean of two "
        "IoUs, so convert first and average then. All six end after four digits or fewer.",
    ),
    solution=dice_and_iou,
    why=(
        "For one class, one count of hits and errors decides both scores, so each follows from the "
        "other. For a mean it does not: the mean of converted numbers, 0.425, is not the "
        "converted mean, 0.403…, because the formula is no straight line. From a paper's mean "
        "Dice you cannot compute its mean IoU."
    ),
    mistakes=(
        Mistake(
            "dice.mean_converted",
            _mean_converted,
            "Five are right. For the third you averaged the Dice scores and converted the mean. "
            "Convert each class, then average: the formula is curved, so the order matters.",
        ),
        Mistake(
            "dice.directions",
            _directions_swapped,
            "You took the two formulas the wrong way round: your IoUs are above the Dice scores "
            "they come from. IoU is never above Dice.",
        ),
        Mistake(
            "dice.half",
            _half,
            "You took IoU to be half of Dice. That is close for very bad classes only: a perfect "
            "class has Dice 1 and IoU 1.",
        ),
        Mistake(
            "iou.dice",
            _the_same,
            "You took the two scores for one and the same. They agree only at 0 and at 1; in "
            "between Dice is larger.",
        ),
        Mistake(
            "iou.percent",
            _percent,
            "All numbers are right, in percent. Fractions from 0 to 1 are asked for.",
        ),
        Mistake(
            "dice.swapped",
            _counts_swapped,
            "The last two numbers are right and stand in the wrong order: IoU first.",
        ),
        Mistake(
            "dice.hits_once",
            _hits_once,
            "Five are right. In the last you counted the hits twice below the line and once above; "
            "a perfect class would get 0.5. Dice counts them twice in both places.",
        ),
        Mistake(
            "dice.above_one",
            _hits_twice_above,
            "Five are right. In the last you counted the hits twice above the line and once below; "
            "that can grow past 1. Dice counts them twice in both places.",
        ),
    ),
)
