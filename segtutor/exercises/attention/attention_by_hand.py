"""Two queries with a pencil: the weights of three places, and what is found there."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Mistake

# e to the power of each likeness: rows add up to 8 and 10, columns to other numbers.
POWERS = ((1, 2, 5), (6, 3, 1))
VALUES = (8.0, 0.0, 40.0)

STUB = """
attention_by_hand = [  # three weights, then what is found
    [None, None, None, None],  # query A
    [None, None, None, None],  # query B
]
"""


def attention_by_hand():
    """Divide each row by its sum; weigh the values; add."""
    rows = []
    for powers in POWERS:
        weights = [p / sum(powers) for p in powers]
        found = sum(w * v for w, v in zip(weights, VALUES, strict=True))
        rows.append([*weights, found])
    return rows


def _with(weights: torch.Tensor, found: torch.Tensor | None = None) -> list[list[float]]:
    weights = weights.double()
    found = weights @ torch.tensor(VALUES).double() if found is None else found.double()
    return torch.cat([weights, found[:, None]], dim=1).tolist()


def _powers() -> torch.Tensor:
    return torch.tensor(POWERS).double()


def _right() -> torch.Tensor:
    return _powers() / _powers().sum(1, keepdim=True)


def _over_queries():
    return _with(_powers() / _powers().sum(0))


def _no_powers():
    likeness = _powers().log()
    return _with(likeness / likeness.sum(1, keepdim=True))


def _winner():
    return _with(torch.nn.functional.one_hot(_powers().argmax(1), 3))


def _all_alike():
    return _with(torch.full((2, 3), 1 / 3))


def _not_divided():
    return _with(_right(), _powers() @ torch.tensor(VALUES).double())


def _mean_of_three():
    return _with(_right(), _right() @ torch.tensor(VALUES).double() / 3)


exercise = Exercise(
    name="attention_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "e to the power of ln 5 is 5, so the powers of query A are 1, 2 and 5. Softmax divides "
        "each by the sum of its row.",
        "The three weights of a query add up to 1. What it finds is a mean of the values by "
        "these weights: for query A, 0.125 · 8 + 0.25 · 0 + 0.625 · 40.",
    ),
    solution=attention_by_hand,
    why=(
        "Query A is most like the third place and takes five eighths of its value. B is most like "
        "the first. Nobody is left out: a weight of a softmax is never zero. And each row adds up "
        "to 1, so what is found lies between the smallest value and the largest."
    ),
    mistakes=(
        Mistake(
            "att.softmax_dim",
            _over_queries,
            "You divided each column by its sum, so two queries share one place. It is the query "
            "that shares itself out among the places: divide each row by its own sum.",
        ),
        Mistake(
            "att.no_exp",
            _no_powers,
            "You divided the likenesses themselves by their sum. Softmax takes e to the power of "
            "each first; otherwise ln 1 = 0 would get nothing, and a negative one less.",
        ),
        Mistake(
            "att.hard",
            _winner,
            "You gave all to the likest place. That is a look-up; attention is a soft one, in "
            "which each place has its share.",
        ),
        Mistake(
            "att.uniform",
            _all_alike,
            "You gave a third to each place. Then a query would not matter at all: weigh by "
            "likeness.",
        ),
        Mistake(
            "att.not_normalized",
            _not_divided,
            "The weights are right. What is found you took with the powers, before the division: "
            "use the weights.",
        ),
        Mistake(
            "att.mean_again",
            _mean_of_three,
            "The weights are right. Then you divided by three once more: they add up to 1 "
            "already, so their sum of values is the mean.",
        ),
    ),
)
