"""Which sizes go through an unpadded U-Net, and what comes out?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def unpadded_size(n, depth):
    """Rows of logits for n rows of a picture; 0 if n does not fit.

    n fits if every map that is pooled has an even number of rows, and if
    at least one row of logits is left.
    """
    raise NotImplementedError
'''


def unpadded_size(n, depth):
    """Walk down and up again."""
    for _ in range(depth):
        n -= 4
        if n % 2:
            return 0
        n //= 2
    n -= 4
    for _ in range(depth):
        n = 2 * n - 4
    return max(n, 0)


def cases(generator: torch.Generator) -> list[Case]:
    """Return sizes that fit, sizes that nearly do, and sizes of which nothing is left."""
    designed = [(572, 4), (576, 4), (188, 4), (140, 4), (60, 2), (62, 2), (44, 2), (40, 2),
                (16, 1), (17, 1), (100, 3), (104, 3), (8, 1), (92, 3), (574, 4)]  # fmt: skip
    made = [Case(pair) for pair in designed]
    for _ in range(8):
        depth = int(torch.randint(1, 5, (), generator=generator))
        n = int(torch.randint(150, 600, (), generator=generator))
        fits = n - n % 2**depth + 4 * (2**depth - 1) % 2**depth
        made.append(Case((fits, depth)))
    return made


def _walk(n, depth, block=4, way_up=4, bottom=4, even=True):
    for _ in range(depth):
        n -= block
        if even and n % 2:
            return 0
        n //= 2
    n -= bottom
    for _ in range(depth):
        n = 2 * n - way_up
    return n


def _rest_dropped(n, depth):
    return max(_walk(n, depth, even=False), 0)


def _below_zero(n, depth):
    return _walk(n, depth)


def _multiples(n, depth):
    return max(n - 12 * 2**depth + 8, 0) if n % 2**depth == 0 else 0


def _padded(n, depth):
    return n if n % 2**depth == 0 else 0


def _one_convolution(n, depth):
    return max(_walk(n, depth, 2, 2, 2), 0)


def _free_way_up(n, depth):
    return max(_walk(n, depth, way_up=0), 0)


def _no_bottom(n, depth):
    return max(_walk(n, depth, bottom=0), 0)


def _one_level_less(n, depth):
    return max(_walk(n, depth - 1), 0)


exercise = Exercise(
    name="unpadded_size",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "Walk with the rows: `depth` times a block and a pooling, the deepest block, `depth` times "
        "a doubling and a block. A block costs four rows.",
        "Where an odd number is about to be halved, return 0. At the end `max(n, 0)`: what has "
        "become negative on the way up is no picture. `unpadded_size(572, 4)` is 388.",
    ),
    solution=unpadded_size,
    why=(
        "The walk is the network itself, with one number in place of a map. All blocks together "
        "cost 12·2^depth − 8 rows, because a row lost deep down counts 2^depth times at the top. "
        "And n fits if n + 4 is a multiple of 2^depth: multiples themselves fit to depth 2 only."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "unet.odd",
            _rest_dropped,
            "You halved odd numbers and dropped the rest. The walk goes on with a map that no "
            "longer lies over the picture; here such a size does not fit: return 0.",
        ),
        Mistake(
            "unet.below_zero",
            _below_zero,
            "You returned a negative number of rows. If nothing is left, the picture is too small: "
            "return 0.",
        ),
        Mistake(
            "unet.multiples",
            _multiples,
            "You asked whether n is a multiple of 2^depth. That is the padded network's question. "
            "Here four rows are gone before the first pooling, four more before the second: 576 is "
            "a multiple of 16 and does not fit, 572 does.",
        ),
        Mistake(
            "unet.padded",
            _padded,
            "This is the padded network, whose logits have the picture's size. Without padding "
            "every block costs four rows.",
        ),
        Mistake(
            "unet.one_conv",
            _one_convolution,
            "Your blocks cost two rows. They have two 3×3 convolutions: four rows.",
        ),
        Mistake(
            "unet.free_way_up",
            _free_way_up,
            "The way down is right. After each doubling there is a block too, and it costs four "
            "rows.",
        ),
        Mistake(
            "unet.no_bottom",
            _no_bottom,
            "There are depth + 1 blocks on the left side of the U: the deepest map goes through "
            "one as well before it comes up.",
        ),
        Mistake(
            "unet.depth",
            _one_level_less,
            "You pooled once too rarely. `depth` says how often the size is halved; there is one "
            "block more than that.",
        ),
    ),
)
