"""A head for other classes, whose known rows are taken over by meaning."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def new_head(weight, bias, source):
    """Weight (D, C, 1, 1) and bias (D,) of a head for D new classes.

    weight: (K, C, 1, 1), bias: (K,), of the head for K old classes.
    source: for each new class the old one that means the same, or -1 if
    there is none. New classes without a source begin with zeros.
    """
    raise NotImplementedError
'''


def new_head(weight, bias, source):
    """Weight (D, C, 1, 1) and bias (D,) of a head for D new classes."""
    new_weight = weight.new_zeros(len(source), *weight.shape[1:])
    new_bias = bias.new_zeros(len(source))
    for new, old in enumerate(source):
        if old >= 0:
            new_weight[new], new_bias[new] = weight[old], bias[old]
    return new_weight, new_bias


def cases(generator: torch.Generator) -> list[Case]:
    """Return heads with classes in another order, new ones, one dropped, one used twice."""
    made = []
    for channels, old, source in (
        (4, 5, [2, -1, 0]),
        (3, 4, [3, 0, 0, -1, 1]),
        (5, 4, [2, 0, 3, 1]),
        (2, 3, [1, 2, -1, -1, 0, 2]),
    ):
        weight = torch.randn(old, channels, 1, 1, generator=generator)
        made.append(Case((weight, torch.randn(old, generator=generator), source)))
    return made


def _by_order(weight, bias, source):
    made = new_head(weight, bias, [-1] * len(source))
    rows = min(len(source), len(weight))
    made[0][:rows], made[1][:rows] = weight[:rows], bias[:rows]
    return made


def _minus_one(weight, bias, source):
    return weight[source], bias[source]


def _scattered(weight, bias, source):
    """Old row `new` goes to place `old`, where there is such a place."""
    made = new_head(weight, bias, [-1] * len(source))
    for new, old in enumerate(source):
        if 0 <= old < len(source) and new < len(weight):
            made[0][old], made[1][old] = weight[new], bias[new]
    return made


def _no_bias(weight, bias, source):
    made = new_head(weight, bias, source)
    return made[0], torch.zeros_like(made[1])


def _bias_by_order(weight, bias, source):
    return new_head(weight, bias, source)[0], _by_order(weight, bias, source)[1]


def _all_new(weight, bias, source):
    return new_head(weight, bias, [-1] * len(source))


def _first_twice(weight, bias, source):
    """A class that two new ones mean is given to the first of them alone."""
    seen: set[int] = set()
    once = [-1 if old in seen or seen.add(old) else old for old in source]
    return new_head(weight, bias, once)


def _truthy(weight, bias, source):
    """As `if old:` has it: false for 0, true for −1, which is the last row."""
    return new_head(weight, bias, [old % len(weight) if old else -1 for old in source])


def _class_0_is_none(weight, bias, source):
    return new_head(weight, bias, [old if old > 0 else -1 for old in source])


exercise = Exercise(
    name="new_head",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin with zeros of the new shapes: D rows, the other sides as in `weight`. Then go "
        "through `source` with `enumerate`: new class d, old class `source[d]`.",
        "Row d of the new weight is row `source[d]` of the old one, and so for the bias. Mind −1: "
        "as an index it means the last row, and Python does not complain.",
    ),
    solution=new_head,
    why=(
        "A row of the last convolution *is* a class: its direction among the features, and its "
        "bias. Two heads of one shape can be loaded into each other without an error, and then "
        "every class has the name of another. Take rows over by what they mean, and let what is "
        "new begin at zero or at random."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "head.by_order",
            _by_order,
            "You took the rows over in their old order. They fit, and mean something else: new "
            "class d is old class `source[d]`.",
        ),
        Mistake(
            "head.minus_one",
            _minus_one,
            "You indexed with −1, which is the last row: your new classes begin as copies of the "
            "last old one. Where the source is −1, zeros are asked for.",
        ),
        Mistake(
            "head.scattered",
            _scattered,
            "You went the other way round and put row d at place `source[d]`. `source` says where "
            "a new class comes from, not where an old one goes.",
        ),
        Mistake(
            "head.bias_forgotten",
            _no_bias,
            "Your weights are right, and all biases are 0. The bias belongs to the class as much "
            "as its row does.",
        ),
        Mistake(
            "head.bias_by_order",
            _bias_by_order,
            "Your weights are right, and the biases stand in their old order. Take them from the "
            "same class as the row.",
        ),
        Mistake(
            "head.all_new",
            _all_new,
            "Your head is all zeros. Classes that mean the same as an old one keep its row and "
            "bias.",
        ),
        Mistake(
            "head.used_once",
            _first_twice,
            "An old class that two new ones go back to was given to the first alone. A class that "
            "is split in two hands its row to both.",
        ),
        Mistake(
            "head.class_0",
            _class_0_is_none,
            "You took 0 for «none»: `old > 0` is false for class 0 too. Only −1 means that there "
            "is no source.",
        ),
        Mistake(
            "head.truthy",
            _truthy,
            "Class 0 was left out, and −1 became the last row: `if old` is false for 0 and true "
            "for −1. Ask `if old >= 0`.",
        ),
    ),
)
