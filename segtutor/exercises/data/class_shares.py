"""How much of a data set each class has."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def class_shares(maps, num_classes):
    """maps: a list of label maps (H, W), of any sizes; void is 255.

    Returns (num_classes,): each class's share of all judged pixels.
    """
    raise NotImplementedError
'''


def class_shares(maps, num_classes):
    """Count over all maps, and divide once."""
    counts = torch.zeros(num_classes, dtype=torch.int64)
    for labels in maps:
        counts += torch.bincount(labels[labels != 255], minlength=num_classes)
    return counts / counts.sum()


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps of unequal sizes with void, absent classes, and one that is void throughout."""

    def some(height: int, width: int, *classes: int) -> torch.Tensor:
        choice = torch.tensor([*classes, 255])
        drawn = torch.randint(0, len(choice), (height, width), generator=generator)
        labels = choice[drawn]
        labels[0, : len(choice)] = choice
        return labels

    small = torch.tensor([[0, 0, 1, 255]])
    return [
        Case(([small], 2)),
        Case(([small, torch.tensor([[1, 1], [1, 0]])], 3)),  # class 2 is nowhere
        Case(([some(3, 5, 0, 1), some(6, 7, 1, 3), some(4, 9, 0)], 5)),
        Case(([some(4, 6, 2, 0), some(2, 5, 1, 2), torch.full((5, 3), 255)], 4)),
    ]


def _counts(maps, num_classes):
    return sum(torch.bincount(m[m != 255], minlength=num_classes) for m in maps)


def _of_all_pixels(maps, num_classes):
    return _counts(maps, num_classes) / sum(m.numel() for m in maps)


def _mean_of_shares(maps, num_classes):
    shares = [class_shares([m], num_classes) for m in maps]
    return torch.stack(shares).nanmean(0)


def _mean_of_shares_nan(maps, num_classes):
    return torch.stack([class_shares([m], num_classes) for m in maps]).mean(0)


def _mean_of_shares_of_all(maps, num_classes):
    return torch.stack([_of_all_pixels([m], num_classes) for m in maps]).mean(0)


def _counted_only(maps, num_classes):
    return _counts(maps, num_classes)


def _pictures(maps, num_classes):
    seen = torch.stack([_counts([m], num_classes) > 0 for m in maps])
    return seen.double().mean(0)


def _share_where_present(maps, num_classes):
    counts = torch.stack([_counts([m], num_classes) for m in maps])
    judged = (counts.sum(1, keepdim=True) * (counts > 0)).sum(0)
    return counts.sum(0) / judged


def _absent_dropped(maps, num_classes):
    shares = class_shares(maps, num_classes)
    return shares[shares > 0]


def _with_void(maps, num_classes):
    shares = _of_all_pixels(maps, num_classes)
    return torch.cat([shares, 1 - shares.sum(0, keepdim=True)])


def _percent(maps, num_classes):
    return 100 * class_shares(maps, num_classes)


def _void_is_the_last(maps, num_classes):
    clamped = [m.clamp(max=num_classes - 1) for m in maps]
    return class_shares(clamped, num_classes)


exercise = Exercise(
    name="class_shares",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "What may be added from map to map without losing anything? Counts of pixels. "
        "`torch.bincount(labels[mask], minlength=…)` counts each class of one map.",
        "Leave the void out before you count, add the counts of all maps, and divide at the end by "
        "their own sum: that is the number of judged pixels.",
    ),
    solution=class_shares,
    why=(
        "Shares of single maps do not add up: a small picture would weigh as much as a large one. "
        "And void belongs to no class, so it stands neither above the line nor below; the shares "
        "of the classes then sum to 1. A class that never occurs keeps its place, with share 0: "
        "whoever divides by the shares to get weights has to look at it first."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "shares.of_all_pixels",
            _of_all_pixels,
            "You divided by all pixels, void among them: your shares do not sum to 1. Divide by "
            "the judged ones.",
        ),
        Mistake(
            "shares.mean_of_shares",
            _mean_of_shares,
            "You took shares map by map and averaged them, so that a small map weighs as much as a "
            "large one. Add counts, and divide once.",
        ),
        Mistake(
            "shares.mean_of_shares_nan",
            _mean_of_shares_nan,
            "You took shares map by map and averaged them. A small map then weighs as much as a "
            "large one, and one that is void throughout makes all of it NaN. Add counts, and "
            "divide once.",
        ),
        Mistake(
            "shares.mean_of_shares_of_all",
            _mean_of_shares_of_all,
            "Two things: you averaged the shares of single maps, whatever their size, and void is "
            "in your denominators. Add the counts of judged pixels, and divide once.",
        ),
        Mistake(
            "shares.counts",
            _counted_only,
            "These are the counts, and they are right. Divide them by their sum.",
        ),
        Mistake(
            "shares.pictures",
            _pictures,
            "You counted in how many maps each class occurs. Asked for is how many pixels it has.",
        ),
        Mistake(
            "shares.where_present",
            _share_where_present,
            "You divided by the pixels of those maps alone that have the class. That is the "
            "frequency of median frequency balancing; here all judged pixels count.",
        ),
        Mistake(
            "shares.absent_dropped",
            _absent_dropped,
            "You left absent classes out, so that the numbers have moved to the wrong places. Keep "
            "`num_classes` of them: `bincount` takes `minlength`.",
        ),
        Mistake(
            "shares.with_void",
            _with_void,
            "You made void a class of its own, at the end. It is none: leave it out, above the "
            "line and below.",
        ),
        Mistake(
            "shares.void_is_the_last",
            _void_is_the_last,
            "Void was counted as the last class. `clamp` hides labels that are out of range; leave "
            "them out.",
        ),
        Mistake(
            "shares.percent",
            _percent,
            "All numbers are right, in percent. Shares from 0 to 1 are asked for.",
        ),
    ),
)
