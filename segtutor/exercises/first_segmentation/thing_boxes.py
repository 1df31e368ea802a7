"""From instances to the boxes that a detector would draw."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def thing_boxes(instances):
    """instances (H, W): the number of the thing at each pixel, 0 for none.

    Returns (K, 4), whole numbers: for each of the K things, in the order of
    their numbers, left, top, right, bottom: the first and the last column
    and row that the thing has a pixel in.
    """
    raise NotImplementedError
'''


def thing_boxes(instances):
    """Of each thing, the smallest and the largest column and row."""
    boxes = []
    for number in instances.unique():
        if number != 0:
            rows, columns = torch.where(instances == number)
            boxes.append([columns.min(), rows.min(), columns.max(), rows.max()])
    return torch.tensor(boxes, dtype=torch.int64).reshape(-1, 4)


def cases(generator: torch.Generator) -> list[Case]:
    """Return instances with gaps in their numbers, at the rim, in pieces, slanted, of one pixel."""
    one = torch.zeros(5, 9, dtype=torch.int32)
    one[1:4, 2:8] = 1
    several = torch.zeros(8, 11, dtype=torch.int32)
    several[0:3, 0:2] = 6  # at the rim
    several[4:7, 5:10] = 2
    several[3:8, 7] = 9  # cuts 2 in two
    several[7, 0] = 4  # one pixel
    slanted = torch.zeros(6, 9, dtype=torch.int32)
    for row, column in enumerate((5, 3, 6, 1, 2)):  # its ends are not in its first or last row
        slanted[row, column : column + 2] = 3
    random = torch.zeros(13, 17, dtype=torch.int32)
    for number in (3, 5, 12):
        y, x = (int(torch.randint(0, n, (), generator=generator)) for n in (8, 10))
        h, w = (int(torch.randint(2, n, (), generator=generator)) for n in (5, 7))
        random[y : y + h, x : x + w] = number
    random[12, 16] = 20
    return [Case((one,)), Case((several,)), Case((slanted,)), Case((random,))]


def _by_number(instances, box):
    boxes = []
    for number in instances.unique():
        if number != 0:
            rows, columns = torch.where(instances == number)
            boxes.append(box(rows, columns))
    return torch.tensor(boxes)


def _first_and_last_pixel(instances):
    return _by_number(instances, lambda y, x: [x[0], y[0], x[-1], y[-1]])


def _past_the_end(instances):
    return thing_boxes(instances) + torch.tensor([0, 0, 1, 1])


def _rows_first(instances):
    return thing_boxes(instances)[:, [1, 0, 3, 2]]


def _corner_and_size(instances):
    def box(rows, columns):
        return [columns.min(), rows.min(), columns.max() - columns.min() + 1,
                rows.max() - rows.min() + 1]  # fmt: skip

    return _by_number(instances, box)


def _corner_and_size_less_one(instances):
    def box(rows, columns):
        return [columns.min(), rows.min(), columns.max() - columns.min(), rows.max() - rows.min()]

    return _by_number(instances, box)


def _center_and_size(instances):
    def box(rows, columns):
        w, h = columns.max() - columns.min() + 1, rows.max() - rows.min() + 1
        return [columns.min() + w / 2, rows.min() + h / 2, w, h]

    return _by_number(instances, box)


def _sides_in_pairs(instances):
    return thing_boxes(instances)[:, [0, 2, 1, 3]]


def _zero_has_a_box(instances):
    boxes = []
    for number in instances.unique():
        rows, columns = torch.where(instances == number)
        boxes.append([columns.min(), rows.min(), columns.max(), rows.max()])
    return torch.tensor(boxes)


def _one_box(instances):
    rows, columns = torch.where(instances != 0)
    return torch.tensor([[columns.min(), rows.min(), columns.max(), rows.max()]])


def _relative(instances):
    height, width = instances.shape
    return thing_boxes(instances) / torch.tensor([width, height, width, height])


def _by_place(instances):
    boxes = thing_boxes(instances)
    return boxes[boxes[:, 0].argsort(stable=True)]


exercise = Exercise(
    name="thing_boxes",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "Go through `instances.unique()`, leave 0 out, and look at one thing at a time: "
        "`torch.where(instances == number)` gives the rows and the columns of its pixels.",
        "The left side is the smallest column, the top the smallest row, the right side the "
        "largest column, the bottom the largest row. `where` gives rows first; the box begins "
        "with a column.",
    ),
    solution=thing_boxes,
    why=(
        "A box needs instances: from the label map you would get one box around all cars. And it "
        "knows less than the instances do: the box of a thing says nothing of its outline, boxes "
        "overlap where things do not, and a box holds pixels of what stands behind its thing. "
        "Libraries disagree about the last number: the last pixel inside, or one past it; two "
        "corners, or a corner and a size (COCO). Read the documentation before you compare boxes."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _past_the_end,
            "Your right and bottom are one past the last pixel, as slices in Python are; then "
            "right − left is the width. Here they are the last pixel inside, as in torchvision's "
            "`masks_to_boxes`.",
        ),
    ),
    mistakes=(
        Mistake(
            "boxes.rows_first",
            _rows_first,
            "Rows and columns are exchanged: you give top, left, bottom, right. A box is left, "
            "top, right, bottom: columns first, though tensors have rows first.",
        ),
        Mistake(
            "boxes.corner_and_size",
            _corner_and_size,
            "You gave the corner and the size, as COCO does. Two corners are asked for.",
        ),
        Mistake(
            "boxes.size_less_one",
            _corner_and_size_less_one,
            "You gave a corner and the distance to the other one. Two corners are asked for. (And "
            "a thing in columns 2 to 7 is 6 wide, not 5.)",
        ),
        Mistake(
            "boxes.center_and_size",
            _center_and_size,
            "You gave the center and the size, as YOLO does. Two corners are asked for.",
        ),
        Mistake(
            "boxes.sides_in_pairs",
            _sides_in_pairs,
            "The four numbers are right, in another order: left, right, top, bottom. Asked for is "
            "left, top, right, bottom: a corner, then the other.",
        ),
        Mistake(
            "boxes.zero_has_a_box",
            _zero_has_a_box,
            "The first box is that of number 0, which marks pixels that belong to no thing. "
            "Leave it out.",
        ),
        Mistake(
            "boxes.one_box",
            _one_box,
            "One box around all things together. Each thing gets its own: ask for the pixels of "
            "one number at a time.",
        ),
        Mistake(
            "boxes.relative",
            _relative,
            "Your numbers are shares of the width and the height. Columns and rows, in pixels, "
            "are asked for.",
        ),
        Mistake(
            "boxes.first_and_last_pixel",
            _first_and_last_pixel,
            "You took the first and the last pixel that `where` finds. They lie in the top and the "
            "bottom row, but other rows may reach farther left or right: take the smallest and "
            "the largest column.",
        ),
        Mistake(
            "boxes.by_place",
            _by_place,
            "The boxes are right, but they are ordered from left to right. The order of the "
            "things' numbers is asked for.",
        ),
    ),
)
