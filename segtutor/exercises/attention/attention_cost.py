"""What looking everywhere costs: numbers kept, and multiply-adds."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def attention_cost(height, width, channels):
    """Self-attention on one map, one head -> two whole numbers.

    First, how many weights there are. Second, the multiply-adds of comparing
    all queries with all keys and of mixing all values. Queries, keys and
    values have `channels` numbers each.
    """
    raise NotImplementedError
'''


def attention_cost(height, width, channels):
    """A weight for each pair of positions; each pair costs C to compare, and C to mix."""
    pairs = (height * width) ** 2
    return pairs, 2 * pairs * channels


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps of a small and of a real network, none square but one."""
    del generator
    return [Case(size) for size in ((1, 2, 3), (4, 4, 8), (8, 12, 64), (65, 97, 256), (7, 5, 10))]


def _positions(height, width, channels):
    return height * width, 2 * height * width * channels


def _sides(height, width, channels):
    pairs = height**2 + width**2
    return pairs, 2 * pairs * channels


def _compare_only(height, width, channels):
    pairs = (height * width) ** 2
    return pairs, pairs * channels


def _flops(height, width, channels):
    pairs = (height * width) ** 2
    return pairs, 4 * pairs * channels


def _no_channels(height, width, channels):
    pairs = (height * width) ** 2
    return pairs, 2 * pairs


def _channel_matrix(height, width, channels):
    return channels**2, 2 * channels**2 * height * width


def _unordered(height, width, channels):
    places = height * width
    pairs = places * (places + 1) // 2
    return pairs, 2 * pairs * channels


def _per_channel(height, width, channels):
    pairs = (height * width) ** 2
    return pairs * channels, 2 * pairs * channels


exercise = Exercise(
    name="attention_cost",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "How many positions has the map? Each of them is a query, and each is a key. One weight "
        "for each pair.",
        "A dot product of two rows of C numbers costs C multiply-adds. Mixing adds, for each "
        "pair, a row of C numbers times a weight: C once more.",
    ),
    solution=attention_cost,
    why=(
        "Twice the side is four times the positions and sixteen times the pairs. That is why "
        "attention between positions stands behind a backbone that has made the picture eight "
        "times smaller, and why kernels were written that never keep the weights: they save the "
        "first number, not the second."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "cost.positions",
            _positions,
            "You counted positions. Attention has a weight for each *pair* of positions: their "
            "number squared.",
        ),
        Mistake(
            "cost.sides",
            _sides,
            "You squared the two sides and added. The map has height · width positions; it is "
            "that product that is squared.",
        ),
        Mistake(
            "cost.mixing",
            _compare_only,
            "You counted the comparison only. Mixing the values costs as much again.",
        ),
        Mistake(
            "cost.flops",
            _flops,
            "You counted multiplication and addition apart. One multiply-add is one.",
        ),
        Mistake(
            "cost.channels",
            _no_channels,
            "You counted one multiply-add a pair. A dot product of C numbers has C of them.",
        ),
        Mistake(
            "cost.channel_attention",
            _channel_matrix,
            "This is attention between channels: C² weights. Here positions look at positions.",
        ),
        Mistake(
            "cost.unordered",
            _unordered,
            "You counted each pair once. A to B and B to A are two weights: a query is not a key.",
        ),
        Mistake(
            "cost.weight_per_channel",
            _per_channel,
            "You kept C weights a pair. With one head there is one: the dot product has summed "
            "over the channels.",
        ),
    ),
)
