"""Cut the same window out of picture and label map, even if it hangs over the border."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def crop_pair(image, labels, top, left, size):
    """image (3, H, W), labels (H, W) -> image (3, h, w), labels (h, w).

    size is (h, w). The window starts in row top, column left. Where it
    hangs over the border, the picture is black (0), the labels void (255).
    """
    raise NotImplementedError
'''


def crop_pair(image, labels, top, left, size):
    """Lay out black and void, and copy what window and picture share."""
    height, width = size
    picture = image.new_zeros(3, height, width)
    window = labels.new_full((height, width), VOID)
    y0, y1 = max(top, 0), min(top + height, labels.shape[0])
    x0, x1 = max(left, 0), min(left + width, labels.shape[1])
    there = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    picture[:, there[0], there[1]] = image[:, y0:y1, x0:x1]
    window[there] = labels[y0:y1, x0:x1]
    return picture, window


def cases(generator: torch.Generator) -> list[Case]:
    """Return windows inside, over each border, and around the whole picture."""

    def case(height: int, width: int, top: int, left: int, size: tuple[int, int]) -> Case:
        image = 0.1 + 0.8 * torch.rand(3, height, width, generator=generator)
        labels = torch.randint(0, 6, (height, width), generator=generator)
        return Case((image, labels, top, left, size))

    return [
        case(4, 5, 1, 2, (2, 3)),
        case(5, 7, 3, 1, (4, 5)),
        case(6, 9, -2, 3, (5, 4)),
        case(7, 4, 2, -1, (3, 4)),
        case(8, 5, 4, 3, (6, 7)),
        case(4, 6, -1, -2, (7, 11)),
    ]


def _padded(labels, image, fill, blank, mode="constant"):
    """Both with so much around them that every window fits; and how much that is."""
    around = 16
    sides = [around] * 4
    more = torch.nn.functional.pad
    if mode == "constant":
        return more(image, sides, value=blank), more(labels, sides, value=fill), around
    rows = torch.arange(-around, labels.shape[0] + around)
    columns = torch.arange(-around, labels.shape[1] + around)
    if mode == "repeat":
        rows = rows.clamp(0, labels.shape[0] - 1)
        columns = columns.clamp(0, labels.shape[1] - 1)
    else:
        rows, columns = rows % labels.shape[0], columns % labels.shape[1]
    return image[:, rows][:, :, columns], labels[rows][:, columns], around


def _cut(image, labels, top, left, size, fill=VOID, blank=0.0, mode="constant"):
    image, labels, around = _padded(labels, image, fill, blank, mode)
    rows = slice(top + around, top + around + size[0])
    columns = slice(left + around, left + around + size[1])
    return image[:, rows, columns], labels[rows, columns]


def _void_is_zero(image, labels, top, left, size):
    return _cut(image, labels, top, left, size, fill=0)


def _void_is_minus_one(image, labels, top, left, size):
    return _cut(image, labels, top, left, size, fill=-1)


def _white(image, labels, top, left, size):
    return _cut(image, labels, top, left, size, blank=255.0)


def _repeated(image, labels, top, left, size):
    return _cut(image, labels, top, left, size, mode="repeat")


def _wrapped(image, labels, top, left, size):
    return _cut(image, labels, top, left, size, mode="wrap")


def _cut_short(image, labels, top, left, size):
    rows = slice(max(top, 0), top + size[0])
    columns = slice(max(left, 0), left + size[1])
    return image[:, rows, columns], labels[rows, columns]


def _plain_slices(image, labels, top, left, size):
    rows, columns = slice(top, top + size[0]), slice(left, left + size[1])
    return image[:, rows, columns], labels[rows, columns]


def _pushed_inside(image, labels, top, left, size):
    top = max(0, min(top, labels.shape[0] - size[0]))
    left = max(0, min(left, labels.shape[1] - size[1]))
    return _cut(image, labels, top, left, size)


def _started_at_zero(image, labels, top, left, size):
    return _cut(image, labels, max(top, 0), max(left, 0), size)


def _in_the_corner(image, labels, top, left, size):
    picture, window = image.new_zeros(3, *size), labels.new_full(size, VOID)
    part, some = _cut_short(image, labels, top, left, size)
    picture[:, : some.shape[0], : some.shape[1]] = part
    window[: some.shape[0], : some.shape[1]] = some
    return picture, window


def _size_swapped(image, labels, top, left, size):
    return _cut(image, labels, top, left, size[::-1])


def _corner_swapped(image, labels, top, left, size):
    return _cut(image, labels, left, top, size)


exercise = Exercise(
    name="crop_pair",
    kind="function",
    minutes=20,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin with what is there if nothing is known: a black picture of the window's size, and a "
        "label map of the same size full of 255. Then copy the part that window and picture share.",
        "In the picture, the shared rows run from max(top, 0) to min(top + h, H). In the window "
        "the same rows have other numbers: subtract top. The columns alike. Beware of negative "
        "numbers in slices: in Python they count from the end.",
    ),
    solution=crop_pair,
    why=(
        "A crop that may hang over the border lets small pictures stand in one batch with large "
        "ones. What is added gets void, so the loss and the scores leave it out, whatever color it "
        "has. With 0 instead, every crop teaches that class 0 is black and straight-edged."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "aug.fill_zero",
            _void_is_zero,
            "What lies outside the picture has label 0 in your window. That is a class, and the "
            "network is taught to see it in black borders. Fill with void: 255.",
        ),
        Mistake(
            "aug.fill_minus_one",
            _void_is_minus_one,
            "You filled with −1. In this book void is 255; a loss with `ignore_index=255` takes −1 "
            "for a class, and stops.",
        ),
        Mistake(
            "aug.fill_picture",
            _white,
            "You filled the picture with 255 as well. That is the label of void, not a color: in a "
            "picture from 0 to 1 it is 255 times as bright as white. Black is 0.",
        ),
        Mistake(
            "aug.repeat",
            _repeated,
            "Beyond the border you repeated the last pixels. There the picture is black, and the "
            "labels are void.",
        ),
        Mistake(
            "aug.wrap",
            _wrapped,
            "Your window comes in again at the other side of the picture. Negative rows count from "
            "the end in Python, and `roll` and `%` wrap around: outside is black, and void.",
        ),
        Mistake(
            "aug.cut_short",
            _cut_short,
            "Your window ends where the picture ends. Windows of different sizes cannot be stacked "
            "into a batch: the missing part is black, and void.",
        ),
        Mistake(
            "aug.plain_slices",
            _plain_slices,
            "Your slices are right while the window lies inside. Over the lower or right border "
            "they come out too small, and above or left of the picture Python counts negative "
            "numbers from the end. What hangs over is black, and void.",
        ),
        Mistake(
            "aug.pushed_inside",
            _pushed_inside,
            "You pushed the window back into the picture. It begins where top and left say; what "
            "hangs over is black, and void.",
        ),
        Mistake(
            "aug.start_at_zero",
            _started_at_zero,
            "Where top or left is negative, your window begins at 0, as if it had been moved. It "
            "begins outside: its first rows or columns are black, and void.",
        ),
        Mistake(
            "aug.wrong_corner",
            _in_the_corner,
            "The right pixels, but always in the upper left corner of the window. If top is "
            "negative, the first rows of the *window* are outside the picture.",
        ),
        Mistake(
            "aug.size_swapped",
            _size_swapped,
            "Your window is as wide as it should be high. `size` is (h, w): rows first, as in a "
            "shape.",
        ),
        Mistake(
            "aug.corner_swapped",
            _corner_swapped,
            "You took top for the column and left for the row.",
        ),
    ),
)
