"""A warm-up that neither wastes its first step nor ends too late."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def warm_up(step, warm, learning_rate):
    """The learning rate of a step, counted from 0, with a warm-up.

    During the warm-up it climbs by equal amounts, and no step has the rate 0.
    Step `warm`, the first after it, has the full rate, as all later ones.
    """
    raise NotImplementedError
'''


def warm_up(step, warm, learning_rate):
    """From 0, one step before the first, to the full rate, at step `warm`: warm + 1 parts."""
    return learning_rate * min(1.0, (step + 1) / (warm + 1))


def cases(generator: torch.Generator) -> list[Case]:
    """Return steps at the beginning, around the end of the warm-up, and long after it."""
    made = []
    for warm, rate in ((4, 1.0), (9, 0.02), (1, 3.0), (50, 0.6)):
        within = int(torch.randint(0, warm, (1,), generator=generator))
        made += [Case((step, warm, rate)) for step in (0, within, warm - 1, warm, warm + 1)]
        made.append(Case((3 * warm + 2, warm, rate)))
    return made


def _full_at_the_last(step, warm, learning_rate):
    return learning_rate * min(1.0, (step + 1) / warm)


def _first_is_zero(step, warm, learning_rate):
    return learning_rate * min(1.0, step / warm)


def _late(step, warm, learning_rate):
    return learning_rate * min(1.0, step / (warm + 1))


def _no_end(step, warm, learning_rate):
    return learning_rate * (step + 1) / (warm + 1)


def _nothing_after(step, warm, learning_rate):
    return learning_rate * (step + 1) / (warm + 1) if step < warm else 0.0


def _factor(step, warm, learning_rate):
    return min(1.0, (step + 1) / (warm + 1))


def _one_step_longer(step, warm, learning_rate):
    return learning_rate * min(1.0, (step + 1) / (warm + 2))


def _falling(step, warm, learning_rate):
    return learning_rate * max(0.0, 1 - (step + 1) / (warm + 1))


def _again_and_again(step, warm, learning_rate):
    return learning_rate * (step % (warm + 1) + 1) / (warm + 1)


exercise = Exercise(
    name="warm_up",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Take a warm-up of 4 steps and a rate of 1, and write the rates of steps 0 to 5 down. "
        "Equal amounts, none of them 0, and step 4 has 1: 0.2, 0.4, 0.6, 0.8, 1, 1.",
        "The climb has one part more than the warm-up has steps, for step `warm` is its top. "
        "`min` ends it.",
    ),
    solution=warm_up,
    why=(
        "With `warm` steps below the top and none of them 0, the climb has warm + 1 equal parts, "
        "and step 0 has climbed one of them. The most frequent slip, `step / warm`, gives step 0 "
        "the rate 0: a batch is read, sent through the network and back, and nothing is learned. "
        "`fit(..., warm_up=0.1)` makes the first tenth of its steps in this way."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _full_at_the_last,
            "Your last step of the warm-up has the full rate already. Many libraries count so; "
            "this book's warm-up reaches it one step later, at step `warm`.",
        ),
    ),
    mistakes=(
        Mistake(
            "warm.first_is_zero",
            _first_is_zero,
            "Your step 0 has the learning rate 0: it costs as much as any step and learns nothing. "
            "Count the step itself, too: step + 1.",
        ),
        Mistake(
            "warm.late",
            _late,
            "Your step 0 has the rate 0, and the full rate comes one step too late: you are one "
            "part behind all the way.",
        ),
        Mistake(
            "warm.no_end",
            _no_end,
            "Your rate goes on climbing after the warm-up. Hold it at the learning rate.",
        ),
        Mistake(
            "warm.nothing_after",
            _nothing_after,
            "After the warm-up your rate is 0. From step `warm` on it has to be the learning rate.",
        ),
        Mistake(
            "warm.factor",
            _factor,
            "This is the factor, up to 1. Multiply it by the learning rate.",
        ),
        Mistake(
            "warm.one_step_longer",
            _one_step_longer,
            "Your warm-up takes one step more than it should: step `warm` does not have the full "
            "rate yet.",
        ),
        Mistake(
            "warm.falling",
            _falling,
            "Your rate falls where it should climb: it is what is missing to the full rate.",
        ),
        Mistake(
            "warm.again_and_again",
            _again_and_again,
            "Your warm-up begins again each time that it ends. `min` in place of `%` keeps the "
            "rate at the top.",
        ),
    ),
)
