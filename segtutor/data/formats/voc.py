"""Pascal VOC: palette pictures, 255 along every contour."""

from __future__ import annotations

from pathlib import Path

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, find, lines

__all__ = ["VOC", "VOC_CLASSES"]

VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip


class VOC(Pairs):
    """Pascal VOC, segmentation: 21 classes with the background; contours are void.

    The label maps are palette pictures (mode P). Their indices are the classes, as
    `torchvision.datasets.VOCSegmentation` hands them out too; it pairs the same files, and leaves
    it to you to turn them into tensors. `convert("L")` or `convert("RGB")` on the way loses them.

    Args:
        root: The folder that has VOCdevkit, or one of the folders in it down to VOC2012.
        split: "train" (1,464 pictures in 2012), "val" (1,449), "trainval", or "trainaug" (10,582:
            "train" and what the Semantic Boundaries Dataset adds that is not in "val"), as people
            share it: the folder SegmentationClassAug, the list trainaug.txt or train_aug.txt.
        year: "2012", or an earlier one.
        transform: Called with picture and label map.

    Source: Everingham and others, "The PASCAL Visual Object Classes Challenge", 2010, and the
    development kit of 2012; Hariharan and others, "Semantic Contours from Inverse Detectors", 2011.

    Example::

        VOC("datasets", "train")  # VOC(1464 pictures, 21 classes)
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        year: str = "2012",
        transform: PairTransform | None = None,
    ) -> None:
        places = (f"VOCdevkit/VOC{year}", f"VOC{year}", ".")
        base = find(root, *(f"{place}/JPEGImages" for place in places)).parent
        augmented = split in ("trainaug", "train_aug")
        names = ("trainaug", "train_aug") if augmented else (split,)
        listing = find(base, *(f"ImageSets/Segmentation/{name}.txt" for name in names))
        labels = find(base, "SegmentationClassAug" if augmented else "SegmentationClass")
        table = {value: value for value in (*range(21), VOID)}
        super().__init__(
            [(base / f"JPEGImages/{n}.jpg", labels / f"{n}.png") for n in lines(listing)],
            VOC_CLASSES,
            table,
            transform,
        )
