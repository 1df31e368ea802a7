"""Four pixels with a pencil: the loss of each, and what each does to its logits."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

VOID = 255
# e to the power of each logit: ln 5, ln 3 and ln 2 at the first pixel. Every row but the last
# adds up to ten, so that the probabilities are round numbers.
POWERS = (
    (5, 3, 2),
    (8, 1, 1),
    (6, 1, 3),
    (2, 1, 1),
)
LABELS = (2, 0, 1, VOID)

STUB = """
pixel_by_hand = [  # the loss, then the three gradients; two decimals
    [None, None, None, None],  # pixel A
    [None, None, None, None],  # pixel B
    [None, None, None, None],  # pixel C
    [None, None, None, None],  # pixel D, void
]
"""


def pixel_by_hand():
    """Divide by the sum; minus the logarithm at the label; there, take 1 away."""
    rows = []
    for powers, label in zip(POWERS, LABELS, strict=True):
        if label == VOID:
            rows.append([0.0, 0.0, 0.0, 0.0])
            continue
        p = torch.tensor(powers) / sum(powers)
        gradient = p.clone()
        gradient[label] -= 1
        rows.append([-p[label].log().item(), *gradient.tolist()])
    return torch.tensor(rows, dtype=torch.float16)  # two decimals


def _probabilities(labels=LABELS):
    """The judged pixels' rows, their probabilities, and that of the label."""
    for row, label in enumerate(labels):
        if label != VOID:
            p = torch.tensor(POWERS[row]) / sum(POWERS[row])
            yield row, label, p


def _with_losses(loss):
    table = pixel_by_hand()
    for row, label, p in _probabilities():
        table[row, 0] = loss(p, label)
    return table


def _with_gradients(gradient):
    table = pixel_by_hand()
    for row, label, p in _probabilities():
        table[row, 1:] = gradient(p, label)
    return table


def _at(label, value):
    return torch.zeros(3).index_fill(0, torch.tensor(label), value)


def _base_ten():
    return _with_losses(lambda p, label: -p[label].log10())


def _base_two():
    return _with_losses(lambda p, label: -p[label].log2())


def _minus_forgotten():
    return _with_losses(lambda p, label: p[label].log())


def _largest():
    return _with_losses(lambda p, label: -p.max().log())


def _missing_part():
    return _with_losses(lambda p, label: 1 - p[label])


def _sign():
    return _with_gradients(lambda p, label: _at(label, 1.0) - p)


def _one_forgotten():
    return _with_gradients(lambda p, label: p)


def _only_at_the_label():
    return _with_gradients(lambda p, label: _at(label, float(p[label]) - 1))


def _by_probability():
    return _with_gradients(lambda p, label: _at(label, -1 / float(p[label])))


def _void_is_a_class():
    table = pixel_by_hand()
    table[3] = torch.tensor([0.6931, -0.5, 0.25, 0.25])
    return table


exercise = Exercise(
    name="pixel_by_hand",
    kind="value",
    minutes=8,
    difficulty=1,
    stub=STUB,
    hints=(
        "Softmax divides each power by the sum of the three: at pixel A the probabilities are "
        "0.5, 0.3 and 0.2. The loss looks at one of them, that of the label. The gradient of a "
        "pixel is a number for each class: the probability, less 1 at the label.",
        "Pixel A: the label is 2, so the loss is −ln 0.2 = 1.61. The gradient is 0.5, 0.3 and "
        "0.2 − 1 = −0.8; its three numbers add up to 0. A pixel that is void has no loss, and "
        "nothing to say to its logits.",
    ),
    solution=pixel_by_hand,
    why=(
        "Pixel B is nearly right and hardly asks for a change; pixel C is sure and wrong, and asks "
        "for the most. No number of a gradient can go beyond 1, however wrong the pixel: that "
        "keeps training calm. And every row adds up to 0, because adding the same number to all "
        "logits of a pixel changes nothing."
    ),
    mistakes=(
        Mistake(
            "pixel.base_ten",
            _base_ten,
            "Your losses are logarithms to base 10. Cross-entropy takes the natural logarithm: "
            "`ln` on a calculator, `math.log` in Python.",
        ),
        Mistake(
            "pixel.base_two",
            _base_two,
            "Your losses are logarithms to base 2. Then the loss is in bits; PyTorch takes the "
            "natural logarithm, `math.log`.",
        ),
        Mistake(
            "pixel.minus",
            _minus_forgotten,
            "The minus sign of the loss is missing. The logarithm of a probability is negative; "
            "the loss is minus that, so that less is better.",
        ),
        Mistake(
            "pixel.largest",
            _largest,
            "Your losses look at the largest probability. The loss asks for that of the label, "
            "however small it is. A pixel that is sure and wrong is the expensive one.",
        ),
        Mistake(
            "pixel.missing_part",
            _missing_part,
            "Your losses are 1 − p. That is how much probability is missing; the loss is −ln p, "
            "which grows without end as p goes to 0.",
        ),
        Mistake(
            "pixel.sign",
            _sign,
            "All your gradients have the wrong sign: you took p away from the label. The gradient "
            "points uphill, so it is negative at the label, whose logit has to rise.",
        ),
        Mistake(
            "pixel.one_forgotten",
            _one_forgotten,
            "Your gradients are the probabilities. At the label, take away 1: that is the only "
            "place where the label enters.",
        ),
        Mistake(
            "pixel.only_at_the_label",
            _only_at_the_label,
            "You left the other two classes without a gradient. Softmax divides by the sum of all "
            "three powers, so every logit moves the probability of the label.",
        ),
        Mistake(
            "pixel.by_probability",
            _by_probability,
            "You took the gradient with respect to the probability, −1/p. Asked for is the one "
            "with respect to the logits, in front of the softmax: p, less 1 at the label.",
        ),
        Mistake(
            "pixel.void",
            _void_is_a_class,
            "You took pixel D for class 0. It is void, so nobody knows its class: it has no loss "
            "and no gradient.",
        ),
    ),
)
