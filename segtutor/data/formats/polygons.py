"""COCO's JSON: polygons and run lengths, drawn as label maps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, FileError, find

__all__ = ["Polygons", "run_lengths"]


class Polygons(Pairs):
    """Pictures with a COCO JSON of instances: class 0 is the background, then the categories.

    Objects are drawn large ones first, so that what lies in front of something else stays visible;
    a crowd, whose members nobody drew, is void. A polygon has the pixels whose centers it
    contains; pycocotools may differ by a pixel along the contour. Run lengths are exact.

    Args:
        images: Folder of the pictures.
        annotations: The JSON file.
        transform: Called with picture and label map.

    Source: Lin and others, "Microsoft COCO", 2014 (arXiv:1405.0312); cocodataset.org.

    Example::

        Polygons("val2017", "annotations/instances_val2017.json")  # 5000 pictures, 81 classes
    """

    def __init__(
        self,
        images: str | Path,
        annotations: str | Path,
        *,
        transform: PairTransform | None = None,
    ) -> None:
        path, folder = find(Path(annotations).parent, Path(annotations).name), find(images, ".")
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            pictures, categories = content["images"], content["categories"]
            pairs = [(folder / picture["file_name"], path) for picture in pictures]
            self.sizes = [(int(picture["height"]), int(picture["width"])) for picture in pictures]
            place = {picture["id"]: index for index, picture in enumerate(pictures)}
            names = {category["id"]: category["name"] for category in categories}
            ids = {number: label for label, number in enumerate(sorted(names), 1)}
            if len(place) < len(pictures) or len(ids) < len(categories):
                raise ValueError("two images, or two categories, have the same id")
            self.objects: list[list[tuple[int, Any, Any]]] = [[] for _ in pictures]
            for thing in sorted(content["annotations"], key=lambda thing: -thing["area"]):
                number, image, category = thing.get("id"), thing["image_id"], thing["category_id"]
                if image not in place or category not in ids:
                    what = f"image_id {image} and category_id {category}, but one is not listed"
                    raise ValueError(f"the annotation with id {number} has {what}")
                label = VOID if thing.get("iscrowd") else ids[category]
                self.objects[place[image]].append((label, thing["segmentation"], number))
        except (ValueError, KeyError, TypeError) as error:
            what = f"is no COCO JSON of instances ({type(error).__name__}: {error})"
            cure = "it needs images, categories and annotations with area and segmentation"
            raise FileError(path, what, cure) from error
        table = {value: value for value in (*range(len(ids) + 1), VOID)}
        super().__init__(pairs, ["background", *(names[i] for i in ids)], table, transform)

    def labels(self, index: int) -> Tensor:
        """Draw the label map alone, int64 (H, W)."""
        labels = np.zeros(self.sizes[index], dtype=np.int64)
        for label, shape, number in self.objects[index]:
            try:
                labels[covered(shape, labels.shape)] = label
            except (ValueError, TypeError, KeyError) as error:
                image, path = self.paths(index)
                what = f"has an annotation that cannot be drawn, id {number} of {image.name}"
                cure = "a segmentation is [[x, y, x, y, …], …] or run lengths: mend or delete it"
                raise FileError(path, f"{what} ({error})", cure) from error
        return torch.from_numpy(labels)


def covered(shape: Any, size: tuple[int, int]) -> np.ndarray:
    """Return where a segmentation lies in a picture, bool (H, W)."""
    if not isinstance(shape, dict):
        if not any(np.size(polygon) >= 6 for polygon in shape):
            raise ValueError("no polygon with three corners")
        return np.any([filled(polygon, size) for polygon in shape], axis=0)
    mask = run_lengths(shape)
    if mask.shape != size:
        raise ValueError(f"run lengths of size {mask.shape}, but the picture has {size}")
    return mask


def filled(polygon: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """Fill a polygon x, y, x, y, …: True where a pixel's center lies inside, bool (H, W).

    Going right from the edge, each crossing of the contour leads in or out.

    Example:
        >>> filled([0, 0, 3, 0, 3, 1, 0, 1], size=(2, 4)).astype(int)
        array([[1, 1, 1, 0],
               [0, 0, 0, 0]])
    """
    height, width = size
    x, y = np.asarray(polygon, dtype=float).reshape(-1, 2).T
    if not np.isfinite([x, y]).all():
        raise ValueError("corners that are no finite numbers")
    to_x, to_y = np.roll(x, -1), np.roll(y, -1)
    row, edge = np.nonzero(
        (y <= (centers := np.arange(height)[:, None] + 0.5)) != (to_y <= centers)
    )
    slope = (to_x - x)[edge] / (to_y - y)[edge]
    crossing = x[edge] + (row + 0.5 - y[edge]) * slope
    turns = np.zeros((height, width + 1), dtype=np.int64)
    np.add.at(turns, (row, np.ceil(crossing - 0.5).clip(0, width).astype(int)), 1)
    return turns.cumsum(1)[:, :width] % 2 == 1


def run_lengths(code: dict[str, Any]) -> np.ndarray:
    """Decode COCO's run lengths, plain or compressed, into a mask, bool (H, W).

    The pixels go down the columns; runs of 0 and of 1 take turns, 0 first. In the compressed form
    each character carries five bits of a number, lowest first, a sixth says that more follow,
    and from the fourth number on it is the difference to the last but one.

    Example:
        >>> run_lengths({"size": [2, 3], "counts": [1, 3, 2]}).astype(int)
        array([[0, 1, 0],
               [1, 1, 0]])
    """
    counts = code["counts"]
    if isinstance(counts, str | bytes):
        text = counts.encode() if isinstance(counts, str) else counts
        counts, value, shift = [], 0, 0
        for byte in text:
            bits = byte - 48
            value |= (bits & 31) << shift
            shift += 5
            if not bits & 32:
                value -= (bits >> 4 & 1) << shift  # the last bit is the sign
                counts.append(value + (counts[-2] if len(counts) > 2 else 0))
                value = shift = 0
    height, width = code["size"]
    if sum(counts) != height * width:
        raise ValueError(f"run lengths have {sum(counts)} pixels, but size={height, width}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T
