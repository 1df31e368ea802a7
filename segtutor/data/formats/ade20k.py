"""ADE20K, as the scene parsing benchmark has it: 150 classes, 0 for everything else."""

from __future__ import annotations

from pathlib import Path

from segtutor.data.formats.base import Pairs, PairTransform
from segtutor.data.formats.files import VOID, FileError, find, lines, names

__all__ = ["ADE20K"]


class ADE20K(Pairs):
    """ADE20K of the SceneParsing benchmark 2016: 150 classes.

    The files hold 0 to 150, and 0 is "other", which is not judged: it becomes 255, and 1 to 150
    become 0 to 149. Elsewhere this is called `reduce_zero_label`. It is done once: in uint8, a void
    of 255 that loses one again is 254, a class that nobody has.

    Args:
        root: The folder with images and annotations, ADEChallengeData2016.
        split: "training" (20,210 pictures) or "validation" (2,000); "train" and "val" are the
            same. The labels of the test pictures are withheld.
        transform: Called with picture and label map.

    Source: Zhou and others, "Scene Parsing through ADE20K Dataset", 2017; the benchmark's
    development kit, objectInfo150.txt, of whose names the first of each line is taken.

    Example::

        ADE20K("datasets/ADEChallengeData2016", "val")  # ADE20K(2000 pictures, 150 classes)
    """

    def __init__(
        self, root: str | Path, split: str = "training", *, transform: PairTransform | None = None
    ) -> None:
        folder = {"train": "training", "val": "validation"}.get(split, split)
        images, labels = find(root, f"images/{folder}"), find(root, f"annotations/{folder}")
        found = names(images, ".jpg")
        if not found:
            raise FileError(images, "has no *.jpg", "unpack ADEChallengeData2016.zip again")
        table = {0: VOID} | {value: value - 1 for value in range(1, 151)}
        classes = lines(Path(__file__).with_name("ade20k.txt"))
        found |= names(labels, ".png")  # a label map without picture is a fault too
        pairs = [(images / f"{name}.jpg", labels / f"{name}.png") for name in sorted(found)]
        super().__init__(pairs, classes, table, transform)
