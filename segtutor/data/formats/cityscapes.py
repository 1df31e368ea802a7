"""Cityscapes: pictures by city, 35 labels of which 19 are judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, FileError, find, names, read_values

__all__ = ["CITYSCAPES_CLASSES", "CITYSCAPES_IDS", "Cityscapes"]

# The judged ones of the 35 labels, by id; their place in this list is the class ("train id").
CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)
CITYSCAPES_CLASSES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
    "motorcycle", "bicycle",
)  # fmt: skip


class Cityscapes(Pairs):
    """Cityscapes, fine or coarse: 19 classes.

    The files `…_labelIds.png` hold 35 labels, 0 to 33 and −1, the license plate, which is never
    drawn. Those that are not judged become 255. `torchvision.datasets.Cityscapes` hands out the ids
    as they stand: train on them and class 7 is the road. Its own table has the right classes in
    `train_id`, with −1 for the license plate.

    Args:
        root: The folder with leftImg8bit and gtFine.
        split: "train" (2,975 pictures), "val" (500), or with coarse=True "train", "train_extra" and
            "val". The labels of "test" are withheld.
        coarse: Take gtCoarse.
        train_ids: Read `…_labelTrainIds.png`, which cityscapesScripts makes; they hold classes.
        transform: Called with picture and label map.

    Source: Cordts and others, "The Cityscapes Dataset", 2016 (arXiv:1604.01685), and
    cityscapesscripts/helpers/labels.py.

    Example::

        Cityscapes("datasets/cityscapes", "val")  # Cityscapes(500 pictures, 19 classes)
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        coarse: bool = False,
        train_ids: bool = False,
        transform: PairTransform | None = None,
    ) -> None:
        if split == "test":
            raise ValueError(
                'split="test" has no labels: they are withheld, and the files in gtFine/test hold '
                'void alone. Measure on "val"; the benchmark\'s server scores the test pictures'
            )
        kind = "gtCoarse" if coarse else "gtFine"
        ending = "labelTrainIds" if train_ids else "labelIds"
        images, labels = find(root, f"leftImg8bit/{split}"), find(root, f"{kind}/{split}")
        picture, label_map = "_leftImg8bit.png", f"_{kind}_{ending}.png"
        found = names(images, picture, "*/*")
        if not found:
            cure = "pictures lie one folder deeper, by city: aachen/aachen_…_leftImg8bit.png"
            raise FileError(images, "has no pictures", cure)
        found |= names(labels, label_map, "*/*")  # a label map without picture is a fault too
        pairs = [(images / (n + picture), labels / (n + label_map)) for n in sorted(found)]
        judged = range(19) if train_ids else CITYSCAPES_IDS
        table = dict.fromkeys((*range(0 if train_ids else 34), VOID), VOID)
        table |= {value: index for index, value in enumerate(judged)}
        super().__init__(pairs, CITYSCAPES_CLASSES, table, transform)

    def instances(self, index: int) -> Tensor:
        """Return which thing each pixel belongs to, int64 (H, W): 0 is none.

        A number is 1000 · id + n for the n-th thing of a label id, as in `…_instanceIds.png`;
        groups of things that nobody drew one by one count as none.
        """
        path = self.paths(index)[1]
        ending = path.stem.rpartition("_")[2]
        values = read_values(path.with_name(path.name.replace(ending, "instanceIds")))
        return torch.from_numpy(np.where(values >= 1000, values, 0).astype(np.int64))
