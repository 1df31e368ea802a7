"""Judge the border of an object, not its belly."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def boundary_iou(prediction, target, distance):
    """prediction, target (H, W) bool -> the IoU of their inner bands.

    The band of a mask: its pixels from which `distance` steps, straight or
    diagonal, can leave the mask. Outside the picture is outside the mask.
    """
    raise NotImplementedError
'''


def boundary_iou(prediction, target, distance):
    """Keep the pixels near the outside of each mask, and compare what is kept."""

    def band(mask):
        outside = F.pad(~mask, (distance,) * 4, value=True).float()
        window = 2 * distance + 1  # every pixel within `distance` steps
        near = F.max_pool2d(outside[None, None], window, stride=1)[0, 0] > 0
        return mask & near

    prediction, target = band(prediction), band(target)
    return (prediction & target).sum() / (prediction | target).sum()


def cases(generator: torch.Generator) -> list[Case]:
    """Return masks in the middle, at the border of the picture, and with holes."""

    def box(height: int, width: int, *sides: int) -> torch.Tensor:
        top, left, bottom, right = sides
        mask = torch.zeros(height, width, dtype=torch.bool)
        mask[top:bottom, left:right] = True
        return mask

    def blob(height: int, width: int) -> torch.Tensor:
        """A random mask without specks."""
        noise = torch.rand(1, 1, height, width, generator=generator)
        return F.avg_pool2d(noise, 5, 1, 2, count_include_pad=False)[0, 0] > 0.48

    ell = box(10, 12, 2, 2, 9, 9) & ~box(10, 12, 2, 6, 5, 9)
    at_border = box(9, 11, 0, 0, 7, 8)
    one, other = blob(15, 19), blob(15, 19)
    return [
        Case((box(5, 6, 1, 1, 4, 5), box(5, 6, 1, 1, 4, 4), 1)),
        Case((box(10, 12, 1, 2, 8, 10), box(10, 12, 2, 2, 9, 11), 1)),
        Case((box(10, 12, 1, 2, 8, 10), ell, 1)),
        Case((at_border, box(9, 11, 1, 0, 8, 9), 2)),
        Case((box(12, 15, 0, 1, 12, 13), box(12, 15, 1, 2, 12, 15), 3)),
        Case((torch.zeros(7, 8, dtype=torch.bool), box(7, 8, 2, 1, 6, 6), 1)),
        Case((one | box(15, 19, 3, 3, 12, 14), other | box(15, 19, 2, 4, 12, 15), 2)),
        Case((one, other | box(15, 19, 0, 0, 8, 8), 1)),
    ]


def _band(mask, distance, outside_picture=True, cross=False):
    inside = mask
    for _ in range(distance):
        outside = F.pad(~inside, (1, 1, 1, 1), value=outside_picture)
        if cross:
            near = outside[:-2, 1:-1] | outside[2:, 1:-1] | outside[1:-1, :-2] | outside[1:-1, 2:]
            inside = inside & ~near
        else:
            inside = F.max_pool2d(outside[None].float(), 3, 1)[0] == 0
    return mask & ~inside


def _iou(one, other):
    return (one & other).sum() / (one | other).sum()


def _cross(prediction, target, distance):
    return _iou(_band(prediction, distance, cross=True), _band(target, distance, cross=True))


def _plain(prediction, target, distance):
    return _iou(prediction, target)


def _border_forgotten(prediction, target, distance):
    return _iou(_band(prediction, distance, False), _band(target, distance, False))


def _one_step(prediction, target, distance):
    return boundary_iou(prediction, target, 1)


def _one_more(prediction, target, distance):
    return boundary_iou(prediction, target, distance + 1)


def _target_band_only(prediction, target, distance):
    near = _band(target, distance)
    return _iou(prediction & near, near)


def _prediction_whole(prediction, target, distance):
    return _iou(prediction, _band(target, distance))


def _outer(mask, distance):
    grown = F.max_pool2d(mask[None].float(), 2 * distance + 1, 1, distance)[0] > 0
    return grown & ~mask


def _outer_bands(prediction, target, distance):
    return _iou(_outer(prediction, distance), _outer(target, distance))


def _both_sides(prediction, target, distance):
    prediction, target = (
        _band(mask, distance) | _outer(mask, distance) for mask in (prediction, target)
    )
    return _iou(prediction, target)


def _cores(prediction, target, distance):
    one, other = (mask & ~_band(mask, distance) for mask in (prediction, target))
    return _iou(one, other)


def _dice(prediction, target, distance):
    one, other = _band(prediction, distance), _band(target, distance)
    return 2 * (one & other).sum() / (one.sum() + other.sum())


exercise = Exercise(
    name="boundary_iou",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "Write the band first. A pixel of the mask belongs to it if one of the pixels around, at "
        "most `distance` rows and columns away, is outside. A maximum over windows of 2·distance "
        "+ 1 pixels looks at all of them at once: `F.max_pool2d` of `~mask`, as floats.",
        "Pad `~mask` with True by `distance` pixels before you pool, so that beyond the picture is "
        "outside. The band is `mask & near`. Then take the IoU of the two bands as of any two "
        "masks: sum of `&` by sum of `|`.",
    ),
    solution=boundary_iou,
    why=(
        "The band of a large object is thin and long, so its pixels are all border: what IoU "
        "forgives in the belly, nothing makes up for here. Both masks are reduced to their own "
        "band. With the target's band alone, a prediction could be as fat as it likes inside and "
        "out. An object that the picture cuts off has a border there too, because otherwise the "
        "score of a cropped picture would change with the crop."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _cross,
            "At inward corners your bands are thinner than ours: you count steps up, down, left "
            "and right, or straight-line distance. The published definition erodes with squares "
            "of 3×3, diagonals included.",
        ),
    ),
    mistakes=(
        Mistake(
            "boundary.plain_iou",
            _plain,
            "This is the IoU of the whole masks: `distance` has no effect. Take the band of each "
            "mask first.",
        ),
        Mistake(
            "boundary.no_border",
            _border_forgotten,
            "It is right for masks inside the picture. Where the picture cuts a mask off you see "
            "no border: pad with *outside* before you erode. (Padding in `max_pool2d` itself "
            "never wins the maximum.)",
        ),
        Mistake(
            "boundary.one_step",
            _one_step,
            "Your bands are one pixel wide, whatever `distance` says. Erode `distance` times, or "
            "look through a window of 2·distance + 1.",
        ),
        Mistake(
            "boundary.one_more",
            _one_more,
            "Your bands are one pixel too wide: a mask's outermost pixels are one step from the "
            "outside, not none.",
        ),
        Mistake(
            "boundary.target_band",
            _target_band_only,
            "You cut both masks with the band of the target. Then a prediction that is much too "
            "large costs nothing beyond the band. Each mask has a band of its own.",
        ),
        Mistake(
            "boundary.prediction_whole",
            _prediction_whole,
            "You compare the whole prediction with the band of the target. Reduce the prediction "
            "to its band too.",
        ),
        Mistake(
            "boundary.outer",
            _outer_bands,
            "Your bands lie outside the masks: grown mask less mask. Here they lie inside: mask "
            "less shrunken mask.",
        ),
        Mistake(
            "boundary.both_sides",
            _both_sides,
            "Your bands lie on both sides of the border. Only pixels of the mask itself belong to "
            "its band.",
        ),
        Mistake(
            "boundary.cores",
            _cores,
            "You compare what is left when the bands are taken off. It is the bands that are asked "
            "for: `mask & ~shrunken`.",
        ),
        Mistake(
            "iou.dice",
            _dice,
            "The bands are right. Then you took Dice, with the hits counted twice; IoU is asked "
            "for.",
        ),
    ),
)
