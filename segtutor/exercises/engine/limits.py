"""A time limit for code that somebody else wrote, in any thread and on any system.

When the time is over, a second thread raises an exception in the thread that runs the code.
No Python program can do more from inside: one long call into compiled code (`time.sleep(60)`)
is left only when it comes back. (And Python 3.10 cannot leave a loop whose whole body is a
`try` without a single call in it, by Ctrl+C either.)

An import is never cut off, and its time does not count: half a module would stay broken for as
long as Python runs, and PyTorch loads much of itself at the first use of a part.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

_LOOK_SECONDS = 0.05


class OutOfTimeError(Exception):
    """The code did not come back within its limit."""


def call_within(seconds: float, call: Callable[[], object]) -> object:
    """Return `call()`, or raise `OutOfTimeError` when it takes longer than `seconds`.

    Neither `except Exception` nor a bare `except` in the called code keeps it alive.
    """
    guard = _Guard(seconds)
    try:
        try:
            value = guard.run(call)
        finally:
            guard.close()
    except BaseException as error:
        # The exception may have been sent in the very moment in which the code came back; then
        # it hit the first `close`. It cannot happen twice: see `_Guard._watch`.
        guard.close()
        if isinstance(error, KeyboardInterrupt) or not guard.fired:
            raise
    if guard.fired:
        raise OutOfTimeError(f"no answer within {seconds:g} s")
    return value


class _TimeUpError(BaseException):
    """Raised in the code whose time is over."""

    guard: _Guard

    def __del__(self) -> None:
        # Whoever swallows it (a bare `except` in a loop) lets it go, in the thread that it hit.
        self.guard.haunt(sys._getframe(1))


class _Guard:
    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._seconds = seconds
        self._thread = threading.get_ident()
        self._frame: FrameType | None = None
        self._tracer = sys.gettrace()  # a debugger's or coverage's, put back at the end
        self._over = threading.Event()
        self._sending = threading.Lock()
        self._error = type("TimeUpError", (_TimeUpError,), {"guard": self})

    def run(self, call: Callable[[], object]) -> object:
        self._frame = sys._getframe()
        threading.Thread(target=self._watch, daemon=True).start()
        return call()

    def close(self) -> None:
        """End the watch; after this nothing is sent, and what was sent is forgotten."""
        with self._sending:
            self._over.set()
        _send(self._thread, None)
        self._frame = None
        if sys.gettrace() == self._raise_again:
            sys.settrace(self._tracer)

    def haunt(self, frame: FrameType | None) -> None:
        """Make the next line of the guarded code raise: it swallowed an exception and went on."""
        guarded = self._frames_inside(frame)
        for inside in guarded or ():
            inside.f_trace = self._raise_again
        if guarded:
            sys.settrace(self._raise_again)

    def _raise_again(self, frame: FrameType, event: str, arg: object) -> object:
        if event == "call":  # a new frame: nothing of ours, once `run` has been left
            return None if self._frames_inside(frame) is None else self._raise_again
        if event == "line" and not self._over.is_set():
            raise self._error
        return self._raise_again

    def _frames_inside(self, frame: FrameType | None) -> list[FrameType] | None:
        """Return the frames from `frame` up to `run`, or None when `run` is not among them."""
        inside = []
        while frame is not None and frame is not self._frame:
            inside.append(frame)
            frame = frame.f_back
        return inside if frame is not None else None

    def _watch(self) -> None:
        left = self._seconds
        while left > 0:
            start = time.monotonic()
            if self._over.wait(min(left, _LOOK_SECONDS)):
                return
            if not self._loading():
                left -= time.monotonic() - start
        while True:
            # The lock makes "still inside?" and "send" one step for `close`: once `run` has been
            # left, at most one exception is on its way.
            with self._sending:
                current = sys._current_frames().get(self._thread)
                if self._over.is_set() or self._frames_inside(current) is None:
                    return
                if not self._loading():
                    self.fired = True
                    _send(self._thread, self._error)
            self._over.wait(_LOOK_SECONDS)

    def _loading(self) -> bool:
        """Return whether the guarded code is importing a module."""
        inside = self._frames_inside(sys._current_frames().get(self._thread))
        return any(
            frame.f_code.co_filename.startswith("<frozen importlib._bootstrap")
            for frame in inside or ()
        )


def _send(thread: int, error: type[BaseException] | None) -> None:
    exception = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
