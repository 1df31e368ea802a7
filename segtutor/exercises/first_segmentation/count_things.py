"""How many cars? From a label map and the instances beside it."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def count_things(labels, instances, label):
    """How many things of one class are in the picture?

    labels (H, W): the class of each pixel, 255 for void.
    instances (H, W): the number of the thing that each pixel belongs to,
        0 where it belongs to none. Things of all classes share the numbers.
    label: the class to count.
    """
    raise NotImplementedError
'''


def count_things(labels, instances, label):
    """The different numbers, other than 0, at the pixels of the class."""
    numbers = instances[labels == label].unique()
    return int((numbers != 0).sum())


def cases(generator: torch.Generator) -> list[Case]:
    """Return scenes with touching things, a thing in two pieces, and things of other classes."""
    # Class 1: three things that touch, one that touches them at a corner, and one cut in two by
    # a thing of class 2.
    labels = torch.tensor(
        [
            [0, 1, 1, 0, 0, 0, 0, 2, 0, 0],
            [0, 1, 1, 1, 1, 0, 1, 2, 1, 0],
            [0, 1, 1, 1, 1, 0, 1, 2, 1, 0],
            [0, 0, 0, 0, 0, 1, 0, 2, 0, 255],
        ]
    )
    things = torch.tensor(
        [
            [0, 5, 5, 0, 0, 0, 0, 9, 0, 0],
            [0, 3, 3, 7, 7, 0, 4, 9, 4, 0],
            [0, 3, 3, 7, 7, 0, 4, 9, 4, 0],
            [0, 0, 0, 0, 0, 8, 0, 9, 0, 11],
        ]
    )
    # Pixels of class 1 that belong to no thing: a crowd, say, that nobody took apart.
    crowd = things.where(things != 7, 0)
    drawn = torch.randint(0, 3, (12, 15), generator=generator)
    numbers = 2 * torch.randint(1, 6, (12, 15), generator=generator)
    random = torch.where(drawn > 0, 10 * drawn + numbers, 0)
    random[0, 0], drawn[0, 0] = 0, 1
    full = torch.tensor([[3, 3, 8], [3, 8, 8]])  # two things fill the picture: no 0 anywhere
    return [
        Case((labels, things, 1)),
        Case((labels, things, 2)),
        Case((labels, crowd, 1)),
        Case((labels, things, 6)),  # not there
        Case((drawn, random.int(), 1)),
        Case((torch.full((2, 3), 4), full, 4)),
    ]


def _pieces(labels, instances, label):
    from scipy.ndimage import label as components

    return components((labels == label).numpy())[1]


def _pieces_with_corners(labels, instances, label):
    from scipy.ndimage import label as components

    return components((labels == label).numpy(), [[1] * 3] * 3)[1]


def _all_things(labels, instances, label):
    return int((instances.unique() != 0).sum())


def _all_things_less_one(labels, instances, label):
    return len(instances.unique()) - 1


def _zero_is_a_thing(labels, instances, label):
    return len(instances[labels == label].unique())


def _one_less(labels, instances, label):
    return len(instances[labels == label].unique()) - 1


def _largest_number(labels, instances, label):
    return int((instances * (labels == label)).max())


def _pixels(labels, instances, label):
    return int((labels == label).sum())


def _pixels_of_things(labels, instances, label):
    return int(((labels == label) & (instances != 0)).sum())


def _zero_outside(labels, instances, label):
    return len((instances * (labels == label)).unique())


def _zero_outside_less_one(labels, instances, label):
    return _zero_outside(labels, instances, label) - 1


def _numbers_themselves(labels, instances, label):
    return instances[labels == label].unique()


exercise = Exercise(
    name="count_things",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "`labels == label` is a mask of the pixels that count. Which numbers do the instances "
        "have there? A thing of a thousand pixels has one number, a thousand times.",
        "`.unique()` leaves each number once. One of them may be 0, and 0 is no thing; it may "
        "also be missing, so look before you take one away.",
    ),
    solution=count_things,
    why=(
        "The label map alone cannot say it. Two cars side by side are one patch of the class car, "
        "and a car behind a pole is two patches: counting patches is wrong in both directions. "
        "Numbers of instances say it at once. They need not run from 1 without a gap, for things "
        "of other classes have numbers too."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "things.pieces",
            _pieces,
            "You counted connected patches of the class. Two things that touch are one patch, and "
            "one thing behind a pole is two. The instances know.",
        ),
        Mistake(
            "things.pieces_with_corners",
            _pieces_with_corners,
            "You counted patches of the class, connected across corners too. Two things that "
            "touch are one patch, and one thing behind a pole is two. The instances know.",
        ),
        Mistake(
            "things.all_classes",
            _all_things,
            "You counted the things of all classes. Look at the instances only where the label is "
            "the one asked for.",
        ),
        Mistake(
            "things.all_classes_less_one",
            _all_things_less_one,
            "You counted the things of all classes, and took 1 away for a 0 that need not be "
            "there. Look at the instances only where the label is the one asked for.",
        ),
        Mistake(
            "things.zero_is_a_thing",
            _zero_is_a_thing,
            "You counted 0 as a thing. It marks pixels that belong to none.",
        ),
        Mistake(
            "things.one_less",
            _one_less,
            "You took 1 away, for the 0, whether or not a 0 was among the numbers. Count the "
            "numbers that are not 0.",
        ),
        Mistake(
            "things.zero_outside_less_one",
            _zero_outside_less_one,
            "You set the instances outside the class to 0, and took 1 away for that 0. Where the "
            "class fills the picture nothing is outside: count the numbers that are not 0.",
        ),
        Mistake(
            "things.largest_number",
            _largest_number,
            "You took the largest number for the count. Numbers have gaps: things of other "
            "classes have some of them.",
        ),
        Mistake(
            "things.pixels",
            _pixels,
            "You counted pixels. All pixels of one thing have the same number: count different "
            "numbers. (A `set` of tensors keeps all of them, for each is an object of its own: "
            "give it numbers, with `.tolist()`.)",
        ),
        Mistake(
            "things.pixels_of_things",
            _pixels_of_things,
            "You counted the pixels of things. All pixels of one thing have the same number: "
            "count different numbers.",
        ),
        Mistake(
            "things.zero_outside",
            _zero_outside,
            "You set the instances outside the class to 0, and then counted that 0 as a thing.",
        ),
        Mistake(
            "things.numbers",
            _numbers_themselves,
            "These are the numbers of the things. How many are there? (And 0 is none.)",
        ),
    ),
)
