"""A bench for augmentation: put a pipeline together, and see what it makes of a street."""

from __future__ import annotations

import torch

from segtutor import data  # its transforms load torchvision: only when a bench is made
from segtutor.data import STREET_CLASSES, Streets
from segtutor.figures.palette import VOID
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, picture, slider

C = len(STREET_CLASSES)
SIZE = (96, 144)
SHOWN, COUNTED = 3, 32  # draws that are shown, and that the table counts
RARE = [STREET_CLASSES.index(name) for name in ("car", "person", "pole")]
CROPS = ["none", "any window", "rare classes"]


def augmentation() -> AugmentationBench:
    """A bench that draws from the package's transforms, on a street of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = augmentation()
        >>> bench.flip.value, bench.degrees.value = True, 15
        >>> [type(step).__name__ for step in bench.pipeline.transforms]
        ['HorizontalFlip', 'RandomAffine', 'ColorJitter']
    """
    return AugmentationBench()


class AugmentationBench(Bench):
    """The widgets, the pipeline that they stand for, and what it drew.

    Attributes:
        pipeline: The transforms, as a training would be given them.
        images: What it drew, (N, 3, h, w).
        labels: The label maps, (N, h, w).
    """

    pipeline: data.Compose
    images: torch.Tensor
    labels: torch.Tensor
    summary = "a pipeline of transforms on a street"
    runs = "the real transforms of segtutor.data"

    def __init__(self) -> None:
        self._streets = Streets(50, SIZE)
        self.scene = slider("street", 0, 49, 3)
        self.seed = slider("seed", 0, 20)
        self.flip = checkbox("flip", True)
        self.degrees = slider("degrees", 0, 60, 10)
        self.zoom = slider("scale to, %", 100, 300, 130)
        self.elastic = slider("elastic, px", 0, 12)
        self.color = slider("color, %", 0, 90, 30)
        self.crop = choice("crop", CROPS)
        self.share = slider("largest, %", 30, 100, 75)
        watched = [self.scene, self.seed, self.flip, self.degrees, self.zoom, self.elastic]
        watched += [self.color, self.crop, self.share]
        self.watch(*watched)
        self.lay_out(
            [self.scene, self.seed, self.flip],
            [self.degrees, self.zoom, self.elastic],
            [self.color, self.crop, self.share],
        )

    def draw(self) -> str:
        """Draw from the pipeline, and show pictures, label maps, and what they hold."""
        image, labels = self._streets[self.scene.value]
        self.pipeline = data.Compose(self._steps())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed.value)
            drawn = [self.pipeline(image, labels) for _ in range(COUNTED)]
        self.images, self.labels = (torch.stack(part) for part in zip(*drawn, strict=True))
        pairs = zip(self.images[:SHOWN], self.labels[:SHOWN], strict=True)
        return (
            figures_in_a_row(*(_pair(*pair) for pair in pairs)) + self._code() + self._table(labels)
        )

    def _steps(self) -> list[data.Transform]:
        steps: list[data.Transform] = []
        top = self.zoom.value / 100
        cropped = self.crop.value != "none"
        if self.flip.value:
            steps.append(data.HorizontalFlip())
        if self.degrees.value or (top > 1 and not cropped):
            scale = (1.0, 1.0) if cropped else (round(1 / top, 2), top)
            steps.append(data.RandomAffine(self.degrees.value, scale=scale))
        if self.elastic.value:
            steps.append(data.Elastic(float(self.elastic.value)))
        if cropped:
            size = (SIZE[0] // 2, SIZE[1] // 2)
            if top > 1:
                steps.append(data.ScaleJitter((round(1 / top, 2), top)))
            wanted = self.crop.value == "rare classes"
            share = self.share.value / 100
            steps.append(
                data.BalancedCrop(size, RARE, max_share=share) if wanted else data.RandomCrop(size)
            )
        if self.color.value:
            strength = self.color.value / 100
            steps.append(data.ColorJitter(strength, strength, strength))
        return steps

    def _code(self) -> str:
        lines = "".join(f"    {step!r},\n" for step in self.pipeline.transforms)
        style = "font-size:.85em;padding:.6em .8em;overflow-x:auto"
        return f'<pre style="{style}">Compose([\n{lines}])</pre>'

    def _table(self, before: torch.Tensor) -> str:
        pad = 'style="padding:.1em 1em .1em 0;text-align:right;white-space:nowrap"'
        head = "".join(f"<th {pad}>{name}</th>" for name in ("in %", *STREET_CLASSES))
        rows = f"<tr>{head}</tr>"
        for name, labels in (("the street", before), (f"{COUNTED} draws", self.labels)):
            shares = (f"<td {pad}>{100 * share:.1f}</td>" for share in class_shares(labels))
            rows += f"<tr><th {pad}>{name}</th>{''.join(shares)}</tr>"
        style = "font-size:.9em;font-variant-numeric:tabular-nums;width:auto;margin:0"
        return f'<div style="overflow-x:auto"><table style="{style}">{rows}</table></div>'


def _pair(image: torch.Tensor, labels: torch.Tensor) -> str:
    """A picture over its label map."""
    void = float((labels == VOID).double().mean())
    look = "display:block;width:100%;border-radius:6px;margin:0 0 6px;image-rendering"
    return (
        '<figure style="margin:0;flex:1 1 200px;max-width:360px">'
        f'<img src="{picture(image, 0, 1)}" alt="a picture" style="{look}:auto">'
        f'<img src="{picture(labels)}" alt="its label map" style="{look}:pixelated">'
        f'<figcaption style="font-size:.9em;opacity:.8">{void:.0%} void</figcaption></figure>'
    )


def class_shares(labels: torch.Tensor) -> list[float]:
    """The share of each class of Streets among the pixels that are not void.

    Example:
        >>> class_shares(torch.tensor([[0, 2, 2, 255]]))[:3]
        [0.3333333333333333, 0.0, 0.6666666666666666]
    """
    counts = torch.bincount(labels[labels != VOID], minlength=C).double()
    return (counts / counts.sum().clamp(min=1)).tolist()
