"""The Lovász loss of one class: errors in order, each with what it costs the IoU."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def lovasz_loss(probability, truth):
    """The Lovász extension of 1 − IoU, for one class.

    probability: (P,) from 0 to 1; truth: (P,) of 0.0 and 1.0, not all 0.
    """
    raise NotImplementedError
'''


def lovasz_loss(probability, truth):
    """The Lovász extension of 1 − IoU, for one class."""
    errors, order = (truth - probability).abs().sort(descending=True)
    truth = truth[order]  # the labels travel with their errors
    intersection = truth.sum() - truth.cumsum(0)  # if the first k pixels were wrong …
    union = truth.sum() + (1 - truth).cumsum(0)
    jaccard_loss = 1 - intersection / union
    steps = torch.diff(jaccard_loss, prepend=jaccard_loss.new_zeros(1))  # … and what each added
    return (errors * steps).sum()


def cases(generator: torch.Generator) -> list[Case]:
    """Return rows of pixels in no order, with many and with few ones."""
    made = [
        Case((torch.tensor([0.7, 0.4, 0.8, 0.1]), torch.tensor([1.0, 1, 0, 0]))),
        Case((torch.tensor([0.9, 0.2, 0.6, 0.3, 0.55]), torch.tensor([0.0, 1, 1, 0, 0]))),
    ]
    for length, share in ((9, 0.3), (14, 0.7), (20, 0.1), (7, 0.5)):
        probability = torch.rand(length, generator=generator)
        truth = (torch.rand(length, generator=generator) < share).float()
        truth[0], truth[1] = 0, 1
        made.append(Case((probability, truth)))
    return made


def _extension(errors, truth, order):
    """Errors and labels in a given order, times the steps of the Jaccard loss along it."""
    errors, truth = errors[order], truth[order]
    union = truth.sum() + (1 - truth).cumsum(0)
    loss = 1 - (truth.sum() - truth.cumsum(0)) / union
    return (errors * torch.diff(loss, prepend=loss.new_zeros(1))).sum()


def _ascending(probability, truth):
    errors = (truth - probability).abs()
    return _extension(errors, truth, errors.argsort())


def _unsorted(probability, truth):
    return _extension((truth - probability).abs(), truth, torch.arange(len(truth)))


def _by_probability(probability, truth):
    return _extension((truth - probability).abs(), truth, probability.argsort(descending=True))


def _labels_left_behind(probability, truth):
    errors = (truth - probability).abs().sort(descending=True).values
    return _extension(errors, truth, torch.arange(len(truth)))


def _not_differenced(probability, truth):
    errors, order = (truth - probability).abs().sort(descending=True)
    truth = truth[order]
    union = truth.sum() + (1 - truth).cumsum(0)
    return (errors * (1 - (truth.sum() - truth.cumsum(0)) / union)).sum()


def _first_step_lost(probability, truth):
    errors, order = (truth - probability).abs().sort(descending=True)
    truth = truth[order]
    union = truth.sum() + (1 - truth).cumsum(0)
    return (errors[1:] * torch.diff(1 - (truth.sum() - truth.cumsum(0)) / union)).sum()


def _jaccard_for_its_loss(probability, truth):
    errors, order = (truth - probability).abs().sort(descending=True)
    truth = truth[order]
    union = truth.sum() + (1 - truth).cumsum(0)
    jaccard = (truth.sum() - truth.cumsum(0)) / union
    return (errors * torch.diff(jaccard, prepend=jaccard.new_zeros(1))).sum()


def _union_of_all(probability, truth):
    errors, order = (truth - probability).abs().sort(descending=True)
    truth = truth[order]
    union = truth.sum() + torch.arange(1, len(truth) + 1)
    loss = 1 - (truth.sum() - truth.cumsum(0)) / union
    return (errors * torch.diff(loss, prepend=loss.new_zeros(1))).sum()


def _false_alarms_free(probability, truth):
    errors = truth - probability
    return _extension(errors, truth, errors.argsort(descending=True))


def _averaged(probability, truth):
    return lovasz_loss(probability, truth) / len(truth)


def _soft_jaccard(probability, truth):
    overlap = (probability * truth).sum()
    return 1 - overlap / (probability.sum() + truth.sum() - overlap)


def _thresholded(probability, truth):
    return _soft_jaccard((probability > 0.5).float(), truth)


exercise = Exercise(
    name="lovasz_loss",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "The error of a pixel is |truth − probability|. Sort the errors, largest first, and take "
        "the labels along in the same order. Now suppose that the first k pixels are wrong and "
        "the others right: what are intersection and union?",
        "A wrong pixel of the object leaves the intersection; a wrong pixel of the background "
        "joins the union. So after k pixels the intersection is the number of ones less the ones "
        "among the k, and the union the number of ones plus the zeros among the k. Each pixel's "
        "weight is how much 1 − IoU grows when it joins the wrong ones.",
    ),
    solution=lovasz_loss,
    why=(
        "1 − IoU is a function of *which* pixels are wrong. Put the pixels in the order of their "
        "errors, let them go wrong one after the other, and write down how much 1 − IoU grows at "
        "each: these steps are the weights, and they are also the gradient. Whenever two errors "
        "change places in the order the weights may change, and the loss has a kink."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "lovasz.sort",
            _ascending,
            "You sorted the smallest error first. Largest first: otherwise the value is not "
            "1 − IoU when the prediction is hard.",
        ),
        Mistake(
            "lovasz.unsorted",
            _unsorted,
            "You left the pixels in the order in which they came. The loss then depends on where "
            "a pixel stands; sort by error, largest first.",
        ),
        Mistake(
            "lovasz.by_probability",
            _by_probability,
            "You sorted by probability. A pixel of the object with probability 0.9 has error 0.1: "
            "sort by the errors.",
        ),
        Mistake(
            "lovasz.labels_left",
            _labels_left_behind,
            "You sorted the errors and left the labels where they were, so each error meets the "
            "label of another pixel. Use the order that `sort` returns on the labels too.",
        ),
        Mistake(
            "lovasz.not_differenced",
            _not_differenced,
            "Your weights are the values of 1 − IoU after each pixel. The weight of a pixel is "
            "what it *adds*: the difference to the value before.",
        ),
        Mistake(
            "lovasz.first_step",
            _first_step_lost,
            "The first pixel, the one with the largest error, has no weight in your sum. Before "
            "it nothing was wrong, and 1 − IoU was 0: that is what its value is compared with.",
        ),
        Mistake(
            "lovasz.jaccard",
            _jaccard_for_its_loss,
            "You took the steps of the IoU. It falls with every wrong pixel; the loss is made of "
            "the steps of 1 − IoU, which rises.",
        ),
        Mistake(
            "lovasz.union",
            _union_of_all,
            "Your union grows with every wrong pixel. A wrong pixel of the object is in the union "
            "already; only wrong pixels of the background join it.",
        ),
        Mistake(
            "lovasz.false_alarms_free",
            _false_alarms_free,
            "False alarms cost nothing in your loss. Two slips lead there: errors that keep their "
            "sign, where |truth − probability| is asked for, and a union that stays as large as "
            "the object, where each wrong pixel of the background makes it one larger.",
        ),
        Mistake(
            "lovasz.averaged",
            _averaged,
            "You averaged over the pixels. The weights add up to 1 already: the sum is the loss.",
        ),
        Mistake(
            "lovasz.soft_jaccard",
            _soft_jaccard,
            "This is the soft Jaccard loss: sums of probabilities put in the place of sets. It is "
            "a fine loss and another one; Lovász sorts the errors.",
        ),
        Mistake(
            "lovasz.hard",
            _thresholded,
            "You turned the probabilities into 0 and 1. That is 1 − IoU itself, and it has no "
            "gradient. Lovász equals it there, and joins the points in between.",
        ),
    ),
)
