"""Flip a picture with everything that is known about it."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def flip_all(image, labels, boxes):
    """Exchange left and right of all three.

    image (3, H, W), labels (H, W), boxes (B, 4) -> image, labels, boxes.

    A box is x0, y0, x1, y1, the edges of pixels: the pixel in row 2,
    column 5 is the box 5, 2, 6, 3.
    """
    raise NotImplementedError
'''


def flip_all(image, labels, boxes):
    """Pixels in reverse; a left edge becomes a right edge, measured from the other side."""
    width = labels.shape[-1]
    x0, y0, x1, y1 = boxes.unbind(1)
    flipped = torch.stack([width - x1, y0, width - x0, y1], dim=1)
    return image.flip(-1), labels.flip(-1), flipped


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures with boxes, none of them in the middle."""

    def case(boxes: int, height: int, width: int) -> Case:
        image = torch.rand(3, height, width, generator=generator)
        labels = torch.randint(0, 5, (height, width), generator=generator)
        x0 = torch.randint(0, width - 3, (boxes,), generator=generator)
        y0 = torch.randint(0, height - 2, (boxes,), generator=generator)
        x0[0], y0[0] = 0, 1  # against the left border: its mirror image is not where it was
        return Case((image, labels, torch.stack([x0, y0, x0 + 2, y0 + 1], dim=1)))

    return [case(1, 4, 6), case(2, 5, 7), case(5, 7, 12), case(6, 11, 8)]


def _boxes_stay(image, labels, boxes):
    return image.flip(-1), labels.flip(-1), boxes


def _one_too_few(image, labels, boxes):
    image, labels, flipped = flip_all(image, labels, boxes)
    return image, labels, flipped - torch.tensor([1, 0, 1, 0])


def _edges_stay(image, labels, boxes):
    x0, y0, x1, y1 = boxes.unbind(1)
    width = labels.shape[-1]
    flipped = torch.stack([width - x0, y0, width - x1, y1], dim=1)
    return image.flip(-1), labels.flip(-1), flipped


def _overwritten(image, labels, boxes):
    boxes, width = boxes.clone(), labels.shape[-1]
    boxes[:, 0] = width - boxes[:, 2]
    boxes[:, 2] = width - boxes[:, 0]
    return image.flip(-1), labels.flip(-1), boxes


def _height_for_width(image, labels, boxes):
    image, labels, flipped = flip_all(image, labels, boxes)
    height, width = labels.shape
    return image, labels, flipped + (height - width) * torch.tensor([1, 0, 1, 0])


def _labels_stay(image, labels, boxes):
    image, _, boxes = flip_all(image, labels, boxes)
    return image, labels, boxes


def _image_stays(image, labels, boxes):
    _, labels, boxes = flip_all(image, labels, boxes)
    return image, labels, boxes


def _one_dimension(image, labels, boxes):
    _, labels, boxes = flip_all(image, labels, boxes)
    return image.flip(1), labels, boxes


def _upside_down(image, labels, boxes):
    x0, y0, x1, y1 = boxes.unbind(1)
    height = labels.shape[0]
    flipped = torch.stack([x0, height - y1, x1, height - y0], dim=1)
    return image.flip(-2), labels.flip(-2), flipped


def _turned(image, labels, boxes):
    image, labels, boxes = _upside_down(image, labels, boxes)
    return flip_all(image, labels, boxes)


exercise = Exercise(
    name="flip_all",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "`tensor.flip(-1)` puts the last dimension in reverse: that is the column of both the "
        "picture and the label map. For a box, draw a picture six pixels wide with a box from 0 to "
        "2, flip it, and read off where it stands.",
        "An edge that lies x pixels from the left border lies W − x pixels from it after the flip. "
        "What was the left edge of a box is then its right edge.",
    ),
    solution=flip_all,
    why=(
        "Everything that has a place in the picture has to move with it: label maps, boxes, "
        "key points, the other eye of a stereo pair. Edges of pixels are mirrored by W − x, "
        "*centers* counted from 0 by W − 1 − x; to mix the two moves every box by a pixel. And "
        "left and right edge change their roles, or the box has a negative width."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "aug.boxes_stay",
            _boxes_stay,
            "Picture and label map are flipped; the boxes are where they were. They have a place "
            "in the picture, so they move too.",
        ),
        Mistake(
            "aug.box_off_by_one",
            _one_too_few,
            "Your boxes are a pixel too far to the left. W − 1 − x mirrors *numbers* of pixels; "
            "boxes are edges, which run from 0 to W: W − x.",
        ),
        Mistake(
            "aug.box_edges",
            _edges_stay,
            "Your boxes have their left edge on the right: x0 is larger than x1. The mirror makes "
            "a right edge of a left one: exchange the two.",
        ),
        Mistake(
            "aug.box_overwritten",
            _overwritten,
            "Your left edges are right, your right edges are where they were: the second line "
            "reads x0 after the first has changed it. Compute both before you write one.",
        ),
        Mistake(
            "aug.box_height",
            _height_for_width,
            "You mirrored the boxes at the height of the picture. Left and right are columns: W, "
            "the last size.",
        ),
        Mistake(
            "aug.labels_stay",
            _labels_stay,
            "The label map is not flipped. The network would be shown a street and taught its "
            "mirror image.",
        ),
        Mistake(
            "aug.image_stays",
            _image_stays,
            "Labels and boxes are flipped; the picture is not. All three have to move.",
        ),
        Mistake(
            "aug.same_dimension",
            _one_dimension,
            "Your picture is upside down. Dimension 1 is the column of a label map (H, W), but the "
            "row of a picture (3, H, W). Dimension −1 is the column of both.",
        ),
        Mistake(
            "aug.flip_rows",
            _upside_down,
            "You exchanged top and bottom. Left and right are asked for: the last dimension, and "
            "the x of the boxes.",
        ),
        Mistake(
            "aug.half_turn",
            _turned,
            "You exchanged left and right *and* top and bottom: that is half a turn. Only left and "
            "right are asked for.",
        ),
    ),
)
