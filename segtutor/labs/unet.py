"""A bench for U-Net: one network on cells that touch, trained with and without its parts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.data import Cells, boundary_weights
from segtutor.labs.bench import Bench, choice, figures_in_a_row, number, picture
from segtutor.models import UNet

SIZE, TRAINED, JUDGED, BATCH = (64, 64), 96, 32, 4
SKIPS = {"concatenated": "concatenate", "added": "add", "none": None}
SEAMS = {"w0 = 0": 0.0, "w0 = 10": 10.0, "w0 = 30": 30.0}
DEPTHS, STEPS = ["2", "1", "3"], ["40", "80", "160"]


def drawn(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw pictures of touching cells.

    Args:
        n: How many.
        seed: Which.

    Returns:
        Pictures (n, 1, 64, 64) in [0, 1], labels (n, 64, 64), and the cells' numbers, alike.
    """
    cells = Cells(n, SIZE, seed=seed)
    scenes = [cells.scene(index) for index in range(n)]
    images = torch.stack([scene.image for scene in scenes]).float() / 255
    labels = torch.stack([scene.labels for scene in scenes]).long()
    return images, labels, torch.stack([scene.instances for scene in scenes]).long()


def train(
    net: UNet,
    images: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    *,
    steps: int,
    seed: int = 0,
) -> UNet:
    """Train with a weight for every pixel, AdamW and one cycle.

    Args:
        net: Changed in place, and returned in evaluation mode.
        images: (N, 1, H, W).
        labels: (N, H, W).
        weights: (N, H, W), what a pixel counts; None counts all alike.
        steps: How many batches of four.
        seed: The order of the pictures.
    """
    rate = 1.5e-2
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    g = torch.Generator().manual_seed(seed)
    net.train()
    for _ in range(steps):
        batch = torch.randint(len(images), (BATCH,), generator=g)
        cost = F.cross_entropy(net(images[batch]), labels[batch], reduction="none")
        loss = (cost if weights is None else cost * weights[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def blobs_of(prediction: Tensor) -> Tensor:
    """Number the connected blobs of class 1, side by side or one above another: (H, W).

    Example:
        >>> blobs_of(torch.tensor([[1, 1, 0, 1]]))
        tensor([[1, 1, 0, 2]])
    """
    from scipy.ndimage import label

    return torch.from_numpy(label(prediction.cpu().numpy() == 1)[0]).long()


def merged(predictions: Tensor, instances: Tensor) -> int:
    """Count the cells that share their blob with another cell, over a batch (N, H, W).

    Example:
        >>> merged(torch.tensor([[[1, 1, 1]]]), torch.tensor([[[1, 0, 2]]]))
        2
    """
    total = 0
    for prediction, cells in zip(predictions, instances, strict=True):
        blobs = blobs_of(prediction)
        own = [int(blobs[cells == cell].bincount().argmax()) for cell in cells.unique() if cell]
        total += sum(blob != 0 and own.count(blob) > 1 for blob in own)
    return total


def unet() -> UNetBench:
    """A bench that trains a small U-Net on touching cells, in a way of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = unet()
        >>> 0 <= bench.merged <= bench.cells
        True
    """
    return UNetBench()


class UNetBench(Bench):
    """The widgets, and the network that the present settings made.

    Attributes:
        net: The trained network.
        cells: How many cells there are in the pictures that it is judged by.
        merged: How many of them share their blob with another.
        iou: IoU of the cells, over all these pictures.
    """

    net: UNet
    cells: int
    merged: int
    iou: float
    summary = "a small U-Net on touching cells, with and without its parts"
    runs = "`UNet` and `boundary_weights`, the package's own"

    def __init__(self) -> None:
        self.images, self.labels, self.instances = drawn(TRAINED, 1)
        self.test = drawn(JUDGED, 2)
        self.cells = sum(len(one.unique()) - 1 for one in self.test[2])
        self.skips = choice("skips", list(SKIPS))
        self.seams = choice("seams", list(SEAMS))
        self.depth = choice("depth", DEPTHS)
        self.steps = choice("steps", STEPS)
        self.watch(self.skips, self.seams, self.depth, self.steps)
        self.lay_out([self.skips, self.seams], [self.depth, self.steps])

    def draw(self) -> str:
        """Train, count, and show one of the pictures."""
        w0 = SEAMS[self.seams.value]
        weights = torch.stack([boundary_weights(one, w0=w0) for one in self.instances])
        with torch.random.fork_rng():
            torch.manual_seed(0)
            net = UNet(2, in_channels=1, width=8, depth=int(self.depth.value),
                       skips=SKIPS[self.skips.value])  # fmt: skip
        self.net = train(
            net, self.images, self.labels, weights if w0 else None, steps=int(self.steps.value)
        )
        images, labels, instances = self.test
        with torch.no_grad():
            said = self.net(images).argmax(1)
        self.merged = merged(said, instances)
        both, either = ((said == 1) & (labels == 1)).sum(), ((said == 1) | (labels == 1)).sum()
        self.iou = (both / either).item()
        shown = figures_in_a_row(
            (picture(images[0]), "cells that it has not seen"),
            (picture(said[0]), "what it says"),
            (picture(labels[0]), "what is right"),
            sharp=True,
        )
        size = sum(p.numel() for p in net.parameters())
        return (
            f"{shown}<p><b>{self.merged} of {self.cells}</b> cells share their blob with another. "
            f"IoU of the cells: <b>{number(self.iou)}</b>. Parameters: {size:,}.</p>"
        )
