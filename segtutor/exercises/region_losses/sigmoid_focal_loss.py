"""The focal loss of one sigmoid: two classes, one logit, and a weight for each."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def sigmoid_focal_loss(logits, truth, alpha=0.25, gamma=2.0):
    """Mean focal loss over all pixels.

    logits: (N, H, W), one for each pixel; truth: (N, H, W) of 0.0 and 1.0.
    alpha is the weight of the pixels with truth 1.
    """
    raise NotImplementedError
'''


def sigmoid_focal_loss(logits, truth, alpha=0.25, gamma=2.0):
    """Mean focal loss over all pixels."""
    ce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = (-ce).exp()  # probability of what is true: sigmoid(z) for 1, 1 − sigmoid(z) for 0
    weight = alpha * truth + (1 - alpha) * (1 - truth)
    return (weight * (1 - p) ** gamma * ce).mean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures of mostly zeros, with settings that are not each other's mirror."""
    made = []
    for shape, settings in (
        ((2, 3, 5), {}),
        ((1, 4, 6), {"alpha": 0.9, "gamma": 1.0}),
        ((3, 2, 4), {"gamma": 0.0}),
        ((2, 5, 4), {"alpha": 0.6, "gamma": 0.5}),
        ((1, 3, 2), {"alpha": 0.75, "gamma": 3.0}),
    ):
        logits = 2 * torch.randn(shape, generator=generator)
        truth = (torch.rand(shape, generator=generator) < 0.3).float()
        truth[0, 0, 0], truth[0, 0, 1] = 1, 0
        made.append(Case((logits, truth), settings))
    return made


def _parts(logits, truth):
    ce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return ce, (-ce).exp()


def _balance(truth, alpha):
    return alpha * truth + (1 - alpha) * (1 - truth)


def _alpha_for_both(logits, truth, alpha=0.25, gamma=2.0):
    ce, p = _parts(logits, truth)
    return (alpha * (1 - p) ** gamma * ce).mean()


def _alpha_for_ones_only(logits, truth, alpha=0.25, gamma=2.0):
    ce, p = _parts(logits, truth)
    return ((alpha * truth + 1 - truth) * (1 - p) ** gamma * ce).mean()


def _alpha_swapped(logits, truth, alpha=0.25, gamma=2.0):
    return sigmoid_focal_loss(logits, truth, 1 - alpha, gamma)


def _alpha_ignored(logits, truth, alpha=0.25, gamma=2.0):
    ce, p = _parts(logits, truth)
    return ((1 - p) ** gamma * ce).mean()


def _one_p_for_both(logits, truth, alpha=0.25, gamma=2.0):
    ce, _ = _parts(logits, truth)
    return (_balance(truth, alpha) * (1 - logits.sigmoid()) ** gamma * ce).mean()


def _wrong_way(logits, truth, alpha=0.25, gamma=2.0):
    ce, p = _parts(logits, truth)
    return (_balance(truth, alpha) * p**gamma * ce).mean()


def _positives_only(logits, truth, alpha=0.25, gamma=2.0):
    ce, p = _parts(logits, truth)
    return (truth * alpha * (1 - p) ** gamma * ce).mean()


def _from_mean(logits, truth, alpha=0.25, gamma=2.0):
    mean = (_balance(truth, alpha) * _parts(logits, truth)[0]).mean()
    return (1 - (-mean).exp()) ** gamma * mean


def _alpha_in_ce(logits, truth, alpha=0.25, gamma=2.0):
    ce = _balance(truth, alpha) * _parts(logits, truth)[0]
    return ((1 - (-ce).exp()) ** gamma * ce).mean()


def _sigmoid_twice(logits, truth, alpha=0.25, gamma=2.0):
    return sigmoid_focal_loss(logits.sigmoid(), truth, alpha, gamma)


def _summed(logits, truth, alpha=0.25, gamma=2.0):
    return sigmoid_focal_loss(logits, truth, alpha, gamma) * logits.numel()


def _per_positive(logits, truth, alpha=0.25, gamma=2.0):
    return _summed(logits, truth, alpha, gamma) / truth.sum()


def _gamma_ignored(logits, truth, alpha=0.25, gamma=2.0):
    return sigmoid_focal_loss(logits, truth, alpha, 0.0)


exercise = Exercise(
    name="sigmoid_focal_loss",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "A pixel whose truth is 1 has p = sigmoid(logit); one whose truth is 0 has p = 1 − "
        "sigmoid(logit). In both cases p is the probability of what is true, and 1 − p is small "
        "where the pixel is easy.",
        "The weight has two values as well: alpha where the truth is 1, 1 − alpha where it is 0. "
        '`F.binary_cross_entropy_with_logits(…, reduction="none")` gives −log p safely.',
    ),
    solution=sigmoid_focal_loss,
    why=(
        "gamma looks away from easy pixels, of either class; alpha balances the two classes. "
        "Both have to know which class the pixel has. The published 0.25 for the *rare* class "
        "looks like a misprint and is none: gamma has already quieted the common class, and "
        "alpha takes a little of that back."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "focal.alpha_both",
            _alpha_for_both,
            "You multiplied both classes by alpha. A common factor balances nothing: the zeros "
            "get 1 − alpha.",
        ),
        Mistake(
            "focal.alpha_ones_only",
            _alpha_for_ones_only,
            "You weighted the ones with alpha and left the zeros at 1. They get 1 − alpha.",
        ),
        Mistake(
            "focal.alpha_swapped",
            _alpha_swapped,
            "alpha and 1 − alpha have changed places: alpha is the weight of the ones.",
        ),
        Mistake(
            "focal.alpha_ignored",
            _alpha_ignored,
            "alpha has no effect on your result. Ones are weighted with alpha, zeros with "
            "1 − alpha.",
        ),
        Mistake(
            "focal.one_p",
            _one_p_for_both,
            "Where the truth is 0 you kept p = sigmoid(logit) in the focal factor. There the loss "
            "then fades as the answer gets worse: at sigmoid 0.99 it is nearly free to be wrong. "
            "Use the probability of what is true, 1 − sigmoid(logit).",
        ),
        Mistake(
            "focal.wrong_way",
            _wrong_way,
            "You used p^gamma, which quiets the hard pixels. The focal factor is (1 − p)^gamma.",
        ),
        Mistake(
            "focal.positives_only",
            _positives_only,
            "The zeros are missing: answering 1 everywhere would cost nothing. The formula in many "
            "texts shows one line of two.",
        ),
        Mistake(
            "focal.from_mean",
            _from_mean,
            "You took the focus from the mean, so it is one factor for all pixels. Apply it pixel "
            "by pixel and take the mean at the end.",
        ),
        Mistake(
            "focal.alpha_in_ce",
            _alpha_in_ce,
            "You weighted first and took p from the weighted loss. That p is a power of the true "
            "one: take p from the plain cross-entropy.",
        ),
        Mistake(
            "focal.sigmoid_twice",
            _sigmoid_twice,
            "You applied a sigmoid twice: `binary_cross_entropy_with_logits` has its own. All your "
            "probabilities then lie between 0.5 and 0.73.",
        ),
        Mistake(
            "focal.summed",
            _summed,
            "You added up the pixels; the mean is asked for.",
        ),
        Mistake(
            "focal.per_positive",
            _per_positive,
            "You divided by the number of ones, as detectors do that have a box for each. In "
            "segmentation a crop may have no ones: take the mean over all pixels.",
        ),
        Mistake(
            "focal.gamma_ignored",
            _gamma_ignored,
            "gamma has no effect on your result: it is a weighted cross-entropy for every gamma.",
        ),
    ),
)
