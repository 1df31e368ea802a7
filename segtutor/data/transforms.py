"""Augmentation: one draw for a picture and its label map, and labels that stay labels.

Built on `torchvision.transforms.v2`. A label map goes through wrapped as a `tv_tensors.Mask`:
it is sampled by nearest neighbor, never scaled, never recolored, and what comes from outside
the picture is void. All randomness is torch's global generator: `torch.manual_seed` repeats it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from segtutor.data import pairs
from segtutor.data.pairs import Pair, uniform

__all__ = [
    "Blur",
    "ColorJitter",
    "Compose",
    "HorizontalFlip",
    "Normalize",
    "Sometimes",
    "Transform",
    "VerticalFlip",
]

ROUNDING = 1e-3  # by which a resized or turned picture may leave [0, 1]


class Transform:
    """A change of picture and label map. A subclass says in `_draw` what it does to one pair.

    Called with one sample, an image (C, H, W) and labels (H, W), or with a batch, (N, C, H, W)
    and (N, H, W), of which every sample gets a draw of its own. Images are floating point or
    uint8 and labels whole numbers, on any device; both keep their dtype. What comes back may
    share memory with what went in.
    """

    def __call__(self, image: Tensor, labels: Tensor) -> Pair:
        """Return the changed image and labels."""
        pairs.check_pair(image, labels)
        if image.ndim == 3:
            image, labels = self._draw(tv_tensors.Image(image), tv_tensors.Mask(labels))
            return image.as_subclass(Tensor), labels.as_subclass(Tensor)
        samples = [self(*pair) for pair in zip(image, labels, strict=True)]
        sizes = {tuple(labels.shape) for _, labels in samples}
        if len(sizes) > 1:
            listed = ", ".join(f"{h}×{w}" for h, w in sorted(sizes)[:3])
            raise ValueError(
                f"the samples of the batch came out of {self!r} in sizes {listed} …: end with "
                "RandomCrop or Resize, so that they can be stacked"
            )
        return tuple(torch.stack(tensors) for tensors in zip(*samples, strict=True))

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        """Change one pair by one draw. It has been checked, and is wrapped."""
        raise NotImplementedError

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class Compose(Transform):
    """One transform after the other.

    Args:
        transforms: Transforms of this module or of `torchvision.transforms.v2`. The latter get
            a `tv_tensors.Mask` too; give those that fill `fill={tv_tensors.Mask: 255, …}`.

    Example:
        >>> augment = Compose([HorizontalFlip(), ColorJitter(brightness=0.5)])
        >>> image, labels = augment(torch.rand(3, 6, 9), torch.zeros(6, 9, dtype=torch.long))
        >>> tuple(image.shape), tuple(labels.shape)
        ((3, 6, 9), (6, 9))
    """

    def __init__(self, transforms: Iterable[Callable[[Tensor, Tensor], Pair]]) -> None:
        if not isinstance(transforms, Iterable):
            raise TypeError(f"transforms={transforms!r}: give a list of transforms")
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform) or isinstance(transform, type):
                raise TypeError(
                    f"transforms contain {transform!r}: give transforms, such as HorizontalFlip()"
                )

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        for transform in self.transforms:
            change = transform._draw if isinstance(transform, Transform) else transform
            image, labels = change(image, labels)
        return image, labels


class Sometimes(Transform):
    """Another transform with probability p, else none.

    Args:
        transform: A transform of this package or of `torchvision.transforms.v2`.
        p: How likely it is.
    """

    def __init__(self, transform: Callable[[Tensor, Tensor], Pair], p: float = 0.5) -> None:
        self.transform, self.p = Compose([transform]), pairs.at_most("p", p)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        return self.transform._draw(image, labels) if uniform(0, 1) < self.p else (image, labels)


class HorizontalFlip(Transform):
    """Left becomes right, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = pairs.at_most("p", p)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        if uniform(0, 1) >= self.p:
            return image, labels
        return F.horizontal_flip(image), F.horizontal_flip(labels)


class VerticalFlip(HorizontalFlip):
    """Top becomes bottom, with probability p. For pictures from above, not for streets."""

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        if uniform(0, 1) >= self.p:
            return image, labels
        return F.vertical_flip(image), F.vertical_flip(labels)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue of the picture; the labels stay.

    Args:
        brightness: The factor is drawn from 1 − brightness to 1 + brightness.
        contrast: As brightness.
        saturation: As brightness.
        hue: The turn is drawn from −hue to hue, as a share of the color circle, up to 0.5.
            It takes longer than the other three together.
    """

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        saturation: float = 0.3,
        hue: float = 0.0,
    ) -> None:
        self.brightness, self.contrast = brightness, contrast
        self.saturation, self.hue = saturation, hue
        for name, value in vars(self).items():
            pairs.at_most(name, value, 0.5 if name == "hue" else 1.0)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        if image.is_floating_point() and (image.min() < -ROUNDING or image.max() > 1 + ROUNDING):
            raise ValueError(
                f"image runs from {float(image.min()):.2f} to {float(image.max()):.2f}, but colors "
                "are changed in [0, 1]: put ColorJitter before Normalize"
            )
        changes = {
            F.adjust_brightness: self.brightness,
            F.adjust_contrast: self.contrast,
            F.adjust_saturation: self.saturation,
        }
        for adjust, strength in changes.items():
            if strength:
                image = adjust(image, uniform(1 - strength, 1 + strength))
        if self.hue:
            image = F.adjust_hue(image, uniform(-self.hue, self.hue))
        return image, labels


class Blur(Transform):
    """A Gaussian blur of the picture; the labels stay.

    Args:
        sigma: The smallest and the largest standard deviation in pixels.
    """

    def __init__(self, sigma: tuple[float, float] = (0.1, 1.5)) -> None:
        self.sigma = pairs.low_high("sigma", sigma)

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        sigma = uniform(*self.sigma)
        # The blur mirrors the picture at its border, so it reaches no farther than the picture.
        reach = min(math.ceil(3 * sigma), min(labels.shape) - 1)
        return F.gaussian_blur(image, 2 * reach + 1, [sigma, sigma]), labels


class Normalize(Transform):
    """Subtract a mean from the picture's channels and divide by a standard deviation.

    Args:
        mean: One number for each channel.
        std: One number for each channel.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean, self.std = list(mean), list(std)
        if len(self.mean) != len(self.std) or not all(value > 0 for value in self.std):
            raise ValueError(f"mean={mean}, std={std}: give as many means as deviations above 0")

    def _draw(self, image: tv_tensors.Image, labels: tv_tensors.Mask) -> Pair:
        if not image.is_floating_point() or len(image) != len(self.mean):
            raise ValueError(
                f"image has {len(image)} channels of {image.dtype}, but {len(self.mean)} means "
                "are given: divide pictures of bytes by 255 first, and give a mean for each channel"
            )
        return F.normalize(image, self.mean, self.std), labels
