"""The moving figure of the chapter on cross-entropy: logits, softmax, loss and gradient."""

from __future__ import annotations

import html
from collections.abc import Sequence

from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, rgb

LOWEST, HIGHEST = -8, 8  # the ends of a slider


def logits(
    logits: Sequence[float] = (2.0, 1.0, -1.0),
    *,
    names: Sequence[str] = ("road", "car", "person"),
    label: int | None = 1,
    colors: Sequence[str] = (PALETTE[2], PALETTE[5], PALETTE[6]),
    caption: str = "",
    alt: str = "One slider a class for its logit; bars for its probability and its gradient.",
) -> MovingFigure:
    """One pixel's logits as sliders, with its probabilities, cross-entropy and gradient.

    The reader moves the logits, chooses the label or makes the pixel void, adds one number to
    all logits, and sets temperature and label smoothing.

    Args:
        logits: One number a class, two to five, multiples of ½ from −8 to 8.
        names: One name a class.
        label: The class that the pixel has; None is void.
        colors: One color a class, "#rrggbb".
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> logits((2.0, 0.5), names=("road", "car"), label=0)
        Moving figure: the logits of 2 classes at one pixel (open the page to move it)
    """
    numbers = [float(value) for value in logits]
    if not 2 <= len(numbers) <= 5:
        raise ValueError(
            f"logits has {len(numbers)} numbers: this figure draws two to five classes"
        )
    for value in numbers:
        if not LOWEST <= value <= HIGHEST or value * 2 != int(value * 2):
            raise ValueError(
                f"logits contains {value:g}: a slider stops at multiples of ½ from −8 to 8"
            )
    if len(names) != len(numbers) or len(colors) < len(numbers):
        raise ValueError(
            f"{len(numbers)} logits need as many names and colors, got {len(names)} names and "
            f"{len(colors)} colors"
        )
    if label is not None and label not in range(len(numbers)):
        raise ValueError(f"label={label!r} has to be 0 to {len(numbers) - 1}, or None for void")
    for color in colors:
        rgb(color)  # raises where it is no color
    settings = {
        "logits": numbers,
        "names": list(names),
        "label": label,
        "colors": list(colors[: len(numbers)]),
    }
    return MovingFigure(
        "logits",
        settings,
        still=_table(numbers, names, label),
        summary=f"the logits of {len(numbers)} classes at one pixel",
        caption=caption,
        alt=alt,
    )


def _table(numbers: list[float], names: Sequence[str], label: int | None) -> str:
    """Names and logits, for pages where no script may run."""
    rows = "".join(
        f"<tr><td>{html.escape(name)}{' (the label)' if i == label else ''}</td>"
        f'<td style="text-align:right">{value:g}</td></tr>'
        for i, (name, value) in enumerate(zip(names, numbers, strict=True))
    )
    return f"<table><tr><th>class</th><th>logit</th></tr>{rows}</table>"
