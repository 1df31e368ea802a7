"""An augmentation of one's own, for pictures from above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Exercise, Requirement

VOID = 255
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
    """A flip, a turn by right angles or any angle, and some light, each from one draw."""
    from segtutor.data import ColorJitter, Compose, HorizontalFlip, RandomAffine, VerticalFlip

    return Compose(
        [
            HorizontalFlip(),
            VerticalFlip(),
            RandomAffine(20, shift=0.05, scale=(0.9, 1.3)),
            ColorJitter(brightness=0.2, contrast=0.2),
        ]
    )


# Each class has a color of its own: what the picture shows can be told from it.
COLORS = torch.tensor([[0.9, 0.2, 0.5], [0.5, 0.8, 0.2], [0.3, 0.4, 0.9], [0.7, 0.7, 0.7],
                       [0.8, 0.5, 0.3]])  # fmt: skip


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A map of blocks without class 0, and the picture that shows it."""
    blocks = torch.tensor([[1, 2, 4, 4, 2], [3, 1, 1, 2, 3], [3, 4, 2, 1, 1], [2, 2, 3, 4, 1]])
    labels = blocks.repeat_interleave(12, 0).repeat_interleave(12, 1)
    return COLORS[labels].permute(2, 0, 1).contiguous(), labels


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
            return f"The picture comes back as {image.dtype}, the labels as {labels.dtype}."
        if not image.isfinite().all() or image.min() < -1e-4 or image.max() > 1 + 1e-4:
            low, high = float(image.min()), float(image.max())
            return f"The picture runs from {low:.2f} to {high:.2f}: keep it in [0, 1]."
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
    strange = sorted(_strange(augment))
    if not strange:
        return None
    listed = ", ".join(map(str, strange[:5]))
    return f"Labels appear that nobody drew: {listed}. Were the labels interpolated, or scaled?"


def _explained(image: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of the picture's variance that the labels explain, away from their outlines."""
    inner = labels[None].double()
    flat = F.max_pool2d(inner, 5, 1, 2) == -F.max_pool2d(-inner, 5, 1, 2)
    judged = (labels != VOID) & flat[0]
    pixels, names = image[:, judged], labels[judged]
    total = pixels.var(1, correction=0).sum() * len(names)
    within = sum(
        (pixels[:, names == c].var(1, correction=0).sum() * (names == c).sum() for c in range(5)
         if (names == c).any()), torch.zeros(())
    )  # fmt: skip
    return 1.0 if total < 1e-3 * len(names) else float(1 - within / total)


def _unsynced(augment):
    explained = [_explained(image, labels) for image, labels in _calls(augment)]
    bad = sum(share < 0.6 for share in explained)
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
    """Whether the lower half ever shows what was above: compared with both halves of the map."""
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
    if all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
        for a, b in zip(_calls(augment), _calls(augment), strict=True)
    ):
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


def _roll(image, labels, fill=VOID):
    """Flip at random, then push to the right by up to eight pixels."""
    across, down, shift = torch.rand(3).tolist()
    dims = [d for d, draw in ((-1, across), (-2, down)) if draw < 0.5]
    image, labels, by = image.flip(dims), labels.flip(dims), int(8 * shift)
    image, labels = image.roll(by, -1), labels.roll(by, -1)
    image[..., :by], labels[..., :by] = 0, fill
    return image, labels


def _spoil(image, labels):
    image += 0  # touches the input, and then changes it
    image.mul_(0.9)
    return _roll(image, labels)


def _bright(image, labels):
    image, labels = _roll(image, labels)
    return 255 * image, labels


def _zero_filled(image, labels):
    return _roll(image, labels, fill=0)


def _mixed(image, labels):
    image, labels = _roll(image, labels, fill=1)
    blurred = F.avg_pool2d(labels[None].float(), 3, 1, 1, count_include_pad=False)[0]
    return image, torch.where(labels > 2, blurred.round().long() + 5, labels)


def _two_draws(image, labels):
    return _roll(image, labels)[0], _roll(image, labels)[1]


def _always_the_same(image, labels):
    return image.flip(-1), labels.flip(-1)


def _upright(image, labels):
    by = int(8 * torch.rand(()))
    image, labels = image.roll(by, -1), labels.roll(by, -1)
    image[..., :by], labels[..., :by] = 0, VOID
    return image, labels


def _other_generator(image, labels):
    import random

    torch.manual_seed(random.SystemRandom().randrange(2**31))
    return _roll(image, labels)


def _mostly_void(image, labels):
    image, labels = _roll(image, labels)
    image[:, 10:-10], labels[10:-10] = 0, VOID
    return image, labels


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
        Requirement("augment.in_place", "leaves its input alone", _in_place, lambda: _spoil),
        Requirement("augment.types", "keeps types and range", _types, lambda: _bright),
        Requirement("augment.fill_zero", "fills with void", _zero, lambda: _zero_filled),
        Requirement("augment.invented", "invents no label", _invented, lambda: _mixed),
        Requirement("augment.unsynced", "draws once for both", _unsynced, lambda: _two_draws),
        Requirement("augment.fixed", "draws at random", _fixed, lambda: _always_the_same),
        Requirement("augment.one_way_up", "knows no up and down", _one_way_up, lambda: _upright),
        Requirement("augment.seed", "can be repeated", _seed, lambda: _other_generator),
        Requirement("augment.too_much", "leaves enough to learn", _too_much, lambda: _mostly_void),
    ),
)
