"""Overlap and sizes of predicted and true regions: what all region losses are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segtutor.losses.inputs import fitting

__all__ = ["Classes", "Regions", "counted_classes", "mean_over_classes", "ratio", "regions"]

Classes = Literal["present", "all"] | Sequence[int]


class Regions(NamedTuple):
    """Sums over the judged pixels; G is N with per_image, else 1."""

    overlap: Tensor  # (G, C): Σ p·t
    predicted: Tensor  # (G, C): Σ p, or Σ p²
    true: Tensor  # (G, C): Σ t
    counted: Tensor  # (G, C): True for the classes to average over


def regions(
    logits: Tensor,
    labels: Tensor,
    classes: Classes,
    per_image: bool,
    ignore_index: int,
    squared: bool = False,
) -> Regions:
    """Sum up probabilities p and one-hot labels t, for each class by itself.

    Args:
        logits: (N, C, H, W); softmax makes them probabilities, sigmoid if C is 1.
        labels: (N, H, W); with C = 1 the sums are those of class 1.
        classes: The classes to average over.
        per_image: Whether each image keeps its own sums.
        ignore_index: The label of void.
        squared: Whether the predicted size is the sum of p² instead of p.
    """
    logits, labels, judged = fitting(logits, labels, ignore_index)
    if logits.shape[1] == 1:
        p = logits[:, 0].sigmoid() * judged  # (N, H, W)
        hit = labels == 1
        sums = [p * hit, p.square() if squared else p, hit & judged]
        overlap, predicted, true = (x.sum((1, 2), dtype=p.dtype)[:, None] for x in sums)
    else:
        overlap, predicted, true = _ClassSums.apply(logits, labels, judged, squared)
    if not per_image:
        overlap, predicted, true = (x.sum(0, keepdim=True) for x in (overlap, predicted, true))
    counted = counted_classes(labels, judged, overlap.shape[1], classes, per_image)
    return Regions(overlap, predicted, true, counted)


def ratio(above: Tensor, below: Tensor) -> Tensor:
    """Divide; a class that is neither predicted nor true, 0 / 0, is all right: 1."""
    empty = below == 0
    return (above + empty) / (below + empty)


def counted_classes(
    labels: Tensor, judged: Tensor, num_classes: int, classes: Classes, per_image: bool = False
) -> Tensor:
    """True for the classes that a loss averages over, in each image or in the batch: (G, C).

    Args:
        labels: (N, H, W), with a class at void pixels too.
        judged: (N, H, W).
        num_classes: C; 1 asks about class 1 alone.
        classes: "present" (those that occur in the labels), "all", or a list of classes.
        per_image: Whether each image has a row of its own.
    """
    if not per_image:
        labels, judged = labels.reshape(1, -1), judged.reshape(1, -1)
    labels, judged = labels.flatten(1), judged.flatten(1)  # (G, pixels)
    if isinstance(classes, str) and classes == "present":
        if num_classes == 1:
            return (judged & (labels == 1)).any(1, keepdim=True)
        found = torch.zeros(len(labels), num_classes, dtype=torch.int8, device=labels.device)
        return found.scatter_reduce_(1, labels, judged.to(torch.int8), "amax") > 0
    numbers = range(num_classes)
    if isinstance(classes, str) and classes == "all":
        asked = list(numbers)
    elif isinstance(classes, (str, int)):
        raise ValueError(f'classes={classes!r} has to be "present", "all" or a list of classes')
    else:
        asked = [int(number) for number in classes]
    if not asked or not set(asked) <= set(numbers):
        raise ValueError(
            f"classes={asked} has to name classes from 0 to {num_classes - 1}, at least one"
        )
    chosen = torch.tensor([number in asked for number in numbers], device=labels.device)
    return judged.any(1, keepdim=True) & chosen


def mean_over_classes(loss: Tensor, counted: Tensor) -> Tensor:
    """Average over the counted classes of each image, then over the images that have any.

    Args:
        loss: (G, C).
        counted: (G, C), True where a loss enters the mean.
    """
    each = loss.where(counted, 0).sum(1) / counted.sum(1).clamp(min=1)  # (G,)
    return each.sum() / counted.any(1).sum().clamp(min=1)


class _ClassSums(torch.autograd.Function):
    """Overlap, predicted and true size of each image's classes, (N, C) each.

    Autograd would keep a handful of (N, C, H, W) arrays for these sums. Two will do: the
    probabilities, and the gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, labels: Tensor, judged: Tensor, squared: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        n, c = logits.shape[:2]
        p = logits.softmax(1).mul_(judged[:, None].to(logits.dtype))  # (N, C, H, W), 0 at void
        p_true = p.gather(1, labels[:, None])  # (N, 1, H, W)
        flat = labels.flatten(1)  # (N, H·W)
        # In float64: adding numbers below 1 one by one to a large sum loses digits.
        overlap = p.new_zeros(n, c, dtype=torch.float64)
        overlap.scatter_add_(1, flat, p_true.flatten(1).double())
        true = torch.zeros_like(overlap).scatter_add_(1, flat, judged.flatten(1).double())
        predicted = (p.square() if squared else p).sum((2, 3))
        ctx.save_for_backward(p, p_true, labels)
        ctx.squared = squared
        true = true.to(p.dtype)
        ctx.mark_non_differentiable(true)
        return overlap.to(p.dtype), predicted, true

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_overlap: Tensor, d_predicted: Tensor, _: Tensor
    ) -> tuple[Tensor, None, None, None]:
        p, p_true, labels = ctx.saved_tensors
        # With s the loss's slope with respect to p, softmax makes it p · (s − Σ p·s).
        grad = p * d_predicted[:, :, None, None]  # (N, C, H, W): p · s
        if ctx.squared:
            grad.mul_(p).mul_(2)
        at_label = d_overlap.gather(1, labels.flatten(1)).view_as(p_true)
        grad.scatter_add_(1, labels[:, None], p_true * at_label)
        return grad.addcmul_(p, grad.sum(1, keepdim=True), value=-1), None, None, None
