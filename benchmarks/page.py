"""Measure everything and write the book's page of speeds: `python -m benchmarks.page`.

Exits with 1 if a goal is missed; the page then says so too.
"""

from __future__ import annotations

import datetime
import html
import math
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.alternating import Row, line

MODULES = ("convolution", "pooling", "upsampling", "losses", "metrics", "models")
PAGE = Path(__file__).parents[1] / "book" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks: begin (generated) -->", "<!-- benchmarks: end -->"
WIDTH, HEIGHT, LEFT = 360, 52, 4  # the picture in units of its own; a line; the margin


def main() -> int:
    """Measure, print, write the page, and say whether every goal is reached."""
    measured: dict[str, list[Row]] = {}
    for name in MODULES:
        print(f"── {name}", flush=True)
        measured[name] = import_module(f"benchmarks.{name}").rows()
        print(*map(line, measured[name]), sep="\n", flush=True)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(page, measured), encoding="utf-8")
    missed = [row for rows in measured.values() for row in rows if not row.reached]
    print(f"\nwrote {PAGE.name}; {len(missed)} goals missed")
    return 1 if missed else 0


def written(page: str, measured: dict[str, list[Row]]) -> str:
    """The page with everything between its two marks written anew."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE}: the lines {BEGIN!r} and {END!r} are missing")
    where = "one GPU" if torch.cuda.is_available() else f"one of {os.cpu_count()} CPU cores"
    parts = [f"Measured on {where}, {datetime.date.today():%B %Y}, PyTorch "
             f"{torch.__version__.partition('+')[0]}."]  # fmt: skip
    for name, rows in measured.items():
        parts += [f"## {name.capitalize()}", picture(name, rows), table(rows)]
    return "\n\n".join([before + begin, *parts, end + after])


def table(rows: Sequence[Row]) -> str:
    """The numbers, as a Markdown table."""
    lines = [
        "| What | Beside | Times as fast | Peak memory | Goal |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for row in rows:
        memory = "" if row.memory is None else f"{row.memory:.2f} ×"
        goal = "" if row.goal is None else f"{row.goal:.2g} × "
        goal += "" if row.goal is None else ("✓" if row.reached else "missed")
        lines.append(
            f"| `{row.ours}`: {row.what} | `{row.peer}` | {row.faster:.2f} × | {memory} | {goal} |"
        )
    return "\n".join(lines)


def picture(name: str, rows: Sequence[Row]) -> str:
    """Bars on a logarithmic scale: to the right of 1 ours is faster, to the left the peer.

    Drawn in the page's own ink, and narrow enough to be read on a phone.
    """
    ends = [row.faster for row in rows] + [row.goal for row in rows if row.goal] + [0.5, 2.0]
    low, high = math.log(min(ends)), math.log(max(ends))

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - 2 * LEFT - 56) * (math.log(ratio) - low) / (high - low)

    one, bars = x(1.0), []
    for number, row in enumerate(rows):
        top, end = number * HEIGHT, x(row.faster)
        color = "var(--seg-accent, #0f766e)" if row.faster >= 1 else "var(--seg-warm, #b45309)"
        words, what = html.escape(f"{row.ours} beside {row.peer}"), html.escape(row.what)
        bars.append(
            f'<text x="{LEFT}" y="{top + 11}" font-size="10.5">{words}</text>'
            f'<text x="{LEFT}" y="{top + 22}" font-size="8.5" opacity=".75">{what}</text>'
            f'<rect x="{min(one, end):.1f}" y="{top + 28}" width="{max(abs(end - one), 1):.1f}" '
            f'height="13" rx="2" fill="{color}" stroke="none"/>'
            f'<text x="{max(one, end) + 5:.1f}" y="{top + 38.5}" font-size="10.5" '
            f'font-weight="600">{row.faster:.1f} ×</text>'
            f'<path class="one" d="M{one:.1f} {top + 26}v17" stroke="currentColor" '
            'stroke-dasharray="2 3"/>'
        )
        if row.goal:
            mark = f'd="M{x(row.goal):.1f} {top + 25}v19" stroke="currentColor" stroke-width="2"'
            bars.append(f"<path {mark}/>")
    height = len(rows) * HEIGHT
    told = "; ".join(
        f"{row.ours} beside {row.peer}: {row.faster:.1f} times as fast" for row in rows
    )
    return (
        f'<figure style="max-width:32rem;margin:1.5em auto">'
        f'<svg role="img" aria-label="{html.escape(told)}" viewBox="0 0 {WIDTH} {height}" '
        'style="width:100%;height:auto" fill="currentColor" stroke="none" '
        f'font-family="inherit">{"".join(bars)}</svg>'
        '<figcaption style="text-align:center;font-size:.9em;opacity:.8">'
        f"{name.capitalize()}: how many times as fast as the other library. Dotted: equally fast. "
        "Upright strokes: the goals.</figcaption></figure>"
    )


if __name__ == "__main__":
    sys.exit(main())
