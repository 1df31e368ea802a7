"""The moving figure of the chapter on DeepLab: which pixels a stack of dilated layers sees."""

from __future__ import annotations

from collections.abc import Sequence

from segtutor.figures.checks import within
from segtutor.figures.moving import MovingFigure

MOST_LAYERS, LARGEST_RATE = 4, 9


def dilation_holes(
    rates: Sequence[int],
    *,
    caption: str = "",
    alt: str = "A square of pixels; those that reach the output through dilated layers are filled.",
) -> MovingFigure:
    """The input pixels that reach one output through a stack of dilated 3×3 layers.

    The reader can add, remove and change rates, and walk over the pixels by mouse, touch or
    keyboard to read how many paths lead from each to the output.

    Args:
        rates: The layers' dilations, from the input up: one to four, each 1 to 9.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> dilation_holes([1, 2, 5])
        Moving figure: what 3 layers with dilations 1, 2, 5 see (open the page to move it)
    """
    if not 1 <= len(rates) <= MOST_LAYERS:
        raise ValueError(f"rates has {len(rates)} entries: this figure draws one to {MOST_LAYERS}")
    for index, rate in enumerate(rates):
        within(f"rates[{index}]", rate, 1, LARGEST_RATE)
    stack = [int(rate) for rate in rates]
    plural = "s" * (len(stack) > 1)
    return MovingFigure(
        "dilation-holes",
        {"rates": stack},
        still=_field(stack),
        summary=f"what {len(stack)} layer{plural} with dilation{plural} "
        f"{', '.join(map(str, stack))} see{'s' * (len(stack) == 1)}",
        caption=caption,
        alt=alt,
    )


def paths_in_a_row(rates: Sequence[int]) -> list[int]:
    """How many paths lead from each pixel of a row to the output in its middle.

    Example:
        >>> paths_in_a_row([1, 2])
        [1, 1, 2, 1, 2, 1, 1]
    """
    counts = [1]
    for rate in rates:
        wider = [0] * (len(counts) + 2 * rate)
        for tap in (0, rate, 2 * rate):
            for place, count in enumerate(counts):
                wider[place + tap] += count
        counts = wider
    return counts


def _field(rates: list[int]) -> str:
    """The pixels that are seen, as a still SVG."""
    row = paths_in_a_row(rates)
    side, most = len(row), max(row) ** 2
    squares = "".join(
        f'<rect x="{x}.1" y="{y}.1" width=".8" height=".8" '
        f'fill-opacity="{0.25 + 0.75 * a * b / most:.2f}"/>'
        for y, a in enumerate(row)
        for x, b in enumerate(row)
        if a and b
    )
    return (
        f'<svg role="img" aria-label="the pixels that are seen" viewBox="0 0 {side} {side}" '
        f'style="max-width:20rem;width:100%;height:auto;border:1px solid" fill="#0f766e">'
        f"{squares}</svg>"
    )
