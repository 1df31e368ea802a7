"""A bench for SegNet's indices: a trained decoder gets other places than its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import Subset

from segtutor.data import STREET_CLASSES, streets_1
from segtutor.labs.bench import Bench, choice, figures_in_a_row, number, picture, slider
from segtutor.losses import cross_entropy
from segtutor.metrics import BoundaryScores, ConfusionMatrix
from segtutor.models import SegNet, trained

C = len(STREET_CLASSES)
JUDGED = 16  # scenes of the bench
# Cars count twice, people and poles five times: they are few.
WEIGHT = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 5.0, 5.0])
Places = Callable[[Tensor, tuple[int, int]], Tensor]


def _own(indices: Tensor, size: tuple[int, int]) -> Tensor:
    return indices


def _upper_left(indices: Tensor, size: tuple[int, int]) -> Tensor:
    rows, columns = (2 * torch.arange(n, device=indices.device) for n in indices.shape[-2:])
    return (rows[:, None] * size[1] + columns).expand_as(indices)


def _at_random(indices: Tensor, size: tuple[int, int]) -> Tensor:
    """A pixel of the same window, drawn; where the window hangs over the end, one inside."""
    g = torch.Generator().manual_seed(0)
    down, right = torch.randint(0, 2, (2, *indices.shape), generator=g).to(indices.device)
    corner = _upper_left(indices, size)
    down *= corner // size[1] + 1 < size[0]
    right *= corner % size[1] + 1 < size[1]
    return corner + down * size[1] + right


def _next_channel(indices: Tensor, size: tuple[int, int]) -> Tensor:
    return indices.roll(1, dims=1)


def _other_scene(indices: Tensor, size: tuple[int, int]) -> Tensor:
    return indices.roll(1, dims=0)


PLACES: dict[str, Places] = {
    "its own": _own,
    "upper left": _upper_left,
    "at random": _at_random,
    "the next channel's": _next_channel,
    "another scene's": _other_scene,
}
"""What a decoder may get in place of its indices, each a function of (indices, size)."""


def scenes(split: str, n: int) -> tuple[Tensor, Tensor]:
    """The first scenes of a split of Streets-1.

    Args:
        split: "train", "val" or "test".
        n: How many.

    Returns:
        Pictures (n, 3, 64, 96) in [0, 1] and labels (n, 64, 96).
    """
    images, labels = zip(*Subset(streets_1(split), range(n)), strict=True)
    return torch.stack(images), torch.stack(labels)


@torch.no_grad()
def with_places(
    net: SegNet, images: Tensor, places: Places, levels: tuple[int, ...] = (0, 1, 2, 3, 4)
) -> Tensor:
    """What a SegNet says when its decoder gets other places than the encoder's.

    Args:
        net: A SegNet that unpools by indices.
        images: (N, 3, H, W).
        places: Makes indices of indices and of the size that they lead to.
        levels: The steps up that get them; 0 is the deepest.

    Returns:
        Labels (N, H, W).

    Example:
        >>> net, images = SegNet(8, width=2, depth=2).eval(), torch.rand(2, 3, 8, 8)
        >>> torch.equal(with_places(net, images, PLACES["its own"]), net(images).argmax(1))
        True
    """
    upsampled = net.upsampled

    def elsewhere(x: Tensor, level: int, indices: Tensor, size: tuple[int, int]) -> Tensor:
        changed = places(indices, size) if level in levels else indices
        return upsampled(x, level, changed, size)

    net.upsampled = elsewhere
    try:
        return net(images).argmax(1)
    finally:
        del net.upsampled  # the method of its class again


def relearn(net: SegNet, images: Tensor, labels: Tensor, *, steps: int, seed: int = 0) -> SegNet:
    """Let the decoder learn on, with AdamW and one cycle; the encoder stays as it is.

    Args:
        net: Changed in place, and returned in evaluation mode.
        images: (N, 3, H, W).
        labels: (N, H, W); 255 is not judged.
        steps: How many batches of eight.
        seed: The order of the pictures.
    """
    decoder = [*net.decoder.parameters(), *net.head.parameters()]
    optimizer = torch.optim.AdamW(decoder, lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    g = torch.Generator().manual_seed(seed)
    net.encoder.requires_grad_(False)
    weight = WEIGHT.to(images.device)
    net.train().encoder.eval()
    for _ in range(steps):
        batch = torch.randint(len(images), (8,), generator=g)
        loss = cross_entropy(net(images[batch]), labels[batch], weight=weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def judged(said: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and boundary IoU of each class, the border one pixel wide: two times (8,)."""
    matrix = ConfusionMatrix(C).update(said, labels)
    return matrix.iou(), BoundaryScores(C, width=1).update(said, labels).boundary_iou()


def segnet() -> SegNetBench:
    """A bench that gives the decoder of a trained SegNet other places than its own.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = segnet()
        >>> before = bench.iou.mean()
        >>> bench.places.value = "upper left"
        >>> bool(bench.iou.mean() < before)
        True
    """
    return SegNetBench()


class SegNetBench(Bench):
    """The widgets, and what the network said with the places that they name.

    Attributes:
        net: The book's small SegNet, trained on Streets-1.
        said: Its labels for the scenes, (16, 64, 96).
        iou: IoU of each class.
        border: Boundary IoU of each class.
    """

    said: Tensor
    iou: Tensor
    border: Tensor
    summary = "a trained SegNet whose numbers come back in other places"
    runs = "the trained network and the real segtutor.metrics"

    def __init__(self) -> None:
        self.net = trained("segnet")
        self.images, self.labels = scenes("test", JUDGED)
        depth = len(self.net.decoder)
        self.steps = {"all": tuple(range(depth))} | {
            f"step {k + 1} of {depth}": (k,) for k in range(depth)
        }
        self.places = choice("places", list(PLACES))
        self.where = choice("on the way up", list(self.steps))
        self.scene = slider("scene", 0, JUDGED - 1, 3)
        self.watch(self.places, self.where, self.scene)
        self.lay_out([self.places, self.where], [self.scene])

    def draw(self) -> str:
        """Run the network with the chosen places, and show one of the scenes."""
        places, levels = PLACES[self.places.value], self.steps[self.where.value]
        self.said = with_places(self.net, self.images, places, levels)
        self.iou, self.border = judged(self.said, self.labels)
        shown = self.scene.value
        maps = figures_in_a_row(
            (picture(self.images[shown]), "a street that it has not seen"),
            (picture(self.said[shown]), "what it says"),
            (picture(self.labels[shown]), "what is right, void in black"),
            sharp=True,
        )
        return (
            f'{maps}<p style="margin-top:.8em">Over {JUDGED} scenes: mean IoU '
            f"<b>{number(self.iou.nanmean().item())}</b>, mean boundary IoU "
            f"<b>{number(self.border.nanmean().item())}</b>.</p>"
        )
