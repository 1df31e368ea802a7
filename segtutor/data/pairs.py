"""A picture and its label map: what the transforms check, draw and do to both alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

VOID = 255
BRIGHTEST = 16  # no normalized picture reaches it, a float picture of 0 to 255 exceeds it
Pair = tuple[Tensor, Tensor]


def check_pair(image: Tensor, labels: Tensor) -> None:
    """Raise unless these are a picture and its label map, or a batch of them."""
    for name, value in (("image", image), ("labels", labels)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name} is {type(value).__name__}, but has to be a tensor: torch.as_tensor({name})"
            )
    if image.ndim not in (3, 4) or not image.numel():
        raise ValueError(
            f"image has shape {tuple(image.shape)}: it has to be (C, H, W) or (N, C, H, W), the "
            "channels before the pixels (image.permute(2, 0, 1)) and not empty"
        )
    if labels.dtype == torch.bool or labels.is_floating_point() or labels.is_complex():
        raise TypeError(
            f"labels are {labels.dtype}, but a label is a whole number: labels.long() if they are "
            "whole already; labels that were scaled or interpolated have to be read anew"
        )
    if labels.dtype in (torch.int8, torch.uint16, torch.uint32, torch.uint64):
        raise TypeError(
            f"labels are {labels.dtype}: give a type that holds void, {VOID}, and with which "
            "PyTorch computes: labels.long()"
        )
    batch = image.shape[:-3]
    if labels.shape == (*batch, 1, *image.shape[-2:]):
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, with a channel too many: "
            f"labels.squeeze({len(batch)})"
        )
    if labels.shape != (*batch, *image.shape[-2:]):
        order = "2, 0, 1" if image.ndim == 3 else "0, 3, 1, 2"
        if labels.shape == image.shape[:-1]:
            cure = f"the channels stand last: image.permute({order})"
        else:
            cure = "their (H, W) have to be alike. Read the label map of this picture at this size"
        raise ValueError(
            f"image has shape {tuple(image.shape)}, but labels {tuple(labels.shape)}: {cure}"
        )
    if labels.min() < 0:
        raise ValueError(
            f"labels contain {int(labels.min())}, but here void is {VOID}: "
            f"labels.where(labels >= 0, {VOID})"
        )
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise TypeError(f"image is {image.dtype}: give floating point in [0, 1], or uint8")
    if image.is_floating_point() and image.max() > BRIGHTEST:
        raise ValueError(
            f"image runs up to {float(image.max()):.0f}: floating-point pictures lie in [0, 1] "
            "here, so divide by 255"
        )


def uniform(low: float, high: float) -> float:
    """Draw a number."""
    return low + (high - low) * torch.rand(()).item()


def below(n: int) -> int:
    """Draw a whole number from 0 to n − 1."""
    return int(torch.randint(n, ()))


def resize(image: Tensor, labels: Tensor, size: Sequence[int]) -> Pair:
    """Stretch both: the picture bilinearly and smoothed first, the labels by nearest.

    Pixel centers lie at halves for both. torchvision's "nearest" for masks starts at the
    corners instead, which shifts labels against picture by up to half a pixel.
    """
    plain = F.resize_image(
        labels.as_subclass(Tensor)[None], list(size), interpolation=InterpolationMode.NEAREST_EXACT
    )
    return F.resize(image, list(size), antialias=True), tv_tensors.wrap(plain[0], like=labels)


def pad(image: Tensor, labels: Tensor, top: int, bottom: int, left: int, right: int) -> Pair:
    """Add black pixels around the picture and void around the labels."""
    sides = [left, top, right, bottom]
    return F.pad(image, sides, fill=0), F.pad(labels, sides, fill=VOID)


def two(name: str, value: int | Sequence[int]) -> list[int]:
    """Read a size or something like it: one whole number above 0, or two."""
    sides = list(value) if isinstance(value, Sequence) else [value, value]
    if len(sides) != 2 or not all(isinstance(n, int) and n > 0 for n in sides):
        raise ValueError(f"{name}={value}: give (height, width) in whole pixels, or one number")
    return sides


def low_high(name: str, value: Sequence[float]) -> tuple[float, float]:
    """Read two factors above 0 that stand in order."""
    if not isinstance(value, Sequence) or len(value) != 2 or not 0 < value[0] <= value[1]:
        raise ValueError(f"{name}={value}: give the smallest and the largest, both above 0")
    return tuple(value)


def at_most(name: str, value: float, largest: float = 1.0) -> float:
    """Read a probability or a strength."""
    if not isinstance(value, (int, float)) or not 0 <= value <= largest:
        raise ValueError(f"{name}={value}: give a number from 0 to {largest:g}")
    return value
