"""Pictures for the command line: your own folder, looked through and split, or drawn streets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segtutor.data import STREET_CLASSES, Folder, Streets
from segtutor.data.formats import color_table
from segtutor.data.formats.base import Pairs
from segtutor.data.formats.files import read_image, read_values
from segtutor.data.inspection import inspect
from segtutor.losses import CrossEntropyLoss, LovaszSoftmaxLoss, WeightedLoss

__all__ = ["Split", "balanced", "held_out", "look_through", "own_folder", "read_classes", "streets"]

LOOKED_AT = 100  # label maps from which the shares of the classes are estimated
PairTransform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Split:
    """What to train on and what to judge by.

    Attributes:
        train: Pictures and label maps as the training sees them.
        val: Those of validation, brought to a size if need be.
        whole: Those of validation as they are.
        names: A name for each of validation.
        classes: The names of the classes.
    """

    train: Dataset
    val: Dataset
    whole: Dataset
    names: Sequence[str]
    classes: Sequence[str]


def streets(count: int, augment: PairTransform | None, fitting: PairTransform | None) -> Split:
    """Draw street scenes, and a quarter as many others for validation."""
    others = max(count // 4, 1)
    return Split(
        Streets(count, transform=augment),
        Streets(others, seed=1, transform=fitting),
        Streets(others, seed=1),
        [f"street_{i:05}" for i in range(others)],
        STREET_CLASSES,
    )


def own_folder(
    root: Path,
    classes: str,
    augment: PairTransform | None,
    fitting: PairTransform | None,
    *,
    values: Mapping[int, int] | None = None,
    share: float = 0.2,
) -> Split:
    """Find the pictures of a folder and split them.

    Args:
        root: Holds images/ and masks/, or train/ and val/ with these two each.
        classes: How many, or a text file: `read_classes`.
        augment: The transform of training.
        fitting: That of validation, which brings pictures to a size.
        values: What the numbers in label maps mean, {value: class}; None: they are classes.
        share: How much to set aside where there is no val/.

    Raises:
        ValueError: A file has no partner, or one of the two sides is empty.
    """
    names, colors = read_classes(classes)
    two = (root / "val").is_dir() or ((root / "train").is_dir() and not (root / "images").is_dir())
    parts = [root / "train", root / "val"] if two else [root]
    found = [
        Folder(part / "images", part / "masks", names, values=values, colors=colors)
        for part in parts
    ]
    first, last, images = found[0], found[-1], (parts[-1] / "images").resolve()
    stem = {pair: pair[0].relative_to(images).with_suffix("").as_posix() for pair in last.pairs}
    aside = [pair for pair in last.pairs if len(found) == 2 or held_out(stem[pair], share)]
    left = [pair for pair in first.pairs if len(found) == 2 or pair not in aside]
    if not left or not aside:
        raise ValueError(
            f"of {len(last)} pictures in {root}, {len(aside)} were set aside for validation: "
            "take another --val, or make the split yourself, in train/ and val/"
        )
    return Split(
        Pairs(left, last.classes, first.table, augment),
        Pairs(aside, last.classes, first.table, fitting),
        Pairs(aside, last.classes, first.table),
        [stem[pair] for pair in aside],
        last.classes,
    )


def look_through(split: Split, *, anyway: bool, any_size: bool) -> None:
    """Inspect every file before hours are spent on them.

    Args:
        split: What was found.
        anyway: Show problems, and go on.
        any_size: Whether pictures of several sizes can be trained on, being resized or cropped.

    Raises:
        ValueError: There are problems; the message is the report.
    """
    found = {"train": split.train, "val": split.whole}
    if all(value == label for value, label in split.whole.table.items()):
        # The numbers as they are tell more than which of them have no class.
        found = {name: _AsStored(side.pairs, side.classes, {}) for name, side in found.items()}
    report = inspect(found)
    if report.problems and not anyway:
        raise ValueError(f"mend this first, or go on with --anyway as far as it goes\n\n{report}")
    if report.problems or report.notes:
        print(report, end="\n\n")
    sizes = report.splits["train"].sizes
    if len(sizes) > 1 and not any_size:
        shown = ", ".join(f"{height} {width}" for height, width in list(sizes)[:4])
        raise ValueError(
            f"the pictures have {len(sizes)} sizes ({shown}{' …' * (len(sizes) > 4)}), but those "
            f"of a step need one: say --crop H W or --size H W, such as --crop {_half(sizes)}"
        )


def balanced(dataset: Dataset, num_classes: int) -> WeightedLoss:
    """Make a loss that heeds rare classes: by pixel, weighted, and by class.

    A class's weight is one over the root of its share in the pixels of up to a hundred label
    maps. One over the share itself would let a class of a few pixels drown all others.
    """
    step = -(-len(dataset) // LOOKED_AT)
    counts = torch.zeros(num_classes, dtype=torch.int64)
    for i in range(0, len(dataset), step):
        labels = dataset[i][1]
        counts += labels[labels < num_classes].bincount(minlength=num_classes)
    weight = (counts.max() / counts.clamp(min=1)).sqrt().float()
    weighted = CrossEntropyLoss(weight=weight.where(counts > 0, 1))
    return WeightedLoss([(1.0, weighted), (1.0, LovaszSoftmaxLoss())])


class _AsStored(Pairs):
    """The numbers in the files, whatever they mean."""

    def read(self, index: int) -> tuple[Tensor, np.ndarray]:
        image, labels = self.paths(index)
        return read_image(image), read_values(labels)


def held_out(stem: str, share: float) -> bool:
    """Say whether a picture is set aside for validation; it hangs on its name alone.

    So no picture changes sides when others are added, and every run and machine agrees.

    Example:
        >>> sum(held_out(f"leaf_{i}", 0.2) for i in range(1000))
        185
    """
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "big") < share * 2**64


def read_classes(
    given: str,
) -> tuple[Sequence[str], Mapping[tuple[int, int, int], int] | None]:
    """Read a number of classes, or a file with a class on each line: "name" or "r g b name".

    Returns:
        The names, and for the second kind of line the class of each color.
    """
    if given.isdigit() and int(given) > 1:
        return tuple(map(str, range(int(given)))), None
    path = Path(given)
    if not path.is_file():
        raise ValueError(
            f"--classes {given} is neither a number from 2 on nor a file: give how many classes "
            "there are, or a text file with a name on each line"
        )
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error}): save it again as such") from error
    names = [line for line in lines if line]
    if names and all(word.isdigit() for word in names[0].split()[:3]) and len(names[0].split()) > 3:
        colors, names = color_table(path)
        return names, colors
    if len(names) < 2:
        raise ValueError(f"{path} names {len(names)} classes: write one on each line, two or more")
    return names, None


def _half(sizes: Iterable[tuple[int, int]]) -> str:
    """A size that fits into all pictures, in the words of the command line."""
    heights, widths = zip(*sizes, strict=True)
    return f"{max(min(heights) // 32 * 16, 16)} {max(min(widths) // 32 * 16, 16)}"
