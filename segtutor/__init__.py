"""segtutor: semantic segmentation from the pixel up, every claim run and checked.

The five words that the book's chapters speak are here; everything else has a floor of its
own: `segtutor.ops`, `segtutor.losses`, `segtutor.metrics`, `segtutor.models`, `segtutor.data`,
`segtutor.training`, `segtutor.inference`, `segtutor.figures`, `segtutor.labs`,
`segtutor.exercises`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Loaded when first asked for, so that `import segtutor` costs next to nothing.
_HOMES = {
    "check": "segtutor.exercises",
    "claim": "segtutor.claims",
    "hint": "segtutor.exercises",
    "show": "segtutor.listing",
    "solution": "segtutor.exercises",
}
_FLOORS = ("data", "exercises", "figures", "inference", "labs", "losses", "metrics", "models",
           "ops", "training")  # fmt: skip

__all__ = ["check", "claim", "hint", "show", "solution"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _FLOORS:
        return import_module(f"segtutor.{name}")
    raise AttributeError(f"module 'segtutor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_FLOORS, "__version__"])
