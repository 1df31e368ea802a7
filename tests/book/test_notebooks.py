"""The committed notebooks keep the rules, and every rule can fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from segtutor.exercises import CHAPTERS as CHAPTER_EXERCISES
from segtutor.exercises import names
from tests.book import guards, prose
from tests.book.guards import CHAPTERS, Chapter, Rule
from tools.normalize import normalize, to_text

RULES = guards.RULES + prose.RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path: Path, rule: Rule) -> None:
    complaints = list(rule(Chapter.read(path)))
    assert not complaints, "\n".join([f"{path}: {rule.__doc__}", *complaints])


def test_there_are_notebooks() -> None:
    assert CHAPTERS


# What is planted into a good notebook, and the rule that must notice it.


def good() -> nbformat.NotebookNode:
    """Return a notebook that keeps every rule."""
    first = guards.FIRST_CELL.format(repository=guards.repository())
    figure = {"image": {"alt": "a bright square on gray"}, "figure": {"caption": "A square."}}
    picture = new_output("display_data", data={"image/png": "iVBORw0=", "text/plain": "<Figure>"})
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\nA word, `code with $$ and ~~`, and $x$.", id="title"),
            new_code_cell(first, id="setup", execution_count=1),
            new_markdown_cell(
                "## Part\n\n$$\ny = x \\tag{1}\n$$\n\n| $a$ | b |\n| - | - |", id="part"
            ),
            new_code_cell(
                "draw()",
                id="draw",
                execution_count=2,
                outputs=[picture],
                metadata={"mystnb": figure},
            ),
            new_markdown_cell(
                "### Fold\n\n[up](#part) and [home](https://example.org)\n\n"
                "<details><summary>More</summary>\n\nText.\n\n</details>",
                id="fold",
            ),
            new_code_cell(
                "print('four')",
                id="print",
                execution_count=3,
                outputs=[new_output("stream", name="stdout", text="four\n")],
            ),
        ]
    )
    return normalize(notebook)


def write(notebook: nbformat.NotebookNode, folder: Path) -> Chapter:
    """Write the notebook as it is and read it back."""
    path = folder / "planted.ipynb"
    path.write_text(to_text(notebook), encoding="utf-8")
    return Chapter.read(path)


def appended(text: str) -> Callable[[nbformat.NotebookNode], None]:
    """Return what adds a paragraph to the Markdown of the second part."""
    return lambda notebook: notebook.cells[2].update(source=f"{notebook.cells[2].source}\n\n{text}")


def printed(**output: object) -> Callable[[nbformat.NotebookNode], None]:
    """Return what replaces the last cell's output."""
    return lambda notebook: notebook.cells[5].update(outputs=[nbformat.from_dict(output)])


def html(data: str) -> dict[str, object]:
    """Return an output with HTML in it."""
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": data}}


def source(number: int, text: str) -> Callable[[nbformat.NotebookNode], None]:
    """Return what replaces the source of a cell."""
    return lambda notebook: notebook.cells[number].update(source=text)


FAILURE = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}
STDERR = {"output_type": "stream", "name": "stderr", "text": "Warning: hot\n"}
STATE = {"application/vnd.jupyter.widget-state+json": {"state": {}}}

PLANTED = [
    (guards.is_executed_in_order, lambda n: n.cells[3].update(execution_count=None)),
    (guards.is_executed_in_order, lambda n: n.cells[5].update(execution_count=4)),
    (guards.shows_no_error, printed(**FAILURE)),
    (guards.shows_no_error, lambda n: n.cells[5].metadata.update(tags=["raises-exception"])),
    (guards.writes_no_stderr, printed(**STDERR)),
    (guards.leaves_no_trace, printed(**html("saved in /home/ada/x.png"))),
    (guards.leaves_no_trace, printed(**html("File \x1b[32m/home/ada/x.py:3\x1b[39m"))),
    (guards.leaves_no_trace, printed(**html("<function f at 0x7f3a5c2b1d90>"))),
    (guards.leaves_no_trace, printed(**html("data:image/png;base64,aPyPi= from PyPI"))),
    (guards.is_skipped_for_a_reason, lambda n: n.cells[5].metadata.update(tags=["nbval-skip"])),
    (guards.is_normalized, lambda n: n.metadata.update(widgets=STATE)),
    (guards.is_normalized, lambda n: n.metadata.kernelspec.update(name="other")),
    (guards.is_normalized, lambda n: n.metadata.language_info.update(version="3.11.7")),
    (guards.is_small, printed(**html("x" * guards.LARGEST))),
    (guards.begins_like_every_chapter, source(1, "import segtutor")),
    (guards.has_narrow_code, source(5, "x = " + "1 + " * 20 + "1")),
    (guards.describes_its_pictures, lambda n: n.cells[3].metadata.mystnb.image.update(alt="")),
    (guards.describes_its_pictures, lambda n: n.cells[3].metadata.mystnb.pop("figure")),
    (guards.describes_its_pictures, lambda n: n.cells[3].outputs.extend(n.cells[3].outputs)),
    (guards.asks_the_package_s_exercises, source(5, 'check("no_such", f)')),
    (guards.asks_the_package_s_exercises, source(5, f'check("{names[0]}", f)')),
    (prose.speaks_plain_markdown, appended('<div class="x">Text.</div>')),
    (prose.speaks_plain_markdown, appended("| $|x|$ | b |\n| - | - |")),
    (prose.speaks_plain_markdown, lambda n: n.cells[0].update(attachments={"a.png": {}})),
    (prose.keeps_formulas_apart, appended("So $$x$$ holds.")),
    (prose.keeps_formulas_apart, appended("So\n$$\nx\n$$")),
    (prose.keeps_formulas_apart, appended("$$\nx\n$$\nholds.")),
    (prose.keeps_formulas_apart, appended("$$\nx")),
    (prose.keeps_folds_apart, appended("<details><summary>A</summary>\nText.\n\n</details>")),
    (prose.keeps_folds_apart, appended("<details><summary>A</summary>\n\nText.\n</details>")),
    (prose.keeps_folds_apart, appended("<details><summary>A</summary>\n\nText.")),
    (prose.climbs_headings_by_one, appended("# Second title")),
    (prose.climbs_headings_by_one, appended("#### Too deep")),
    (prose.climbs_headings_by_one, source(0, "No title.")),
    (prose.has_no_filler, appended("This is simply true.")),
    (prose.links_to_what_exists, appended("[gone](nowhere.ipynb)")),
    (prose.links_to_what_exists, appended("[gone](#nowhere)")),
    (prose.links_to_what_exists, appended("![alt](picture.png)")),
]

FOREIGN = {
    "a colon fence": ":::{note}\nText.\n:::",
    "a directive": "```{note}\nText.\n```",
    "a role": "See {ref}`part`.",
    "a label": "(label)=",
    "a footnote": "A word[^1].",
    "a MyST comment": "% a comment",
    "a definition list": "Term\n: its meaning",
    "a GitHub alert": "> [!NOTE]\n> Text.",
    "\\( or \\[ instead of $ or $$": r"Inline \(x\).",
    "struck-out text": "~~gone~~",
    "an attachment": "![](attachment:a.png)",
    "a labelled formula": "$$\nx\n$$ (label)",
}


def test_a_good_notebook_keeps_every_rule(tmp_path: Path) -> None:
    chapter = write(good(), tmp_path)
    for rule in RULES:
        if rule is not guards.is_in_the_contents:
            assert list(rule(chapter)) == [], rule.__name__


@pytest.mark.parametrize(
    ("rule", "plant"), PLANTED, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_noticed(
    rule: Rule, plant: Callable[[nbformat.NotebookNode], object], tmp_path: Path
) -> None:
    notebook = good()
    plant(notebook)
    assert list(rule(write(notebook, tmp_path)))


@pytest.mark.parametrize("what", prose.FOREIGN)
def test_foreign_markdown_is_called_by_its_name(what: str, tmp_path: Path) -> None:
    notebook = good()
    appended(FOREIGN[what])(notebook)
    complaints = list(prose.speaks_plain_markdown(write(notebook, tmp_path)))
    assert any(what in complaint for complaint in complaints)


def test_a_chapter_missing_in_the_contents_is_noticed() -> None:
    stray = Chapter(guards.ROOT / "book" / "stray.ipynb", "", good())
    assert list(guards.is_in_the_contents(stray))


def test_a_chapter_without_its_exercises_is_noticed() -> None:
    chapter, members = next(iter(CHAPTER_EXERCISES.items()))
    empty = Chapter(guards.ROOT / "book" / f"{chapter}.ipynb", "", good())
    assert len(list(guards.asks_the_package_s_exercises(empty))) == len(members)


def test_every_exercise_is_asked_in_the_book() -> None:
    assert set(CHAPTER_EXERCISES) <= {path.stem for path in CHAPTERS}


def test_every_rule_is_tried() -> None:
    tried = {rule for rule, _ in PLANTED} | {guards.is_in_the_contents}
    assert tried == set(RULES)


def test_tags_are_ones_that_something_reads() -> None:
    known = {
        "raises-exception", "nbval-ignore-output", "nbval-check-output", "nbval-skip",
        "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell",
    }  # fmt: skip
    for path in CHAPTERS:
        for cell in Chapter.read(path).notebook.cells:
            assert set(guards.tags(cell)) <= known, f"{path}: {cell.get('id')}"


def test_code_in_prose_is_not_read_as_prose() -> None:
    kept = prose.without_code("a `b ~~` c\n```python\n% x ~~\n```\n{ref}`part`")
    assert not re.search("~~|% x", kept)
    assert "{ref}`" in kept


def test_the_letters_of_a_picture_spell_no_trace(tmp_path: Path) -> None:
    notebook = good()
    printed(**html('<img src="data:image/png;base64,aB+/home/pyPi/0x7f3a5c2b1d90=">'))(notebook)
    assert not list(guards.leaves_no_trace(write(notebook, tmp_path)))
