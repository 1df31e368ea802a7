"""What a committed notebook must be. Every rule returns its complaints, one a line.

nbval passes a stripped notebook and a missing output without a word: these rules do not.
The rules for a notebook's Markdown are in prose.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from segtutor.exercises import CHAPTERS as CHAPTER_EXERCISES
from segtutor.exercises import find, names
from tools.normalize import normalize, to_text

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").rglob("*.ipynb"))
LARGEST = 2_000_000  # bytes of a file: a page must load on a phone
LONGEST = 78  # characters of a line of code: Colab and the page show no more

FIRST_CELL = """\
import sys
if "google.colab" in sys.modules:  # Colab's own torch stays as it is
    %pip install -q --no-deps git+{repository}
import segtutor"""

# A traceback is colored: what switches a color ends in a letter, right before a path.
COLORS = re.compile(r"\x1b\[[0-9;]*m")

# Traces of the machine that ran the notebook.
TRACES = {
    "a path of one machine": re.compile(
        r"(?<![\w.:/<])/(?:home|root|tmp|usr|var|opt|mnt|srv|work|Users|content)/\w"
    ),
    "a path into an environment": re.compile(r"site-packages|dist-packages|ipykernel_\d"),
    "an address in memory": re.compile(r"\b0x[0-9a-f]{7,}\b"),
    "the log of an installation": re.compile(r"index-url|Successfully installed|pypi", re.I),
}

# A picture inside HTML: its letters are drawn by chance, and some day they spell anything.
EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")


@dataclass
class Chapter:
    """A notebook as it stands in its file."""

    path: Path
    text: str
    notebook: NotebookNode

    @classmethod
    def read(cls, path: Path) -> Chapter:
        """Read without repairing: what nbformat would mend silently is to be seen."""
        text = path.read_text(encoding="utf-8")
        return cls(path, text, nbformat.v4.reads(text))

    def code(self) -> list[NotebookNode]:
        """Return the code cells."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    def prose(self) -> list[NotebookNode]:
        """Return the Markdown cells."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "markdown"]


Rule = Callable[[Chapter], Iterator[str]]


def title(cell: NotebookNode) -> str:
    """Return how a complaint names a cell."""
    return f"cell {cell.get('id', '(no id)')}"


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def is_executed_in_order(chapter: Chapter) -> Iterator[str]:
    """The counts are 1, 2, 3 … without a gap: run once, from top to bottom."""
    for expected, cell in enumerate(chapter.code(), start=1):
        if cell.execution_count != expected:
            yield f"{title(cell)} has the count {cell.execution_count}, not {expected}"


def shows_no_error(chapter: Chapter) -> Iterator[str]:
    """An error stands in a notebook only where the cell's tag says that it is meant."""
    for cell in chapter.code():
        failed = any(output.output_type == "error" for output in cell.outputs)
        if failed and "raises-exception" not in tags(cell):
            yield f"{title(cell)} shows an error"
        if not failed and "raises-exception" in tags(cell):
            yield f"{title(cell)} is tagged raises-exception and raised none"


def writes_no_stderr(chapter: Chapter) -> Iterator[str]:
    """No warnings, no progress bars."""
    for cell in chapter.code():
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{title(cell)} wrote to stderr"


def leaves_no_trace(chapter: Chapter) -> Iterator[str]:
    """Outputs are the same on every machine."""
    for cell in chapter.code():
        shown = COLORS.sub("", EMBEDDED.sub("", "\n".join(_texts(cell))))
        for what, pattern in TRACES.items():
            if found := pattern.search(shown):
                yield f"{title(cell)} shows {what}: {found.group()!r}"


def is_skipped_for_a_reason(chapter: Chapter) -> Iterator[str]:
    """What is not compared says why, in a comment of its own."""
    for cell in chapter.code():
        unchecked = {"nbval-skip", "nbval-ignore-output"} & set(tags(cell))
        if unchecked and not re.search(r"^\s*# Not compared: \S", cell.source, re.M):
            yield f"{title(cell)} is tagged {unchecked.pop()} without '# Not compared: why'"


def is_normalized(chapter: Chapter) -> Iterator[str]:
    """The file is what `make run` writes: kernel python3, no versions, no widget state."""
    if to_text(normalize(nbformat.v4.reads(chapter.text))) != chapter.text:
        yield f"is not in its committed form: python -m tools.normalize {chapter.path.name}"
    if chapter.notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "has another kernel than python3"
    if "widgets" in chapter.notebook.metadata or "widget-view+json" in chapter.text:
        yield "carries the state of widgets"


def is_small(chapter: Chapter) -> Iterator[str]:
    """A notebook stays under two megabytes."""
    size = len(chapter.text.encode())
    if size >= LARGEST:
        yield f"has {size:,} bytes; the limit is {LARGEST:,}"


def is_in_the_contents(chapter: Chapter) -> Iterator[str]:
    """Jupyter Book leaves out silently what _toc.yml does not name."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    page = chapter.path.resolve().relative_to(ROOT).with_suffix("").as_posix()
    if page not in _pages(contents):
        yield f"is missing in _toc.yml: {page}"


def begins_like_every_chapter(chapter: Chapter) -> Iterator[str]:
    """The first code cell is the house's, with this repository's address."""
    expected = FIRST_CELL.format(repository=repository())
    code = chapter.code()
    if not code or code[0].source != expected:
        yield f"does not begin with the house's first code cell:\n{expected}"


def has_narrow_code(chapter: Chapter) -> Iterator[str]:
    """Code fits in Colab's and the page's column."""
    for cell in chapter.code()[1:]:
        for line in cell.source.splitlines():
            if len(line) > LONGEST:
                yield f"{title(cell)} has a line of {len(line)} characters: {line[:40]}…"


def describes_its_pictures(chapter: Chapter) -> Iterator[str]:
    """Every picture has an alternative text and a caption, and is alone in its cell."""
    for cell in chapter.code():
        kinds = [
            kind
            for output in cell.outputs
            for kind in output.get("data", {})
            if kind.startswith("image/")
        ]
        if not kinds:
            continue
        page = cell.metadata.get("mystnb", {})
        if len(str(page.get("image", {}).get("alt", "")).split()) < 4:
            yield f"{title(cell)} draws a picture without alt text (mystnb.image.alt)"
        if not str(page.get("figure", {}).get("caption", "")).strip():
            yield f"{title(cell)} draws a picture without a caption (mystnb.figure.caption)"
        if len(kinds) > 1:
            yield f"{title(cell)} draws {len(kinds)} pictures that share one alt text"


def asks_the_package_s_exercises(chapter: Chapter) -> Iterator[str]:
    """A stub in the book is letter by letter the one that the checker knows."""
    sources = [cell.source for cell in chapter.code()]
    asked = re.findall(
        r"""^(?:check|segtutor\.check)\(\s*["'](\w+)["']""", "\n".join(sources), re.M
    )
    for exercise in sorted(set(CHAPTER_EXERCISES.get(chapter.path.stem, ())) - set(asked)):
        yield f"does not ask the exercise {exercise!r}"
    for exercise in asked:
        if exercise not in names:
            yield f"asks an exercise that the package does not have: {exercise!r}"
        elif not any(find(exercise).stub.strip() in source for source in sources):
            yield f"has another stub than the package for {exercise!r}"


def _texts(cell: NotebookNode) -> Iterator[str]:
    """Yield every text of a cell's outputs; pictures are not text."""
    for output in cell.outputs:
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        for kind, data in output.get("data", {}).items():
            if not kind.startswith("image/"):
                yield data if isinstance(data, str) else str(data)


def _pages(node: object) -> set[str]:
    """Return every page that a part of _toc.yml names."""
    if isinstance(node, list):
        return set().union(*map(_pages, node))
    if not isinstance(node, dict):
        return set()
    here = {node[key] for key in ("root", "file") if key in node}
    return here.union(*map(_pages, node.values()))


def repository() -> str:
    """Return the public address, from the one place where it stands."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^Repository = "(.+)"$', text, re.M).group(1)


RULES: list[Rule] = [
    is_executed_in_order,
    shows_no_error,
    writes_no_stderr,
    leaves_no_trace,
    is_skipped_for_a_reason,
    is_normalized,
    is_small,
    is_in_the_contents,
    begins_like_every_chapter,
    has_narrow_code,
    describes_its_pictures,
    asks_the_package_s_exercises,
]
