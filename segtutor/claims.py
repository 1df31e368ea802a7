"""Claims: how a chapter proves a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

__all__ = ["ClaimError", "claim", "proven"]

_proven: dict[str, None] = {}  # in the order in which they were first proved


class ClaimError(AssertionError):
    """A sentence of the book that does not hold, with the evidence against it."""


def claim(
    sentence: str,
    holds: bool | Callable[..., Any],
    *,
    cases: Iterable[Any] | None = None,
    **evidence: Any,
) -> None:
    """Print one ticked line if the sentence holds; raise with the evidence if it does not.

    A statement about one thing is a boolean. A statement about many things ("for any size")
    is a function and the cases that it is tried on; a case that is a tuple is passed as
    separate arguments. The first case that fails is the evidence.

    Args:
        sentence: What is claimed, as a reader would say it.
        holds: A boolean (Python's, NumPy's, or a tensor of one element), or, with `cases`,
            a function that returns one.
        cases: What a general statement is tried on. At least one.
        **evidence: Values to show should the claim fail.

    Raises:
        ClaimError: The sentence does not hold.
        TypeError: `holds` is not a single boolean: say `(a == b).all()`.
        ValueError: `cases` is empty: such a claim proves nothing.

    Example:
        >>> claim("two and two make four", 2 + 2 == 4)
        ✓ two and two make four
        >>> claim("a square is never negative", lambda n: n * n >= 0, cases=range(-50, 51))
        ✓ a square is never negative · 101 cases
    """
    if cases is None:
        if not _as_bool(holds):
            raise ClaimError(_report(sentence, evidence))
        _tick(sentence)
        return

    if not callable(holds):
        raise TypeError("with `cases`, `holds` has to be a function that is called on each case")
    count = 0
    for case in cases:
        arguments = case if isinstance(case, tuple) else (case,)
        if not _as_bool(holds(*arguments)):
            raise ClaimError(_report(sentence, {"fails for": case, **evidence}))
        count += 1
    if count == 0:
        raise ValueError("`cases` is empty: a claim that was tried on nothing proves nothing")
    _tick(f"{sentence} · {count:,} case{'s' if count > 1 else ''}")


def proven() -> None:
    """Print all that has been claimed and held since the kernel started, each line once.

    Example:
        >>> claim("one is odd", 1 % 2 == 1)
        ✓ one is odd
        >>> proven()  # doctest: +ELLIPSIS
        ✓ ...
    """
    print("\n".join(_proven))


def _tick(line: str) -> None:
    _proven[f"✓ {line}"] = None
    print(f"✓ {line}")


def _as_bool(value: Any) -> bool:
    """A single truth value; anything looser would let a wrong claim pass."""
    if isinstance(value, bool):
        return value
    # Tensors, NumPy arrays and NumPy's own booleans, without importing either library.
    dtype = str(getattr(value, "dtype", ""))
    if dtype in ("bool", "torch.bool") and prod(value.shape) == 1:
        return bool(value)
    raise TypeError(
        f"a claim needs one boolean, got {type(value).__name__}: "
        "reduce a comparison of arrays with `.all()`, compare numbers with `==` or `<`"
    )


def _report(sentence: str, evidence: dict[str, Any]) -> str:
    lines = [f"✗ {sentence}"]
    lines += [f"    {name}: {value!r}" for name, value in evidence.items()]
    return "\n".join(lines)
