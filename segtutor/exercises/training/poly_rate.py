"""The schedule of DeepLab: poly."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def poly_rate(step, steps, learning_rate, power=0.9):
    """The learning rate of a step, counted from 0, in a training of `steps`.

    It falls from `learning_rate` at step 0, and would be 0 one step after
    the last.
    """
    raise NotImplementedError
'''


def poly_rate(step, steps, learning_rate, power=0.9):
    """The share of steps that is still to come, to a power."""
    return learning_rate * (1 - step / steps) ** power


def cases(generator: torch.Generator) -> list[Case]:
    """Return first, middle and last steps of trainings of several lengths."""
    made = []
    for steps, rate, settings in (
        (10, 0.1, {}),
        (7, 2.0, {"power": 2.0}),
        (400, 0.003, {}),
        (25, 0.5, {"power": 0.5}),
        (3, 1.5, {"power": 1.0}),
    ):
        middle = int(torch.randint(1, steps - 1, (1,), generator=generator))
        made += [Case((step, steps, rate), settings) for step in (0, middle, steps - 1)]
    return made


def _from_one(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - (step + 1) / steps) ** power


def _zero_at_the_end(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - step / (steps - 1)) ** power


def _linear(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - step / steps)


def _power_inside(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - (step / steps) ** power)


def _whole_division(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - step // steps) ** power


def _factor(step, steps, learning_rate, power=0.9):
    return (1 - step / steps) ** power


def _times_power(step, steps, learning_rate, power=0.9):
    return learning_rate * (1 - step / steps) * power


def _rising(step, steps, learning_rate, power=0.9):
    return learning_rate * (step / steps) ** power


def _rate_inside(step, steps, learning_rate, power=0.9):
    return (learning_rate * (1 - step / steps)) ** power


exercise = Exercise(
    name="poly_rate",
    kind="function",
    minutes=8,
    difficulty=2,
    stub=STUB,
    hints=(
        "What share of the steps is still to come, this one included? At step 0 it is 1, at the "
        "last step 1 / steps.",
        "Raise that share to the power, then multiply by the learning rate. Check two numbers by "
        "hand: step 0 has the full rate, and no step has the rate 0.",
    ),
    solution=poly_rate,
    why=(
        "Steps are counted from 0, so `step / steps` is the share that is done, and 1 minus it "
        "the share to come. With power 1 the rate falls in a straight line; 0.9 bends it a little "
        "upward. No step is wasted on a rate of 0: the last one still has (1 / steps)^0.9. "
        '`learning_rates("poly", …)` of `segtutor.training` gives the same numbers.'
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "poly.from_one",
            _from_one,
            "You are one step ahead: your first rate is not the full one, and your last is 0, so "
            "the last step does nothing. Steps count from 0 here.",
        ),
        Mistake(
            "poly.zero_at_the_end",
            _zero_at_the_end,
            "Your rate reaches 0 at the last step, which then does nothing. Divide by the number "
            "of steps, not by the number of the last one.",
        ),
        Mistake(
            "poly.linear",
            _linear,
            "`power` has no effect on your result: it falls in a straight line.",
        ),
        Mistake(
            "poly.power_inside",
            _power_inside,
            "You raised the share that is done to the power, then subtracted. Raise what is still "
            "to come: first 1 − step / steps, then the power.",
        ),
        Mistake(
            "poly.whole_division",
            _whole_division,
            "Your rate never falls: `step // steps` is 0 until the end. A share needs `/`.",
        ),
        Mistake(
            "poly.factor",
            _factor,
            "This is the factor, from 1 down. Multiply it by the learning rate.",
        ),
        Mistake(
            "poly.times_power",
            _times_power,
            "You multiplied by the power. `**` raises to it.",
        ),
        Mistake(
            "poly.rising",
            _rising,
            "Your rate begins at 0 and grows: you took the share that is done in place of the "
            "share that is to come.",
        ),
        Mistake(
            "poly.rate_inside",
            _rate_inside,
            "You raised the learning rate to the power as well. Only the share of steps to come "
            "belongs under it: even at step 0 your rate is not the full one.",
        ),
    ),
)
