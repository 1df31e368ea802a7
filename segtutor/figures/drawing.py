"""How one grid or one picture is drawn; `plots` puts them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from segtutor.figures.palette import VOID, colorize, rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK = "#7b7b7b"  # reads on white and on near-black alike: contrast 4.2 and 4.3
ACCENT = "#0d9488"
WARM = "#d97706"
Array = torch.Tensor | np.ndarray
Window = tuple[int, int, int, int]


def grid(values: Array, title: str) -> np.ndarray:
    """The numbers of a small grid as a float64 or integer array of shape (H, W)."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array)
    what = f"the grid {title!r}" if title else "array"
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{what} must have shape (H, W), got {array.shape}: index or squeeze it")
    if max(array.shape) > 20:
        raise ValueError(
            f"{what} has shape {array.shape}: numbers are readable up to 20 by 20; "
            "draw larger ones with figures.row, or cut a piece out"
        )
    return array.astype(int) if array.dtype.kind == "b" else array


def picture(values: Array, title: str) -> np.ndarray:
    """A picture as (H, W) or (H, W, 3)."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(
            f"the picture {title!r} has shape {tuple(np.shape(values))}: it has to be (H, W), "
            "(3, H, W) or (H, W, 3); take one picture out of a batch with x[0]"
        )
    if array.dtype.kind == "b":
        return array.astype(float)
    if array.ndim == 3 and array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        if low < -1e-4 or high > 1 + 1e-4:
            raise ValueError(
                f"the color picture {title!r} runs from {low:.2f} to {high:.2f}: bring it into "
                "[0, 1] first, or draw its channels one by one"
            )
        return array.clip(0, 1)
    return array


def is_label_map(array: np.ndarray) -> bool:
    """Integers other than bytes are labels; bytes are the grays of a picture."""
    return array.ndim == 2 and array.dtype.kind in "iu" and array.dtype != np.uint8


def is_signed(array: np.ndarray) -> bool:
    """A map with numbers below 0 needs colors with a middle."""
    return array.ndim == 2 and array.dtype.kind == "f" and bool((array < 0).any())


def number(value: float) -> str:
    """A number as it is written in a cell: at most two decimals, a true minus sign.

    Example:
        >>> number(-0.5), number(3.0), number(1 / 3), number(-0.001)
        ('−0.5', '3', '0.33', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "0" if text in ("-0", "") else text.replace("-", "−")


def signed_colors() -> Colormap:
    """Orange, white, teal: told apart by all kinds of color vision, darkest at both ends."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#7c3303", "#c2660f", "#eeb06b", "#f7f5f1", "#7cc9be", "#14857b", "#08473f"]
    return LinearSegmentedColormap.from_list("segtutor-signed", stops)


def draw_grid(
    axes: Axes, values: np.ndarray, title: str, windows: Sequence[Window], cell: float
) -> None:
    """Draw the numbers of one grid, and outline some windows of it."""
    from matplotlib.patches import Rectangle

    height, width = values.shape
    largest = float(np.abs(values).max()) or 1.0
    signed = bool((values < 0).any())
    # Small numbers stay away from the dark ends, so that a grid does not look like a flag.
    low = -1.35 * largest if signed else 0.0
    colors = signed_colors() if signed else "gray"
    image = axes.imshow(values, cmap=colors, vmin=low, vmax=1.35 * largest if signed else largest)
    texts = [[number(v) for v in line] for line in values.tolist()]
    longest = max(len(text) for line in texts for text in line)
    size = 72 * cell * min(0.36, 1.35 / (longest + 0.6))
    for (y, x), value in np.ndenumerate(values):
        color = ink_on(image.cmap(image.norm(value))[:3])
        axes.text(x, y, texts[y][x], ha="center", va="center_baseline", color=color, fontsize=size)
    for edge in range(width + 1):
        axes.axvline(edge - 0.5, color=INK, linewidth=0.6, clip_on=False)
    for edge in range(height + 1):
        axes.axhline(edge - 0.5, color=INK, linewidth=0.6, clip_on=False)
    for y, x, rows, columns in windows:
        if y < 0 or x < 0 or y + rows > height or x + columns > width:
            raise ValueError(
                f"highlight={(y, x, rows, columns)} leaves the grid of shape {values.shape}: "
                "a window is (row, column, height, width)"
            )
        box = Rectangle((x - 0.5, y - 0.5), columns, rows, fill=False, clip_on=False)
        box.set(edgecolor=WARM, linewidth=2.6, joinstyle="round", zorder=3)
        axes.add_patch(box)
    axes.set_axis_off()
    if title:
        axes.set_title(title)


def draw_signed(axes: Axes, values: np.ndarray, inches: float) -> None:
    """Draw a signed map, 0 in the middle of its colors, and its scale below it."""
    largest = float(np.abs(values).max()) or 1.0
    image = axes.imshow(values, cmap=signed_colors(), vmin=-largest, vmax=largest)
    box = axes.get_position()
    where = (box.x0 + 0.2 * box.width, box.y0 - 0.11 / inches, 0.6 * box.width, 0.06 / inches)
    scale = axes.figure.colorbar(image, cax=axes.figure.add_axes(where), orientation="horizontal")
    scale.set_ticks([-largest, 0, largest], labels=[number(v) for v in (-largest, 0.0, largest)])
    scale.ax.tick_params(length=0, pad=2, labelsize=7.5)
    scale.outline.set_visible(False)


def draw_labels(axes: Axes, labels: np.ndarray, colors: Sequence[str]) -> None:
    """Draw a label map, the number of each class written where the class has most room."""
    from matplotlib.patheffects import withStroke

    axes.imshow(colorize(labels, colors))
    for label in np.unique(labels).tolist():
        y, x, room = _roomiest(labels == label)
        if room < 0.012 * labels.shape[0]:
            continue  # too thin to write on: the legend has to do
        ink = ink_on([channel / 255 for channel in rgb(_color(label, colors))])
        rim = "#ffffff" if ink == "#000000" else "#000000"
        axes.text(
            x, y, "void" if label == VOID else label, color=ink, fontsize=8, ha="center",
            va="center_baseline", path_effects=[withStroke(linewidth=1.8, foreground=rim)],
        )  # fmt: skip


def draw_legend(
    figure: Figure, classes: Sequence[int], names: Sequence[str], colors: Sequence[str]
) -> None:
    """Explain the colors and numbers of the label maps above, five to a line."""
    from matplotlib.patches import Patch

    def words(label: int) -> str:
        if label == VOID:
            return "255 void"
        return f"{label} {names[label]}" if label < len(names) else str(label)

    handles = [
        Patch(facecolor=_color(c, colors), edgecolor=INK, linewidth=0.5, label=words(c))
        for c in classes
    ]
    columns = min(5, len(handles))
    figure.legend(
        handles=handles, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, -0.01),
        fontsize=8, handlelength=1.1, handleheight=1.1, columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip


def _color(label: int, colors: Sequence[str]) -> str:
    return colors[-1 if label == VOID else label]


def ink_on(color: Sequence[float]) -> str:
    """Black or white, whichever reads better on a color; its contrast is 4.58 or more.

    Args:
        color: Red, green and blue, from 0 to 1.

    Example:
        >>> ink_on((0.45, 0.45, 0.45)), ink_on((0.5, 0.5, 0.5))
        ('#ffffff', '#000000')
    """
    channels = np.asarray(color, dtype=float)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _roomiest(mask: np.ndarray) -> tuple[int, int, int]:
    """A pixel of the mask that is as far from its border as any, and how far: peel the mask."""
    inside, room = np.pad(mask, 1), 0
    while True:
        peeled = inside.copy()
        for axis in (0, 1):
            for step in (-1, 1):
                peeled &= np.roll(inside, step, axis)
        if not peeled.any():
            break
        inside, room = peeled, room + 1
    ys, xs = np.nonzero(inside)
    middle = len(ys) // 2
    return int(ys[middle]) - 1, int(xs[middle]) - 1, room
