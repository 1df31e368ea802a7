"""Enlarge and add three score maps, as FCN-8s does."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def sum_scores(coarse, middle, fine):
    """(N, C, h, w), (N, C, 2h, 2w), (N, C, 4h, 4w) -> (N, C, 4h, 4w)."""
    raise NotImplementedError
'''


def _twice(x, mode="bilinear", align_corners=False):
    if mode == "nearest":
        return F.interpolate(x, scale_factor=2)
    return F.interpolate(x, scale_factor=2, mode=mode, align_corners=align_corners)


def sum_scores(coarse, middle, fine):
    """Twice as large, and add; and once more."""
    total = middle + _twice(coarse)
    return fine + _twice(total)


def cases(generator: torch.Generator) -> list[Case]:
    """Return score maps of unlike sides, one of a single cell."""
    made = []
    for n, c, h, w in ((1, 3, 2, 3), (2, 4, 3, 2), (1, 2, 1, 4), (3, 2, 4, 5)):
        maps = [torch.randn(n, c, f * h, f * w, generator=generator) for f in (1, 2, 4)]
        made.append(Case(tuple(maps)))
    return made


def _at_once(coarse, middle, fine):
    return fine + _twice(middle) + F.interpolate(coarse, scale_factor=4, mode="bilinear")


def _mean(coarse, middle, fine):
    return sum_scores(coarse, middle, fine) / 3


def _nearest(coarse, middle, fine):
    return fine + _twice(middle + _twice(coarse, "nearest"), "nearest")


def _corners(coarse, middle, fine):
    return fine + _twice(middle + _twice(coarse, align_corners=True), align_corners=True)


def _stacked(coarse, middle, fine):
    return torch.cat([fine, _twice(torch.cat([middle, _twice(coarse)], 1))], 1)


def _no_coarse(coarse, middle, fine):
    return fine + _twice(middle)


def _no_middle(coarse, middle, fine):
    return fine + _twice(_twice(coarse))


def _no_fine(coarse, middle, fine):
    return _twice(middle + _twice(coarse))


def _largest(coarse, middle, fine):
    return torch.maximum(fine, _twice(torch.maximum(middle, _twice(coarse))))


def _softmax(coarse, middle, fine):
    total = middle.softmax(1) + _twice(coarse.softmax(1))
    return fine.softmax(1) + _twice(total)


exercise = Exercise(
    name="sum_scores",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        '`F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)` enlarges all '
        "channels alike. Begin with the coarse map.",
        "After the first sum you have a map of (2h, 2w) that holds two votes. Enlarge *it*, and "
        "add the third. Raw scores: no softmax, no division.",
    ),
    solution=sum_scores,
    why=(
        "Scores are votes before softmax, and independent votes for a class add up. The deep map "
        "says what is there, the fine ones where it ends; where a fine map has no opinion it adds "
        "0 and changes nothing. Because everything after the scoring layers is linear, the whole "
        "sum could be computed by one layer on stacked features, at many times the cost."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _at_once,
            "You enlarge the coarse map by 4 at once. Enlarging by 2 twice is slightly smoother, "
            "and it is what FCN-8s does; both are used.",
        ),
    ),
    mistakes=(
        Mistake(
            "fcn.mean",
            _mean,
            "You divided by 3. The largest score of a pixel stays the same, but softmax becomes "
            "flatter, and so does the loss. Votes are added.",
        ),
        Mistake(
            "up.nearest",
            _nearest,
            "You enlarged by repeating pixels, the default of `F.interpolate`. Bilinear is asked "
            "for: borders then lie where slopes cross, not at the rims of the cells.",
        ),
        Mistake(
            "up.corners",
            _corners,
            "You enlarged with `align_corners=True`. Then the middles of cells drift off their "
            "place, more towards the rim; half-pixel centers are asked for.",
        ),
        Mistake(
            "fcn.stacked",
            _stacked,
            "You stacked the maps as channels, as U-Net does with features. FCN adds them: three "
            "maps of C classes make one of C classes.",
        ),
        Mistake(
            "fcn.no_coarse",
            _no_coarse,
            "The coarse map has no effect. It is the one that has seen most of the picture.",
        ),
        Mistake(
            "fcn.no_middle",
            _no_middle,
            "The middle map has no effect. Add it after the first enlarging.",
        ),
        Mistake(
            "fcn.no_fine",
            _no_fine,
            "The fine map has no effect. Add it after the second enlarging.",
        ),
        Mistake(
            "fcn.largest",
            _largest,
            "You took the largest of the votes. Then a map that is against a class is never "
            "heard. Add them.",
        ),
        Mistake(
            "fcn.softmax",
            _softmax,
            "You added probabilities. The scores are added as they are; softmax belongs to the "
            "loss, after the sum.",
        ),
    ),
)
