"""The sizes of an FCN-32s without padding, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

HEIGHT, WIDTH = 288, 416

STUB = """
fcn_sizes = [
    None,  # pool5: (rows, columns)
    None,  # fc6
    None,  # the score map
    None,  # the scores, enlarged
]
"""


def _sizes(pool5: tuple[int, int], less: int, kernel: int) -> list[tuple[int, int]]:
    """The four sizes, for a `fc6` that takes `less` rows and stamps of `kernel`."""
    fc6 = tuple(n - less for n in pool5)
    return [pool5, fc6, fc6, tuple((n - 1) * 32 + kernel for n in fc6)]


def fcn_sizes():
    """Divide by 32; take 6 away; keep; (n − 1) steps of 32 and a stamp of 64."""
    return _sizes((HEIGHT // 32, WIDTH // 32), 6, 64)


def _seven_less():
    return _sizes((9, 13), 7, 64)


def _padded():
    return _sizes((9, 13), 0, 64)


def _times_32():
    return _sizes((9, 13), 6, 32)


def _four_poolings():
    return _sizes((18, 26), 6, 64)


def _one_stamp_more():
    return _sizes((9, 13), 6, 96)


def _input_size():
    return [*fcn_sizes()[:3], (HEIGHT, WIDTH)]


def _columns_first():
    return [size[::-1] for size in fcn_sizes()]


exercise = Exercise(
    name="fcn_sizes",
    kind="value",
    minutes=6,
    difficulty=1,
    stub=STUB,
    hints=(
        "Padded 3 × 3 convolutions keep the size, so only the poolings count on the way to pool5: "
        "five halvings. A window of k rows fits into n rows at n − k + 1 places.",
        "fc7 and the scoring layer are 1 × 1 and keep the size. The transposed convolution: the "
        "last of n stamps begins at (n − 1) · 32 and is 64 rows long.",
    ),
    solution=fcn_sizes,
    why=(
        "288 / 32 = 9 and 416 / 32 = 13. A 7 × 7 window fits in at 9 − 6 = 3 by 13 − 6 = 7 places, "
        "and there are as many scores. Enlarged: 2 · 32 + 64 = 128 rows, 6 · 32 + 64 = 256 "
        "columns. The picture had 288 by 416: fc6 has eaten a rim of 96 pixels on each side, and "
        "the stamps, twice as long as their steps, give 16 back. So the paper pads."
    ),
    mistakes=(
        Mistake(
            "fcn.seven_less",
            _seven_less,
            "You took 7 away for the 7 × 7 kernel. A window of 7 in 7 rows still fits once: the "
            "map loses 6.",
        ),
        Mistake(
            "fcn.fc6_padded",
            _padded,
            "You let fc6 keep the size, as a padded convolution does. Here it has no padding: how "
            "many places are there for 7 rows in 9?",
        ),
        Mistake(
            "tconv.size",
            _times_32,
            "You multiplied the scores by 32. That holds for a kernel of 32; stamps of 64 reach 32 "
            "rows further: (n − 1) · 32 + 64.",
        ),
        Mistake(
            "fcn.four_poolings",
            _four_poolings,
            "You halved four times. VGG-16 pools five times: 2 · 2 · 2 · 2 · 2 = 32.",
        ),
        Mistake(
            "tconv.one_stamp_more",
            _one_stamp_more,
            "The last size is a step too large: n stamps have n − 1 steps between them.",
        ),
        Mistake(
            "fcn.input_size",
            _input_size,
            "You gave the picture's own size at the end. That is what one would like to have; "
            "without padding, this network returns less. Compute it from the scores.",
        ),
        Mistake(
            "fcn.columns_first",
            _columns_first,
            "The numbers are right, and columns come first. Rows first, as in (N, C, H, W).",
        ),
    ),
)
