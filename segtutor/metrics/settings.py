"""What two tables of counts have to share before they can be added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from segtutor.labels import check_void

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Number and names of the classes, and the label of void.

    Args:
        num_classes: C; the classes are 0 to C − 1.
        ignore_index: The label of target pixels that are not judged.
        class_names: One name a class, or None.
    """

    num_classes: int
    ignore_index: int
    class_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.num_classes, bool) or not isinstance(self.num_classes, Integral):
            raise TypeError(f"num_classes={self.num_classes!r} has to be a whole number")
        if self.num_classes < 1:
            raise ValueError(f"num_classes={self.num_classes} has to be at least 1")
        if isinstance(self.ignore_index, bool) or not isinstance(self.ignore_index, Integral):
            raise TypeError(
                f"ignore_index={self.ignore_index!r} has to be a whole number; where nothing is "
                "void, take one that never occurs, such as -1"
            )
        check_void(self.num_classes, self.ignore_index)
        for name in ("num_classes", "ignore_index"):  # NumPy's are not saved as plain values
            object.__setattr__(self, name, int(getattr(self, name)))
        if self.class_names is None:
            return
        if isinstance(self.class_names, str) or len(self.class_names) != self.num_classes:
            raise ValueError(
                f"class_names={self.class_names!r} has to hold one name for each of the "
                f"{self.num_classes} classes"
            )
        object.__setattr__(self, "class_names", tuple(map(str, self.class_names)))

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each class: its number where none was given."""
        return self.class_names or tuple(map(str, range(self.num_classes)))

    def same_as(self, other: Settings) -> None:
        """Raise unless counts under these settings and under others mean the same."""
        for name in ("num_classes", "ignore_index", "class_names"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs and not (name == "class_names" and None in (mine, theirs)):
                raise ValueError(
                    f"{name} is {mine} here, but {theirs} in the other counts: they count "
                    "different things and cannot be joined"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, by the names of the arguments."""
        names = None if self.class_names is None else list(self.class_names)
        return {
            "num_classes": self.num_classes,
            "ignore_index": self.ignore_index,
            "class_names": names,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Settings:
        """Read what `as_dict` wrote; other keys are left alone."""
        return cls(state["num_classes"], state["ignore_index"], state["class_names"])
