"""Eight pixels with a pencil: overlap, sizes and the Dice loss."""

from __future__ import annotations

from segtutor.exercises.engine import Accepted, Exercise, Mistake

# Chosen so that every number asked for ends after two decimals, the squared form included, and
# so that one pixel of the object lies below ½ and one of the background above it.
PROBABILITY = (0.9, 0.8, 0.4, 0.6, 0.1, 0.1, 0.1, 0.0)
TRUTH = (1, 1, 1, 0, 0, 0, 0, 0)

STUB = """
dice_by_hand = None  # [overlap, sizes, loss], as in [1.5, 4.2, 0.71]
"""


def dice_by_hand():
    """Overlap, the two sizes added, and one minus twice their ratio."""
    overlap = sum(p * y for p, y in zip(PROBABILITY, TRUTH, strict=True))  # 2.1
    sizes = sum(PROBABILITY) + sum(TRUTH)  # 3.0 + 3
    return [overlap, sizes, 1 - 2 * overlap / sizes]


def _filled_in(overlap, sizes):
    return [overlap, sizes, 1 - 2 * overlap / sizes]


def _squared():
    return _filled_in(2.1, sum(p * p for p in PROBABILITY) + 3)


def _coefficient():
    return [2.1, 6.0, 0.7]


def _factor_two():
    return [2.1, 6.0, 1 - 2.1 / 6]


def _union():
    return [2.1, 6 - 2.1, 1 - 2.1 / (6 - 2.1)]


def _thresholded():
    return _filled_in(2, 6)


def _background_too():
    agreed = sum(p * y + (1 - p) * (1 - y) for p, y in zip(PROBABILITY, TRUTH, strict=True))
    return _filled_in(agreed, 16)


def _truth_forgotten():
    return _filled_in(2.1, 3.0)


def _sizes_of_object():
    return _filled_in(2.1, 2.1 + 3)


def _averaged():
    return [2.1 / 8, 6 / 8, 0.3]


exercise = Exercise(
    name="dice_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "For the overlap, multiply probability and label at each pixel and add up. Five of the "
        "eight products are 0, so three numbers are left to add.",
        "For the sizes, add all eight probabilities, then all eight labels, then both sums. The "
        "Dice coefficient is twice the overlap over the sizes; the loss is what is missing to 1.",
    ),
    solution=dice_by_hand,
    why=(
        "The overlap is 0.9 + 0.8 + 0.4 = 2.1. The probabilities add up to 3.0 and the labels to "
        "3, so the sizes are 6.0. The coefficient is 4.2 / 6.0 = 0.7 and the loss 0.3. Three "
        "background pixels of 0.1 cost as much as one of 0.3 would: the loss knows sums, not "
        "places."
    ),
    accepted=(
        Accepted(
            _squared,
            "You squared the probabilities before you added them up, as the V-Net paper does: "
            "the sizes are then 2.0 + 3 and the loss is 0.16. This book's Dice is linear unless "
            "it says otherwise.",
        ),
    ),
    mistakes=(
        Mistake(
            "dice.coefficient",
            _coefficient,
            "Your third number is the Dice coefficient, which is 1 for a perfect answer. The loss "
            "is one minus that.",
        ),
        Mistake(
            "dice.factor_two",
            _factor_two,
            "The factor 2 is missing. A perfect answer has overlap 3 and sizes 6: without the 2, "
            "its loss would be ½.",
        ),
        Mistake(
            "dice.iou",
            _union,
            "You took the overlap off the sizes: that makes the union, and the loss is that of "
            "Jaccard, one minus IoU. Dice divides by the sizes as they are and counts the overlap "
            "twice.",
        ),
        Mistake(
            "dice.hard",
            _thresholded,
            "You turned the probabilities into 0 and 1 first. That is the Dice score, for judging. "
            "A loss keeps the probabilities: a step has no slope to learn from.",
        ),
        Mistake(
            "dice.all_pixels",
            _background_too,
            "You counted agreement on the background as well. Dice looks at one class, here the "
            "1s: a pixel that is 0 in both takes no part.",
        ),
        Mistake(
            "dice.truth_forgotten",
            _truth_forgotten,
            "The sizes are two: that of the prediction and that of the object. The three pixels "
            "of the object are missing in your sum.",
        ),
        Mistake(
            "dice.false_alarms_free",
            _sizes_of_object,
            "You added only the probabilities inside the object. Then a prediction that is 1 "
            "everywhere would cost nothing: false alarms enter through the size of the prediction.",
        ),
        Mistake(
            "dice.averaged",
            _averaged,
            "You averaged over the eight pixels. The loss comes out the same, because the 8 "
            "cancels, but overlap and sizes are sums: Dice counts pixels, not shares.",
        ),
    ),
)
