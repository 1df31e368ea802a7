"""The machinery behind `check`, `hint` and `solution`.

One exercise is one file, `segtutor/exercises/<chapter>/<name>.py`, that defines
`exercise = Exercise(...)`; its name stands in `CHAPTERS` of `segtutor/exercises/chapters.py`.
The tests of `tests/exercises/test_every_exercise.py` try every one of its known mistakes.
"""

from __future__ import annotations

from segtutor.exercises.engine.exercise import Accepted, Case, Exercise, Mistake, Requirement
from segtutor.exercises.engine.judge import judge
from segtutor.exercises.engine.result import Help, Result

__all__ = ["Accepted", "Case", "Exercise", "Help", "Mistake", "Requirement", "Result", "judge"]
