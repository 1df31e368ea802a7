"""From the learner's object to one diagnosis."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from segtutor.exercises.engine import learner, report
from segtutor.exercises.engine.exercise import Case, Exercise
from segtutor.exercises.engine.limits import OutOfTimeError, call_within
from segtutor.exercises.engine.report import Run
from segtutor.exercises.engine.result import Result
from segtutor.exercises.engine.state import preserved
from segtutor.exercises.engine.values import clone, compare, leaves, near, read, unchanged

_BLANK = (None, Ellipsis)


def judge(exercise: Exercise, thing: Any, *, seed: int, seconds: float | None) -> Result:
    """Return the diagnosis for what the learner handed in."""
    if _is_blank(thing):
        return report.not_attempted(exercise, "Nothing is here yet.")
    if exercise.prepare is not None:
        exercise.prepare()
    with preserved(seed):
        limit = exercise.seconds if seconds is None else seconds
        if exercise.kind == "open":
            return _judge_requirements(exercise, thing, limit)
        cases = exercise.cases(torch.Generator().manual_seed(seed))
        if exercise.kind == "value":
            return _judge_value(exercise, thing, cases[0])
        return _judge_function(exercise, thing, cases, limit)


def _judge_function(exercise: Exercise, thing: Any, cases: list[Case], limit: float) -> Result:
    name = exercise.name
    if not callable(thing) or isinstance(thing, type):
        return report.not_a_function(exercise, thing)
    for case in cases:
        if not learner.takes(thing, case):
            return report.signature(exercise, thing, case)

    runs = _run_all(exercise, thing, cases, limit)
    reads = learner.global_arrays(thing)
    note = report.note_on_globals(reads)

    if runs[-1].timed_out:
        return report.timed_out(exercise, runs[-1].case)
    if all(run.error is not None and learner.is_stub_error(run.error) for run in runs):
        return report.not_attempted(exercise, "The stub is still in place.")
    if any(run.error is not None for run in runs):
        crashed = report.crashed(exercise, thing, runs)
        return report.blamed_on_globals(crashed, reads) if reads else crashed
    if all(_is_blank(run.value) for run in runs):
        if learner.is_empty(thing):
            return report.not_attempted(exercise, "The body is still empty.")
        return report.nothing_returned(exercise)

    mutated = next((run for run in runs if run.mutated), None)
    if _agrees(runs, exercise.solution):
        if mutated is not None:
            return report.mutated(exercise, mutated)
        return Result(name, "right", f"All {len(runs)} inputs agree.", details=note)
    for other in exercise.accepted:
        if mutated is None and _agrees(runs, other.function):
            return Result(name, "right", f"Accepted, but different. {other.note}", details=note)

    # What equals a known mistake on every case needs no other explanation.
    made = [mistake for mistake in exercise.mistakes if _agrees(runs, mistake.function)]
    if len(made) == 1:
        return Result(name, "wrong", made[0].message, mistake=made[0].tag, details=note)
    if reads:
        return report.blamed_on_globals(report.unnamed(exercise, runs), reads)
    if mutated is not None:
        return report.mutated(exercise, mutated)
    return report.unnamed(exercise, runs)


def _run_all(exercise: Exercise, thing: Any, cases: list[Case], limit: float) -> list[Run]:
    """Run every case, stopping early only when the time is over."""
    runs: list[Run] = []
    deadline = time.monotonic() + 4 * limit
    for case in cases:
        args, kwargs = clone(case.args), clone(case.kwargs)
        left = max(0.001, min(limit, deadline - time.monotonic()))
        try:
            value = clone(call_within(left, lambda a=args, k=kwargs: thing(*a, **k)))
        except OutOfTimeError:
            return [*runs, Run(case, timed_out=True)]
        except (Exception, SystemExit) as error:
            runs.append(Run(case, error=error))
            continue
        given = zip((*case.args, *case.kwargs.values()), (*args, *kwargs.values()), strict=True)
        names = (*exercise.parameters()[: len(args)], *kwargs)
        changed = (name for name, pair in zip(names, given, strict=True) if not unchanged(*pair))
        runs.append(Run(case, value, mutated=next(changed, None)))
    return runs


def _agrees(runs: list[Run], function: Callable[..., Any]) -> bool:
    """Return whether the learner's results are those of `function`, on every case."""
    return all(
        compare(run.value, function(*clone(run.case.args), **clone(run.case.kwargs))) is None
        for run in runs
    )


def _judge_value(exercise: Exercise, thing: Any, case: Case) -> Result:
    name = exercise.name
    blanks = [_is_blank(item) for item in leaves(thing)]
    if blanks and all(blanks):
        return report.not_attempted(exercise, "Nothing is here yet.")
    if any(blanks):
        text = f"{sum(blanks)} of {len(blanks)} places are still blank."
        return report.not_attempted(exercise, text)

    def equals(function: Callable[..., Any]) -> bool:
        # Typed by hand, 7.0 is as good as 7.
        return compare(thing, function(*case.args, **case.kwargs), kinds=False) is None

    if equals(exercise.solution):
        return Result(name, "right", "Every number agrees.")
    for other in exercise.accepted:
        if equals(other.function):
            return Result(name, "right", f"Accepted, but different. {other.note}")
    made = [mistake for mistake in exercise.mistakes if equals(mistake.function)]
    if len(made) == 1:
        return Result(name, "wrong", made[0].message, mistake=made[0].tag)

    expected = exercise.solution(*case.args, **case.kwargs)
    difference = compare(thing, expected, kinds=False)
    assert difference is not None
    if difference.about != "value":
        return Result(name, "wrong", f"Not yet. {difference.text}")
    # The expected numbers stay hidden: with them there would be nothing left to do.
    right = near(read(thing), read(expected))
    if right.ndim == 0:
        return Result(name, "wrong", "Not yet: this is not the number.")
    first = [int(i) for i in np.argwhere(~right)[0]]
    text = (
        f"Not yet: {int(right.sum())} of {right.size} numbers are right. The first to look at "
        f"again is at {first}, counted from 0, row first."
    )
    rows = right.reshape(-1, right.shape[-1])
    places = "\n".join(" ".join("✓" if ok else "✗" for ok in row) for row in rows)
    return Result(name, "wrong", text, details={"Right and wrong": places})


def _judge_requirements(exercise: Exercise, thing: Any, limit: float) -> Result:
    done: list[str] = []
    deadline = time.monotonic() + 4 * limit
    for demand in exercise.requirements:
        left = max(0.001, min(limit, deadline - time.monotonic()))
        where = f"while it was tested whether it {demand.what}"
        try:
            message = call_within(left, lambda d=demand: d.unmet(thing))
        except OutOfTimeError:
            text = f"Timed out: no answer within {left:g} s {where}."
            return Result(exercise.name, "crashed", text, timed_out=True)
        except (Exception, SystemExit) as error:
            if learner.is_stub_error(error):
                return report.not_attempted(exercise, "The stub is still in place.")
            return report.crashed_at(exercise, thing, error, where, {})
        if message is not None:
            listed = "\n".join([*(f"✓ {what}" for what in done), f"✗ {demand.what}"])
            details = {"Requirements": listed}
            return Result(exercise.name, "wrong", message, mistake=demand.tag, details=details)
        done.append(demand.what)
    details = {"Requirements": "\n".join(f"✓ {what}" for what in done)}
    text = f"All {len(done)} requirements are met."
    return Result(exercise.name, "right", text, details=details)


def _is_blank(value: Any) -> bool:
    return any(value is blank for blank in _BLANK)
