"""The sheet of paper that Streets are drawn on: what lies where, in two resolutions."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

import numpy as np

__all__ = ["FINE", "Color", "Sheet", "View"]

FINE = 2  # the picture is drawn this many times finer, then averaged: smooth edges
Color = tuple[float, float, float]
Span = tuple[float, float]


@dataclass(frozen=True)
class View:
    """Where a point of the street, in meters, lies in the picture, in pixels.

    Attributes:
        center: Column of the vanishing point.
        horizon: Row of the vanishing point.
        focal: Focal length in pixels.
        eye: Height of the camera in meters.
    """

    center: float
    horizon: float
    focal: float
    eye: float

    def x(self, right: float, ahead: float) -> float:
        """Column of a point so many meters to the right and ahead."""
        return self.center + self.focal * right / ahead

    def y(self, up: float, ahead: float) -> float:
        """Row of a point so many meters above the ground and ahead."""
        return self.horizon - self.focal * (up - self.eye) / ahead


@dataclass
class Sheet:
    """Two maps of materials: a fine one for the picture, an exact one for the labels.

    A material is a number with a color, a class and an instance; 0 is the background, which is
    painted apart. Shapes are filled from far to near, so that what is near covers what is far.
    A pixel belongs to a shape if its center lies inside. Only sums, products and quotients
    decide, so the same shapes fill the same pixels on every machine.
    """

    size: tuple[int, int]
    colors: list[Color] = field(default_factory=lambda: [(0.0, 0.0, 0.0)])
    classes: list[int] = field(default_factory=lambda: [0])
    things: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        self.grids = []
        for fine in (FINE, 1):
            height, width = self.size[0] * fine, self.size[1] * fine
            x = (np.arange(width, dtype=np.float32) + 0.5) / fine
            y = (np.arange(height, dtype=np.float32) + 0.5) / fine
            self.grids.append((fine, np.zeros((height, width), np.uint16), x, y[:, None]))

    def material(self, color: Color, label: int, thing: int = 0) -> int:
        """A new material; thing is the number of the car, person or pole, 0 for none."""
        self.colors.append(color)
        self.classes.append(label)
        self.things.append(thing)
        return len(self.colors) - 1

    def rectangle(self, material: int, xs: Span, ys: Span) -> None:
        """Fill a rectangle with upright sides."""
        for fine, index, _, _ in self.grids:
            index[_cut(ys, fine), _cut(xs, fine)] = material

    def ellipse(self, material: int, center: Span, radii: Span) -> None:
        """Fill an ellipse."""
        (cx, cy), (rx, ry) = center, radii
        for fine, index, x, y in self.grids:
            rows, columns = _cut((cy - ry, cy + ry), fine), _cut((cx - rx, cx + rx), fine)
            off = ((x[columns] - cx) / rx) ** 2 + ((y[rows] - cy) / ry) ** 2
            index[rows, columns][off < 1] = material

    def trapezoid(self, material: int, ys: Span, top: Span, bottom: Span) -> None:
        """Fill a shape with level upper and lower sides; top and bottom are their columns."""
        for fine, index, x, y in self.grids:
            rows = _cut(ys, fine)
            columns = _cut((min(top[0], bottom[0]), max(top[1], bottom[1])), fine)
            down = (y[rows] - ys[0]) / max(ys[1] - ys[0], 1e-9)
            left = top[0] + down * (bottom[0] - top[0])
            right = top[1] + down * (bottom[1] - top[1])
            index[rows, columns][(x[columns] > left) & (x[columns] < right)] = material

    def slab(self, material: int, xs: Span, left: Span, right: Span) -> None:
        """Fill a shape with upright sides; left and right are their rows, from above."""
        if xs[0] > xs[1]:
            xs, left, right = xs[::-1], right, left
        for fine, index, x, y in self.grids:
            columns = _cut(xs, fine)
            rows = _cut((min(left[0], right[0]), max(left[1], right[1])), fine)
            along = (x[columns] - xs[0]) / max(xs[1] - xs[0], 1e-9)
            top = left[0] + along * (right[0] - left[0])
            bottom = left[1] + along * (right[1] - left[1])
            index[rows, columns][(y[rows] > top) & (y[rows] < bottom)] = material


def _cut(span: Span, fine: int) -> slice:
    """The pixels whose centers lie between two coordinates."""
    return slice(max(ceil(span[0] * fine - 0.5), 0), max(ceil(span[1] * fine - 0.5), 0))
