"""Where adaptive bins begin and end."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def bin_edges(n, size):
    """Divide n pixels into `size` bins -> a list of (first, end).

    `end` is the pixel after the last. Bins are cut at the fractions i/size
    of the axis; a pixel that a cut goes through belongs to both bins.
    n may be smaller than size.
    """
    raise NotImplementedError
'''


def bin_edges(n, size):
    """Begin at the cut rounded down, end at the next cut rounded up."""
    return [(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]


def cases(generator: torch.Generator) -> list[Case]:
    """Return lengths that divide and that do not, and fewer pixels than bins."""
    fixed = [(6, 3), (7, 3), (12, 6), (8, 6), (11, 4), (5, 1), (2, 3), (4, 6), (1, 2), (25, 11)]
    n, size = (torch.randint(2, high, (4,), generator=generator).tolist() for high in (40, 9))
    return [Case(pair) for pair in (*fixed, *zip(n, size, strict=True))]


def _floor_ends(n, size):
    return [(i * n // size, (i + 1) * n // size) for i in range(size)]


def _floor_kernel(n, size):
    return [(i * (n // size), (i + 1) * (n // size)) for i in range(size)]


def _rest_last(n, size):
    step = n // size
    return [(i * step, n if i == size - 1 else (i + 1) * step) for i in range(size)]


def _ceil_kernel(n, size):
    step = -(-n // size)
    return [(min(i * step, n), min((i + 1) * step, n)) for i in range(size)]


def _split(n, size):
    parts = [len(part) for part in torch.arange(n).tensor_split(size)]
    return [(sum(parts[:i]), sum(parts[: i + 1])) for i in range(size)]


def _round(n, size):
    return [(round(i * n / size), round((i + 1) * n / size)) for i in range(size)]


def _inclusive(n, size):
    return [(first, end - 1) for first, end in bin_edges(n, size)]


def _ceil_both(n, size):
    return [(-(-i * n // size), -(-(i + 1) * n // size)) for i in range(size)]


def _plus_one(n, size):
    return [(i * n // size, (i + 1) * n // size + 1) for i in range(size)]


def _whole_step(n, size):
    """Windows of one size, ⌈n/size⌉, begun at the cuts rounded down."""
    step = -(-n // size)
    return [(i * n // size, i * n // size + step) for i in range(size)]


exercise = Exercise(
    name="bin_edges",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "Cut number i lies at i · n / size. Bin i reaches from cut i to cut i + 1. Where a cut "
        "goes through a pixel, which way must the beginning be rounded, and which way the end?",
        "Beginning: `i * n // size`, rounded down. End: the next cut, rounded up. Without floating "
        "point, `-(-a // b)` is a / b rounded up.",
    ),
    solution=bin_edges,
    why=(
        "Down for the beginning, up for the end: so every pixel is in a bin, no bin is empty, and "
        "where the cuts fall between pixels the bins do not overlap. With fewer pixels than bins, "
        "neighbors repeat a pixel, and the pyramid still has its shape. Whole numbers matter: "
        "`math.ceil((i + 1) * (n / size))` makes 26 of 25 pixels for eleven bins."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "bins.floor_end",
            _floor_ends,
            "You round the ends down, so that a pixel that is cut belongs to the right bin only, "
            "and with fewer pixels than bins some are empty. Round the ends up.",
        ),
        Mistake(
            "bins.floor_kernel",
            _floor_kernel,
            "Your bins are windows of n // size pixels, and the rest of the axis is in none of "
            "them. Cut at i · n / size.",
        ),
        Mistake(
            "bins.rest_last",
            _rest_last,
            "The last bin takes the whole rest and may be several times as large as the others. "
            "Cut at i · n / size, so that all are of nearly one size.",
        ),
        Mistake(
            "bins.ceil_kernel",
            _ceil_kernel,
            "Your windows have ⌈n / size⌉ pixels and stand side by side: the last ones are small "
            "or empty. Begin each at its own cut, rounded down.",
        ),
        Mistake(
            "bins.split",
            _split,
            "You split without overlap, as `tensor_split` does. A pixel that a cut goes through "
            "belongs to both neighbors here.",
        ),
        Mistake(
            "bins.round",
            _round,
            "You round the cuts to the nearest pixel. Round down where a bin begins, up where it "
            "ends.",
        ),
        Mistake(
            "bins.inclusive",
            _inclusive,
            "The bins are right, but your ends are the last pixels. Asked is the one after it, as "
            "a slice wants it.",
        ),
        Mistake(
            "bins.ceil_both",
            _ceil_both,
            "You round the beginnings up too, so that a pixel that is cut belongs to the left bin "
            "only. Round them down.",
        ),
        Mistake(
            "bins.plus_one",
            _plus_one,
            "You add 1 to the ends always. Where a cut falls between two pixels, nothing has to "
            "be rounded: 6 pixels in 3 bins do not overlap.",
        ),
        Mistake(
            "bins.one_size",
            _whole_step,
            "Your bins all have ⌈n / size⌉ pixels. Some of PyTorch's are a pixel larger, where "
            "cuts go through a pixel at both ends: round the end of each up from its own cut.",
        ),
    ),
)
