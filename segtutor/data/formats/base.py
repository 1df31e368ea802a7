"""What all formats share: pictures and label maps in pairs of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segtutor.data.formats.files import SHOWN, VOID, FileError, read_image, read_values

__all__ = ["PairTransform", "Pairs", "Table", "decode"]

PairTransform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Table = Mapping[int, int] | Mapping[tuple[int, int, int], int]
SHIFTS = (1 << 16, 1 << 8, 1)  # a color as one number


class Pairs(Dataset):
    """Pictures and label maps in pairs of files, read when asked for.

    `data[i]` is the picture, float32 (3, H, W) in [0, 1], and its label map, int64 (H, W):
    0 to C − 1, and 255 for void. Every value of a file that the table does not know is an error.

    Args:
        pairs: Picture file and label file of each sample.
        classes: The names of the C classes.
        table: The value, or the color (r, g, b), in a file → class, or 255 for void.
        transform: Called with picture and label map; returns both.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[Path, Path]],
        classes: Sequence[str],
        table: Table,
        transform: PairTransform | None = None,
    ) -> None:
        self.pairs, self.classes = list(pairs), tuple(classes)
        if len(self.classes) > VOID:
            raise ValueError(f"{len(self.classes)} classes: {VOID} is void, so they can be {VOID}")
        self.table, self.transform = dict(table), transform
        missing = [path for pair in self.pairs for path in pair if not path.is_file()]
        if missing:
            others = f", and {len(missing) - 1} more are missing" * (len(missing) > 1)
            cure = f"unpack the archives whole; expected pictures: {len(self.pairs)}"
            raise FileError(missing[0], "is not there" + others, cure)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, labels = self.read(index)
        return self.transform(image, labels) if self.transform else (image, labels)

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Return picture and label map as they are before the transform.

        Raises:
            FileError: A file is broken, the two differ in size, or a value is not in the table.
        """
        image_file, label_file = self.paths(index)
        image, labels = read_image(image_file), self.labels(index)
        if image.shape[1:] != labels.shape:
            raise FileError(label_file, *misfit(image, labels, image_file))
        return image, labels

    def labels(self, index: int) -> Tensor:
        """Return the label map alone, int64 (H, W)."""
        path = self.paths(index)[1]
        return decode(read_values(path, colors=is_colored(self.table)), self.table, path)

    def paths(self, index: int) -> tuple[Path, Path]:
        """Return the picture's file and the label map's."""
        return self.pairs[index]

    def __repr__(self) -> str:
        pictures = f"{len(self)} picture{'s' * (len(self) != 1)}"
        return f"{type(self).__name__}({pictures}, {len(self.classes)} classes)"


def decode(values: np.ndarray, table: Table, path: Path) -> Tensor:
    """Translate the numbers (H, W) or colors (H, W, 3) of a label file into classes.

    Returns:
        Classes and void, int64 (H, W).

    Raises:
        FileError: A value has no class; the message lists the strange ones.
    """
    by_color = is_colored(table)
    if values.ndim == 3 and not by_color and (values == values[..., :1]).all():
        values = values[..., 0]  # gray that was saved in three equal channels
    codes = values.astype(np.int64)
    if values.ndim == 3:
        codes = codes @ np.array(SHIFTS)
    keys = np.array(list(table))
    keys = keys @ np.array(SHIFTS) if by_color else keys
    known = np.full(np.ptp(keys) + 3, -1, dtype=np.int16)  # −1 for values without class
    start = keys.min() - 1  # the first place and the last are for what lies below and beyond
    if values.ndim == 2 or by_color:
        known[keys - start] = list(table.values())
    labels = known[(codes - start).clip(0, len(known) - 1)]
    if (labels < 0).any():
        strange = np.unique(values[labels < 0], axis=0).tolist()
        raise FileError(path, *unknown(strange, table))
    return torch.from_numpy(labels.astype(np.int64))


def is_colored(table: Table) -> bool:
    """Whether a table's keys are colors."""
    return isinstance(next(iter(table)), tuple)


def unknown(strange: list, table: Table) -> tuple[str, str]:
    """Say which values have no class, and what may have happened."""
    in_color = isinstance(strange[0], list)
    shown = [tuple(color) for color in strange[:SHOWN]] if in_color else strange[:SHOWN]
    kind = "colors" if in_color else "values"
    what = f"has the {kind} {', '.join(map(str, shown))}" + " …" * (len(strange) > SHOWN)
    if in_color and not is_colored(table):
        return what, "say which class each color is: Folder(…, colors={(r, g, b): class})"
    if in_color:
        return what, "add them to colors, with 255 for void; many near ones mean it was a JPEG once"
    known = sorted(value for value, label in table.items() if value != VOID or label != VOID)
    first = [value for value in known if value - 1 not in known]  # of each row of numbers
    last = [value for value in known if value + 1 not in known]
    rows = zip(first, last, strict=True)
    words = ", ".join(str(a) if a == b else f"{a}{', ' if a + 1 == b else ' to '}{b}"
                      for a, b in rows)  # fmt: skip
    void = f" and {VOID} for void" if table.get(VOID) == VOID else ""
    return what, f"only {words}{void} are expected; Folder(…, values={{value: class}}) maps others"


def misfit(image: Tensor, labels: Tensor, file: Path) -> tuple[str, str]:
    """Say how a label map does not fit its picture."""
    (height, width), (rows, columns) = image.shape[1:], labels.shape
    what = f"is {rows} by {columns} pixels, but {file.name} {height} by {width} (rows by columns)"
    if (height, width) == (columns, rows):
        return what, (
            "it lies on its side: the picture may carry an EXIF orientation that the annotation "
            "tool did not heed. Save the picture without it, or turn the label map"
        )
    return what, "export it again at the picture's size; enlarge labels with nearest alone"
