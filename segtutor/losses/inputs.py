"""What all losses ask of their input, and how costs of pixels become one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from segtutor.labels import VOID, check_labels

__all__ = ["VOID", "Reduction", "Weights", "check_range", "class_weights", "fitting", "reduced"]

Reduction = Literal["mean", "sum", "none"]
Weights = Tensor | Sequence[float]


def fitting(
    logits: Tensor, labels: Tensor, ignore_index: int, *, only: str = "", instead: str = ""
) -> tuple[Tensor, Tensor, Tensor]:
    """Refuse what does not fit; return what every loss computes with.

    Args:
        logits: (N, C, H, W), any floating dtype.
        labels: (N, H, W), whole numbers.
        ignore_index: The label of void.
        only: "sigmoid" for losses of one logit a pixel, "softmax" for those of several.
        instead: The losses to take if `only` does not fit, for the error message.

    Returns:
        The logits in float32 at least, so that no sum overflows; the labels as int64 with
        class 0 at void, so that they may be used as an index; True where a pixel is judged.
    """
    for name, value in (("logits", logits), ("labels", labels)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name} are {type(value).__name__}, but have to be a tensor: "
                f"torch.as_tensor({name})"
            )
    if not logits.is_floating_point():
        swapped = "; the two look swapped: loss(logits, labels)"
        raise TypeError(
            f"logits are {logits.dtype}, but have to be floating: the network's output"
            + swapped * labels.is_floating_point()
        )
    if logits.dim() != 4 or labels.shape != (len(logits), *logits.shape[2:]):
        raise ValueError(
            f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)} do not fit: they have "
            f"to be (N, C, H, W) and (N, H, W). {_cure(logits, labels)}"
        )
    if labels.device != logits.device:
        raise ValueError(
            f"labels are on {labels.device}, logits on {logits.device}: `labels.to(logits.device)`"
        )
    c = logits.shape[1]
    if only == "sigmoid" and c != 1:
        raise ValueError(
            f"logits have {c} channels, but this loss judges one logit a pixel, (N, 1, H, W): for "
            f"{c} classes that exclude each other take {instead}"
        )
    if only == "softmax" and c == 1:
        raise ValueError(
            "logits have 1 channel, and the softmax of one number is always 1: for one logit a "
            f"pixel take {instead}"
        )
    judged = check_labels(labels, max(c, 2), ignore_index)
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    return logits, labels.long() * judged, judged


def reduced(cost: Tensor, share: Tensor, reduction: Reduction) -> Tensor:
    """Turn the costs of pixels into one number, or leave them as a map.

    Args:
        cost: What each pixel costs, (N, H, W), 0 at void.
        share: What each pixel counts in the mean, (N, H, W), 0 at void.
        reduction: "mean" divides the sum of the costs by the sum of the shares.
    """
    if reduction == "none":
        return cost
    if reduction == "sum":
        return cost.sum()
    if reduction != "mean":
        raise ValueError(f'reduction={reduction!r} has to be "mean", "sum" or "none"')
    total = share.sum()
    return cost.sum() / (total + (total == 0))  # nothing to judge: 0 / 1, not 0 / 0


def check_range(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a setting that is no number from `low` to `high`."""
    if not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} has to be a number")
    if not low <= value <= high:
        span = f"from {low} to {high}" if math.isfinite(high) else f"{low} or more"
        raise ValueError(f"{name}={value} has to be {span}")


def class_weights(weight: Weights | None, logits: Tensor) -> Tensor | None:
    """The class weights as a tensor like the logits, (C,), or None."""
    if weight is None:
        return None
    weight = torch.as_tensor(weight, dtype=logits.dtype, device=logits.device)
    if weight.shape != logits.shape[1:2]:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}, but needs one number for each of the "
            f"{logits.shape[1]} classes"
        )
    return weight


def _cure(logits: Tensor, labels: Tensor) -> str:
    """Say what to do about two shapes that do not fit, if it can be told from them."""
    if logits.dim() == 3 and labels.dim() == 2:
        return "Add the axis of the batch: `logits[None]`, `labels[None]`."
    if logits.dim() == 3 and logits.shape == labels.shape:
        return "Add the axis of the classes: `logits[:, None]`."
    if logits.dim() != 4:
        return f"These logits have {logits.dim()} axes instead of 4."
    if labels.dim() == 4 and labels.shape[1] == 1:
        return "Drop the axis of the channels: `labels[:, 0]`."
    if labels.shape == logits.shape:
        return "One-hot labels become numbers again by `labels.argmax(1)`."
    if labels.dim() == 4 and labels.shape[-1] == logits.shape[1]:
        return "One-hot labels become numbers again by `labels.argmax(-1)`."
    if labels.shape == logits.shape[:3]:
        return "The classes are the last axis: `logits.permute(0, 3, 1, 2)`."
    if labels.dim() == 3 and len(labels) == len(logits):
        return (
            "Resize the logits, never the labels: `F.interpolate(logits, "
            f'size={tuple(labels.shape[1:])}, mode="bilinear", align_corners=False)`.'
        )
    return "Batch, height and width have to be the same in both."
