"""COCO-Stuff: things and stuff of COCO in one label map."""

from __future__ import annotations

from pathlib import Path

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, FileError, find, lines, names

__all__ = ["COCOStuff"]


class COCOStuff(Pairs):
    """COCO-Stuff 164k, from the archive stuffthingmaps: 171 classes.

    Its label maps hold COCO's ids minus one, 0 to 181, and 255. Eleven of these ids, such as hat
    and shoe, were never drawn; without them 171 classes remain, 80 things and 91 stuff, in the
    order of their ids. A drawn 11 (street sign) would be an error, not class 11.

    Args:
        root: The folder with images and annotations, each with train2017 and val2017. Pictures
            beside them (train2017) and label maps in stuffthingmaps are found too.
        split: "train2017" (118,287 pictures) or "val2017" (5,000).
        transform: Called with picture and label map.

    Source: Caesar and others, "COCO-Stuff", 2018 (arXiv:1612.03716), and its labels.txt, which
    counts from 1.

    Example::

        COCOStuff("datasets/coco", "val2017")  # COCOStuff(5000 pictures, 171 classes)
    """

    def __init__(
        self, root: str | Path, split: str = "train2017", *, transform: PairTransform | None = None
    ) -> None:
        images = find(root, f"images/{split}", split)
        labels = find(root, f"annotations/{split}", f"stuffthingmaps/{split}")
        found = names(images, ".jpg")
        if not found:
            raise FileError(images, "has no *.jpg", f"unpack {split}.zip into it")
        named = [
            line.split(maxsplit=1) for line in lines(Path(__file__).with_name("coco_stuff.txt"))
        ]
        table = {VOID: VOID} | {int(value): index for index, (value, _) in enumerate(named)}
        found |= names(labels, ".png")  # a label map without picture is a fault too
        pairs = [(images / f"{name}.jpg", labels / f"{name}.png") for name in sorted(found)]
        super().__init__(pairs, [name for _, name in named], table, transform)
