"""The mean IoU of a data set that comes in batches."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake
from segtutor.exercises.iou.confusion_matrix import confusion_matrix
from segtutor.exercises.iou.iou_per_class import iou_per_class

STUB = '''
def dataset_miou(batches, num_classes):
    """batches: a list of (prediction, target), both (N, H, W); void is 255.

    Returns the mean IoU of the whole data set. A class that is neither in
    any target nor in any prediction takes no part in the mean.
    """
    raise NotImplementedError
'''


def dataset_miou(batches, num_classes):
    """Add up counts, and divide once, at the end."""
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for prediction, target in batches:
        judged = target != 255
        pairs = num_classes * target[judged] + prediction[judged]
        counts = torch.bincount(pairs, minlength=num_classes**2)
        matrix += counts.reshape(num_classes, num_classes)
    hits = matrix.diag()
    iou = hits / (matrix.sum(0) + matrix.sum(1) - hits)
    return iou.nanmean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return data sets with unequal batches, void, and classes that are absent here and there."""

    def batch(n: int, height: int, width: int, *present: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures of some classes, predicted with 30 % errors; every picture has void."""
        choice = torch.tensor(present)
        shape = (n, height, width)
        target = choice[torch.randint(0, len(present), shape, generator=generator)]
        guess = choice[torch.randint(0, len(present), shape, generator=generator)]
        wrong = torch.rand(shape, generator=generator) < 0.3
        prediction = torch.where(wrong, guess, target)
        void = torch.rand(shape, generator=generator) < 0.15
        void[:, 0, 0] = True
        return prediction, target.masked_fill(void, 255)

    def only_predicted(n: int, height: int, width: int, label: int) -> tuple:
        prediction, target = batch(n, height, width, 0, 1)
        prediction[:, 1, :2] = label
        target[:, 1, :2] = 0
        return prediction, target

    one = (torch.tensor([[[0, 0, 1, 1, 1]]]), torch.tensor([[[0, 1, 1, 1, 255]]]))
    small = (torch.tensor([[[0, 0, 0]], [[1, 1, 1]]]), torch.tensor([[[0, 0, 1]], [[1, 1, 1]]]))
    return [
        Case(([one], 2)),
        Case(([small, one], 2)),
        Case(([batch(3, 4, 5, 0, 0, 0, 1), batch(1, 4, 5, 0, 2)], 4)),  # class 3 is nowhere
        Case(([batch(2, 5, 6, 0, 1), only_predicted(2, 5, 6, 2)], 3)),
        Case(([batch(4, 6, 5, 0, 0, 1, 2, 3), batch(2, 6, 5, 1, 4), batch(1, 3, 7, 5, 2)], 6)),
    ]


def _counts(batches, num_classes):
    return sum(confusion_matrix(p, t, num_classes) for p, t in batches)


def _pictures(batches):
    return [(p[i : i + 1], t[i : i + 1]) for p, t in batches for i in range(len(p))]


def _each(parts, num_classes):
    """The IoU of every class, for every part by itself."""
    return torch.stack([iou_per_class(confusion_matrix(p, t, num_classes)) for p, t in parts])


def _per_image(batches, num_classes):
    return _each(_pictures(batches), num_classes).nanmean(1).mean()


def _per_image_by_class(batches, num_classes):
    return _each(_pictures(batches), num_classes).nanmean(0).nanmean()


def _batch_means(batches, num_classes):
    return _each(batches, num_classes).nanmean(1).mean()


def _last_batch(batches, num_classes):
    return dataset_miou(batches[-1:], num_classes)


def _micro(batches, num_classes):
    matrix = _counts(batches, num_classes)
    hits = matrix.trace()
    return hits / (2 * matrix.sum() - hits)


def _frequency_weighted(batches, num_classes):
    matrix = _counts(batches, num_classes)
    return (iou_per_class(matrix).nan_to_num() * matrix.sum(1) / matrix.sum()).sum()


def _mean_accuracy(batches, num_classes):
    matrix = _counts(batches, num_classes)
    return (matrix.diag() / matrix.sum(1)).nanmean()


def _mean_dice(batches, num_classes):
    matrix = _counts(batches, num_classes)
    return (2 * matrix.diag() / (matrix.sum(0) + matrix.sum(1))).nanmean()


def _without_background(batches, num_classes):
    return iou_per_class(_counts(batches, num_classes))[1:].nanmean()


def _absent_0(batches, num_classes):
    return iou_per_class(_counts(batches, num_classes)).nan_to_num(0.0).mean()


def _absent_1(batches, num_classes):
    return iou_per_class(_counts(batches, num_classes)).nan_to_num(1.0).mean()


def _only_predicted_left_out(batches, num_classes):
    matrix = _counts(batches, num_classes)
    return iou_per_class(matrix)[matrix.sum(1) > 0].mean()


def _void_background(batches, num_classes):
    return dataset_miou([(p, t.masked_fill(t == 255, 0)) for p, t in batches], num_classes)


def _void_false_alarm(batches, num_classes):
    matrix = _counts(batches, num_classes)
    called = sum(torch.bincount(p.flatten(), minlength=num_classes) for p, _ in batches)
    return (matrix.diag() / (matrix.sum(1) + called - matrix.diag())).nanmean()


exercise = Exercise(
    name="dataset_miou",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "What may be added from batch to batch without losing anything? Not IoUs: 1/2 and 1/1000 "
        "do not say how many pixels they stand for. The counts that they are made of do.",
        "Keep one confusion matrix for the whole data set, add the counts of every batch to it, "
        "and take the IoU of every class at the end, `nanmean` last. Your functions of the two "
        "exercises before this one do all the work.",
    ),
    solution=dataset_miou,
    why=(
        "An IoU is a fraction, and the mean of fractions is not the fraction of the sums. Because "
        "only counts are added, it does not matter how the pictures were cut into batches, in "
        "which order they came, or on how many machines they were counted."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "iou.per_image",
            _per_image,
            "You averaged over pictures: every picture gets its own mean IoU. A picture with three "
            "pixels of a class then counts as much as one with three thousand. That score exists, "
            "but data sets are scored by one matrix for all pictures.",
        ),
        Mistake(
            "iou.per_image_by_class",
            _per_image_by_class,
            "You averaged the IoU of each class over the pictures that have it, then over the "
            "classes. One matrix for all pictures comes first; its fractions come last.",
        ),
        Mistake(
            "iou.batch_means",
            _batch_means,
            "You averaged over batches. Cut the same data set into other batches and your number "
            "changes. Add counts, and divide once at the end.",
        ),
        Mistake(
            "iou.last_batch",
            _last_batch,
            "Only the last batch reaches your result. Does the loop begin a new matrix each time?",
        ),
        Mistake(
            "iou.micro",
            _micro,
            "You added hits and unions over the classes before you divided. The large classes then "
            "decide alone. Divide for every class, then average.",
        ),
        Mistake(
            "iou.frequency",
            _frequency_weighted,
            "You weighted every class by its pixels (frequency-weighted IoU). In the mean IoU all "
            "classes count alike, a rare pole as much as the road.",
        ),
        Mistake(
            "iou.mean_accuracy",
            _mean_accuracy,
            "You divided by the rows: this is the mean of the recalls, called mean accuracy. False "
            "alarms cost it nothing.",
        ),
        Mistake(
            "iou.dice",
            _mean_dice,
            "This is the mean Dice (F1) of the classes, which is never below the mean IoU.",
        ),
        Mistake(
            "iou.bg",
            _without_background,
            "You left class 0 out of the mean. Some benchmarks do so with a background; here "
            "nothing was said of it, and class 0 is a class like any other.",
        ),
        Mistake(
            "iou.absent0",
            _absent_0,
            "A class that is nowhere counts 0 in your mean. `nanmean` passes over it.",
        ),
        Mistake(
            "iou.absent1",
            _absent_1,
            "A class that is nowhere counts 1 in your mean. `nanmean` passes over it.",
        ),
        Mistake(
            "iou.absent_predicted",
            _only_predicted_left_out,
            "You left out every class that is in no target, even where it was predicted. Its false "
            "alarms have a price: IoU 0, which counts in the mean.",
        ),
        Mistake(
            "iou.void_background",
            _void_background,
            "You counted void pixels as class 0. Leave them out before you count.",
        ),
        Mistake(
            "iou.ignore255",
            _void_false_alarm,
            "What you predict on void pixels counts as false alarms, so that even a perfect "
            "prediction stays below 1. Leave void out of the predictions too.",
        ),
    ),
)
