"""How far a training is, in a terminal, in a notebook, or in a file."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

__all__ = ["Progress"]

WIDTH, EVERY = 24, 0.2  # characters of the bar; seconds between two drawings


class Progress:
    """One line that says where a training is.

    In a terminal it overwrites itself, and each epoch leaves a line. In a notebook it
    overwrites itself too, and what stays, and is stored, is the plan alone: the same text at
    every run. In a file, one line an epoch.

    Args:
        epochs: Epochs of the training.
        steps: Steps of an epoch.
        show: Whether to say anything at all.
    """

    def __init__(self, epochs: int, steps: int, *, show: bool = True) -> None:
        self.epochs, self.steps = epochs, steps
        self.place = _place() if show else "nowhere"
        self.plan = f"{_count(epochs, 'epoch')} of {_count(steps, 'step')}"
        self.started = self.drawn = monotonic()
        self.done = 0  # steps since the start of this run
        self.handle: Any = None

    def __enter__(self) -> Progress:
        if self.place == "notebook":
            from IPython.display import display

            self.handle = display({"text/plain": self.plan}, raw=True, display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.place == "terminal":
            self._overwrite("")
        elif self.place == "notebook":
            self.handle.update({"text/plain": self.plan}, raw=True)

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Say that a step of an epoch is done; both count from 1."""
        self.done += 1
        if self.place in ("nowhere", "file") or monotonic() - self.drawn < EVERY:
            return
        self.drawn = monotonic()
        filled = WIDTH * step // self.steps
        left = ((self.epochs - epoch + 1) * self.steps - step) / self.done
        text = (
            f"epoch {epoch}/{self.epochs} {'━' * filled}{'·' * (WIDTH - filled)} "
            f"step {step}/{self.steps}  loss {loss:.3f}  "
            f"{_clock((self.drawn - self.started) * left)} left"
        )
        if self.place == "terminal":
            self._overwrite(text)
        else:
            self.handle.update({"text/plain": f"{self.plan}\n{text}"}, raw=True)

    def epoch(self, row: dict[str, Any]) -> None:
        """Say how an epoch ended."""
        if self.place in ("nowhere", "notebook"):
            return
        if self.place == "terminal":
            self._overwrite("")
        said = [f"epoch {row['epoch']}/{self.epochs}", f"loss {row['train_loss']:.3f}"]
        if "val_loss" in row:
            said += [f"val loss {row['val_loss']:.3f}", f"mean IoU {row['mean_iou']:.3f}"]
        print("  ".join([*said, f"{_clock(row['seconds'])}"]), file=sys.stderr, flush=True)

    def _overwrite(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _place() -> str:
    """Return "notebook" where a kernel listens, "terminal" or "file"."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell and hasattr(shell, "kernel"):
        return "notebook"
    return "terminal" if sys.stderr.isatty() else "file"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
