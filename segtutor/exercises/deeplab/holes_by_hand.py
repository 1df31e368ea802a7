"""Count with a pencil what stacked dilations see."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
holes_by_hand = [
    None,  # rates 2, 2, 2: how many pixels lie between the outermost taps?
    None,  # ... and how many of them reach the output?
    None,  # ... and along how many paths does the pixel in the middle?
    None,  # rates 1, 2, 4: how many pixels lie between the outermost taps?
    None,  # ... and how many of them reach the output?
    None,  # ... and along how many paths does the pixel in the middle?
]
"""


def holes_by_hand():
    """Each layer steps −d, 0 or d: the field is the set of all sums."""
    return [13, 7, 7, 15, 15, 1]


def _kernels_grow():
    # Each layer taken to be 3·d wide, as if its taps were blocks.
    return [16, 7, 7, 19, 19, 1]


def _dense():
    return [13, 13, 7, 15, 15, 1]


def _areas():
    return [169, 49, 49, 225, 225, 1]


def _holes():
    return [13, 6, 7, 15, 0, 1]


def _one_sided():
    return [7, 4, 7, 8, 8, 1]


def _middle_once():
    return [13, 7, 1, 15, 15, 1]


def _all_paths():
    return [13, 7, 27, 15, 15, 27]


exercise = Exercise(
    name="holes_by_hand",
    kind="value",
    minutes=10,
    difficulty=1,
    stub=STUB,
    hints=(
        "In a row, a 3-tap layer of dilation d steps to −d, 0 or +d. Three layers are three steps, "
        "and the pixels that you can arrive at are the field. The farthest one takes the largest "
        "step each time.",
        "With 2, 2, 2 every step is even, so you never stand on an odd pixel. The middle is where "
        "the three steps add up to 0: all zero, or one forth, one back and one zero, in any "
        "order. With 1, 2, 4 try to find a second way to 0.",
    ),
    solution=holes_by_hand,
    why=(
        "The span is 1 + 2·(d₁ + d₂ + d₃): 13 and 15. Even steps end on even pixels: −6, −4, …, 6, "
        "seven of the thirteen, and the middle is reached in 1 + 3·2 = 7 ways. With 1, 2, 4 there "
        "are 27 paths too, but to fifteen pixels without a gap; 0 is reached in one way only, for "
        "±1 ± 2 is never 4 and ±1 is never 2. On a picture, square all six."
    ),
    mistakes=(
        Mistake(
            "conv.dilation_keff",
            _kernels_grow,
            "You gave a layer of dilation d a width of 3·d. Three taps that lie d apart span "
            "2·d + 1 pixels: d = 4 reaches from −4 to 4, which are nine.",
        ),
        Mistake(
            "dilation.dense",
            _dense,
            "Five are right. With rates 2, 2, 2 you took every pixel in between to be seen. Can "
            "three even steps ever end on an odd pixel?",
        ),
        Mistake(
            "dilation.areas",
            _areas,
            "These are the numbers for a picture, a square each. Asked is a single row.",
        ),
        Mistake(
            "dilation.holes",
            _holes,
            "You counted the holes. Asked is how many pixels do reach the output.",
        ),
        Mistake(
            "dilation.one_sided",
            _one_sided,
            "You looked to one side of the middle only. The taps lie on both sides of it.",
        ),
        Mistake(
            "dilation.middle_once",
            _middle_once,
            "Five are right. With 2, 2, 2 the middle is reached by more than the path that stays "
            "there: a step forth and a step back also end in it.",
        ),
        Mistake(
            "dilation.all_paths",
            _all_paths,
            "27 is the number of all paths, 3·3·3, to any pixel. How many of them end in the "
            "middle?",
        ),
    ),
)
