"""Miniature data sets in the layout that the real ones have on a disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (6, 8)  # rows, columns


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Random colors, uint8 (H, W, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def label_map(*values: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The values in turn from the upper left on, uint8 (H, W)."""
    return np.resize(np.array(values, dtype=np.uint8), size)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    """Write a picture; mode "P" gives it Pascal VOC's palette."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette(voc_palette().ravel().tolist())
    image.save(path, **options)
    return path


def voc_palette() -> np.ndarray:
    """Pascal VOC's 256 colors, uint8 (256, 3): three bits of an index go to red, green, blue."""
    index, colors = np.arange(256), np.zeros((256, 3), dtype=np.uint8)
    for place in range(3):  # the lowest three bits are the highest of the colors, and so on
        for channel in range(3):
            colors[:, channel] |= ((index >> 3 * place + channel & 1) << 7 - place).astype(np.uint8)
    return colors


def voc(root: Path, names: tuple[str, ...] = ("2007_000032", "2007_000039")) -> Path:
    """VOCdevkit as the tar of 2012 unpacks; the first label map has all 22 values."""
    base = root / "VOCdevkit" / "VOC2012"
    for i, name in enumerate(names):
        save(base / "JPEGImages" / f"{name}.jpg", picture(i))
        values = (*range(21), 255) if not i else (0, 15, 255)
        save(base / "SegmentationClass" / f"{name}.png", label_map(*values), "P")
        save(base / "SegmentationObject" / f"{name}.png", label_map(0, 1, 255), "P")
    lists = base / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"{name}\n" for name in names[:1]))
    (lists / "val.txt").write_text("".join(f"{name}\n" for name in names[1:]))
    (lists / "trainval.txt").write_text("".join(f"{name}\n" for name in names))
    return root


def cityscapes(root: Path) -> Path:
    """leftImg8bit and gtFine, one folder a city; the first label map has all ids."""
    for split, city in (("train", "aachen"), ("train", "zurich"), ("val", "lindau")):
        for number in ("000000_000019", "000001_000019"):
            stem = f"{city}_{number}"
            save(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", picture())
            labels, folder = label_map(*range(34)), root / "gtFine" / split / city
            save(folder / f"{stem}_gtFine_labelIds.png", labels)
            save(folder / f"{stem}_gtFine_color.png", picture())
            things = np.where(labels >= 24, labels * 1000.0 + 3, labels)
            things[labels == 29] = 29  # a group of caravans
            save(folder / f"{stem}_gtFine_instanceIds.png", things.astype(np.uint16))
            (folder / f"{stem}_gtFine_polygons.json").write_text(json.dumps({"objects": []}))
    for folder in ("leftImg8bit", "gtFine"):
        (root / folder / "test" / "berlin").mkdir(parents=True)
    return root


def ade20k(root: Path) -> Path:
    """images and annotations; the first label map has all 151 values."""
    for split, short in (("training", "train"), ("validation", "val")):
        for i in (1, 2):
            save(root / f"images/{split}/ADE_{short}_{i:08}.jpg", picture(i, (12, 16)))
            labels = label_map(*range(151), size=(12, 16))
            save(root / f"annotations/{split}/ADE_{short}_{i:08}.png", labels)
    (root / "objectInfo150.txt").write_text("Idx\tRatio\tTrain\tVal\tName\n")
    return root


def camvid(root: Path) -> Path:
    """SegNet's CamVid: lists with paths of another machine."""
    for split in ("train", "val", "test"):
        names = [f"0001TP_00{i}.png" for i in (6690, 6720)]
        for name in names:
            save(root / split / name, picture())
            save(root / f"{split}annot" / name, label_map(*range(12)))
        base = f"/SegNet/CamVid/{split}"
        text = "".join(f"{base}/{name} {base}annot/{name}\n" for name in names)
        (root / f"{split}.txt").write_text(text)
    return root


def coco_stuff(root: Path) -> Path:
    """images and annotations as COCO-Stuff's README unpacks them."""
    absent = {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}
    drawn = [value for value in range(182) if value not in absent]
    for i, split in ((9, "train2017"), (139, "val2017")):
        save(root / f"images/{split}/{i:012}.jpg", picture(i, (12, 16)))
        labels = label_map(*drawn, 255, size=(12, 16))
        save(root / f"annotations/{split}/{i:012}.png", labels)
    return root


def pets(root: Path) -> Path:
    """images, trimaps and lists; a hidden file of macOS beside each trimap, as in the archive."""
    for name in ("Abyssinian_100", "yorkshire_terrier_9"):
        save(root / f"images/{name}.jpg", picture())
        save(root / f"annotations/trimaps/{name}.png", label_map(1, 2, 3))
        (root / f"annotations/trimaps/._{name}.png").write_bytes(b"\0\5\x16\7")
    (root / "annotations/trainval.txt").write_text("Abyssinian_100 1 1 1\n")
    (root / "annotations/test.txt").write_text("yorkshire_terrier_9 37 2 25\n")
    return root


def folder(root: Path, count: int = 3, ending: str = "") -> Path:
    """images/*.jpg and masks/*.png of classes 0, 1, 2 and void."""
    for i in range(count):
        save(root / "images" / f"{i:03}.jpg", picture(i))
        save(root / "masks" / f"{i:03}{ending}.png", label_map(0, 1, 2, 255))
    return root
