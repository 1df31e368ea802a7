"""The moving average of a weight: how much is kept, and how fast the start is forgotten."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def ema_update(average, weight, updates, decay=0.99):
    """The new average, as a new tensor.

    average, weight: of one shape; updates: how many came before this one.
    The decay is (1 + updates) / (10 + updates), but never above `decay`.
    Whole numbers (int64: counters) are not averaged but copied.
    """
    raise NotImplementedError
'''


def ema_update(average, weight, updates, decay=0.99):
    """Keep `decay` of the average; early on, keep less."""
    if not weight.is_floating_point():
        return weight.clone()
    decay = min(decay, (1 + updates) / (10 + updates))
    return decay * average + (1 - decay) * weight


def cases(generator: torch.Generator) -> list[Case]:
    """Return kernels early and late in a training, and a counter of batch norm."""
    made = []
    for updates, settings in (
        (0, {}),
        (3, {}),
        (40, {"decay": 0.9}),
        (5000, {}),
        (7, {"decay": 0}),
    ):
        pair = torch.randn(2, 4, 3, 5, 2, generator=generator)
        made.append(Case((pair[0], pair[1], updates), settings))
    made.append(Case((torch.tensor(12), torch.tensor(37), 36), {"decay": 0.9}))
    return made


def _decay(updates, decay):
    return min(decay, (1 + updates) / (10 + updates))


def _mixed(average, weight, keep):
    if not weight.is_floating_point():
        return weight.clone()
    return keep * average + (1 - keep) * weight


def _swapped(average, weight, updates, decay=0.99):
    return _mixed(average, weight, 1 - _decay(updates, decay))


def _constant(average, weight, updates, decay=0.99):
    return _mixed(average, weight, decay)


def _larger(average, weight, updates, decay=0.99):
    return _mixed(average, weight, max(decay, (1 + updates) / (10 + updates)))


def _one_late(average, weight, updates, decay=0.99):
    return _mixed(average, weight, _decay(updates + 1, decay))


def _counters_too(average, weight, updates, decay=0.99):
    keep = _decay(updates, decay)
    return (keep * average + (1 - keep) * weight).to(weight.dtype)


def _counters_as_floats(average, weight, updates, decay=0.99):
    keep = _decay(updates, decay)
    return keep * average + (1 - keep) * weight


def _counters_kept(average, weight, updates, decay=0.99):
    return ema_update(average, weight, updates, decay) if weight.is_floating_point() else average


def _nothing_kept(average, weight, updates, decay=0.99):
    return weight.clone()


def _sum(average, weight, updates, decay=0.99):
    return _decay(updates, decay) * average + weight if weight.is_floating_point() else weight


def _true_mean(average, weight, updates, decay=0.99):
    return _mixed(average, weight, updates / (updates + 1))


exercise = Exercise(
    name="ema_update",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "First the decay: the smaller one of two numbers. At the first update, updates = 0, it is "
        "a tenth: nine tenths of a random start are forgotten at once.",
        "Then the mixture: `decay` of the old average, the rest, 1 − decay, of the new weight. "
        "For the counters ask `weight.is_floating_point()`.",
    ),
    solution=ema_update,
    why=(
        "A decay of 0.99 remembers about 1 / (1 − 0.99) = 100 steps. Begun at once, it would still "
        "hold 0.99^100 = 37 % of the random first weights after a hundred steps, so the decay "
        "starts small and grows. Batch norm's running statistics are averaged like weights, or "
        "they would not fit these; its counter of batches is a whole number, and is copied."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "ema.swapped",
            _swapped,
            "Average and weight have changed places: you keep 1 − decay of the average. With 0.99 "
            "it would be the newest weight nearly alone.",
        ),
        Mistake(
            "ema.slow_start",
            _constant,
            "You use `decay` from the first update on. The average then remembers its random start "
            "for hundreds of steps: take the smaller of the two decays.",
        ),
        Mistake(
            "ema.larger",
            _larger,
            "You took the larger one of the two decays. The ramp is there to make the first ones "
            "smaller: `min`.",
        ),
        Mistake(
            "ema.one_late",
            _one_late,
            "Your ramp is one update ahead: `updates` is how many came before, so the first decay "
            "is 1/10.",
        ),
        Mistake(
            "ema.counters_averaged",
            _counters_too,
            "The floating-point tensors are right. But you averaged a counter, and the average of "
            "whole numbers is cut off to a whole number. Copy it.",
        ),
        Mistake(
            "ema.counters_as_floats",
            _counters_as_floats,
            "The floating-point tensors are right. But your counter, a whole number, was averaged "
            "and has decimals now. Copy it: ask `weight.is_floating_point()` first.",
        ),
        Mistake(
            "ema.counters_kept",
            _counters_kept,
            "The floating-point tensors are right. The counter stays where it was: it has to be "
            "copied from the weight.",
        ),
        Mistake(
            "ema.nothing_kept",
            _nothing_kept,
            "This is the newest weight: nothing of the average is left.",
        ),
        Mistake(
            "ema.sum",
            _sum,
            "You add the whole weight to a part of the average, as momentum does. An average needs "
            "shares that add up to 1: 1 − decay of the weight.",
        ),
        Mistake(
            "ema.mean_of_all",
            _true_mean,
            "This is the mean of all weights so far, the poor ones of the beginning included. A "
            "moving average forgets: its decay stops growing at `decay`.",
        ),
    ),
)
