"""Curves and label maps for TensorBoard, if it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segtutor.training.history import History

__all__ = ["Writer"]


class Writer:
    """Writes each epoch of a training for TensorBoard; does nothing if it is not on.

    Args:
        folder: Where to write.
        on: Whether to.
    """

    def __init__(self, folder: str | Path, *, on: bool) -> None:
        self.writer = None
        if on:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise ImportError(
                    "tensorboard=True needs a package that is not installed: "
                    "pip install tensorboard"
                ) from error
            self.writer = SummaryWriter(str(folder))

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def epoch(self, row: dict[str, Any], history: History, num_classes: int) -> None:
        """Write a row of numbers, and the newest label maps in shades of gray."""
        if self.writer is None:
            return
        for name, value in row.items():
            if isinstance(value, float):
                self.writer.add_scalar(name, value, row["epoch"])
        for i, labels in enumerate(history.pictures[-1] if history.pictures else []):
            shade = labels[None] / max(num_classes - 1, 1)
            self.writer.add_image(f"prediction {i}", shade, row["epoch"])
