"""Exercises that name the mistake: `check`, `hint` and `solution`."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from segtutor.exercises.chapters import CHAPTERS
from segtutor.exercises.engine import Exercise, Help, Result, judge
from segtutor.listing import show

__all__ = ["CHAPTERS", "check", "find", "hint", "names", "solution"]

names: tuple[str, ...] = tuple(name for chapter in CHAPTERS.values() for name in chapter)
"""Every exercise, in the book's order."""

_hints_given: Counter[str] = Counter()


def check(name: str, obj: Any, *, seed: int = 0, seconds: float | None = None) -> Result:
    """Say whether an answer is right and, where it can be known, which mistake was made.

    Args:
        name: The exercise; `segtutor.exercises.names` lists them.
        obj: The answer itself: a function, a module, or a value, as the exercise asks for.
        seed: Seed of the random inputs. The designed ones are always the same.
        seconds: Time limit of one input; the exercise's own if left out. All inputs together
            have four times as long.

    Returns:
        The outcome ("not attempted", "crashed", "wrong" or "right"), the tag of the mistake if
        it is a known one, and a message. It displays itself.

    Raises:
        ValueError: There is no such exercise.

    Example:
        >>> def output_size(n, kernel, stride=1, padding=0, dilation=1):
        ...     return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride
        >>> check("output_size", output_size).mistake
        'conv.size'
    """
    return judge(find(name), obj, seed=seed, seconds=seconds)


def hint(name: str, number: int | None = None) -> Help:
    """Return the next hint; after the last one, the last again.

    Args:
        name: The exercise.
        number: Which hint, from 1. The next one if left out.

    Raises:
        ValueError: There is no such exercise, or no such hint.

    Example:
        >>> hint("output_size", 1).title
        'output_size: hint 1 of 2'
    """
    exercise = find(name)
    total = len(exercise.hints)
    if number is None:
        number = min(_hints_given[name] + 1, total)
    elif not 1 <= number <= total:
        raise ValueError(f"number is {number}; {name!r} has hints 1 to {total}")
    _hints_given[name] = number
    return Help(f"{name}: hint {number} of {total}", exercise.hints[number - 1])


def solution(name: str) -> Help:
    """Return the tested solution, with the reason why.

    Args:
        name: The exercise.

    Raises:
        ValueError: There is no such exercise.

    Example:
        >>> solution("output_size").title
        'output_size: a solution'
    """
    exercise = find(name)
    listing = show(exercise.solution, docstring=True)
    return Help(f"{name}: a solution", exercise.why, listing)


def find(name: str) -> Exercise:
    """Return an exercise by its name.

    Raises:
        ValueError: There is none; the message suggests the nearest.
    """
    for chapter, members in CHAPTERS.items():
        if name in members:
            return import_module(f"segtutor.exercises.{chapter}.{name}").exercise
    near = get_close_matches(str(name), names, n=1, cutoff=0.5)
    suggestion = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"there is no exercise {name!r}. {suggestion}All of them: segtutor.exercises.names"
    )
