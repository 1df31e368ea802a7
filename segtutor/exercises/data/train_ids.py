"""Ids of a data set to the classes that are trained, by a table."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def train_ids(ids, table):
    """ids (H, W) int64, from -1 up -> label map (H, W) int64.

    table: a dict from ids to classes. An id that is not in it is void, 255.
    """
    raise NotImplementedError
'''


def train_ids(ids, table):
    """Write into a new map, and ask the old one."""
    labels = torch.full_like(ids, 255)
    for number, label in table.items():
        labels[ids == number] = label
    return labels


def cases(generator: torch.Generator) -> list[Case]:
    """Return Cityscapes' table, small ones in which classes are ids of others, and a −1."""
    cityscapes = {number: label for label, number in enumerate(
        (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)
    )}  # fmt: skip

    def some(low: int, high: int, size: tuple[int, int]) -> torch.Tensor:
        ids = torch.randint(low, high, size, generator=generator)
        every = torch.arange(low, high)[: ids.numel()]
        ids.flatten()[: len(every)] = every
        return ids

    return [
        Case((some(-1, 3, (2, 3)), {2: 0, 1: 2})),
        Case((some(-1, 5, (3, 4)), {3: 1, 1: 0, 4: 3, 0: 2})),
        Case((some(-1, 34, (6, 7)), cityscapes)),
        Case((some(-1, 34, (7, 6)), {**cityscapes, -1: 13})),
        Case((some(0, 4, (4, 5)), {0: 1, 1: 2, 2: 0})),
    ]


def _last_for_minus_1(ids, table, places=0):
    lookup = torch.full((max(places, int(ids.max()) + 1, *(n + 1 for n in table)),), 255)
    for number, label in table.items():
        lookup[number] = label
    return lookup[ids]


def _last_of_34_for_minus_1(ids, table):
    return _last_for_minus_1(ids, table, places=34)


def _clamped(ids, table):
    return train_ids(ids.clamp(min=0), table)


def _all_void(ids, table):
    return torch.full_like(ids, 255)


def _kept(ids, table):
    labels = ids.clone()
    for number, label in table.items():
        labels[ids == number] = label
    return labels


def _cascade(ids, table):
    labels = ids.clone()
    for number, label in table.items():
        labels[labels == number] = label
    listed = torch.isin(ids, torch.tensor(list(table)))
    return labels.where(listed, 255)


def _cascade_backward(ids, table):
    return _cascade(ids, dict(reversed(table.items())))


def _cascade_and_kept(ids, table):
    labels = ids.clone()
    for number, label in table.items():
        labels[labels == number] = label
    return labels


def _unlisted_0(ids, table):
    return torch.where(torch.isin(ids, torch.tensor(list(table))), train_ids(ids, table), 0)


def _unlisted_minus_1(ids, table):
    return torch.where(torch.isin(ids, torch.tensor(list(table))), train_ids(ids, table), -1)


def _turned_round(ids, table):
    return train_ids(ids, {label: number for number, label in table.items()})


def _by_rank(ids, table):
    return train_ids(ids, {number: rank for rank, number in enumerate(sorted(table))})


def _less_one(ids, table):
    labels = train_ids(ids, table)
    return torch.where(labels == 255, 255, labels - 1)


exercise = Exercise(
    name="train_ids",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Make a new map full of 255. For each pair of the table, find the pixels that have this id "
        "and write the class there. Look for the id in the map that you were given, not in the "
        "one that you write.",
        "If you index a table of places, `places[ids]`, remember what Python does with −1: it "
        "takes the last one. Shift the ids by one, or give −1 a place of its own.",
    ),
    solution=train_ids,
    why=(
        "Cityscapes' license plate has the id −1. Its colleague at the other end of the table is "
        "33, the bicycle: `places[-1]` makes bicycles of license plates, without an error. And "
        "who writes into the map that is asked turns 7 into 0 and, two steps later, this 0 into "
        "something else."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "ids.minus_1",
            _last_for_minus_1,
            "−1 got the class of the last id: an index of −1 counts from the end. It is an id like "
            "others, and void unless the table has it.",
        ),
        Mistake(
            "ids.minus_1_of_34",
            _last_of_34_for_minus_1,
            "Your table has a place for each of Cityscapes' ids from 0 to 33, and −1 took the last "
            "of them: an index of −1 counts from the end. The license plate became a bicycle. −1 "
            "is an id like others, and void unless the table has it.",
        ),
        Mistake(
            "ids.clamped",
            _clamped,
            "−1 was treated as 0. They are two ids, and the table may have one of them alone.",
        ),
        Mistake(
            "ids.all_void",
            _all_void,
            "Everything is void: no id of the table was found. A tensor is not found in a dict of "
            "numbers, not even one that holds a single number: ask with `int(…)`, or `.tolist()`.",
        ),
        Mistake(
            "ids.kept",
            _kept,
            "Ids that are not in the table stayed as they were, so that some now pass for classes. "
            "They are void: 255.",
        ),
        Mistake(
            "ids.cascade",
            _cascade,
            "You look for ids in the map into which you write. A pixel that has become class 1 is "
            "then taken for id 1 and translated again. Ask the map that you were given.",
        ),
        Mistake(
            "ids.cascade_backward",
            _cascade_backward,
            "You go backwards through the table, and look for ids in the map into which you write. "
            "For some tables that order helps, for others it does not. Ask the map that you were "
            "given.",
        ),
        Mistake(
            "ids.cascade_and_kept",
            _cascade_and_kept,
            "Two things: you look for ids in the map into which you write, so that some are "
            "translated twice; and ids that are not in the table stayed as they were. Begin with "
            "a new map full of 255.",
        ),
        Mistake(
            "ids.unlisted_0",
            _unlisted_0,
            "Ids that are not in the table became class 0, as if they were road. They are void: "
            "255.",
        ),
        Mistake(
            "ids.unlisted_minus_1",
            _unlisted_minus_1,
            "Ids that are not in the table became −1. Here void is 255.",
        ),
        Mistake(
            "ids.turned_round",
            _turned_round,
            "You used the table the wrong way round: its keys are ids, its values are classes.",
        ),
        Mistake(
            "ids.rank",
            _by_rank,
            "You numbered the ids in their order. The class is what the table says, and that need "
            "not be the order.",
        ),
        Mistake(
            "ids.less_one",
            _less_one,
            "Your classes are one too low: the table's values are classes already, from 0.",
        ),
    ),
)
