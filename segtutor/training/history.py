"""What a training was like: one row an epoch, one number a step, pictures if asked for."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History"]

# What tables show: heading and format.
SHOWN = {
    "epoch": ("epoch", "d"),
    "train_loss": ("training loss", ".3f"),
    "val_loss": ("validation loss", ".3f"),
    "mean_iou": ("mean IoU", ".3f"),
    "learning_rate": ("learning rate", ".1e"),
}
# The first two of Okabe and Ito's colors that read on white and on black.
TRAIN, VAL, RATE = "#0072b2", "#d55e00", "#7b7b7b"


class History:
    """The record of a training, made of plain values and tensors.

    `history["val_loss"]` is a list with one number an epoch. The columns: "train_loss",
    "learning_rate" (of the epoch's last step), "gradient_norm" (mean, before clipping) and
    "seconds"; with validation data "val_loss", "mean_iou" and "iou", a list of one number a
    class.

    Attributes:
        steps: Lists with one number a step: "loss", "learning_rate", "gradient_norm".
        pictures: After each epoch the predicted label maps of the first pictures, a list of
            uint8 tensors (H, W); empty unless `fit` was asked for them.
        class_names: The names of the classes, or None.

    Example:
        >>> history = History()
        >>> history.add({"epoch": 1, "train_loss": 0.5, "learning_rate": 0.1})
        >>> history["train_loss"], len(history)
        ([0.5], 1)
    """

    def __init__(self, class_names: Sequence[str] | None = None) -> None:
        self.class_names = None if class_names is None else list(class_names)
        self.rows: list[dict[str, Any]] = []
        self.steps: dict[str, list[float]] = {"loss": [], "learning_rate": [], "gradient_norm": []}
        self.pictures: list[list[Tensor]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Append an epoch."""
        self.rows.append(row)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        if self.rows and column not in self.rows[0]:
            missing = "; it needs validation data" * (column in ("val_loss", "mean_iou", "iou"))
            raise KeyError(f"no column {column!r} among {', '.join(self.rows[0])}{missing}")
        return [row[column] for row in self.rows]

    @property
    def score(self) -> list[float]:
        """What the best epoch has most of: mean IoU, or, without validation, minus the loss."""
        if self.rows and "mean_iou" in self.rows[0]:
            return [-math.inf if math.isnan(x) else x for x in self["mean_iou"]]
        return [-x for x in self["train_loss"]]

    @property
    def best(self) -> dict[str, Any]:
        """The row of the best epoch: highest mean IoU, or without validation lowest loss."""
        if not self.rows:
            raise ValueError("the history is empty: no epoch has ended yet")
        return self.rows[self.score.index(max(self.score))]

    @property
    def waited(self) -> int:
        """How many epochs have passed since the best one."""
        return self.rows[-1]["epoch"] - self.best["epoch"] if self.rows else 0

    @property
    def data_share(self) -> float:
        """Share of the training's time during which it waited for data, 0 to 1."""
        waiting, seconds = sum(self["waiting"]), sum(self["seconds"])
        return waiting / seconds if seconds else 0.0

    def table(self) -> list[dict[str, Any]]:
        """Return one dictionary an epoch, as `pandas.DataFrame` takes them."""
        return [dict(row) for row in self.rows]

    def plot(self, axes: Sequence[Axes] | None = None) -> tuple[Axes, Axes]:
        """Draw the losses and the scores by epoch; `axes=None` makes a figure.

        Returns:
            The axes of the losses, and of the mean IoU (without validation: the learning rate).
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        if axes is None:
            figure = plt.figure(figsize=(8.4, 3.2), layout="constrained")
            axes = figure.subplots(1, 2)
        left, right = axes
        epochs = self["epoch"]
        marker = "o" if len(epochs) < 25 else ""
        left.plot(epochs, self["train_loss"], color=TRAIN, marker=marker, ms=4, label="training")
        left.set(xlabel="epoch", ylabel="loss")
        if "val_loss" in self.rows[0]:
            left.plot(epochs, self["val_loss"], color=VAL, marker=marker, ms=4, ls="--",
                      label="validation")  # fmt: skip
            right.plot(epochs, self["mean_iou"], color=VAL, marker=marker, ms=4)
            best = self.best
            right.plot(best["epoch"], best["mean_iou"], "o", ms=9, mfc="none", color=RATE)
            right.annotate(f"best {best['mean_iou']:.2f}", (best["epoch"], best["mean_iou"]),
                           (0, 9), textcoords="offset points", ha="center", color=RATE)  # fmt: skip
            right.set(xlabel="epoch", ylabel="mean IoU (validation)", ylim=(0, 1))
        else:
            right.plot(self.steps["learning_rate"], color=RATE)
            right.set(xlabel="step", ylabel="learning rate")
        if min(line.get_ydata().min() for line in left.lines) >= 0:
            left.set_ylim(bottom=0)
        left.legend(frameon=False)
        for ax in (left, right):
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            ax.spines[["top", "right"]].set_visible(False)
        return left, right

    def state_dict(self) -> dict[str, Any]:
        """Return everything as plain values and tensors, for a checkpoint."""
        return {"rows": self.table(), "pictures": [list(each) for each in self.pictures],
                "steps": {name: list(each) for name, each in self.steps.items()},
                "class_names": self.class_names}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.rows = [dict(row) for row in state["rows"]]
        self.pictures = [list(each) for each in state["pictures"]]
        self.steps = {name: list(each) for name, each in state["steps"].items()}
        self.class_names = state["class_names"]

    def __repr__(self) -> str:
        best = f", best: epoch {self.best['epoch']}" if self.rows else ""
        return f"History({len(self)} epochs{best})"

    def __str__(self) -> str:
        return "\n".join("  ".join(cell.rjust(15) for cell in line) for line in self._lines())

    def _repr_html_(self) -> str:
        head, *lines = self._lines()
        best = self.best["epoch"] if self.rows else 0

        def line(tag: str, cells: list[str], style: str = "") -> str:
            made = "".join(
                f'<{tag} style="text-align:right">{html.escape(c)}</{tag}>' for c in cells
            )
            return f"<tr{style}>{made}</tr>"

        body = "".join(
            line("td", cells, ' style="font-weight:600"' * (int(cells[0]) == best))
            for cells in lines
        )
        return (
            '<table style="font-variant-numeric:tabular-nums;width:auto">'
            f"<thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"
        )

    def _lines(self) -> list[list[str]]:
        columns = [name for name in SHOWN if not self.rows or name in self.rows[0]]
        cells = [[format(row[name], SHOWN[name][1]) for name in columns] for row in self.rows]
        return [[SHOWN[name][0] for name in columns], *cells]
