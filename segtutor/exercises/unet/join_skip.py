"""Join the decoder's map with its skip, whatever sizes pooling has left."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def join_skip(x, skip):
    """Join (N, C, h, w) with its skip (N, C, H, W) -> (N, 2C, H, W).

    H is h or h + 1, W is w or w + 1. A missing last row or column of x is
    a copy of the one before it. The skip's channels come first.
    """
    raise NotImplementedError
'''


def join_skip(x, skip):
    """Repeat the last row and column where one is missing, then concatenate."""
    down, right = (skip.shape[side] - x.shape[side] for side in (-2, -1))
    x = F.pad(x, (0, right, 0, down), mode="replicate")
    return torch.cat([skip, x], dim=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps that lack nothing, a row, a column, and both."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return [
        Case((draw(n, c, h, w), draw(n, c, h + down, w + right)))
        for n, c, h, w, down, right in (
            (1, 2, 4, 6, 0, 0),
            (2, 3, 4, 6, 1, 0),
            (2, 1, 6, 4, 0, 1),
            (3, 2, 8, 6, 1, 1),
            (1, 4, 2, 2, 1, 1),
        )
    ]


def _missing(x, skip):
    return skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]


def _in_front(x, skip):
    down, right = _missing(x, skip)
    return torch.cat([skip, F.pad(x, (right, 0, down, 0), mode="replicate")], 1)


def _zeros(x, skip):
    down, right = _missing(x, skip)
    return torch.cat([skip, F.pad(x, (0, right, 0, down))], 1)


def _cropped(x, skip):
    return torch.cat([skip[..., : x.shape[-2], : x.shape[-1]], x], 1)


def _bilinear(x, skip):
    return torch.cat([skip, F.interpolate(x, skip.shape[-2:], mode="bilinear")], 1)


def _x_first(x, skip):
    return join_skip(x, skip).roll(x.shape[1], 1)


def _added(x, skip):
    joined = join_skip(x, skip)
    return joined[:, : x.shape[1]] + joined[:, x.shape[1] :]


def _reflected(x, skip):
    down, right = _missing(x, skip)
    return torch.cat([skip, F.pad(x, (0, right, 0, down), mode="reflect")], 1)


exercise = Exercise(
    name="join_skip",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "How many rows and columns are missing? `skip.shape[-2] - x.shape[-2]`, and the same for "
        "`-1`. `F.pad` can add them; it wants left, right, top, bottom, in this order.",
        "Pooling dropped the *last* row or column, so this is where one is missing: "
        '`F.pad(x, (0, right, 0, down), mode="replicate")`. Then `torch.cat` along the channels.',
    ),
    solution=join_skip,
    why=(
        "Pooling 9 rows uses rows 0 to 7 and drops row 8. Doubling the 4 that remain gives 8, and "
        "each lies where it came from: only the last is missing. Padded in front, or stretched, "
        "the map would lie beside its skip instead of on it, by a pixel at this level and by two, "
        "four, eight in the picture if it happens deeper."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "join.in_front",
            _in_front,
            "All of x lies one pixel off its skip: you added the missing row at the top, the "
            "column at the left, or stretched x with the nearest pixel, which repeats the first "
            "row too. Pooling dropped the last one: add it at the end.",
        ),
        Mistake(
            "join.zeros",
            _zeros,
            "It is in the right place, but your new row or column is zero. Asked for is a copy of "
            "its neighbor.",
        ),
        Mistake(
            "join.cropped",
            _cropped,
            "You cut the skip down to x. Then the logits are smaller than the picture in the end; "
            "the result must have the skip's size.",
        ),
        Mistake(
            "join.bilinear",
            _bilinear,
            "You stretched x bilinearly: every row moves by a part of a pixel, and edges become "
            "soft. Only the last row or column is missing.",
        ),
        Mistake(
            "join.x_first",
            _x_first,
            "All numbers are right, but x comes first. The order is free until you load weights "
            "that were trained with the other one: then nothing fails, and everything is wrong.",
        ),
        Mistake(
            "unet.add_cat",
            _added,
            "You added the two maps. U-Net puts their channels side by side: 2C of them.",
        ),
        Mistake(
            "join.reflected",
            _reflected,
            "Your new row is a copy of the last row but one: `reflect` mirrors at the last row. "
            "`replicate` repeats it.",
        ),
    ),
)
