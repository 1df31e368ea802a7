"""What an inspection found: as a text, and as a page with pictures."""

from __future__ import annotations

import base64
import colorsys
import html
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from segtutor.data.formats.files import VOID, Problem

__all__ = ["Report", "Split"]

MOST = 4  # samples on the page, and as many with a fault
WIDTH = 96  # of a picture on the page
LISTED = 40  # labels that a table lists
HEAD = ("label", "share", "label maps")
# The book's colors: this floor is below that of the figures, so a test holds the two together.
PALETTE = (
    "8fddfa", "645155", "8878b4", "f2f1e3", "539b71", "1c3b90", "b70e11", "f3c50a", "110d19",
)  # fmt: skip


@dataclass
class Split:
    """What was counted in one split."""

    pairs: int
    sizes: Counter = field(default_factory=Counter)  # (height, width) → pictures
    pixels: Counter = field(default_factory=Counter)  # label → pixels
    maps: Counter = field(default_factory=Counter)  # label → label maps that have it
    prints: dict[str, tuple[str, Tensor]] = field(default_factory=dict)
    turned: int = 0
    dark: int = 0


@dataclass
class Report:
    """What an inspection found.

    Attributes:
        problems: What to mend, as (file, what, cure); the file is "all" where all are meant.
        notes: What to know.
        splits: The counts of each split.
        classes: The names of the classes, if known.
        root: The folder of all files, which the printed report leaves out.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, Split] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None
    root: str = ""
    pictures: dict[bool, list[str]] = field(default_factory=lambda: {False: [], True: []})

    @property
    def pixels(self) -> Counter:
        """How many pixels have each label, void among them."""
        return sum((split.pixels for split in self.splits.values()), Counter())

    @property
    def shares(self) -> Tensor:
        """The share of each class (C,) in the pixels that are not void, float64."""
        pixels = self.pixels
        size = len(self.classes) if self.classes else 1 + max({*pixels} - {VOID}, default=-1)
        counts = torch.tensor([pixels[label] for label in range(size)], dtype=torch.float64)
        return counts / counts.sum()

    @property
    def void(self) -> float:
        """The share of void in all pixels."""
        return self.pixels[VOID] / max(self.pixels.total(), 1)

    def add(self, file: str, what: str, cure: str) -> None:
        """Name one more problem."""
        self.problems.append(Problem(file, what, cure))

    def keep(self, file: str, image: Tensor, values: np.ndarray, faulty: bool) -> None:
        """Keep small copies of a sample for the page, if it has too few yet."""
        shown = values.ndim == 2 or values.shape[2:] == (3,)
        if shown and len(self.pictures[faulty]) < MOST:
            image = image[:3] if len(image) > 2 else image[:1].expand(3, -1, -1)
            pixels = (image.clamp(0, 1) * 255).byte().movedim(0, -1)
            self.pictures[faulty].append(figure(file, pixels.numpy(), values))

    def named(self, label: int) -> str:
        """A label with its name."""
        known = self.classes is not None and 0 <= label < len(self.classes)
        name = self.classes[label] if known else ""
        return f"{label} {name}" if name and name != str(label) else str(label)

    def rows(self) -> list[tuple[str, str, str]]:
        """Label, share of the judged pixels, and label maps that have it."""
        pixels, maps = self.pixels, sum((s.maps for s in self.splits.values()), Counter())
        judged = max(pixels.total() - pixels[VOID], 1)
        labels = sorted({*pixels, *range(len(self.classes or ()))} - {VOID})
        rows = [(self.named(v), f"{100 * pixels[v] / judged:.2f} %", str(maps[v])) for v in labels]
        if len(rows) > LISTED:
            rows = [*rows[:LISTED], (f"… {len(rows) - LISTED} more", "", "")]
        void = [(f"{VOID} void", f"{100 * self.void:.2f} % of all", str(maps[VOID]))]
        return rows + void * (VOID in pixels)

    def heads(self) -> list[str]:
        """One line a split: how many, how large."""
        lines = []
        for name, split in self.splits.items():
            sizes = [f"{h} by {w}" for (h, w), _ in split.sizes.most_common(3)]
            more = f" and {len(split.sizes) - 3} other sizes" * (len(split.sizes) > 3)
            shapes = f"{', '.join(sizes) or 'none readable'}{more}"
            lines.append(f"{name}: {split.pairs} pairs, {shapes} (rows by columns)")
        return lines

    def grouped(self) -> list[tuple[str, str, str]]:
        """Problems, those of one kind together: file, what, cure."""
        kinds: dict[tuple[str, str], list[str]] = {}
        for file, what, cure in self.problems:
            kinds.setdefault((what, cure), []).append(file)
        rows = [
            (files[0] + f" (and {len(files) - 1} more)" * (len(files) > 1), *kind)
            for kind, files in kinds.items()
        ]
        return [tuple(text.replace(self.root or "\0", "") for text in row) for row in rows]

    def count(self) -> str:
        """How many problems there are, in words."""
        return f"{len(self.problems)} problem{'s' * (len(self.problems) != 1)}"

    def __str__(self) -> str:
        rows = [HEAD, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = [
            f"{name:{widths[0]}}  {share:>{widths[1]}}  {maps:>{widths[2]}}".rstrip()
            for name, share, maps in rows
        ]
        found = [f"- {file} {what}\n  → {cure}" for file, what, cure in self.grouped()]
        notes = ["", "notes", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join([*self.heads(), "", *table, "", self.count(), *found, *notes])

    def _repr_html_(self) -> str:
        escape = html.escape
        cells = "".join(
            f'<tr>{chip(row[0])}<td style="text-align:left">{escape(row[0])}</td>'
            + "".join(f'<td style="text-align:right">{cell}</td>' for cell in row[1:])
            for row in self.rows()
        )
        head = "".join(f"<th>{word}</th>" for word in ("", *HEAD))
        found = [
            f"<code>{escape(file)}</code> {escape(what)}<br>→ {escape(cure)}"
            for file, what, cure in self.grouped()
        ]
        return (
            f"{listed(map(escape, self.heads()))}<div>{''.join(self.pictures[False])}</div>"
            f'<table style="width:auto"><tr>{head}</tr>{cells}</table>'
            f"<p><b>{self.count()}</b></p>{listed(found)}<div>{''.join(self.pictures[True])}</div>"
            f"{listed(map(escape, self.notes))}"
        )


def listed(lines: Iterable[str]) -> str:
    """Lines of HTML as a list."""
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def color(label: int) -> tuple[int, int, int]:
    """A color for a label; beyond the palette by turns of the color wheel."""
    if 0 <= label < len(PALETTE) - 1 or label == VOID:
        return tuple(bytes.fromhex(PALETTE[-1 if label == VOID else label]))
    turns = colorsys.hls_to_rgb(label * 0.618 % 1, (0.8, 0.45, 0.62)[label % 3], 0.55)
    return tuple(round(255 * part) for part in turns)


def chip(name: str) -> str:
    """A cell of the table in the color of a label, with whose number the name begins."""
    label = name.partition(" ")[0]
    style = f"background:rgb{color(int(label))};border:1px solid" if label.isdigit() else ""
    return f'<td style="width:1em;{style}"></td>'


def figure(file: str, pixels: np.ndarray, values: np.ndarray) -> str:
    """A picture and its label map, small, side by side."""
    from PIL import Image

    name = html.escape(Path(file).name)
    step = max(1, round(pixels.shape[1] / WIDTH))  # every n-th pixel: labels stay labels
    values = values[::step, ::step]
    if values.ndim == 2:
        whole = values.dtype.kind in "iub"
        labels = values if whole else (255 * values).astype(int)
        found, place = np.unique(labels, return_inverse=True)
        paints = [color(label) if whole else (label % 256,) * 3 for label in found.tolist()]
        values = np.array(paints, dtype=np.uint8)[place.reshape(values.shape)]
    images = ""
    for what, shown in (("picture", pixels[::step, ::step]), ("label map", values)):
        stream = io.BytesIO()
        # Not compressed: the same bytes with every library.
        Image.fromarray(np.ascontiguousarray(shown)).save(stream, "BMP")
        data = base64.b64encode(stream.getvalue()).decode()
        images += f'<img alt="{what} {name}" width="{WIDTH}" src="data:image/bmp;base64,{data}">'
    style = "display:inline-block;margin:0 1em 1em 0"
    return f'<figure style="{style}">{images}<figcaption>{name}</figcaption></figure>'
