"""The Makefile's commands: what they say, what they write, and that twice is once."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import run_chapters
from tools.normalize import WIDGET_VIEW, normalize, to_text

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def untidy() -> NotebookNode:
    """Return a notebook as an editor leaves it."""
    shown = {WIDGET_VIEW: {"model_id": "random"}, "text/plain": "IntSlider(value=3)"}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title  \n"),
            new_code_cell("x = 1", metadata={"execution": {"iopub.status.idle": "now"}}),
            new_code_cell("x", outputs=[new_output("display_data", data=shown)]),
        ]
    )
    notebook.metadata.update(widgets={"state": {}}, language_info={"version": "3.11.7"})
    notebook.cells[1]["id"] = notebook.cells[2]["id"] = "twin"
    del notebook.cells[0]["id"]
    return notebook


def test_normalizing_keeps_what_is_read_and_drops_the_rest() -> None:
    notebook = normalize(untidy())
    text = to_text(notebook)
    assert "IntSlider(value=3)" in text
    assert not re.search("model_id|iopub|3.11.7|widgets", text)
    assert [cell.id for cell in notebook.cells] == ["title", "twin", "x"]
    nbformat.validate(notebook)


def test_normalizing_twice_is_normalizing_once() -> None:
    once = to_text(normalize(untidy()))
    assert to_text(normalize(nbformat.v4.reads(once))) == once


@pytest.mark.slow
def test_a_chapter_run_twice_is_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "chapter.ipynb"
    source = "import sys\nprint('a')\nprint('b', file=sys.stdout)\n{1, 2, 3}"
    path.write_text(to_text(normalize(new_notebook(cells=[new_code_cell(source)]))))
    texts = []
    for _ in range(2):
        run("make", "run", f"CHAPTER={path}")
        texts.append(path.read_text())
    assert texts[0] == texts[1]
    assert '"a\\n"' in texts[0]


@pytest.mark.slow
def test_an_error_names_the_cell(tmp_path: Path) -> None:
    cells = [new_markdown_cell("# T"), new_code_cell("1"), new_code_cell("1 / 0", id="divide")]
    with pytest.raises(SystemExit, match=r"(?s)code cell 2 \(id divide\) failed.*ZeroDivision"):
        run_chapters.execute(new_notebook(cells=cells), tmp_path / "c.ipynb")


def test_timings_are_written_between_their_marks() -> None:
    page = f"# Times\n\nKept.\n\n{run_chapters.BEGIN}\nold\n{run_chapters.END}\n\nKept too.\n"
    runs = [
        run_chapters.Run("Pooling", ROOT / "book/foundations/pooling.ipynb", 7.2, {1: 2.0, 2: 5.1})
    ]
    written = run_chapters.timings_page(page, runs)
    assert "| [Pooling](../foundations/pooling.ipynb) | 2 | 7 s | 5.1 s (cell 2) |" in written
    assert written.startswith("# Times\n\nKept.")
    assert written.endswith("Kept too.\n")
    assert "old" not in written
    assert run_chapters.timings_page(written, copy.deepcopy(runs)) == written
    with pytest.raises(SystemExit, match="missing"):
        run_chapters.timings_page("# No marks", runs)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository's root."""
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_command() -> None:
    targets = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M).group(1).split()
    listed = re.findall(r"^  make ([a-z]+)", run("make").stdout, re.M)
    assert sorted(listed) == sorted(target for target in targets if not target.startswith("."))


def a_python(folder: Path, says: str) -> Path:
    """Make a Python that only tells its version."""
    path = folder / "python3"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (None, "no Python was found: install Python 3.11 or newer."),
        ("Python 3.8.18", "Python 3.11 or newer is needed, and only Python 3.8.18 at"),
        ("Python 3.10.13", "Python 3.11 or newer is needed, and only Python 3.10.13 at"),
        ("Python 3.12.3", "has no venv module: install it"),
    ],
)
def test_an_unsuitable_python_gets_one_sentence(
    tmp_path: Path, says: str | None, expected: str
) -> None:
    for tool in ("sh", "dirname", "cat", "cmp", "ls"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    if says:
        a_python(tmp_path, says)
    folder = str(tmp_path / "environment")
    done = run(
        str(ROOT / "tools/environment.sh"), folder, "requirements-book.txt",
        PATH=str(tmp_path), PYTHON="",
    )  # fmt: skip
    assert done.returncode == 1
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert not Path(folder).exists()


def test_a_python_chosen_by_hand_is_checked(tmp_path: Path) -> None:
    script, folder = str(ROOT / "tools/environment.sh"), str(tmp_path / "environment")
    python = str(a_python(tmp_path, "Python 3.9.18"))
    done = run(script, folder, "requirements-book.txt", PYTHON=python)
    assert done.returncode == 1
    assert f"PYTHON={python} is Python 3.9.18; Python 3.11 or newer" in done.stderr
