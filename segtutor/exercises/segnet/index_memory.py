"""What a map weighs, and what its indices weigh, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
index_memory = [
    None,  # bytes of the map before pooling, in float32: what a skip keeps
    None,  # bytes of the indices, two bits each
    None,  # bytes of the indices as PyTorch returns them, int64
    None,  # the first number divided by the second
]
"""


def index_memory():
    """Four bytes a number; a quarter of a byte, or eight bytes, a window."""
    numbers = 64 * 180 * 240
    windows = numbers // 4
    return [4 * numbers, windows // 4, 8 * windows, 64]


def _bits():
    return [11_059_200, 1_382_400, 5_529_600, 8]


def _one_channel():
    return [172_800, 2_700, 86_400, 64]


def _index_per_number():
    return [11_059_200, 691_200, 22_118_400, 16]


def _after_pooling():
    return [2_764_800, 172_800, 5_529_600, 16]


def _a_bit_per_number():
    return [11_059_200, 345_600, 5_529_600, 32]


def _int32():
    return [11_059_200, 172_800, 2_764_800, 64]


exercise = Exercise(
    name="index_memory",
    kind="value",
    minutes=8,
    difficulty=1,
    stub=STUB,
    hints=(
        "How many numbers has the map? 64 · 180 · 240. A float32 has four bytes. How many windows "
        "of 2 × 2 are there? A quarter as many, in all channels together.",
        "Eight bits are a byte: four indices of two bits share one. An int64 has eight bytes.",
    ),
    solution=index_memory,
    why=(
        "A window holds four float32, 128 bits, and its index needs two: a factor of 64, whatever "
        "the size. These are the 11 MB and the 0.17 MB that the paper counts for such a map. But "
        "PyTorch's indices are int64, so that what is saved there is no more than half."
    ),
    mistakes=(
        Mistake(
            "memory.bits",
            _bits,
            "Your second number counts bits. Eight of them are a byte.",
        ),
        Mistake(
            "memory.one_channel",
            _one_channel,
            "You counted one channel. Every channel is pooled by itself and has indices of its "
            "own: 64 times as much.",
        ),
        Mistake(
            "memory.index_per_number",
            _index_per_number,
            "You keep an index for every number of the map. There is one for every *window*: a "
            "quarter as many.",
        ),
        Mistake(
            "memory.after_pooling",
            _after_pooling,
            "Your first number is the pooled map. A skip keeps the map before pooling, which is "
            "four times as large.",
        ),
        Mistake(
            "memory.bit_per_number",
            _a_bit_per_number,
            "You spend four bits on a window, one for each of its pixels. One of four places is a "
            "number from 0 to 3: two bits are enough.",
        ),
        Mistake(
            "memory.int32",
            _int32,
            "You gave an index four bytes. PyTorch returns them as int64: eight.",
        ),
    ),
)
