"""A data set looked through as a careful colleague would, before anybody trains on it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segtutor.data.formats.files import FileError, find, read_image, read_values
from segtutor.data.formats.folder import pair_up
from segtutor.data.inspection_checks import Item, leaks, look, whole
from segtutor.data.inspection_report import Report, Split

__all__ = ["inspect"]

SPLITS = ("train", "training", "val", "valid", "validation", "test", "testing")
IMAGES = ("images", "imgs", "image", "img", "pictures", "JPEGImages")
LABELS = ("masks", "labels", "annotations", "mask", "label", "gt", "SegmentationClass")


def inspect(
    data: Any,
    masks: str | Path | None = None,
    *,
    classes: int | Sequence[str] | None = None,
    endings: tuple[str, str] | None = None,
) -> Report:
    """Look through a data set and report what is wrong with it.

    A broken file does not stop it. What is looked for: unreadable files, pictures without label
    map and label maps without picture, sizes that do not fit, labels out of range, JPEGs and what
    was one once, palettes turned gray, 0 and 255 for two classes, labels that start at 1, colors,
    labels that were scaled, classes that never occur, and pictures in two splits, the same or
    nearly so. Every picture is read once.

    Args:
        data: A folder with images and masks (or labels, annotations, …), perhaps in folders
            train and val; the folder of the pictures, if `masks` is given; a data set of
            (image, labels); or several of these by name, {"train": …, "val": …}.
        masks: The folder of the label maps.
        classes: Names or number of the classes; by default those of the data set, if it has any.
        endings: As for `Folder`.

    Returns:
        The report: print it, or let a notebook show it with pictures. It has `problems`, a list
        of (file, what, cure), `notes`, `shares` of the classes (C,) in what is not void, `void`,
        and the counts of each split in `splits`.

    Example:
        >>> pictures = [(torch.rand(3, 4, 6), torch.full((4, 6), label)) for label in (0, 1, 3)]
        >>> report = inspect(pictures, classes=3)
        >>> [(problem.file, problem.what) for problem in report.problems]
        [('[2]', 'has the labels 3, but with 3 classes they are 0 to 2, and 255 for void'),
         ('all', 'label maps never have 2')]
    """
    report = Report()
    groups = gather(data, masks, endings, report)
    if classes is None:
        sets = data.values() if isinstance(data, Mapping) else [data]
        classes = next((known.classes for known in sets if hasattr(known, "classes")), None)
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else classes
    report.classes = None if names is None else tuple(names)
    for name, items in groups.items():
        report.splits[name] = split = Split(len(items))
        for item in items:
            look(item, split, report)
    whole(report)
    for one, other in combinations(report.splits, 2):
        leaks(one, other, report)
    files = [file for items in groups.values() for item in items for file in item[:2]]
    if all(Path(file).is_file() for file in files):
        report.root = os.path.commonpath(files or ["/"]) + os.sep
    return report


def gather(data: Any, masks: Any, endings: Any, report: Report) -> dict[str, list[Item]]:
    """Return the samples of each split; name what cannot be paired."""
    if isinstance(data, Mapping):
        groups = {}
        for name, part in data.items():
            folders = part if isinstance(part, tuple) else (part, None)
            for inner, items in gather(*folders, endings, report).items():
                groups[name if inner == "all" else f"{name}/{inner}"] = items
        return groups
    if not isinstance(data, str | Path):
        if masks is not None:
            raise TypeError(f"masks goes with a folder of pictures, but data is {type(data)}")
        if not hasattr(data, "__getitem__") or not hasattr(data, "__len__") or not len(data):
            what = "give a folder, or a data set of (image, labels) with a length above 0"
            raise TypeError(f"data is {type(data).__name__}: {what}")
        names = [getattr(data, "paths", lambda i: (f"[{i}]",) * 2)(i) for i in range(len(data))]
        return {"all": [Item(*map(str, n), partial(sample, data, i)) for i, n in enumerate(names)]}
    inner = {name: Path(data, name) for name in SPLITS if Path(data, name).is_dir()}
    if inner and masks is None:
        return gather(inner, None, endings, report)
    images = find(data, *IMAGES) if masks is None else data
    pairs, faults = pair_up(images, masks or find(data, *LABELS), endings)
    report.problems += faults
    groups = {}
    for name, (image, labels) in pairs.items():
        split = name.partition("/")[0]
        item = Item(str(image), str(labels), partial(from_files, image, labels, report))
        groups.setdefault(split if split in SPLITS else "all", []).append(item)
    return groups


def from_files(image_file: Path, label_file: Path, report: Report) -> tuple[Any, Any]:
    """Read two files; what cannot be read is None, and a problem."""
    found = []
    for read, path in ((read_image, image_file), (read_values, label_file)):
        try:
            found.append(read(path))
        except FileError as fault:
            report.problems.append(fault.problem)
            found.append(None)
    return found[0], found[1]


def sample(data: Any, index: int) -> tuple[Any, Any]:
    """Read a sample of a data set, without its transform if it can be had.

    Tensors on any device, arrays and Pillow's pictures do.
    """
    image, labels = getattr(data, "read", data.__getitem__)(index)
    if not isinstance(image, torch.Tensor):
        pixels = torch.from_numpy(np.array(image))
        image = pixels.movedim(-1, 0) if pixels.dim() == 3 else pixels[None]
    if image.dim() != 3 or not image.numel():
        raise ValueError(f"the picture has the shape {tuple(image.shape)}, not (3, H, W)")
    image = image.cpu() / 255 if image.dtype == torch.uint8 else image.cpu()
    return image, labels.cpu().numpy() if isinstance(labels, torch.Tensor) else np.array(labels)
