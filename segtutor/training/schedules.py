"""Schedules: how large the learning rate is at each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["SCHEDULES", "Schedule", "factors", "learning_rates", "plateau_factor"]

Schedule = str | Callable[[float], float]

RISE, START, END = 0.3, 25.0, 1e4  # one cycle: share of the rise; peak / start; start / end
POWER = 0.9  # poly
DROP, WAIT, BETTER = 0.1, 3, 1e-4  # plateau: factor, epochs of patience, relative gain that counts


def _poly(step: int, steps: int) -> float:
    return (1 - step / steps) ** POWER


def _cosine(step: int, steps: int) -> float:
    return (1 + math.cos(math.pi * step / steps)) / 2


def _one_cycle(step: int, steps: int) -> float:
    top, last = RISE * steps - 1, steps - 1
    low, done = (1 / START, step / top) if step <= top else (1 / (START * END), None)
    if done is None:  # on the way down
        done = 1 - (step - top) / (last - top)
    return low + (1 - low) * (1 - math.cos(math.pi * done)) / 2


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": lambda step, steps: 1.0,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "plateau": lambda step, steps: 1.0,
    "poly": _poly,
}


def factors(schedule: Schedule, steps: int, *, warm_up: float = 0.0) -> list[float]:
    """Return what the learning rate is multiplied by at each step; arguments as below."""
    if not callable(schedule) and schedule not in SCHEDULES:
        raise ValueError(
            f"schedule={schedule!r} has to be one of {', '.join(SCHEDULES)}, or a function from "
            "progress, 0 to 1, to a factor"
        )
    if not 0 <= warm_up < 1:
        raise ValueError(f"warm_up={warm_up} has to be a share of the steps, from 0 to below 1")
    if warm_up and schedule == "one_cycle":
        raise ValueError(f"warm_up={warm_up}, but one_cycle rises by itself: leave warm_up at 0")
    warm = round(warm_up * steps)
    rest = steps - warm
    rise = [(step + 1) / (warm + 1) for step in range(warm)]
    if callable(schedule):
        return rise + [float(schedule(step / rest)) for step in range(rest)]
    return rise + [SCHEDULES[schedule](step, rest) for step in range(rest)]


def learning_rates(
    schedule: Schedule, steps: int, learning_rate: float, *, warm_up: float = 0.0
) -> list[float]:
    """Return the learning rate of every step: what `fit` uses.

    Args:
        schedule: "constant"; "poly", (1 − t/M)^0.9; "cosine", half a wave down to 0; "one_cycle",
            up from a 25th during 30 % of the steps, then down to nearly 0; "plateau", constant
            here, for it waits for a loss that no longer falls; or a function from progress
            t/M to a factor. t counts the steps from 0.
        steps: How many steps the training has, M.
        learning_rate: The peak.
        warm_up: The share of the steps during which the rate first grows to the peak in a
            straight line; the schedule has the others.

    Returns:
        A list of `steps` rates.

    Example:
        >>> [round(rate, 2) for rate in learning_rates("cosine", 4, 1.0)]
        [1.0, 0.85, 0.5, 0.15]
        >>> [round(rate, 2) for rate in learning_rates("constant", 4, 1.0, warm_up=0.5)]
        [0.33, 0.67, 1.0, 1.0]
    """
    return [learning_rate * factor for factor in factors(schedule, steps, warm_up=warm_up)]


def plateau_factor(losses: Sequence[float]) -> float:
    """Return the factor of "plateau" after epochs with these validation losses.

    A tenth each time that more than three epochs in a row brought no loss below the best.

    Example:
        >>> losses = [0.9, 0.5, 0.5, 0.6, 0.5, 0.7]
        >>> plateau_factor(losses[:5]), plateau_factor(losses)
        (1.0, 0.1)
    """
    factor, best, waited = 1.0, math.inf, 0
    for loss in losses:
        better = loss < best * (1 - BETTER)
        best, waited = (loss, 0) if better else (best, waited + 1)
        if waited > WAIT:
            factor, waited = factor * DROP, 0
    return factor
