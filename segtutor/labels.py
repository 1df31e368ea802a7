"""The one rule for label maps that every loss and every metric keeps."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_labels"]

VOID = 255
SHOWN = 8  # values that an error message lists


def check_labels(labels: Tensor, num_classes: int, ignore_index: int = VOID) -> Tensor:
    """Raise unless every label is a class or void; say which labels count.

    A label out of range ends in a device-side assertion on a GPU, which names neither the
    value nor the line. Looking first costs one pass over the labels and, on a GPU, one wait.

    Args:
        labels: Label maps of integers, any shape.
        num_classes: C; the classes are 0 to C − 1.
        ignore_index: The label of pixels that are not judged.

    Returns:
        True where a pixel is judged, in the shape of `labels`.

    Raises:
        TypeError: The labels are not integers.
        ValueError: A label is neither a class nor void.

    Example:
        >>> check_labels(torch.tensor([[0, 2, 255]]), num_classes=3)
        tensor([[ True,  True, False]])
    """
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(
            f"labels are {labels.dtype}, but a label is a whole number: `labels.long()` if they "
            "are whole already; a resized or normalized label map has to be made anew"
        )
    judged = labels != ignore_index
    if labels.dtype == torch.bool or not labels.numel():
        return judged
    # Void becomes class 0 for the comparison: cheaper than picking the judged pixels out.
    low, high = labels.where(judged, 0).aminmax()
    if low < 0 or high >= num_classes:
        found = labels[judged].unique()
        strange = found[(found < 0) | (found >= num_classes)].tolist()
        listed = ", ".join(map(str, strange[:SHOWN])) + (" …" if len(strange) > SHOWN else "")
        raise ValueError(
            f"labels contain {listed}, but with {num_classes} classes they have to be 0 to "
            f"{num_classes - 1}, or {ignore_index} for void: map the values of your files to "
            "classes before training, or say which value is void with ignore_index"
        )
    return judged
