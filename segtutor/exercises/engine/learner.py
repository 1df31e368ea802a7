"""What can be learned from the learner's function itself: its signature, its globals, its lines."""

from __future__ import annotations

import dis
import functools
import inspect
import linecache
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from segtutor.exercises.engine.exercise import Case


def python_function(thing: Any) -> types.FunctionType | None:
    """Return the Python function that runs when `thing` is called, or None if it is compiled."""
    if isinstance(thing, functools.partial):
        return python_function(thing.func)
    if isinstance(thing, torch.nn.Module):
        return python_function(thing.forward)
    thing = inspect.unwrap(thing)
    if isinstance(thing, types.MethodType):
        return python_function(thing.__func__)
    if isinstance(thing, types.FunctionType):
        return thing
    call = vars(type(thing)).get("__call__")
    return call if isinstance(call, types.FunctionType) else None


def is_empty(thing: Any) -> bool:
    """Return whether a body does nothing: `pass`, `...`, `return None`, or a docstring alone."""
    function = python_function(thing)
    if function is None:
        return False
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return all(step.opname in idle for step in dis.get_instructions(function))


def takes(thing: Callable[..., Any], case: Case) -> bool:
    """Return whether the arguments of a case fit the signature (or it cannot be known)."""
    try:
        signature = inspect.signature(
            thing.forward if isinstance(thing, torch.nn.Module) else thing
        )
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*case.args, **case.kwargs)
    except TypeError:
        return False
    return True


def signature_text(thing: Callable[..., Any]) -> str:
    """Return a signature as a call is written, without annotations: `(x, weight, stride=1)`."""
    signature = inspect.signature(thing.forward if isinstance(thing, torch.nn.Module) else thing)
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(plain))


def global_arrays(thing: Any) -> list[str]:
    """Return the names of tensors and arrays that the function reads from outside itself.

    Its own helper functions are followed; those of libraries are not.
    """
    function = python_function(thing)
    found: dict[str, None] = {}  # a dict keeps the order
    queue, seen = [function] if function else [], set()
    while queue:
        function = queue.pop()
        seen.add(function.__code__)
        for name, value in _outside_names(function):
            if isinstance(value, (torch.Tensor, np.ndarray)):
                found[name] = None
            elif (
                isinstance(value, types.FunctionType)
                and value.__module__ == function.__module__
                and value.__code__ not in seen
            ):
                queue.append(value)
    return list(found)


def _outside_names(function: types.FunctionType) -> list[tuple[str, Any]]:
    values = []
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes.extend(c for c in code.co_consts if isinstance(c, types.CodeType))
        for step in dis.get_instructions(code):
            if step.opname == "LOAD_GLOBAL" and step.argval in function.__globals__:
                values.append((step.argval, function.__globals__[step.argval]))
    for name, cell in cells.items():
        try:
            values.append((name, cell.cell_contents))
        except ValueError:  # a variable that is not assigned yet
            continue
    return values


def is_stub_error(error: BaseException) -> bool:
    """Return whether this is a `raise NotImplementedError` that was written in Python.

    PyTorch's compiled code raises the same type for what it cannot do; that is a crash.
    """
    if not isinstance(error, NotImplementedError) or error.__traceback__ is None:
        return False
    step = error.__traceback__
    while step.tb_next is not None:
        step = step.tb_next
    return dis.opname[step.tb_frame.f_code.co_code[step.tb_lasti]] == "RAISE_VARARGS"


def their_line(error: BaseException, thing: Any) -> str | None:
    """Return where in the learner's own code an exception came from: "line 3, in conv2d: …"."""
    function = python_function(thing)
    if function is None or function.__module__.split(".")[0] == "torch":
        return None
    step, line = error.__traceback__, None
    while step is not None:
        code = step.tb_frame.f_code
        # Every cell of a notebook shares one dict of globals, helpers included.
        if step.tb_frame.f_globals is function.__globals__:
            source = linecache.getline(code.co_filename, step.tb_lineno).strip()
            line = f"line {step.tb_lineno}, in {code.co_name}" + (f": `{source}`" if source else "")
        step = step.tb_next
    return line
