"""Small data sets and models that a training is tried on."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from segtutor.models import UNet


class Spots(Dataset):
    """Three classes that a pixel's own color decides, with void here and there."""

    def __init__(self, n: int, seed: int = 0, size: tuple[int, int] = (10, 14)) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.images = torch.rand(n, 3, *size, generator=draw)
        self.labels = (self.images[:, 0] > 0.5).long() + (self.images[:, 1] > 0.5).long()
        void = torch.rand(n, *size, generator=draw) < torch.rand(n, 1, 1, generator=draw)
        self.labels[void] = 255

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


class Noisy(Spots):
    """Draws noise at each reading, from all three global generators."""

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, labels = super().__getitem__(index)
        noise = torch.rand(()) + float(np.random.rand()) + random.random()
        return image + 0.1 * noise, labels


def net(dropout: float = 0.0, norm: bool = True) -> nn.Sequential:
    """Two convolutions, the same weights at each call."""
    torch.manual_seed(1)
    middle = [nn.BatchNorm2d(8)] if norm else []
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), *middle, nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(8, 3, 1)
    )


def unet() -> UNet:
    torch.manual_seed(1)
    return UNet(3, width=4, depth=1)


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models hold the same weights and statistics, bit for bit."""
    first, second = one.state_dict(), other.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first | second)


def largest_gap(one: nn.Module, other: nn.Module) -> float:
    first, second = one.state_dict(), other.state_dict()
    return max((first[name].double() - second[name].double()).abs().max().item() for name in first)
