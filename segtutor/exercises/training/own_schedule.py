"""A schedule of one's own, judged on a problem whose noise can be computed exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

from segtutor.exercises.engine import Exercise, Requirement

STEPS, START, NOISE = 200, 10.0, 0.3
CURVATURES = (1.0, 0.03)
GOAL = 0.02

STUB = '''
def own_schedule(progress):
    """A factor from 0 to 1 on the learning rate, for progress from 0 to 1.

    progress: step / steps, as `fit(..., schedule=own_schedule)` calls it.
    """
    raise NotImplementedError
'''


def own_schedule():
    """Half a wave, from 1 down to 0."""

    def schedule(progress):
        return (1 + math.cos(math.pi * progress)) / 2

    return schedule


def expected_loss(schedule: Callable[[float], float]) -> float:
    """The mean loss after 200 steps of noisy descent from w = (10, 10), exactly.

    The loss is ½(1·w₁² + 0.03·w₂²), the peak of the learning rate 1, and every gradient carries
    noise of standard deviation 0.3. A step multiplies the mean square of a weight by
    (1 − ηλ)² and adds η²·0.3²: no dice are needed.
    """
    squares = [START**2] * len(CURVATURES)
    for step in range(STEPS):
        rate = float(schedule(step / STEPS))
        squares = [
            (1 - rate * curvature) ** 2 * square + (rate * NOISE) ** 2
            for curvature, square in zip(CURVATURES, squares, strict=True)
        ]
    return sum(c * s for c, s in zip(CURVATURES, squares, strict=True)) / 2


def _factors(schedule: Callable[[float], float]) -> list[float]:
    return [float(schedule(step / STEPS)) for step in range(STEPS)]


def _not_callable(schedule):
    if callable(schedule):
        return None
    return (
        f"A function from progress to a factor is asked for; this is of type "
        f"`{type(schedule).__name__}`."
    )


def _no_number(schedule):
    values = [schedule(step / STEPS) for step in range(STEPS)]
    if all(hasattr(value, "__float__") and math.isfinite(float(value)) for value in values):
        return None
    return "Some progress gets no number from you: return one finite factor for each."


def _out_of_range(schedule):
    factors = _factors(schedule)
    if min(factors) >= -1e-6 and max(factors) <= 1 + 1e-6:  # (1 - 0.7) / 0.3 is above 1
        return None
    return (
        f"Your factors run from {min(factors):.2f} to {max(factors):.2f}; they have to stay "
        "between 0 and 1, for the learning rate is the peak."
    )


def _constant(schedule):
    factors = _factors(schedule)
    if max(factors) - min(factors) > 1e-9 or expected_loss(schedule) < GOAL:
        return None
    return (
        f"A constant factor ends at a loss of {expected_loss(schedule):.3f}. No constant one "
        f"reaches {GOAL}: large ones never become quiet, small ones never arrive."
    )


def _too_slow(schedule):
    """The noise is low enough, the way was too long."""
    if expected_loss(schedule) < GOAL or max(_factors(schedule)) <= 0:
        return None if expected_loss(schedule) < GOAL else _slow_words(schedule)
    distance = math.prod((1 - f * CURVATURES[1]) ** 2 for f in _factors(schedule)) * START**2
    if CURVATURES[1] * distance / 2 > GOAL / 2:
        return _slow_words(schedule)
    return None


def _slow_words(schedule):
    return (
        f"Your schedule ends at {expected_loss(schedule):.3f}, and the greater part is distance: "
        "along the flat direction the weight has not arrived. Stay at a high rate for longer."
    )


def _too_loud(schedule):
    loss = expected_loss(schedule)
    if loss < GOAL:
        return None
    return (
        f"Your schedule ends at {loss:.3f}, and nearly all of it is noise, left by the last large "
        "steps. Let the rate fall further, and step by step: at a rate of 0 noise stays as it is."
    )


exercise = Exercise(
    name="own_schedule",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "The flat direction needs the sum of all rates to be large; the noise is what the last "
        "rates leave. So: high for long, low at the end.",
        "Try the shapes that you know, such as `1 - progress`, and look at the message: it says "
        "whether distance or noise is left. Then try to beat cosine.",
    ),
    solution=own_schedule,
    why=(
        "A step takes the share ηλ off the distance and adds noise of η². Distance asks for the "
        "sum of the rates, noise for small last ones. The best constant ends at 0.030; cosine at "
        "0.014, poly and a straight line at 0.012 to 0.013. That is why all schedules of this "
        "chapter end low."
    ),
    requirements=(
        Requirement("schedule.not_callable", "is a function", _not_callable, lambda: 0.5),
        Requirement(
            "schedule.no_number", "returns numbers", _no_number, lambda: lambda progress: None
        ),
        Requirement(
            "schedule.out_of_range", "stays between 0 and 1", _out_of_range,
            lambda: lambda progress: 2 - progress,
        ),
        Requirement(
            "schedule.constant", "is no constant", _constant, lambda: lambda progress: 0.5
        ),
        Requirement(
            "schedule.too_slow", "arrives", _too_slow,
            lambda: lambda progress: max(0.0, 1 - 3 * progress),
        ),
        Requirement(
            "schedule.too_loud", "becomes quiet", _too_loud,
            lambda: lambda progress: 1.0 - 0.2 * progress,
        ),
    ),
)  # fmt: skip
