"""Still figures: small grids with their numbers, and rows of titled pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segtutor.figures.drawing import (
    ACCENT,
    INK,
    WARM,
    Array,
    Window,
    draw_grid,
    draw_labels,
    draw_legend,
    draw_signed,
    grid,
    is_label_map,
    is_signed,
    picture,
)
from segtutor.figures.palette import PALETTE


def use_style() -> None:
    """Switch Matplotlib to the house style. Calling it again changes nothing.

    Transparent ground, mid-gray ink that reads on white and on near-black alike, the font
    that ships with Matplotlib, and twice the usual resolution.

    Example:
        >>> use_style()
        >>> import matplotlib
        >>> matplotlib.rcParams["font.family"]
        ['DejaVu Sans']
    """
    import matplotlib
    from cycler import cycler

    ink = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color",
         "ytick.color", "legend.labelcolor"),
        INK,
    )  # fmt: skip
    clear = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "none")
    matplotlib.rcParams.update(
        {
            **ink,
            **clear,
            "font.family": ["DejaVu Sans"],
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.titlepad": 7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=[ACCENT, WARM, "#7c6fd0", "#c2476b", INK]),
            "axes.grid": False,
            "grid.color": INK,
            "grid.alpha": 0.25,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "figure.dpi": 144,
            "savefig.dpi": 144,
            "image.interpolation": "nearest",
            "svg.hashsalt": "segtutor",
        }
    )


def pixels(
    array: Array | Mapping[str, Array],
    *,
    highlight: Sequence[Window] | Mapping[str, Sequence[Window]] = (),
    cell: float = 0.42,
) -> None:
    """Draw a small grid, or several side by side, with the number written in each cell.

    Grids without a negative number are drawn in grays, from 0 in black to their largest
    number in white; grids with one run from orange through white to teal.

    Args:
        array: Numbers of shape (H, W), at most 20 by 20; or a mapping from titles to such
            grids, which are then drawn in one row and one scale of size.
        highlight: Windows to outline, each as (row, column, height, width); for several
            grids a mapping from title to windows.
        cell: Side of a cell in inches.

    Example:
        >>> import torch
        >>> pixels({"picture": torch.eye(3), "kernel": torch.ones(2, 2)},
        ...        highlight={"picture": [(0, 0, 2, 2)]})
    """
    import matplotlib.pyplot as plt

    grids = array if isinstance(array, Mapping) else {"": array}
    marks = highlight if isinstance(highlight, Mapping) else {next(iter(grids)): highlight}
    if unknown := set(marks) - set(grids):
        raise ValueError(f"highlight names {unknown.pop()!r}, but the grids are {list(grids)}")
    drawn = {title: grid(values, title) for title, values in grids.items()}
    use_style()
    rows = max(values.shape[0] for values in drawn.values())
    widths = [values.shape[1] for values in drawn.values()]
    gap = 1.1  # cells between two grids
    total = sum(widths) + gap * (len(widths) - 1)
    figure = plt.figure(figsize=((total + 0.2) * cell, (rows + 0.2) * cell + 0.32))
    top = rows * cell / figure.get_figheight() + 0.1 * cell / figure.get_figheight()
    left = 0.1
    for (title, values), width in zip(drawn.items(), widths, strict=True):
        height = values.shape[0] * cell / figure.get_figheight()
        middle = top - rows * cell / figure.get_figheight() / 2
        box = (left / (total + 0.2), middle - height / 2, width / (total + 0.2), height)
        draw_grid(figure.add_axes(box), values, title, marks.get(title, ()), cell)
        left += width + gap


def row(
    pictures: Mapping[str, Array],
    *,
    names: Sequence[str] = (),
    colors: Sequence[str] = PALETTE,
    width: float = 7.5,
) -> None:
    """Draw a row of titled pictures.

    What is drawn follows from the array: (3, H, W) or (H, W, 3) is a color picture in [0, 1]
    or uint8; an integer (H, W) is a label map, painted, numbered and explained by a legend;
    (H, W) with a negative number is a signed map, centered at 0, with its scale below;
    any other (H, W) is a gray picture, from 0 in black to its largest number in white.

    Args:
        pictures: From titles to arrays or tensors.
        names: Names of the classes, for the legend of label maps.
        colors: Class colors and, last, the one for void.
        width: Width of the whole row in inches.

    Example:
        >>> import torch
        >>> row({"gray": torch.rand(8, 12), "signed": torch.randn(8, 12)})
    """
    import matplotlib.pyplot as plt

    if not isinstance(pictures, Mapping) or not pictures:
        raise TypeError('pictures has to be a mapping such as {"input": image}, and not empty')
    arrays = {title: picture(values, title) for title, values in pictures.items()}
    use_style()
    ratios = [a.shape[1] / a.shape[0] for a in arrays.values()]
    height = min((width - 0.1 * (len(ratios) - 1)) / sum(ratios), 3.6)
    maps = [a for a in arrays.values() if is_label_map(a)]
    signed = any(is_signed(a) for a in arrays.values())
    classes = sorted({int(c) for a in maps for c in np.unique(a)})
    # Inches below the pictures: the scale of signed maps, then the legend of label maps.
    foot = 0.27 * signed + (0.24 * -(-len(classes) // 5) + 0.1) * bool(maps)
    whole = height + 0.34 + foot
    figure = plt.figure(figsize=(sum(ratios) * height + 0.1 * (len(ratios) - 1), whole))
    left = 0.0
    for (title, values), ratio in zip(arrays.items(), ratios, strict=True):
        box = (left, foot / whole, ratio * height / figure.get_figwidth(), height / whole)
        axes = figure.add_axes(box)
        axes.set_title(title)
        axes.set_axis_off()
        if is_label_map(values):
            draw_labels(axes, values, colors)
        elif is_signed(values):
            draw_signed(axes, values, whole)
        elif values.ndim == 2:
            axes.imshow(values, cmap="gray", vmin=0, vmax=values.max() or 1)
        else:
            axes.imshow(values)
        left += (ratio * height + 0.1) / figure.get_figwidth()
    if maps:
        draw_legend(figure, classes, names, colors)
