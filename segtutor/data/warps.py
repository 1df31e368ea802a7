"""Augmentation that moves pixels: turns, and distortions. What comes from outside is void."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from segtutor.data import pairs
from segtutor.data.pairs import VOID, Pair, uniform
from segtutor.data.transforms import Transform

__all__ = ["Elastic", "GridDistortion", "RandomAffine", "RandomRotation"]


class RandomAffine(Transform):
    """Turn about the center, shift, scale and shear, sampled once.

    Args:
        degrees: The angle is drawn from −degrees to degrees.
        shift: Shifts are drawn up to this share of the height and of the width.
        scale: The smallest and the largest factor; the size of the picture stays.
        shear: The angle of the shear is drawn from −shear to shear, in degrees below 90.
    """

    def __init__(
        self,
        degrees: float = 0.0,
        *,
        shift: float = 0.0,
        scale: tuple[float, float] = (1.0, 1.0),
        shear: float = 0.0,
    ) -> None:
        self.degrees = pairs.at_most("degrees", degrees, 180.0)
        self.shift = pairs.at_most("shift", shift)
        self.scale = pairs.low_high("scale", scale)
        self.shear = pairs.at_most("shear", shear, 89.0)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        height, width = labels.shape
        across, down = (uniform(-self.shift, self.shift) for _ in range(2))
        how = {
            "angle": uniform(-self.degrees, self.degrees),
            "translate": [across * width, down * height],
            "scale": math.exp(uniform(*map(math.log, self.scale))),
            "shear": [uniform(-self.shear, self.shear), 0.0],
        }
        # No fill is black. With fill=0 torchvision would darken the border twice.
        picture = F.affine(image, **how, interpolation=InterpolationMode.BILINEAR)
        return picture, F.affine(labels, **how, fill=VOID)


class RandomRotation(RandomAffine):
    """Turn about the center by up to so many degrees, to either side.

    Example:
        >>> image, labels = torch.zeros(3, 8, 8), torch.zeros(8, 8, dtype=torch.long)
        >>> sorted(RandomRotation(180)(image, labels)[1].unique().tolist())
        [0, 255]
    """

    def __init__(self, degrees: float) -> None:
        super().__init__(degrees)


class Elastic(Transform):
    """U-Net's elastic deformation: random shifts on a coarse grid, smooth in between.

    Ronneberger, Fischer and Brox (2015), arXiv:1505.04597, section 3.1: a grid of 3 by 3
    shifts with a standard deviation of 10 pixels, for pictures of 512 by 512.

    Args:
        strength: Standard deviation of the shifts in pixels, along each axis.
        nodes: Shifts along each side of the grid; more nodes, finer waves.
    """

    def __init__(self, strength: float = 10.0, nodes: int = 3) -> None:
        self.strength = pairs.at_most("strength", strength, math.inf)
        self.nodes = pairs.two("nodes", nodes)[0]

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        shifts = self.strength * torch.randn(1, 2, self.nodes, self.nodes)
        smooth = torch.nn.functional.interpolate(
            shifts.to(labels.device), tuple(labels.shape), mode="bicubic", align_corners=True
        )
        return _displaced(image, labels, smooth[0, 0], smooth[0, 1])


class GridDistortion(Transform):
    """Columns and rows of a grid become wider and narrower; the border stays in place.

    Args:
        strength: The widths are drawn from 1 − strength to 1 + strength, below 1.
        cells: Cells along each side of the grid.
    """

    def __init__(self, strength: float = 0.3, cells: int = 5) -> None:
        self.strength = pairs.at_most("strength", strength, 0.99)
        self.cells = pairs.two("cells", cells)[0]

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        rows, columns = (self._bent(side).to(labels.device) for side in labels.shape)
        return _displaced(
            image, labels, columns.expand(labels.shape), rows[:, None].expand(labels.shape)
        )

    def _bent(self, side: int) -> Tensor:
        """Return how far to look ahead from each of a side's pixels."""
        widths = 1 + self.strength * (2 * torch.rand(self.cells) - 1)
        knots = torch.cat([torch.zeros(1), widths.cumsum(0) / widths.sum()])
        at = (torch.arange(side) + 0.5) / side
        cell = (at * self.cells).long()
        source = torch.lerp(knots[cell], knots[cell + 1], at * self.cells - cell)
        return side * (source - at)


def _displaced(image: Tensor, labels: Tensor, across: Tensor, down: Tensor) -> Pair:
    """Look up every pixel so many pixels to the right and below."""
    height, width = labels.shape
    displacement = torch.stack([across * (2 / width), down * (2 / height)], dim=-1)[None]
    picture = F.elastic(image, displacement, interpolation=InterpolationMode.BILINEAR)
    return picture, F.elastic(labels, displacement=displacement, fill=VOID)
