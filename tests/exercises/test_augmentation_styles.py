"""Augmentation as other people would write it is right; what learners hand in gets its word."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor import data
from segtutor.exercises import check
from segtutor.exercises.augmentation import explained, scene
from segtutor.exercises.augmentation.rotate_labels import cases as turns

VOID = 255


def flip_numpy(image, labels, boxes):
    width = labels.shape[1]
    flipped = boxes.numpy().copy()
    flipped[:, [0, 2]] = width - flipped[:, [2, 0]]
    return image.numpy()[..., ::-1].copy(), labels.numpy()[:, ::-1].copy(), flipped


def flip_torchvision(image, labels, boxes):
    boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=tuple(labels.shape))
    return v2.RandomHorizontalFlip(1.0)(tv_tensors.Image(image), tv_tensors.Mask(labels), boxes)


def flip_indices(image, labels, boxes):
    back = torch.arange(labels.shape[1] - 1, -1, -1)
    corners = torch.tensor([[w - x1, y0, w - x0, y1] for x0, y0, x1, y1 in boxes.tolist()
                            for w in [labels.shape[1]]])  # fmt: skip
    return [image[:, :, back], labels[:, back], corners]


def crop_negative_padding(image, labels, top, left, size):
    height, width = labels.shape
    sides = (-left, left + size[1] - width, -top, top + size[0] - height)
    return F.pad(image, sides), F.pad(labels, sides, value=VOID)


def crop_around(image, labels, top, left, size):
    far = max(size) + max(abs(top), abs(left))
    image, labels = F.pad(image, [far] * 4), F.pad(labels, [far] * 4, value=VOID)
    rows, columns = slice(top + far, top + far + size[0]), slice(left + far, left + far + size[1])
    return image[..., rows, columns], labels[rows, columns]


def crop_loops(image, labels, top, left, size):
    picture, window = torch.zeros(3, *size), torch.full(size, VOID)
    for i in range(size[0]):
        for j in range(size[1]):
            y, x = top + i, left + j
            if 0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]:
                picture[:, i, j], window[i, j] = image[:, y, x], labels[y, x]
    return picture, window


def rotate_torchvision(labels, degrees):
    return v2.functional.rotate(tv_tensors.Mask(labels), -degrees, fill=VOID)


def rotate_pillow(labels, degrees):
    picture = Image.fromarray(labels.numpy().astype(np.uint8))
    return np.asarray(picture.rotate(-degrees, resample=Image.NEAREST, fillcolor=VOID))


def rotate_scipy(labels, degrees):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[cos, -sin], [sin, cos]])
    middle = (np.array(labels.shape) - 1) / 2
    return ndimage.affine_transform(
        labels.numpy(), matrix, middle - matrix @ middle, order=0, mode="grid-constant", cval=VOID
    )


def rotate_loops(labels, degrees):
    height, width = labels.shape
    alpha = math.radians(degrees)
    turned = [[VOID] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            y, x = i - (height - 1) / 2, j - (width - 1) / 2
            row = round(math.cos(alpha) * y - math.sin(alpha) * x + (height - 1) / 2)
            column = round(math.cos(alpha) * x + math.sin(alpha) * y + (width - 1) / 2)
            if 0 <= row < height and 0 <= column < width:
                turned[i][j] = int(labels[row, column])
    return torch.tensor(turned)


def rotate_grid_sample(labels, degrees):
    height, width = labels.shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = torch.tensor([[cos, sin * height / width, 0], [-sin * width / height, cos, 0]])
    grid = F.affine_grid(theta[None].double(), [1, 1, height, width], align_corners=False)
    shifted = (labels - VOID)[None, None].double()  # what comes from outside is 0, then void
    turned = F.grid_sample(shifted, grid, mode="nearest", align_corners=False)
    return (turned[0, 0] + VOID).long()


def balanced_counter(labels, corners, size, max_share=0.75):
    for number, (y, x) in enumerate(corners):
        count = Counter(labels[y : y + size[0], x : x + size[1]].flatten().tolist())
        del count[VOID]
        total = sum(count.values())
        if total and max(count.values()) / total <= max_share:
            return number
    return number


def balanced_unique(labels, corners, size, max_share=0.75):
    h, w = size
    good = []
    for y, x in corners:
        ids, count = np.unique(labels[y : y + h, x : x + w].numpy(), return_counts=True)
        count = count[ids != VOID]
        good.append(count.size > 0 and count.max() <= max_share * count.sum())
    return good.index(True) if any(good) else len(good) - 1


def drone_v2(image, labels):
    fill = {tv_tensors.Image: 0.0, tv_tensors.Mask: VOID}
    change = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(),
                         v2.RandomAffine(15, translate=(0.1, 0.1), fill=fill)])  # fmt: skip
    image, labels = change(tv_tensors.Image(image), tv_tensors.Mask(labels))
    return image, labels


def drone_by_hand(image, labels):
    for dim in (-1, -2):
        if torch.rand(()) < 0.5:
            image, labels = image.flip(dim), labels.flip(dim)
    by = int(torch.randint(0, 9, ()))
    width = labels.shape[1]
    image = F.pad(image, (by, 0))[..., :width]
    return image * (0.8 + 0.2 * torch.rand(())), F.pad(labels, (by, 0), value=VOID)[:, :width]


class DroneModule(torch.nn.Module):
    def forward(self, image, labels):
        pair = data.VerticalFlip()(*data.HorizontalFlip()(image, labels))
        noisy, labels = data.Elastic(2.0)(*pair)
        return (noisy + 0.05 * torch.randn_like(noisy)).clamp(0, 1), labels


RIGHT = {
    "flip_all": [flip_numpy, flip_torchvision, flip_indices],
    "crop_pair": [crop_negative_padding, crop_around, crop_loops],
    "rotate_labels": [rotate_torchvision, rotate_pillow, rotate_scipy, rotate_loops,
                      rotate_grid_sample],
    "first_balanced": [balanced_counter, balanced_unique],
    "my_augment": [drone_v2, drone_by_hand, DroneModule(),
                   data.Compose([data.VerticalFlip(), data.HorizontalFlip(),
                                 data.RandomRotation(10)])],
    "turned_by_hand": [torch.tensor([[255, 1, 1, 0], [255, 4, 1, 3], [255, 4, 2, 2],
                                     [255, 2, 2, 3]]),
                       ((255, 1, 1, 0), (255, 4, 1, 3), (255, 4, 2, 2), (255, 2, 2, 3))],
    "harmless": [(True, False, True, False, False, True, False, True)],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_other_styles_are_right(name, answer):
    for seed in range(6) if name in ("flip_all", "crop_pair", "rotate_labels") else [0]:
        result = check(name, answer, seed=seed)
        assert result.outcome == "right", result


def test_no_turn_of_the_cases_is_a_matter_of_rounding():
    for case in turns(torch.Generator().manual_seed(0)):
        labels, degrees = case.args
        height, width = labels.shape
        y, x = np.mgrid[:height, :width] + 0.5
        y, x = y - height / 2, x - width / 2
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        for place in (cos * x + sin * y + width / 2, cos * y - sin * x + height / 2):
            assert np.abs(place - np.round(place)).min() > 1e-4, degrees


def rotate_torchvision_sign(labels, degrees):
    return v2.functional.rotate(tv_tensors.Mask(labels), degrees, fill=VOID)


def rotate_torchvision_default(labels, degrees):
    return v2.functional.rotate(tv_tensors.Mask(labels), -degrees)


def rotate_scipy_whole(labels, degrees):
    return ndimage.rotate(labels.numpy(), -degrees, order=0, cval=VOID)


def rotate_floats(labels, degrees):
    return rotate_torchvision(labels, degrees).float()


def rotate_cut_to_zero(labels, degrees):
    """`int` in place of `floor`."""
    height, width = labels.shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = torch.full_like(labels, VOID)
    for i in range(height):
        for j in range(width):
            y, x = i + 0.5 - height / 2, j + 0.5 - width / 2
            row, column = int(cos * y - sin * x + height / 2), int(cos * x + sin * y + width / 2)
            if 0 <= row < height and 0 <= column < width:
                turned[i, j] = labels[row, column]
    return turned


def flip_overwritten(image, labels, boxes):
    width, boxes = labels.shape[1], boxes.clone()
    boxes[:, 0] = width - boxes[:, 2]
    boxes[:, 2] = width - boxes[:, 0]
    return image.flip(-1), labels.flip(-1), boxes


def crop_from_zero(image, labels, top, left, size):
    return crop_loops(image, labels, max(top, 0), max(left, 0), size)


def flip_two(image, labels, boxes):
    return image.flip(-1), labels.flip(-1)


def crop_torchvision(image, labels, top, left, size):
    crop = v2.functional.crop
    return crop(image, top, left, *size), crop(tv_tensors.Mask(labels), top, left, *size)


def drone_void_forgotten(image, labels):
    pair = v2.RandomRotation(15)(tv_tensors.Image(image), tv_tensors.Mask(labels))
    return tuple(pair)


def drone_plain(image, labels):
    return v2.RandomRotation(15)(image), v2.RandomRotation(15)(labels[None])[0]


def drone_crashes(image, labels):
    return image.flip(7), labels


@pytest.mark.parametrize(
    ("name", "attempt", "mistake", "words"),
    [
        ("rotate_labels", rotate_torchvision_sign, "aug.rotate_back", "other way round"),
        ("rotate_labels", rotate_torchvision_default, "aug.fill_zero", "class 0"),
        ("rotate_labels", rotate_scipy_whole, None, "shape"),
        ("rotate_labels", rotate_floats, None, "whole number"),
        ("rotate_labels", rotate_cut_to_zero, "aug.cut_to_zero", "cut toward 0"),
        ("flip_all", flip_overwritten, "aug.box_overwritten", "Compute both"),
        ("crop_pair", crop_from_zero, "aug.start_at_zero", "begins outside"),
        ("harmless", ["yes", "no"] * 4, None, "a list that holds a str"),
        ("flip_all", flip_two, None, "You return 2 results; 3 are expected"),
        ("crop_pair", crop_torchvision, "aug.fill_zero", "Fill with void: 255"),
        ("my_augment", drone_void_forgotten, "augment.fill_zero", "Class 0 appears"),
        ("my_augment", drone_plain, "augment.fill_zero", "Class 0 appears"),
        ("my_augment", drone_crashes, "augment.no_pair", "IndexError"),
        ("my_augment", data.HorizontalFlip(), "augment.fixed", "makes 2 different"),
        ("my_augment", data.Compose([data.ScaleJitter()]), "augment.no_pair", "keep sizes"),
        ("my_augment", data.ColorJitter(), "augment.fixed", "No label ever moves"),
        ("turned_by_hand", [[255, 0, 0, 1]] * 4, None, "4 of 16 numbers are right"),
    ],
)
def test_attempts_get_a_fitting_word(name, attempt, mistake, words):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", mistake), result
    assert words in result.message, result.message


def test_the_scene_can_tell_a_moved_picture():
    image, labels = scene()
    assert explained(image, labels) > 0.99
    assert explained(image, labels.flip(1)) < 0.6
    assert explained(image, labels.roll(3, 0)) < 0.9
