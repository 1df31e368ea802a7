"""Cross-entropy against labels that are not quite certain."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

VOID = 255

STUB = '''
def label_smoothing(logits, labels, smoothing=0.1):
    """Mean cross-entropy against smoothed labels, over the judged pixels.

    logits: (N, C, H, W); labels: (N, H, W), 255 is void: not judged. The
    share `smoothing` of each label is spread evenly over all C classes.
    """
    raise NotImplementedError
'''


def label_smoothing(logits, labels, smoothing=0.1):
    """Keep 1 − ε of the label; spread ε over all classes, its own too."""
    judged = labels != VOID  # (N, H, W)
    truth = F.one_hot(labels.where(judged, 0), logits.shape[1]).movedim(-1, 1)
    target = (1 - smoothing) * truth + smoothing / logits.shape[1]
    loss = -(target * logits.log_softmax(1)).sum(1)  # (N, H, W)
    return loss[judged].mean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void; smoothing from none to much."""
    made = []
    for n, c, h, w, settings in (
        (1, 3, 2, 4, {}),
        (2, 4, 3, 5, {"smoothing": 0.0}),
        (3, 2, 5, 4, {"smoothing": 0.3}),
        (2, 5, 4, 3, {"smoothing": 0.6}),
    ):
        logits = 2 * torch.randn(n, c, h, w, generator=generator)
        labels = torch.randint(c, (n, h, w), generator=generator)
        labels[0, :, :2] = VOID
        labels[-1, -1, -1] = c - 1
        made.append(Case((logits, labels), settings))
    return made


def _against(logits, labels, own, others):
    """Mean loss when the label's class has the share `own`, each other class `others`."""
    judged = labels != VOID
    truth = F.one_hot(labels.where(judged, 0), logits.shape[1]).movedim(-1, 1)
    target = others + (own - others) * truth
    return -(target * logits.log_softmax(1)).sum(1)[judged].mean()


def _to_the_others(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1 - smoothing, smoothing / (logits.shape[1] - 1))


def _nothing_taken(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1.0, smoothing / logits.shape[1])


def _nothing_taken_all_given(logits, labels, smoothing=0.1):
    share = smoothing / logits.shape[1]
    return _against(logits, labels, 1.0 + share, share)


def _own_share_lost(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1 - smoothing, smoothing / logits.shape[1])


def _not_spread(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1 - smoothing, smoothing)


def _only_scaled(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1 - smoothing, 0.0)


def _ignored(logits, labels, smoothing=0.1):
    return _against(logits, labels, 1.0, 0.0)


def _exchanged(logits, labels, smoothing=0.1):
    return label_smoothing(logits, labels, 1 - smoothing)


def _void_counted(logits, labels, smoothing=0.1):
    judged = labels != VOID
    return label_smoothing(logits, labels, smoothing) * judged.sum() / labels.numel()


def _void_is_evenly_spread(logits, labels, smoothing=0.1):
    judged = labels != VOID
    truth = F.one_hot(labels.where(judged, 0), logits.shape[1]).movedim(-1, 1)
    target = (1 - smoothing) * truth * judged[:, None] + smoothing / logits.shape[1]
    return -(target * logits.log_softmax(1)).sum(1).sum() / judged.sum()


def _void_is_class_0(logits, labels, smoothing=0.1):
    return label_smoothing(logits, labels.where(labels != VOID, 0), smoothing)


def _mean_over_classes(logits, labels, smoothing=0.1):
    return label_smoothing(logits, labels, smoothing) / logits.shape[1]


def _against_probabilities(logits, labels, smoothing=0.1):
    return label_smoothing(logits.softmax(1), labels, smoothing)


def _void_in_the_even_part(logits, labels, smoothing=0.1):
    plain = F.cross_entropy(logits, labels, ignore_index=VOID)
    return (1 - smoothing) * plain - smoothing * logits.log_softmax(1).mean()


def _sum(logits, labels, smoothing=0.1):
    return label_smoothing(logits, labels, smoothing) * (labels != VOID).sum()


def _sign(logits, labels, smoothing=0.1):
    return -label_smoothing(logits, labels, smoothing)


exercise = Exercise(
    name="label_smoothing",
    kind="function",
    minutes=12,
    difficulty=3,
    stub=STUB,
    hints=(
        "Write the smoothed label as a distribution over the C classes: with C = 4 and ε = 0.1 "
        "each class gets 0.025, and the label's class keeps 0.9 on top of it. Does it add up to 1?",
        "The loss of a pixel is −Σ q log p over all classes, q being the smoothed label; for ε = 0 "
        "only one term is left. It can be written without one-hot labels: (1 − ε) times the loss "
        "you know, plus ε times the mean of −log p over the classes.",
    ),
    solution=label_smoothing,
    why=(
        "A label that says 0.925 and not 1 is reached by finite logits. Past that point, growing "
        "surer makes the loss rise. The price is a floor: the loss cannot fall below the entropy "
        "of the smoothed label, so compare it with other losses only at the same ε."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _to_the_others,
            "You spread ε over the C − 1 other classes, so that the label's class keeps 1 − ε. "
            "Some libraries do. PyTorch spreads it over all C; yours equals its result for "
            "ε·C/(C − 1).",
        ),
    ),
    mistakes=(
        Mistake(
            "smooth.nothing_taken",
            _nothing_taken,
            "Your label's class keeps 1 and the others get ε/C: together more than 1. What the "
            "others get has to be taken away from the label.",
        ),
        Mistake(
            "smooth.added",
            _nothing_taken_all_given,
            "You added ε/C to every class of the one-hot label, which then adds up to 1 + ε. "
            "Multiply the label by 1 − ε first.",
        ),
        Mistake(
            "smooth.own_share_lost",
            _own_share_lost,
            "Your distribution adds up to 1 − ε/C. ε is spread over all C classes, so the label's "
            "class has 1 − ε + ε/C.",
        ),
        Mistake(
            "smooth.not_spread",
            _not_spread,
            "You gave ε to each of the other classes. They share it: ε/C for each class.",
        ),
        Mistake(
            "smooth.only_scaled",
            _only_scaled,
            "You took ε away from the label and gave it to nobody. That only makes the loss "
            "smaller, by the factor 1 − ε; its minimum is where it was.",
        ),
        Mistake(
            "smooth.ignored",
            _ignored,
            "`smoothing` has no effect on your result.",
        ),
        Mistake(
            "smooth.exchanged",
            _exchanged,
            "You exchanged ε and 1 − ε: with a smoothing of 0.1 your labels are nearly even. "
            "With 0 they have to be the labels themselves.",
        ),
        Mistake(
            "ce.ignore_mean",
            _void_counted,
            "You divided by all pixels, void ones included. Divide by the judged ones.",
        ),
        Mistake(
            "smooth.void_spread",
            _void_is_evenly_spread,
            "Your void pixels have lost their label, and kept their share of ε: they still pull "
            "toward even probabilities. Leave them out altogether.",
        ),
        Mistake(
            "ce.void_class",
            _void_is_class_0,
            "You judged void pixels as class 0. Soft labels have no `ignore_index`: drop the void "
            "pixels yourself, before the mean.",
        ),
        Mistake(
            "ce.over_classes",
            _mean_over_classes,
            "Your result is smaller by the number of classes: add over the classes, and average "
            "over the pixels.",
        ),
        Mistake(
            "ce.softmax_first",
            _against_probabilities,
            "You took softmax twice: probabilities went where logits are expected.",
        ),
        Mistake(
            "smooth.void_in_the_even_part",
            _void_in_the_even_part,
            "The part of the label leaves void out; the even part, the mean of −log p over the "
            "classes, is still taken over all pixels. Drop void from both.",
        ),
        Mistake(
            "ce.sum",
            _sum,
            "You added up the pixels. The mean is asked for: divide by how many are judged.",
        ),
        Mistake(
            "ce.minus",
            _sign,
            "The minus sign is missing. A log-probability is negative; the loss is minus that.",
        ),
    ),
)
