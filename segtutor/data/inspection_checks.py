"""What an inspection looks for, in one sample, in all label maps, between two splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from segtutor.data.formats.base import misfit
from segtutor.data.formats.files import VOID, FileError, header
from segtutor.data.inspection_report import Report, Split

__all__ = ["Item", "leaks", "look", "whole"]

# What convert("L") makes of the palette's colors 1 to 20 and 255.
VOC_GRAYS = {
    38, 75, 113, 15, 53, 90, 128, 19, 57, 94, 133, 34, 72, 109, 147, 76, 151, 52, 220,
}  # fmt: skip
UNCONVERTED = "read the palette pictures anew, without convert: np.array(Image.open(file))"
NEAR = 0.995  # correlation of two pictures' thumbnails; 400 different Streets stay below 0.88
# More values than this, and a larger share of pixels unlike all their neighbors: a JPEG once.
# Streets have a share below 0.001, and above 0.01 after a JPEG of any quality.
MANY, ALONE = 8, 0.005
DARK = 32  # gray below which everything looks black


class Item(NamedTuple):
    """One sample: its files, or its place, and how to read picture and labels."""

    image_file: str
    label_file: str
    read: Callable[[], tuple[Any, Any]]


def look(item: Item, split: Split, report: Report) -> None:
    """Look at one sample."""
    try:
        image, values = item.read()
    except FileError as fault:
        report.problems.append(fault.problem)
        return
    except Exception as error:  # a foreign data set can fail with anything
        what = f"cannot be read ({type(error).__name__}: {error})"
        report.add(item.image_file, what, "open this sample alone: the error names the line")
        return
    if image is not None:
        split.sizes[tuple(image.shape[-2:])] += 1
        split.prints[item.image_file] = fingerprint(image)
        split.turned += header(item.image_file)[1] != 1
        if not image.isfinite().all():
            report.add(
                item.image_file, "has pixels that are no numbers (NaN, inf)", "export it again"
            )
    if image is None or values is None:
        return
    if values.ndim == 3 and values.shape[2] == 3 and (values == values[..., :1]).all():
        values = values[..., 0]
    faults, pixels = judge(values, image, item, report.classes)
    for what, cure in faults:
        report.add(item.label_file, what, cure)
    report.keep(item.label_file if faults else item.image_file, image, values, bool(faults))
    split.pixels.update(pixels)
    split.maps.update(pixels.keys())
    if pixels and header(item.label_file)[0] == "L":
        split.dark += 0 < max(pixels.keys() - {VOID}, default=0) < DARK


def judge(
    values: np.ndarray, image: Tensor, item: Item, classes: Sequence[str] | None
) -> tuple[list[tuple[str, str]], dict[int, int]]:
    """Judge one label map.

    Returns:
        What is wrong with it and what to do; and its pixels by label, none if it has no labels.
    """
    if values.ndim == 3 and values.shape[2] == 3:
        colors = np.unique(values.reshape(-1, 3), axis=0).tolist()
        shown = ", ".join(str(tuple(color)) for color in colors[:4])
        cure = "say which class each color is: Folder(…, colors={(r, g, b): class})"
        return [(f"is in {len(colors)} colors, such as {shown}", cure)], {}
    if values.ndim != 2:
        return [(f"has the shape {values.shape}", "a label map is (H, W): labels.squeeze()")], {}
    if values.dtype.kind not in "iub":
        what = f"has numbers of kind {values.dtype}, {values.min():.4g} to {values.max():.4g}"
        return [(what, "labels are whole numbers; ToTensor divides them: use from_numpy")], {}
    found, counts = np.unique(values, return_counts=True)
    pixels = dict(zip(found.tolist(), counts.tolist(), strict=True))
    count = len(classes or ())
    strange = [label for label in pixels if label != VOID and not 0 <= label < count]
    if strange and len(pixels) > MANY and alone(values) > ALONE:
        what = f"has {len(pixels)} values, many of them on single pixels"
        cure = "it was a JPEG once, or was resized with interpolation: export it again"
        return [(what, cure)], {}
    faults = []
    if values.shape != tuple(image.shape[-2:]):
        faults.append(misfit(image, values, Path(item.image_file)))
    if classes and strange:
        listed = ", ".join(map(str, strange[:8])) + " …" * (len(strange) > 8)
        what = f"has the labels {listed}, but with {count} classes they are 0 to {count - 1}"
        cure = "map them: Folder(…, values={value: class})"
        if len(strange) > 1 and VOC_GRAYS.issuperset(strange):
            cure = f"these are grays of Pascal VOC's palette: {UNCONVERTED}"
        elif strange == [count]:
            cure = f"does it count from 1? Folder(…, values={{1: 0, …, {count}: {count - 1}}})"
        faults.append((f"{what}, and {VOID} for void", cure))
    return faults, pixels


def alone(values: np.ndarray) -> float:
    """Return the share of pixels that differ from all four neighbors: specks, no things."""
    around = np.pad(values.astype(np.int64), 1, constant_values=-1)
    others = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    return np.mean(np.all([values != other for other in others], axis=0))


def whole(report: Report) -> None:
    """Look at all label maps together."""
    values = set(report.pixels) - {VOID}
    top, classes = max(values, default=0), report.classes
    if values <= {0} and report.pixels[VOID] and len(classes or "ab") > 1:
        cure = "if white is a class, Folder(…, values={0: 0, 255: 1}); as it is, white is void"
        held = "0 and 255" if values else "255"
        report.add("all", f"label maps hold {held} alone", cure)
    elif len(values) > 2 and values - {0} <= VOC_GRAYS and top > max(20, len(classes or ())):
        what = "label maps hold the grays of Pascal VOC's palette, not indices"
        report.add("all", what, UNCONVERTED)
    elif top > 1 and min(values) == 1 and len(values) == top:
        cure = f"classes start at 0: Folder(…, values={{1: 0, …, {top}: {top - 1}}})"
        report.add("all", f"label maps hold 1 to {top}, and never 0", cure)
    absent = [name for label, name in enumerate(classes or ()) if label not in values]
    if absent:
        cure = "it cannot be learned, and its IoU is undefined: add pictures, or leave it out"
        report.add("all", f"label maps never have {', '.join(absent)}", cure)
    known = values.intersection(range(len(classes))) if classes else values
    for name, split in report.splits.items():
        missing = [report.named(label) for label in sorted(known - split.pixels.keys())]
        twice = len(split.prints) - len({digest for digest, _ in split.prints.values()})
        if missing and split.pixels:
            report.notes.append(f"{name} has no {', '.join(missing)}, but other splits have")
        if twice:
            report.notes.append(f"pictures that {name} has more than once: {twice}")
        if split.turned:
            words = f"pictures of {name} with an EXIF orientation: {split.turned}"
            report.notes.append(f"{words}; they are turned here, but not by every program")
        if split.dark:
            words = f"label maps of {name} that look black in a viewer, and are fine: {split.dark}"
            report.notes.append(f"{words}; their labels are below {DARK}")


def fingerprint(image: Tensor) -> tuple[str, Tensor]:
    """Return a hash of a picture's pixels, and a thumbnail (256) of length 1, its mean removed."""
    digest = sha256(repr(tuple(image.shape)).encode())
    digest.update(image.mul(255).round().byte().numpy().tobytes())
    gray = image.float().mean(0, keepdim=True)
    small = torch.nn.functional.adaptive_avg_pool2d(gray, 16).flatten()
    small = small - small.mean()
    return digest.hexdigest(), small / small.norm().clamp(min=1e-6)


def leaks(one: str, other: str, report: Report) -> None:
    """Name the pictures of one split that are in another too."""
    left, right = report.splits[one].prints, report.splits[other].prints
    if not left or not right:
        return
    hashes = {digest: file for file, (digest, _) in left.items()}
    small = torch.stack([thumbnail for _, thumbnail in left.values()])
    cure = "a score on it says nothing: keep all pictures of a place or a video in one split"
    for file, (digest, thumbnail) in right.items():
        near, place = (small @ thumbnail).max(0)
        if digest in hashes:
            report.add(file, f"is in {one} too, as {hashes[digest]}", cure)
        elif near > NEAR:
            report.add(file, f"is nearly {list(left)[place]} in {one}", cure)
