"""From logits to a label map with a pencil: six pixels, three classes."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

# Logits of sky, building and road, 2 x 3 pixels each. Negative ones, so that neither their sign
# nor their size alone decides; no pixel is a tie.
LOGITS = (
    ((2.0, -1.0, 0.5), (-3.0, -0.5, -2.0)),
    ((1.0, 3.0, -4.0), (1.5, -2.0, -1.0)),
    ((-1.0, 2.0, 1.5), (0.5, -1.0, -3.0)),
)

STUB = """
map_by_hand = [  # 0 sky, 1 building, 2 road
    [None, None, None],
    [None, None, None],
]
"""


def map_by_hand():
    """At each pixel, the number of the class whose logit is the largest."""
    return torch.tensor(LOGITS).argmax(0)


def _smallest():
    return torch.tensor(LOGITS).argmin(0)


def _counted_from_one():
    return map_by_hand() + 1


def _largest_size():
    return torch.tensor(LOGITS).abs().argmax(0)


def _first_above_zero():
    return (torch.tensor(LOGITS) > 0).int().argmax(0)


def _last_above_zero():
    return 2 - (torch.tensor(LOGITS) > 0).int().flip(0).argmax(0)


def _the_logit_itself():
    return torch.tensor(LOGITS).amax(0)


def _negative_is_void():
    labels = map_by_hand()
    labels[torch.tensor(LOGITS).amax(0) < 0] = 255
    return labels


exercise = Exercise(
    name="map_by_hand",
    kind="value",
    minutes=4,
    difficulty=1,
    stub=STUB,
    hints=(
        "Take one pixel and read its number in all three grids. Which grid has the largest one? "
        "Write down the number of that grid, 0, 1 or 2, and go on to the next pixel.",
        "−0.5 is larger than −2. Where all three logits are negative, the one nearest to 0 wins: "
        "logits are compared with each other, never with 0.",
    ),
    solution=map_by_hand,
    why=(
        "A logit says how well a class fits, on no particular scale. Add 100 to all three and "
        "nothing changes, so 0 means nothing; what counts is which is largest. Two of the six "
        "pixels have no logit above 0, and they get a class all the same: a network decides at "
        "every pixel. Void exists in label maps that people draw; a network does not say it."
    ),
    mistakes=(
        Mistake(
            "map.smallest",
            _smallest,
            "You took the class with the smallest logit. A logit says how well a class fits: the "
            "largest one wins.",
        ),
        Mistake(
            "map.counted_from_one",
            _counted_from_one,
            "The right classes, counted from 1. Here the first class has the number 0, as rows "
            "and columns do.",
        ),
        Mistake(
            "map.largest_size",
            _largest_size,
            "You left the signs out: −4 counted for more than 3. A logit far below 0 speaks "
            "against its class.",
        ),
        Mistake(
            "map.first_above_zero",
            _first_above_zero,
            "You took the first class whose logit is above 0. A later one may be larger, and "
            "where none is above 0 one of them is still the largest.",
        ),
        Mistake(
            "map.last_above_zero",
            _last_above_zero,
            "You took the last class whose logit is above 0. An earlier one may be larger, and "
            "where none is above 0 one of them is still the largest.",
        ),
        Mistake(
            "map.the_logit",
            _the_logit_itself,
            "These are the largest logits themselves. Asked for is whose they are: the number of "
            "the class, 0, 1 or 2.",
        ),
        Mistake(
            "map.negative_is_void",
            _negative_is_void,
            "You made a pixel void where all its logits are below 0. Zero means nothing for a "
            "logit: the largest of three negative numbers is still the largest.",
        ),
    ),
)
