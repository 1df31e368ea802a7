"""Write the bilinear interpolation that PyTorch calls `interpolate`."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def bilinear(x, size):
    """Resize x (N, C, H, W) to size = (height, width), bilinearly."""
    raise NotImplementedError
'''


def bilinear(x, size):
    """Mix two rows for each output row, then two columns likewise."""

    def mixed(x, axis, size):
        n = x.shape[axis]
        place = (torch.arange(size) + 0.5) * n / size - 0.5  # in input pixels
        place = place.clamp(0, n - 1)  # the last pixel is repeated
        before = place.floor().long()
        after = (before + 1).clamp(max=n - 1)
        share = (place - before).reshape(-1, *[1] * (x.dim() - 1 - axis))
        first, second = x.index_select(axis, before), x.index_select(axis, after)
        return (1 - share) * first + share * second

    return mixed(mixed(x, 2, size[0]), 3, size[1])


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures that grow and shrink, by factors that are not whole, in each axis alone."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-9, 10, shape, generator=generator).float()

    ramp = torch.arange(4.0).reshape(1, 1, 1, 4)
    return [
        Case((ramp + 1, (1, 8))),
        Case((ramp.reshape(1, 1, 4, 1) + 2, (6, 1))),
        Case((draw(1, 1, 2, 3), (4, 6))),
        Case((draw(1, 2, 5, 3), (5, 3))),  # nothing changes
        Case((draw(2, 3, 4, 7), (9, 10))),
        Case((draw(2, 3, 9, 8), (4, 3))),  # both shrink
        Case((draw(1, 2, 8, 3), (3, 7))),
        Case((torch.randn(3, 2, 6, 5, generator=generator), (7, 11))),
    ]


def _rule(x, size, place=None, before=None, pixel=None, **settings):
    """Bilinear with one step exchanged, for the two axes in turn."""
    for axis in (2, 3):
        n, m = x.shape[axis], size[axis - 2]
        at = (torch.arange(m) + 0.5) * n / m - 0.5 if place is None else place(n, m)
        left = at.floor().long() if before is None else before(at)
        share = (at - left).reshape(-1, *[1] * (3 - axis))
        take = _repeated if pixel is None else pixel
        x = (1 - share) * take(x, axis, left) + share * take(x, axis, left + 1)
    return x


def _repeated(x, axis, index):
    return x.index_select(axis, index.clamp(0, x.shape[axis] - 1))


def _aligned(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def _antialiased(x, size):
    # Each axis by itself: PyTorch is wrong under antialias when the output is one pixel wide.
    rows = F.interpolate(x.mT, size=(x.shape[3], size[0]), mode="bilinear", antialias=True).mT
    if size[1] == x.shape[3]:
        return rows
    return F.interpolate(rows, size=size, mode="bilinear", antialias=True)


def _nearest(x, size):
    return F.interpolate(x, size=size, mode="nearest-exact")


def _nearest_shift(x, size):
    return F.interpolate(x, size=size, mode="nearest")


def _no_half_pixel(x, size):
    return _rule(x, size, place=lambda n, m: torch.arange(m) * n / m)


def _extrapolated(x, size):
    def inside(place):
        return place.trunc().long()

    return _rule(x, size, before=inside)


def _wrapped(x, size):
    def take(x, axis, index):
        n = x.shape[axis]
        index = torch.where(index < 0, index + n, index)  # what x[-1] means
        return x.index_select(axis, index.clamp(max=n - 1))

    return _rule(x, size, pixel=take)


def _zero_border(x, size):
    def take(x, axis, index):
        outside = (index < 0) | (index >= x.shape[axis])
        outside = outside.reshape(-1, *[1] * (3 - axis))
        return _repeated(x, axis, index).masked_fill(outside, 0)

    return _rule(x, size, pixel=take)


def _shares_exchanged(x, size):
    def place(n, m):
        at = ((torch.arange(m) + 0.5) * n / m - 0.5).clamp(0, n - 1)
        return 2 * at.floor() + 1 - at

    def before(at):
        return (at.ceil() - 1).long()

    return _rule(x, size, place=place, before=before)


def _columns_only(x, size):
    wide = F.interpolate(x, size=(x.shape[2], size[1]), mode="bilinear")
    return F.interpolate(wide, size=size, mode="nearest-exact")


def _size_exchanged(x, size):
    return F.interpolate(x, size=size[::-1], mode="bilinear")


def _step_ratio_of_gaps(x, size):
    def place(n, m):
        step = (n - 1) / (m - 1) if m > 1 else 0.0
        return ((torch.arange(m) + 0.5) * step - 0.5).clamp(0, n - 1)

    return _rule(x, size, place=place)


exercise = Exercise(
    name="bilinear",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "Do one axis at a time: first make the rows, then from these the columns. For one axis: "
        "find the place of every output pixel among the inputs, (i + ½)·n/size − ½, the pixel "
        "before it and the pixel after it, and mix the two.",
        "Keep the place between 0 and n − 1 *before* you split it into a whole number and a share: "
        "then the first and last pixels repeat by themselves. `place.floor().long()` indexes, "
        "`place - place.floor()` is the share of the pixel after, of shape (size, 1) for the rows.",
    ),
    solution=bilinear,
    why=(
        "Bilinear is linear twice: the four pixels around a place are mixed by shares that are "
        "products, one for the row and one for the column, so the axes can be taken one after the "
        "other. Clamping the place does at the border what the rule means there: beyond the last "
        "center there is one pixel to take and none to mix it with."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _aligned,
            "You laid the centers of the corner pixels on each other: this is "
            "`align_corners=True`. The book, and `F.interpolate` when it is not told otherwise, "
            "lays the outer edges on each other. Either is right as long as all of a project "
            "uses the same.",
        ),
        Accepted(
            _antialiased,
            "When a picture shrinks you average over all that an output pixel covers, as "
            "`antialias=True` does. For pictures that is the better rule; plain bilinear mixes "
            "two pixels an axis, however many it skips.",
        ),
    ),
    mistakes=(
        Mistake(
            "up.nearest",
            _nearest,
            "You repeated the nearest pixel. Bilinear mixes the four around the place: two rows, "
            "two columns, the nearer one with the larger share.",
        ),
        Mistake(
            "up.nearest_shift",
            _nearest_shift,
            "You repeated pixels, and the one where the output pixel begins: that is what "
            "`F.interpolate` does when no mode is named. Bilinear mixes the four around the place.",
        ),
        Mistake(
            "up.no_half_pixel",
            _no_half_pixel,
            "You stretched the index, i·n/size. What is stretched are the centers, which lie at "
            "i + ½: the place is (i + ½)·n/size − ½. Your picture has moved by up to half a pixel.",
        ),
        Mistake(
            "up.extrapolated",
            _extrapolated,
            "At the upper or left border your place is below 0, and `int` made a 0 of its whole "
            "part while the share stayed negative: you go on beyond the last pixel in a straight "
            "line. Clamp the place before you split it.",
        ),
        Mistake(
            "up.wrapped",
            _wrapped,
            "At the upper or left border you read index −1, and in Python that is the *last* row "
            "or column: the opposite border shines through. Clamp the place to 0 first.",
        ),
        Mistake(
            "up.zero_border",
            _zero_border,
            "You mixed with zeros from outside the picture, so that its border is too dark. "
            "Beyond the last center `interpolate` repeats the last pixel.",
        ),
        Mistake(
            "up.shares_exchanged",
            _shares_exchanged,
            "The shares have changed hands. The fraction of the place is the share of the pixel "
            "*after* it; at place 2.25, pixel 2 gets ¾ and pixel 3 gets ¼.",
        ),
        Mistake(
            "up.one_axis",
            _columns_only,
            "The columns are mixed; the rows are repeated. Do for the rows what you did for the "
            "columns, once more on the result.",
        ),
        Mistake(
            "up.size_exchanged",
            _size_exchanged,
            "Height and width of your result are exchanged: `size` is (height, width), rows "
            "first, as in the shape of x. (OpenCV and PIL take the width first.)",
        ),
        Mistake(
            "up.two_rulers",
            _step_ratio_of_gaps,
            "You mixed the two rulers: half a pixel added and taken back, as in "
            "`align_corners=False`, and the step (n − 1)/(size − 1) of `align_corners=True`. With "
            "the half pixel goes the step n/size.",
        ),
    ),
)
