"""Dice and Jaccard losses: how far predicted and true regions fail to overlap.

They look at a class as a whole, so a class of ten pixels weighs as much as one of ten thousand.
"""

from __future__ import annotations

from torch import Tensor

from segtutor.losses.inputs import VOID, check_range
from segtutor.losses.module import LossModule
from segtutor.losses.overlap import Classes, mean_over_classes, ratio, regions

__all__ = ["DiceLoss", "JaccardLoss", "dice_loss", "jaccard_loss"]


def dice_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    classes: Classes = "present",
    per_image: bool = False,
    squared: bool = False,
    smooth: float = 0.0,
    ignore_index: int = VOID,
) -> Tensor:
    """1 − 2 · overlap / (predicted size + true size), averaged over classes.

    Args:
        logits: (N, C, H, W); softmax makes them probabilities. With C = 1 sigmoid does, and
            the loss is that of class 1 alone.
        labels: (N, H, W), whole numbers from 0 to C − 1 (0 and 1 if C = 1), or void.
        classes: The classes to average over: "present" for those that occur in the labels,
            "all", or a list such as [1, 2]. Without `smooth`, an absent class costs 1 as soon
            as any of its probabilities is above 0.
        per_image: False adds the pixels of the whole batch up; True makes one loss of each
            image and averages those.
        squared: Whether the predicted size is the sum of squared probabilities, as in V-Net.
        smooth: Added above and below the fraction.
        ignore_index: The label of void.

    Returns:
        The loss, from 0 to 1, in float32 (float64 for logits in float64).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[[99.0, 99.0, -99.0]]]])  # class 1 at the first two pixels
        >>> dice_loss(logits, torch.tensor([[[1, 0, 0]]]))  # 1 − 2 · 1 / (2 + 1)
        tensor(0.3333)
    """
    check_range("smooth", smooth, 0)
    # Sums over pixels, class by class: (G, C), where G is N with per_image, else 1.
    found = regions(logits, labels, classes, per_image, ignore_index, squared)
    dice = ratio(2 * found.overlap + smooth, found.predicted + found.true + smooth)
    return mean_over_classes(1 - dice, found.counted)


def jaccard_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    classes: Classes = "present",
    per_image: bool = False,
    smooth: float = 0.0,
    ignore_index: int = VOID,
) -> Tensor:
    """1 − overlap / union, averaged over classes: one minus an IoU of probabilities.

    Args:
        logits: (N, C, H, W), as in `dice_loss`.
        labels: (N, H, W), as in `dice_loss`.
        classes: The classes to average over: "present", "all", or a list.
        per_image: Whether each image makes a loss of its own.
        smooth: Added above and below the fraction.
        ignore_index: The label of void.

    Returns:
        The loss, from 0 to 1, in float32 (float64 for logits in float64).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[[99.0, 99.0, -99.0]]]])  # class 1 at the first two pixels
        >>> jaccard_loss(logits, torch.tensor([[[1, 0, 0]]]))  # 1 − 1 / 2
        tensor(0.5000)
    """
    check_range("smooth", smooth, 0)
    found = regions(logits, labels, classes, per_image, ignore_index)
    union = found.predicted + found.true - found.overlap  # (G, C)
    return mean_over_classes(1 - ratio(found.overlap + smooth, union + smooth), found.counted)


class DiceLoss(LossModule):
    """`dice_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        classes: Classes = "present",
        per_image: bool = False,
        squared: bool = False,
        smooth: float = 0.0,
        ignore_index: int = VOID,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.per_image = per_image
        self.squared = squared
        self.smooth = smooth
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return dice_loss(
            logits,
            labels,
            classes=self.classes,
            per_image=self.per_image,
            squared=self.squared,
            smooth=self.smooth,
            ignore_index=self.ignore_index,
        )


class JaccardLoss(LossModule):
    """`jaccard_loss` as a module: the same settings, given once."""

    def __init__(
        self,
        *,
        classes: Classes = "present",
        per_image: bool = False,
        smooth: float = 0.0,
        ignore_index: int = VOID,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.per_image = per_image
        self.smooth = smooth
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return jaccard_loss(
            logits,
            labels,
            classes=self.classes,
            per_image=self.per_image,
            smooth=self.smooth,
            ignore_index=self.ignore_index,
        )
