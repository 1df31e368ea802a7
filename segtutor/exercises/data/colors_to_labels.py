"""From a color-coded picture to the classes."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def colors_to_labels(colors, table):
    """colors (H, W, 3) uint8 -> label map (H, W) int64.

    table: a list of colors (r, g, b); the first one is class 0, and so on.
    A color that is not in the table is void, 255.
    """
    raise NotImplementedError
'''


def colors_to_labels(colors, table):
    """Void everywhere, and then class by class: all three numbers have to fit."""
    labels = torch.full(colors.shape[:2], 255)
    for label, color in enumerate(table):
        fits = colors == torch.tensor(color, dtype=colors.dtype)
        labels[fits.all(dim=2)] = label
    return labels


def cases(generator: torch.Generator) -> list[Case]:
    """Return tables whose colors share numbers and sums, and pictures with strange colors."""
    street = [(128, 64, 128), (70, 70, 70), (0, 0, 142), (107, 142, 35), (220, 20, 60)]
    twins = [(0, 0, 0), (0, 0, 128), (128, 0, 0), (0, 128, 0), (64, 64, 0), (128, 128, 0)]
    made = []
    for table, others, size in (
        (street, [(0, 0, 0), (142, 0, 0), (128, 64, 127), (220, 20, 61)], (4, 5)),
        (twins, [(0, 128, 128), (255, 255, 255), (65, 63, 0)], (5, 6)),
        (twins[:2], [(0, 1, 128), (128, 0, 0)], (3, 4)),
        (twins[::-1], [(128, 128, 128)], (6, 7)),
    ):
        known = torch.tensor([*table, *others], dtype=torch.uint8)
        drawn = torch.randint(0, len(known), size, generator=generator)
        drawn.flatten()[: len(known)] = torch.arange(len(known))
        made.append(Case((known[drawn], table)))
    return made


def _fitting(colors, table, fits, start=255):
    labels = torch.full(colors.shape[:2], start)
    for label, color in enumerate(table):
        labels[fits(colors.long(), torch.tensor(color))] = label
    return labels


def _red_alone(colors, table):
    return _fitting(colors, table, lambda a, b: a[..., 0] == b[0])


def _blue_alone(colors, table):
    return _fitting(colors, table, lambda a, b: a[..., 2] == b[2])


def _any_channel(colors, table):
    return _fitting(colors, table, lambda a, b: (a == b).any(-1))


def _by_sum(colors, table):
    return _fitting(colors, table, lambda a, b: a.sum(-1) == b.sum())


def _all_void(colors, table):
    return torch.full(colors.shape[:2], 255)


def _unknown_0(colors, table):
    return _fitting(colors, table, lambda a, b: (a == b).all(-1), start=0)


def _unknown_last(colors, table):
    return _fitting(colors, table, lambda a, b: (a == b).all(-1), start=len(table))


def _bgr(colors, table):
    return colors_to_labels(colors.flip(2), table)


def _nearest(colors, table):
    gaps = (colors.double()[:, :, None] - torch.tensor(table).double()).abs().sum(-1)
    return gaps.argmin(-1)


def _from_1(colors, table):
    labels = colors_to_labels(colors, table)
    return torch.where(labels == 255, 255, labels + 1)


def _from_1_void_0(colors, table):
    labels = colors_to_labels(colors, table)
    return torch.where(labels == 255, 0, labels + 1)


def _transposed(colors, table):
    return colors_to_labels(colors, table).T.contiguous()


def _one_hot(colors, table):
    fits = colors.long()[:, :, None] == torch.tensor(table)
    return fits.all(-1).long().movedim(-1, 0)


exercise = Exercise(
    name="colors_to_labels",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin with a map full of 255, and go through the table. Which pixels have this color? "
        "`colors == torch.tensor(color)` compares each of the three numbers, and has the shape "
        "(H, W, 3). How do you get one answer a pixel from it?",
        "`.all(dim=2)`: all three have to fit. The result is a mask (H, W) with which you can "
        "write: `labels[mask] = label`. What no color claims keeps its 255.",
    ),
    solution=colors_to_labels,
    why=(
        "A color is three numbers that count together. One number of it, or their sum, is shared "
        "by many. And a color that nobody knows has to stay visible as void: if it becomes class "
        "0, a JPEG's ripples are taken for sky without a word. With many classes, one number for "
        "each color (r·65536 + g·256 + b, in int64) and a table of them is faster; `Folder` "
        "does it so."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "colors.red_alone",
            _red_alone,
            "You compared the first of the three numbers alone. (128, 0, 0) and (128, 128, 0) "
            "share it.",
        ),
        Mistake(
            "colors.blue_alone",
            _blue_alone,
            "Only the last of the three numbers has decided. If you made one number of each color "
            "with r·65536 + g·256 + b: in uint8 the first two terms are 0. Convert to int64 "
            "before.",
        ),
        Mistake(
            "colors.any_channel",
            _any_channel,
            "You took a color as found where any of its three numbers fits. All three have to.",
        ),
        Mistake(
            "colors.sum",
            _by_sum,
            "You compared the sums of the three numbers. (0, 0, 128), (0, 128, 0) and (64, 64, 0) "
            "have the same.",
        ),
        Mistake(
            "colors.all_void",
            _all_void,
            "Everything is void: no color of the table was found. `.all()` without an axis gives "
            "one answer for the whole picture; and a tuple of tensors never equals a tuple of "
            "numbers, so look up `tuple(colors[y, x].tolist())`.",
        ),
        Mistake(
            "colors.unknown_0",
            _unknown_0,
            "Colors that are not in the table became class 0. Then every fault of the file is "
            "counted as that class: begin with a map full of 255.",
        ),
        Mistake(
            "colors.unknown_last",
            _unknown_last,
            "Colors that are not in the table got a class of their own after the last one. Void is "
            "255: no loss and no score sees it.",
        ),
        Mistake(
            "colors.bgr",
            _bgr,
            "Your colors are read backwards, as (b, g, r). OpenCV stores pictures so; the table "
            "and this picture are red first.",
        ),
        Mistake(
            "colors.nearest",
            _nearest,
            "You gave every pixel the nearest color of the table. That mends a JPEG's small "
            "ripples, but it also gives a class to colors that mean nothing: they are void.",
        ),
        Mistake(
            "colors.from_1",
            _from_1,
            "Your classes begin at 1. The first color of the table is class 0.",
        ),
        Mistake(
            "colors.from_1_void_0",
            _from_1_void_0,
            "Your classes begin at 1, with 0 for what is unknown. Here the first color is class 0, "
            "and the unknown is void, 255.",
        ),
        Mistake(
            "colors.transposed",
            _transposed,
            "Your map lies on its side: rows and columns are exchanged.",
        ),
        Mistake(
            "colors.one_hot",
            _one_hot,
            "You made a plane of zeros and ones for each class, which is one-hot. A label map is "
            "one plane with the number of the class in each pixel.",
        ),
    ),
)
