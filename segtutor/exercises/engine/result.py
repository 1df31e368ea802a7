"""What `check`, `hint` and `solution` return: values that show themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from segtutor.listing import Listing

Outcome = Literal["not attempted", "crashed", "wrong", "right"]

# A sign as well as a color; each color can be read on white and on near-black.
_LOOKS = {
    "not attempted": ("○", "#7a828c"),
    "crashed": ("!", "#c2700a"),
    "wrong": ("✗", "#d0453c"),
    "right": ("✓", "#1f9254"),
}
_HELP_COLOR = "#3b7fc4"


@dataclass(frozen=True)
class Result:
    """The outcome of a check: one diagnosis, with the evidence folded under it."""

    name: str
    outcome: Outcome
    message: str
    mistake: str | None = None
    """The tag of the mistake, when it is a known one."""
    details: dict[str, str] = field(default_factory=dict)
    timed_out: bool = False

    def __repr__(self) -> str:
        sign, _ = _LOOKS[self.outcome]
        lines = [f"{sign} {self.name}: {self.outcome}", self.message]
        for title, text in self.details.items():
            lines.append(f"{title}:" + ("\n" + text if "\n" in text else f" {text}"))
        return lines[0] + "\n" + "\n".join(_indented(line) for line in lines[1:])

    def _repr_html_(self) -> str:
        sign, color = _LOOKS[self.outcome]
        rows = "".join(
            f'<div style="margin-top:.5em">{escape(title)}</div>{_preformatted(text)}'
            for title, text in self.details.items()
        )
        fold = f"<details><summary>Details</summary>{rows}</details>" if rows else ""
        title = f'<span aria-hidden="true">{sign}</span> {escape(self.name)}: {self.outcome}'
        return _box(color, title, _paragraph(self.message) + fold)


@dataclass(frozen=True)
class Help:
    """A hint, or a solution with the reason why."""

    title: str
    message: str
    listing: Listing | None = None

    def __repr__(self) -> str:
        parts = [self.title, _indented(self.message)]
        if self.listing is not None:
            parts.insert(1, repr(self.listing))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        code = "" if self.listing is None else self.listing._repr_html_()
        return _box(_HELP_COLOR, escape(self.title), code + _paragraph(self.message))


def _box(color: str, title: str, body: str) -> str:
    return (
        f'<div style="border-left:4px solid {color};padding:.3em 0 .3em .9em;margin:.6em 0">'
        f'<div style="font-weight:600">{title}</div>{body}</div>'
    )


def _paragraph(text: str) -> str:
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return f'<div style="margin:.3em 0;white-space:pre-line">{html}</div>'


def _preformatted(text: str) -> str:
    style = "margin:.2em 0;padding:0;border:0;background:none;color:inherit;overflow-x:auto"
    return f'<pre tabindex="0" style="{style}">{escape(text)}</pre>'


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))
