"""Cross-entropy: minus the logarithm of the probability that the truth was given."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from segtutor.losses.inputs import (
    VOID,
    Reduction,
    Weights,
    check_range,
    class_weights,
    fitting,
    reduced,
)
from segtutor.losses.module import LossModule

__all__ = [
    "BinaryCrossEntropyLoss",
    "CrossEntropyLoss",
    "binary_cross_entropy",
    "cross_entropy",
    "log_probability_of_label",
]


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    *,
    weight: Weights | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = VOID,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of classes that exclude each other, as `F.cross_entropy`.

    Two differences: void is 255 unless you say otherwise, and where all pixels are void the
    mean is 0, not NaN.

    Args:
        logits: (N, C, H, W) with C ≥ 2.
        labels: (N, H, W), whole numbers from 0 to C − 1, or void.
        weight: What a pixel of each class counts, (C,). The mean divides by the weights of the
            judged pixels, so weights that are all doubled change nothing.
        label_smoothing: The share of each target that is spread evenly over all C classes.
        ignore_index: The label of void.
        reduction: "mean", "sum", or "none" for the cost of each pixel, (N, H, W).

    Returns:
        The loss, in float32 (float64 for logits in float64).

    Example:
        >>> logits = torch.tensor([2.0, 1.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 1, 2)
        >>> cross_entropy(logits, torch.tensor([[[0, 255]]]))
        tensor(0.4076)
    """
    instead = "binary_cross_entropy"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="softmax", instead=instead)
    weight = class_weights(weight, logits)
    check_range("label_smoothing", label_smoothing, 0, 1)

    cost = -log_probability_of_label(logits, labels, keep=True)  # (N, H, W)
    cost = cost.where(judged, 0)  # not a product: void pixels may have a cost of ∞
    share = judged.to(cost.dtype) if weight is None else weight[labels] * judged
    cost = cost * share
    if label_smoothing:
        even = -logits.log_softmax(1)  # (N, C, H, W): what each class would cost
        even = even.mean(1) if weight is None else (even * weight[:, None, None]).mean(1)
        cost = (1 - label_smoothing) * cost + label_smoothing * even * judged
    return reduced(cost, share, reduction)


def binary_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    *,
    pos_weight: float = 1.0,
    ignore_index: int = VOID,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of one logit a pixel, as `F.binary_cross_entropy_with_logits`.

    Args:
        logits: (N, 1, H, W); the sigmoid of a logit is the probability of class 1.
        labels: (N, H, W) of 0, 1 and void.
        pos_weight: What a pixel of class 1 costs more than one of class 0. The mean still
            divides by the number of judged pixels.
        ignore_index: The label of void.
        reduction: "mean", "sum", or "none" for the cost of each pixel, (N, H, W).

    Returns:
        The loss, in float32 (float64 for logits in float64).

    Example:
        >>> binary_cross_entropy(torch.zeros(1, 1, 1, 3), torch.tensor([[[0, 1, 255]]]))
        tensor(0.6931)
    """
    instead = "cross_entropy"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="sigmoid", instead=instead)
    check_range("pos_weight", pos_weight, 0)
    share = judged.to(logits.dtype)  # (N, H, W)
    cost = F.binary_cross_entropy_with_logits(
        logits[:, 0],
        labels.to(logits.dtype),
        weight=share,
        pos_weight=None if pos_weight == 1 else logits.new_tensor(pos_weight),
        reduction="none",
    )
    return reduced(cost, share, reduction)


class CrossEntropyLoss(LossModule):
    """`cross_entropy` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        weight: Weights | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = VOID,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("weight", None if weight is None else torch.as_tensor(weight).float())
        self.label_smoothing = label_smoothing
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number, or (N, H, W) with reduction "none"."""
        return cross_entropy(
            logits,
            labels,
            weight=self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class BinaryCrossEntropyLoss(LossModule):
    """`binary_cross_entropy` as a module: the same settings, given once."""

    def __init__(
        self, *, pos_weight: float = 1.0, ignore_index: int = VOID, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        self.pos_weight = pos_weight
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number, or (N, H, W) with reduction "none"."""
        return binary_cross_entropy(
            logits,
            labels,
            pos_weight=self.pos_weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


def log_probability_of_label(logits: Tensor, labels: Tensor, *, keep: bool = False) -> Tensor:
    """Log of the softmax, at each pixel's own label: (N, H, W).

    The same as `logits.log_softmax(1).gather(1, labels[:, None])[:, 0]`, but with a gradient in
    closed form, which needs the probabilities once more.

    Args:
        logits: (N, C, H, W).
        labels: (N, H, W), from 0 to C − 1.
        keep: Whether the probabilities, as large as the logits, are kept for the gradient, which
            is faster, or computed again, which takes less memory.
    """
    return _LogProbabilityOfLabel.apply(logits, labels[:, None], keep)


class _LogProbabilityOfLabel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, keep: bool) -> Tensor:
        log_p = logits.log_softmax(1)
        at_label = log_p.gather(1, labels)[:, 0]
        ctx.kept = keep
        ctx.save_for_backward(log_p.exp_() if keep else logits, labels)
        return at_label

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        saved, labels = ctx.saved_tensors
        slope = slope[:, None]  # (N, 1, H, W); d log p_y / d z_c = [c = y] − p_c
        grad = saved * -slope if ctx.kept else saved.softmax(1).mul_(-slope)
        return grad.scatter_add_(1, labels, slope), None, None
