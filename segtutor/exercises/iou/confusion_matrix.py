"""Count who was taken for whom, for every pixel of a batch."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def confusion_matrix(prediction, target, num_classes, ignore_index=255):
    """prediction, target (N, H, W) of class numbers -> counts (C, C).

    Row: what the pixel is. Column: what it was called.
    """
    raise NotImplementedError
'''


def confusion_matrix(prediction, target, num_classes, ignore_index=255):
    """Give every pair (target, prediction) a number of its own, and count the numbers."""
    judged = target != ignore_index
    pairs = num_classes * target[judged] + prediction[judged]
    counts = torch.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void, an absent class and one that is only predicted."""

    def draw(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.randint(low, high, shape, generator=generator)

    def with_void(target: torch.Tensor, void: int = 255) -> torch.Tensor:
        hidden = torch.rand(target.shape, generator=generator) < 0.2
        hidden.view(-1)[0] = True
        return target.masked_fill(hidden, void)

    def near(target: torch.Tensor, classes: int) -> torch.Tensor:
        """Mostly right, so that the diagonal is heavy, and wrong to one side."""
        wrong = torch.rand(target.shape, generator=generator) < 0.3
        return torch.where(wrong, (target + 1) % classes, target)

    plain = draw(0, 3, 2, 3, 4)
    voided = with_void(draw(0, 4, 2, 5, 7))
    # The predicted class 4 is in no target, and class 3 is nowhere at all.
    missing = with_void(draw(0, 3, 3, 4, 6))
    strange = draw(0, 4, 3, 4, 6)
    strange[strange == 3] = 4
    zero = draw(0, 3, 2, 4, 5)
    return [
        Case((torch.tensor([[[1, 1, 0]]]), torch.tensor([[[0, 0, 0]]]), 2)),
        Case((torch.tensor([[[0, 1, 1, 2]]]), torch.tensor([[[0, 1, 255, 1]]]), 3)),
        Case((near(plain, 3), plain, 3)),
        Case((near(voided % 4, 4), voided, 4)),
        Case((strange, missing, 6)),
        Case((near(zero, 3), zero, 3), {"ignore_index": 0}),
        Case((draw(0, 5, 4, 6, 9), with_void(draw(0, 5, 4, 6, 9), 5), 5), {"ignore_index": 5}),
    ]


def _transposed(prediction, target, num_classes, ignore_index=255):
    return confusion_matrix(prediction, target, num_classes, ignore_index).T


def _void_as(label: int, prediction, target, num_classes, ignore_index):
    target = target.masked_fill(target == ignore_index, label)
    return confusion_matrix(prediction, target, num_classes, -1)


def _void_background(prediction, target, num_classes, ignore_index=255):
    return _void_as(0, prediction, target, num_classes, ignore_index)


def _void_last(prediction, target, num_classes, ignore_index=255):
    return _void_as(num_classes - 1, prediction, target, num_classes, ignore_index)


def _void_right(prediction, target, num_classes, ignore_index=255):
    target = torch.where(target == ignore_index, prediction, target)
    return confusion_matrix(prediction, target, num_classes, -1)


def _void_class(prediction, target, num_classes, ignore_index=255):
    target = target.masked_fill(target == ignore_index, num_classes)
    return confusion_matrix(prediction, target, num_classes + 1, -1)


def _void_hard_coded(prediction, target, num_classes, ignore_index=255):
    # What else is out of range is left out too, as bincount and a cut would do.
    target = target.masked_fill(target >= num_classes, 255)
    return confusion_matrix(prediction, target, num_classes)


def _zero_dropped(prediction, target, num_classes, ignore_index=255):
    target = target.masked_fill(target == 0, ignore_index)
    return confusion_matrix(prediction, target, num_classes, ignore_index)


def _only_seen(prediction, target, num_classes, ignore_index=255):
    matrix = confusion_matrix(prediction, target, num_classes, ignore_index)
    seen = (matrix.sum(0) + matrix.sum(1)) > 0
    return matrix[seen][:, seen]


def _once(prediction, target, num_classes, ignore_index=255):
    return confusion_matrix(prediction, target, num_classes, ignore_index).clamp(max=1)


def _last_picture(prediction, target, num_classes, ignore_index=255):
    return confusion_matrix(prediction[-1:], target[-1:], num_classes, ignore_index)


def _shares(prediction, target, num_classes, ignore_index=255):
    matrix = confusion_matrix(prediction, target, num_classes, ignore_index)
    return matrix / matrix.sum(1, keepdim=True).clamp(min=1)


def _floats(prediction, target, num_classes, ignore_index=255):
    return confusion_matrix(prediction, target, num_classes, ignore_index).float()


exercise = Exercise(
    name="confusion_matrix",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Leave void out first: `target != ignore_index` is a mask, and `target[mask]`, "
        "`prediction[mask]` are two rows of numbers of the same length. Then two loops over the "
        "classes are enough: how many pixels are class r and were called c?",
        "Without loops: with C classes, C·target + prediction is a different whole number for each "
        "pair. `torch.bincount(…, minlength=…)` counts how often each one occurs; `reshape` "
        "makes rows of it.",
    ),
    solution=confusion_matrix,
    why=(
        "The pair (r, c) becomes the number C·r + c, as the pixel in row r and column c of a "
        "picture C wide would be numbered. Counting numbers is the fastest thing there is to do "
        "with labels. `minlength` keeps the places of classes that do not occur; void never "
        "enters, so it cannot land in a row of its own or in somebody else's."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _floats,
            "You counted in floating-point numbers. Beware: float32 stops counting at 16,777,216, "
            "because from there on adding 1 changes nothing, and a data set has more pixels than "
            "that. Whole numbers (int64) do not stop.",
        ),
    ),
    mistakes=(
        Mistake(
            "iou.transposed",
            _transposed,
            "Your rows are the predictions. Here a row is what the pixel *is*: "
            "the pair's number is C·target + prediction, not the other way round.",
        ),
        Mistake(
            "iou.void_background",
            _void_background,
            "You counted void pixels as class 0. Void is no class: leave its pixels out before you "
            "count.",
        ),
        Mistake(
            "iou.void_last",
            _void_last,
            "You counted void pixels as the last class, as a `clamp` of the labels would. Leave "
            "them out before you count.",
        ),
        Mistake(
            "iou.void_right",
            _void_right,
            "Your void pixels count as found. They are not judged at all: the matrix sums to the "
            "number of pixels that are *not* void.",
        ),
        Mistake(
            "iou.void_class",
            _void_class,
            "Your matrix has one class too many: void got a row of its own. Leave its pixels out, "
            "and C classes make C rows.",
        ),
        Mistake(
            "iou.void_hard_coded",
            _void_hard_coded,
            "It works while void is no class, such as 255. The argument `ignore_index` says which "
            "label is void; in some data sets that is 0, and then class 0 is not judged.",
        ),
        Mistake(
            "iou.zero_dropped",
            _zero_dropped,
            "Your row 0 is empty. Class 0 is a class like any other, background or not; only "
            "`ignore_index` is left out.",
        ),
        Mistake(
            "iou.only_seen",
            _only_seen,
            "Your matrix has rows only for the classes that occur, so the rows of two batches do "
            "not belong together and cannot be added. Keep the place of every class, with zeros.",
        ),
        Mistake(
            "iou.counted_once",
            _once,
            "You counted every kind of pair once. `matrix[target, prediction] += 1` reads and "
            "writes each place a single time, however often it is named: use `bincount`, "
            "`index_put_(…, accumulate=True)` or a loop.",
        ),
        Mistake(
            "iou.last_picture",
            _last_picture,
            "Only the last picture of the batch is counted. Does your loop write a new matrix for "
            "each picture, where it should add?",
        ),
        Mistake(
            "iou.shares",
            _shares,
            "You divided each row by its sum. That is good to look at, but batches of shares "
            "cannot be added: return the counts.",
        ),
    ),
)
