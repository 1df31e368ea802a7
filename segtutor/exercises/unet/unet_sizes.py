"""The journey of 60 pixels through an unpadded U-Net, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
unet_sizes = [
    None,  # the first skip: rows after the first block
    None,  # the second skip: rows after the second block
    None,  # rows after the third block, the deepest map
    None,  # rows after the first step up, convolutions included
    None,  # rows of the logits
    None,  # rows cut from the second skip, at its top alone
    None,  # rows cut from the first skip, at its top alone
]
"""


def unet_sizes():
    """Each block costs four rows, pooling halves, the up-convolution doubles."""
    first = 60 - 4
    second = first // 2 - 4
    deepest = second // 2 - 4
    up = 2 * deepest - 4
    logits = 2 * up - 4
    return [first, second, deepest, up, logits, (second - 2 * deepest) // 2, (first - 2 * up) // 2]


def _one_convolution():
    return [58, 27, 11, 20, 38, 2, 9]


def _padded():
    return [60, 30, 15, 30, 60, 0, 0]


def _free_way_up():
    return [56, 24, 8, 16, 32, 4, 12]


def _before_the_block():
    return [56, 24, 8, 16, 24, 4, 16]


def _both_sides():
    return [56, 24, 8, 12, 20, 8, 32]


def _other_skip():
    return [56, 24, 8, 12, 20, 16, 4]


def _after_pooling():
    return [28, 12, 8, 12, 20, 4, 16]


exercise = Exercise(
    name="unet_sizes",
    kind="value",
    minutes=8,
    difficulty=1,
    stub=STUB,
    hints=(
        "A block is two 3×3 convolutions without padding, and each takes one row away at the top "
        "and one at the bottom. So a block turns 60 rows into 56. Pooling then leaves 28.",
        "The deepest map has 8 rows. The up-convolution makes 16 of them and its block costs four "
        "again. The second skip has 24 rows and is joined to 16: a cut leaves as much above as "
        "below.",
    ),
    solution=unet_sizes,
    why=(
        "Down: 60, 56 | 28, 24 | 12, 8. Up: 16, 12 | 24, 20. The 24 rows of the second skip meet "
        "16, so 4 go at the top and 4 at the bottom; the 56 of the first meet 24, so 16 and 16. "
        "The deeper a skip's partner has been, the less of the skip is left."
    ),
    mistakes=(
        Mistake(
            "unet.one_conv",
            _one_convolution,
            "Your blocks have one convolution. U-Net's have two, on the way down and on the way "
            "up: four rows a block.",
        ),
        Mistake(
            "unet.padded",
            _padded,
            "These are the sizes of the padded network, which keeps all rows. Here nothing is "
            "padded: a 3×3 convolution has no output for the outermost rows.",
        ),
        Mistake(
            "unet.free_way_up",
            _free_way_up,
            "The way down is right. On the way up there are blocks too: after each doubling two "
            "convolutions take four rows.",
        ),
        Mistake(
            "unet.before_block",
            _before_the_block,
            "All is right but the first step up: 16 rows is what the up-convolution makes. Its two "
            "convolutions take four more.",
        ),
        Mistake(
            "unet.cut_both_sides",
            _both_sides,
            "The sizes are right. The last two numbers are what is cut in all; asked for is what "
            "goes at the top, half of it.",
        ),
        Mistake(
            "unet.other_skip",
            _other_skip,
            "The sizes are right, and the two cuts are exchanged. The deepest map meets the "
            "*second* skip first: the last map that was put aside is the first that is taken.",
        ),
        Mistake(
            "unet.skip_after_pooling",
            _after_pooling,
            "Your skips are taken after pooling. They are put aside *before* it: that is the point "
            "of them, they keep the resolution that pooling gives up.",
        ),
    ),
)
