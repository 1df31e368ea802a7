"""Tversky losses: an overlap in which false alarms and misses have prices of their own."""

from __future__ import annotations

from torch import Tensor

from segtutor.losses.inputs import VOID, check_range
from segtutor.losses.module import LossModule
from segtutor.losses.overlap import Classes, Regions, mean_over_classes, ratio, regions

__all__ = ["FocalTverskyLoss", "TverskyLoss", "focal_tversky_loss", "tversky_loss"]


def tversky_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    classes: Classes = "present",
    per_image: bool = False,
    smooth: float = 0.0,
    ignore_index: int = VOID,
) -> Tensor:
    """1 − TP / (TP + α · FP + β · FN), averaged over classes.

    α = β = ½ is the Dice loss, α = β = 1 the Jaccard loss.

    Args:
        logits: (N, C, H, W), as in `dice_loss`.
        labels: (N, H, W), as in `dice_loss`.
        alpha: The price of a false positive: probability where the class is not.
        beta: The price of a false negative: probability missing where the class is.
        classes: The classes to average over: "present", "all", or a list.
        per_image: Whether each image makes a loss of its own.
        smooth: Added above and below the fraction.
        ignore_index: The label of void.

    Returns:
        The loss, from 0 to 1, in float32 (float64 for logits in float64).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[[99.0, 99.0, -99.0]]]])  # one hit, one false alarm
        >>> tversky_loss(logits, torch.tensor([[[1, 0, 0]]]), alpha=0.3, beta=0.7)
        tensor(0.2308)
    """
    _check_prices(alpha, beta, smooth)
    found = regions(logits, labels, classes, per_image, ignore_index)
    return mean_over_classes(1 - _tversky(found, alpha, beta, smooth), found.counted)


def focal_tversky_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    gamma: float = 4 / 3,
    classes: Classes = "present",
    per_image: bool = False,
    smooth: float = 0.0,
    ignore_index: int = VOID,
) -> Tensor:
    """(1 − Tversky index)^(1 / γ) of each class, averaged.

    With γ > 1 the slope grows while a class's loss gets small: the last pixels still pull.

    Args:
        logits: (N, C, H, W), as in `dice_loss`.
        labels: (N, H, W), as in `dice_loss`.
        alpha: The price of a false positive. Abraham and Khan, whose loss this is, call it β.
        beta: The price of a false negative, their α.
        gamma: Their γ: the exponent is 1 / γ. 1 is `tversky_loss`.
        classes: The classes to average over: "present", "all", or a list.
        per_image: Whether each image makes a loss of its own.
        smooth: Added above and below the fraction.
        ignore_index: The label of void.

    Returns:
        The loss, from 0 to 1, in float32 (float64 for logits in float64).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[[99.0, 99.0, -99.0]]]])
        >>> focal_tversky_loss(logits, torch.tensor([[[1, 0, 0]]]))  # 0.2308 to the power ¾
        tensor(0.3330)
    """
    _check_prices(alpha, beta, smooth)
    check_range("gamma", gamma, 0)
    if gamma == 0:
        raise ValueError("gamma=0 has to be above 0: the exponent is 1 / gamma; 1 is tversky_loss")
    found = regions(logits, labels, classes, per_image, ignore_index)
    loss = 1 - _tversky(found, alpha, beta, smooth)
    # Nothing is left to learn at 0, where the power's slope would be infinite.
    wrong = ~(loss <= 0)  # NaN is wrong too, and has to be seen
    focal = (loss.where(wrong, 1) ** (1 / gamma)).where(wrong, 0)  # (G, C)
    return mean_over_classes(focal, found.counted)


class TverskyLoss(LossModule):
    """`tversky_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        alpha: float = 0.5,
        beta: float = 0.5,
        classes: Classes = "present",
        per_image: bool = False,
        smooth: float = 0.0,
        ignore_index: int = VOID,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.classes = classes
        self.per_image = per_image
        self.smooth = smooth
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return tversky_loss(
            logits,
            labels,
            alpha=self.alpha,
            beta=self.beta,
            classes=self.classes,
            per_image=self.per_image,
            smooth=self.smooth,
            ignore_index=self.ignore_index,
        )


class FocalTverskyLoss(LossModule):
    """`focal_tversky_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 4 / 3,
        classes: Classes = "present",
        per_image: bool = False,
        smooth: float = 0.0,
        ignore_index: int = VOID,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.classes = classes
        self.per_image = per_image
        self.smooth = smooth
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return focal_tversky_loss(
            logits,
            labels,
            alpha=self.alpha,
            beta=self.beta,
            gamma=self.gamma,
            classes=self.classes,
            per_image=self.per_image,
            smooth=self.smooth,
            ignore_index=self.ignore_index,
        )


def _check_prices(alpha: float, beta: float, smooth: float) -> None:
    check_range("alpha", alpha, 0)
    check_range("beta", beta, 0)
    check_range("smooth", smooth, 0)
    if alpha == beta == 0:
        raise ValueError("alpha=0 and beta=0: no error would cost anything; one has to be above 0")


def _tversky(found: Regions, alpha: float, beta: float, smooth: float) -> Tensor:
    """The Tversky index of each class, (G, C)."""
    false_alarms = found.predicted - found.overlap
    misses = found.true - found.overlap
    below = found.overlap + alpha * false_alarms + beta * misses
    return ratio(found.overlap + smooth, below + smooth)
