"""The one rule for label maps that every loss and every metric keeps."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_labels", "check_void", "judged_pixels"]

VOID = 255
SHOWN = 8  # values that an error message lists
NARROW = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)  # comparable in full


def check_void(num_classes: int, ignore_index: int) -> None:
    """Raise if the usual label of void is a class: its pixels would vanish unseen."""
    if ignore_index == VOID < num_classes:
        raise ValueError(
            f"ignore_index={VOID} marks void, but with {num_classes} classes {VOID} is a class: "
            "take a label that is none, such as ignore_index=-1"
        )


def judged_pixels(labels: Tensor, ignore_index: int) -> Tensor:
    """True where the label is not void, in the shape of `labels`.

    A dtype that cannot hold the label of void has no void pixels. Comparing all the same would
    take 156 for −100 in uint8, and −1 for 255 in int8.

    Example:
        >>> judged_pixels(torch.tensor([156, 0], dtype=torch.uint8), ignore_index=-100)
        tensor([True, True])
    """
    low, high = 0, 1
    if labels.dtype != torch.bool:
        low, high = torch.iinfo(labels.dtype).min, torch.iinfo(labels.dtype).max
    if not low <= ignore_index <= high:
        return torch.ones_like(labels, dtype=torch.bool)
    return labels != ignore_index


def check_labels(labels: Tensor, num_classes: int, ignore_index: int = VOID) -> Tensor:
    """Raise unless every label is a class or void; say which labels count.

    A label out of range ends in a device-side assertion on a GPU, which names neither the
    value nor the line. Looking first costs one pass over the labels and, on a GPU, one wait.

    Args:
        labels: Label maps of integers, any shape.
        num_classes: C; the classes are 0 to C − 1.
        ignore_index: The label of pixels that are not judged. With more than 255 classes it
            has to be another than 255.

    Returns:
        True where a pixel is judged, in the shape of `labels`.

    Raises:
        TypeError: The labels are not integers.
        ValueError: A label is neither a class nor void, or void's is a class.

    Example:
        >>> check_labels(torch.tensor([[0, 2, 255]]), num_classes=3)
        tensor([[ True,  True, False]])
    """
    if not isinstance(labels, Tensor):
        raise TypeError(
            f"labels are {type(labels).__name__}, but have to be a tensor: torch.as_tensor(labels)"
        )
    check_void(num_classes, ignore_index)
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(
            f"labels are {labels.dtype}, but a label is a whole number: `labels.long()` if they "
            "are whole already; a resized or normalized label map has to be made anew"
        )
    judged = judged_pixels(labels, ignore_index)
    if labels.dtype == torch.bool or not labels.numel():
        return judged
    if labels.dtype not in NARROW:
        labels = labels.long()
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
