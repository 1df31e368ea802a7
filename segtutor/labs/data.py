"""A bench for label files: one map, written four ways and read five ways."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from segtutor.data import REAL_PICTURES, real_picture
from segtutor.data.formats.base import decode
from segtutor.data.formats.files import VOID, FileError, read_values
from segtutor.figures.palette import PALETTE, rgb
from segtutor.labs.bench import Bench, choice, figures_in_a_row, slider
from segtutor.labs.png import data_uri

WRITTEN = ("palette PNG", "gray PNG", "color PNG", "JPEG of gray")
PAINTED = dict(enumerate(PALETTE[:8])) | {VOID: PALETTE[-1]}  # everything else is black
COLORS = np.array([rgb(PAINTED.get(v, "#000000")) for v in range(256)], dtype=np.uint8)
SHADES = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
LISTED = 9  # values that a caption lists


def data() -> DataBench:
    """A bench that writes a real label map into a file and reads it in five ways.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = data()
        >>> bench.right["segtutor"]
        1.0
    """
    return DataBench()


class DataBench(Bench):
    """The widgets, what each reading found, and how much of it is right.

    Attributes:
        found: From each way of reading to what it read, (H, W), or None where it refused.
        right: From each way of reading to the share of judged pixels that are right.
    """

    found: dict[str, np.ndarray | None]
    right: dict[str, float]
    summary = "a label file, read in five ways"
    runs = "the real readers on a real file"

    def __init__(self) -> None:
        self.name = choice("picture", list(REAL_PICTURES))
        self.written = choice("written as", list(WRITTEN))
        self.percent = slider("size, %", 25, 100, 100)
        self.how = choice("resized by", ["nearest", "bilinear"])
        self.watch(self.name, self.written, self.percent, self.how)
        self.lay_out([self.name, self.written], [self.percent, self.how])

    def draw(self) -> str:
        """Write the file, read it, and show what was read."""
        labels = real_picture(self.name.value)[1][::2, ::2].numpy().astype(np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "labels" + (".jpg" if "JPEG" in self.written.value else ".png"))
            as_picture(labels, self.written.value).save(path)
            self.found, refused = read_in_five_ways(path)
        target = torch.from_numpy(resized(labels, self.percent.value, "nearest"))
        judged = target != VOID
        parts: list[tuple[str, str] | str] = []
        self.right = {}
        classes = len(REAL_PICTURES[self.name.value])
        for way, values in self.found.items():
            if values is None:
                parts.append(f'<p style="flex:1 1 200px">{way}: {html.escape(refused)}</p>')
                self.right[way] = 0.0
                continue
            values = resized(values, self.percent.value, self.how.value)
            self.found[way] = values
            hits = (torch.from_numpy(values) == target)[judged]
            self.right[way] = hits.double().mean().item()
            palette = SHADES.copy()
            palette[[*range(classes), VOID]] = COLORS[[*range(classes), VOID]]
            parts.append((data_uri(values, palette), f"{way}: {self._words(values, way)}"))
        legend = "In color: what passes for a class. In gray: what is none."
        return figures_in_a_row(*parts, sharp=True) + f'<p style="margin-top:1em">{legend}</p>'

    def _words(self, values: np.ndarray, way: str) -> str:
        seen = np.unique(values).tolist()
        shown = " ".join(map(str, seen[:LISTED])) + (" …" if len(seen) > LISTED else "")
        return f"{shown}; {self.right[way]:.0%} of the judged pixels are right"


def as_picture(labels: np.ndarray, written: str) -> Image.Image:
    """A label map as a picture that can be saved.

    Args:
        labels: uint8 (H, W).
        written: One of `WRITTEN`.
    """
    if written == "color PNG":
        return Image.fromarray(COLORS[labels])
    picture = Image.fromarray(labels)
    if written == "palette PNG":
        picture.putpalette(COLORS.ravel().tolist())
    return picture


def read_in_five_ways(path: Path) -> tuple[dict[str, np.ndarray | None], str]:
    """Read a label file as five programs do.

    Returns:
        From the way of reading to uint8 (H, W), or None where segtutor refused; and why it did.
    """
    refused = ""
    colors = {tuple(map(int, COLORS[v])): v for v in (*range(8), VOID)}
    try:
        values = read_values(path)
        numbers = {label: label for label in colors.values()}
        table = colors if values.ndim == 3 else numbers
        own = decode(values, table, path).numpy().astype(np.uint8)
    except FileError as fault:
        own, refused = None, f"refused, because the file {fault.problem.what}"
    with Image.open(path) as file:
        stored = np.array(file)
        red = np.array(file.convert("RGB"))[..., 0]
        gray = np.array(file.convert("L"))
    first = stored if stored.ndim == 2 else stored[..., 0]
    return {
        "segtutor": own,
        "np.array(Image.open(…))": first,
        "convert('L')": gray,
        "red of the colors": red,
        "ToTensor()(…).long()": first // 255,
    }, refused


def resized(values: np.ndarray, percent: int, how: str) -> np.ndarray:
    """Resize a map, and cut off what stands behind the point.

    Example:
        >>> resized(np.array([[0, 4], [0, 4]], dtype=np.uint8), 50, "bilinear")
        array([[2]], dtype=uint8)
    """
    if percent == 100:
        return values
    size = [max(1, round(n * percent / 100)) for n in values.shape]
    mode = {"mode": "nearest-exact"} if how == "nearest" else {"mode": how, "align_corners": False}
    return (
        F.interpolate(torch.from_numpy(values)[None, None].float(), size, **mode)[0, 0]
        .numpy()
        .astype(np.uint8)
    )
