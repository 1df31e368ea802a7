"""What moving figures ask of their arguments, and what they show where no script may run."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch

from segtutor.figures.drawing import number

Array = torch.Tensor | np.ndarray | Sequence[Sequence[float]]


def numbers(name: str, values: Array, limit: int) -> list[list[Any]]:
    """A small grid as lists of exact numbers: whole ones as int."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array, dtype=np.float64)
    if array.ndim != 2 or not all(1 <= n <= limit for n in array.shape):
        raise ValueError(
            f"{name} has shape {array.shape}: it has to be (H, W), 1 by 1 to {limit} by {limit}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains nan or infinity: every number has to be finite")
    return [[int(v) if v == int(v) else v for v in line] for line in array.tolist()]


def within(name: str, value: int, low: int, high: int) -> None:
    """Raise unless a setting is a whole number that the figure's buttons can reach."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r} has to be an int")
    if not low <= value <= high:
        raise ValueError(f"{name}={value} is out of range: this figure takes {low} to {high}")


def table(lines: list[list[Any]], what: str) -> str:
    """A grid as an HTML table, for pages where no script may run."""
    cell = '<td style="width:2em;text-align:center;border:1px solid">'
    rows = "".join(
        f"<tr>{''.join(f'{cell}{number(value)}</td>' for value in line)}</tr>" for line in lines
    )
    style = "display:inline-table;border-collapse:collapse;margin:0 1.5em .5em 0"
    return f'<table style="{style}"><caption>{what}</caption>{rows}</table>'
