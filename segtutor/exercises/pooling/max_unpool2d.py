"""Put the maxima back where they came from."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def max_unpool2d(values, indices, height, width):
    """values, indices (N, C, h, w) -> (N, C, height, width).

    An index is the place of its value in its own flattened plane,
    row * width + column. Everything else is 0.
    """
    raise NotImplementedError
'''


def max_unpool2d(values, indices, height, width):
    """Flatten the planes, write each value where its index says, fold them up again."""
    n, c = values.shape[:2]
    out = torch.zeros(n, c, height * width)
    out.scatter_(2, indices.flatten(2), values.flatten(2))
    return out.view(n, c, height, width)


def cases(generator: torch.Generator) -> list[Case]:
    """Return pooled maps of odd and even pictures, and the sizes that these had."""

    def pooled(*shape: int, kernel: int = 2) -> Case:
        # Every number once, so that no two indices of a plane are equal.
        order = torch.stack([torch.randperm(shape[2] * shape[3], generator=generator) + 1.0
                             for _ in range(shape[0] * shape[1])])  # fmt: skip
        x = order.view(shape)
        values, indices = torch.nn.functional.max_pool2d(x, kernel, return_indices=True)
        return Case((values, indices, shape[2], shape[3]))

    values = torch.tensor([[[[6.0, 8.0], [5.0, 7.0]]]])
    indices = torch.tensor([[[[1, 6], [12, 11]]]])
    return [
        Case((values, indices, 4, 4)),
        pooled(1, 1, 5, 5),
        pooled(1, 2, 4, 6),
        pooled(2, 3, 5, 7),
        pooled(2, 3, 9, 8, kernel=3),
        pooled(3, 2, 9, 11),
    ]


def _scatter(values, indices, height, width):
    """Write where the indices say, whatever the width was; what falls outside is lost."""
    size = max(height * width, int(indices.max()) + 1)
    out = torch.zeros(*values.shape[:2], size)
    out.scatter_(2, indices.flatten(2), values.flatten(2))
    return out[:, :, : height * width].view(*values.shape[:2], height, width)


def _upper_left(values, indices, height, width):
    out = torch.zeros(*values.shape[:2], height, width)
    k = height // values.shape[2]
    h, w = values.shape[2:]
    out[:, :, : k * h : k, : k * w : k] = values
    return out


def _nearest(values, indices, height, width):
    out = torch.zeros(*values.shape[:2], height, width)
    k = height // values.shape[2]
    wide = values.repeat_interleave(k, 2).repeat_interleave(k, 3)
    out[:, :, : wide.shape[2], : wide.shape[3]] = wide
    return out


def _guessed_width(values, indices, height, width):
    k = height // values.shape[2]
    h, w = k * values.shape[2], k * values.shape[3]
    out = torch.zeros(*values.shape[:2], height, width)
    out[:, :, :h, :w] = _scatter(values, indices, h, w)
    return out


def _columns_first(values, indices, height, width):
    rows, columns = indices // width, indices % width
    return _scatter(values, columns * height + rows, width, height).view(
        *values.shape[:2], width, height
    ).transpose(2, 3).flip(3)  # fmt: skip


def _by_height(values, indices, height, width):
    rows, columns = indices // height, indices % height
    inside = (rows < height) & (columns < width)
    places = (rows * width + columns).where(inside, 0)
    return _scatter(values.where(inside, 0), places, height, width)


def _first_plane(values, indices, height, width):
    return _scatter(values, indices[:, :1].expand_as(indices), height, width)


def _one_based(values, indices, height, width):
    return _scatter(values, (indices - 1).clamp(min=0), height, width)


exercise = Exercise(
    name="max_unpool2d",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Take one plane at first. Flattened, it has height · width places, and an index is one of "
        "them: `flat[index] = value`. `divmod(index, width)` gives row and column, if you prefer "
        "to stay in two dimensions.",
        "All planes at once: `scatter_(2, index, source)` writes along axis 2. Index and values "
        "have to be flattened to (N, C, h·w) for it, and the zeros have the shape "
        "(N, C, height·width).",
    ),
    solution=max_unpool2d,
    why=(
        "An index counts pixels row by row in the picture *before* pooling, so it means a place "
        "only together with that picture's width. Pictures of 8 and of 9 columns pool to the same "
        "size: nothing in the pooled map says which of the two it was, and so the size has to be "
        "handed in."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "unpool.upper_left",
            _upper_left,
            "You put every value into the upper left corner of its window. The index says from "
            "which of its pixels the value came, counted in the whole plane.",
        ),
        Mistake(
            "unpool.nearest",
            _nearest,
            "You filled each window with its value. That is nearest-neighbor upsampling; "
            "unpooling writes one pixel a window and leaves zeros around it.",
        ),
        Mistake(
            "unpool.size",
            _guessed_width,
            "You counted with the width that the windows cover, not with the width that was "
            "asked for. On an odd picture the values then land in other rows: it comes back "
            "tilted.",
        ),
        Mistake(
            "unpool.columns",
            _columns_first,
            "Your picture is turned by a quarter. An index counts along rows first: "
            "`row, column = divmod(index, width)`.",
        ),
        Mistake(
            "unpool.by_height",
            _by_height,
            "You divided the index by the height. A row is `width` pixels long, so "
            "`row = index // width`. On square pictures nobody notices.",
        ),
        Mistake(
            "unpool.first_plane",
            _first_plane,
            "All your channels use the indices of the first one. Every channel was pooled by "
            "itself and has maxima, and indices, of its own.",
        ),
        Mistake(
            "unpool.one_based",
            _one_based,
            "Your values lie one pixel too early. Indices are counted from 0: index 0 is the "
            "pixel in the upper left corner.",
        ),
    ),
)
