"""Unpool with two bits a window."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake
from segtutor.exercises.segnet.window_codes import window_codes

STUB = '''
def unpool_codes(values, codes, height, width):
    """values, codes (N, C, h, w) -> (N, C, height, width).

    A code says where in its 2x2 window a value belongs: 0 upper left,
    1 upper right, 2 lower left, 3 lower right. Everything else is 0.
    height is 2h or 2h - 1, width is 2w or 2w - 1.
    """
    raise NotImplementedError
'''


def unpool_codes(values, codes, height, width):
    """Each of the four places takes the values whose code it is; then cut what hangs over."""
    n, c, h, w = values.shape
    out = values.new_zeros(n, c, 2 * h, 2 * w)
    for code in range(4):
        row, column = divmod(code, 2)
        out[:, :, row::2, column::2] = values * (codes == code)
    return out[:, :, :height, :width]


def cases(generator: torch.Generator) -> list[Case]:
    """Return pooled maps of odd and even pictures, negative numbers among them."""

    def pooled(*shape: int) -> Case:
        # No number twice and none 0, so that places can be told apart.
        order = torch.stack([torch.randperm(shape[2] * shape[3], generator=generator) + 1.0
                             for _ in range(shape[0] * shape[1])])  # fmt: skip
        x = order.view(shape)
        values, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        return Case((values - shape[2] - 0.5, window_codes(indices, shape[3]), *shape[2:]))

    values = torch.tensor([[[[6.0, 8.0], [5.0, 7.0]]]])
    codes = torch.tensor([[[[1, 2], [2, 1]]]])
    return [
        Case((values, codes, 4, 4)),
        pooled(1, 1, 4, 6),
        pooled(1, 2, 5, 7),
        pooled(2, 3, 8, 5),
        pooled(3, 2, 9, 12),
    ]


def _flat(values, codes, height, width):
    out = values.new_zeros(*values.shape[:2], height * width)
    flat, places = values.flatten(2), codes.flatten(2)
    for k in range(flat.shape[2]):  # one after the other: the last one stays
        out.scatter_(2, places[..., k : k + 1], flat[..., k : k + 1])
    return out.view(*values.shape[:2], height, width)


def _upper_left(values, codes, height, width):
    return unpool_codes(values, codes * 0, height, width)


def _columns_first(values, codes, height, width):
    n, c, h, w = values.shape
    out = values.new_zeros(n, c, 2 * h, 2 * w)
    for code in range(4):
        out[:, :, code % 2 :: 2, code // 2 :: 2] = values * (codes == code)
    return out[:, :, :height, :width]


def _nearest(values, codes, height, width):
    return values.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :height, :width]


def _spread(values, codes, height, width):
    return _nearest(values, codes, height, width) / 4


def _not_cut(values, codes, height, width):
    return unpool_codes(values, codes, 2 * values.shape[2], 2 * values.shape[3])


def _codes_as_values(values, codes, height, width):
    return unpool_codes(codes.to(values.dtype), codes, height, width)


def _resized(values, codes, height, width):
    whole = _not_cut(values, codes, height, width)
    return F.interpolate(whole, size=(height, width), mode="bilinear")


exercise = Exercise(
    name="unpool_codes",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Begin with zeros of twice the height and width. `out[:, :, 0::2, 0::2]` is the upper left "
        "pixel of every window: which values belong there?",
        "`values * (codes == 0)` are those, with zeros for all others. Do the same for the other "
        "three places, and cut the result to `height` and `width` at the end.",
    ),
    solution=unpool_codes,
    why=(
        "Where the window lies follows from the place in the pooled map, so two bits say the rest. "
        "They work for any width, and cannot tilt a picture. What they cannot say is how large it "
        "was: where a window hung over the end, the last row or column has to be cut."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "unpool.local_idx",
            _flat,
            "You took a code for an index of the whole plane: all your values lie in the first "
            "four pixels, one over the other. A code counts inside its own window.",
        ),
        Mistake(
            "unpool.upper_left",
            _upper_left,
            "You put every value into the upper left pixel of its window, and did not ask its "
            "code.",
        ),
        Mistake(
            "unpool.columns_first",
            _columns_first,
            "Upper right and lower left are exchanged: code 1 is to the right, 2 is below.",
        ),
        Mistake(
            "unpool.nearest",
            _nearest,
            "You filled each window with its value. That is nearest-neighbor upsampling; "
            "unpooling writes one pixel a window.",
        ),
        Mistake(
            "unpool.spread",
            _spread,
            "You shared each value among the four pixels of its window. That is the way back of "
            "*average* pooling's gradient; here the value goes to one of them, whole.",
        ),
        Mistake(
            "unpool.size",
            _not_cut,
            "All is in its place, but an odd picture comes back with a row or a column too many: "
            "cut it to `height` and `width`.",
        ),
        Mistake(
            "unpool.codes_as_values",
            _codes_as_values,
            "You wrote the codes themselves into the picture, where the values belong.",
        ),
        Mistake(
            "unpool.resized",
            _resized,
            "Where the size is odd you resized the result bilinearly: numbers are smeared over "
            "two pixels. Cut off the last row or column: only that hung over the end.",
        ),
    ),
)
