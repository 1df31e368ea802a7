"""The moving figure of the chapter on IoU: two label maps to paint, with every score beside."""

from __future__ import annotations

import numpy as np
import torch

from segtutor.figures.drawing import ACCENT, INK
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import VOID

Array = torch.Tensor | np.ndarray
SMALLEST, LARGEST = 4, 24  # pixels of a side


def paint_masks(
    target: Array,
    prediction: Array,
    *,
    caption: str = "",
    alt: str = "A target and a prediction to paint, what they share, and all scores of the two.",
) -> MovingFigure:
    """A target and a prediction that the reader paints, with the scores of both.

    Pixel counts, accuracy, precision, recall, IoU, Dice, mean IoU with the background,
    boundary IoU, boundary F1 and Hausdorff distances follow every stroke; they are the
    numbers of `segtutor.metrics`. The target can be void in places.

    Args:
        target: Label map (H, W) of 0, 1 and 255 for void, from 4 by 4 to 24 by 24.
        prediction: Label map (H, W) of 0 and 1.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> import torch
        >>> square = torch.zeros(16, 16, dtype=torch.long)
        >>> square[4:12, 4:12] = 1
        >>> paint_masks(square, square.roll(2, dims=1))
        Moving figure: a target and a prediction of 16×16 pixels to paint (open the page to move it)
    """
    maps = {
        "target": _label_map("target", target, (0, 1, VOID)),
        "prediction": _label_map("prediction", prediction, (0, 1)),
    }
    shapes = [(len(lines), len(lines[0])) for lines in maps.values()]
    if shapes[0] != shapes[1]:
        raise ValueError(f"target is {shapes[0]}, but prediction {shapes[1]}: make them alike")
    height, width = shapes[0]
    return MovingFigure(
        "paint-masks",
        maps,
        still="".join(_still(lines, name) for name, lines in maps.items()),
        summary=f"a target and a prediction of {height}×{width} pixels to paint",
        caption=caption,
        alt=alt,
    )


def _label_map(name: str, values: Array, allowed: tuple[int, ...]) -> list[list[int]]:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array)
    if array.ndim != 2 or not all(SMALLEST <= n <= LARGEST for n in array.shape):
        raise ValueError(
            f"{name} has shape {array.shape}: it has to be (H, W), {SMALLEST} by {SMALLEST} to "
            f"{LARGEST} by {LARGEST}"
        )
    if array.dtype.kind not in "iub":
        raise TypeError(f"{name} is {array.dtype}, but labels are whole numbers: `.long()`")
    strange = sorted(set(array.ravel().tolist()) - set(allowed))
    if strange:
        raise ValueError(
            f"{name} contains {strange[0]}: this figure paints {', '.join(map(str, allowed))}"
        )
    return array.astype(int).tolist()


def _still(lines: list[list[int]], name: str) -> str:
    """A label map as a small SVG, for pages where no script may run."""
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1" height="1" fill="{ACCENT if label == 1 else INK}"/>'
        for y, line in enumerate(lines)
        for x, label in enumerate(line)
        if label
    )
    height, width = len(lines), len(lines[0])
    return (
        f'<svg role="img" aria-label="the {name}" viewBox="0 0 {width} {height}" '
        'style="width:45%;max-width:16rem;margin:0 1em .5em 0;border:1px solid" '
        f'stroke="none">{cells}</svg>'
    )
