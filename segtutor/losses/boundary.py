"""Boundary loss: probabilities weighed with their distance to the true boundary.

Kervadec and others, 2019. It may be negative, and it knows nothing of a class that is absent:
combine it with a region loss, and let its weight grow while training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segtutor.labels import check_labels
from segtutor.losses.inputs import VOID, fitting
from segtutor.losses.module import LossModule
from segtutor.losses.overlap import Classes, counted_classes, mean_over_classes

__all__ = ["BoundaryLoss", "boundary_loss", "distance_map"]


def boundary_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    distances: Tensor | None = None,
    classes: Classes = "present",
    ignore_index: int = VOID,
) -> Tensor:
    """Mean over the judged pixels of p · φ, averaged over classes.

    Args:
        logits: (N, C, H, W); softmax makes them probabilities p, sigmoid if C = 1.
        labels: (N, H, W), whole numbers from 0 to C − 1 (0 and 1 if C = 1), or void.
        distances: φ = `distance_map(labels, C)`, (N, C, H, W). Computed here if left out; a
            data loader that does it ahead saves the time.
        classes: The classes to average over: "present" for those that occur in the labels,
            "all", or a list such as [1, 2].
        ignore_index: The label of void.

    Returns:
        The loss, in float32 (float64 for logits in float64): negative when all is well.

    Example:
        >>> labels = torch.tensor([[[0, 0, 1, 1, 1, 0, 0]]])
        >>> boundary_loss(20.0 * (2 * labels[:, None] - 1), labels)  # (0 − 1 + 0) / 7
        tensor(-0.1429)
    """
    logits, true, judged = fitting(logits, labels, ignore_index)
    if distances is None:
        distances = distance_map(labels, logits.shape[1], ignore_index=ignore_index)
    if distances.shape != logits.shape:
        raise ValueError(
            f"distances have shape {tuple(distances.shape)}, but logits {tuple(logits.shape)}: "
            f"make them with distance_map(labels, num_classes={logits.shape[1]})"
        )
    p = logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)  # (N, C, H, W)
    loss = (p * distances).sum((0, 2, 3)) / judged.sum().clamp(min=1)  # (C,); φ is 0 at void
    return mean_over_classes(loss[None], counted_classes(true, judged, len(loss), classes))


class BoundaryLoss(LossModule):
    """`boundary_loss` as a module: the same settings, given once."""

    def __init__(self, *, classes: Classes = "present", ignore_index: int = VOID) -> None:
        super().__init__()
        self.classes = classes
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, one number."""
        return boundary_loss(logits, labels, classes=self.classes, ignore_index=self.ignore_index)


def distance_map(labels: Tensor, num_classes: int, *, ignore_index: int = VOID) -> Tensor:
    """Signed distance φ of each pixel to the boundary of each class, in pixels.

    A pixel outside the class lies at +d, d being the distance to the nearest pixel inside; a
    pixel inside at −(d − 1), d being the distance to the nearest pixel outside, so the object's
    own rim is 0. Void is 0, and an edge to void is no edge. Where an image holds no pixel of
    the class, or no other, there is no boundary, and φ is 0 everywhere.

    Args:
        labels: (N, H, W), whole numbers from 0 to `num_classes` − 1, or void.
        num_classes: C; 1 asks for the map of class 1 in labels of 0 and 1.
        ignore_index: The label of void.

    Returns:
        φ, (N, C, H, W), float32, where the labels are. Computed by SciPy on the CPU.

    Example:
        >>> distance_map(torch.tensor([[[0, 0, 1, 1, 1, 0, 0]]]), num_classes=1)
        tensor([[[[ 2.,  1.,  0., -1.,  0.,  1.,  2.]]]])
    """
    from scipy.ndimage import distance_transform_edt  # `import segtutor` is to stay quick

    judged = check_labels(labels, max(num_classes, 2), ignore_index).cpu().numpy()
    if labels.dim() != 3:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, but need the 3 axes (N, H, W): "
            "`labels[None]` for a single label map, `labels[:, 0]` without the channel"
        )
    images = labels.cpu().numpy()
    phi = np.zeros((len(images), num_classes, *images.shape[1:]), np.float32)
    for n, image in enumerate(images):
        for c in range(num_classes):
            inside = (image == (1 if num_classes == 1 else c)) & judged[n]
            outside = ~inside & judged[n]
            if inside.any() and outside.any():
                phi[n, c] = distance_transform_edt(~inside) * outside
                phi[n, c] -= (distance_transform_edt(~outside) - 1) * inside
    return torch.from_numpy(phi).to(labels.device)
