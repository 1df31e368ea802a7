"""What the mean of a weighted loss divides by."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def weighted_mean(loss, labels, weight):
    """Mean of the pixels' losses, weighted by class, as PyTorch takes it.

    loss: (N, H, W), 0 at void; labels: (N, H, W), 255 is void; weight: (C,).
    If every pixel is void the result is 0.
    """
    raise NotImplementedError
'''


def weighted_mean(loss, labels, weight):
    """Divide by the weights of the judged pixels, not by their number."""
    judged = labels != VOID
    factor = weight[labels.where(judged, 0)] * judged  # 0 at void
    total = factor.sum()
    return (factor * loss).sum() / total.where(total > 0, 1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void, one of a single class, and one that is all void."""
    made = []
    weights = ([1.0, 9.0], [0.5, 2.0, 8.0], [10.0, 30.0, 3.0, 1.0], [0.1, 0.4, 0.2])
    shapes = ((1, 1, 2), (2, 3, 4), (3, 5, 2), (1, 1, 3))
    for weight, (n, h, w) in zip(weights, shapes, strict=True):
        labels = torch.randint(len(weight), (n, h, w), generator=generator)
        loss = 3 * torch.rand(n, h, w, generator=generator)
        labels.view(-1)[: len(weight)] = torch.arange(len(weight))  # every class occurs
        if h > 1:
            labels[0, -1, 1:] = VOID  # more of it in the first picture
        made.append(Case((loss * (labels != VOID), labels, torch.tensor(weight))))
    one_class = torch.full((2, 3, 5), 2)
    one_class[1, 0] = VOID
    loss = torch.rand(2, 3, 5, generator=generator) * (one_class != VOID)
    made.append(Case((loss, one_class, torch.tensor([1.0, 3.0, 7.0]))))
    nothing = torch.full((2, 4, 3), VOID)
    made.append(Case((torch.zeros(2, 4, 3), nothing, torch.tensor([1.0, 2.0, 5.0]))))
    return made


def _factors(labels, weight):
    judged = labels != VOID
    return weight[labels.where(judged, 0)] * judged, judged


def _by_count(loss, labels, weight):
    factor, judged = _factors(labels, weight)
    return (factor * loss).sum() / judged.sum().clamp(min=1)


def _by_count_or_nan(loss, labels, weight):
    factor, judged = _factors(labels, weight)
    return (factor * loss)[judged].mean()


def _by_all_pixels(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).mean()


def _nan(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).sum() / factor.sum()


def _ignored(loss, labels, weight):
    return loss.sum() / (labels != VOID).sum().clamp(min=1)


def _by_all_weights(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).sum() / weight.sum()


def _made_to_add_up(loss, labels, weight):
    return _by_count(loss, labels, weight / weight.sum())


def _void_in_the_divisor(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).sum() / weight[labels.where(labels != VOID, 0)].sum()


def _by_class(loss, labels, weight):
    total = divisor = torch.zeros(())
    for label, factor in enumerate(weight):
        own = labels == label
        if own.any():
            total = total + factor * loss[own].mean()
            divisor = divisor + factor
    return total / divisor.clamp(min=1e-12)


def _per_picture(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    means = (factor * loss).sum((1, 2)) / factor.sum((1, 2)).clamp(min=1e-12)
    return means.mean()


def _upside_down(loss, labels, weight):
    return weighted_mean(loss, labels, 1 / weight)


def _sum(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).sum()


def _held_at_one(loss, labels, weight):
    factor, _ = _factors(labels, weight)
    return (factor * loss).sum() / factor.sum().clamp(min=1)


def _only_below(loss, labels, weight):
    total = _factors(labels, weight)[0].sum()
    return loss.sum() / total.where(total > 0, 1)


exercise = Exercise(
    name="weighted_mean",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "`weight[labels]` looks up a factor for every pixel, if every label is a class. Give void "
        "some class first, and multiply its factor by 0 afterwards.",
        "A weighted mean divides by the sum of the weights that were used: a pixel of weight 9 "
        "counts like nine pixels. If all of them are 0, divide by 1 in place of 0.",
    ),
    solution=weighted_mean,
    why=(
        "With weights (1, 9), a pixel of class 1 counts like nine pixels, so it has to count nine "
        "times below the line as well. That is why multiplying all weights by 10 changes nothing, "
        "and why in a batch of a single class the weights cancel. A crop that is all void has "
        "nothing to teach: its loss is 0, where `F.cross_entropy` gives NaN."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "ce.weights_norm",
            _by_count,
            "You divided by the number of judged pixels. PyTorch divides by the sum of their "
            "weights, so that the scale of the weights does not matter. (Other libraries do as "
            "you did; their loss is then not comparable.)",
        ),
        Mistake(
            "ce.weights_norm_empty",
            _by_count_or_nan,
            "Two things: a weighted mean divides by the sum of the weights of the judged pixels, "
            "not by their number; and where every pixel is void, yours is NaN.",
        ),
        Mistake(
            "ce.ignore_mean",
            _by_all_pixels,
            "You divided by all pixels, void ones included. Divide by the sum of the weights of "
            "the judged pixels.",
        ),
        Mistake(
            "ce.all_ignored",
            _nan,
            "Right, until every pixel is void: 0/0 is NaN, and so is any mean that it enters. "
            "Divide by 1 if the weights add up to 0.",
        ),
        Mistake(
            "ce.weights_ignored",
            _ignored,
            "The weights have no effect on your result. Look up a factor for each pixel: "
            "`weight[labels]`, with some class in place of void.",
        ),
        Mistake(
            "ce.weights_listed",
            _by_all_weights,
            "You divided by the sum of the C listed weights. Every pixel brings its own weight: "
            "add them up over the judged pixels.",
        ),
        Mistake(
            "ce.weights_made_to_add_up",
            _made_to_add_up,
            "You made the C weights add up to 1 and then divided by the number of pixels. What "
            "has to add up are the weights of the pixels: divide by their sum.",
        ),
        Mistake(
            "ce.weights_of_void",
            _void_in_the_divisor,
            "Void pixels add 0 above the line and the weight of class 0 below it. They have to be "
            "left out of both.",
        ),
        Mistake(
            "ce.weights_by_class",
            _by_class,
            "You averaged within each class first. Then a class with one pixel counts as much as "
            "one with a thousand, before any weight. Here each pixel brings its weight.",
        ),
        Mistake(
            "ce.mean_of_means",
            _per_picture,
            "You averaged within each picture, then over pictures. One mean over the whole batch "
            "is asked for.",
        ),
        Mistake(
            "ce.weights_upside_down",
            _upside_down,
            "You divided by the weights where you should have multiplied: your classes of large "
            "weight count least.",
        ),
        Mistake(
            "ce.sum",
            _sum,
            "You added up the weighted losses. Divide by the sum of the weights of the judged "
            "pixels.",
        ),
        Mistake(
            "ce.weights_held_at_1",
            _held_at_one,
            "You held the divisor at 1 or above. A count is never between 0 and 1; a sum of "
            "weights may be, as for weights (0.1, 0.2) on two pixels. Replace the divisor only "
            "where it is 0.",
        ),
        Mistake(
            "ce.weights_only_below",
            _only_below,
            "The weights stand below the line and not above it. Multiply each pixel's loss by "
            "its weight, too.",
        ),
    ),
)
