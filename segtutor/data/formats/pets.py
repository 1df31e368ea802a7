"""Oxford-IIIT Pet: one animal a picture, with a border that nobody decided."""

from __future__ import annotations

from pathlib import Path

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, find, lines

__all__ = ["Pets"]

BORDERS = {"void": VOID, "pet": 1, "background": 0}


class Pets(Pairs):
    """Oxford-IIIT Pet: background and pet.

    The trimaps hold 1 for pet, 2 for background and 3 for the border between them. Here
    background is class 0, pet class 1. `torchvision.datasets.OxfordIIITPet` hands out the files'
    numbers, which with two classes are one too high and one too many.

    Args:
        root: The folder with images and annotations, or the one above if torchvision unpacked it
            (oxford-iiit-pet).
        split: "trainval" (3,680 pictures) or "test" (3,669).
        border: What the border is: "void" (255), "pet", or "background". Scores differ: the border
            is thick, and its pixels are the hard ones.
        transform: Called with picture and label map.

    Source: Parkhi and others, "Cats and Dogs", 2012, and the README in its annotations.

    Example::

        Pets("datasets", "test")  # Pets(3669 pictures, 2 classes)
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "trainval",
        *,
        border: str = "void",
        transform: PairTransform | None = None,
    ) -> None:
        if border not in BORDERS:
            raise ValueError(f"border={border!r} is none of {', '.join(BORDERS)}")
        base = find(root, "annotations", "oxford-iiit-pet/annotations").parent
        # Hidden files of macOS lie among the trimaps: the lists, not the folders, say what counts.
        names = [line.split()[0] for line in lines(find(base, f"annotations/{split}.txt"))]
        pairs = [(base / f"images/{n}.jpg", base / f"annotations/trimaps/{n}.png") for n in names]
        super().__init__(pairs, ("background", "pet"), {1: 1, 2: 0, 3: BORDERS[border]}, transform)
