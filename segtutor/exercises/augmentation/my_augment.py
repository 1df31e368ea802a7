"""An augmentation of one's own, for pictures from above."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from segtutor.exercises.augmentation import VOID, explained, scene
from segtutor.exercises.engine import Exercise, Requirement

CALLS = 24
VOID_LIMIT = 0.4

STUB = '''
def my_augment(image, labels):
    """image (3, H, W) in [0, 1], labels (H, W) -> the two, changed at random.

    The pictures are taken from above. Same sizes, same dtypes.
    """
    raise NotImplementedError
'''


def my_augment():
    """Both flips, a little of turn, shift and scale, and some light: one draw for the pair."""
    from segtutor.data import ColorJitter, Compose, HorizontalFlip, RandomAffine, VerticalFlip

    return Compose(
        [
            HorizontalFlip(),
            VerticalFlip(),
            RandomAffine(20, shift=0.05, scale=(0.9, 1.3)),
            ColorJitter(brightness=0.2, contrast=0.2),
        ]
    )


def _calls(augment: Callable[..., Any], times: int = CALLS) -> list[tuple]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [tuple(augment(*scene())) for _ in range(times)]


def _no_pair(augment):
    if not callable(augment):
        return (
            f"A function is asked for; this is of type `{type(augment).__name__}`. Hand in the "
            "function itself, without calling it."
        )
    for _ in range(CALLS):
        image, labels = scene()
        try:
            made = augment(image, labels)
        except NotImplementedError:
            raise
        except Exception as error:
            return f"It stops with {type(error).__name__}: {error}."
        if not isinstance(made, (tuple, list)) or len(made) != 2:
            return "Two things are asked for: return the picture and its label map."
        before, after = ([tuple(getattr(one, "shape", ())) for one in pair]
                         for pair in ((image, labels), made))  # fmt: skip
        if before != after:
            return f"Of sizes {before} it makes {after}: keep sizes."
    return None


def _in_place(augment):
    image, labels = scene()
    for _ in range(CALLS):
        augment(image, labels)
        if not (torch.equal(image, scene()[0]) and torch.equal(labels, scene()[1])):
            return (
                "It changes the picture or the label map that it is given. The next epoch would "
                "start from the changed ones: work on a copy."
            )
    return None


def _types(augment):
    for image, labels in _calls(augment):
        if labels.dtype != torch.int64 or not image.is_floating_point():
            return f"The picture is {image.dtype} now, the labels {labels.dtype}: keep the types."
        if not image.isfinite().all() or image.min() < -1e-4 or image.max() > 1 + 1e-4:
            return (
                f"The picture runs from {image.min():.2f} to {image.max():.2f}: keep it in [0, 1]."
            )
    return None


def _strange(augment) -> set[int]:
    found = {label for _, labels in _calls(augment) for label in labels.unique().tolist()}
    return found - {1, 2, 3, 4, VOID}


def _zero(augment):
    if _strange(augment) != {0}:
        return None
    return (
        "Class 0 appears in the labels, and it was in none of them. What comes from outside the "
        "picture is void: fill with 255."
    )


def _invented(augment):
    listed = ", ".join(map(str, sorted(_strange(augment))[:5]))
    said = f"Labels appear that nobody drew: {listed}. Were the labels interpolated, or scaled?"
    return said if listed else None


def _unsynced(augment):
    bad = sum(explained(*pair) < 0.6 for pair in _calls(augment))
    if not bad:
        return None
    return (
        f"In {bad} of {CALLS} calls the labels do not lie where the picture shows them. Picture "
        "and label map need *one* draw: draw first, then change both by it."
    )


def _fixed(augment):
    made = {tuple(labels.flatten().tolist()) for _, labels in _calls(augment)}
    if len(made) >= 6:
        return None
    if len(made) > 1:
        return f"In {CALLS} calls it makes {len(made)} different label maps; 6 are asked for."
    if torch.equal(_calls(augment, 1)[0][1], scene()[1]):
        return "No label ever moves. Pictures from above may at least be flipped and turned."
    return f"{CALLS} calls change the label map in the same way: nothing is drawn at random."


def _one_way_up(augment):
    labels = scene()[1]
    ways = {"as it is": labels, "upside down": labels.flip(0), "mirrored": labels.flip(1),
            "turned by half": labels.flip(0, 1)}  # fmt: skip
    seen = set()
    for _, moved in _calls(augment, 2 * CALLS):
        fits = {name: float((moved == way).double().mean()) for name, way in ways.items()}
        seen.add(max(fits, key=fits.get))
    missing = [name for name in ways if name not in seen]
    if not missing:
        return None
    return (
        f"In {2 * CALLS} calls the picture was never {missing[0]}. From above there is no up and "
        "down, and no left and right: a network that has seen one way only knows one way only."
    )


def _seed(augment):
    runs = zip(_calls(augment), _calls(augment), strict=True)
    if all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in runs):
        return None
    return (
        "After the same `torch.manual_seed` it does something else. Draw with `torch.rand` or "
        "`torch.randint`: then an experiment can be repeated."
    )


def _too_much(augment):
    share = sum(float((labels == VOID).double().mean()) for _, labels in _calls(augment)) / CALLS
    if share <= VOID_LIMIT:
        return None
    return (
        f"On average {share:.0%} of the pixels are void; at most {VOID_LIMIT:.0%} are asked for. "
        "What is void teaches nothing: turn and shift less far."
    )


def _roll(image, labels, fill=VOID, reach=8, flips=True):
    """Flip at random, then push to the right by up to so many pixels."""
    across, down, shift = torch.rand(3).tolist()
    dims = [d for d, draw in ((-1, across), (-2, down)) if flips and draw < 0.5]
    image, labels, by = image.flip(dims), labels.flip(dims), int(reach * shift)
    image, labels = image.roll(by, -1), labels.roll(by, -1)
    image[..., :by], labels[..., :by] = 0, fill
    return image, labels


def _mixed(image, labels):
    image, labels = _roll(image, labels, fill=1)
    blurred = F.avg_pool2d(labels[None].float(), 3, 1, 1, count_include_pad=False)[0]
    return image, torch.where(labels > 2, blurred.round().long() + 5, labels)


def _other_generator(image, labels):
    import random

    torch.manual_seed(random.SystemRandom().randrange(2**31))
    return _roll(image, labels)


exercise = Exercise(
    name="my_augment",
    kind="open",
    minutes=30,
    difficulty=4,
    stub=STUB,
    hints=(
        "Begin small: `dims = [d for d in (-1, -2) if torch.rand(()) < 0.5]` is one draw, and "
        "`image.flip(dims), labels.flip(dims)` uses it for both. Two flips make four pictures; the "
        "rest has to come from a turn, a shift or a scale.",
        "The transforms of `segtutor.data` may be used, as in "
        "`my_augment = Compose([HorizontalFlip(), …])`: leave the function out then. Or turn by "
        "right angles with `torch.rot90` where H = W, crop and resize, or push with your "
        "`crop_pair`.",
    ),
    solution=my_augment,
    why=(
        "Both flips, because nothing in a picture from above says where up is. Then a little of "
        "everything that a flight could change: direction, place, height, light. Each is drawn "
        "once for the pair, sampled by nearest for the labels, and void where the camera did not "
        "look. Modest strengths: what would never be photographed need not be learned."
    ),
    requirements=(
        Requirement("augment.no_pair", "returns picture and labels", _no_pair, lambda: 3),
        Requirement(
            "augment.in_place",
            "leaves its input alone",
            _in_place,
            lambda: lambda x, y: _roll(x.mul_(0.9), y),
        ),
        Requirement(
            "augment.types", "keeps types and range", _types, lambda: lambda x, y: (255 * x, y)
        ),
        Requirement("augment.fill_zero", "fills with void", _zero, lambda: partial(_roll, fill=0)),
        Requirement("augment.invented", "invents no label", _invented, lambda: _mixed),
        Requirement(
            "augment.unsynced",
            "draws once for both",
            _unsynced,
            lambda: lambda x, y: (_roll(x, y)[0], _roll(x, y)[1]),
        ),
        Requirement(
            "augment.fixed", "draws", _fixed, lambda: lambda x, y: (x.flip(-1), y.flip(-1))
        ),
        Requirement(
            "augment.one_way_up",
            "knows no up and down",
            _one_way_up,
            lambda: partial(_roll, flips=False),
        ),
        Requirement("augment.seed", "can be repeated", _seed, lambda: _other_generator),
        Requirement("augment.too_much", "is modest", _too_much, lambda: partial(_roll, reach=60)),
    ),
)
