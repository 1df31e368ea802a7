"""Copy, compare and describe values: tensors, arrays, nested lists, numbers, tuples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# How far two results may lie apart, as a part of the largest expected number (at least 1).
_TOLERANCE = {
    torch.float16: 5e-3,
    torch.bfloat16: 4e-2,
    torch.float32: 2e-5,
    torch.float64: 1e-9,
    torch.complex64: 2e-5,
    torch.complex128: 1e-9,
}
_PLAIN = 1e-6  # of a plain number, which `.item()` may have made from a float32
_KINDS = {"b": "truth values", "i": "whole numbers", "u": "whole numbers"}
_KINDS |= {"f": "floating-point numbers", "c": "complex numbers"}
_CURES = {
    "truth values": "compare, as in `a > b`",
    "whole numbers": "divide with `//`, or put `int(…)` around it",
    "floating-point numbers": "put `float(…)` around it",
    "complex numbers": "put `complex(…)` around it",
}
_INT64 = np.iinfo(np.int64)


class UnreadableError(Exception):
    """The value is not made of numbers; the message says what it is."""


@dataclass(frozen=True)
class Reading:
    """A value as numbers: what is compared."""

    array: np.ndarray
    kind: str
    tolerance: float


@dataclass(frozen=True)
class Difference:
    """The first way in which a result is not the expected one."""

    about: str
    """What differs: "type", "shape", "kind" or "value"."""
    text: str
    """One sentence for the learner."""
    gap: str = ""
    """Theirs less the expected, for values of the same shape."""


def clone(value: Any) -> Any:
    """Return a copy that shares no memory; what is no tensor, array or container is kept."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(clone(item) for item in value)
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    return value


def unchanged(before: Any, after: Any) -> bool:
    """Return whether two values are the same, bit for bit."""
    if isinstance(before, torch.Tensor):
        if before.shape != after.shape or before.dtype != after.dtype:
            return False
        return bool(torch.equal(before.nan_to_num(nan=0.5), after.nan_to_num(nan=0.5)))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and before.tobytes() == after.tobytes()
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(unchanged(before[k], after[k]) for k in before)
    return before is after or bool(before == after)


def read(value: Any) -> Reading:
    """Return a value's numbers, their kind and the tolerance that fits their precision.

    Raises:
        UnreadableError: It is not made of numbers, or its rows have different lengths.
    """
    if isinstance(value, torch.Tensor):
        tensor = value.detach().to("cpu")
        tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
        tolerance = _TOLERANCE.get(tensor.dtype, 0.0)
        tensor = tensor.double() if tensor.is_floating_point() else tensor
        array = tensor.resolve_conj().numpy()
    elif isinstance(value, (list, tuple)):
        try:
            items = [read(item) for item in value]
        except UnreadableError as error:
            inner = str(error).removeprefix("a list that holds ")
            raise UnreadableError(f"a list that holds {inner}") from None
        if len({item.array.shape for item in items}) > 1:
            raise UnreadableError("a list whose rows have different lengths")
        array = np.stack([item.array for item in items]) if items else np.zeros(0)
        tolerance = max((item.tolerance for item in items), default=0.0)
    elif isinstance(value, int) and not isinstance(value, bool):
        array, tolerance = np.array(min(max(value, _INT64.min), _INT64.max)), 0.0
    elif isinstance(value, (bool, float, complex, np.ndarray, np.generic)):
        array = np.asarray(value)
        precision = torch.float64
        if array.dtype in (np.float16, np.float32, np.complex64):
            precision = torch.float16 if array.dtype == np.float16 else torch.float32
        tolerance = _TOLERANCE[precision] if array.dtype.kind in "fc" else 0.0
        tolerance = _PLAIN if type(value) is float else tolerance
    else:
        raise UnreadableError(_a(type(value).__name__))
    if array.dtype.kind not in _KINDS:
        raise UnreadableError(f"an array of dtype {array.dtype}")
    return Reading(array, _KINDS[array.dtype.kind], tolerance)


def compare(yours: Any, expected: Any, *, kinds: bool = True) -> Difference | None:
    """Return how a result differs from the expected one, or None when it does not.

    Shape first, then the kind of number, then the values. Nothing is broadcast.

    Args:
        yours: The learner's result.
        expected: The right result; a tuple asks for several results.
        kinds: Whether 7.0 differs from 7.
    """
    if isinstance(expected, tuple):
        return _compare_several(yours, expected, kinds)
    right = read(expected)
    try:
        mine = read(yours)
    except UnreadableError as error:
        many = f"a list of {right.kind}" if isinstance(expected, list) else "a tensor"
        wanted = "a number" if right.array.ndim == 0 else many
        return Difference("type", f"Your result is {error}; {wanted} is expected.")
    if mine.array.shape != right.array.shape:
        wanted = right.array.shape if right.array.ndim else "a single number"
        text = f"Your result has shape {mine.array.shape}; {wanted} is expected."
        return Difference("shape", text)
    # A plain 0 is as good as 0.0; only where whole numbers are asked for does the kind matter.
    plain = right.array.ndim == 0 or not any(hasattr(item, "dtype") for item in leaves(yours))
    forgiven = plain and (mine.kind, right.kind) == (_KINDS["i"], _KINDS["f"])
    if kinds and mine.kind != right.kind and not forgiven:
        return Difference("kind", _other_kind(yours, expected, mine, right))
    right_places = near(mine, right)
    if right_places.all():
        return None
    where = tuple(int(i) for i in np.argwhere(~right_places)[0])
    with np.errstate(invalid="ignore"):
        gap = describe(np.where(right_places, 0, _signed(mine.array) - _signed(right.array)))
    pair = mine.array[where], right.array[where]
    number, wanted = map(_number, pair)
    if number == wanted:
        number, wanted = map(repr, (value.item() for value in pair))
    you = f"At {list(where)} you" if where else "You"
    return Difference("value", f"{you} have {number} where {wanted} is expected.", gap)


def near(mine: Reading, right: Reading) -> np.ndarray:
    """Return where two readings of one shape agree, within their precision."""
    tolerance = max(mine.tolerance, right.tolerance)
    finite = np.abs(right.array[np.isfinite(right.array)])
    allowed = tolerance * max(1.0, float(finite.max(initial=0)))
    with np.errstate(invalid="ignore"):
        return np.isclose(mine.array, right.array, rtol=0, atol=allowed, equal_nan=True)


def _signed(array: np.ndarray) -> np.ndarray:
    """Numbers that can be subtracted: bytes would wrap around, 3 − 6 = 253."""
    return array.astype(np.int64) if array.dtype.kind in "bu" else array


def _compare_several(yours: Any, expected: tuple, kinds: bool) -> Difference | None:
    several = isinstance(yours, (tuple, list)) or (
        isinstance(yours, (torch.Tensor, np.ndarray)) and yours.ndim > 0
    )
    if not several:
        text = f"{_a(type(yours).__name__)}; {len(expected)} results are expected"
        return Difference("type", f"Your result is {text}, in a tuple.")
    if len(yours) != len(expected):
        text = f"You return {len(yours)} results; {len(expected)} are expected."
        return Difference("shape", text)
    for index, (mine, right) in enumerate(zip(yours, expected, strict=True)):
        difference = compare(mine, right, kinds=kinds)
        if difference is not None:
            text = f"Result {index + 1} of {len(expected)}: {difference.text}"
            return Difference(difference.about, text, difference.gap)
    return None


def describe(value: Any) -> str:
    """Return a value in a few lines, the same on every machine."""
    if isinstance(value, tuple):
        return "(" + ", ".join(describe(item) for item in value) + ")"
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        try:
            array = read(value).array
        except UnreadableError as error:
            return str(error)
        if array.ndim == 0:
            return _number(array[()])
        edge = 2 if array.ndim <= 2 else 1
        numbers = np.array2string(
            array, precision=4, suppress_small=True, threshold=80, edgeitems=edge, separator=", "
        )
        return f"{tuple(array.shape)}\n{numbers}"
    if value is not None and not isinstance(value, (int, float, complex, str, list, dict)):
        return _a(type(value).__name__)  # its repr might be an address
    if isinstance(value, list) and any(hasattr(item, "shape") for item in leaves(value)):
        return "[" + ",\n".join(describe(item) for item in value) + "]"
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]} …"


def leaves(value: Any) -> list[Any]:
    """Return what nested lists and tuples hold, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def _other_kind(yours: Any, expected: Any, mine: Reading, right: Reading) -> str:
    """Say which kind of number is expected, and that the numbers are right if they are."""
    equal = bool((mine.array == right.array).all())
    cure = _CURES[right.kind]
    if right.array.ndim == 0:
        text = f"Your result is {yours!r}; the {right.kind[:-1]} {right.array[()]} is expected."
    else:
        dtypes = [str(getattr(value, "dtype", "a list")) for value in (yours, expected)]
        text = f"Your result is made of {mine.kind} ({dtypes[0]}); {right.kind} ({dtypes[1]})"
        text += " are expected."
        if isinstance(yours, torch.Tensor) and isinstance(expected, torch.Tensor):
            cure = f"end with `.to({dtypes[1]})`, or begin with the dtype of the input"
    if not equal:
        return text
    return f"{text} The value is right, only its type is not: {cure}."


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"
