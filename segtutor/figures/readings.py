"""The moving figure of the chapter on data: one label map, written and read in many ways."""

from __future__ import annotations

import numpy as np
import torch

from segtutor.figures.checks import table
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, rgb

Array = torch.Tensor | np.ndarray
SMALLEST, LARGEST = 4, 12  # pixels on a side


def file_readings(
    labels: Array,
    *,
    caption: str = "",
    alt: str = "A small label map, and what a program reads from the file that holds it.",
) -> MovingFigure:
    """A small label map whose file the reader writes, reads and resizes in different ways.

    It is written as a palette, a gray or a color PNG; read as it is stored, as gray, as the red of
    its colors, by `ToTensor`, or with a table of classes; and resized to half. The numbers are
    those of Pillow, torchvision and PyTorch.

    Args:
        labels: Label map (H, W) of 0 to 7, and 255 for void; both sides even, 4 to 12.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> file_readings(torch.eye(4, dtype=torch.int64))
        Moving figure: a label file of 4×4 pixels, read in many ways (open the page to move it)
    """
    classes = as_label_map(labels, len(PALETTE) - 1)
    height, width = classes.shape
    if not all(SMALLEST <= n <= LARGEST and n % 2 == 0 for n in (height, width)):
        raise ValueError(
            f"labels are {height} by {width}: this figure takes even sides from {SMALLEST} to "
            f"{LARGEST} pixels"
        )
    lines = classes.astype(int).tolist()
    return MovingFigure(
        "file-readings",
        {"labels": lines, "colors": [rgb(color) for color in PALETTE]},
        still=table(lines, "the label map"),
        summary=f"a label file of {height}×{width} pixels, read in many ways",
        caption=caption,
        alt=alt,
    )
