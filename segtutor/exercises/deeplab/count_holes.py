"""How many pixels of its field does a stack of dilated layers never see?"""

from __future__ import annotations

from math import gcd, prod

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def count_holes(rates):
    """The holes of a stack of 3-tap layers with these dilations, in a row.

    rates: a list of dilations, from the input up. Of the pixels from the
    first to the last that the output sees, how many does it not see?
    """
    raise NotImplementedError
'''


def _seen(rates) -> set[int]:
    seen = {0}
    for rate in rates:
        seen = {pixel + step for pixel in seen for step in (-rate, 0, rate)}
    return seen


def count_holes(rates):
    """Step back from the output, layer by layer, to every pixel that a tap can reach."""
    seen = {0}
    for rate in rates:
        seen = {pixel + step for pixel in seen for step in (-rate, 0, rate)}
    return max(seen) - min(seen) + 1 - len(seen)


def cases(generator: torch.Generator) -> list[Case]:
    """Return famous stacks and random ones: common factors, too large steps, repeated rates."""
    random = [torch.randint(1, 10, (n,), generator=generator).tolist() for n in (2, 3, 3, 4, 4)]
    fixed = [[1], [4], [2, 2], [2, 2, 2], [1, 2, 4], [1, 3, 9], [1, 2, 9], [1, 2, 5], [5, 2, 1],
             [2, 3], [4, 8, 16], [1, 4, 4], [3, 5, 7]]  # fmt: skip
    return [Case((rates,)) for rates in (*fixed, *random)]


def _span(rates):
    return 1 + 2 * sum(rates)


def _reached(rates):
    return len(_seen(rates))


def _squares(rates):
    return _span(rates) ** 2 - _reached(rates) ** 2


def _every_layer(rates):
    return sum(2 * (rate - 1) for rate in rates)


def _last_layer(rates):
    return 2 * (rates[-1] - 1)


def _common_factor(rates):
    factor = gcd(*rates)
    return _span(rates) - (_span(rates) - 1) // factor - 1


def _count_paths(rates):
    return max(_span(rates) - 3 ** len(rates), 0)


def _no_middle(rates):
    seen = {0}
    for rate in rates:
        seen = {pixel + step for pixel in seen for step in (-rate, rate)}
    return max(seen) - min(seen) + 1 - len(seen)


def _product(rates):
    return 1 + 2 * prod(rates) - len(_seen(rates))


exercise = Exercise(
    name="count_holes",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin with the set {0}, the output itself. A layer with dilation d replaces each pixel p "
        "of the set by p − d, p and p + d. After the last layer, what is in the set is seen.",
        "The span runs from min(seen) to max(seen), and how long is it, both ends included? Take "
        "away `len(seen)`. A set keeps each pixel once, along however many paths it is reached.",
    ),
    solution=count_holes,
    why=(
        "The field is the set of all sums of steps −d, 0, d, one of each layer. Sums do not care "
        "about order: 1, 2, 5 and 5, 2, 1 see the same pixels. A common factor always leaves "
        "holes, but its absence does not prevent them: 1, 2, 9 has none in common and leaves four, "
        "because the first two layers see seven pixels without a gap and the third steps nine."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "dilation.span",
            _span,
            "You returned the length of the whole field, seen or not.",
        ),
        Mistake(
            "dilation.reached",
            _reached,
            "You returned how many pixels are seen. Take that from the length of the field.",
        ),
        Mistake(
            "dilation.squares",
            _squares,
            "You counted on a picture. Asked is a single row.",
        ),
        Mistake(
            "dilation.every_layer",
            _every_layer,
            "You added up the gaps of all kernels. The gaps of one layer are filled by the others: "
            "rates 1, 2 leave no hole at all.",
        ),
        Mistake(
            "dilation.last_layer",
            _last_layer,
            "You counted the gaps of the last kernel as if no other layer were there to fill them.",
        ),
        Mistake(
            "dilation.common_factor",
            _common_factor,
            "You looked at the common factor of all rates only. It is one way to get holes, not "
            "the only one: try 1, 2, 9.",
        ),
        Mistake(
            "dilation.count_paths",
            _count_paths,
            "You took the paths, 3 for each layer, for pixels. Several paths can end in one pixel: "
            "with 2, 2 nine paths lead to five.",
        ),
        Mistake(
            "dilation.no_middle",
            _no_middle,
            "You left the middle tap out. A layer also hands on the pixel where it stands.",
        ),
        Mistake(
            "dilation.product",
            _product,
            "You multiplied the rates to get the length of the field. Strides multiply; the reach "
            "of layers that follow each other adds up.",
        ),
    ),
)
