"""A bench for cross-entropy: spoil a prediction of the street, and see which pixels pay."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from segtutor import losses
from segtutor.data import STREET_CLASSES, street_scene
from segtutor.figures.palette import VOID
from segtutor.labs.bench import Bench, choice, figures_in_a_row, number, picture, slider

C = len(STREET_CLASSES)
ROAD = STREET_CLASSES.index("road")
NOTHING = "nothing"
WEIGHTS = ("equal", "median frequency", "inverse frequency")
TEMPERATURES = ("1", "0.25", "0.5", "2", "4", "8")


def cross_entropy() -> CrossEntropyBench:
    """A bench that lets the package's cross-entropy judge a prediction that you spoil.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = cross_entropy()
        >>> bench.sure.value = 0
        >>> bool(torch.isclose(bench.loss, torch.tensor(8.0).double().log()))
        True
    """
    return CrossEntropyBench()


class CrossEntropyBench(Bench):
    """The widgets, the logits and labels that they make, and what the loss says to them.

    Attributes:
        logits: (1, 8, H, W), in float64, already divided by the temperature.
        labels: (1, H, W), with void.
        loss: The mean that a network would be trained by.
        each: The loss of each pixel as it enters the mean, (H, W), 0 at void.
        pull: How strongly each pixel moves its logits, (H, W): half the sum of |∂L/∂z|.
    """

    logits: torch.Tensor
    labels: torch.Tensor
    loss: torch.Tensor
    each: torch.Tensor
    pull: torch.Tensor
    summary = "cross-entropy on a street"
    runs = "the real segtutor.losses"

    def __init__(self) -> None:
        _, self._labels = street_scene((120, 180))
        # The annotator left the hood of the car void; a network says something there too.
        self._complete = self._labels.masked_fill(self._labels == VOID, ROAD)
        self.sure = slider("sure", 0, 20, 8)
        self.blur = slider("blur, pixels", 0, 8, 3)
        self.temperature = choice("temperature", list(TEMPERATURES))
        self.lost = choice("gets wrong", [NOTHING, *STREET_CLASSES])
        self.taken_for = choice("takes it for", list(STREET_CLASSES))
        self.weights = choice("weights", list(WEIGHTS))
        self.void = slider("void, %", 0, 100)
        self.smoothing = slider("smoothing, %", 0, 50)
        left = [self.sure, self.blur, self.temperature]
        middle = [self.lost, self.taken_for, self.weights]
        right = [self.void, self.smoothing]
        self.watch(*left, *middle, *right)
        self.lay_out(left, middle, right)

    def draw(self) -> str:
        """Make logits and labels, run the loss and its gradient, and show who pays."""
        self.logits = self._spoiled().requires_grad_()
        self.labels = void_from_the_left(self._labels, self.void.value / 100)[None]
        judged = self.labels[0] != VOID
        settings = {
            "weight": class_weights(self.labels, self.weights.value),
            "label_smoothing": self.smoothing.value / 100,
        }
        self.loss = losses.cross_entropy(self.logits, self.labels, **settings)
        self.loss.backward()
        self.loss = self.loss.detach()
        self.logits.requires_grad_(False)
        self.each = losses.cross_entropy(self.logits, self.labels, reduction="none", **settings)[0]
        self.pull = self.logits.grad[0].abs().sum(0) / 2
        prediction = self.logits[0].argmax(0)
        maps = figures_in_a_row(
            (picture(prediction), "prediction"),
            (_striped(self.each, judged), f"loss of each pixel, up to {number(self.each.max())}"),
            (_striped(self.pull, judged), "how strongly it pulls at its logits"),
            sharp=True,
        )
        return maps + self._numbers(prediction, judged)

    def _spoiled(self) -> torch.Tensor:
        prediction = self._complete
        if self.lost.value != NOTHING:
            wrong = prediction == STREET_CLASSES.index(self.lost.value)
            prediction = prediction.masked_fill(wrong, STREET_CLASSES.index(self.taken_for.value))
        one_hot = F.one_hot(prediction, C).movedim(-1, 0)[None].double()
        side = 2 * self.blur.value + 1
        seen = F.avg_pool2d(one_hot, side, 1, self.blur.value, count_include_pad=False)
        return self.sure.value * seen / float(self.temperature.value)

    def _numbers(self, prediction: torch.Tensor, judged: torch.Tensor) -> str:
        counted = int(judged.sum())
        weighted = self.weights.value != WEIGHTS[0]  # then the floor depends on the picture
        right = ((prediction == self.labels[0]) & judged).sum().double() / counted
        lines = {
            "loss": self.loss,
            "its floor": math.nan if weighted else floor_of(self.smoothing.value / 100),
            "accuracy": right,
            "judged pixels": counted,
        }
        summary = "".join(f"<tr><th>{k}</th><td>{_number(v)}</td></tr>" for k, v in lines.items())
        columns = ("% of pixels", "mean cost", "% of loss", "% of pull")
        rows = ["<tr><th></th>" + "".join(f"<th>{name}</th>" for name in columns) + "</tr>"]
        for label, name in enumerate(STREET_CLASSES):
            own = self.labels[0] == label
            cells = (
                _percent(own.sum() / judged.sum()),
                _number(self.each[own].mean()),
                _percent(self.each[own].sum() / self.each.sum()),
                _percent(self.pull[own].sum() / self.pull.sum()),
            )
            cells = "".join(f"<td>{cell}</td>" for cell in cells)
            rows.append(f"<tr><th>{name}</th>{cells}</tr>")
        style = "margin:0;width:auto;font-size:.95em;text-align:right;border-spacing:.7em 0"
        style += ";border-collapse:separate"
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:28px;margin-top:.8em">'
            f'<table style="{style}">{summary}</table>'
            f'<table style="{style}">{"".join(rows)}</table></div>'
        )


def void_from_the_left(labels: torch.Tensor, share: float) -> torch.Tensor:
    """Make the left part of a label map void.

    Example:
        >>> void_from_the_left(torch.tensor([[3, 3, 1, 2]]), 0.5)
        tensor([[255, 255,   1,   2]])
    """
    columns = torch.arange(labels.shape[1])
    return labels.masked_fill(columns < round(share * labels.shape[1]), VOID)


def class_weights(labels: torch.Tensor, name: str) -> torch.Tensor | None:
    """Weights by what the judged pixels show; a class that is not there gets weight 1.

    Example:
        >>> class_weights(torch.tensor([[0, 0, 0, 1, 255]]), "inverse frequency")[:3]
        tensor([1.3333, 4.0000, 1.0000], dtype=torch.float64)
    """
    if name == "equal":
        return None
    share = torch.bincount(labels[labels != VOID], minlength=C).double()
    share = share / share.sum().clamp(min=1)
    middle = share[share > 0].median() if share.any() else share.new_ones(())
    weights = (middle if name == "median frequency" else 1.0) / share
    return weights.where(share > 0, 1.0)


def floor_of(smoothing: float) -> float:
    """The lowest cross-entropy that logits can reach: the entropy of the smoothed label.

    Example:
        >>> floor_of(0.0)
        0.0
    """
    others = smoothing / C
    shares = [1 - smoothing + others, *[others] * (C - 1)]
    return -sum(q * math.log(q) for q in shares if q > 0) + 0.0


def _striped(values: torch.Tensor, judged: torch.Tensor) -> str:
    """Values as shades, the largest white; void in stripes."""
    rows, columns = torch.meshgrid(*map(torch.arange, values.shape), indexing="ij")
    stripes = 0.25 + 0.5 * ((rows + columns) // 4 % 2)
    largest = values.max()
    shades = values / (largest + (largest == 0))
    return picture(shades.where(judged, stripes.double()), 0, 1)


def _percent(share: torch.Tensor) -> str:
    return "–" if share.isnan() else f"{100 * float(share):.1f}"


def _number(value: float | torch.Tensor) -> str:
    """A number with two decimals at most; a dash where there is none."""
    value = float(value)
    if math.isnan(value):
        return "–"
    return f"{int(value):,}" if value.is_integer() else f"{value:.2f}"
