"""What all moving figures share: one HTML text that carries its own script and style."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

WHERE_IT_MOVES = (
    "This picture moves where its script may run: on the book's page, in Colab, "
    "or in a notebook that you trust."
)

CAPTION = "text-align:center;font-size:.9em;opacity:.8;margin:.6em auto 0;max-width:46rem"


class MovingFigure:
    """A figure that the reader can touch, as one self-contained piece of HTML.

    Attributes:
        html: The figure, its script and its style. The same text at every run.
        summary: One line about it, shown where HTML is not.
    """

    def __init__(
        self,
        kind: str,
        settings: Mapping[str, Any],
        *,
        still: str,
        summary: str,
        caption: str,
        alt: str,
    ) -> None:
        for name, text in (("caption", caption), ("alt", alt)):
            if not isinstance(text, str):
                raise TypeError(f"{name} must be a str, got {type(text).__name__}: {text!r}")
        if not alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows")
        self.summary = summary
        data = html.escape(json.dumps(settings, separators=(",", ":"), ensure_ascii=False))
        words = (
            f'<figcaption style="{CAPTION}">{html.escape(caption)}</figcaption>\n'
            if caption
            else ""
        )
        # data-lm-suppress-shortcuts: otherwise JupyterLab takes the arrow keys for itself.
        self.html = (
            '<figure class="seg-figure" style="margin:1.5em 0">\n'
            f'<seg-{kind} role="group" aria-label="{html.escape(alt)}" style="display:block"'
            f' data-lm-suppress-shortcuts="true" data-figure="{data}">\n'
            f"{still}\n<p><small>{WHERE_IT_MOVES}</small></p>\n</seg-{kind}>\n"
            f"{words}</figure>\n<script>\n{_script(kind)}</script>"
        )

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Moving figure: {self.summary} (open the page to move it)"


@functools.cache
def _script(kind: str) -> str:
    """The figure's JavaScript in one closed function: nothing leaks into the page."""
    folder = resources.files("segtutor.figures") / "js"
    sharing = {
        "window.js": ("sliding-window", "pooling-window", "unpooling"),
        "grid.js": ("attention", "pyramid-bins"),
    }
    shared = [name for name, kinds in sharing.items() if kind in kinds]
    read = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in ("chrome.css", "chrome.js", *shared, f"{kind.replace('-', '_')}.js")
    }
    css, *scripts = read.values()
    code = "\n".join([f"const CSS = {json.dumps(css)};", *scripts])
    return f"(() => {{\n{code}}})();\n"
