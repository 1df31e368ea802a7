"""Small label maps of which every pixel can be read: its class's color, and its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segtutor.figures.drawing import INK, WARM, Array, Window, grid, ink_on
from segtutor.figures.palette import PALETTE, VOID, colorize


def label_pixels(
    maps: Mapping[str, Array],
    *,
    highlight: Mapping[str, Sequence[Window]] | None = None,
    colors: Sequence[str] = PALETTE,
    cell: float = 0.42,
) -> None:
    """Draw small label maps side by side, the number of its class written in each pixel.

    Args:
        maps: From titles to integer label maps (H, W), at most 20 by 20; 255 is void.
        highlight: From titles to windows that are outlined, each (row, column, height, width).
        colors: Class colors and, last, the one for void.
        cell: Side of a pixel in inches.

    Example:
        >>> import torch
        >>> maps = {"target": torch.tensor([[0, 1, 255]])}
        >>> label_pixels(maps, highlight={"target": [(0, 1, 1, 1)]})
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    from segtutor.figures.plots import use_style

    marks = highlight or {}
    if unknown := set(marks) - set(maps):
        raise ValueError(f"highlight names {unknown.pop()!r}, but the maps are {list(maps)}")
    drawn = {title: grid(labels, title) for title, labels in maps.items()}
    use_style()
    rows = max(labels.shape[0] for labels in drawn.values())
    gap = 0.9  # pixels between two maps
    total = sum(labels.shape[1] for labels in drawn.values()) + gap * (len(drawn) - 1)
    head = 0.34  # inches for the titles
    figure = plt.figure(figsize=(total * cell + 0.1, rows * cell + head))
    left = 0.05
    for title, labels in drawn.items():
        height, width = labels.shape
        box = np.array([left, (rows - height) * cell / 2 + 0.03, width * cell, height * cell])
        axes = figure.add_axes(box / np.tile(figure.get_size_inches(), 2))
        painted = colorize(labels, colors)
        axes.imshow(painted)
        axes.set_axis_off()
        axes.set_title(title)
        for (y, x), label in np.ndenumerate(labels):
            text = "void" if label == VOID else str(label)
            size = 72 * cell * (0.36 if len(text) < 3 else 0.27)
            axes.text(x, y, text, ha="center", va="center_baseline", fontsize=size,
                      color=ink_on(painted[y, x] / 255))  # fmt: skip
        for edge in range(width + 1):
            axes.axvline(edge - 0.5, color=INK, linewidth=0.6, clip_on=False)
        for edge in range(height + 1):
            axes.axhline(edge - 0.5, color=INK, linewidth=0.6, clip_on=False)
        for y, x, high, wide in marks.get(title, ()):
            outline = Rectangle((x - 0.5, y - 0.5), wide, high, fill=False, clip_on=False)
            outline.set(edgecolor=WARM, linewidth=2.6, joinstyle="round", zorder=3)
            axes.add_patch(outline)
        left += (width + gap) * cell
