"""A sum is a special case of a concatenation: find its weights."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def sum_as_concatenation(weight):
    """Weight (D, C, h, w) of a convolution after `skip + x`.

    Returns the weight that gives the same after `cat([skip, x], dim=1)`.
    """
    raise NotImplementedError
'''


def sum_as_concatenation(weight):
    """The same weights twice: once for the skip's channels, once for those of x."""
    return torch.cat([weight, weight], dim=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return weights with as many and with fewer filters than channels."""
    shapes = ((4, 3, 1, 5), (2, 5, 1, 1), (3, 3, 3, 3), (6, 2, 5, 3))
    return [Case((torch.randn(shape, generator=generator),)) for shape in shapes]


def _halved(weight):
    return sum_as_concatenation(weight) / 2


def _skip_only(weight):
    return torch.cat([weight, torch.zeros_like(weight)], 1)


def _x_only(weight):
    return torch.cat([torch.zeros_like(weight), weight], 1)


def _filters(weight):
    return torch.cat([weight, weight], 0)


def _each_twice(weight):
    return weight.repeat_interleave(2, 1)


def _difference(weight):
    return torch.cat([weight, -weight], 1)


def _wide(weight):
    return torch.cat([weight, weight], 3)


exercise = Exercise(
    name="sum_as_concatenation",
    kind="function",
    minutes=8,
    difficulty=2,
    stub=STUB,
    hints=(
        "Take a 1×1 convolution of one channel: w·(s + x). Written with s and x apart it is "
        "…·s + …·x.",
        "After the concatenation channels 0 to C − 1 are the skip's and the next C those of x. "
        "Both need the same kernels. Along which dimension of (D, C, h, w) are input channels?",
    ),
    solution=sum_as_concatenation,
    why=(
        "w · (s + x) = w · s + w · x: a sum is a concatenation whose two halves have the same "
        "weights. So concatenation can do all that a sum can, and can also weigh the two sides "
        "differently; it pays with twice the weights in this one convolution."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "cat.mean",
            _halved,
            "Half of it: this is the mean of the two maps. A sum takes each of them in full.",
        ),
        Mistake(
            "cat.skip_only",
            _skip_only,
            "Your weights see the skip and ignore x. In a sum both count alike.",
        ),
        Mistake(
            "cat.x_only",
            _x_only,
            "Your weights see x and ignore the skip. In a sum both count alike.",
        ),
        Mistake(
            "cat.filters",
            _filters,
            "You doubled the filters: dimension 0 counts output channels. Doubled has to be what "
            "comes in, dimension 1.",
        ),
        Mistake(
            "cat.interleaved",
            _each_twice,
            "You repeated every channel twice in a row. After the concatenation all channels of "
            "the skip come first, then all of x: the whole stack of kernels, twice.",
        ),
        Mistake(
            "cat.difference",
            _difference,
            "The second half has the wrong sign: this convolves skip − x.",
        ),
        Mistake(
            "cat.wide",
            _wide,
            "You made the kernels wider. Their size stays; there are twice as many input channels.",
        ),
    ),
)
