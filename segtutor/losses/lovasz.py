"""Lovász losses: IoU itself, made differentiable by sorting the errors.

1 − IoU is known for every *set* of wrong pixels. Its Lovász extension joins these values by
straight lines, so that it is defined for errors between 0 and 1 as well: sort the errors, the
worst first; each is multiplied by what its pixel adds to 1 − IoU when those before it are wrong
already. Berman, Triki and Blaschko, 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.losses.inputs import VOID, fitting
from segtutor.losses.module import LossModule
from segtutor.losses.overlap import Classes, counted_classes, mean_over_classes

__all__ = [
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "jaccard_steps",
    "lovasz_hinge",
    "lovasz_softmax",
]


def lovasz_softmax(
    logits: Tensor,
    labels: Tensor,
    *,
    classes: Classes = "present",
    per_image: bool = False,
    ignore_index: int = VOID,
) -> Tensor:
    """The Lovász extension of 1 − IoU at the errors of the softmax, averaged over classes.

    For predictions that are sure of every pixel this *is* 1 − mean IoU.

    Args:
        logits: (N, C, H, W) with C ≥ 2: the network's output, without a softmax.
        labels: (N, H, W), whole numbers from 0 to C − 1, or void.
        classes: The classes to average over: "present" for those that occur in the labels,
            "all", or a list such as [1, 2].
        per_image: Whether each image makes a loss of its own.
        ignore_index: The label of void.

    Returns:
        The loss, from 0 to 1, in float32 (float64 for logits in float64).

    Example:
        >>> logits = torch.tensor([[9.0, 9, -9], [-9, -9, 9]]).reshape(1, 2, 1, 3)
        >>> lovasz_softmax(logits, torch.tensor([[[0, 1, 1]]]))  # 1 − (1/2 + 1/2) / 2
        tensor(0.5000)
    """
    instead = "lovasz_hinge"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="softmax", instead=instead)
    counted = counted_classes(labels, judged, logits.shape[1], classes, per_image)  # (G, C)
    p = logits.softmax(1).unbind(1)  # C times (N, H, W)

    groups = range(len(labels)) if per_image else [slice(None)]
    # Zeros that come from the logits: with nothing but void, backward() still finds its way.
    loss = (0 * p[0].sum()).repeat(counted.shape)  # (G, C)
    for g, c in counted.nonzero().tolist():
        images = groups[g]
        truth = labels[images] == c
        error = (truth.to(p[c].dtype) - p[c][images]).abs()
        loss[g, c] = _extension(error, truth, judged[images])
    return mean_over_classes(loss, counted)


def lovasz_hinge(
    logits: Tensor, labels: Tensor, *, per_image: bool = False, ignore_index: int = VOID
) -> Tensor:
    """The Lovász extension of 1 − IoU of class 1, at the hinge errors of one logit a pixel.

    The error of a pixel is max(0, 1 − z) where the label is 1, max(0, 1 + z) where it is 0: it
    vanishes only beyond a margin of 1.

    Args:
        logits: (N, 1, H, W); a pixel is taken for class 1 if its logit is above 0.
        labels: (N, H, W) of 0, 1 and void.
        per_image: Whether each image makes a loss of its own.
        ignore_index: The label of void.

    Returns:
        The loss, 0 or more, in float32 (float64 for logits in float64).

    Example:
        >>> logits = torch.tensor([[[[2.0, 0.0, -2.0]]]])  # right, undecided, right
        >>> lovasz_hinge(logits, torch.tensor([[[1, 1, 0]]]))
        tensor(0.5000)
    """
    instead = "lovasz_softmax"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="sigmoid", instead=instead)
    truth = labels == 1  # (N, H, W)
    labels = 2 * labels.to(logits.dtype) - 1  # −1 and 1
    error = (1 - logits[:, 0] * labels).relu()
    if not per_image:
        error, truth, judged = error[None], truth[None], judged[None]  # one group of all images
    counted = judged.flatten(1).any(1)[:, None]  # (G, 1)
    if not error.numel():  # not a pixel, void or not
        return mean_over_classes(error.sum().expand(counted.shape), counted)
    loss = torch.stack(list(map(_extension, error, truth, judged)))[:, None]  # (G, 1)
    return mean_over_classes(loss, counted)


class LovaszSoftmaxLoss(LossModule):
    """`lovasz_softmax` as a module: the same settings, given once."""

    def __init__(
        self, *, classes: Classes = "present", per_image: bool = False, ignore_index: int = VOID
    ) -> None:
        super().__init__()
        self.classes = classes
        self.per_image = per_image
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return lovasz_softmax(
            logits,
            labels,
            classes=self.classes,
            per_image=self.per_image,
            ignore_index=self.ignore_index,
        )


class LovaszHingeLoss(LossModule):
    """`lovasz_hinge` as a module: the same settings, given once."""

    def __init__(self, *, per_image: bool = False, ignore_index: int = VOID) -> None:
        super().__init__()
        self.per_image = per_image
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return lovasz_hinge(
            logits, labels, per_image=self.per_image, ignore_index=self.ignore_index
        )


def _extension(error: Tensor, truth: Tensor, judged: Tensor) -> Tensor:
    """The Lovász extension of 1 − IoU, one number, for tensors of any one shape."""
    # From the least wrong pixel of the class on, all that follow add nothing: its intersection
    # is lost already. Only the others need to be sorted.
    key = error.detach().where(judged, -1)
    floor = torch.minimum(key.where(truth & judged, torch.inf).amin(), key.amax())
    worst = (key >= floor) & judged
    found = jaccard_steps(key[worst], truth[worst])
    steps = torch.zeros_like(error)
    steps[worst] = found
    return (error * steps).sum()


def jaccard_steps(error: Tensor, truth: Tensor) -> Tensor:
    """What each pixel adds to 1 − IoU when all pixels with larger errors are wrong already.

    Args:
        error: (P,), 0 or more.
        truth: (P,), True where the pixel belongs to the class.

    Returns:
        The steps, (P,), in the order of the pixels. They add up to 1.

    Example:
        >>> jaccard_steps(torch.tensor([0.9, 0.1, 0.5]), torch.tensor([False, True, True]))
        tensor([0.3333, 0.3333, 0.3333])
    """
    if not len(error):
        return error
    # Floats of 0 and more are ordered as their bits are, and whole numbers sort faster.
    bits = torch.int64 if error.dtype == torch.float64 else torch.int32
    order = error.add(0).view(bits).neg_().argsort()  # the largest error first
    hit = truth[order]
    lost = hit.cumsum(0, dtype=torch.int32)  # pixels of the class that are wrong, at each step
    left = (lost[-1] - lost).to(error.dtype)  # the intersection
    union = left + torch.arange(1, len(hit) + 1, dtype=error.dtype, device=hit.device)
    # A miss takes one from the intersection; a false alarm adds one to the union.
    step = torch.where(hit, 1 / union, left / (union * (union - 1)).clamp(min=1))
    step[0] += lost[-1] == 0  # no pixel is of the class: the first alarm alone ruins the IoU
    return torch.empty_like(error).scatter_(0, order, step)
