"""The moving figure of the chapter on region losses: losses against error and class size."""

from __future__ import annotations

from segtutor.figures.moving import MovingFigure

SIZES = (2, 5, 10, 20, 50, 100, 200, 500)  # pixels of the rare class, of a thousand
SURE = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def loss_curves(
    rare: int = 10,
    *,
    missed: int | None = None,
    sure: float = 0.95,
    caption: str = "",
    alt: str = "Five losses drawn against the share of a rare class that is missed.",
) -> MovingFigure:
    """Cross-entropy, focal, Dice, Tversky and Lovász while a rare class gets lost.

    Of a thousand pixels a few belong to a rare class; some of them are missed, all other pixels
    are right, and the prediction is equally sure everywhere. The reader sets all three. The
    curves show what each loss says, the bars how much of its gradient pulls at the missed pixels.

    Args:
        rare: Pixels of the rare class, of a thousand: 2, 5, 10, 20, 50, 100, 200 or 500.
        missed: How many of them are missed; half if left out.
        sure: The probability that each pixel's predicted class gets: 0.6 to 0.99.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> loss_curves(10)
        Moving figure: five losses for a class of 10 in 1,000 pixels (open the page to move it)
    """
    for name, value, known in (("rare", rare, SIZES), ("sure", sure, SURE)):
        if value not in known:
            listed = ", ".join(map(str, known))
            raise ValueError(f"{name}={value!r} is no stop of its slider: take one of {listed}")
    missed = rare // 2 if missed is None else missed
    if missed not in range(rare + 1):
        raise ValueError(f"missed={missed!r} has to be a whole number from 0 to rare={rare}")
    return MovingFigure(
        "loss-curves",
        {"rare": rare, "missed": missed, "sure": sure},
        still=_still(rare, missed),
        summary=f"five losses for a class of {rare} in 1,000 pixels",
        caption=caption,
        alt=alt,
    )


def _still(rare: int, missed: int) -> str:
    """The thousand pixels without their losses, for pages where no script may run."""
    columns, side = 50, 12
    squares = []
    for i in range(rare):
        x, y = i // 20 * side, i % 20 * side
        fill = "none" if i < missed else "#0f766e"
        squares.append(
            f'<rect x="{x + 2}" y="{y + 2}" width="8" height="8" fill="{fill}" stroke="#b45309"/>'
        )
    return (
        f'<svg role="img" aria-label="{rare} of 1,000 pixels, {missed} of them missed" '
        f'viewBox="0 0 {columns * side} 240" style="max-width:600px;width:100%;height:auto" '
        f'stroke="currentColor"><path d="M0 0h600v240h-600z" fill="none"/>{"".join(squares)}</svg>'
    )
