"""Moving figures about pictures and their label maps."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, colorize

Array = torch.Tensor | np.ndarray


def wipe(
    image: Array,
    labels: Array,
    *,
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
    caption: str = "",
    alt: str = "A picture and its label map under one slider.",
) -> MovingFigure:
    """A picture and its label map under one slider, with the class under the pointer.

    Args:
        image: Color picture of shape (3, H, W), float in [0, 1] or uint8.
        labels: Integer label map of shape (H, W); 255 is void.
        names: Name of each class.
        colors: Color of each class and, last, of void, as "#rrggbb".
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> wipe(torch.rand(3, 4, 6), torch.zeros(4, 6, dtype=torch.int64), names=["wall"],
        ...      colors=["#7a5648", "#111111"])
        Moving figure: a 4×6 picture over its label map (open the page to move it)
    """
    if len(colors) != len(names) + 1:
        raise ValueError(
            f"colors has {len(colors)} entries for {len(names)} names: give one color for each "
            "name and, last, one for void"
        )
    picture = _bytes(image)
    classes = as_label_map(labels, len(names))
    if picture.shape[:2] != classes.shape:
        raise ValueError(
            f"image is {picture.shape[0]} by {picture.shape[1]} pixels, labels are "
            f"{classes.shape[0]} by {classes.shape[1]}: they have to be of one size"
        )
    height, width = classes.shape
    photo = _jpeg(picture)
    # The still picture of pages without scripts: the label map over the right half.
    half = picture.copy()
    half[:, width // 2 :] = colorize(labels, colors)[:, width // 2 :]
    return MovingFigure(
        "wipe",
        {
            "photo": photo,
            "runs": _runs(classes),
            "width": width,
            "height": height,
            "names": list(names),
            "colors": list(colors),
        },
        still=f'<img src="{_jpeg(half)}" alt="its right half is the label map" width="100%">',
        summary=f"a {height}×{width} picture over its label map",
        caption=caption,
        alt=alt,
    )


def _bytes(image: Array) -> np.ndarray:
    """A color picture as uint8 of shape (H, W, 3)."""
    array = image.detach().cpu().numpy() if isinstance(image, torch.Tensor) else np.asarray(image)
    if array.ndim != 3 or array.shape[0] != 3:
        raise ValueError(f"image must have shape (3, H, W), got {tuple(array.shape)}")
    if array.dtype != np.uint8:
        if array.min() < -1e-4 or array.max() > 1 + 1e-4:
            raise ValueError(
                f"image runs from {array.min():.2f} to {array.max():.2f}: bring it into [0, 1]"
            )
        array = (array.clip(0, 1) * 255).round().astype(np.uint8)
    return array.transpose(1, 2, 0)


def _jpeg(picture: np.ndarray) -> str:
    """The picture as a data URI."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def _runs(labels: np.ndarray) -> str:
    """The label map as run lengths, row after row: "0x12 1x3 …". Exact, and small."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=-1))
    lengths = np.diff(starts, append=flat.size)
    return " ".join(f"{flat[s]}x{n}" for s, n in zip(starts, lengths, strict=True))
