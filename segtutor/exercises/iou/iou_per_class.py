"""From the counts to the intersection over union of every class."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def iou_per_class(matrix):
    """matrix (C, C) of counts, rows = target -> IoU of every class (C,).

    NaN for a class that is neither in the target nor predicted.
    """
    raise NotImplementedError
'''


def iou_per_class(matrix):
    """What both call this class, by what either does."""
    hits = matrix.diag()
    either = matrix.sum(1) + matrix.sum(0) - hits  # the hits are in both sums
    return hits / either  # 0 / 0 is NaN: this class is nowhere


def cases(generator: torch.Generator) -> list[Case]:
    """Return matrices with classes that are absent, missed, or only predicted."""
    random = torch.randint(0, 50, (5, 5), generator=generator) + 40 * torch.eye(5).long()
    random[2] = 0  # only predicted
    random[:, 4] = 0  # never predicted
    larger = torch.randint(1, 10_000, (6, 6), generator=generator)
    larger[3], larger[:, 3] = 0, 0  # nowhere
    designed = [
        [[3, 1], [2, 4]],
        [[7, 1, 2], [1, 4, 0], [0, 1, 2]],
        [[5, 0, 1], [0, 0, 0], [2, 0, 9]],  # class 1 is nowhere
        [[2, 0, 1, 0], [0, 4, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],  # class 2 only predicted
        [[95, 0], [5, 0]],  # all background
    ]
    return [Case((torch.tensor(m),)) for m in designed] + [Case((random,)), Case((larger,))]


def _recall(matrix):
    return matrix.diag() / matrix.sum(1)


def _precision(matrix):
    return matrix.diag() / matrix.sum(0)


def _dice(matrix):
    return 2 * matrix.diag() / (matrix.sum(0) + matrix.sum(1))


def _hits_twice(matrix):
    return matrix.diag() / (matrix.sum(0) + matrix.sum(1))


def _absent_0(matrix):
    return iou_per_class(matrix).nan_to_num(0.0)


def _absent_1(matrix):
    return iou_per_class(matrix).nan_to_num(1.0)


def _only_predicted_left_out(matrix):
    return iou_per_class(matrix).masked_fill(matrix.sum(1) == 0, float("nan"))


def _dropped(matrix):
    iou = iou_per_class(matrix)
    return iou[~iou.isnan()]


def _right_about_it(matrix):
    either = matrix.sum(1) + matrix.sum(0) - matrix.diag()
    return (matrix.sum() - either + matrix.diag()) / matrix.sum()


def _share_of_all(matrix):
    return matrix.diag() / matrix.sum()


def _errors_only(matrix):
    return matrix.diag() / (matrix.sum(1) + matrix.sum(0) - 2 * matrix.diag())


def _percent(matrix):
    return 100 * iou_per_class(matrix)


def _averaged(matrix):
    return iou_per_class(matrix).nanmean()


exercise = Exercise(
    name="iou_per_class",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "The diagonal holds the pixels that both call class k. `matrix.sum(1)` adds up each row: "
        "how many pixels *are* class k. `matrix.sum(0)` adds up each column: how many were "
        "*called* class k. How many pixels are in one or the other?",
        "Row plus column counts the diagonal twice, so take it away once. Where that number is 0 "
        "the class is nowhere, and 0 / 0 gives the NaN that is asked for; there is nothing to "
        "mend.",
    ),
    solution=iou_per_class,
    why=(
        "A pixel of class k that was missed stands in row k, a false alarm stands in column k, a "
        "hit in both. No other place of the matrix enters: how many pixels of *other* classes "
        "were right among themselves does not matter. A class that is only predicted has an "
        "empty row and a union above 0, so its IoU is 0, not NaN: somebody raised a false alarm."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "iou.recall",
            _recall,
            "You divided by the row: of the pixels that are class k, how many were found? That is "
            "recall, and false alarms cost it nothing. The union holds the column too.",
        ),
        Mistake(
            "iou.precision",
            _precision,
            "You divided by the column: of the pixels called class k, how many are? That is "
            "precision, and missed pixels cost it nothing. The union holds the row too.",
        ),
        Mistake(
            "iou.dice",
            _dice,
            "This is Dice (F1): twice the hits by row plus column. It is never below IoU. IoU "
            "counts the hits once, above and below the line.",
        ),
        Mistake(
            "iou.hits_twice",
            _hits_twice,
            "Row plus column counts every hit twice, so that a perfect prediction gets 0.5. Take "
            "the diagonal away once.",
        ),
        Mistake(
            "iou.absent0",
            _absent_0,
            "You wrote 0 for a class that is nowhere. Nothing was there to find and nothing was "
            "found: that is no failure, and a 0 would pull the mean down. Leave it NaN.",
        ),
        Mistake(
            "iou.absent1",
            _absent_1,
            "You wrote 1 for a class that is nowhere. A mean would then be lifted by classes that "
            "nobody has seen. Leave it NaN, and let the mean pass over it.",
        ),
        Mistake(
            "iou.absent_predicted",
            _only_predicted_left_out,
            "A class that is in no target but was predicted got NaN, so its false alarms cost "
            "nothing. Its union is not empty: the IoU is 0.",
        ),
        Mistake(
            "iou.absent_dropped",
            _dropped,
            "You left the absent classes out, so that the numbers have moved to the wrong places. "
            "Keep C numbers, NaN among them.",
        ),
        Mistake(
            "iou.true_negatives",
            _right_about_it,
            "You counted the pixels that are rightly *not* called class k as hits. A rare class is "
            "then almost perfect when it is never found. IoU leaves them out, above and below the "
            "line.",
        ),
        Mistake(
            "iou.share_of_all",
            _share_of_all,
            "You divided by all pixels. The union of class k holds only those that are class k or "
            "were called it.",
        ),
        Mistake(
            "iou.union_without_hits",
            _errors_only,
            "Your denominator holds the errors alone, so a perfect class would be divided by 0. "
            "The hits are part of the union: take the diagonal away once, not twice.",
        ),
        Mistake(
            "iou.percent",
            _percent,
            "All numbers are right, in percent. A fraction from 0 to 1 is asked for.",
        ),
        Mistake(
            "iou.averaged",
            _averaged,
            "You returned the mean over the classes. One number for each class is asked for.",
        ),
    ),
)
