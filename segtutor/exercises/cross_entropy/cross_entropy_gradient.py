"""The gradient of cross-entropy, without asking autograd."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def cross_entropy_gradient(logits, labels):
    """Gradient of the mean cross-entropy with respect to the logits.

    logits: (N, C, H, W); labels: (N, H, W), 255 is void. The mean is over the
    pixels that are not void. The result has the shape of the logits.
    """
    raise NotImplementedError
'''


def cross_entropy_gradient(logits, labels):
    """(p − y) at each judged pixel, divided by how many there are."""
    judged = labels != VOID  # (N, H, W)
    classes = labels.where(judged, 0)
    truth = F.one_hot(classes, logits.shape[1]).movedim(-1, 1)  # like logits
    gradient = (logits.softmax(1) - truth) * judged[:, None]
    return gradient / judged.sum()


def cases(generator: torch.Generator) -> list[Case]:
    """Return one pixel, then batches with void in unequal shares."""
    first = torch.tensor([5.0, 3.0, 2.0]).log().reshape(1, 3, 1, 1)
    made = [Case((first, torch.full((1, 1, 1), 2)))]
    for n, c, h, w in ((1, 3, 2, 4), (2, 4, 3, 5), (3, 2, 5, 4), (2, 5, 4, 3)):
        logits = 2 * torch.randn(n, c, h, w, generator=generator)
        labels = torch.randint(c, (n, h, w), generator=generator)
        labels[0, :, :2] = VOID
        labels[-1, -1, -1] = c - 1
        made.append(Case((logits, labels)))
    return made


def _parts(logits, labels):
    """Probabilities, one-hot labels with zeros at void, and a map of the judged pixels."""
    judged = (labels != VOID)[:, None]
    truth = F.one_hot(labels.where(judged[:, 0], 0), logits.shape[1]).movedim(-1, 1)
    return logits.softmax(1), truth * judged, judged


def _not_divided(logits, labels):
    return cross_entropy_gradient(logits, labels) * (labels != VOID).sum()


def _all_pixels(logits, labels):
    return _not_divided(logits, labels) / labels.numel()


def _per_picture(logits, labels):
    return _not_divided(logits, labels) / len(logits)


def _every_number(logits, labels):
    return cross_entropy_gradient(logits, labels) / logits.shape[1]


def _sign(logits, labels):
    return -cross_entropy_gradient(logits, labels)


def _void_pulls(logits, labels):
    p, truth, judged = _parts(logits, labels)
    return (p - truth) / judged.sum()


def _void_is_class_0(logits, labels):
    return cross_entropy_gradient(logits, labels.where(labels != VOID, 0))


def _one_forgotten(logits, labels):
    p, _, judged = _parts(logits, labels)
    return p * judged / judged.sum()


def _only_at_the_label(logits, labels):
    return cross_entropy_gradient(logits, labels) * _parts(logits, labels)[1]


def _by_probability(logits, labels):
    p, truth, judged = _parts(logits, labels)
    return -truth / p / judged.sum()


def _of_logits(logits, labels):
    _, truth, judged = _parts(logits, labels)
    return (logits - truth) * judged / judged.sum()


def _over_pictures(logits, labels):
    _, truth, judged = _parts(logits, labels)
    return (logits.softmax(0) - truth) * judged / judged.sum()


def _squared(logits, labels):
    p, truth, judged = _parts(logits, labels)
    return 2 * (p - truth) * judged / judged.sum()


def _void_pulls_too(logits, labels):
    p, truth, _ = _parts(logits, labels)
    return (p - truth) / labels.numel()


def _not_moved(logits, labels):
    judged = (labels != VOID)[:, None]
    truth = F.one_hot(labels.where(judged[:, 0], 0), logits.shape[1]).reshape(logits.shape)
    return (logits.softmax(1) - truth) * judged / judged.sum()


def _sigmoid(logits, labels):
    _, truth, judged = _parts(logits, labels)
    return (logits.sigmoid() - truth) * judged / judged.sum()


exercise = Exercise(
    name="cross_entropy_gradient",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "At one pixel the gradient is p − y: the probabilities, less 1 at the label. "
        "`F.one_hot(classes, C)` makes y with the classes on the last axis; `movedim(-1, 1)` "
        "brings them to axis 1. Give void pixels some class first.",
        "A void pixel must not move any logit: multiply by the map of judged pixels, with an axis "
        "for the classes put in, `judged[:, None]`. The loss is a mean over judged pixels, so "
        "each share is divided by their number.",
    ),
    solution=cross_entropy_gradient,
    why=(
        "Softmax and logarithm cancel so well that only a difference is left: what the network "
        "says less what is true. This is all that training ever hears from the loss. It is "
        "bounded by 1, it is 0 only when the pixel is surely right, and at each pixel its C "
        "numbers add up to 0."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "grad.not_divided",
            _not_divided,
            "You gave the gradient of the sum. The loss is a mean, so each pixel's share is "
            "divided by the number of judged pixels.",
        ),
        Mistake(
            "grad.all_pixels",
            _all_pixels,
            "You divided by all pixels, void ones included. The mean is over the judged ones: "
            "with much void your gradient is too small.",
        ),
        Mistake(
            "grad.per_picture",
            _per_picture,
            "You divided by the number of pictures. The mean is over pixels, all of the batch "
            "that are judged.",
        ),
        Mistake(
            "grad.every_number",
            _every_number,
            "Your gradient is too small by the number of classes. The mean is over pixels; the C "
            "numbers of a pixel belong to one loss.",
        ),
        Mistake(
            "grad.sign",
            _sign,
            "Your sign is the other way round: you computed y − p. The gradient points to more "
            "loss, so it is negative at the label. (The optimizer puts in the minus.)",
        ),
        Mistake(
            "grad.void_pulls",
            _void_pulls,
            "Your void pixels have no label and still a gradient, p itself, which pushes all their "
            "logits down. A pixel that is not judged has gradient 0.",
        ),
        Mistake(
            "grad.void_class",
            _void_is_class_0,
            "You judged void pixels as class 0. They have to drop out of the gradient, and out of "
            "the number that it is divided by.",
        ),
        Mistake(
            "grad.one_forgotten",
            _one_forgotten,
            "The labels do not enter your gradient: p alone pushes every logit down. Take away 1 "
            "at the label.",
        ),
        Mistake(
            "grad.only_at_the_label",
            _only_at_the_label,
            "Only the label's own logit has a gradient in your result. The others are in the sum "
            "that softmax divides by, and have to fall: their gradient is p.",
        ),
        Mistake(
            "grad.by_probability",
            _by_probability,
            "−1/p is the gradient with respect to the probability of the label. Go one step "
            "further back, through the softmax, to the logits.",
        ),
        Mistake(
            "grad.of_logits",
            _of_logits,
            "You subtracted the labels from the logits. Softmax comes first: p − y.",
        ),
        Mistake(
            "ce.softmax_dim",
            _over_pictures,
            "You took softmax over the pictures of the batch, axis 0. The classes are on axis 1.",
        ),
        Mistake(
            "grad.squared",
            _squared,
            "Your gradient is twice too large. The 2 belongs to a squared error; cross-entropy "
            "has none.",
        ),
        Mistake(
            "grad.void_pulls_too",
            _void_pulls_too,
            "Void has got in twice: such pixels have a gradient of p, and you divided by all "
            "pixels. Multiply by the map of judged pixels, and divide by how many there are.",
        ),
        Mistake(
            "grad.not_moved",
            _not_moved,
            "You reshaped the one-hot labels from (N, H, W, C) to (N, C, H, W). That keeps the "
            "numbers in line and mixes pixels with classes. Move the axis: `movedim(-1, 1)`.",
        ),
        Mistake(
            "grad.sigmoid",
            _sigmoid,
            "You took the sigmoid of each logit by itself. The classes of a pixel compete: p is "
            "the softmax over axis 1.",
        ),
    ),
)
