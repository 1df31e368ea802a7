"""Cross-entropy of label maps, from logits, with void left out."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def cross_entropy(logits, labels):
    """Mean of −ln p over the pixels that are not void.

    logits: (N, C, H, W); labels: (N, H, W), 255 is void. p is the probability
    of the pixel's own class. Some pixel is judged. Without F.cross_entropy.
    """
    raise NotImplementedError
'''


def cross_entropy(logits, labels):
    """Pick each pixel's log-probability; average over the judged ones."""
    judged = labels != VOID  # (N, H, W)
    classes = labels.where(judged, 0)  # gather needs a class at void too
    log_p = logits.log_softmax(1).gather(1, classes[:, None])[:, 0]
    return -log_p[judged].mean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void in unequal shares, and pixels that are sure and wrong."""
    made = []
    for n, c, h, w, scale in (
        (1, 3, 2, 4, 1.0),
        (2, 4, 3, 5, 2.0),
        (3, 2, 5, 4, 1.0),
        (2, 5, 4, 3, 3.0),
        (1, 4, 5, 2, 200.0),
    ):
        logits = scale * torch.randn(n, c, h, w, generator=generator)
        labels = torch.randint(c, (n, h, w), generator=generator)
        labels[0, :, :2] = VOID  # the first picture has more of it
        labels[-1, -1, -1] = c - 1
        logits[-1, :, -1, -1] = torch.linspace(scale, -scale, c)  # sure and wrong
        made.append(Case((logits, labels)))
    return made


def _each(logits, labels):
    """Cross-entropy of every pixel, 0 at void; and whether it is judged."""
    each = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none")
    return each, labels != VOID


def _mean_of_all(logits, labels):
    return _each(logits, labels)[0].mean()


def _sum(logits, labels):
    return _each(logits, labels)[0].sum()


def _sign(logits, labels):
    return -cross_entropy(logits, labels)


def _base_two(logits, labels):
    return cross_entropy(logits, labels) / torch.tensor(2.0).log()


def _softmax_first(logits, labels):
    return cross_entropy(logits.softmax(1), labels)


def _softmax_over_pictures(logits, labels):
    judged = labels != VOID
    classes = labels.where(judged, 0)
    return -logits.log_softmax(0).gather(1, classes[:, None])[:, 0][judged].mean()


def _void_is_class_0(logits, labels):
    return F.cross_entropy(logits, labels.where(labels != VOID, 0))


def _void_is_the_last(logits, labels):
    return F.cross_entropy(logits, labels.clamp(max=logits.shape[1] - 1))


def _mean_of_means(logits, labels):
    each, judged = _each(logits, labels)
    return (each.sum((1, 2)) / judged.sum((1, 2))).mean()


def _no_logarithm(logits, labels):
    return F.nll_loss(logits.softmax(1), labels, ignore_index=VOID)


def _raw_logits(logits, labels):
    return F.nll_loss(logits, labels, ignore_index=VOID)


def _log_zero(logits, labels):
    return F.nll_loss(logits.softmax(1).log(), labels, ignore_index=VOID)


def _added_little(logits, labels):
    return F.nll_loss((logits.softmax(1) + 1e-8).log(), labels, ignore_index=VOID)


def _over_classes_too(logits, labels):
    return cross_entropy(logits, labels) / logits.shape[1]


def _spread(logits, labels):
    judged = labels != VOID
    each = -logits.log_softmax(1).gather(1, labels.where(judged, 0)[:, None])
    return (each * judged).sum() / judged.sum()  # (N, N, H, W) by broadcasting


def _per_picture(logits, labels):
    return _each(logits, labels)[0].sum() / len(logits)


exercise = Exercise(
    name="cross_entropy",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "`logits.log_softmax(1)` holds a log-probability for every class of every pixel. `gather` "
        "picks one class at each pixel: its index needs the shape (N, 1, H, W), so "
        "`labels[:, None]`. But 255 is no class: gather would run off the end.",
        "Give void pixels some class, say 0, before you gather, and drop them afterwards with a "
        "map of truth values: `labels != 255`, made before. Then take the mean of what is left, "
        "over the whole batch at once.",
    ),
    solution=cross_entropy,
    why=(
        "`log_softmax` in one step keeps a pixel that is sure and wrong finite. Indexing with the "
        "map of judged pixels does two things at once: void drops out of the sum and out of the "
        "number that the sum is divided by. Forget the second, and the loss of a crop falls with "
        "the share of it that nobody labeled."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "ce.ignore_mean",
            _mean_of_all,
            "You divided by all pixels, void ones included. They add nothing to the sum, so a "
            "picture that is half void would have half the loss. Divide by the judged pixels.",
        ),
        Mistake(
            "ce.softmax_first",
            _softmax_first,
            "You took softmax twice: probabilities went where logits are expected. They lie "
            "between 0 and 1, so the second softmax makes them nearly equal, and the loss can "
            "never come near 0.",
        ),
        Mistake(
            "ce.softmax_dim",
            _softmax_over_pictures,
            "You normalized over the pictures of the batch. The classes of a pixel are on axis 1.",
        ),
        Mistake(
            "ce.void_class",
            _void_is_class_0,
            "You judged void pixels as class 0. The network would learn to see it where nobody "
            "knows what is there. Drop these pixels after gathering.",
        ),
        Mistake(
            "ce.void_last",
            _void_is_the_last,
            "You judged void pixels as the last class. Clamping makes the index legal and the "
            "label wrong. Drop these pixels after gathering.",
        ),
        Mistake(
            "ce.log_zero",
            _log_zero,
            "Where a pixel is sure and wrong, your loss is infinite: its probability was rounded "
            "to 0 before the logarithm. `log_softmax` takes both steps in one.",
        ),
        Mistake(
            "ce.epsilon",
            _added_little,
            "You added 1e-8 inside the logarithm. It saves you from inf and puts an end to the "
            "loss at 18.4, where the gradient is gone. `log_softmax` needs no such help.",
        ),
        Mistake(
            "ce.mean_of_means",
            _mean_of_means,
            "You averaged within each picture, then over pictures. The pixels of a picture with "
            "much void then weigh more than others. One mean over all judged pixels is asked for.",
        ),
        Mistake(
            "ce.broadcast",
            _spread,
            "You combined (N, 1, H, W), as `gather` returns it, with (N, H, W). Broadcasting pairs "
            "every picture with every label map, without a word. Drop the axis first: `[:, 0]`.",
        ),
        Mistake(
            "ce.per_picture",
            _per_picture,
            "You divided by the number of pictures. Divide by the number of judged pixels: else "
            "the loss grows with the size of the picture.",
        ),
        Mistake(
            "ce.over_classes",
            _over_classes_too,
            "Your result is smaller by the number of classes. Of the C numbers of a pixel only one "
            "counts; a mean over a one-hot product divides by all of them.",
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
        Mistake(
            "ce.base_two",
            _base_two,
            "You took logarithms to base 2: your loss is in bits. PyTorch takes the natural "
            "logarithm.",
        ),
        Mistake(
            "ce.no_logarithm",
            _no_logarithm,
            "The logarithm is missing: your result is minus the mean probability. `nll_loss` "
            "expects log-probabilities; its name does not mean that it takes the logarithm.",
        ),
        Mistake(
            "ce.raw_logits",
            _raw_logits,
            "You picked the logits themselves. They are not normalized: add 5 to all of them and "
            "your loss falls by 5. Take `log_softmax` first.",
        ),
    ),
)
