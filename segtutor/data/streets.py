"""Streets: scenes drawn from a number, the data set that the whole book shares."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from hashlib import sha256
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from segtutor.data.scene import STREET_CLASSES
from segtutor.data.street_drawing import draw_street
from segtutor.data.street_settings import StreetSettings

__all__ = ["STREETS_1", "Scene", "StreetSettings", "Streets", "streets_1"]

Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Scene(NamedTuple):
    """A scene with all that is known of it, as whole numbers.

    The image is (3, H, W) uint8. The labels are (H, W) uint8: classes of `STREET_CLASSES`, and 255
    for void. The instances are (H, W) int32: a number for each car, person and pole, 0 for
    everything else.
    """

    image: Tensor
    labels: Tensor
    instances: Tensor


class Streets(Dataset):
    """As many drawn street scenes as you like, with exact labels.

    The same seed and index give the same scene on every machine, and with any `n`: `Streets(10)`
    holds the first ten of `Streets(1000)`. Scenes are drawn when they are asked for; `InMemory`
    keeps them.

    Args:
        n: How many scenes.
        size: Height and width in pixels, each 32 or more.
        seed: Which scenes. Two seeds share none.
        settings: What makes them harder, `StreetSettings`.
        transform: Takes and returns a picture (3, H, W) and labels (H, W).

    Example:
        >>> image, labels = Streets(1000)[7]
        >>> image.shape, image.dtype, labels.shape, labels.dtype
        (torch.Size([3, 64, 96]), torch.float32, torch.Size([64, 96]), torch.int64)
        >>> set(labels.unique().tolist()) <= {*range(8), 255}
        True
    """

    classes = STREET_CLASSES

    def __init__(
        self,
        n: int,
        size: tuple[int, int] = (64, 96),
        seed: int = 0,
        *,
        settings: StreetSettings | None = None,
        transform: Transform | None = None,
    ) -> None:
        check_numbers(n, size, seed)
        self.n, self.size, self.seed = n, tuple(size), seed
        self.settings = settings or StreetSettings()
        self.transform = transform

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        scene = self.scene(index)
        image, labels = scene.image.float() / 255, scene.labels.long()
        return (image, labels) if self.transform is None else self.transform(image, labels)

    def scene(self, index: int) -> Scene:
        """Draw one scene, with its instances, as whole numbers."""
        if not -self.n <= index < self.n:
            raise IndexError(f"scene {index} of {self.n}: they are numbered from 0")
        key = (self.seed, operator.index(index) % self.n)
        return Scene(*map(torch.from_numpy, draw_street(key, self.size, self.settings)))

    def __repr__(self) -> str:
        return f"Streets({self.n}, size={self.size}, seed={self.seed}, settings={self.settings})"


def check_numbers(n: int, size: Sequence[int], seed: int) -> None:
    """Raise unless these are how many scenes, of which size, and which."""
    if not isinstance(n, Integral) or n < 1:
        raise ValueError(f"n={n}: a data set needs at least one scene, and a whole number of them")
    sides = size if isinstance(size, Sequence) else [size]
    if len(sides) != 2 or not all(isinstance(side, Integral) and side >= 32 for side in sides):
        raise ValueError(f"size={size} has to be (height, width), each 32 or more whole pixels")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed={seed} has to be 0 or more, a whole number")


# Seed and number of scenes of each split, and the checksum of its pictures and labels.
STREETS_1 = {
    "train": (1001, 800, "6e2261e34579f9fe13696b61e00dd891b7b2bb5a96c0d6b77e3e397d61062328"),
    "val": (1002, 200, "86a1353e5ac51538b6076ea89e94f52bb73649109470ea44966b56fbcefb969b"),
    "test": (1003, 200, "7ff92752781227a5ba2c282010ede368385101abc9479d0bd30aadce385f379d"),
    "shifted": (1004, 200, "07093a65027d2b733574d7864e411b6f2a0928bafd968c2db01f2079e409a323"),
}
SHIFTED = StreetSettings(night=0.7)


def streets_1(split: str, *, transform: Transform | None = None) -> Streets:
    """The benchmark of the book, Streets-1: fixed scenes of 64×96 pixels.

    Args:
        split: "train" (800 scenes), "val" (200), "test" (200), or "shifted" (200 at nightfall, in
            which a network shows what it learned of streets and what only of daylight).
        transform: As in `Streets`.

    Example:
        >>> len(streets_1("train")), len(streets_1("shifted"))
        (800, 200)
    """
    if split not in STREETS_1:
        raise ValueError(f"split={split!r} is unknown: take one of {', '.join(STREETS_1)}")
    seed, n, _ = STREETS_1[split]
    settings = SHIFTED if split == "shifted" else None
    return Streets(n, seed=seed, settings=settings, transform=transform)


def checksum(streets: Streets) -> str:
    """Return the SHA-256 of all pictures and labels, in order."""
    digest = sha256()
    for index in range(len(streets)):
        scene = streets.scene(index)
        digest.update(scene.image.numpy().tobytes())
        digest.update(scene.labels.numpy().tobytes())
    return digest.hexdigest()
