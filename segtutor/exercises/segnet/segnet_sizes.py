"""The rows of an odd picture on their way down and up, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
segnet_sizes = [
    None,  # rows after the first pooling
    None,  # after the second
    None,  # after the third
    None,  # after the fourth, the deepest map
    None,  # rows after the first unpooling
    None,  # after the second
    None,  # after the third
    None,  # after the fourth
]
"""


def segnet_sizes():
    """Halve and round up; then take back what was put aside, the last first."""
    rows, before = 45, []
    pooled = []
    for _ in range(4):
        before.append(rows)
        rows = (rows + 1) // 2
        pooled.append(rows)
    return pooled + before[::-1]


def _floor():
    return [22, 11, 5, 2, 5, 11, 22, 45]


def _doubled():
    return [23, 12, 6, 3, 6, 12, 24, 48]


def _floor_and_doubled():
    return [22, 11, 5, 2, 4, 8, 16, 32]


def _first_in_first_out():
    return [23, 12, 6, 3, 45, 23, 12, 6]


def _after_pooling():
    return [23, 12, 6, 3, 3, 6, 12, 23]


def _with_the_picture():
    return [45, 23, 12, 6, 6, 12, 23, 45]


exercise = Exercise(
    name="segnet_sizes",
    kind="value",
    minutes=6,
    difficulty=1,
    stub=STUB,
    hints=(
        "SegNet's pooling lets a last window hang over the end: 45 rows need 23 windows of two. "
        "Round up at every step.",
        "Every unpooling is told the size that its partner had *before* it pooled. The partner of "
        "the first unpooling is the last pooling, which made 3 rows out of 6.",
    ),
    solution=segnet_sizes,
    why=(
        "Down: 45, 23, 12, 6, 3. Up: the same numbers backwards. 3 rows may come from 5 or from 6, "
        "and 23 from 45 or from 46: the pooled map does not know, so the size has to be kept "
        "beside the indices."
    ),
    mistakes=(
        Mistake(
            "segnet.floor",
            _floor,
            "You rounded down on the way down. That is PyTorch's default, and it drops the last "
            "row; SegNet rounds up.",
        ),
        Mistake(
            "unpool.size",
            _doubled,
            "The way down is right. On the way up you doubled: 24 rows, then 48, and the logits "
            "no longer fit the picture. The size is told, not guessed.",
        ),
        Mistake(
            "segnet.floor_doubled",
            _floor_and_doubled,
            "You rounded down, and doubled on the way up: of 45 rows 32 are left. Round up, and "
            "take the sizes from the way down.",
        ),
        Mistake(
            "segnet.order",
            _first_in_first_out,
            "Your sizes come back in the order in which they were put aside. What was put aside "
            "last is needed first: a stack, not a queue.",
        ),
        Mistake(
            "segnet.after_pooling",
            _after_pooling,
            "You returned to the sizes *after* each pooling. An unpooling leads back to the size "
            "before it: one step further.",
        ),
        Mistake(
            "segnet.no_pooling",
            _with_the_picture,
            "Your first number is the picture itself. After the first pooling it has been halved "
            "already.",
        ),
    ),
)
