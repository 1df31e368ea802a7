"""A bench for the region losses: one object, one prediction, every loss and what it pulls at."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from segtutor import losses
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, number, picture, slider

HEIGHT, WIDTH = 48, 72
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": losses.cross_entropy,
    "focal": losses.softmax_focal_loss,
    "Dice": losses.DiceLoss(classes=[1]),
    "Tversky 0.3, 0.7": losses.TverskyLoss(alpha=0.3, beta=0.7, classes=[1]),
    "Jaccard": losses.JaccardLoss(classes=[1]),
    "Lovász": losses.LovaszSoftmaxLoss(classes=[1]),
    "boundary": losses.BoundaryLoss(classes=[1]),
}


def region_losses() -> RegionLossesBench:
    """A bench that runs the package's losses on an object and a prediction of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = region_losses()
        >>> bench.radius.value, bench.found.value = 2, 0
        >>> round(bench.values["Dice"], 2)
        0.99
    """
    return RegionLossesBench()


class RegionLossesBench(Bench):
    """The widgets, the scene that they make, and what each loss says of it.

    The object is a disk. The prediction finds a part of it, from the left, and may put a second
    disk where nothing is.

    Attributes:
        labels: The label map, (1, H, W): 1 is the object.
        logits: The prediction, (1, 2, H, W).
        values: What each loss says, by its name.
        pull: |gradient| of the chosen loss with respect to the logits, (H, W).
        share: The part of all pull that is at pixels of the object.
    """

    labels: Tensor
    logits: Tensor
    values: dict[str, float]
    pull: Tensor
    share: float
    summary = "seven losses of one prediction"
    runs = "the package's own losses"

    def __init__(self) -> None:
        self.loss = choice("loss", list(LOSSES))
        self.radius = slider("radius", 1, 16, 5)
        self.found = slider("found, %", 0, 100, 50)
        self.sure = slider("sure, %", 55, 99, 95)
        self.alarm = checkbox("a false alarm, far away")
        self.watch(self.loss, self.radius, self.found, self.sure, self.alarm)
        self.lay_out([self.loss, self.alarm], [self.radius, self.found, self.sure])

    def draw(self) -> str:
        """Make scene and prediction, run the losses, show them."""
        self.labels = _disk(20, 24, self.radius.value).long()[None]
        answer = self._found()
        if self.alarm.value:
            answer = answer | _disk(62, 10, 3)
        odds = torch.tensor(self.sure.value / 100, dtype=torch.float64).logit()
        self.logits = torch.where(answer, odds, -odds) * torch.tensor([[[-0.5]], [[0.5]]])
        self.logits = self.logits[None]  # softmax of ∓z/2, ±z/2 is the sigmoid of z
        self.values = {name: float(loss(self.logits, self.labels)) for name, loss in LOSSES.items()}
        logits = self.logits.clone().requires_grad_()
        LOSSES[self.loss.value](logits, self.labels).backward()
        assert logits.grad is not None
        self.pull = logits.grad.abs().sum(1)[0]
        total = self.pull.sum()
        self.share = float(self.pull[self.labels[0] == 1].sum() / total) if total else 0.0
        size = int(self.labels.sum())
        probability = self.logits.softmax(1)[0, 1]
        pictures = figures_in_a_row(
            _figure(self.labels[0].double(), f"object: {size} of {HEIGHT * WIDTH:,} pixels"),
            _figure(probability, "probability of the object"),
            _figure((self.pull / self.pull.max()).sqrt(), f"pull of {self.loss.value} (root)"),
        )
        return (
            f'{pictures}<p style="margin-top:.8em">At pixels of the object: '
            f"<b>{self.share:.0%}</b> of the pull of {self.loss.value}, "
            f"{size / (HEIGHT * WIDTH):.1%} of the pixels.</p>{_table(self.values)}"
        )

    def _found(self) -> Tensor:
        """The part of the object that the prediction finds, column by column from the left."""
        inside = self.labels[0] == 1
        order = inside.T.flatten().cumsum(0).view(WIDTH, HEIGHT).T  # counts along the columns
        return inside & (order <= round(self.found.value / 100 * int(inside.sum())))


def _disk(x: int, y: int, radius: int) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def _figure(values: Tensor, words: str) -> str:
    """A map from 0 to 1; narrower than `figures_in_a_row` makes it, so that three fit."""
    return (
        '<figure style="margin:0;flex:1 1 190px;max-width:300px">'
        f'<img src="{picture(values, 0, 1)}" alt="{words}" '
        'style="width:100%;border-radius:6px;image-rendering:pixelated">'
        f'<figcaption style="font-size:.9em;opacity:.8">{words}</figcaption></figure>'
    )


def _table(values: dict[str, float]) -> str:
    cell = '<td style="padding:.1em .8em;text-align:right">'
    names = "".join(f'<th style="padding:.1em .8em;text-align:right">{n}</th>' for n in values)
    numbers = "".join(f"{cell}{number(value)}</td>" for value in values.values())
    return (
        '<div style="overflow-x:auto"><table style="width:auto"><tr>'
        f"{names}</tr><tr>{numbers}</tr></table></div>"
    )
