"""A bench for scores: spoil the street's label map, and see what each score says to it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import STREET_CLASSES, street_scene
from segtutor.figures.palette import VOID
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, picture, slider
from segtutor.metrics import ConfusionMatrix, boundary_iou

C = len(STREET_CLASSES)
ROAD = STREET_CLASSES.index("road")


def iou() -> IoUBench:
    """A bench that spoils a label map and lets the package's metrics judge it.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = iou()
        >>> bench.shift.value, bench.ring.value = 0, 0
        >>> bench.counts.mean_iou()
        1.0
    """
    return IoUBench()


class IoUBench(Bench):
    """The widgets, the two label maps that are compared, and the counts of the comparison.

    Attributes:
        target: The street's label map with its void, (H, W), as it is judged.
        prediction: The spoiled one, (H, W).
        counts: Their confusion matrix.
    """

    target: torch.Tensor
    prediction: torch.Tensor
    counts: ConfusionMatrix
    summary = "a street's label map, spoiled and scored"
    runs = "the real segtutor.metrics"

    def __init__(self) -> None:
        _, self._labels = street_scene((120, 180))
        # The annotator left the hood of the car void; a network says something there too.
        self._complete = self._labels.masked_fill(self._labels == VOID, ROAD)
        self.shift = slider("shift", 0, 8, 1)
        self.noise = slider("noise, %", 0, 30)
        self.shrink = slider("shrink by", 1, 8)
        self.label = choice("class", list(STREET_CLASSES))
        self.label.value = "pole"
        self.grow = slider("grow it", -4, 4, 0)
        self.drop = checkbox("never find this class")
        self.ring = slider("void ring", 0, 5)
        watched = (self.shift, self.noise, self.label, self.grow, self.drop, self.ring, self.shrink)
        self.watch(*watched)
        self.lay_out(
            [self.shift, self.noise], [self.label, self.grow, self.drop], [self.ring, self.shrink]
        )

    def draw(self) -> str:
        """Spoil the map, score it, and show maps and scores."""
        chosen = STREET_CLASSES.index(self.label.value)
        prediction = self._complete
        if self.drop.value:
            prediction = without(prediction, prediction == chosen)
        elif self.grow.value:
            prediction = grown(prediction, chosen, self.grow.value)
        prediction = shifted(prediction, self.shift.value)
        prediction = noisy(prediction, self.noise.value / 100)
        target = ringed(self._labels, self.ring.value)
        step = self.shrink.value
        self.prediction, self.target = prediction[::step, ::step], target[::step, ::step]
        self.counts = ConfusionMatrix(C, class_names=STREET_CLASSES)
        self.counts.update(self.prediction, self.target)
        wrong = (self.prediction != self.target) & (self.target != VOID)
        maps = figures_in_a_row(
            (picture(self.target), "label map, void in black"),
            (picture(self.prediction), "prediction"),
            (picture(wrong.double(), 0, 1), f"{int(wrong.sum()):,} wrong pixels"),
            sharp=True,
        )
        return maps + self._scores()

    def _scores(self) -> str:
        edges = boundary_iou(self.prediction, self.target, C)
        means = {
            "pixel accuracy": self.counts.pixel_accuracy(),
            "mean accuracy": self.counts.mean_accuracy(),
            "mean IoU": self.counts.mean_iou(),
            "mean Dice": self.counts.mean_dice(),
            "frequency-weighted IoU": self.counts.frequency_weighted_iou(),
            "mean boundary IoU": float(edges.nanmean()),
        }
        columns = {"IoU": self.counts.iou(), "boundary IoU": edges}
        pad = ' style="padding:.1em .9em .1em 0;text-align:left"'
        right = ' style="padding:.1em 0 .1em 1.2em;text-align:right"'
        cells = "".join(f"<th{right}>{name}</th>" for name in columns)
        rows = [f"<tr><th></th>{cells}</tr>"]
        for index, name in enumerate(STREET_CLASSES):
            scores = (_score(values[index]) for values in columns.values())
            cells = "".join(f"<td{right}>{score}</td>" for score in scores)
            rows.append(f"<tr><th{pad}>{name}</th>{cells}</tr>")
        summary = "".join(
            f"<tr><th{pad}>{name}</th><td{right}>{_score(value)}</td></tr>"
            for name, value in means.items()
        )
        style = "margin:0;width:auto;font-size:.95em;font-variant-numeric:tabular-nums"
        return (
            '<div style="display:flex;flex-wrap:wrap;align-items:flex-start;gap:12px 40px;'
            'margin-top:.8em">'
            f'<table style="{style}">{summary}</table>'
            f'<table style="{style}">{"".join(rows)}</table></div>'
        )


def _score(value: float | torch.Tensor) -> str:
    """A score with two decimals; a dash where it is undefined."""
    value = float(value)
    return "–" if value != value else f"{value:.2f}"


def without(labels: torch.Tensor, gone: torch.Tensor) -> torch.Tensor:
    """Replace pixels by the nearest one that stays, as if the thing had never been there.

    Example:
        >>> labels = torch.tensor([[0, 0, 7, 7, 1]])
        >>> without(labels, labels == 7)
        tensor([[0, 0, 0, 1, 1]])
    """
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(gone.numpy(), return_distances=False, return_indices=True)
    rows, columns = torch.from_numpy(nearest).long()
    return labels[rows, columns]


def grown(labels: torch.Tensor, label: int, pixels: int) -> torch.Tensor:
    """Widen a class by some pixels on all sides, or, below 0, thin it.

    Example:
        >>> grown(torch.tensor([[0, 0, 1, 0, 2]]), label=1, pixels=1)
        tensor([[0, 1, 1, 1, 2]])
    """
    mask = labels == label
    side = 2 * abs(pixels) + 1
    if pixels < 0:
        near = F.max_pool2d((~mask)[None].float(), side, 1, side // 2)[0] > 0
        return torch.where(mask & near, without(labels, mask), labels)
    near = F.max_pool2d(mask[None].float(), side, 1, side // 2)[0] > 0
    return labels.masked_fill(near, label)


def shifted(labels: torch.Tensor, pixels: int) -> torch.Tensor:
    """Move a map right and down; what comes in repeats the border.

    Example:
        >>> shifted(torch.tensor([[1, 2], [3, 4]]), 1)
        tensor([[1, 1],
                [1, 1]])
    """
    height, width = labels.shape
    rows = (torch.arange(height) - pixels).clamp(min=0)
    columns = (torch.arange(width) - pixels).clamp(min=0)
    return labels[rows][:, columns]


def noisy(labels: torch.Tensor, share: float) -> torch.Tensor:
    """Give a share of the pixels a random class, always the same ones."""
    generator = torch.Generator().manual_seed(0)
    hit = torch.rand(labels.shape, generator=generator) < share
    random = torch.randint(0, C, labels.shape, generator=generator)
    return torch.where(hit, random, labels)


def ringed(labels: torch.Tensor, width: int) -> torch.Tensor:
    """Make every pixel void that has another label within `width` pixels.

    Example:
        >>> ringed(torch.tensor([[0, 0, 0, 1, 1, 1]]), 1)
        tensor([[  0,   0, 255, 255,   1,   1]])
    """
    side = 2 * width + 1
    values = labels[None].double()
    high = F.max_pool2d(values, side, 1, width)[0]
    low = -F.max_pool2d(-values, side, 1, width)[0]
    return labels.masked_fill(high != low, VOID)
