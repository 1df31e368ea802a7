"""The moving figures of the chapter on training: schedules, and a training replayed."""

from __future__ import annotations

from collections.abc import Sequence

from segtutor.figures.drawing import ACCENT, INK
from segtutor.figures.moving import MovingFigure

PEAKS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
EACH = (1, 2, 5, 10, 25, 50, 100)  # steps an epoch
# A training that stands still twice. The reader may draw another one.
LOSSES = (
    0.92, 0.74, 0.60, 0.53, 0.49, 0.48, 0.49, 0.48, 0.49, 0.48, 0.40, 0.37, 0.36, 0.35, 0.35,
    0.36, 0.35, 0.35, 0.35, 0.33, 0.32, 0.32, 0.32, 0.33, 0.32, 0.32, 0.32, 0.32, 0.31, 0.31,
    0.31, 0.31, 0.32, 0.31, 0.31, 0.31, 0.31, 0.31, 0.31, 0.31,
)  # fmt: skip


def schedules(
    schedule: str = "one_cycle",
    *,
    epochs: int = 20,
    steps: int = 10,
    learning_rate: float = 3e-3,
    warm_up: float = 0.0,
    caption: str = "",
    alt: str = "The learning rate of every step of a training, for a schedule of one's choice.",
) -> MovingFigure:
    """The learning rate of every step, by a schedule, a peak and a warm-up of one's choice.

    The rates are those of `segtutor.training.learning_rates`, and so those of `fit`. For
    "plateau" the reader draws the validation losses, and sees when the rate drops.

    Args:
        schedule: "constant", "poly", "cosine", "one_cycle" or "plateau".
        epochs: From 2 to 40.
        steps: Steps an epoch: 1, 2, 5, 10, 25, 50 or 100.
        learning_rate: The peak, 1 or 3 of a power of ten from 1e-4 to 1e-1.
        warm_up: The share of the steps that warm up, from 0 to 0.5 by 0.05.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> schedules("poly")
        Moving figure: the learning rates of poly over 200 steps (open the page to move it)
    """
    from segtutor.training import schedules as those

    for name, value, known in (
        ("schedule", schedule, list(those.SCHEDULES)),
        ("epochs", epochs, range(2, len(LOSSES) + 1)),
        ("steps", steps, EACH),
        ("learning_rate", learning_rate, PEAKS),
        ("warm_up", warm_up, [i / 20 for i in range(11)]),
    ):
        if value not in known:
            raise ValueError(
                f"{name}={value!r} is no stop of its control: take one of {_listed(known)}"
            )
    warm_up = 0.0 if schedule == "one_cycle" else warm_up
    shares = those.factors(schedule, epochs * steps, warm_up=warm_up)
    return MovingFigure(
        "schedules",
        {
            "schedule": schedule,
            "epochs": epochs,
            "each": steps,
            "learning_rate": learning_rate,
            "warm_up": warm_up,
            "losses": LOSSES,
            "constants": {
                "rise": those.RISE,
                "start": those.START,
                "end": those.END,
                "power": those.POWER,
                "drop": those.DROP,
                "wait": those.WAIT,
                "better": those.BETTER,
            },
        },
        still=_still(shares),
        summary=f"the learning rates of {schedule} over {epochs * steps} steps",
        caption=caption,
        alt=alt,
    )


def _listed(known: Sequence[object]) -> str:
    if isinstance(known, range):
        return f"{known[0]} to {known[-1]}"
    return ", ".join(map(str, known))


def _still(shares: list[float]) -> str:
    """One curve without its controls, for pages where no script may run."""
    points = " ".join(
        f"{600 * i / max(len(shares) - 1, 1):.1f},{200 - 190 * share:.1f}"
        for i, share in enumerate(shares)
    )
    return (
        '<svg role="img" aria-label="learning rate against the step" viewBox="0 0 600 204" '
        f'style="max-width:600px;width:100%;height:auto"><path d="M0 202H600" stroke="{INK}"/>'
        f'<polyline points="{points}" fill="none" stroke="{ACCENT}" stroke-width="3"/></svg>'
    )
