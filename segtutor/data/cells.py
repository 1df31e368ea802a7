"""Cells: touching bright blobs on a noisy ground, and the weights that keep them apart."""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import sqrt

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segtutor.data.streets import Scene, check_numbers

__all__ = ["CELL_CLASSES", "Cells", "boundary_weights"]

CELL_CLASSES = ("ground", "cell")


class Cells(Dataset):
    """Pictures of cells that touch, in gray, as under a microscope.

    The same seed and index give the same picture on every machine. One class is enough to say
    what is cell; to say how many there are, a network has to see the thin dark seams.

    Args:
        n: How many pictures.
        size: Height and width in pixels, each 32 or more.
        seed: Which pictures. Two seeds share none.
        transform: Takes and returns a picture (1, H, W) and labels (H, W).

    Example:
        >>> image, labels = Cells(100)[7]
        >>> image.shape, sorted(set(labels.flatten().tolist()))
        (torch.Size([1, 128, 128]), [0, 1])
    """

    classes = CELL_CLASSES

    def __init__(
        self,
        n: int,
        size: tuple[int, int] = (128, 128),
        seed: int = 0,
        *,
        transform: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        check_numbers(n, size, seed)
        self.n, self.size, self.seed, self.transform = n, tuple(size), seed, transform

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        scene = self.scene(index)
        image, labels = scene.image.float() / 255, scene.labels.long()
        return (image, labels) if self.transform is None else self.transform(image, labels)

    def scene(self, index: int) -> Scene:
        """Draw one picture: image (1, H, W) uint8, labels, and a number for each cell."""
        if not -self.n <= index < self.n:
            raise IndexError(f"picture {index} of {self.n}: they are numbered from 0")
        key = np.random.SeedSequence((self.seed, operator.index(index) % self.n))
        rng = np.random.Generator(np.random.PCG64(key))
        instances, depth = _grow(rng, self.size)
        image = _expose(rng, instances, depth)
        labels = (instances > 0).astype(np.uint8)
        return Scene(*map(torch.from_numpy, (image, labels, instances)))

    def __repr__(self) -> str:
        return f"Cells({self.n}, size={self.size}, seed={self.seed})"


def boundary_weights(instances: Tensor, *, w0: float = 10.0, sigma: float = 5.0) -> Tensor:
    """U-Net's weights: large where the ground between two cells is thin.

    The sum of two terms: one that balances the classes, so that cell and ground weigh 1 on
    average each, and w0 · exp(−(d1 + d2)² / 2σ²) on the ground, with the distances d1 and d2 to
    the nearest and to the second nearest cell.

    Args:
        instances: (H, W) whole numbers, 0 for the ground.
        w0: How much a seam weighs at most.
        sigma: How wide a gap still counts, in pixels.

    Returns:
        (H, W) float32, on the device of the instances.

    Example:
        >>> weights = boundary_weights(torch.tensor([[1, 1, 0, 2, 2], [1, 1, 0, 0, 0]]))
        >>> weights[0, 2] > weights[1, 4]
        tensor(True)
    """
    if instances.dim() != 2 or instances.is_floating_point():
        raise ValueError(
            f"instances are {instances.dtype} {tuple(instances.shape)}, but have to be whole "
            "numbers (H, W), 0 for the ground"
        )
    if sigma <= 0:
        raise ValueError(f"sigma={sigma} has to be above 0")
    from scipy.ndimage import distance_transform_edt

    numbers = instances.cpu().numpy()
    ground, cells = numbers == 0, np.unique(numbers[numbers != 0])
    share = ground.mean()
    weights = np.where(ground, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9))
    if len(cells) > 1:
        nearest = np.full((2, *numbers.shape), np.inf)  # to the nearest, to the second nearest
        for cell in cells:
            away = distance_transform_edt(numbers != cell)
            nearest = np.sort(np.concatenate([nearest, away[None]]), axis=0)[:2]
        weights += w0 * np.exp(-(nearest.sum(0) ** 2) / (2 * sigma**2)) * ground
    return torch.from_numpy(weights.astype(np.float32)).to(instances.device)


def _grow(rng: np.random.Generator, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Let cells lie where they touch: a number for each pixel, and how deep inside it lies."""
    height, width = size
    y, x = (np.arange(n, dtype=np.float32)[:, None] for n in size)
    unit = np.float32(min(size) / 128 if min(size) < 128 else 1)
    wanted = max(3, height * width // 900)
    instances = np.zeros(size, np.int32)
    depth = np.zeros(size, np.float32)  # 1 in the middle of a cell, 0 at its rim
    centers: list[tuple[float, float, float]] = []
    for _ in range(6 * wanted):
        if len(centers) == wanted:
            break
        radius = (7 + 6 * rng.random()) * float(unit)
        cy, cx = rng.random() * height, rng.random() * width
        if centers and rng.random() < 0.75:  # next to one that is there
            oy, ox, near = centers[int(rng.random() * len(centers))]
            dy, dx = 2 * rng.random() - 1, 2 * rng.random() - 1
            reach = 0.92 * (near + radius) / max(sqrt(dy * dy + dx * dx), 0.1)
            cy, cx = oy + dy * reach, ox + dx * reach
        if not (0 <= cy < height and 0 <= cx < width) or any(
            (cy - oy) ** 2 + (cx - ox) ** 2 < (0.8 * (near + radius)) ** 2
            for oy, ox, near in centers
        ):
            continue
        centers.append((cy, cx, radius))
        lean, squeeze = 0.5 * (rng.random() - 0.5), 0.8 + 0.4 * rng.random()
        v, u = (y - cy) / radius, (x.T - cx) / radius
        off = ((u + lean * v) / squeeze) ** 2 + (v * squeeze) ** 2
        inside = 1 - off
        free = inside > depth
        instances[free], depth[free] = len(centers), inside[free]
    seam = np.zeros(size, bool)  # where two cells meet, a pixel of ground stays between them
    for axis in (0, 1):
        a = np.take(instances, range(size[axis] - 1), axis)
        b = np.take(instances, range(1, size[axis]), axis)
        meet = (a != b) & (a > 0) & (b > 0)
        seam |= np.pad(meet, [(0, int(axis == k)) for k in (0, 1)])
    instances[seam], depth[seam] = 0, 0
    return instances, depth


def _expose(rng: np.random.Generator, instances: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Light from the side, a rim darker than the middle, grain: (1, H, W) uint8."""
    height, width = instances.shape
    glow = np.float32(70) + np.float32(95) * rng.random(int(instances.max()) + 1, np.float32)
    glow[0] = 0
    bright = glow[instances] * (np.float32(0.45) + np.float32(0.55) * np.clip(2 * depth, 0, 1))
    slope = np.arange(width, dtype=np.float32) / width + np.arange(height)[:, None] / height
    picture = bright + np.float32(34) + np.float32(18 * rng.random()) * slope.astype(np.float32)
    for axis in (0, 1):  # out of focus a little: 1, 2, 1
        padded = np.pad(picture, [(int(axis == k),) * 2 for k in (0, 1)], mode="edge")
        parts = [padded.take(range(i, i + instances.shape[axis]), axis) for i in range(3)]
        picture = (parts[0] + 2 * parts[1] + parts[2]) / np.float32(4)
    grain = np.frombuffer(rng.bytes(2 * picture.size), np.int8).reshape(2, height, width)
    picture = picture + grain[0] * np.float32(0.09) + grain[1] * np.float32(0.09)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)[None]
