"""Sixteen numbers with a pencil: one row, stretched by two rulers."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# Every weight is a whole number of quarters or of sevenths: 28 makes the results whole.
ROW = (0, 28, 84, 28)
SIZE = 8

STUB = """
two_rulers = None  # [eight numbers for False, eight numbers for True]
"""


def two_rulers():
    """Find the place of each output pixel; mix the two beside it."""
    half_pixel = [(i + 0.5) * 4 / 8 - 0.5 for i in range(8)]  # −0.25, …
    aligned = [i * 3 / 7 for i in range(8)]  # 0, 3/7, 6/7, …, 3
    result = []
    for places in (half_pixel, aligned):
        row = []
        for place in places:
            place = min(max(place, 0), 3)  # outside, nothing to mix
            left = min(int(place), 2)
            share = place - left  # of the way to the right neighbor
            row.append((1 - share) * ROW[left] + share * ROW[left + 1])
        result.append(row)
    return result


def _mixed(places, clamped=True, beyond=None):
    row = []
    for place in places:
        if clamped:
            place = min(max(place, 0), 3)
        left = min(max(int(place // 1), -1 if beyond == 0 else 0), 3 if beyond == 0 else 2)
        share = place - left

        def pixel(i):
            return ROW[i] if 0 <= i < 4 else beyond

        row.append((1 - share) * pixel(left) + share * pixel(left + 1))
    return row


_HALF = [(i + 0.5) / 2 - 0.5 for i in range(SIZE)]
_ALIGNED = [i * 3 / 7 for i in range(SIZE)]


def _exchanged():
    return [_mixed(_ALIGNED), _mixed(_HALF)]


def _half_twice():
    return [_mixed(_HALF), _mixed(_HALF)]


def _aligned_twice():
    return [_mixed(_ALIGNED), _mixed(_ALIGNED)]


def _no_half_pixel():
    return [_mixed([i / 2 for i in range(SIZE)]), _mixed(_ALIGNED)]


def _extrapolated():
    return [_mixed(_HALF, clamped=False), _mixed(_ALIGNED)]


def _zero_border():
    return [_mixed(_HALF, clamped=False, beyond=0), _mixed(_ALIGNED)]


def _nearest():
    repeated = [ROW[i // 2] for i in range(SIZE)]
    return [repeated, repeated]


def _eighths():
    return [_mixed(_HALF), _mixed([i * 3 / 8 for i in range(SIZE)])]


def _shares_exchanged():
    def swapped(places):
        inside = [min(max(place, 0), 3) for place in places]
        lefts = [min(int(place), 2) for place in inside]
        return _mixed([2 * left + 1 - place for left, place in zip(lefts, inside, strict=True)])

    return [swapped(_HALF), swapped(_ALIGNED)]


exercise = Exercise(
    name="two_rulers",
    kind="value",
    minutes=10,
    difficulty=1,
    stub=STUB,
    hints=(
        "Write the place of every output pixel under the row first. False: (i + ½)·4/8 − ½, that "
        "is −¼, ¼, ¾, … True: i·3/7. A place below 0 counts as 0, one above 3 as 3.",
        "At place ¾ you have gone three quarters of the way from pixel 0 to pixel 1: ¼ of the one "
        "and ¾ of the other. With False the row begins 0, 7, 21; with True it begins 0, 12, 24.",
    ),
    solution=two_rulers,
    why=(
        "With False, pixels are little squares: eight half-size squares lie on four whole ones, "
        "so the first center is a quarter before the old one, and every place ends in ¼ or ¾. "
        "With True, pixels are posts: the first and the last stand still, and seven gaps divide "
        "the way that three gaps took. Both rows begin and end alike; inside, the same number "
        "stands at other places."
    ),
    mistakes=(
        Mistake(
            "up.align_corners",
            _exchanged,
            "Your two rows are right and have changed places. Sevenths belong to True, where the "
            "first and last centers stay; quarters belong to False.",
        ),
        Mistake(
            "up.half_pixel_twice",
            _half_twice,
            "The first row is right, and the second repeats it. With `align_corners=True` the "
            "eight places divide the way from 0 to 3 into seven equal steps.",
        ),
        Mistake(
            "up.aligned_twice",
            _aligned_twice,
            "The second row is right, and the first repeats it. With `align_corners=False` a step "
            "is 4/8, and the first place lies a quarter of a pixel before pixel 0.",
        ),
        Mistake(
            "up.no_half_pixel",
            _no_half_pixel,
            "In the first row you stretched the index, i·4/8. The centers are what is stretched: "
            "the center of output pixel i lies at i + ½, so go back by ½ in the end.",
        ),
        Mistake(
            "up.extrapolated",
            _extrapolated,
            "At the ends of the first row you went on in a straight line beyond the last center, "
            "and got numbers below the smallest of the row. There, the last pixel is repeated.",
        ),
        Mistake(
            "up.zero_border",
            _zero_border,
            "At the ends of the first row you mixed with a zero from outside. `interpolate` "
            "repeats the last pixel; the dark border belongs to transposed convolution.",
        ),
        Mistake(
            "up.nearest",
            _nearest,
            'You repeated every pixel. That is `mode="nearest"`; bilinear mixes the two '
            "neighbors, the nearer one with the larger share.",
        ),
        Mistake(
            "up.eighths",
            _eighths,
            "The first row is right. In the second your steps are 3/8, and the last place is not "
            "3: eight posts have seven gaps between them.",
        ),
        Mistake(
            "up.shares_exchanged",
            _shares_exchanged,
            "The places are right and the shares have changed hands: at place ¼ the pixel on the "
            "left is nearer, so it gets ¾.",
        ),
    ),
)
