"""What an exercise consists of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch


@dataclass(frozen=True)
class Case:
    """One input on which the learner's function is tried: `function(*args, **kwargs)`."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A known wrong implementation, and what to say to somebody who made it."""

    tag: str
    function: Callable[..., Any]
    message: str


@dataclass(frozen=True)
class Accepted:
    """A legitimate other definition, and the note that tells it from the book's."""

    function: Callable[..., Any]
    note: str


@dataclass(frozen=True)
class Requirement:
    """One demand of an open-ended exercise."""

    tag: str
    what: str
    """The demand in a few words, for the list of what is met: "keeps the picture's size"."""
    unmet: Callable[[Any], str | None]
    """Returns the message for an object that fails the demand, None for one that meets it."""
    example: Callable[[], Any]
    """Makes an object that meets every earlier demand and fails this one: the tests use it."""


def one_case(generator: torch.Generator) -> list[Case]:
    """Return the single case of an exercise that takes no input."""
    return [Case()]


@dataclass(frozen=True)
class Exercise:
    """Everything about one exercise; its file ends in `exercise = Exercise(...)`."""

    name: str
    """The name of the file, and of the function or the value in the stub."""
    kind: Literal["function", "value", "open"]
    """What the learner hands in: a function; a value; or an object that meets requirements."""
    minutes: int
    difficulty: int
    """From 1 (look and count) to 4 (design something)."""
    stub: str
    """The cell as it stands in the book."""
    hints: tuple[str, str]
    solution: Callable[..., Any]
    """The function itself; for a value or an open exercise, a function that returns the answer."""
    why: str
    """The reason behind the solution, shown under it."""
    cases: Callable[[torch.Generator], list[Case]] = one_case
    mistakes: Sequence[Mistake] = ()
    accepted: Sequence[Accepted] = ()
    requirements: Sequence[Requirement] = ()
    seconds: float = 5.0
    """Time limit of one case; all cases together have four times as long."""
    prepare: Callable[[], object] | None = None
    """Called before the clock starts: makes PyTorch load what every answer needs."""

    def parameters(self) -> list[str]:
        """Return the names of the function's arguments, in order."""
        return list(inspect.signature(self.solution).parameters)
