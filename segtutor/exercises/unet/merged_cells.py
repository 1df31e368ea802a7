"""How many cells has a prediction melted together?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def merged_cells(blobs, instances):
    """Count the cells that share their blob with another cell.

    blobs: (H, W), a number for every connected blob of the prediction, 0
    where it says ground. instances: (H, W), a number for every true cell.
    A cell's blob is the number that most of its pixels have; if that is
    0, the cell was missed and shares nothing.
    """
    raise NotImplementedError
'''


def _owners(blobs, instances):
    cells = [cell for cell in instances.unique().tolist() if cell != 0]
    return [int(blobs[instances == cell].bincount().argmax()) for cell in cells]


def merged_cells(blobs, instances):
    """Find every cell's blob, and count the cells whose blob comes up twice."""
    owners = []
    for cell in instances.unique():
        if cell != 0:
            owners.append(int(blobs[instances == cell].bincount().argmax()))
    return sum(owner != 0 and owners.count(owner) > 1 for owner in owners)


def cases(generator: torch.Generator) -> list[Case]:
    """Return strips of cells: apart, melted, missed, split, with gaps in the numbers."""

    def strip(*runs: tuple[int, int, int]) -> Case:
        """Runs of (how many columns, blob, cell)."""
        blobs, cells = ([v for n, *pair in runs for v in [pair[i]] * n] for i in (0, 1))
        return Case((torch.tensor([blobs] * 3), torch.tensor([cells] * 3)))

    kinds = torch.randint(0, 4, (14,), generator=generator).tolist()
    drawn = strip(*((5, blob, cell) for cell, blob in enumerate(kinds, start=1)))
    return [
        strip((4, 1, 1), (1, 0, 0), (4, 2, 2)),
        strip((4, 1, 1), (1, 1, 0), (4, 1, 2), (2, 0, 0), (3, 2, 3)),
        strip((3, 4, 7), (1, 4, 0), (3, 4, 2), (1, 4, 0), (3, 4, 5), (1, 0, 0), (4, 6, 9)),
        strip((4, 0, 1), (1, 0, 0), (4, 0, 2), (1, 0, 0), (4, 1, 3)),
        strip((4, 1, 1), (1, 1, 2), (4, 2, 2), (1, 0, 0), (3, 3, 3), (2, 0, 3), (1, 0, 0)),
        strip((3, 1, 1), (1, 1, 0), (3, 1, 2), (1, 0, 0), (3, 2, 3), (1, 2, 0), (3, 2, 4),
              (1, 2, 0), (3, 2, 5), (2, 0, 0), (3, 0, 6)),
        strip((3, 1, 1), (1, 0, 0), (2, 2, 2), (1, 0, 2), (2, 3, 2), (1, 3, 0), (3, 3, 3)),
        drawn,
    ]  # fmt: skip


def _missed_share(blobs, instances):
    owners = _owners(blobs, instances)
    return sum(owners.count(owner) > 1 for owner in owners)


def _blobs_that_hold_several(blobs, instances):
    owners = [owner for owner in _owners(blobs, instances) if owner]
    return sum(owners.count(owner) > 1 for owner in set(owners))


def _too_many(blobs, instances):
    owners = [owner for owner in _owners(blobs, instances) if owner]
    return len(owners) - len(set(owners))


def _difference(blobs, instances):
    count = [len([v for v in one.unique().tolist() if v]) for one in (instances, blobs)]
    return count[0] - count[1]


def _pairs(blobs, instances):
    owners = [owner for owner in _owners(blobs, instances) if owner]
    return sum(owners.count(owner) * (owners.count(owner) - 1) // 2 for owner in set(owners))


def _one_pixel_is_enough(blobs, instances):
    cells = [cell for cell in instances.unique().tolist() if cell]
    held = [set(blobs[instances == cell].unique().tolist()) - {0} for cell in cells]
    return sum(
        any(i != j and one & other for j, other in enumerate(held)) for i, one in enumerate(held)
    )


def _background_is_a_cell(blobs, instances):
    owners = [int(blobs[instances == c].bincount().argmax()) for c in instances.unique().tolist()]
    return sum(owner != 0 and owners.count(owner) > 1 for owner in owners)


def _apart(blobs, instances):
    owners = _owners(blobs, instances)
    return sum(owner != 0 and owners.count(owner) == 1 for owner in owners)


exercise = Exercise(
    name="merged_cells",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "First find each cell's blob: `blobs[instances == cell].bincount().argmax()`. Collect them "
        "in a list, one for each cell.",
        "Then count the cells, not the blobs: those whose blob is not 0 and comes up more than "
        "once in the list. `instances.unique()` gives the cells' numbers, 0 among them.",
    ),
    solution=merged_cells,
    why=(
        "Every cell has one vote, so that three cells in a blob count three and two missed cells "
        "do not count at all. The difference between the number of cells and of blobs would let a "
        "cell that fell apart hide two that melted together."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "merged.missed",
            _missed_share,
            "Two missed cells share the number 0 in your count. They were not found at all; leave "
            "cells whose blob is 0 out.",
        ),
        Mistake(
            "merged.blobs",
            _blobs_that_hold_several,
            "You counted the blobs that hold several cells. Asked for are the cells in them: a "
            "blob of three cells counts three.",
        ),
        Mistake(
            "merged.too_many",
            _too_many,
            "You counted how many cells too few there are: two in a blob count one, three count "
            "two. All of them share: two count two.",
        ),
        Mistake(
            "merged.difference",
            _difference,
            "You subtracted the number of blobs from the number of cells. A cell in two pieces "
            "then makes up for two melted ones, and missed cells look like melted ones.",
        ),
        Mistake(
            "merged.pairs",
            _pairs,
            "You counted pairs of cells: three cells in a blob are three pairs, four are six. "
            "Count the cells.",
        ),
        Mistake(
            "merged.one_pixel",
            _one_pixel_is_enough,
            "A single pixel is enough for you to call a cell part of a blob. Its blob is the one "
            "that most of its pixels have.",
        ),
        Mistake(
            "merged.ground",
            _background_is_a_cell,
            "You took the ground, instance 0, for a cell. Where the prediction covers most of the "
            "ground, a blob gets a cell too many. Leave 0 out.",
        ),
        Mistake(
            "merged.apart",
            _apart,
            "You counted the cells that have a blob of their own. Asked for are the others.",
        ),
    ),
)
