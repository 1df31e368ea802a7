"""Nine colors that all eyes can tell apart, and label maps painted in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

VOID = 255
"""The label of a pixel that an annotator would not decide."""

PALETTE: tuple[str, ...] = (
    "#8fddfa",  # 0 sky
    "#645155",  # 1 building
    "#8878b4",  # 2 road
    "#f2f1e3",  # 3 sidewalk
    "#539b71",  # 4 vegetation
    "#1c3b90",  # 5 car
    "#b70e11",  # 6 person
    "#f3c50a",  # 7 pole
    "#110d19",  # void
)
"""Eight class colors, then void. Any two of them differ by a CIEDE2000 of 20 or more, for
normal eyes and for protanopes, deuteranopes and tritanopes (a test computes it again)."""


def colorize(labels: torch.Tensor | np.ndarray, colors: Sequence[str] = PALETTE) -> np.ndarray:
    """Paint a label map.

    Args:
        labels: Integer label map of shape (H, W). 255 is void.
        colors: Colors as "#rrggbb", one for each class and, last, one for void.

    Returns:
        The painted map, uint8 of shape (H, W, 3).

    Example:
        >>> import torch
        >>> colorize(torch.tensor([[0, 255]])).tolist()
        [[[143, 221, 250], [17, 13, 25]]]
    """
    labels = as_label_map(labels, len(colors) - 1)
    table = np.array([rgb(color) for color in colors], dtype=np.uint8)
    return table[np.where(labels == VOID, len(colors) - 1, labels)]


def class_colors(names: Sequence[str], colors: Sequence[str]) -> list[str]:
    """Return one color for each name and, last, that of void, which is the last of ``colors``."""
    if len(colors) < len(names) + 1:
        raise ValueError(
            f"colors has {len(colors)} entries for {len(names)} names: give one color for each "
            "name and, last, one for void"
        )
    return [*colors[: len(names)], colors[-1]]


def as_label_map(labels: torch.Tensor | np.ndarray, num_classes: int) -> np.ndarray:
    """Check a label map of ``num_classes`` classes and void; return it as an array."""
    if isinstance(labels, torch.Tensor):
        labels = labels.detach().cpu().numpy()
    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise ValueError(f"labels must have shape (H, W), got {tuple(labels.shape)}")
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"labels must be integers, got {labels.dtype}: take logits.argmax(dim=1) first?"
        )
    strange = labels[(labels != VOID) & ((labels < 0) | (labels >= num_classes))]
    if strange.size:
        raise ValueError(
            f"labels contain {int(strange.flat[0])}, but there are {num_classes} colors beside "
            f"the one for void: labels run from 0 to {num_classes - 1}, void is {VOID}"
        )
    return labels


def rgb(color: str) -> tuple[int, int, int]:
    """Read "#rrggbb".

    Example:
        >>> rgb("#0f766e")
        (15, 118, 110)
    """
    digits = color.removeprefix("#")
    if not isinstance(color, str) or len(digits) != 6:
        raise ValueError(f'a color is written "#rrggbb", got {color!r}')
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
