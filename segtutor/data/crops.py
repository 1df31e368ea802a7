"""Augmentation that changes the size: scales, crops and padding. What is added is void."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from segtutor.data import pairs
from segtutor.data.pairs import VOID, Pair, below, uniform
from segtutor.data.transforms import Transform

__all__ = ["BalancedCrop", "PadToMultiple", "RandomCrop", "Resize", "ScaleJitter"]


class Resize(Transform):
    """Stretch to a size: the picture bilinearly and smoothed first, the labels by nearest.

    Pixel centers lie at halves for both ("nearest-exact"), so that the two stay aligned.

    Args:
        size: (height, width) in pixels, or one number for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pairs.two("size", size)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        return pairs.resize(image, labels, self.size)


class ScaleJitter(Transform):
    """Make everything larger or smaller by a random factor; halving is as likely as doubling.

    The size changes: a crop should follow.

    Args:
        scale: The smallest and the largest factor.
    """

    def __init__(self, scale: tuple[float, float] = (0.5, 2.0)) -> None:
        self.scale = pairs.low_high("scale", scale)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        factor = math.exp(uniform(*map(math.log, self.scale)))
        return pairs.resize(image, labels, [max(1, round(factor * side)) for side in labels.shape])


class RandomCrop(Transform):
    """A window at a random place. A smaller picture is padded: black, and void.

    Args:
        size: (height, width) of the window in pixels, or one number for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pairs.two("size", size)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        missing = [max(0, side - has) for side, has in zip(self.size, labels.shape, strict=True)]
        if any(missing):
            top, left = (below(n + 1) for n in missing)
            image, labels = pairs.pad(image, labels, top, missing[0] - top, left, missing[1] - left)
        top, left = self._corner(labels)
        return F.crop(image, top, left, *self.size), F.crop(labels, top, left, *self.size)

    def _corner(self, labels: Tensor) -> tuple[int, int]:
        """Return where the window starts."""
        return tuple(
            below(has - side + 1) for side, has in zip(self.size, labels.shape, strict=True)
        )


class BalancedCrop(RandomCrop):
    """A window that no class fills, around a pixel of a wanted class.

    Windows are drawn until one keeps the rule; after `tries` the last one is taken.

    Args:
        size: (height, width) of the window in pixels, or one number for both.
        classes: Each window contains a pixel of one of these, if the picture has any: first
            the class is drawn, each with the same chance, then the pixel. None: any window.
        max_share: The largest share of a window's judged pixels that one class may fill.
        tries: How many windows are drawn at most.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        classes: Sequence[int] | None = None,
        *,
        max_share: float = 0.75,
        tries: int = 10,
    ) -> None:
        super().__init__(size)
        if not 0 < max_share <= 1 or tries < 1:
            raise ValueError(
                f"max_share={max_share}, tries={tries}: give a share above 0 and up to 1, and at "
                "least one try"
            )
        given = [] if isinstance(classes, int) else classes
        if given is not None and not (len(given) and min(given) >= 0):
            raise ValueError(
                f"classes={classes}: give a list of class numbers from 0, or None for any window"
            )
        self.classes = None if classes is None else list(classes)
        self.max_share, self.tries = max_share, tries

    def _corner(self, labels: Tensor) -> tuple[int, int]:
        labels = labels.as_subclass(Tensor)
        height, width = self.size
        present = []
        if self.classes is not None:
            counts = torch.bincount(labels.flatten(), minlength=1 + max(self.classes)).tolist()
            present = [label for label in self.classes if counts[label]]
        for _ in range(self.tries):
            if present:
                places = (labels == present[below(len(present))]).nonzero()
                place = places[below(len(places))].tolist()
                # Every window that contains the pixel has the same chance.
                low = [max(0, at - side + 1) for at, side in zip(place, self.size, strict=True)]
                high = [
                    min(at, has - side)
                    for at, side, has in zip(place, self.size, labels.shape, strict=True)
                ]
                top, left = (b + below(e - b + 1) for b, e in zip(low, high, strict=True))
            else:
                top, left = super()._corner(labels)
            window = labels[top : top + height, left : left + width]
            counts = torch.bincount(window.flatten(), minlength=VOID + 1)
            counts[VOID] = 0
            if 0 < int(counts.max()) <= self.max_share * int(counts.sum()):
                break
        return top, left


class PadToMultiple(Transform):
    """Pad below and on the right until both sides are multiples: black, and void.

    Args:
        multiple: In pixels, such as the stride of a network.
    """

    def __init__(self, multiple: int) -> None:
        self.multiple = pairs.two("multiple", multiple)[0]

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        bottom, right = (-side % self.multiple for side in labels.shape)
        return pairs.pad(image, labels, 0, bottom, 0, right)
