"""Your own pictures and label maps, in two folders."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from unicodedata import normalize

import numpy as np

from segtutor.data.formats.base import Pairs, PairTransform, Table
from segtutor.data.formats.files import VOID, FileError, Problem, find, listed, read_values

__all__ = ["Folder", "pair_up"]

SUFFIXES = {
    ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
}  # fmt: skip
# What follows the common part of the two names, picture and label map.
ENDINGS = (
    ("", ""),
    *(("", f"_{word}") for word in ("mask", "label", "labels", "gt", "seg", "segmentation", "L")),
    ("_image", "_mask"),
)
LOOKED_AT = 8  # label maps that are read when a folder is opened


class Folder(Pairs):
    """Pictures and label maps in two folders, paired by their names.

    Files are found in folders within, too. What is hidden, and files that are no pictures, do not
    count. A picture without label map, or the other way round, is an error.

    Args:
        images: Folder of the pictures.
        masks: Folder of the label maps; the same one if their names have an ending of their own.
        classes: The names of the classes, or how many there are.
        endings: What follows the common part of two names, such as ("_rgb", "_gt"). By default
            the usual ones are tried, and that with most pairs counts: none, _mask, _label,
            _labels, _gt, _seg, _segmentation, _L; also _image and _mask. Files that end otherwise
            are an error then; with endings of your own they do not count.
        values: What the numbers in the files mean, {value: class}, with 255 for void. By default
            they are the classes, and 255 void. Palette pictures give their indices.
        colors: For label maps in colors instead: {(r, g, b): class}, with 255 for void.
        only: Take these names alone (a path below the folder, without ending), such as those of
            a split; files that others lack do not matter then.
        transform: Called with picture and label map.

    Raises:
        FileError: No pairs, a file without partner, or 255 beside nothing but 0 without `values`.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> places = [Path(tempfile.mkdtemp(), name) for name in ("pictures", "labels")]
        >>> for place in places:
        ...     place.mkdir()
        ...     Image.new("L", (4, 3), color=255).save(place / "one.png")
        >>> data = Folder(*places, ("ground", "road"), values={0: 0, 255: 1})
        >>> data
        Folder(1 picture, 2 classes)
        >>> image, labels = data[0]
        >>> image.shape, labels.unique()
        (torch.Size([3, 3, 4]), tensor([1]))
    """

    def __init__(
        self,
        images: str | Path,
        masks: str | Path,
        classes: int | Sequence[str],
        *,
        endings: tuple[str, str] | None = None,
        values: Mapping[int, int] | None = None,
        colors: Mapping[tuple[int, int, int], int] | None = None,
        only: Sequence[str] | None = None,
        transform: PairTransform | None = None,
    ) -> None:
        if isinstance(classes, str) or not classes:
            raise ValueError(f"classes={classes!r}: give their names, or how many there are")
        if endings is not None and (isinstance(endings, str) or len(endings) != 2):
            raise ValueError(f"endings={endings!r}: give two, of picture and label map")
        names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(classes)
        if values is not None and colors is not None:
            raise ValueError("values and colors exclude each other: give the one your files hold")
        paired, problems = pair_up(images, masks, endings)
        if only is not None:
            only = [normalize("NFC", name) for name in only]
            absent = [name for name in only if name not in paired]
            if not only:
                raise ValueError("only is empty: give the names to take, or None for all")
            if absent:
                raise FileError(images, f"has no pair {absent[0]!r}", f"it has {some(paired)}")
            paired = {name: paired[name] for name in only}
        elif problems:
            file, what, cure = problems[0]
            others = f" (problems of this kind: {len(problems)})" * (len(problems) > 1)
            raise FileError(file, what, cure + others)
        table: Table = {value: value for value in (*range(len(names)), VOID)}
        for color in colors or ():
            if not isinstance(color, tuple) or len(color) != 3 or not {*color} <= {*range(256)}:
                raise ValueError(f"colors has {color!r}: a color is (r, g, b), each from 0 to 255")
        if any(not isinstance(value, int | np.integer) for value in values or ()):
            raise ValueError(f"values has {list(values)}: they have to be whole numbers")
        table = colors or values or table
        wrong = sorted({label for label in table.values() if not 0 <= label < len(names)} - {VOID})
        if wrong:
            raise ValueError(
                f"values or colors lead to {wrong}, but with {len(names)} classes these are 0 to "
                f"{len(names) - 1}, and {VOID} for void"
            )
        super().__init__(paired.values(), names, table, transform)
        if not values and not colors:
            self._no_black_and_white()

    def _no_black_and_white(self) -> None:
        """Refuse 0 and 255 alone: taken as they are, the object would be void, unseen."""
        step, seen = -(-len(self) // LOOKED_AT), set()
        for number, (_, path) in enumerate(chain(self.pairs[::step], self.pairs)):
            if number >= LOOKED_AT and seen != {0}:  # black so far: white may be rare
                break
            seen.update(np.unique(read_values(path)).tolist())
        if VOID in seen and seen <= {0, VOID}:
            cure = "if white is a class, say values={0: 0, 255: 1}; if it is void, {0: 0, 255: 255}"
            held = " and ".join(map(str, sorted(seen)))
            raise FileError(self.paths(0)[1], f"and others hold {held} alone", cure)


def pair_up(
    images: str | Path, masks: str | Path, endings: tuple[str, str] | None = None
) -> tuple[dict[str, tuple[Path, Path]], list[Problem]]:
    """Pair the files of two folders by name.

    Returns:
        Name → the two files; and what is wrong: files without partner, two of one name.
    """
    images, masks = find(images, ".").resolve(), find(masks, ".").resolve()
    pictures, label_files = files(images, masks), files(masks, images)
    for folder, found in ((images, pictures), (masks, label_files)):
        if not found:
            cure = f"it has {listed(folder)}; known endings are {', '.join(sorted(SUFFIXES))}"
            raise FileError(folder, "has no pictures", cure)
    best: tuple[dict, dict] = {}, {}
    for image_end, mask_end in [endings] if endings else ENDINGS:
        if images == masks and image_end == mask_end:
            continue
        right = by_name(label_files, masks, mask_end)
        taken = {path for paths in right.values() for path in paths} if images == masks else set()
        left = by_name([p for p in pictures if p not in taken], images, image_end)
        if len(left.keys() & right.keys()) > len(best[0].keys() & best[1].keys()) or not best[0]:
            best = left, right
    left, right = best
    groups = [*left.values(), *right.values()]
    problems = [
        Problem(str(path), f"has the name of {twins[0].name}", "rename one, or move it out")
        for twins in groups
        for path in twins[1:]
    ]
    others = {*pictures, *label_files}.difference(*groups) if not endings else ()
    problems += [
        Problem(str(path), "has another ending than the rest", "rename it, or say endings=(…, …)")
        for path in sorted(others)
    ]
    for here, there, kind, folder in (
        (left, right, "label map", masks),
        (right, left, "picture", images),
    ):
        cure = f"{folder} has {some(there)}; rename, say endings=(…, …), or move it out"
        problems += [
            Problem(str(here[name][0]), f"has no {kind}", cure)
            for name in sorted(here.keys() - there)
        ]
    return {n: (left[n][0], right[n][0]) for n in sorted(left.keys() & right.keys())}, problems


def files(folder: Path, other: Path) -> list[Path]:
    """Return the pictures in a folder and in those within, but for hidden ones and the other.

    Links are followed, except those that lead in a circle; one that leads nowhere is returned.
    """
    found = []
    for place, within, here in os.walk(folder, followlinks=True):
        path = Path(place)
        circle = path.is_symlink() and path.resolve() in [p.resolve() for p in path.parents]
        if circle or (path == other != folder):
            within.clear()
            continue
        within[:] = [name for name in within if not name.startswith(".")]
        found += [path / name for name in here if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES)


def by_name(paths: list[Path], folder: Path, ending: str) -> dict[str, list[Path]]:
    """Group files by their path below a folder, without suffix and ending."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        # A letter with its accent may be one character or two, as the system has it.
        name = normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())
        if name.endswith(ending):
            found.setdefault(name.removesuffix(ending), []).append(path)
    return found


def some(names: Mapping[str, object]) -> str:
    """A few names, for a message."""
    return ", ".join(list(names)[:3]) + (" …" if len(names) > 3 else "") or "none"
