"""Turn a label map by any angle, and keep it a label map."""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def rotate_labels(labels, degrees):
    """labels (H, W) -> (H, W), turned clockwise about the middle.

    Each pixel takes the label of the pixel that it came from; what
    comes from outside is void (255).
    """
    raise NotImplementedError
'''


def rotate_labels(labels, degrees):
    """Ask for each new pixel's center where it was before the turn, and in which pixel that is."""
    height, width = labels.shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    y = torch.arange(height).double()[:, None] + 0.5 - height / 2
    x = torch.arange(width).double() + 0.5 - width / 2
    column = (cos * x + sin * y + width / 2).floor().long()
    row = (cos * y - sin * x + height / 2).floor().long()
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    turned = labels[row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return turned.where(inside, VOID)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps without symmetry, and angles at which no center falls between two pixels."""

    def case(height: int, width: int, degrees: float) -> Case:
        labels = torch.randint(0, 9, (height, width), generator=generator)
        return Case((labels, degrees))

    return [
        case(5, 7, 90),
        case(5, 8, 30),
        case(9, 6, -22),
        case(7, 10, 8),
        case(8, 8, 143),
        case(12, 9, -101),
    ]


def _sources(labels, degrees, offset=0.5, center=None):
    """Where each new pixel comes from, in pixels: row and column, not yet whole."""
    height, width = labels.shape
    cy, cx = center or (height / 2, width / 2)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    y = torch.arange(height).double()[:, None] + offset - cy
    x = torch.arange(width).double() + offset - cx
    return cos * y - sin * x + cy - offset, cos * x + sin * y + cx - offset


def _picked(labels, row, column, fill=VOID):
    height, width = labels.shape
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    turned = labels[row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return turned if fill is None else turned.where(inside, fill)


def _nearest(labels, degrees, fill=VOID, **settings):
    row, column = _sources(labels, degrees, **settings)
    return _picked(labels, row.round().long(), column.round().long(), fill)


def _counterclockwise(labels, degrees):
    return rotate_labels(labels, -degrees)


def _filled_with_zero(labels, degrees):
    return _nearest(labels, degrees, fill=0)


def _border_repeated(labels, degrees):
    return _nearest(labels, degrees, fill=None)


def _center_off(labels, degrees):
    # The middle of five pixels 0 to 4 is 2, not 2.5.
    return _nearest(labels, degrees, offset=0.0)


def _truncated(labels, degrees):
    row, column = _sources(labels, degrees)
    return _picked(labels, row.floor().long(), column.floor().long())


def _cut_to_zero(labels, degrees):
    row, column = _sources(labels, degrees)
    return _picked(labels, (row + 0.5).long(), (column + 0.5).long())


def _from_the_end(labels, degrees):
    height, width = labels.shape
    row, column = (place.round().long() for place in _sources(labels, degrees))
    turned = _picked(labels, row % height, column % width)
    there = (row >= -height) & (row < height) & (column >= -width) & (column < width)
    return turned.where(there, VOID)


def _about_the_corner(labels, degrees):
    return _nearest(labels, degrees, center=(0.5, 0.5))


def _radians(labels, degrees):
    return rotate_labels(labels, math.degrees(degrees))


def _with_holes(labels, degrees):
    row, column = (place.round().long() for place in _sources(labels, -degrees))
    height, width = labels.shape
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    turned = labels.new_full(labels.shape, VOID)
    turned[row[inside], column[inside]] = labels[inside]
    return turned


def _interpolated(labels, degrees):
    row, column = _sources(labels, degrees)
    top, left = row.floor().long(), column.floor().long()
    mixed = 0
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - (row - top - dy).abs()) * (1 - (column - left - dx).abs())
            mixed = mixed + weight * _picked(labels, top + dy, left + dx)
    return mixed.round().long()


exercise = Exercise(
    name="rotate_labels",
    kind="function",
    minutes=30,
    difficulty=3,
    stub=STUB,
    hints=(
        "Work backwards: for each pixel of the *result*, where was its center before the turn? "
        "Turn it back, about the middle of the picture, which is the point (W/2, H/2) if the "
        "center of pixel (row i, column j) is the point (j + ½, i + ½).",
        "With x and y measured from the middle, y downward, the place before a clockwise turn by "
        "α is x·cos α + y·sin α and y·cos α − x·sin α. Add the middle again, and `floor` gives the "
        "pixel that the point lies in. If there is none: 255.",
    ),
    solution=rotate_labels,
    why=(
        "Backwards, because each new pixel needs exactly one label: forward, some pixels are hit "
        "twice and some never. By `floor` of a point with halves, because that is the pixel in "
        "which the point lies, and so the nearest center. And never a mixture, because a label is "
        "a name."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "aug.rotate_back",
            _counterclockwise,
            "You turned the other way round. Rows run downward, which turns the formulas of the "
            "school book around: exchange the signs of the two sines.",
        ),
        Mistake(
            "aug.fill_zero",
            _filled_with_zero,
            "Your corners are class 0. They came from outside the picture, where nobody labeled "
            "anything: void, 255.",
        ),
        Mistake(
            "aug.repeat",
            _border_repeated,
            "A `clamp` keeps the indices legal, and repeats the border in your corners. Find out "
            "first which places lie outside, and make them void.",
        ),
        Mistake(
            "aug.center",
            _center_off,
            "You are half a pixel off: pixels numbered 0 to W − 1 have their middle at (W − 1)/2, "
            "not at W/2. Either turn about that, or give the centers their halves.",
        ),
        Mistake(
            "aug.truncated",
            _truncated,
            "You cut off the decimals where you should round: every label moves up to a pixel to "
            "the upper left. With centers at whole numbers take `round`, with centers at halves "
            "`floor`.",
        ),
        Mistake(
            "aug.cut_to_zero",
            _cut_to_zero,
            "Nearly. `int()` and `.long()` cut toward 0, so that −0.4 becomes row 0 and a strip "
            "above and left of the picture counts as inside. Take `floor` first.",
        ),
        Mistake(
            "aug.wrap",
            _from_the_end,
            "Negative rows and columns count from the end in Python, so labels come in again at "
            "the other side. They lie outside: void, 255.",
        ),
        Mistake(
            "aug.corner",
            _about_the_corner,
            "You turned about the first pixel. The middle of the picture stays where it is: "
            "subtract it first, and add it again.",
        ),
        Mistake(
            "aug.radians",
            _radians,
            "`math.cos` and `torch.cos` want radians. Put `math.radians(degrees)` in between.",
        ),
        Mistake(
            "aug.holes",
            _with_holes,
            "Your map has holes. You sent each pixel to its new place, and some places are hit by "
            "none. Go the other way: for each new pixel, ask where it comes from.",
        ),
        Mistake(
            "mask.bilinear",
            _interpolated,
            "You interpolated the labels. Half of class 2 and half of class 6 is not class 4: take "
            "the label of the nearest pixel.",
        ),
    ),
)
