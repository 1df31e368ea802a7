"""Writes notebooks in the one form that is committed, so that a diff shows only what changed.

Usage: python -m tools.normalize FILE.ipynb …      (also a pre-commit hook)

Outputs, counts and cell ids stay. What differs between two machines or two runs goes:
the language's version, the editor's notes, the state of widgets.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
EDITORS_NOTES = ("colab", "accelerator", "widgets", "execution", "outputId", "id")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def normalize(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook in its committed form (it is changed in place)."""
    for note in EDITORS_NOTES:
        for part in [notebook, *notebook.cells]:
            part.metadata.pop(note, None)
    notebook.metadata["kernelspec"] = NotebookNode(KERNEL)
    notebook.metadata["language_info"] = nbformat.from_dict(LANGUAGE)
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first with cell ids
    _name_cells(notebook.cells)
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.splitlines())
        for output in cell.get("outputs", []):
            # A view of a widget that lives in a kernel that is gone: the text or the
            # picture beside it is what a reader sees.
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


def _name_cells(cells: list[NotebookNode]) -> None:
    """Give an id to every cell that has none, or has the id of an earlier one."""
    taken: set[str] = set()
    for cell in cells:
        name = cell.get("id")
        if not name or name in taken:
            words = "-".join(re.findall(r"[a-z0-9]+", cell.source.lower())[:5]) or "cell"
            name, number = words[:40], 2
            while name in taken:
                name, number = f"{words[:40]}-{number}", number + 1
        cell["id"] = name
        taken.add(name)


def read(path: Path) -> NotebookNode:
    """Return the notebook in a file, as it is: cells without an id stay without."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def to_text(notebook: NotebookNode) -> str:
    """Return the text of the notebook's file."""
    return nbformat.writes(notebook, indent=1, ensure_ascii=False).rstrip("\n") + "\n"


def main(paths: list[str]) -> int:
    """Normalize files in place; return 1 if one had to be changed, as hooks do."""
    changed = 0
    for path in map(Path, paths):
        before = path.read_text(encoding="utf-8")
        after = to_text(normalize(read(path)))
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path}: normalized")
            changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
