"""Segment a street by rules of one's own, and see how far that goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from segtutor.data import STREET_CLASSES, Streets
from segtutor.exercises.engine import Exercise, Requirement
from segtutor.metrics import ConfusionMatrix

SCENES, SEED = 24, 2026
GOAL = 0.35  # mean IoU; the most frequent class of each place reaches about 0.29

STUB = '''
def without_learning(image):
    """image (3, H, W) in [0, 1] -> its label map (H, W), whole numbers.

    Rules of your own: where is a pixel, and what color does it have?
    """
    raise NotImplementedError
'''


def without_learning():
    """Place first, color second: a wedge of road, a wedge of sidewalk, green is leaves."""

    def segment(image):
        height, width = image.shape[1:]
        red, green, blue = image
        below = torch.linspace(-0.45, 0.55, height)[:, None]  # how far below the horizon
        side = torch.linspace(-1, 1, width).abs()  # how far from the middle, (W,)
        labels = torch.full((height, width), 1)  # a building, if nothing speaks against it
        labels[side < 7 * below] = 3
        labels[side < 2.7 * below] = 2
        ground = labels > 1
        labels[~ground & (blue > red - 0.01) & (side < 0.45)] = 0
        labels[(green > red + 0.02) & (green > blue + 0.04)] = 4
        strong = image.amax(0) - image.amin(0) > 0.18  # asphalt is gray, paint is not
        labels[ground & strong] = 5
        return labels

    return segment


def score(function: Callable[..., Any]) -> ConfusionMatrix:
    """Let a function segment scenes that it has not seen."""
    counts = ConfusionMatrix(len(STREET_CLASSES), class_names=STREET_CLASSES)
    for image, labels in Streets(SCENES, seed=SEED):
        counts.update(_as_map(function(image))[None], labels[None])
    return counts


def _as_map(made: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(made) if isinstance(made, list) else made).cpu().long()


def _no_function(thing):
    if callable(thing) and not isinstance(thing, type):
        return None
    return (
        f"A function is asked for; this is of type `{type(thing).__name__}`. Hand in the function "
        "itself: the checker has its own pictures for it."
    )


def _no_map(function):
    image, _ = Streets(1, seed=SEED)[0]
    made = function(image)
    if not isinstance(made, (torch.Tensor, np.ndarray, list)):
        return (
            f"It returns something of type `{type(made).__name__}`. A label map is asked for: a "
            "tensor with a whole number for each pixel."
        )
    kind = np.asarray(made).dtype.kind
    if kind not in "iu":
        return (
            "The label map is not made of whole numbers. Begin with "
            "`torch.full((height, width), 1)` and write classes into it."
        )
    if tuple(np.shape(made)) != tuple(image.shape[1:]):
        return (
            f"A picture of {image.shape[1]}×{image.shape[2]} pixels gets a map of shape "
            f"{tuple(np.shape(made))}. Each pixel of the picture gets one number."
        )
    return None


def _strange(function):
    found = set()
    for image, _ in Streets(SCENES, seed=SEED):
        found |= set(_as_map(function(image)).unique().tolist())
    strange = sorted(found - set(range(len(STREET_CLASSES))))
    if not strange:
        return None
    return (
        f"There are labels {strange[:5]}. The classes are 0 to 7; void is for annotators, who may "
        "leave a pixel open. Who predicts has to decide."
    )


def _one_size(function):
    for size in ((48, 80), (96, 64)):
        image, _ = Streets(1, size, seed=SEED)[0]
        try:
            shape = tuple(_as_map(function(image)).shape)
        except NotImplementedError:
            raise
        except Exception as error:
            return f"On a picture of {size[0]}×{size[1]} it stops with {type(error).__name__}."
        if shape != size:
            return (
                f"A picture of {size[0]}×{size[1]} pixels gets a map of shape {shape}. Take the "
                "size from `image.shape`, and places as shares of it."
            )
    return None


def _changes_the_picture(function):
    image, _ = Streets(1, seed=SEED)[0]
    before = image.clone()
    function(image)
    if torch.equal(image, before):
        return None
    return "It writes into the picture that it is given. Write into a map of your own."


def _blind(function):
    first, second = (_as_map(function(image)) for image, _ in Streets(2, seed=SEED))
    if not torch.equal(first, second):
        return None
    return (
        "Two different streets get the same map: your rules ask where a pixel is, never what it "
        "looks like. That goes a long way, but only color tells which pixels are leaves."
    )


def _too_low(function):
    counts = score(function)
    if counts.mean_iou() >= GOAL:
        return None
    listed = ", ".join(
        f"{name} {iou:.2f}" for name, iou in zip(STREET_CLASSES, counts.iou().tolist(), strict=True)
    )
    return (
        f"The mean IoU is {counts.mean_iou():.2f}; {GOAL} is asked for. Class by class: {listed}. "
        "Which one could a rule for color find?"
    )


def _by_place(image):
    height, width = image.shape[1:]
    below = torch.linspace(-0.45, 0.55, height)[:, None]
    side = torch.linspace(-1, 1, width).abs()
    labels = torch.full((height, width), 1)
    labels[side < 2.7 * below] = 2
    return labels


def _green_alone(image):
    labels = _by_place(image)
    labels[image[1] > image[0] + 0.04] = 4
    return labels


def _void_where_unsure(image):
    labels = _by_place(image)
    labels[image.mean(0) > 0.6] = 255
    return labels


def _writes_into_it(image):
    labels = _green_alone(image)
    image[0] = 0.5
    return labels


exercise = Exercise(
    name="without_learning",
    kind="open",
    minutes=30,
    difficulty=4,
    stub=STUB,
    hints=(
        "Begin with place: `torch.linspace(0, 1, height)[:, None]` is how far down each row is, "
        "`torch.linspace(-1, 1, width)` how far left or right each column is. Below the horizon "
        "the road is a wedge: `side < 2.7 * below`, where `below` is how far down a row is, less "
        "0.45. Everything else is a building, to begin with.",
        "Then color: leaves have more green than red and blue; sky has no less blue than red and "
        "lies above the horizon, in the middle; sidewalk is a wider wedge behind that of the "
        "road; a car is what has a strong color on the ground. Write the likely classes first, "
        "the exceptions after.",
    ),
    solution=without_learning,
    why=(
        "It took an hour of looking, it knows this kind of street and no other, and it finds no "
        "person and no pole. At night leaves are no longer green, and its best class is lost. "
        "Every rule is a guess about what matters; a network finds its rules in examples, and as "
        "many as it needs. That is the case for learning. Rules like these keep one use: a score "
        "that a network has to beat before anybody should be impressed."
    ),
    requirements=(
        Requirement(
            "rules.no_function", "is a function", _no_function, lambda: torch.zeros(64, 96)
        ),
        Requirement(
            "rules.no_map",
            "makes a label map",
            _no_map,
            lambda: lambda image: image.mean(0),
        ),
        Requirement(
            "rules.strange_labels",
            "decides everywhere, for a class from 0 to 7",
            _strange,
            lambda: _void_where_unsure,
        ),
        Requirement(
            "rules.one_size",
            "takes pictures of any size",
            _one_size,
            lambda: lambda image: _by_place(torch.zeros(3, 64, 96)),
        ),
        Requirement(
            "rules.changes_the_picture",
            "leaves the picture as it is",
            _changes_the_picture,
            lambda: _writes_into_it,
        ),
        Requirement("rules.blind", "looks at the picture", _blind, lambda: _by_place),
        Requirement(
            "rules.too_low",
            f"reaches a mean IoU of {GOAL}",
            _too_low,
            lambda: _green_alone,
        ),
    ),
)
