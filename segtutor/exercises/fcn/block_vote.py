"""A label for each block: the majority of its pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def block_vote(labels, factor, num_classes):
    """labels (H, W), 255 is void -> (H, W), one class for each block.

    Void does not vote; the smallest of equals wins; all void: class 0.
    """
    raise NotImplementedError
'''


def _spread(small, factor):
    return small.repeat_interleave(factor, 0).repeat_interleave(factor, 1)


def _counts(labels, factor, num_classes):
    """How many pixels of each block have each class: (num_classes, H/factor, W/factor)."""
    each = torch.stack([labels == k for k in range(num_classes)]).double()
    return F.avg_pool2d(each, factor) * factor**2


def block_vote(labels, factor, num_classes):
    """One plane for each class; its mean over a block is the share of the votes."""
    votes = torch.stack([labels == k for k in range(num_classes)]).float()
    winner = F.avg_pool2d(votes, factor).argmax(0)
    return winner.repeat_interleave(factor, 0).repeat_interleave(factor, 1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps with ties, a void majority, a block of void, and a class that is nowhere."""
    tie = torch.tensor([[3, 1, 0, 2], [1, 3, 2, 0]])
    void = torch.tensor([[255, 255, 255, 255], [255, 2, 255, 255]])
    mixed = torch.tensor([[0, 0, 4, 1], [4, 4, 1, 4], [2, 255, 255, 0], [255, 2, 1, 255]])
    made = [Case((tie, 2, 4)), Case((void, 2, 3)), Case((mixed, 2, 5)), Case((mixed, 4, 6))]
    for height, width, factor, classes in ((6, 9, 3, 4), (8, 12, 4, 5), (10, 4, 2, 3)):
        labels = torch.randint(classes, (height, width), generator=generator)
        labels[torch.rand(height, width, generator=generator) < 0.3] = VOID
        made.append(Case((labels, factor, classes)))
    return made


def _corner(labels, factor, num_classes):
    return _spread(labels[::factor, ::factor], factor)


def _middle_pixel(labels, factor, num_classes):
    return _spread(labels[factor // 2 :: factor, factor // 2 :: factor], factor)


def _void_votes(labels, factor, num_classes):
    counts = _counts(labels, factor, num_classes)
    void = factor**2 - counts.sum(0)
    return _spread(counts.argmax(0).masked_fill(void > counts.amax(0), VOID), factor)


def _void_is_0(labels, factor, num_classes):
    return block_vote(labels.masked_fill(labels == VOID, 0), factor, num_classes)


def _void_is_last(labels, factor, num_classes):
    return block_vote(labels.clamp(max=num_classes - 1), factor, num_classes)


def _mean(labels, factor, num_classes):
    small = F.avg_pool2d(labels.double()[None], factor)[0]
    return _spread(small.round().long(), factor)


def _largest_label(labels, factor, num_classes):
    small = F.max_pool2d(labels.double()[None], factor)[0]
    return _spread(small.long(), factor)


def _last_of_equals(labels, factor, num_classes):
    counts = _counts(labels, factor, num_classes)
    return _spread(num_classes - 1 - counts.flip(0).argmax(0), factor)


def _small(labels, factor, num_classes):
    return block_vote(labels, factor, num_classes)[::factor, ::factor]


def _void_kept(labels, factor, num_classes):
    return block_vote(labels, factor, num_classes).masked_fill(labels == VOID, VOID)


exercise = Exercise(
    name="block_vote",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Give each class a plane of its own that is 1 where the label is that class. What is the "
        "mean of such a plane over a block? `F.avg_pool2d` knows.",
        "Void has no plane, so it has no vote. `argmax` over the planes picks the winner, and the "
        "first of equals. `repeat_interleave`, once for rows and once for columns, makes blocks "
        "of it.",
    ),
    solution=block_vote,
    why=(
        "Labels are names, not amounts: there is no mean of road and car. Shares of votes are "
        "amounts, and these can be averaged. The vote shows the best that can be done with one "
        "label a block if pixels are counted; a score map of the same size can do better, because "
        "it keeps the shares."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "mask.corner",
            _corner,
            "You took the upper left pixel of each block. One pixel speaks for all; a vote is "
            "asked for.",
        ),
        Mistake(
            "mask.middle",
            _middle_pixel,
            "You took one pixel from the middle of each block. A vote of all of them is asked for.",
        ),
        Mistake(
            "iou.void_class",
            _void_votes,
            "Void has won a block. It does not vote: two pixels of road among seven of void make "
            "road.",
        ),
        Mistake(
            "iou.void_background",
            _void_is_0,
            "You counted void pixels as class 0. They have no vote.",
        ),
        Mistake(
            "iou.void_last",
            _void_is_last,
            "You counted void pixels as the last class. They have no vote.",
        ),
        Mistake(
            "mask.mean",
            _mean,
            "You averaged the labels. Between class 1 and class 3 lies no class 2: labels are "
            "names. Average one plane for each class.",
        ),
        Mistake(
            "mask.largest",
            _largest_label,
            "Each block got its largest label. The number of a class says nothing about how many "
            "pixels it has: count them.",
        ),
        Mistake(
            "vote.last",
            _last_of_equals,
            "Where two classes have equally many pixels you chose the larger. The smallest of "
            "equals is asked for, which is what `argmax` does over planes in order.",
        ),
        Mistake(
            "vote.small",
            _small,
            "The votes are right, one number for each block. Return a map of the original size: "
            "repeat each winner over its block.",
        ),
        Mistake(
            "vote.void_kept",
            _void_kept,
            "You made the void pixels void again. The vote speaks for every pixel of its block; "
            "what is not judged is left to the metric.",
        ),
    ),
)
