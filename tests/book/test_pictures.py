"""Every chapter, run again, draws what is stored; and a wrong picture would be noticed.

nbval compares texts and leaves pictures out. The same run shows whether a chapter keeps its
budget.
"""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from PIL import Image, ImageFilter

from segtutor import figures
from tests.book.guards import CHAPTERS, Chapter
from tests.book.pictures import complaint, pictures
from tools.run_chapters import Run, execute

SECONDS, SECONDS_A_CELL, MEMORY = 60, 24, 2e9


@dataclass
class Again:
    """A chapter as stored, and as it came out of another run."""

    stored: NotebookNode
    drawn: NotebookNode
    run: Run


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def again(request: pytest.FixtureRequest) -> Again:
    path: Path = request.param
    stored = Chapter.read(path).notebook
    drawn = copy.deepcopy(stored)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own
        run = execute(drawn, path)
        if run.seconds >= SECONDS:  # what else the machine does slows a run; nothing speeds it up
            run = min(run, execute(copy.deepcopy(stored), path), key=lambda run: run.seconds)
        return Again(stored, drawn, run)


@pytest.mark.slow
def test_pictures_look_like_the_stored_ones(again: Again) -> None:
    complaints = []
    for stored, drawn in zip(again.stored.cells, again.drawn.cells, strict=True):
        pairs = pictures(stored), pictures(drawn)
        if len(pairs[0]) != len(pairs[1]):
            complaints.append(f"{stored.id}: {len(pairs[0])} stored, {len(pairs[1])} drawn")
            continue
        found = [complaint(*pair) for pair in zip(*pairs, strict=True)]
        complaints += [f"{stored.id}: {what}" for what in found if what]
    assert not complaints, "\n".join(complaints)


@pytest.mark.slow
def test_chapter_keeps_its_budget(again: Again) -> None:
    assert again.run.seconds < SECONDS
    assert max(again.run.cells.values()) < SECONDS_A_CELL
    assert again.run.peak < MEMORY


# Pictures with planted faults, and with differences that are none.


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def plot(
    *, digit: int = 3, rise: float = 0.0, color: str = "C0", points: int = 3, dpi: int = 192
) -> bytes:
    """Draw a curve with some points beside a grid of digits."""
    figures.use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.6))
    x = np.linspace(0, 1, 50)
    left.plot(x, np.sin(6 * x) + rise, color=color)
    left.scatter([0.2, 0.4, 0.6][:points], [0, 0, 0][:points], s=12, color="C1")
    left.set(ylim=(-1.5, 1.5), xlim=(0, 1))
    numbers = np.arange(25).reshape(5, 5) % 7
    right.imshow(numbers, alpha=0.5, cmap="gray")
    numbers[2, 3] = digit
    for (i, j), number in np.ndenumerate(numbers):
        right.text(j, i, str(number), ha="center", va="center", fontsize=9)
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi, transparent=True)
    plt.close(figure)
    return file.getvalue()


@pytest.fixture(scope="module")
def stored() -> bytes:
    return plot()


@pytest.mark.parametrize(
    "fault",
    [
        {"digit": 8},
        {"digit": 5},
        {"rise": 0.05},
        {"color": "C2"},
        {"points": 2},
        {"dpi": 180},
    ],
    ids=str,
)
def test_a_wrong_picture_is_noticed(stored: bytes, fault: dict) -> None:
    assert complaint(stored, plot(**fault))


def test_a_background_that_is_no_longer_transparent_is_noticed(stored: bytes) -> None:
    picture = Image.open(io.BytesIO(stored)).convert("RGBA")
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    assert complaint(stored, png(page))


def test_the_same_picture_passes(stored: bytes) -> None:
    assert complaint(stored, plot()) is None


@pytest.mark.parametrize("name", ["noise", "smoothing", "half a pixel", "one row more"])
def test_a_difference_that_nobody_sees_passes(stored: bytes, name: str) -> None:
    picture = Image.open(io.BytesIO(stored)).convert("RGBA")
    values = np.asarray(picture).astype(int)
    half = (1, 0, 0.5, 0, 1, 0)
    noise = np.random.default_rng(0).integers(-8, 9, values.shape)
    changed = {
        "noise": Image.fromarray((values + noise).clip(0, 255).astype("uint8")),
        "smoothing": picture.filter(ImageFilter.GaussianBlur(0.5)),
        "half a pixel": picture.transform(
            picture.size, Image.Transform.AFFINE, half, Image.BICUBIC
        ),
        "one row more": Image.fromarray(np.vstack([values[:1], values]).astype("uint8")),
    }
    assert complaint(stored, png(changed[name])) is None


def test_a_picture_that_is_gone_is_counted() -> None:
    output = nbformat.v4.new_output("display_data", data={"image/png": "aGVsbG8="})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    assert [len(pictures(c)) for c in (cell, nbformat.v4.new_code_cell())] == [1, 0]
