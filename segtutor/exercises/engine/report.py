"""The messages: one diagnosis each, with its evidence."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from segtutor.exercises.engine import learner
from segtutor.exercises.engine.exercise import Case, Exercise
from segtutor.exercises.engine.result import Result
from segtutor.exercises.engine.values import clone, compare, describe, leaves


@dataclass(frozen=True)
class Run:
    """What the learner's function did with one case."""

    case: Case
    value: Any = None
    error: BaseException | None = None
    mutated: str | None = None
    """The name of the argument that it changed."""
    timed_out: bool = False


def not_attempted(exercise: Exercise, text: str) -> Result:
    """Nothing to judge yet."""
    more = f'When you are stuck: `hint("{exercise.name}")`.'
    return Result(exercise.name, "not attempted", f"{text} {more}")


def not_a_function(exercise: Exercise, thing: Any) -> Result:
    """A result, a name or a class was handed in where a function is asked for."""
    name = exercise.name
    what = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
    text = (
        f'Hand in the function itself, as in `check("{name}", {name})`. The check calls it as '
        f"`{_stub_call(exercise)}`; it got: {what}."
    )
    return Result(name, "wrong", text, mistake="not-a-function")


def signature(exercise: Exercise, thing: Any, case: Case) -> Result:
    """The arguments of a case do not fit the function."""
    text = (
        f"Your function takes `{learner.signature_text(thing)}`, but the check calls it as "
        f"`{_call_text(exercise, case)}`. Take the arguments of the stub, with their defaults: "
        f"`{exercise.name}{inspect.signature(exercise.solution)}`."
    )
    return Result(exercise.name, "wrong", text, mistake="signature")


def timed_out(exercise: Exercise, case: Case) -> Result:
    """The function did not come back."""
    text = (
        f"Timed out: no answer in time on `{_call_text(exercise, case)}`. Most likely a loop never "
        "ends: does every `while` come nearer to its end in each round?"
    )
    return Result(exercise.name, "crashed", text, details=_inputs(exercise, case), timed_out=True)


def crashed(exercise: Exercise, thing: Any, runs: list[Run]) -> Result:
    """The function raised; show the smallest input on which it did."""
    run = min((run for run in runs if run.error is not None), key=_size)
    assert run.error is not None
    where = f"on `{_call_text(exercise, run.case)}`"
    return crashed_at(exercise, thing, run.error, where, _inputs(exercise, run.case))


def crashed_at(
    exercise: Exercise, thing: Any, error: BaseException, where: str, details: dict[str, str]
) -> Result:
    """Learner's code raised `error`; `where` says on what."""
    line = learner.their_line(error, thing)
    text = f"Your code raised {type(error).__name__} {where}"
    text += f": {error}" if str(error) else "."
    text += f"\nIt happened at {line}" if line else ""
    return Result(exercise.name, "crashed", text, details=details)


def note_on_globals(reads: list[str]) -> dict[str, str]:
    """The details of a result whose function reads arrays from outside."""
    return {"Note": f"your function reads {_listed(reads)} from outside itself"} if reads else {}


def blamed_on_globals(result: Result, reads: list[str]) -> Result:
    """A crash or a wrong result of a function that reads arrays from outside."""
    text = (
        f"Your function reads {_listed(reads)} from outside itself, a value made in another cell, "
        "so it cannot follow the inputs of the check. Use the arguments, and what is made from "
        "them inside the function, instead."
    )
    details = {"What happened": result.message, **result.details}
    return replace(result, message=text, mistake="global-tensor", details=details)


def mutated(exercise: Exercise, run: Run) -> Result:
    """The function wrote into one of its arguments."""
    text = (
        f"Your function changes its argument `{run.mutated}`: after the call the caller's own "
        f"values are different. {_how_it_was_changed(exercise, run)}"
    )
    details = _inputs(exercise, run.case)
    return Result(exercise.name, "wrong", text, mistake="mutated-input", details=details)


def nothing_returned(exercise: Exercise) -> Result:
    """There is code, but every call gave None."""
    text = (
        "Your function returns None on every input. Does it end in `return`? What is printed is "
        "seen by you, but not by the code that called the function."
    )
    return Result(exercise.name, "wrong", text, mistake="no-return")


def _how_it_was_changed(exercise: Exercise, run: Run) -> str:
    given = {**dict(zip(exercise.parameters(), run.case.args, strict=False)), **run.case.kwargs}
    if isinstance(given[run.mutated], list):
        return (
            "`append`, `pop`, `sort` and `a[i] = …` write into the list that they are given; work "
            "on a copy (`list(…)`), or make a new one."
        )
    return (
        "`+=`, `a[...] = …` and methods whose names end in `_` write into what they are given; "
        "work on a copy (`.clone()`), or make a new value."
    )


def unnamed(exercise: Exercise, runs: list[Run]) -> Result:
    """Show the smallest input on which the result is not right."""
    failures = []
    for run in runs:
        expected = exercise.solution(*clone(run.case.args), **clone(run.case.kwargs))
        difference = compare(run.value, expected)
        if difference is not None:
            failures.append((run, expected, difference))
    run, expected, difference = min(failures, key=lambda failure: _size(failure[0]))
    text = difference.text
    if run.value is None:
        text = "Your function returns None: is there a way through it that meets no `return`?"
    details = {**_inputs(exercise, run.case)}
    if difference.about != "shape":  # two arrays of different shapes are no help side by side
        details |= {"Yours": describe(run.value), "Expected": describe(expected)}
    if difference.gap:
        details["Difference"] = difference.gap
    details["Inputs"] = f"{len(runs) - len(failures)} of {len(runs)} agree"
    where = f"The smallest input that shows it is `{_call_text(exercise, run.case)}`."
    return Result(exercise.name, "wrong", f"Not right yet. {text} {where}", details=details)


def _size(run: Run) -> tuple[int, float]:
    """Return how much a reader has to look at to follow a case."""
    numbers = list(leaves([*run.case.args, *run.case.kwargs.values()]))
    arrays = [n for n in numbers if isinstance(n, (torch.Tensor, np.ndarray))]
    plain = [abs(n) for n in numbers if isinstance(n, (int, float))]
    return sum(math.prod(a.shape) for a in arrays) + len(plain), sum(plain)


def _call_text(exercise: Exercise, case: Case) -> str:
    """Return the call as one line; arrays by name and shape."""
    positional = [
        f"{name} {_short(value)}" if _holds_arrays(value) else describe(value)
        for name, value in zip(exercise.parameters(), case.args, strict=False)
    ]
    keywords = [
        f"{name}=<{tuple(value.shape)}>" if hasattr(value, "shape") else f"{name}={value!r}"
        for name, value in case.kwargs.items()
    ]
    return f"{exercise.name}({', '.join(positional + keywords)})"


def _holds_arrays(value: Any) -> bool:
    return any(hasattr(leaf, "shape") for leaf in leaves(value))


def _short(value: Any) -> str:
    """Arrays by their shapes, in lists and tuples too."""
    if hasattr(value, "shape"):
        return str(tuple(value.shape))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_short(item) for item in value)}]"
    return describe(value)


def _inputs(exercise: Exercise, case: Case) -> dict[str, str]:
    named = {**dict(zip(exercise.parameters(), case.args, strict=False)), **case.kwargs}
    return {f"Input {name}": describe(value) for name, value in named.items()}


def _stub_call(exercise: Exercise) -> str:
    return f"{exercise.name}({', '.join(exercise.parameters())})"


def _listed(names: list[str]) -> str:
    plural = "variables" if len(names) > 1 else "variable"
    return f"the {plural} " + ", ".join(f"`{name}`" for name in names)
