"""Losses: what a segmentation network is trained by.

Logits are (N, C, H, W), labels (N, H, W); void pixels count nowhere; the rest is said by keyword.
"""

from segtutor.losses.boundary import BoundaryLoss, boundary_loss, distance_map
from segtutor.losses.combined import WeightedLoss, combined
from segtutor.losses.cross_entropy import (
    BinaryCrossEntropyLoss,
    CrossEntropyLoss,
    binary_cross_entropy,
    cross_entropy,
)
from segtutor.losses.focal import (
    SigmoidFocalLoss,
    SoftmaxFocalLoss,
    sigmoid_focal_loss,
    softmax_focal_loss,
)
from segtutor.losses.lovasz import (
    LovaszHingeLoss,
    LovaszSoftmaxLoss,
    jaccard_steps,
    lovasz_hinge,
    lovasz_softmax,
)
from segtutor.losses.region import DiceLoss, JaccardLoss, dice_loss, jaccard_loss
from segtutor.losses.tversky import FocalTverskyLoss, TverskyLoss, focal_tversky_loss, tversky_loss

__all__ = [
    "BinaryCrossEntropyLoss",
    "BoundaryLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "FocalTverskyLoss",
    "JaccardLoss",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "SigmoidFocalLoss",
    "SoftmaxFocalLoss",
    "TverskyLoss",
    "WeightedLoss",
    "binary_cross_entropy",
    "boundary_loss",
    "combined",
    "cross_entropy",
    "dice_loss",
    "distance_map",
    "focal_tversky_loss",
    "jaccard_loss",
    "jaccard_steps",
    "lovasz_hinge",
    "lovasz_softmax",
    "sigmoid_focal_loss",
    "softmax_focal_loss",
    "tversky_loss",
]
