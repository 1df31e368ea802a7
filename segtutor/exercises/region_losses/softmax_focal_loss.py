"""The focal loss of a softmax: cross-entropy that looks away from what is easy."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

VOID = 255

STUB = '''
def softmax_focal_loss(logits, labels, gamma=2.0, weight=None):
    """Weighted mean of (1 − p)^gamma · (−log p) over all pixels but void.

    logits: (N, C, H, W); labels: (N, H, W), 255 is void. p is the probability
    of the pixel's own class. weight, if given, has a number for each class: a
    pixel counts as much as its class does, in the sum and in the divisor.
    """
    raise NotImplementedError
'''


def softmax_focal_loss(logits, labels, gamma=2.0, weight=None):
    """Weighted mean of (1 − p)^gamma · (−log p) over all pixels but void."""
    judged = labels != VOID  # (N, H, W)
    log_p = logits.log_softmax(1).movedim(1, -1)[judged]  # (P, C): the judged pixels
    own = labels[judged]  # (P,)
    log_p = log_p.gather(1, own[:, None])[:, 0]  # (P,): of the pixel's own class
    loss = -((1 - log_p.exp()) ** gamma) * log_p
    if weight is None:
        return loss.mean()
    return (weight[own] * loss).sum() / weight[own].sum()


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void, confident and doubtful pixels, right and wrong ones."""
    made = []
    for n, c, h, w, settings in (
        (2, 3, 4, 5, {}),
        (1, 5, 3, 4, {"gamma": 1.0}),
        (3, 4, 2, 6, {"gamma": 0.0}),
        (2, 3, 5, 4, {"gamma": 0.5, "weight": torch.tensor([0.5, 1.0, 4.0])}),
        (1, 4, 3, 2, {"weight": torch.tensor([3.0, 0.25, 1.0, 2.0])}),
    ):
        logits = 2 * torch.randn(n, c, h, w, generator=generator)
        labels = torch.randint(c, (n, h, w), generator=generator)
        labels[torch.rand(n, h, w, generator=generator) < 0.2] = VOID
        labels[0, 0, 0], labels[0, 0, 1], labels[-1, -1, -1] = VOID, 1, c - 1
        made.append(Case((logits, labels), settings))
    return made


def _each(logits, labels):
    """Cross-entropy of every pixel, 0 at void; whether it is judged; a class for all."""
    judged = labels != VOID
    return F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none"), judged


def _mean(each, labels, weight):
    """The weighted mean over judged pixels of a map (N, H, W)."""
    judged = labels != VOID
    factor = torch.ones_like(each) if weight is None else weight[labels.where(judged, 0)]
    return (factor * each)[judged].sum() / factor[judged].sum()


def _from_mean(logits, labels, gamma=2.0, weight=None):
    mean = F.cross_entropy(logits, labels, weight, ignore_index=VOID)
    return (1 - (-mean).exp()) ** gamma * mean


def _weight_in_ce(logits, labels, gamma=2.0, weight=None):
    ce = F.cross_entropy(logits, labels, weight, ignore_index=VOID, reduction="none")
    return ((1 - (-ce).exp()) ** gamma * ce)[labels != VOID].mean()


def _wrong_way(logits, labels, gamma=2.0, weight=None):
    ce, _ = _each(logits, labels)
    return _mean((-ce).exp() ** gamma * ce, labels, weight)


def _void_counted(logits, labels, gamma=2.0, weight=None):
    ce, judged = _each(logits, labels)
    factor = torch.ones_like(ce) if weight is None else weight[labels.where(judged, 0)]
    return (factor * (1 - (-ce).exp()) ** gamma * ce).sum() / factor.sum()


def _void_is_a_class(logits, labels, gamma=2.0, weight=None):
    return softmax_focal_loss(logits, labels.where(labels != VOID, 0), gamma, weight)


def _largest(logits, labels, gamma=2.0, weight=None):
    ce, _ = _each(logits, labels)
    return _mean((1 - logits.softmax(1).amax(1)) ** gamma * ce, labels, weight)


def _sigmoid(logits, labels, gamma=2.0, weight=None):
    truth = F.one_hot(labels.where(labels != VOID, 0), logits.shape[1]).movedim(-1, 1).float()
    ce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return _mean(((1 - (-ce).exp()) ** gamma * ce).mean(1), labels, weight)


def _summed(logits, labels, gamma=2.0, weight=None):
    ce, judged = _each(logits, labels)
    factor = 1.0 if weight is None else weight[labels.where(judged, 0)]
    return (factor * (1 - (-ce).exp()) ** gamma * ce)[judged].sum()


def _log_forgotten(logits, labels, gamma=2.0, weight=None):
    ce, _ = _each(logits, labels)
    return _mean((1 - (-ce).exp()) ** gamma, labels, weight)


def _gamma_as_factor(logits, labels, gamma=2.0, weight=None):
    ce, _ = _each(logits, labels)
    return _mean(gamma * (1 - (-ce).exp()) * ce, labels, weight)


def _gamma_ignored(logits, labels, gamma=2.0, weight=None):
    return softmax_focal_loss(logits, labels, 0.0, weight)


def _weight_ignored(logits, labels, gamma=2.0, weight=None):
    return softmax_focal_loss(logits, labels, gamma)


def _by_number(logits, labels, gamma=2.0, weight=None):
    judged = labels != VOID
    return _summed(logits, labels, gamma, weight) / judged.sum()


exercise = Exercise(
    name="softmax_focal_loss",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        '`F.cross_entropy(…, ignore_index=255, reduction="none")` is −log p at every pixel, and '
        "0 where it is void. So p is `exp(−that)`, pixel by pixel, before any mean.",
        "Multiply (1 − p)^gamma and −log p, keep the pixels that are not void, and take the mean. "
        "With weights, multiply by the weight of the pixel's class and divide by the sum of these "
        "weights. With gamma 0 it then equals `F.cross_entropy`, weights and all: test that.",
    ),
    solution=softmax_focal_loss,
    why=(
        "Every pixel has a p of its own, so the focus must be made pixel by pixel: taken from the "
        "mean, it would be one common factor, and no pixel would be favored over another. The "
        "class weight stands outside for the same reason: inside the cross-entropy it would turn "
        "p into p to the power of the weight."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _by_number,
            "You divided the weighted sum by the number of pixels; this book, like "
            "`F.cross_entropy`, divides by the sum of the weights. Yours grows when all weights "
            "are multiplied by ten, the book's stays.",
        ),
    ),
    mistakes=(
        Mistake(
            "focal.from_mean",
            _from_mean,
            "You took the mean first, and the focus from the mean. It is then one factor for all "
            "pixels alike, and nothing is focused: apply it pixel by pixel, with "
            '`reduction="none"`.',
        ),
        Mistake(
            "focal.alpha_in_ce",
            _weight_in_ce,
            "You gave the weight to the cross-entropy and took p from its result. That p is no "
            "longer the probability: it is p to the power of the weight. Multiply by the weight "
            "at the end.",
        ),
        Mistake(
            "focal.wrong_way",
            _wrong_way,
            "You used p^gamma. That looks away from the hard pixels and at the easy ones; the "
            "focal factor is (1 − p)^gamma.",
        ),
        Mistake(
            "focal.void_counted",
            _void_counted,
            "Void pixels add 0 to your sum, and yet they are counted when you divide: the more "
            "void, the smaller your loss. Divide by the pixels that are not void.",
        ),
        Mistake(
            "focal.void_is_a_class",
            _void_is_a_class,
            "You turned void into class 0 and then judged it. Keep a map of which pixels count, "
            "and drop the others before the mean.",
        ),
        Mistake(
            "focal.largest",
            _largest,
            "Your p is the largest probability of the pixel. It has to be the probability of the "
            "pixel's own class: a pixel that is surely wrong is the hardest of all.",
        ),
        Mistake(
            "focal.sigmoid",
            _sigmoid,
            "You made one sigmoid and one binary loss for each class. That is the other focal "
            "loss; the softmax one has a single p at each pixel, that of its own class.",
        ),
        Mistake(
            "focal.summed",
            _summed,
            "You added up the pixels. The mean is asked for: with a sum, the loss grows with the "
            "picture.",
        ),
        Mistake(
            "focal.log_forgotten",
            _log_forgotten,
            "The factor −log p is missing. (1 − p)^gamma only says how much of the cross-entropy "
            "is kept.",
        ),
        Mistake(
            "focal.gamma_as_factor",
            _gamma_as_factor,
            "You multiplied by gamma. It is an exponent: (1 − p) to the power of gamma.",
        ),
        Mistake(
            "focal.gamma_ignored",
            _gamma_ignored,
            "gamma has no effect on your result, which is cross-entropy for every gamma.",
        ),
        Mistake(
            "focal.weight_ignored",
            _weight_ignored,
            "The weight has no effect on your result. `weight[labels]` looks up a factor for "
            "every pixel; give void pixels some class first.",
        ),
    ),
)
