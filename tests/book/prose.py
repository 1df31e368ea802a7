"""What a notebook's Markdown must be, so that the page and Colab show the same.

Colab renders no MyST, and the book misreads some of what Colab and GitHub render: the rules
allow what both show alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from tests.book.guards import Chapter, Rule, title

# Raw text in Colab, or wrong in the book. Matched outside code.
FOREIGN = {
    "a colon fence": re.compile(r"^\s*:{3,}", re.M),
    "a directive": re.compile(r"^\s*(?:`{3,}|~{3,})\s*\{", re.M),
    "a role": re.compile(r"\{[a-z][a-z:_-]*\}`"),
    "a label": re.compile(r"^\s*\([\w-]+\)=\s*$", re.M),
    "a footnote": re.compile(r"\[\^[^\]\s]+\]"),
    "a MyST comment": re.compile(r"^%", re.M),
    "a definition list": re.compile(r"^:\s", re.M),
    "a GitHub alert": re.compile(r"^>\s*\[![A-Za-z]+\]", re.M),
    "\\( or \\[ instead of $ or $$": re.compile(r"\\[()\[\]]"),
    "struck-out text": re.compile(r"~~"),
    "an attachment": re.compile(r"\(attachment:"),
    "a labelled formula": re.compile(r"\$\$[ \t]*\(\w"),
}
TAGS = {"details", "summary", "kbd", "mark", "sub", "sup", "br"}
FILLER = re.compile(r"\b(simply|obviously)\b", re.I)

FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})(?!\s*\{).*?^\1\2[`~]*\s*?$", re.M | re.S)
# A role is {name}`text`: its backquotes are no code.
CODE = re.compile(r"(?<![`}])(`{1,2})(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"(!?)\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$", re.M)


def without_code(source: str) -> str:
    """Return Markdown with its code blanked; the lines stay where they are."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found.group())

    return CODE.sub(blank, FENCE.sub(blank, source))


def speaks_plain_markdown(chapter: Chapter) -> Iterator[str]:
    """Nothing that only the book, or only Colab, understands."""
    for cell in chapter.prose():
        text = without_code(cell.source)
        for what, pattern in FOREIGN.items():
            if found := pattern.search(text):
                yield f"{title(cell)} has {what}: {found.group().strip()!r}"
        if cell.get("attachments"):
            yield f"{title(cell)} has an attachment"
        for tag in re.findall(r"</?([a-zA-Z][\w-]*)[^<>]*>", text):
            if tag.lower() not in TAGS:
                yield f"{title(cell)} has the HTML tag <{tag}>"
        for row in re.findall(r"^\s*\|.*$", text, re.M):
            formulas = re.split(r"(?<!\\)\$", row)[1::2]
            if any("|" in formula for formula in formulas):
                yield f"{title(cell)} has | in a table's formula: write \\lvert x \\rvert"


def keeps_formulas_apart(chapter: Chapter) -> Iterator[str]:
    """$$ stands alone on its line, with a blank line before the block and after it."""
    for cell in chapter.prose():
        lines = without_code(cell.source).split("\n")
        inside = False
        for number, line in enumerate(lines):
            if "$$" not in line:
                continue
            if line.strip() != "$$":
                yield f"{title(cell)} has $$ beside other text: {line.strip()!r}"
                continue
            outer = number + 1 if inside else number - 1
            if 0 <= outer < len(lines) and lines[outer].strip():
                yield f"{title(cell)} has no blank line beside a formula: {lines[outer]!r}"
            inside = not inside
        if inside:
            yield f"{title(cell)} opens a formula and does not close it"


def keeps_folds_apart(chapter: Chapter) -> Iterator[str]:
    """Markdown in <details> needs a blank line after the summary and before the end."""
    for cell in chapter.prose():
        text = without_code(cell.source)
        if text.count("<details") != text.count("</details>"):
            yield f"{title(cell)} opens and closes different numbers of <details>"
        if re.search(r"</summary>[ \t]*\S|</summary>[ \t]*\n[ \t]*\S", text):
            yield f"{title(cell)} has no blank line after </summary>"
        if re.search(r"\S[ \t]*\n[ \t]*</details>|\S[ \t]*</details>", text):
            yield f"{title(cell)} has no blank line before </details>"


def climbs_headings_by_one(chapter: Chapter) -> Iterator[str]:
    """One title, at the top; no level is left out on the way down."""
    levels = [len(marks) for marks, _ in headings(chapter.notebook)]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"has the heading levels {levels}: exactly one #, at the top"
    for above, below in pairwise(levels):
        if below > above + 1:
            yield f"jumps from a heading of level {above} to one of level {below}"


def has_no_filler(chapter: Chapter) -> Iterator[str]:
    """What is simple or obvious needs no adverb, and what is not is insulted by it."""
    for cell in chapter.prose():
        if found := FILLER.search(without_code(cell.source)):
            yield f"{title(cell)} says {found.group()!r}"


def links_to_what_exists(chapter: Chapter) -> Iterator[str]:
    """A link between pages leads to a file, and to a heading in it."""
    for cell in chapter.prose():
        for picture, target in LINK.findall(without_code(cell.source)):
            if picture:
                yield f"{title(cell)} shows a picture file: a code cell draws it instead"
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = chapter.path.parent / unquote(file) if file else chapter.path
            if not path.is_file():
                yield f"{title(cell)} links to a file that is not there: {target}"
            elif anchor and anchor not in anchors(path):
                yield f"{title(cell)} links to a heading that is not there: {target}"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as the book makes them."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        found = headings(nbformat.v4.reads(text))
    else:
        found = HEADING.findall(FENCE.sub("", text))
    slugs: set[str] = set()
    for _, heading in found:
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower().replace(" ", "-"))
        unique, number = slug, 1
        while unique in slugs:
            unique, number = f"{slug}-{number}", number + 1
        slugs.add(unique)
    return slugs | set(re.findall(r"^\(([\w-]+)\)=\s*$", text, re.M))


def headings(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return the headings of a notebook: their # marks and their text."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # Code in a heading is part of it; code in a fence is not.
            found += HEADING.findall(FENCE.sub("", cell.source))
    return found


RULES: list[Rule] = [
    speaks_plain_markdown,
    keeps_formulas_apart,
    keeps_folds_apart,
    climbs_headings_by_one,
    has_no_filler,
    links_to_what_exists,
]
