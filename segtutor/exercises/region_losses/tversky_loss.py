"""Two kinds of error, two prices: the Tversky loss of one class."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def tversky_loss(probability, truth, alpha=0.3, beta=0.7):
    """One minus the Tversky index of one class.

    probability: (H, W) from 0 to 1; truth: (H, W) of 0 and 1.
    alpha is the price of a false positive, beta of a false negative.
    """
    raise NotImplementedError
'''


def tversky_loss(probability, truth, alpha=0.3, beta=0.7):
    """One minus the Tversky index of one class."""
    hit = (probability * truth).sum()
    false_positive = (probability * (1 - truth)).sum()
    false_negative = ((1 - probability) * truth).sum()
    return 1 - hit / (hit + alpha * false_positive + beta * false_negative)


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures with far more false positives than false negatives, and the reverse."""
    made = []
    for height, width, share, settings in (
        (3, 5, 0.2, {}),
        (4, 3, 0.7, {"alpha": 0.7, "beta": 0.3}),
        (5, 6, 0.3, {"alpha": 0.5, "beta": 0.5}),
        (2, 7, 0.4, {"alpha": 1.0, "beta": 1.0}),
        (6, 4, 0.3, {"alpha": 0.1, "beta": 2.0}),
    ):
        probability = torch.rand(height, width, generator=generator) * 0.8 + 0.1
        truth = (torch.rand(height, width, generator=generator) < share).float()
        truth[0, 0], truth[-1, -1] = 1, 0  # both kinds of pixel, whatever the dice say
        made.append(Case((probability, truth), settings))
    return made


def _sums(probability, truth):
    hit = (probability * truth).sum()
    return hit, (probability * (1 - truth)).sum(), ((1 - probability) * truth).sum()


def _swapped(probability, truth, alpha=0.3, beta=0.7):
    return tversky_loss(probability, truth, alpha=beta, beta=alpha)


def _index(probability, truth, alpha=0.3, beta=0.7):
    return 1 - tversky_loss(probability, truth, alpha, beta)


def _thresholded(probability, truth, alpha=0.3, beta=0.7):
    return tversky_loss((probability > 0.5).float(), truth, alpha, beta)


def _sizes(probability, truth, alpha=0.3, beta=0.7):
    hit = (probability * truth).sum()
    return 1 - hit / (hit + alpha * probability.sum() + beta * truth.sum())


def _sizes_without_hits(probability, truth, alpha=0.3, beta=0.7):
    return 1 - (probability * truth).sum() / (alpha * probability.sum() + beta * truth.sum())


def _errors_alone(probability, truth, alpha=0.3, beta=0.7):
    hit, false_positive, false_negative = _sums(probability, truth)
    return 1 - hit / (alpha * false_positive + beta * false_negative)


def _prices_ignored(probability, truth, alpha=0.3, beta=0.7):
    return tversky_loss(probability, truth, 0.5, 0.5)


def _doubled(probability, truth, alpha=0.3, beta=0.7):
    hit, false_positive, false_negative = _sums(probability, truth)
    return 1 - 2 * hit / (2 * hit + alpha * false_positive + beta * false_negative)


def _row_by_row(probability, truth, alpha=0.3, beta=0.7):
    hit = (probability * truth).sum(1)
    false_positive = (probability * (1 - truth)).sum(1)
    false_negative = ((1 - probability) * truth).sum(1)
    return (1 - hit / (hit + alpha * false_positive + beta * false_negative)).mean()


exercise = Exercise(
    name="tversky_loss",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Three sums over all pixels are enough: hits (probability where the label is 1), false "
        "positives (probability where it is 0) and false negatives (what is missing to "
        "probability 1 where it is 1).",
        "The index is hits / (hits + alpha · false positives + beta · false negatives). Try your "
        "function with both prices ½: it has to give the Dice loss.",
    ),
    solution=tversky_loss,
    why=(
        "Dice charges ½ for either error, Jaccard charges 1. Tversky lets you name the prices. "
        "With beta above alpha a missed pixel is dearer than a false alarm, so the network learns "
        "to answer more generously: recall rises and precision pays for it."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "tversky.swapped",
            _swapped,
            "Your alpha and beta have changed places. alpha belongs to false positives, beta to "
            "false negatives. A test with equal prices cannot see this, so test with unequal ones.",
        ),
        Mistake(
            "tversky.index",
            _index,
            "This is the Tversky index, which is 1 when all is well. A loss has to be 0 then: "
            "return one minus it.",
        ),
        Mistake(
            "tversky.hard",
            _thresholded,
            "You turned the probabilities into 0 and 1. The value is then flat almost everywhere, "
            "and its gradient 0: keep the probabilities.",
        ),
        Mistake(
            "tversky.sizes",
            _sizes,
            "You charged alpha for the whole prediction and beta for the whole object, hits "
            "included, and added the hits once more. The prices are for errors: false positives "
            "and false negatives only.",
        ),
        Mistake(
            "tversky.sizes_without_hits",
            _sizes_without_hits,
            "You charged alpha for the whole prediction and beta for the whole object. That agrees "
            "with Tversky only where alpha + beta = 1. The denominator is the hits plus the "
            "priced errors.",
        ),
        Mistake(
            "tversky.errors_alone",
            _errors_alone,
            "The hits are missing in your denominator: with few errors the index then grows beyond "
            "1, and the loss below 0.",
        ),
        Mistake(
            "tversky.prices_ignored",
            _prices_ignored,
            "alpha and beta have no effect on your result: it is the Dice loss for every price.",
        ),
        Mistake(
            "tversky.doubled",
            _doubled,
            "You counted the hits twice, as Dice does, and kept the prices as they are. Either "
            "count the hits once, or double the prices too: as it is, every error costs half.",
        ),
        Mistake(
            "tversky.row_by_row",
            _row_by_row,
            "You made one loss for each row of the picture and averaged. Sum over all pixels of "
            "the class first, and divide once.",
        ),
    ),
)
