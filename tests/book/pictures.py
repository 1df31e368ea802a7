"""Compares pictures as a reader would: what is drawn, not how its edges are smoothed."""

from __future__ import annotations

import base64
import io

import numpy as np
from nbformat import NotebookNode
from PIL import Image, ImageFilter

TILE = 16  # pixels: about one character of a figure's text
# The largest mean difference within one tile, on a scale of 1. Measured on the plots that
# test_pictures.py draws: noise, smoothing and half a pixel's shift reach 0.047 at most;
# the least of the planted faults, a 3 that became an 8, reaches 0.065.
TOLERANCE = 0.05
SIZES = 0.02  # a picture may be larger or smaller by this part: fonts are measured in pixels


def pictures(cell: NotebookNode) -> list[bytes]:
    """Return the PNG files among a cell's outputs."""
    return [
        base64.b64decode(output["data"]["image/png"])
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def complaint(stored: bytes, drawn: bytes) -> str | None:
    """Say where two pictures differ, or return None if they look alike."""
    first, second = (Image.open(io.BytesIO(data)).convert("RGBA") for data in (stored, drawn))
    for a, b in zip(first.size, second.size, strict=True):
        if abs(a - b) > SIZES * a:
            return f"the sizes differ: {first.size} stored, {second.size} drawn"
    if first.size != second.size:
        second = second.resize(first.size, Image.Resampling.LANCZOS)
    differences = _differences(_seen(first), _seen(second))
    worst = differences.max()
    if worst <= TOLERANCE:
        return None
    row, column = np.unravel_index(differences.argmax(), differences.shape)
    return (
        f"around x = {column * TILE // 2}, y = {row * TILE // 2} they differ by {worst:.3f} "
        f"(tolerance {TOLERANCE}) in a picture of {first.size[0]} × {first.size[1]} pixels"
    )


def _seen(picture: Image.Image) -> np.ndarray:
    """Return the picture on a white page beside the picture on a black one, in [0, 1]."""
    pages = []
    for page in ("white", "black"):
        seen = Image.new("RGBA", picture.size, page)
        seen.alpha_composite(picture)
        # A slight blur forgives the smoothing of edges, which differs between versions.
        pages.append(seen.convert("RGB").filter(ImageFilter.GaussianBlur(1)))
    return np.concatenate([np.asarray(page, dtype=np.float32) / 255 for page in pages], axis=2)


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the mean difference of every tile, at the best place within one pixel."""
    least = _tiles(np.abs(first - second))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if least.max() > TOLERANCE:  # pictures that look alike need no second look
                moved = np.roll(second, (down, right), axis=(0, 1))
                least = np.minimum(least, _tiles(np.abs(first - moved)))
    return least


def _tiles(difference: np.ndarray) -> np.ndarray:
    """Return the mean of every tile; tiles overlap by half, so that no border hides a fault."""
    worst = difference.max(axis=2)
    half = TILE // 2
    rows, columns = (-(-size // half) * half for size in worst.shape)
    padded = np.zeros((rows, columns), dtype=np.float32)
    padded[: worst.shape[0], : worst.shape[1]] = worst
    quarters = padded.reshape(rows // half, half, columns // half, half).mean(axis=(1, 3))
    if min(quarters.shape) < 2:
        return quarters
    return (quarters[:-1, :-1] + quarters[1:, :-1] + quarters[:-1, 1:] + quarters[1:, 1:]) / 4
