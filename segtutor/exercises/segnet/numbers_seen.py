"""How many real numbers does a convolution find in an unpooled map?"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def numbers_seen(indices, height, width):
    """indices (N, C, h, w) -> counts (N, C, height, width), float.

    A map is unpooled to height x width by these indices, and a 3x3
    convolution with padding 1 goes over it. How many of the nine places
    under each of its windows hold a number that came up?
    """
    raise NotImplementedError
'''


def numbers_seen(indices, height, width):
    """Unpool ones, and add up what lies under every window."""
    n, c = indices.shape[:2]
    places = torch.zeros(n, c, height * width)
    places.scatter_(2, indices.flatten(2), 1.0)
    places = places.view(n, c, height, width)
    return F.avg_pool2d(places, 3, stride=1, padding=1, divisor_override=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return indices of odd and even pictures."""

    def pooled(*shape: int) -> Case:
        x = torch.rand(shape, generator=generator)
        _, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        return Case((indices, *shape[2:]))

    return [
        Case((torch.tensor([[[[0, 6], [12, 11]]]]), 4, 4)),
        pooled(1, 1, 4, 6),
        pooled(1, 2, 5, 7),
        pooled(2, 3, 9, 8),
        pooled(2, 3, 7, 10),
    ]


def _unpadded(indices, height, width):
    return numbers_seen(indices, height, width)[:, :, 1:-1, 1:-1]


def _mean(indices, height, width):
    return numbers_seen(indices, height, width) / 9


def _any(indices, height, width):
    return (numbers_seen(indices, height, width) > 0).float()


def _zeros(indices, height, width):
    return 9 - numbers_seen(indices, height, width)


def _places(indices, height, width):
    out = torch.zeros(*indices.shape[:2], height * width)
    return out.scatter(2, indices.flatten(2), 1.0).view(*indices.shape[:2], height, width)


def _neighbors(indices, height, width):
    return numbers_seen(indices, height, width) - _places(indices, height, width)


def _scaled_border(indices, height, width):
    places = _places(indices, height, width)
    return 9 * F.avg_pool2d(places, 3, stride=1, padding=1, count_include_pad=False)


def _nonzero_indices(indices, height, width):
    """Unpool the indices themselves and count what is not 0: index 0 is lost."""
    out = torch.zeros(*indices.shape[:2], height * width)
    out.scatter_(2, indices.flatten(2), indices.flatten(2).float())
    found = (out != 0).float().view(*indices.shape[:2], height, width)
    return F.avg_pool2d(found, 3, stride=1, padding=1, divisor_override=1)


def _own_window(indices, height, width):
    places = _places(indices, height, width)
    return F.avg_pool2d(F.pad(places, (0, 1, 0, 1)), 2, stride=1, divisor_override=1)


exercise = Exercise(
    name="numbers_seen",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "The values do not matter, only the places. So unpool a map of ones: `scatter_` into "
        "zeros of shape (N, C, height · width).",
        "A convolution whose nine weights are 1 adds up what lies under its window. "
        "`F.avg_pool2d(…, divisor_override=1)` does it for every channel by itself.",
    ),
    solution=numbers_seen,
    why=(
        "Three rows in a row hold both rows of one window at least, and so do three columns: some "
        "whole window of the pooling lies under every window of the convolution, and its number "
        "with it. More than four pooling windows it never touches. So every output has one to four "
        "numbers to work with; after bilinear upsampling it has nine, which say less than nine."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "seen.unpadded",
            _unpadded,
            "Your convolution is not padded: the outermost rows and columns are missing.",
        ),
        Mistake(
            "seen.mean",
            _mean,
            "You divided by nine. Asked for is how many, not which share.",
        ),
        Mistake(
            "seen.any",
            _any,
            "You say whether there is a number, with 1. Count them.",
        ),
        Mistake("seen.zeros", _zeros, "You counted the zeros. The rest of the nine is asked for."),
        Mistake(
            "seen.neighbors",
            _neighbors,
            "You left out the pixel in the middle. It lies under the window too.",
        ),
        Mistake(
            "seen.border",
            _scaled_border,
            "At the border you scaled up, as if the window had as many numbers outside as inside. "
            "`count_include_pad=False` does that.",
        ),
        Mistake(
            "seen.index_zero",
            _nonzero_indices,
            "You unpooled the indices and looked for what is not 0. Index 0, the upper left "
            "pixel, is a place like any other, and you lost it.",
        ),
        Mistake(
            "seen.two",
            _own_window,
            "Your window is 2 × 2. The convolution's is 3 × 3, with its pixel in the middle.",
        ),
    ),
)
