"""A bench for score maps: fill a coarse grid from the answer, and see what comes back."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import STREET_CLASSES, Streets
from segtutor.figures.palette import VOID
from segtutor.labs.bench import Bench, choice, figures_in_a_row, picture, slider
from segtutor.metrics import ConfusionMatrix

C = len(STREET_CLASSES)
STRIDES = {"1/32": 32, "1/16": 16, "1/8": 8, "1/4": 4}
SIZES = {"64 × 96": (64, 96), "128 × 192": (128, 192), "256 × 384": (256, 384)}


def fcn() -> FCNBench:
    """A bench that fills a coarse grid from the label map itself, with labels and with scores.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = fcn()
        >>> bench.stride.value = "1/4"
        >>> bench.scores.mean_iou() > bench.labels.mean_iou()
        True
    """
    return FCNBench()


class FCNBench(Bench):
    """The widgets, and the counts of both ways to fill the grid.

    Attributes:
        labels: The confusion matrix of one label a cell.
        scores: That of one score a class and cell, enlarged before the largest is taken.
    """

    labels: ConfusionMatrix
    scores: ConfusionMatrix
    summary = "a coarse grid, filled from the answer and brought back"
    runs = "the real interpolation and the real segtutor.metrics"

    def __init__(self) -> None:
        self.stride = choice("grid", list(STRIDES))
        self.size = choice("picture", list(SIZES))
        self.scene = slider("scene", 0, 20, 3)
        self.watch(self.stride, self.size, self.scene)
        self.lay_out([self.stride, self.size], [self.scene])

    def draw(self) -> str:
        """Fill the grid twice, bring it back, and show maps and scores."""
        factor, size = STRIDES[self.stride.value], SIZES[self.size.value]
        _, answer = Streets(1, size=size, seed=self.scene.value)[0]
        grid = fitted_scores(answer[None], factor)
        voted = block_labels(answer[None], factor)[0]
        fitted = F.interpolate(grid, size, mode="bilinear", align_corners=False).argmax(1)[0]
        self.labels, self.scores = (
            ConfusionMatrix(C, class_names=STREET_CLASSES).update(said, answer)
            for said in (voted, fitted)
        )
        rows, columns = grid.shape[-2:]
        maps = figures_in_a_row(
            (picture(answer), "label map, void in black"),
            (picture(voted), f"{rows}×{columns} labels: {self.labels.mean_iou():.2f}"),
            (picture(fitted), f"{rows}×{columns} score vectors: {self.scores.mean_iou():.2f}"),
            sharp=True,
        )
        return maps + self._table()

    def _table(self) -> str:
        cell = ' style="padding:.1em .9em .1em 0;text-align:left"'
        columns = {"labels": self.labels.iou(), "scores": self.scores.iou()}
        head = "".join(f"<th{cell}>{name}</th>" for name in ("IoU", *columns))
        rows = "".join(
            f"<tr><th{cell}>{name}</th>"
            + "".join(f"<td{cell}>{_score(iou[k])}</td>" for iou in columns.values())
            + "</tr>"
            for k, name in enumerate(STREET_CLASSES)
        )
        style = "margin-top:.8em;width:auto;font-size:.95em;font-variant-numeric:tabular-nums"
        return f'<table style="{style}"><tr>{head}</tr>{rows}</table>'


def _score(value: torch.Tensor) -> str:
    """A score with two decimals; a dash where it is undefined."""
    return "–" if value.isnan() else f"{float(value):.2f}"


def _planes(labels: torch.Tensor) -> torch.Tensor:
    """One plane a class, 1 where the label is that class; void is in none: (N, C, H, W)."""
    return torch.stack([labels == k for k in range(C)], 1).float()


def block_labels(labels: torch.Tensor, factor: int) -> torch.Tensor:
    """Give each block of pixels the class that most of them have: one label a cell.

    Args:
        labels: (N, H, W), both multiples of the factor; void does not vote.
        factor: Pixels of a block's side.

    Returns:
        Label maps (N, H, W) of blocks.

    Example:
        >>> block_labels(torch.tensor([[[2, 2], [255, 1]]]), 2)
        tensor([[[2, 2],
                 [2, 2]]])
    """
    winner = F.avg_pool2d(_planes(labels), factor).argmax(1)
    return winner.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def fitted_scores(labels: torch.Tensor, factor: int, *, steps: int = 40) -> torch.Tensor:
    """Scores that, enlarged bilinearly, say the label map as well as they can.

    Gradient descent on cross-entropy, on the scores themselves: there is no network. Void is
    not judged.

    Args:
        labels: (N, H, W), both multiples of the factor.
        factor: Pixels of a cell's side.
        steps: Steps of descent.

    Returns:
        Scores (N, C, H / factor, W / factor).

    Example:
        >>> fitted_scores(torch.zeros(1, 64, 96, dtype=torch.long), 32, steps=1).shape
        torch.Size([1, 8, 2, 3])
    """
    n, height, width = labels.shape
    scores = torch.zeros(n, C, height // factor, width // factor, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=2.0)
    with torch.enable_grad():
        for _ in range(steps):
            large = F.interpolate(scores, (height, width), mode="bilinear", align_corners=False)
            optimizer.zero_grad()
            F.cross_entropy(large, labels, ignore_index=VOID).backward()
            optimizer.step()
    return scores.detach()
