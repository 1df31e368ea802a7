"""The book's page on how long Streets-1 takes to learn, from what was measured."""

from __future__ import annotations

import datetime
import html
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from benchmarks.learning import Run

PAGE = Path(__file__).parents[1] / "book" / "reference" / "learning.md"
BEGIN, END = "<!-- learning: begin (generated) -->", "<!-- learning: end -->"
# Our time has to be at most a fifth, and a half, of these rows' time; by their place.
GOALS = {4: 5.0, 2: 2.0}
WIDTH, LINE = 360, 40  # the picture in units of its own


def write(runs: Sequence[Run], target: float) -> int:
    """Write the page; return 1 if a goal is missed, else 0.

    Args:
        runs: What was measured; the first is ours, which the others are compared with.
        target: The mean IoU that had to be reached.
    """
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE}: the lines {BEGIN!r} and {END!r} are missing")
    said = (
        f"Measured on one core, {datetime.date.today():%B %Y}, PyTorch "
        f"{torch.__version__.partition('+')[0]}. Our network needed "
        f"{median(runs[0].seconds):.0f} s of processor time."
    )
    parts = [before + begin, said, picture(runs, target), table(runs, target), end + after]
    PAGE.write_text("\n\n".join(parts), encoding="utf-8")
    missed = [runs[place].name for place, goal in GOALS.items() if ratio(runs, place) < goal]
    print(f"wrote {PAGE.name}; missed: {', '.join(missed) or 'nothing'}")
    return 1 if missed else 0


def ratio(runs: Sequence[Run], place: int) -> float:
    """How many times our time a row took, seed by seed, in the median."""
    pairs = zip(runs[place].seconds, runs[0].seconds, strict=True)
    return median(theirs / ours for theirs, ours in pairs)


def table(runs: Sequence[Run], target: float) -> str:
    """The numbers, as a Markdown table."""
    lines = [
        f"| What | Epochs | Times our time to mIoU {target:.2f} | mIoU then | Goal |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for place, run in enumerate(runs):
        scores = _span([f"{score:.2f}" for score in run.scores])
        goal = GOALS.get(place)
        reached = "" if goal is None else "✓" if ratio(runs, place) >= goal else "missed"
        lines.append(
            f"| {run.name} | {_span(run.epochs)} | {'' if run.arrived else 'more than '}"
            f"{ratio(runs, place):.1f} | {scores} | "
            f"{'' if goal is None else f'at least {goal:.0f} {reached}'} |"
        )
    return "\n".join(lines)


def picture(runs: Sequence[Run], target: float) -> str:
    """A bar a row, its length the time; open at the end where the goal was not reached."""
    longest = max(ratio(runs, place) for place in range(len(runs)))
    bars = []
    for place, run in enumerate(runs):
        top, length = place * LINE, (WIDTH - 90) * ratio(runs, place) / longest
        color = "var(--seg-accent, #0f766e)" if place == 0 else "var(--seg-warm, #b45309)"
        bars.append(
            f'<text x="4" y="{top + 12}" font-size="10.5">{html.escape(run.name)}</text>'
            f'<rect x="4" y="{top + 18}" width="{max(length, 1):.1f}" height="13" rx="2" '
            f'fill="{color}" stroke="none"/>'
            f'<text x="{length + 10:.1f}" y="{top + 28.5}" font-size="10.5" font-weight="600">'
            f"{'' if run.arrived else '> '}{ratio(runs, place):.1f} ×</text>"
        )
    told = "; ".join(f"{run.name}: {'' if run.arrived else 'more than '}{ratio(runs, i):.1f}"
                     for i, run in enumerate(runs))  # fmt: skip
    return (
        '<figure style="max-width:32rem;margin:1.5em auto">'
        f'<svg role="img" aria-label="{html.escape(told)}" viewBox="0 0 {WIDTH} '
        f'{len(runs) * LINE}" style="width:100%;height:auto" fill="currentColor" stroke="none" '
        f'font-family="inherit">{"".join(bars)}</svg>'
        '<figcaption style="text-align:center;font-size:.9em;opacity:.8">'
        f"Processor time of training until mean IoU {target:.2f}, as a multiple of ours; with "
        "“>”, stopped before it got there.</figcaption></figure>"
    )


def _span(values: Sequence[int] | Sequence[str]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
