"""A batch in parts: how much the mean loss of each part counts."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def part_shares(parts):
    """What to multiply each part's mean loss with before `backward()`: (K,).

    parts: a list of K label maps (n, H, W), cut from one batch; n may differ.
    A loss is a mean over the judged pixels of its part; 255 is void.
    Multiplied so, the losses add up to the mean over the judged pixels of
    the whole batch. If all is void, every share is 0.
    """
    raise NotImplementedError
'''


def part_shares(parts):
    """Each part counts by its judged pixels."""
    judged = torch.tensor([float((part != VOID).sum()) for part in parts])
    return judged / judged.sum().clamp(min=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches cut evenly and unevenly, with little void, much, and nothing else."""
    made = []
    for sizes, height, width in (((2, 2), 3, 5), ((3, 1, 2), 4, 7), ((1, 1, 1, 1), 2, 6)):
        parts = []
        for k, n in enumerate(sizes):
            labels = torch.randint(4, (n, height, width), generator=generator)
            labels[torch.rand(labels.shape, generator=generator) < 0.2 * k] = VOID
            labels[0, 0, 0], labels[-1, -1, -1] = 0, 3  # judged, and class 0 among them
            if k == 0:
                labels[0, 0, 1] = VOID
            parts.append(labels)
        made.append(Case((parts,)))
    none_judged = [torch.full((2, 3, 4), VOID), torch.randint(4, (3, 3, 4), generator=generator)]
    made.append(Case((none_judged,)))
    made.append(Case(([torch.full((1, 2, 3), VOID)] * 2,)))
    return made


def _counts(parts, judge):
    return torch.tensor([float(judge(part)) for part in parts])


def _judged(part):
    return (part != VOID).sum()


def _equal(parts):
    return torch.full((len(parts),), 1 / len(parts))


def _by_pictures(parts):
    numbers = _counts(parts, len)
    return numbers / numbers.sum()


def _whole(parts):
    return torch.ones(len(parts))


def _void(parts):
    void = _counts(parts, lambda part: (part == VOID).sum())
    return void / void.sum().clamp(min=1)


def _background_out(parts):
    found = _counts(parts, lambda part: ((part != VOID) & (part != 0)).sum())
    return found / found.sum().clamp(min=1)


def _of_itself(parts):
    return _counts(parts, lambda part: (part != VOID).float().mean())


def _of_all_pixels(parts):
    return _counts(parts, _judged) / sum(part.numel() for part in parts)


def _counts_alone(parts):
    return _counts(parts, _judged)


def _of_the_largest(parts):
    judged = _counts(parts, _judged)
    return judged / judged.max().clamp(min=1)


exercise = Exercise(
    name="part_shares",
    kind="function",
    minutes=12,
    difficulty=3,
    stub=STUB,
    hints=(
        "A part's mean, times the number of its judged pixels, is the sum of their losses. The "
        "sums add up to that of the batch. What is left to divide by?",
        "So a part's share is its judged pixels over the judged pixels of all parts. "
        "`clamp(min=1)` below the line makes 0 of 0/0.",
    ),
    solution=part_shares,
    why=(
        "mean × count = sum, and sums add up. Parts of as many judged pixels each would have the "
        "share 1/K, and that is what most loops divide by; but void is not spread evenly, and the "
        "last part may be smaller. The shares need the counts of all parts, so look at the labels "
        "of the whole batch before its first part. `fit(..., accumulate=K)` does."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "accumulate.equal",
            _equal,
            "You gave each part 1/K. That is right only where all parts have as many judged "
            "pixels: here a part of much void counts as much as one without.",
        ),
        Mistake(
            "accumulate.by_pictures",
            _by_pictures,
            "You gave each part its share of the pictures. Void pixels are not judged, so a "
            "picture with much void has to count less.",
        ),
        Mistake(
            "accumulate.not_divided",
            _whole,
            "All your shares are 1: K means added up are about K times the mean of the batch, and "
            "so is the gradient.",
        ),
        Mistake(
            "accumulate.void",
            _void,
            "You counted the void pixels. It is the others that are judged.",
        ),
        Mistake(
            "accumulate.background_out",
            _background_out,
            "You left out class 0. It is a class like any other: only 255 is void.",
        ),
        Mistake(
            "accumulate.of_itself",
            _of_itself,
            "You divided by the pixels of each part itself. The shares have to add up to 1 over "
            "all parts: divide by the judged pixels of the whole batch.",
        ),
        Mistake(
            "accumulate.of_all_pixels",
            _of_all_pixels,
            "You divided by all pixels of the batch, void included. Then the shares do not add up "
            "to 1, and the loss becomes smaller where void is.",
        ),
        Mistake(
            "accumulate.counts",
            _counts_alone,
            "These are the judged pixels of each part. Divide them by those of all parts.",
        ),
        Mistake(
            "accumulate.of_the_largest",
            _of_the_largest,
            "You divided by the largest count. Divide by their sum, so that the shares add up "
            "to 1.",
        ),
    ),
)
