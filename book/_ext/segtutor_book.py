"""What the book adds to the theme when it is built; nothing here is needed to read a notebook.

Four small jobs, in the order in which they happen:

* ``check_notebook``: refuses what ``-W`` does not see in a notebook (a cell never run, an
  output that is an error, a second H1).
* ``mark_boxes``: ``> **Note.** …`` becomes a box. The notebooks stay plain Markdown.
* ``finish_page``: the bar with the Colab link under a notebook's title, the meant size of
  each drawn picture, claims that wrap, and the tags that give a shared link its picture.
* ``finish_site``: takes out Font Awesome (half a megabyte for a dozen icons, which
  ``book.css`` draws), MathJax where there is no mathematics, and refuses pictures that are
  missing.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.ext.autodoc.mock import _MockObject
from sphinx.util import logging

logger = logging.getLogger(__name__)

# The first strong words that make a quotation a box, and the class each gets.
BOXES = {"Note.": "note", "Careful.": "careful", "Predict.": "predict"}
# Three pixels of a drawn picture to two CSS pixels: its letters as large as the text's,
# and sharp on good screens.
PIXELS_PER_CSS_PIXEL = 1.5
CLAIM = re.compile(r"(<pre>(?:<span></span>)?|(?<=\n))✓ ([^\n]*)\n(?=[^\n]*(?:\n|</pre>))")
SOCIAL_IMAGE = "_static/social.png"
FIRST_FONTS = ("source-serif-4", "source-sans-3")


def add_repository_to_path(app: Sphinx, config: Any) -> None:
    """Let autodoc import ``segtutor`` from the repository, installed or not."""
    sys.path.insert(0, str(app.confdir))
    # `Array = Tensor | ndarray` has to work on libraries that are not there, too.
    _MockObject.__or__ = _MockObject.__ror__ = lambda self, other: self


def keep_colons(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Stop napoleon from reading "Top: the first row." as a type and its description."""
    if lines[:1] and lines[0].startswith("Alias for field number"):
        lines.clear()  # what Python says of a NamedTuple's field says nothing
    elif what in ("attribute", "property"):
        lines[:0] = ["..", ""]  # an empty comment: napoleon looks at the first line only


def check_notebook(app: Sphinx, docname: str, source: list[str]) -> None:
    """Warn, so that ``-W`` fails, about a notebook that was not run to its end."""
    path = app.env.doc2path(docname)
    if not str(path).endswith(".ipynb"):
        return
    titles = 0
    for number, cell in enumerate(json.loads(source[0])["cells"], 1):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
            titles += len(re.findall(r"^# ", prose, flags=re.MULTILINE))
        elif cell["cell_type"] == "code" and text.strip():
            if cell.get("execution_count") is None:
                logger.warning("cell %d was never run", number, location=docname)
            failed = any(output["output_type"] == "error" for output in cell["outputs"])
            if failed and "raises-exception" not in cell["metadata"].get("tags", []):
                logger.warning("cell %d ended in an error", number, location=docname)
    if titles != 1:
        logger.warning("%d titles (# …) instead of one", titles, location=docname)


def mark_boxes(app: Sphinx, doctree: nodes.document) -> None:
    """Give quotations that begin with **Note.** and the like a class of their own."""
    for quote in doctree.findall(nodes.block_quote):
        paragraph = next(iter(quote.findall(nodes.paragraph)), nodes.paragraph())
        # The parser puts an empty text before a strong word.
        first = next((child for child in paragraph.children if child.astext()), None)
        if isinstance(first, nodes.strong) and first.astext().endswith((".", "?", "!")):
            quote["classes"] += ["seg-box", f"seg-{BOXES.get(first.astext(), 'plain')}"]


def finish_page(
    app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Add the bar, the sizes of pictures and the tags for shared links to one page."""
    if doctree is None:
        return
    context["metatags"] = context.get("metatags", "") + _head_tags(app, context, doctree)
    body = re.sub(r"<img [^>]*>", lambda found: _sized(app, found[0]), context["body"])
    # A proven claim is a sentence: on a phone it wraps, where a printed table scrolls.
    body = re.sub(CLAIM, r'\1<span class="seg-claim">✓ \2</span>', body)
    if str(app.env.doc2path(pagename)).endswith(".ipynb"):
        body = body.replace("</h1>", "</h1>\n" + _notebook_bar(context), 1)
    context["body"] = body


def _notebook_bar(context: dict) -> str:
    """The links to Colab and to the file; the theme's unlabeled rocket goes."""
    groups = [b for b in context["header_buttons"] if b.get("label") == "launch-buttons"]
    buttons = [button for group in groups for button in group["buttons"]]
    links = [button["url"] for button in buttons if button["text"] == "Colab"]
    if len(links) != 1:
        raise SphinxError("no Colab link: is launch_buttons.colab_url set in _config.yml?")
    context["header_buttons"] = [b for b in context["header_buttons"] if b not in groups]
    file = context["pathto"]("_sources/" + context["sourcename"], 1)
    return (
        f'<p class="seg-bar"><a class="seg-colab" href="{escape(links[0])}">Open in Colab</a>'
        f'<a class="seg-download" href="{escape(file)}" download>Download notebook</a></p>'
    )


def _sized(app: Sphinx, tag: str) -> str:
    """An ``<img>`` of a notebook's output with its meant width and height."""
    found = re.search(r'src="[^"]*_images/([^"]+\.png)"', tag)
    if not found or " width=" in tag or "style=" in tag:
        return tag
    source = next((path for path, name in app.builder.images.items() if name == found[1]), None)
    header = (Path(app.srcdir) / source).read_bytes()[:24] if source else b""
    if header[:8] != b"\x89PNG\r\n\x1a\n":
        return tag
    width, height = (round(n / PIXELS_PER_CSS_PIXEL) for n in struct.unpack(">II", header[16:]))
    size = f' width="{width}" height="{height}" loading="lazy" decoding="async"'
    return re.sub(r"\s*/?>$", size + " />", tag)


def _head_tags(app: Sphinx, context: dict, doctree: nodes.document) -> str:
    """What a link to the page looks like when it is shared; the small icon; the fonts."""
    site = app.config.html_baseurl.rstrip("/")
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    text = text if len(text) <= 200 else text[:199].rsplit(" ", 1)[0] + " …"
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": context.get("pagetitle") or context["title"],
        "og:description": text,
        "og:url": f"{site}/{context['pagename']}.html",
        "og:image": f"{site}/{SOCIAL_IMAGE}",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "A drawn street scene that turns into its label map from left to right",
    }
    lines = [f'<meta property="{key}" content="{escape(value)}" />' for key, value in tags.items()]
    lines.append('<meta name="twitter:card" content="summary_large_image" />')
    icon = context["pathto"]("_static/favicon.png", 1)
    lines.append(f'<link rel="alternate icon" type="image/png" href="{escape(icon)}" />')
    for font in FIRST_FONTS:  # asked for at once, not when the style sheet has been read
        href = escape(context["pathto"](f"_static/fonts/{font}-latin-wght-normal.woff2", 1))
        lines.append(
            f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{href}" />'
        )
    lines.append(f'<meta name="description" content="{escape(text)}" />')
    return "\n".join(lines)


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Drop scripts that a page does not need; refuse pictures that are not there."""
    if exception or app.builder.name != "html":
        return
    out = Path(app.outdir)
    missing = []
    for page in set(out.rglob("*.html")) - set(out.glob("_static/**/*.html")):
        text = page.read_text(encoding="utf-8")
        scripts = r"fontawesome\.js" if 'class="math' in text else r"(?:fontawesome|tex-chtml)\.js"
        slim = re.sub(rf"<script [^>]*{scripts}[^>]*></script>\n?", "", text)
        if slim != text:
            page.write_text(slim, encoding="utf-8")
        for source in re.findall(r'<img [^>]*?src="([^"]+)"', slim):
            if not source.startswith(("data:", "http:", "https:")):
                target = page.parent / source.split("?")[0].split("#")[0]
                if not target.exists():
                    missing.append(f"{page.relative_to(out)}: {source}")
    leftovers = ("scripts/fontawesome.js*", "**/*.map", "*webpack-macros.html")
    for leftover in {path for name in leftovers for path in (out / "_static").glob(name)}:
        leftover.unlink()
    if missing:
        raise SphinxError("pictures that are not there:\n" + "\n".join(missing))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the jobs to Sphinx; 600 and 700 put ours after the theme's own (501)."""
    app.connect("config-inited", add_repository_to_path)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)  # before napoleon
    app.connect("source-read", check_notebook)
    app.connect("doctree-read", mark_boxes)
    app.connect("html-page-context", finish_page, priority=600)
    app.connect("build-finished", finish_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
