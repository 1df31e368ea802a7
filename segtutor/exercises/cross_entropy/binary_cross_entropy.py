"""One logit a pixel: the binary loss that never takes the logarithm of 0."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def binary_cross_entropy(logits, labels, pos_weight=1.0):
    """Mean binary cross-entropy over the pixels that are not void.

    logits: (N, 1, H, W), before any sigmoid; labels: (N, H, W) of 0, 1 and
    255, void. The loss of a pixel of class 1 is multiplied by pos_weight.
    Without F.binary_cross_entropy_with_logits.
    """
    raise NotImplementedError
'''


def binary_cross_entropy(logits, labels, pos_weight=1.0):
    """−ln sigmoid(z) at class 1, −ln sigmoid(−z) at class 0."""
    z = logits[:, 0]  # (N, H, W)
    loss = torch.where(labels == 1, -pos_weight * F.logsigmoid(z), -F.logsigmoid(-z))
    return loss[labels != VOID].mean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void and few positives; one has logits beyond ±200."""
    made = []
    for n, h, w, scale, settings in (
        (2, 3, 4, 1.0, {}),
        (3, 4, 5, 2.0, {"pos_weight": 4.0}),
        (2, 5, 3, 1.0, {"pos_weight": 0.5}),
        (3, 2, 4, 150.0, {}),
        (2, 4, 6, 3.0, {"pos_weight": 10.0}),
    ):
        logits = scale * torch.randn(n, 1, h, w, generator=generator)
        labels = (torch.rand(n, h, w, generator=generator) < 0.3).long()
        labels[0, 0, :2] = VOID
        labels[0, 1, 0], labels[-1, -1, -1], labels[-1, -1, -2] = VOID, 1, 0
        if scale > 100:  # sure and right, sure and wrong, on both sides
            logits[-1, 0, -1] = torch.tensor([250.0, -250.0, 250.0, -250.0])
            labels[-1, -1] = torch.tensor([1, 0, 0, 1])
        made.append(Case((logits, labels), settings))
    return made


def _losses(labels, positive, negative):
    """The loss of each pixel and whether it is judged, from its two sides."""
    return torch.where(labels == 1, positive, negative), labels != VOID


def _with_weights(logits, labels, positive, negative):
    z = logits[:, 0]
    return _losses(labels, -positive * F.logsigmoid(z), -negative * F.logsigmoid(-z))


def _mean(loss, judged):
    return loss[judged].mean()


def _sigmoid_twice(logits, labels, pos_weight=1.0):
    return binary_cross_entropy(logits.sigmoid(), labels, pos_weight)


def _log_zero(logits, labels, pos_weight=1.0):
    p, y = logits[:, 0].sigmoid(), labels.float()
    loss = -(pos_weight * y * p.log() + (1 - y) * (1 - p).log())
    return _mean(loss, labels != VOID)


def _log_zero_chosen(logits, labels, pos_weight=1.0):
    p = logits[:, 0].sigmoid()
    return _mean(*_losses(labels, -pos_weight * p.log(), -(1 - p).log()))


def _added_little(logits, labels, pos_weight=1.0):
    p = logits[:, 0].sigmoid()
    positive, negative = -pos_weight * (p + 1e-8).log(), -(1 - p + 1e-8).log()
    return _mean(*_losses(labels, positive, negative))


def _held_at_100(logits, labels, pos_weight=1.0):
    judged = labels != VOID
    p, y = logits[:, 0].sigmoid()[judged], labels[judged].float()
    return F.binary_cross_entropy(p, y, weight=1 + (pos_weight - 1) * y)


def _weight_on_negatives(logits, labels, pos_weight=1.0):
    return _mean(*_with_weights(logits, labels, 1.0, pos_weight))


def _weight_on_both(logits, labels, pos_weight=1.0):
    return _mean(*_with_weights(logits, labels, pos_weight, pos_weight))


def _weight_ignored(logits, labels, pos_weight=1.0):
    return binary_cross_entropy(logits, labels)


def _divided_by_weights(logits, labels, pos_weight=1.0):
    loss, judged = _with_weights(logits, labels, pos_weight, 1.0)
    weights = 1 + (pos_weight - 1) * (labels == 1)
    return loss[judged].sum() / weights[judged].sum()


def _negatives_forgotten(logits, labels, pos_weight=1.0):
    return _mean(*_with_weights(logits, labels, pos_weight, 0.0))


def _void_counted(logits, labels, pos_weight=1.0):
    loss, judged = _with_weights(logits, labels, pos_weight, 1.0)
    return (loss * judged).mean()


def _void_is_0(logits, labels, pos_weight=1.0):
    return binary_cross_entropy(logits, labels.where(labels != VOID, 0), pos_weight)


def _void_is_1(logits, labels, pos_weight=1.0):
    return binary_cross_entropy(logits, labels.clamp(max=1), pos_weight)


def _spread(logits, labels, pos_weight=1.0):
    judged = labels != VOID
    y = labels.where(judged, 0).float()
    loss = -(pos_weight * y * F.logsigmoid(logits) + (1 - y) * F.logsigmoid(-logits))
    return (loss * judged).sum() / judged.sum()  # (N, N, H, W) by broadcasting


def _sum(logits, labels, pos_weight=1.0):
    return binary_cross_entropy(logits, labels, pos_weight) * (labels != VOID).sum()


exercise = Exercise(
    name="binary_cross_entropy",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "The probability of class 1 is sigmoid(z), that of class 0 is 1 − sigmoid(z) = "
        "sigmoid(−z). So both sides of the loss are −ln of a sigmoid, and `F.logsigmoid` takes "
        "the logarithm without ever making the sigmoid.",
        "The logits have an axis of size 1 that the labels do not have: `logits[:, 0]` removes it, "
        "or broadcasting will pair every picture with every label map. `torch.where` chooses the "
        "side; then keep the judged pixels, and take their mean.",
    ),
    solution=binary_cross_entropy,
    why=(
        "sigmoid(250) is 1 in floating point, 1 minus that is 0, and its logarithm is −inf; times "
        "a label of 0 it is NaN. logsigmoid(−250) is −250. PyTorch divides by the number of "
        "pixels, whatever pos_weight is. That differs from the class weights of its cross_entropy, "
        "where the weights are below the line too."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "bce.sigmoid_twice",
            _sigmoid_twice,
            "You took the sigmoid twice. After the first one all values lie between 0 and 1, and "
            "the second makes 0.5 to 0.73 of them: a loss that cannot fall below 0.31 at class 1 "
            "and 0.69 at class 0.",
        ),
        Mistake(
            "bce.log_zero",
            _log_zero,
            "Right for quiet logits. At 250 a power overflows, or a sigmoid is exactly 1 and 1 − p "
            "is 0: a logarithm is infinite, and times a label of 0 it is NaN. `F.logsigmoid` and "
            "`F.softplus` take the logarithm in one step.",
        ),
        Mistake(
            "bce.log_zero_chosen",
            _log_zero_chosen,
            "Right for quiet logits. A pixel that is sure and wrong has an infinite loss here: its "
            "sigmoid was rounded to 0 or 1 before the logarithm. `F.logsigmoid` avoids it.",
        ),
        Mistake(
            "bce.epsilon",
            _added_little,
            "You added 1e-8 inside the logarithm. Now the loss of a pixel that is sure and wrong "
            "stops at 18.4, and its gradient is gone. `F.logsigmoid` needs no such help.",
        ),
        Mistake(
            "bce.held_at_100",
            _held_at_100,
            "`F.binary_cross_entropy` on probabilities holds its logarithms at −100: a pixel with "
            "logit −250 should cost 250. Work from the logits, with `F.logsigmoid`.",
        ),
        Mistake(
            "bce.weight_on_negatives",
            _weight_on_negatives,
            "Your pos_weight multiplies the pixels of class 0. It is for the positives, class 1.",
        ),
        Mistake(
            "bce.weight_on_both",
            _weight_on_both,
            "Your pos_weight multiplies every pixel. Then it balances nothing: only class 1 gets "
            "it.",
        ),
        Mistake(
            "bce.weight_ignored",
            _weight_ignored,
            "pos_weight has no effect on your result.",
        ),
        Mistake(
            "bce.divided_by_weights",
            _divided_by_weights,
            "You divided by the sum of the weights. That is how PyTorch's `cross_entropy` treats "
            "its class weights; for `pos_weight` it divides by the number of pixels.",
        ),
        Mistake(
            "bce.negatives_forgotten",
            _negatives_forgotten,
            "Pixels of class 0 cost nothing in your loss: a network that says 1 everywhere would "
            "be perfect. They cost −ln(1 − p).",
        ),
        Mistake(
            "ce.ignore_mean",
            _void_counted,
            "You divided by all pixels, void ones included. Divide by the judged ones.",
        ),
        Mistake(
            "bce.void_is_0",
            _void_is_0,
            "You judged void pixels as class 0. Leave them out.",
        ),
        Mistake(
            "bce.void_is_1",
            _void_is_1,
            "You judged void pixels as class 1. Leave them out: 255 is no truth value.",
        ),
        Mistake(
            "bce.broadcast",
            _spread,
            "You combined (N, 1, H, W) with (N, H, W). Broadcasting pairs every picture with "
            "every label map of the batch, without a word. Take `logits[:, 0]` first.",
        ),
        Mistake(
            "ce.sum",
            _sum,
            "You added up the pixels. The mean is asked for.",
        ),
    ),
)
