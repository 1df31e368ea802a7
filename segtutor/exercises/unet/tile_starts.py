"""Where tiles have to begin, so that no seam shows."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def tile_starts(length, tile, step):
    """Where tiles of `tile` logits begin along an axis of `length`.

    The first begins at 0. Every start is a multiple of `step`, as far
    from the one before as it may be without leaving a gap. The last tile
    reaches the end, or beyond it; no further tile begins.
    """
    raise NotImplementedError
'''


def tile_starts(length, tile, step):
    """Stride: the tile, rounded down to a multiple of the step."""
    stride = tile // step * step
    starts = [0]
    while starts[-1] + tile < length:
        starts.append(starts[-1] + stride)
    return starts


def cases(generator: torch.Generator) -> list[Case]:
    """Return tiles that are and are not a multiple of the step, and lengths at the edge."""
    designed = [
        Case((1000, 388, 16)),
        Case((772, 388, 16)),  # two tiles 384 apart reach exactly so far
        Case((773, 388, 16)),
        Case((300, 388, 16)),
        Case((388, 388, 16)),
        Case((96, 32, 8)),
        Case((100, 36, 8)),
        Case((250, 44, 16)),
        Case((768, 388, 16)),
    ]
    made = []
    for _ in range(6):
        step = 2 ** int(torch.randint(1, 5, (), generator=generator))
        tile = step * int(torch.randint(1, 6, (), generator=generator)) + step // 2
        made.append(Case((int(torch.randint(100, 400, (), generator=generator)), tile, step)))
    return designed + made


def _side_by_side(length, tile, step):
    return list(range(0, length, tile))


def _pushed_back(length, tile, step):
    starts = tile_starts(length, tile, step)
    return [*starts[:-1], max(length - tile, 0)]


def _one_too_few(length, tile, step):
    stride = tile // step * step
    return list(range(0, max(length - tile, 1), stride))


def _one_too_many(length, tile, step):
    return list(range(0, length, tile // step * step))


def _step_less(length, tile, step):
    starts = [0]
    while starts[-1] + tile < length:
        starts.append(starts[-1] + max((tile - step) // step * step, step))
    return starts


def _every_step(length, tile, step):
    starts = [0]
    while starts[-1] + tile < length:
        starts.append(starts[-1] + step)
    return starts


def _rounded_up(length, tile, step):
    stride = -(-tile // step) * step
    starts = [0]
    while starts[-1] + tile < length:
        starts.append(starts[-1] + stride)
    return starts


exercise = Exercise(
    name="tile_starts",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "How far apart may two tiles be? Not farther than `tile`, or there is a gap; and a "
        "multiple of `step`. For 388 and 16 that is 384.",
        "Begin with [0]. As long as the last tile ends before `length`, append the next start: "
        "last start + stride.",
    ),
    solution=tile_starts,
    why=(
        "Pooling groups rows by twos, fours, … 2^depth, counted from where the tile begins. Only "
        "starts that are multiples of 2^depth group them as the whole picture does; then every "
        "logit of a tile is the whole picture's, and tiles agree where they overlap. The last tile "
        "may look beyond the picture, at its mirror image; pushed back to end with it, it would "
        "fall out of step."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "tile.side_by_side",
            _side_by_side,
            "You laid the tiles side by side. 388 is no multiple of 16: from the second tile on "
            "pooling groups other rows than before. Go 384 forward and let 4 overlap.",
        ),
        Mistake(
            "tile.pushed_back",
            _pushed_back,
            "You pushed the last tile back, to end where the picture ends. Its start is no "
            "multiple of the step then. Let it reach beyond.",
        ),
        Mistake(
            "tile.one_too_few",
            _one_too_few,
            "One tile is missing wherever the last one that you have does not reach the end.",
        ),
        Mistake(
            "tile.one_too_many",
            _one_too_many,
            "You begin a tile wherever there is picture left, though the tile before may have "
            "reached the end already: with 772 rows two tiles are enough.",
        ),
        Mistake(
            "tile.step_less",
            _step_less,
            "You go a whole step less forward than you could. `tile // step * step` leaves no gap.",
        ),
        Mistake(
            "tile.every_step",
            _every_step,
            "You begin a tile at every step. That is right and costs many times too much: the next "
            "one may begin where this one is about to end.",
        ),
        Mistake(
            "tile.rounded_up",
            _rounded_up,
            "You rounded up: tiles that begin farther apart than they are long leave rows without "
            "logits.",
        ),
    ),
)
