"""How many of the nine taps of a dilated kernel lie in the map, on average?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def taps_inside(height, width, rate):
    """The number of taps of a 3x3 kernel that lie in a (height, width) map.

    The kernel has dilation `rate` and is padded so that the map keeps its
    size. Average the number of its nine taps that lie in the map, and not
    in the padding, over all places of the kernel.
    """
    raise NotImplementedError
'''


def taps_inside(height, width, rate):
    """Rows and columns fit independently of each other."""

    def along(length):
        # The middle tap is always inside; each outer one at length − rate places.
        return 1 + 2 * max(length - rate, 0) / length

    return along(height) * along(width)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps that are not square, and rates from 1 to far beyond their size."""
    fixed = [(4, 6, 1), (8, 12, 2), (8, 12, 4), (8, 12, 9), (33, 65, 12), (33, 65, 18), (5, 7, 40),
             (1, 9, 1)]  # fmt: skip
    sizes = torch.randint(2, 30, (5, 3), generator=generator).tolist()
    return [Case(tuple(size)) for size in (*fixed, *sizes)]


def _along(length, rate):
    return 1 + 2 * max(length - rate, 0) / length


def _not_clamped(height, width, rate):
    return (1 + 2 * (height - rate) / height) * (1 + 2 * (width - rate) / width)


def _square(height, width, rate):
    return _along(height, rate) ** 2


def _square_wide(height, width, rate):
    return _along(width, rate) ** 2


def _added(height, width, rate):
    return _along(height, rate) + _along(width, rate)


def _share(height, width, rate):
    return taps_inside(height, width, rate) / 9


def _total(height, width, rate):
    return taps_inside(height, width, rate) * height * width


def _middle_only(height, width, rate):
    def there(length):
        middle = length // 2
        return 1 + (middle - rate >= 0) + (middle + rate < length)

    return there(height) * there(width)


def _one_less(height, width, rate):
    def along(length):
        return 1 + 2 * max(length - rate - 1, 0) / length

    return along(height) * along(width)


def _half(height, width, rate):
    """Places where the whole kernel fits count nine, all others one."""
    whole = max(height - 2 * rate, 0) * max(width - 2 * rate, 0)
    return 1 + 8 * whole / (height * width)


exercise = Exercise(
    name="taps_inside",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Look at one axis first. The left tap of a kernel at column c reads column c − rate. At "
        "how many of the `width` places is that a column of the map?",
        "A tap is inside if its row and its column are. So along each axis 1 + 2·(n − rate)/n taps "
        "are inside on average, n the length, and the two numbers are multiplied. What if the rate "
        "is larger than n?",
    ),
    solution=taps_inside,
    why=(
        "Along an axis of length n, the outer taps are inside at n − d places each, and nowhere if "
        "d is n or more. Nine taps are a product of two axes, so the means are multiplied. On a "
        "map of 8×12 rate 2 keeps 6.67 taps, rate 4 keeps 4.67 and rate 12 exactly one: a 1×1 "
        "convolution that costs nine times as much."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "aspp.not_clamped",
            _not_clamped,
            "For a rate beyond the map your count goes below zero along that axis. No tap can be "
            "inside less often than never: `max(…, 0)`.",
        ),
        Mistake(
            "aspp.height_twice",
            _square,
            "You used the height for both axes. The map need not be square.",
        ),
        Mistake(
            "aspp.width_twice",
            _square_wide,
            "You used the width for both axes. The map need not be square.",
        ),
        Mistake(
            "aspp.added",
            _added,
            "You added the two axes. Each of the rows of taps meets each of the columns: multiply.",
        ),
        Mistake("aspp.share", _share, "This is the share of the nine taps. Give their number."),
        Mistake(
            "aspp.total",
            _total,
            "This is the sum over all places. Divide by their number to get the mean.",
        ),
        Mistake(
            "aspp.middle_only",
            _middle_only,
            "You counted for a kernel in the middle of the map. Near the border fewer taps are "
            "inside; average over all places.",
        ),
        Mistake(
            "aspp.one_less",
            _one_less,
            "You lost one place along each axis. With columns 0 to n − 1, column c − rate exists "
            "for c = rate, …, n − 1: n − rate places.",
        ),
        Mistake(
            "aspp.whole_kernels",
            _half,
            "You counted a place only if all nine taps fit, and one tap otherwise. A kernel near "
            "the border still has some of them: count taps, not kernels.",
        ),
    ),
)
