"""A data set that is read once and then kept."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

__all__ = ["InMemory"]


class InMemory(Dataset):
    """Any data set of pictures and labels of one size, read once and kept as bytes.

    A picture of 3×64×96 takes 18 kB and its labels 6 kB: a quarter and an eighth of what they
    take as floating point numbers and int64, in which they are given out.

    Args:
        dataset: Pairs of a picture (C, H, W), floating from 0 to 1, and labels (H, W) from 0 to
            255. If it has a transform that draws at random, the draw of this one reading stays.
        transform: Applied to each pair when it is asked for.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N, H, W) uint8.

    Example:
        >>> from segtutor.data import Streets
        >>> kept = InMemory(Streets(4))
        >>> kept.images.shape, kept.labels.dtype
        (torch.Size([4, 3, 64, 96]), torch.uint8)
        >>> torch.equal(kept[2][0], Streets(4)[2][0])
        True
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        transform: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        if not isinstance(dataset, Sized) or len(dataset) == 0:
            raise ValueError("InMemory needs a data set of known length with one sample or more")
        self.transform = transform
        self.classes: Any = getattr(dataset, "classes", None)
        image, labels = dataset[0]
        self.images = torch.empty((len(dataset), *image.shape), dtype=torch.uint8)
        self.labels = torch.empty((len(dataset), *labels.shape), dtype=torch.uint8)
        for index in range(len(dataset)):
            image, labels = dataset[index]
            if image.shape != self.images.shape[1:] or labels.shape != self.labels.shape[1:]:
                raise ValueError(
                    f"sample {index} has a picture {tuple(image.shape)} and labels "
                    f"{tuple(labels.shape)}, sample 0 has {tuple(self.images.shape[1:])} and "
                    f"{tuple(self.labels.shape[1:])}: give the data set a transform that brings "
                    "all to one size"
                )
            if not image.is_floating_point() or image.min() < 0 or image.max() > 1:
                raise ValueError(
                    f"the picture of sample {index} is {image.dtype} from {image.min().item():.3g} "
                    f"to {image.max().item():.3g}, but has to be floating from 0 to 1: normalize "
                    "it in the transform of InMemory, not before"
                )
            if labels.min() < 0 or labels.max() > 255:
                raise ValueError(
                    f"the labels of sample {index} run from {labels.min().item()} to "
                    f"{labels.max().item()}, but a byte holds 0 to 255"
                )
            self.images[index] = image.mul(255).round_()
            self.labels[index] = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, labels = self.images[index].float() / 255, self.labels[index].long()
        return (image, labels) if self.transform is None else self.transform(image, labels)

    def __repr__(self) -> str:
        return f"InMemory({len(self)} × {tuple(self.images.shape[1:])})"
