"""Show the package's own source: the listing that is read is the code that is tested."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["Listing", "show"]

# Inline, because Colab and JupyterLab know nothing of the book's style sheet. The three
# selectors of the dark colors are the book's, JupyterLab's and Colab's.
_STYLE = """
.seg-listing{margin:.6em 0;border-left:3px solid var(--seg-accent,#0f766e);padding:.1em 0 .1em 1em}
.seg-listing pre{margin:0;padding:0;border:0;background:none;color:inherit;overflow-x:auto;
font-size:13px;line-height:1.55;white-space:pre}
.seg-listing figcaption{font-size:13px;opacity:.75;margin-bottom:.3em;text-align:left}
.seg-listing{--k:#8a1c7c;--f:#0b5cad;--s:#2f6b1f;--m:#9a4a00;--c:#5f6b76}
html[data-theme=dark] .seg-listing,[data-jp-theme-light=false] .seg-listing,
html[theme=dark] .seg-listing{--k:#e6a2dd;--f:#8cc4ff;--s:#a8d894;--m:#f5b971;--c:#a3adb8}
.seg-listing :is(.k,.kn,.kc,.ow){color:var(--k);background:none}
.seg-listing :is(.nf,.nc,.nd,.fm){color:var(--f);background:none}
.seg-listing :is(.s1,.s2,.sa,.si,.se){color:var(--s);background:none}
.seg-listing :is(.mi,.mf){color:var(--m);background:none}
.seg-listing :is(.c1,.sd){color:var(--c);background:none;font-style:italic}
""".strip()


@dataclass(frozen=True)
class Listing:
    """A piece of source text that shows itself, in a page, a notebook or a terminal."""

    code: str
    """The text, letter for letter as in the file, dedented."""
    caption: str
    """Where it stands, from the package's folder on."""

    def __repr__(self) -> str:
        text = f"# {self.caption}\n{self.code}"
        if not sys.stdout.isatty():
            return text
        from pygments import highlight
        from pygments.formatters import TerminalFormatter
        from pygments.lexers import PythonLexer

        return highlight(text, PythonLexer(), TerminalFormatter()).rstrip("\n")

    def _repr_html_(self) -> str:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        code = highlight(self.code, PythonLexer(), HtmlFormatter(nowrap=True))
        return (
            f"<style>{_STYLE}</style>"
            f'<figure class="seg-listing"><figcaption><code>{escape(self.caption)}</code>'
            f'</figcaption><pre tabindex="0"><code>{code}</code></pre></figure>'
        )


def show(thing: Any, *, docstring: bool = False) -> Listing:
    """Show the source of a function, a class or a module.

    Args:
        thing: A function, a method, a class or a module that was written in Python.
        docstring: Whether to show the docstrings too. A chapter explains in its own words, so
            they are left out there; nothing else ever is.

    Returns:
        A listing that displays itself: highlighted in a page, in Colab and in a terminal.

    Raises:
        TypeError: There is no Python source to show.

    Example:
        >>> from segtutor.ops import effective_kernel
        >>> print(show(effective_kernel).code.splitlines()[-1].strip())
        return dilation * (kernel - 1) + 1
    """
    try:
        code = textwrap.dedent(inspect.getsource(thing)).rstrip("\n")
        # Beneath a decorator such as `torch.no_grad()`: its own file is not the one to name.
        path = Path(inspect.getsourcefile(inspect.unwrap(thing)) or "")
    except (TypeError, OSError) as error:
        raise TypeError(
            f"there is no Python source to show for {thing!r}: pass a function, class or module "
            "itself, not its result or its name"
        ) from error
    caption = path.name
    if "segtutor" in path.parts:
        package = len(path.parts) - 1 - path.parts[::-1].index("segtutor")
        caption = "/".join(path.parts[package:])
    return Listing(code if docstring else _without_docstrings(code), caption)


def _without_docstrings(code: str) -> str:
    """The same lines, less those of docstrings and the blank line after each."""
    lines = code.splitlines()
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            continue
        if ast.get_docstring(node) is None or len(node.body) == 1:
            continue
        last = node.body[0].end_lineno or 0
        dropped.update(range(node.body[0].lineno - 1, last))
        if last < len(lines) and not lines[last].strip():
            dropped.add(last)
    return "\n".join(line for index, line in enumerate(lines) if index not in dropped)
