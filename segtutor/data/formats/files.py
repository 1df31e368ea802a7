"""Pictures and label maps read from files: every value kept, every fault named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["VOID", "FileError", "Problem", "find", "header", "lines", "names", "read_image",
           "read_values"]  # fmt: skip

VOID = 255
SHOWN = 8  # names or values that a message lists
NARROW_GRAY = {"L;2": 85, "L;4": 17}  # Pillow spreads 2 and 4 bits over 0 to 255
COLORED = ("RGB", "RGBA")
INDEXED = ("P", "PA", "L", "LA", "1", "I", "I;16", "I;16B", "I;16L", "I;16N")


class Problem(NamedTuple):
    """What is wrong with a file, and what helps."""

    file: str
    what: str
    cure: str


class FileError(ValueError):
    """A file that cannot be used; `problem` has the file, what is wrong, and what helps."""

    def __init__(self, file: str | Path, what: str = "", cure: str = "") -> None:
        # One argument is a whole message: so workers of a DataLoader hand an error on.
        super().__init__(f"{file} {what}: {cure}" if what else str(file))
        self.problem = Problem(str(file), what, cure)


def read_image(path: str | Path) -> Tensor:
    """Read a picture of any kind as float32 (3, H, W) in [0, 1].

    Gray becomes three equal channels, transparency is
    dropped, a palette is looked up, 16 bits of gray keep their depth.

    Raises:
        FileError: The file is missing, empty, truncated, no picture, or too large to trust.
    """
    image = opened(path)
    if image.mode.startswith("I;16"):
        gray = torch.from_numpy(np.asarray(image).astype(np.float32) / 65535)
        return gray.expand(3, -1, -1).contiguous()
    if image.mode in ("I", "F"):
        what = f"is a picture of 32-bit numbers (mode {image.mode}), whose range nobody knows"
        raise FileError(path, what, "scale it to 8 or 16 bits and save it again")
    if image.mode == "P":
        image = image.convert("RGBA")
    pixels = torch.from_numpy(np.array(image.convert("RGB")))
    return pixels.permute(2, 0, 1).contiguous().float() / 255


def read_values(path: str | Path, *, colors: bool = False) -> np.ndarray:
    """Read a label map's numbers as they stand in the file.

    A palette picture gives its indices, never the gray of its colors.

    Args:
        path: The file.
        colors: Ask for colors, whatever kind the file is of.

    Returns:
        Integers (H, W), or uint8 (H, W, 3) where the file holds colors.

    Raises:
        FileError: As for `read_image`; also for a JPEG, which does not keep labels.
    """
    image = opened(path)
    if image.format in ("JPEG", "MPO"):
        cure = (
            "export the label maps again as PNG. Rounding does not bring the labels back; only "
            "of two classes, black and white, `> 127` does"
        )
        raise FileError(path, "is a JPEG, whose compression changes labels at every edge", cure)
    if colors or image.mode in COLORED:
        return np.array(image.convert("RGB"))
    if image.mode not in INDEXED:
        raise FileError(
            path, f"is in mode {image.mode}", "save the labels as whole numbers, in a PNG"
        )
    values = np.array(image.getchannel(0) if image.mode in ("LA", "PA") else image)
    values = values.astype(np.uint8) if image.mode == "1" else values
    return values // NARROW_GRAY.get(image.info["stored as"], 1)


def opened(path: str | Path) -> Image.Image:
    """Open and decode a picture or a label map, turned upright as its EXIF orientation says.

    So viewers and annotation tools showed the picture, and so its label map was drawn.
    """
    from PIL import Image, ImageOps

    path = Path(path)
    if path.is_symlink() and not path.exists():
        what = f"is a link to {os.readlink(path)}, which is not there"
        raise FileError(path, what, "get the files that it leads to (git-annex, DVC), or remove it")
    if not path.is_file():
        near = f"its folder has {listed(path.parent)}" if path.parent.is_dir() else "no such folder"
        raise FileError(path, "is not there", f"{near}; was the archive unpacked whole?")
    if not path.stat().st_size:
        raise FileError(path, "is empty (0 bytes)", "copy or download it again")
    try:
        with Image.open(path) as image:
            stored = image.tile[0][3] if image.tile else ""
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Image.DecompressionBombError as error:
        cure = "cut it into tiles, or set PIL.Image.MAX_IMAGE_PIXELS if you trust it"
        raise FileError(path, f"is huge ({error})", cure) from error
    except Exception as error:  # what a decoder makes of a broken file can be anything
        what = f"cannot be read ({type(error).__name__}: {error})"
        raise FileError(path, what, "copy or download it again, or leave it out") from error
    if pages > 1:  # a phone's MPO is one picture, with its preview or depth behind it
        raise FileError(path, f"has {pages} pages", "save each in a file of its own")
    image.info["stored as"] = stored if isinstance(stored, str) else stored[0]
    return image


def header(path: str | Path) -> tuple[str, int]:
    """Return a picture's mode, and its EXIF orientation: 1 is upright. No picture: "", 1."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.mode, image.getexif().get(0x0112, 1)
    except OSError:
        return "", 1


def find(root: str | Path, *places: str) -> Path:
    """Return the first of several places below a folder that is there."""
    root = Path(root)
    if not root.is_dir():
        where = next(parent for parent in root.absolute().parents if parent.is_dir())
        raise FileError(root, "is no folder", f"{where} has {listed(where)}")
    for place in places:
        if (root / place).exists():
            return root / place
    what, near = f"has no {' or '.join(places)}", root / places[0]
    while not near.is_dir():
        near = near.parent
    where = "this one" if near == root else near.relative_to(root).as_posix()
    raise FileError(root, what, f"give the folder that has it; {where} has {listed(near)}")


def names(folder: Path, ending: str, depth: str = "*") -> set[str]:
    """Return the files with an ending, by their path below the folder and without the ending.

    Hidden ones do not count.
    """
    found = [path for path in folder.glob(depth + ending) if not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix().removesuffix(ending) for path in found}


def lines(path: Path) -> list[str]:
    """Return the lines of a text file, without empty ones."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows puts a mark at the beginning
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"cannot be read ({error})", "save it as text in UTF-8") from error
    found = [line.strip() for line in text.splitlines()]
    if not any(found):
        raise FileError(path, "has no lines", "unpack or download it again")
    return [line for line in found if line]


def listed(folder: Path) -> str:
    """The first names in a folder, for a message."""
    names = sorted(os.listdir(folder))
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "") or "nothing"
