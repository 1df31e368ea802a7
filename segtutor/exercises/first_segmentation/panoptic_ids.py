"""Class and thing in one number for each pixel."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def panoptic_ids(labels, instances):
    """One number for each pixel: 1000 times its class, plus its thing.

    labels (H, W) uint8: the class, 255 for void.
    instances (H, W) int32: the number of the thing, 0 for none.
    Returns (H, W) whole numbers. A void pixel is 255,000: it is no thing's.
    """
    raise NotImplementedError
'''


def panoptic_ids(labels, instances):
    """Widen the bytes first; a void pixel forgets its thing."""
    ids = labels.long() * 1000 + instances
    return ids.masked_fill(labels == VOID, VOID * 1000)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps as `Streets.scene` gives them, with a void pixel that belongs to a thing."""
    labels = torch.tensor([[0, 0, 5, 5, 5], [2, 255, 5, 5, 5], [2, 2, 2, 6, 255]])
    things = torch.tensor([[0, 0, 3, 3, 4], [0, 3, 3, 4, 4], [0, 0, 0, 12, 0]])
    drawn = torch.randint(0, 8, (6, 7), generator=generator)
    numbers = torch.randint(1, 200, (6, 7), generator=generator) * (drawn > 4)
    drawn[2, 3], drawn[5, 0], numbers[5, 0] = 255, 255, 7
    drawn[0, 0], numbers[0, 0] = 7, 131
    plain = torch.tensor([[0, 2], [2, 0], [0, 0]])
    return [
        Case((plain.byte(), torch.zeros(3, 2, dtype=torch.int32))),
        Case((labels.byte(), things.int())),
        Case((drawn.byte(), numbers.int())),
    ]


def _wrapped(labels, instances):
    return labels * 1000 + instances


def _wrapped_void_mended(labels, instances):
    return (labels * 1000 + instances).long().masked_fill(labels == VOID, VOID * 1000)


def _void_keeps_its_thing(labels, instances):
    return labels.long() * 1000 + instances


def _exchanged(labels, instances):
    ids = instances.long() * 1000 + labels
    return ids.masked_fill(labels == VOID, VOID * 1000)


def _added(labels, instances):
    ids = labels.long() + instances
    return ids.masked_fill(labels == VOID, VOID * 1000)


def _void_is_255(labels, instances):
    ids = labels.long() * 1000 + instances
    return ids.masked_fill(labels == VOID, VOID)


def _void_is_zero(labels, instances):
    ids = labels.long() * 1000 + instances
    return ids.masked_fill(labels == VOID, 0)


def _things_alone(labels, instances):
    ids = (labels.long() * 1000 + instances) * (instances > 0)
    return ids.masked_fill(labels == VOID, VOID * 1000)


def _stuff_without_factor(labels, instances):
    ids = torch.where(instances > 0, labels.long() * 1000 + instances, labels.long())
    return ids.masked_fill(labels == VOID, VOID * 1000)


def _base_256(labels, instances):
    ids = labels.long() * 256 + instances
    return ids.masked_fill(labels == VOID, VOID * 1000)


exercise = Exercise(
    name="panoptic_ids",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Look at the dtypes. A byte holds 0 to 255, and a byte times 1000 is still a byte: what "
        "does `torch.tensor([5], dtype=torch.uint8) * 1000` give? Widen first, with `.long()`.",
        "`labels.long() * 1000 + instances` is right everywhere but at void pixels that some "
        "thing had: set those at the end, where `labels == 255`.",
    ),
    solution=panoptic_ids,
    why=(
        "Nothing is lost: `ids // 1000` is the label map and `ids % 1000` the instances, but for "
        "void pixels, which belong to nothing. One number a pixel also means that no pixel can "
        "belong to two things, which is what tells panoptic segmentation from a list of masks. "
        "Cityscapes stores its things so, with the bare class for everything else; others take "
        "another factor, so look it up. The byte that wraps around is the classic: no error, and "
        "car 5 becomes 136."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "panoptic.wrapped",
            _wrapped,
            "The bytes have wrapped around: `labels` is uint8, and 5 times 1000 leaves 136 of "
            "5000. Widen it first, with `.long()`.",
        ),
        Mistake(
            "panoptic.widened_too_late",
            _wrapped_void_mended,
            "You widened the product, but by then the bytes had wrapped around: 5 times 1000 "
            "leaves 136. Widen `labels` before you multiply.",
        ),
        Mistake(
            "panoptic.void_keeps_its_thing",
            _void_keeps_its_thing,
            "A void pixel that some thing had keeps the thing's number. Nobody judges that pixel: "
            "it is 255,000 whatever the instances say.",
        ),
        Mistake(
            "panoptic.exchanged",
            _exchanged,
            "Class and thing have changed places: you multiplied the thing's number by 1000. The "
            "class comes first.",
        ),
        Mistake(
            "panoptic.added",
            _added,
            "You added class and thing without the factor: class 5, thing 1 and class 6, thing 0 "
            "would be the same number. 1000 keeps them apart.",
        ),
        Mistake(
            "panoptic.void_is_255",
            _void_is_255,
            "You wrote 255 at void pixels. That would read as thing 255 of class 0; void is "
            "255,000 here.",
        ),
        Mistake(
            "panoptic.void_is_zero",
            _void_is_zero,
            "You wrote 0 at void pixels. That is class 0, the sky; void is 255,000 here.",
        ),
        Mistake(
            "panoptic.things_alone",
            _things_alone,
            "What is no thing has lost its class: road and sky are both 0. They are panoptic "
            "segments too, with 0 for the thing.",
        ),
        Mistake(
            "panoptic.stuff_without_factor",
            _stuff_without_factor,
            "What is no thing has its bare class, as in Cityscapes' files. Here the factor stands "
            "everywhere, so that `ids // 1000` is always the class.",
        ),
        Mistake(
            "panoptic.base_256",
            _base_256,
            "Your factor is 256. That works for up to 255 things a class; 1000 is asked for.",
        ),
    ),
)
