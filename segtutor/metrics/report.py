"""A confusion matrix as a text, as an HTML table and as a picture."""

from __future__ import annotations

import html as markup
import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from segtutor.metrics.confusion import ConfusionMatrix

__all__ = ["html", "plot", "text"]

COLUMNS = ("pixels", "IoU", "Dice", "precision", "recall")
RIGHT, WRONG = "#0f766e", "#b45309"  # the ends of two ramps that start near white
INK = "#7b7b7b"  # reads on white and on near-black alike
READABLE = 20  # classes up to which every cell carries its number


def text(cm: ConfusionMatrix) -> str:
    """The scores of each class and their means, in columns of equal width."""
    lines = [("class", *COLUMNS), *_rows(cm), _means(cm)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    told = [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    words = (
        f"pixel accuracy {_score(cm.pixel_accuracy())}, "
        f"mean accuracy {_score(cm.mean_accuracy())}, "
        f"frequency-weighted IoU {_score(cm.frequency_weighted_iou())}"
    )
    return "\n".join([told[0], rule, *told[1:-1], rule, told[-1], words])


def html(cm: ConfusionMatrix) -> str:
    """The same table for a notebook, without a script."""

    def line(tag: str, cells: tuple[str, ...], style: str = "") -> str:
        first, *rest = map(markup.escape, cells)
        scope = "col" if tag == "th" else "row"
        others = "".join(f'<{tag} style="text-align:right">{cell}</{tag}>' for cell in rest)
        return f'<tr{style}><th scope="{scope}" style="text-align:left">{first}</th>{others}</tr>'

    body = "".join(line("td", cells) for cells in _rows(cm))
    foot = line("td", _means(cm), ' style="border-top:1px solid currentColor;font-weight:600"')
    caption = markup.escape(text(cm).rpartition("\n")[2])
    return (
        '<table style="font-variant-numeric:tabular-nums;width:auto">'
        f'<caption style="caption-side:bottom;text-align:left">{caption}</caption>'
        f"<thead>{line('th', ('class', *COLUMNS))}</thead>"
        f"<tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"
    )


def plot(cm: ConfusionMatrix, ax: Axes | None, normalize: bool) -> Axes:
    """The matrix in two ramps: what is right on the diagonal, what is wrong beside it.

    A cell's color is its share of the row. Cells without a pixel stay open, so that errors
    stand out and the ground of the page shows through, light or dark.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    counts, names = cm.matrix.cpu(), cm.settings.names
    size = len(names)
    shares = counts.double() / counts.sum(1, keepdim=True).clamp(min=1)
    ramps = {
        True: LinearSegmentedColormap.from_list("right", ["#d3efeb", RIGHT]),
        False: LinearSegmentedColormap.from_list("wrong", ["#fdebd3", WRONG]),
    }
    if ax is None:
        side = (0.62 if size <= READABLE else 0.3) * size + 1.6
        ax = plt.figure(figsize=(side, side), layout="constrained").add_subplot()
    for row in range(size):
        if not counts[row].any():  # nothing to divide by: the class is not in the target
            ax.plot((-0.46, size - 0.54), (row, row), color=INK, linewidth=0.8, alpha=0.6)
            continue
        for column in range(size):
            share, count = shares[row, column].item(), int(counts[row, column])
            fill = ramps[row == column](share) if count else "none"
            place = (column - 0.46, row - 0.46)
            ax.add_patch(plt.Rectangle(place, 0.92, 0.92, facecolor=fill, edgecolor="none"))
            if size > READABLE:
                continue
            ink = _readable(to_rgb(fill)) if count else INK
            words = _percent(share, count) if normalize else _short(count)
            ax.text(column, row, words, ha="center", va="center", color=ink, fontsize=8.5)
    ax.set(xlim=(-0.55, size - 0.45), ylim=(size - 0.45, -0.55), aspect="equal")
    upright = max(map(len, names)) > 5
    ax.set_xticks(range(size), names, rotation=90 if upright else 0)
    ax.set_yticks(range(size), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    unit = "percent of the target's class" if normalize else "pixels"
    ax.set(xlabel=f"prediction ({unit})", ylabel="target")
    return ax


def _rows(cm: ConfusionMatrix) -> list[tuple[str, ...]]:
    scores = torch.stack([cm.iou(), cm.dice(), cm.precision(), cm.recall()], dim=1).tolist()
    support = (cm.tp + cm.fn).tolist()
    return [
        (name, f"{pixels:,}", *map(_score, line))
        for name, pixels, line in zip(cm.settings.names, support, scores, strict=True)
    ]


def _means(cm: ConfusionMatrix) -> tuple[str, ...]:
    """The last line; precision has no mean of its own name, so its place stays empty."""
    total = f"{int(cm.matrix.sum()):,}"
    accuracy = _score(cm.mean_accuracy())
    return ("mean", total, _score(cm.mean_iou()), _score(cm.mean_dice()), "", accuracy)


def _score(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"


def _readable(color: tuple[float, ...]) -> str:
    """Black or white, whichever has the larger contrast to a color (WCAG 2's formula)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if light < 0.18 else "black"  # both contrasts are 4.6 there


def _percent(share: float, count: int) -> str:
    if not count:
        return "·"
    if share < 0.01:
        return "<1"
    return ">99" if 0.99 < share < 1 else f"{100 * share:.0f}"


def _short(count: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 10 * size:
            return f"{count / size:.0f}{unit}"
        if count >= size and size > 1e3:
            return f"{count / size:.1f}{unit}"
    return str(count) if count else "·"
