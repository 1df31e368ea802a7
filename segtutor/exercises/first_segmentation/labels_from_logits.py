"""What a network puts out, turned into label maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def labels_from_logits(logits):
    """logits (N, C, H, W) -> label maps (N, H, W), whole numbers.

    A pixel gets the class with its largest logit.
    """
    raise NotImplementedError
'''


def labels_from_logits(logits):
    """The place of the largest logit along the axis of the classes."""
    return logits.argmax(dim=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return logits whose four sizes differ, and a cube in which a wrong axis keeps the shape."""
    small = torch.tensor([[[[2.0, -1.0, -3.0]], [[1.0, -2.0, -0.5]]]])  # (1, 2, 1, 3)
    several = torch.randn(2, 5, 3, 4, generator=generator) - 1.0
    cube = torch.randn(4, 4, 4, 4, generator=generator)
    many = torch.randn(3, 8, 6, 5, generator=generator)
    return [Case((small,)), Case((several,)), Case((cube,)), Case((many,))]


def _last_axis(logits):
    return logits.argmax(dim=-1)


def _first_axis(logits):
    return logits.argmax(dim=0)


def _rows_axis(logits):
    return logits.argmax(dim=2)


def _axis_kept(logits):
    return logits.argmax(dim=1, keepdim=True)


def _smallest(logits):
    return logits.argmin(dim=1)


def _largest_logit(logits):
    return logits.amax(dim=1)


def _both(logits):
    return tuple(logits.max(dim=1))


def _probability(logits):
    return logits.softmax(dim=1).amax(dim=1)


def _largest_size(logits):
    return logits.abs().argmax(dim=1)


def _first_above_zero(logits):
    return (logits > 0).int().argmax(dim=1)


def _above_half(logits):
    return (logits.softmax(dim=1) > 0.5).int().argmax(dim=1)


def _sigmoid_above_half(logits):
    return (logits.sigmoid() > 0.5).sum(dim=1)


def _one_hot(logits):
    return F.one_hot(logits.argmax(dim=1), logits.shape[1]).movedim(-1, 1)


def _all_at_once(logits):
    return logits.argmax()


def _as_floats(logits):
    return logits.argmax(dim=1).float()


def _first_picture(logits):
    return logits[0].argmax(dim=0)


def _from_one(logits):
    return logits.argmax(dim=1) + 1


exercise = Exercise(
    name="labels_from_logits",
    kind="function",
    minutes=5,
    difficulty=2,
    stub=STUB,
    hints=(
        "Four axes go in and three come out. Which one is gone? It is the one along which the "
        "classes are compared with each other, at one pixel.",
        "`tensor.max` gives a largest value; `tensor.argmax` says where it is. Axes are counted "
        "from 0: picture, class, row, column.",
    ),
    solution=labels_from_logits,
    why=(
        "Axis 1 holds the classes, and the place of the largest logit along it *is* the number of "
        "the class. Softmax first would change nothing: it keeps the order. Always say which axis: "
        "on a picture with as many rows as classes a wrong axis gives a map of the right shape, "
        "full of nonsense, and nothing stops."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "train.argmax_dim",
            _last_axis,
            "You compared along the last axis, the columns. A class is the place along axis 1: "
            "the axes are picture, class, row, column.",
        ),
        Mistake(
            "first.axis_of_pictures",
            _first_axis,
            "You compared the pictures of the batch with each other. The classes are axis 1; "
            "axis 0 is the picture.",
        ),
        Mistake(
            "first.axis_of_rows",
            _rows_axis,
            "You compared the rows of a picture with each other. The classes are axis 1.",
        ),
        Mistake(
            "first.axis_kept",
            _axis_kept,
            "The right classes, but an axis of size 1 is left where the classes were. A label map "
            "is (N, H, W): without `keepdim`.",
        ),
        Mistake(
            "first.smallest",
            _smallest,
            "You took the smallest logit. The largest one wins.",
        ),
        Mistake(
            "first.the_logit",
            _largest_logit,
            "These are the largest logits. A label map holds the number of the class that has it: "
            "the place, not the value.",
        ),
        Mistake(
            "first.both",
            _both,
            "`max` along an axis gives two tensors, the largest logits and their places. The "
            "places are the classes: `.indices`, or `argmax`.",
        ),
        Mistake(
            "first.probability",
            _probability,
            "These are the probabilities of the winning classes. A label map holds the number of "
            "the class: the place of the largest, not its value.",
        ),
        Mistake(
            "first.largest_size",
            _largest_size,
            "You left the signs out. A logit far below 0 speaks against its class.",
        ),
        Mistake(
            "first.above_zero",
            _first_above_zero,
            "You took the first class with a logit above 0. Logits are compared with each other, "
            "not with 0.",
        ),
        Mistake(
            "first.above_half",
            _above_half,
            "You looked for a class with a probability above one half, and took class 0 where "
            "there is none. Among several classes the largest may be well below one half.",
        ),
        Mistake(
            "first.counted_above_half",
            _sigmoid_above_half,
            "You counted how many classes are above one half. The number of the winning class is "
            "asked for.",
        ),
        Mistake(
            "first.one_hot",
            _one_hot,
            "You returned a plane of zeros and ones for each class. A label map has one number a "
            "pixel: the class.",
        ),
        Mistake(
            "first.all_at_once",
            _all_at_once,
            "Without an axis `argmax` looks for one place in the whole tensor. Ask along axis 1.",
        ),
        Mistake(
            "first.floats",
            _as_floats,
            "All numbers are right, but they are floating-point numbers. Classes are whole "
            "numbers, and losses and scores insist on it.",
        ),
        Mistake(
            "first.one_picture",
            _first_picture,
            "You returned the label map of the first picture alone. The batch has N of them.",
        ),
        Mistake(
            "first.from_one",
            _from_one,
            "All classes are one too high. They are counted from 0.",
        ),
    ),
)
