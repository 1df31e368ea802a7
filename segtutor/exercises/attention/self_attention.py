"""Self-attention on a feature map: each position takes from all, by likeness."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def self_attention(x, to_query, to_key, to_value):
    """x (N, C, H, W) -> what each position finds, (N, E, H, W).

    to_query, to_key (D, C) and to_value (E, C) are 1×1 convolutions
    without bias. Likeness is the dot product of query and key, divided by
    the square root of D. x itself is not added.
    """
    raise NotImplementedError
'''


def self_attention(x, to_query, to_key, to_value):
    """A row a position; likeness; softmax over the keys; a mean of the values."""
    rows = x.flatten(2).transpose(1, 2)  # (N, H·W, C)
    query, key, value = rows @ to_query.T, rows @ to_key.T, rows @ to_value.T
    likeness = query @ key.transpose(1, 2) / len(to_query) ** 0.5  # (N, H·W, H·W)
    found = likeness.softmax(dim=2) @ value  # (N, H·W, E)
    return found.transpose(1, 2).unflatten(2, x.shape[2:])  # (N, E, H, W)


def cases(generator: torch.Generator) -> list[Case]:
    """Return two positions to follow by hand, and maps whose sizes all differ."""
    two = torch.tensor([[[[1.0, 0.0]], [[0.0, 2.0]]]])  # (1, 2, 1, 2)
    eye = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    by_hand = Case((two, eye, eye, torch.tensor([[1.0, 3.0]])))

    def case(n: int, c: int, h: int, w: int, d: int, e: int) -> Case:
        sizes = ((n, c, h, w), (d, c), (d, c), (e, c))
        return Case(tuple(torch.randn(size, generator=generator) for size in sizes))

    return [by_hand, case(2, 3, 4, 5, 6, 7), case(3, 5, 2, 3, 4, 2), case(2, 4, 3, 3, 2, 4)]


def _parts(x, *weights):
    rows = x.flatten(2).transpose(1, 2)
    return [rows @ weight.T for weight in weights]


def _mixed(x, weights, value):
    return (weights @ value).transpose(1, 2).unflatten(2, x.shape[2:])


def _attend(x, weights, axis=2, divisor=None):
    query, key, value = _parts(x, *weights)
    divisor = query.shape[2] ** 0.5 if divisor is None else divisor
    return _mixed(x, (query @ key.mT / divisor).softmax(axis), value)


def _over_queries(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), axis=1)


def _over_batch(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), axis=0)


def _unscaled(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), divisor=1)


def _by_d(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), divisor=len(to_query))


def _by_root_c(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), divisor=x.shape[1] ** 0.5)


def _times_root(x, to_query, to_key, to_value):
    return _attend(x, (to_query, to_key, to_value), divisor=len(to_query) ** -0.5)


def _keys_ask(x, to_query, to_key, to_value):
    return self_attention(x, to_key, to_query, to_value)


def _viewed(x, to_query, to_key, to_value):
    found = self_attention(x, to_query, to_key, to_value)
    return found.flatten(2).transpose(1, 2).reshape(found.shape)


def _wrong_rows(x, to_query, to_key, to_value):
    """Rows by `reshape`, which cuts the channels up, where axes have to change places."""
    n, c, h, w = x.shape
    rows = x.reshape(n, h * w, c)
    query, key, value = rows @ to_query.T, rows @ to_key.T, rows @ to_value.T
    return _mixed(x, (query @ key.mT / len(to_query) ** 0.5).softmax(2), value)


def _no_softmax(x, to_query, to_key, to_value):
    query, key, value = _parts(x, to_query, to_key, to_value)
    return _mixed(x, query @ key.mT / len(to_query) ** 0.5, value)


def _sigmoid(x, to_query, to_key, to_value):
    query, key, value = _parts(x, to_query, to_key, to_value)
    return _mixed(x, (query @ key.mT / len(to_query) ** 0.5).sigmoid(), value)


exercise = Exercise(
    name="self_attention",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "Make a row of each position: `x.flatten(2).transpose(1, 2)` is (N, H·W, C). A 1×1 "
        "convolution is then a matrix product, `rows @ to_query.T`, and all likenesses of a "
        "picture are one product too: (N, H·W, D) times (N, D, H·W).",
        "Each query shares 1 out among the keys; the keys lie along the last axis. The way back "
        "is the way in, reversed: `transpose(1, 2)` first, then `unflatten(2, x.shape[2:])`.",
    ),
    solution=self_attention,
    why=(
        "Three matrix products and a softmax. Nothing in them knows where a position lies: move "
        "the pixels about, and the result moves with them. Divided by √D, the likenesses of "
        "random numbers have a spread of 1 whatever D is, so that the softmax is not decided "
        "before anything is learned."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "att.softmax_dim",
            _over_queries,
            "Your softmax runs over the queries: the columns add up to 1, and a position may find "
            "ten times too much or nothing. Each *query* shares itself out: `softmax(dim=2)`.",
        ),
        Mistake(
            "att.softmax_batch",
            _over_batch,
            "Your softmax runs over axis 0, the pictures of the batch, so pictures compete with "
            "each other. It belongs over the keys, the last axis.",
        ),
        Mistake(
            "att.scale",
            _unscaled,
            "The division by √D is missing. With many channels one key would take everything "
            "before anything is learned.",
        ),
        Mistake(
            "att.scale_d",
            _by_d,
            "You divided by D; its square root is asked for.",
        ),
        Mistake(
            "att.scale_c",
            _by_root_c,
            "You divided by the square root of C, the channels of the map. The dot products run "
            "over D numbers.",
        ),
        Mistake(
            "att.scale_up",
            _times_root,
            "You multiplied by √D. Divide by it: the products grow with D already.",
        ),
        Mistake(
            "att.transposed",
            _keys_ask,
            "Your keys ask and your queries answer. Row i of the likeness is query i with all "
            "keys: `query @ key.transpose(1, 2)`.",
        ),
        Mistake(
            "att.view",
            _viewed,
            "All numbers are right, and in the wrong places. (N, H·W, E) is not (N, E, H·W): "
            "change places with `transpose(1, 2)`, then unflatten.",
        ),
        Mistake(
            "att.rows",
            _wrong_rows,
            "You made rows with `reshape`. It does not move a number: your rows are pieces of "
            "channels, not positions. `flatten(2).transpose(1, 2)` moves them.",
        ),
        Mistake(
            "att.no_softmax",
            _no_softmax,
            "The likenesses are used as weights, as they come. A softmax over the keys makes "
            "weights of them.",
        ),
        Mistake(
            "att.sigmoid",
            _sigmoid,
            "You put each likeness through a sigmoid. That is a gate; weights of a mean have to "
            "add up to 1: softmax over the keys.",
        ),
    ),
)
