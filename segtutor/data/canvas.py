"""A canvas that paints a picture and its label map with the same strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FINE = 4  # the picture is painted this many times finer, then averaged: smooth edges
Point = tuple[float, float]
Color = tuple[float, float, float]


class Canvas:
    """Painter's algorithm in two resolutions: fine for the picture, exact for the labels.

    Coordinates run from (0, 0) to `extent`, whatever the size in pixels. A pixel belongs to a
    shape if its center lies inside. Everything is plain arithmetic, no drawing library: the
    same shapes give the same bytes on every machine.
    """

    def __init__(self, size: tuple[int, int], extent: tuple[float, float], ground: int) -> None:
        height, width = size
        self.unit = width / extent[0]  # pixels per unit of length
        self.labels = np.full(size, ground, dtype=np.int64)
        self.paint = np.zeros((height * FINE, width * FINE, 3), dtype=np.float64)
        step_y, step_x = extent[1] / height, extent[0] / width
        self._coarse = _centers(height, step_y), _centers(width, step_x)
        self._fine = _centers(height * FINE, step_y / FINE), _centers(width * FINE, step_x / FINE)

    def fill(
        self,
        shape: Sequence[Point],
        color: Color,
        label: int | None = None,
        *,
        below: Color | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill a polygon.

        Args:
            shape: Its corners as (x, y).
            color: RGB from 0 to 255; the color of its upper end if `below` is given.
            label: Class that its pixels take on; None leaves the labels as they are.
            below: Color of its lower end, for a vertical gradient.
            alpha: Opacity from 0 to 1.
        """
        rows, columns, inside = _inside(shape, *self._fine)
        if inside.any():
            patch = self.paint[rows, columns]
            if below is None:
                patch[inside] += alpha * (np.asarray(color) - patch[inside])
            else:
                down = np.linspace(0, 1, inside.shape[0])[:, None, None]
                blend = np.asarray(color) + down * (np.asarray(below) - np.asarray(color))
                blend = np.broadcast_to(blend, patch.shape)
                patch[inside] += alpha * (blend[inside] - patch[inside])
        if label is not None:
            rows, columns, inside = _inside(shape, *self._coarse)
            self.labels[rows, columns][inside] = label

    def picture(self) -> np.ndarray:
        """The picture so far, float64 of shape (H, W, 3) from 0 to 255."""
        height, width = self.labels.shape
        # Whole numbers before the average: its sum is then exact on every machine.
        whole = np.rint(self.paint.clip(0, 255))
        return whole.reshape(height, FINE, width, FINE, 3).sum((1, 3)) / FINE**2


def ellipse(x: float, y: float, rx: float, ry: float, corners: int = 28) -> list[Point]:
    """The corners of a polygon that passes for an ellipse."""
    turn = np.arange(corners) * (2 * np.pi / corners)
    xs, ys = x + rx * np.cos(turn), y + ry * np.sin(turn)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def _centers(n: int, step: float) -> np.ndarray:
    return (np.arange(n) + 0.5) * step


def _inside(
    shape: Sequence[Point], ys: np.ndarray, xs: np.ndarray
) -> tuple[slice, slice, np.ndarray]:
    """The polygon's bounding box in pixels, and which of the pixel centers in it lie inside."""
    px, py = (np.array(side) for side in zip(*shape, strict=True))
    rows = slice(*np.searchsorted(ys, [py.min(), py.max()]))
    columns = slice(*np.searchsorted(xs, [px.min(), px.max()]))
    ys, xs = ys[rows], xs[columns]
    inside = np.zeros((ys.size, xs.size), dtype=bool)
    if inside.size:
        for x0, y0, x1, y1 in zip(px, py, np.roll(px, -1), np.roll(py, -1), strict=True):
            if y0 != y1:  # even-odd rule: count the edges to the right of the center
                crossed = (y0 <= ys) != (y1 <= ys)
                edge = x0 + (ys - y0) * ((x1 - x0) / (y1 - y0))
                inside ^= crossed[:, None] & (xs[None, :] < edge[:, None])
    return rows, columns, inside
