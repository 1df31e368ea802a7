"""Five real photographs with label maps, small enough to travel with the package."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["REAL_PICTURES", "real_picture", "real_polygons"]

REAL_PICTURES: dict[str, tuple[str, ...]] = {
    "temple": ("sky", "building", "vegetation", "water"),
    "mountain": ("sky", "mountain", "forest", "meadow"),
    "coffee": ("table", "saucer", "cup", "coffee", "spoon"),
    "astronaut": ("wall", "person", "helmet", "flag", "model", "table"),
    "cat": ("background", "cat"),
}
"""The pictures, and the names of each one's classes. Where they come from, who took them and
under which licenses they may be passed on: README.md in the folder `pictures` beside this file."""


def real_picture(name: str) -> tuple[Tensor, Tensor]:
    """Read a photograph and its label map.

    Contours are void, two pixels wide, and so are places that nobody could decide. The label maps
    were drawn with polygons; see `real_polygons`.

    Args:
        name: One of `REAL_PICTURES`, which also names the classes.

    Returns:
        The picture, float32 (3, H, W) in [0, 1], and its label map, int64 (H, W), with 255 for
        void. The astronaut has 240 by 240 pixels, the others 192 by 288.

    Raises:
        ValueError: There is no picture of that name.

    Example:
        >>> image, labels = real_picture("cat")
        >>> image.shape, labels.unique()
        (torch.Size([3, 192, 288]), tensor([  0,   1, 255]))
    """
    from PIL import Image

    folder = resources.files("segtutor.data") / "pictures"
    _known(name)
    with (folder / f"{name}.jpg").open("rb") as file:
        image = torch.from_numpy(np.array(Image.open(file)))
    with (folder / f"{name}.png").open("rb") as file:
        labels = torch.from_numpy(np.array(Image.open(file)))  # a palette picture: its indices
    return image.permute(2, 0, 1).contiguous().float() / 255, labels.long()


def real_polygons(name: str) -> dict[str, Any]:
    """Read the polygons of a picture's label map, in the form of a COCO JSON.

    Later ones are drawn over earlier ones, and the largest come first. Category 1 is class 0, and
    an annotation with iscrowd 1 is void. `segtutor.data.Polygons` reads the same form.

    Args:
        name: One of `REAL_PICTURES`.

    Raises:
        ValueError: There is no picture of that name.

    Example:
        >>> [category["name"] for category in real_polygons("cat")["categories"]]
        ['background', 'cat']
    """
    _known(name)
    path = resources.files("segtutor.data") / "pictures" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _known(name: str) -> None:
    if name not in REAL_PICTURES:
        raise ValueError(f"name is {name!r}; the pictures are {', '.join(REAL_PICTURES)}")
