"""The moving figures of the chapter on training: schedules, and a training replayed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segtutor.figures.drawing import ACCENT, INK
from segtutor.figures.labelmaps import _bytes, _jpeg, _runs
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, class_colors, colorize

if TYPE_CHECKING:
    from segtutor.training import History

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


def training_replay(
    history: History,
    scenes: Any,
    *,
    names: Sequence[str] | None = None,
    colors: Sequence[str] = PALETTE,
    caption: str = "",
    alt: str = "A training epoch by epoch: its curves, and what it predicted for a few pictures.",
) -> MovingFigure:
    """A training to go through epoch by epoch, its predictions beside its curves.

    Args:
        history: What `fit(..., pictures=k)` returned.
        scenes: Pairs of a picture (3, H, W) and labels (H, W): the data set that `fit` took the
            pictures from, `val`, or a list of its first k pairs.
        names: Name of each class; those that the history knows if left out.
        colors: Color of each class and, last, of void, as "#rrggbb".
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> import torch
        >>> from segtutor.training import History
        >>> history = History(["wall"])
        >>> history.add({"epoch": 1, "train_loss": 0.5})
        >>> history.pictures.append([torch.zeros(4, 6, dtype=torch.uint8)])
        >>> scene = torch.rand(3, 4, 6), torch.zeros(4, 6, dtype=torch.long)
        >>> training_replay(history, [scene], colors=["#7a5648", "#111111"])
        Moving figure: a training of 1 epoch with 1 picture (open the page to move it)
    """
    if not history.pictures:
        raise ValueError("history holds no pictures: train with fit(..., pictures=3)")
    names = history.class_names if names is None else list(names)
    if names is None:
        raise ValueError("names is None, and the history knows no classes: give their names")
    colors = class_colors(names, colors)
    shown = [
        _scene(*scenes[i], [each[i] for each in history.pictures], len(names))
        for i in range(len(history.pictures[0]))
    ]
    columns = {name: _plain(history[name]) for name in ("train_loss", "val_loss", "mean_iou", "iou")
               if name in history.rows[0]}  # fmt: skip
    first, said = scenes[0], history.pictures[-1][0]
    still = np.concatenate(
        [_bytes(first[0]), colorize(said.cpu(), colors), colorize(first[1], colors)], axis=1
    )
    epochs, count = len(history.pictures), len(shown)
    return MovingFigure(
        "training-replay",
        {"epochs": epochs, "names": names, "colors": colors, "scenes": shown, **columns},
        still=f'<img src="{_jpeg(still)}" alt="a picture, the last prediction, the label map" '
        'width="100%">',
        summary=f"a training of {epochs} epoch{'s' * (epochs != 1)} with {count} "
        f"picture{'s' * (count != 1)}",
        caption=caption,
        alt=alt,
    )


def _scene(image: Any, labels: Any, said: Sequence[Any], num_classes: int) -> dict[str, Any]:
    """One picture, its label map, and a prediction an epoch; the maps as run lengths."""
    picture, truth = _bytes(image), as_label_map(labels, num_classes)
    maps = [as_label_map(each, num_classes) for each in said]
    for name, each in (("labels", truth), ("history.pictures", maps[0])):
        if each.shape != picture.shape[:2]:
            raise ValueError(
                f"{name} has a map {each.shape} for a picture {picture.shape[:2]}: give the "
                "data set that fit took the pictures from"
            )
    return {
        "photo": _jpeg(picture),
        "height": truth.shape[0],
        "width": truth.shape[1],
        "truth": _runs(truth),
        "said": [_runs(each) for each in maps],
    }


def _plain(values: Any) -> Any:
    """Numbers for JSON: four decimals, None where there is none."""
    if isinstance(values, list):
        return [_plain(each) for each in values]
    return round(float(values), 4) if math.isfinite(values) else None


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
