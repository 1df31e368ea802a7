"""A bench for pyramid pooling: a near-sighted network, with and without the scene around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.data import STREET_CLASSES, Streets, StreetSettings
from segtutor.labs.bench import Bench, choice, figures_in_a_row, number, picture
from segtutor.metrics import ConfusionMatrix
from segtutor.models.blocks import conv_norm_relu
from segtutor.models.pspnet import PSPNet

TRAINED, JUDGED, BATCH = 96, 40, 8
BINS = {"1, 2, 3, 6": (1, 2, 3, 6), "none": (), "1": (1,), "2": (2,), "6": (6,)}
ALIKE = {"alike": 1.0, "half": 0.5, "as usual": 0.0}
WINDOWS = {"whole picture": (64, 96), "windows, 56×80": (56, 80), "windows, 48×64": (48, 64)}
SIDEWALK = STREET_CLASSES.index("sidewalk")


class NearSighted(nn.Module):
    """A backbone of two convolutions: an answer behind it has seen a few pixels around its own.

    Attributes:
        channels: Channels of its maps, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.channels = {"half": 16, "quarter": 32}
        self.first = conv_norm_relu(3, 16, stride=2)
        self.second = conv_norm_relu(16, 32, stride=2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Maps of a half and of a quarter of the height and width of pictures (N, 3, H, W)."""
        half = self.first(x)
        return {"half": half, "quarter": self.second(half)}


def near_sighted(bins: Sequence[int] = (), width: int = 24) -> PSPNet:
    """A small PSPNet over that backbone, with or without context.

    Its maps are enlarged by the half-pixel rule, so that a window of a picture shifts nothing:
    what it changes is what the network is told of the picture.
    """
    return PSPNet(len(STREET_CLASSES), backbone=NearSighted(), bins=bins, width=width,
                  align_corners=False)  # fmt: skip


def drawn(n: int, seed: int, alike: float = 1.0) -> tuple[Tensor, Tensor]:
    """Draw streets whose sidewalk looks like road: pictures (n, 3, 64, 96), labels (n, 64, 96).

    Args:
        n: How many.
        seed: Which.
        alike: From 0, as usual, to 1: only its place tells a sidewalk from a road.
    """
    streets = Streets(n, seed=seed, settings=StreetSettings(context=alike))
    images, labels = zip(*(streets[index] for index in range(n)), strict=True)
    return torch.stack(images), torch.stack(labels)


def train(
    net: nn.Module, images: Tensor, labels: Tensor, *, steps: int, seed: int = 0
) -> nn.Module:
    """Train with AdamW and one cycle; returned in evaluation mode.

    Args:
        net: Changed in place.
        images: (N, 3, H, W).
        labels: (N, H, W); 255 is void.
        steps: How many batches of eight.
        seed: The order of the pictures.
    """
    rate = 1.5e-2
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    g = torch.Generator().manual_seed(seed)
    net.train()
    for _ in range(steps):
        batch = torch.randint(len(images), (BATCH,), generator=g)
        loss = F.cross_entropy(net(images[batch]), labels[batch], ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def in_windows(
    net: Callable[[Tensor], Tensor], images: Tensor, rows: int = 48, columns: int = 64
) -> Tensor:
    """Judge four windows of each picture, one in every corner, and keep a quarter from each.

    Args:
        net: From pictures (N, 3, h, w) to logits (N, C, h, w).
        images: (N, 3, H, W), of even height and width.
        rows: Height of a window, from H / 2 to H.
        columns: Width of a window, from W / 2 to W.

    Returns:
        The logits, (N, C, H, W).
    """
    down, across = images.shape[2] // 2, images.shape[3] // 2
    upper, lower = images[:, :, :rows], images[:, :, -rows:]
    bands = []
    for band in (upper, lower):
        left = net(band[..., :columns])[..., :across]
        right = net(band[..., -columns:])[..., -across:]
        bands.append(torch.cat([left, right], 3))
    return torch.cat([bands[0][:, :, :down], bands[1][:, :, -down:]], 2)


def pspnet() -> PSPNetBench:
    """A bench that trains a near-sighted network with the context of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = pspnet()
        >>> bench.net.pyramid.bins
        (1, 2, 3, 6)
    """
    return PSPNetBench()


class PSPNetBench(Bench):
    """The widgets, and the network that the present settings made.

    Attributes:
        net: The trained network.
        said: What it says of the judged pictures, (40, 64, 96).
        counts: Its confusion matrix over them.
    """

    net: nn.Module
    said: Tensor
    counts: ConfusionMatrix
    summary = "a near-sighted network on streets, with and without the scene around it"
    runs = "PSPNet, the package's own"

    def __init__(self) -> None:
        self.bins = choice("bins", list(BINS))
        self.alike = choice("sidewalk", list(ALIKE))
        self.steps = choice("steps", ["80", "40", "160"])
        self.windows = choice("judged in", list(WINDOWS))
        self._made: tuple[str, ...] = ()
        self.watch(self.bins, self.alike, self.steps, self.windows)
        self.lay_out([self.bins, self.alike], [self.steps, self.windows])

    def draw(self) -> str:
        """Train if a setting asks for it, judge, and show one of the pictures."""
        wanted = (self.bins.value, self.alike.value, self.steps.value)
        if wanted != self._made:
            self._made = wanted
            self._learn()
        images, labels = self.test
        with torch.no_grad():
            logits = in_windows(self.net, images, *WINDOWS[self.windows.value])
        self.said = logits.argmax(1)
        self.counts = ConfusionMatrix(len(STREET_CLASSES)).update(self.said, labels)
        shown = figures_in_a_row(
            (picture(images[0]), "a street that it has not seen"),
            (picture(self.said[0]), "what it says"),
            (picture(labels[0]), "what is right"),
            sharp=True,
        )
        size = sum(p.numel() for p in self.net.parameters())
        return (
            f"{shown}<p>IoU of the sidewalk: <b>{number(self.counts.iou()[SIDEWALK].item())}</b>; "
            f"mean over the classes: <b>{number(float(self.counts.mean_iou()))}</b>. "
            f"Parameters: {size:,}.</p>"
        )

    def _learn(self) -> None:
        """Draw the streets, and train a new network on them."""
        alike = ALIKE[self.alike.value]
        images, labels = drawn(TRAINED, 1, alike)
        self.test = drawn(JUDGED, 2, alike)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            net = near_sighted(BINS[self.bins.value])
            self.net = train(net, images, labels, steps=int(self.steps.value))
