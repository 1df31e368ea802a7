"""The Dice loss of a batch with several classes and void."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

VOID = 255

STUB = '''
def dice_loss(logits, labels):
    """Mean over the classes that occur of 1 − 2·overlap / (size + size).

    logits: (N, C, H, W); labels: (N, H, W), 255 is void and counts nowhere.
    Overlap and sizes are sums over all pixels of the batch, class by class.
    """
    raise NotImplementedError
'''


def dice_loss(logits, labels):
    """Mean over the classes that occur of 1 − 2·overlap / (size + size)."""
    judged = labels != VOID  # (N, H, W)
    probability = logits.softmax(1).movedim(1, -1)[judged]  # (P, C): the judged pixels
    truth = F.one_hot(labels[judged], logits.shape[1])  # (P, C)
    overlap = (probability * truth).sum(0)  # (C,)
    sizes = probability.sum(0) + truth.sum(0)
    occurs = truth.sum(0) > 0
    return 1 - (2 * overlap / sizes)[occurs].mean()


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with void, in which one class is absent and images differ in content."""
    made = []
    for n, c, h, w in ((2, 3, 4, 5), (1, 4, 3, 6), (3, 5, 2, 4), (2, 4, 5, 3)):
        logits = 1.5 * torch.randn(n, c, h, w, generator=generator)
        labels = torch.randint(c - 1, (n, h, w), generator=generator)  # class C − 1 is absent
        labels[torch.rand(n, h, w, generator=generator) < 0.2] = VOID
        labels[0, 0, 0], labels[0, 0, 1], labels[-1, -1, -1] = VOID, 0, c - 2
        if n > 1:
            labels[0][labels[0] == c - 2] = 0  # a class that occurs in some images only
        made.append(Case((logits, labels)))
    return made


def _parts(probability, labels):
    """Overlap, size of the prediction and size of the object, (C,) each, void left out."""
    judged = labels != VOID
    probability = probability.movedim(1, -1)[judged]
    truth = F.one_hot(labels[judged], probability.shape[-1])
    return (probability * truth).sum(0), probability.sum(0), truth.sum(0)


def _with(probability, labels, smooth=0.0):
    overlap, predicted, true = _parts(probability, labels)
    return 1 - ((2 * overlap + smooth) / (predicted + true + smooth))[true > 0].mean()


def _scores(logits, labels):
    """The Dice coefficient of each class, (C,), and which of them occur."""
    overlap, predicted, true = _parts(logits.softmax(1), labels)
    return 2 * overlap / (predicted + true), true > 0


def _smoothed(logits, labels):
    return _with(logits.softmax(1), labels, smooth=1.0)


def _no_softmax(logits, labels):
    return _with(logits, labels)


def _sigmoid(logits, labels):
    return _with(logits.sigmoid(), labels)


def _argmax(logits, labels):
    return _with(F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1).float(), labels)


def _squared(logits, labels):
    judged = labels != VOID
    probability = logits.softmax(1).movedim(1, -1)[judged]
    truth = F.one_hot(labels[judged], logits.shape[1])
    sizes = (probability**2).sum(0) + truth.sum(0)
    return 1 - (2 * (probability * truth).sum(0) / sizes)[truth.sum(0) > 0].mean()


def _image_by_image(logits, labels):
    pairs = zip(logits, labels, strict=True)
    return torch.stack([dice_loss(x[None], y[None]) for x, y in pairs]).mean()


def _image_class_pairs(logits, labels):
    """Overlaps per image and class; the mean over the pairs that occur."""
    judged = (labels != VOID)[:, None]
    truth = F.one_hot(labels.where(labels != VOID, 0), logits.shape[1]).movedim(-1, 1) * judged
    probability = logits.softmax(1) * judged
    dice = 2 * (probability * truth).sum((2, 3)) / (probability.sum((2, 3)) + truth.sum((2, 3)))
    return 1 - dice[truth.sum((2, 3)) > 0].mean()


def _background_left_out(logits, labels):
    dice, occurs = _scores(logits, labels)
    return 1 - dice[1:][occurs[1:]].mean()


def _void_is_a_class(logits, labels):
    return dice_loss(logits, labels.where(labels != VOID, 0))


def _void_predicted(logits, labels):
    overlap, _, true = _parts(logits.softmax(1), labels)
    predicted = logits.softmax(1).sum((0, 2, 3))
    return 1 - (2 * overlap / (predicted + true))[true > 0].mean()


def _absent_is_0(logits, labels):
    return 1 - _scores(logits, labels)[0].mean()


def _absent_is_1(logits, labels):
    dice, occurs = _scores(logits, labels)
    return ((1 - dice) * occurs).mean()


def _all_classes_in_one(logits, labels):
    overlap, predicted, true = _parts(logits.softmax(1), labels)
    return 1 - 2 * overlap.sum() / (predicted + true).sum()


def _coefficient(logits, labels):
    return 1 - dice_loss(logits, labels)


exercise = Exercise(
    name="dice_loss",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "`logits.softmax(1)` makes probabilities, still (N, C, H, W). Drop the void pixels "
        "first: `labels != 255` says which to keep. Only then may `F.one_hot` see the labels, "
        "because there is no class 255.",
        "With probabilities and one-hot labels both as (pixels, C), overlap and sizes are sums "
        "along axis 0: one number for each class. A class occurs if its labels add up to more "
        "than 0; average over those classes only.",
    ),
    solution=dice_loss,
    why=(
        "Void goes first, from both sides: from the labels, and from the prediction, whose size "
        "it would swell. What is left is one row for each judged pixel, and the batch, the height "
        "and the width are gone. Classes that do not occur have no object to overlap with; "
        "counting them would say more about the crop than about the network."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _smoothed,
            "You added a smoothing term of 1 above and below. It saves an empty mask from 0/0, and "
            "makes small objects look better found than they are. Here none is asked for.",
        ),
        Accepted(
            _squared,
            "You squared the probabilities in the sizes, as V-Net does. It pulls probabilities "
            "less hard toward 0 and 1. The book's Dice is linear unless it says otherwise.",
        ),
    ),
    mistakes=(
        Mistake(
            "dice.logits",
            _no_softmax,
            "You used the logits as they are. They may be negative or larger than 1, and so may "
            "your loss: `logits.softmax(1)` first.",
        ),
        Mistake(
            "dice.sigmoid",
            _sigmoid,
            "You used a sigmoid for each class. The probabilities of a pixel then do not add up "
            "to 1. For classes that exclude each other it is `softmax(1)`.",
        ),
        Mistake(
            "dice.hard",
            _argmax,
            "You took the argmax. That is the Dice score, and nothing can be learned from it: "
            "`argmax` has no gradient. Keep the probabilities.",
        ),
        Mistake(
            "dice.batch",
            _image_by_image,
            "You made a loss for each image and averaged. The sums are to run over the whole "
            "batch: a class that fills a corner of one image then counts as little as it is.",
        ),
        Mistake(
            "dice.pairs",
            _image_class_pairs,
            "You made a Dice for each image and each class. The sums are to run over the whole "
            "batch: add along the axis of the images too.",
        ),
        Mistake(
            "dice.background",
            _background_left_out,
            "You left class 0 out. Medical code often does, where 0 is background; here all "
            "classes that occur are averaged.",
        ),
        Mistake(
            "dice.void_is_a_class",
            _void_is_a_class,
            "You turned void into class 0 to please `one_hot`, and then judged it. Drop the void "
            "pixels from labels and probabilities.",
        ),
        Mistake(
            "dice.void_predicted",
            _void_predicted,
            "You dropped void from the labels, but the size of the prediction still counts it. "
            "What the network says at void pixels must not matter.",
        ),
        Mistake(
            "dice.absent_is_0",
            _absent_is_0,
            "A class that does not occur has Dice 0 in your mean, whatever is predicted, so your "
            "loss never comes near 0. Average over the classes that occur.",
        ),
        Mistake(
            "dice.absent_is_1",
            _absent_is_1,
            "A class that does not occur has loss 0 in your mean, and you still divide by all "
            "classes: the fewer classes a crop holds, the smaller the loss. Average over the "
            "classes that occur.",
        ),
        Mistake(
            "dice.micro",
            _all_classes_in_one,
            "You added up all classes before you divided. Large classes then decide, which is "
            "what Dice should prevent: divide class by class, and average after.",
        ),
        Mistake(
            "dice.coefficient",
            _coefficient,
            "This is the Dice coefficient, which is 1 when all is well. Return one minus it.",
        ),
    ),
)
