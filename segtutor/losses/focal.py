"""Focal losses: cross-entropy that turns down what is already right.

Two functions, because libraries give the one name to both: `softmax_focal_loss` for classes
that exclude each other, `sigmoid_focal_loss` for one logit a pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.losses.cross_entropy import log_probability_of_label
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

__all__ = ["SigmoidFocalLoss", "SoftmaxFocalLoss", "sigmoid_focal_loss", "softmax_focal_loss"]


def softmax_focal_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma: float = 2.0,
    weight: Weights | None = None,
    ignore_index: int = VOID,
    reduction: Reduction = "mean",
) -> Tensor:
    """(1 − p)^γ · (−log p), where p is the softmax probability of the pixel's label.

    Args:
        logits: (N, C, H, W) with C ≥ 2.
        labels: (N, H, W), whole numbers from 0 to C − 1, or void.
        gamma: How far pixels that are right are turned down; 0 is `cross_entropy`.
        weight: What a pixel of each class counts, (C,), as in `cross_entropy`.
        ignore_index: The label of void.
        reduction: "mean", "sum", or "none" for the cost of each pixel, (N, H, W).

    Returns:
        The loss, in float32 (float64 for logits in float64).

    Example:
        >>> logits = torch.zeros(1, 2, 1, 1)  # p = ½: a quarter of the cross-entropy is left
        >>> softmax_focal_loss(logits, torch.tensor([[[1]]]))
        tensor(0.1733)
    """
    instead = "sigmoid_focal_loss"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="softmax", instead=instead)
    weight = class_weights(weight, logits)
    check_range("gamma", gamma, 0)

    # Void pixels may have a cost of ∞, which no weight of 0 would take away.
    log_p = log_probability_of_label(logits, labels).where(judged, 0)  # (N, H, W)
    miss = -log_p.expm1()  # 1 − p, without loss of digits where p is close to 1
    share = judged.to(log_p.dtype) if weight is None else weight[labels] * judged
    return reduced(_power(miss, gamma) * -log_p * share, share, reduction)


def sigmoid_focal_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    ignore_index: int = VOID,
    reduction: Reduction = "mean",
) -> Tensor:
    """The same for one logit a pixel: α · (1 − p)^γ · (−log p), 1 − α where the label is 0.

    Args:
        logits: (N, 1, H, W); the sigmoid of a logit is the probability of class 1.
        labels: (N, H, W) of 0, 1 and void.
        alpha: The weight of pixels of class 1; those of class 0 weigh 1 − alpha. None: all 1.
        gamma: How far pixels that are right are turned down.
        ignore_index: The label of void.
        reduction: "mean" over the judged pixels, "sum", or "none" for (N, H, W).

    Returns:
        The loss, in float32 (float64 for logits in float64).

    Example:
        >>> sigmoid_focal_loss(torch.zeros(1, 1, 1, 1), torch.tensor([[[1]]]))
        tensor(0.0433)
    """
    instead = "softmax_focal_loss"
    logits, labels, judged = fitting(logits, labels, ignore_index, only="sigmoid", instead=instead)
    check_range("gamma", gamma, 0)
    if alpha is not None:
        check_range("alpha", alpha, 0, 1)
    logits, labels = logits[:, 0], labels.to(logits.dtype)  # (N, H, W)
    surprise = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")  # −log p
    miss = (logits * (1 - 2 * labels)).sigmoid()  # 1 − p
    weight = 1.0 if alpha is None else (1 - alpha) + (2 * alpha - 1) * labels  # α where 1
    cost = _power(miss, gamma) * surprise * (weight * judged)
    return reduced(cost, judged, reduction)


class SoftmaxFocalLoss(LossModule):
    """`softmax_focal_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        weight: Weights | None = None,
        ignore_index: int = VOID,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weight", None if weight is None else torch.as_tensor(weight).float())
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number, or (N, H, W) with reduction "none"."""
        return softmax_focal_loss(
            logits,
            labels,
            gamma=self.gamma,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class SigmoidFocalLoss(LossModule):
    """`sigmoid_focal_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        alpha: float | None = 0.25,
        gamma: float = 2.0,
        ignore_index: int = VOID,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number, or (N, H, W) with reduction "none"."""
        return sigmoid_focal_loss(
            logits,
            labels,
            alpha=self.alpha,
            gamma=self.gamma,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


def _power(miss: Tensor, gamma: float) -> Tensor:
    """miss^γ with a finite slope: with γ between 0 and 1 it would be infinite at 0."""
    if 0 < gamma < 1:
        miss = miss.clamp(min=torch.finfo(miss.dtype).tiny)
    return miss**gamma
