from __future__ import annotations

import hashlib

import pytest
import torch

from segtutor.data import STREET_CLASSES, street_scene

POLE = STREET_CLASSES.index("pole")


@pytest.fixture(scope="module")
def scene():
    return street_scene()


def test_it_is_a_picture_and_a_label_map(scene):
    image, labels = scene
    assert image.shape == (3, 192, 288)
    assert image.dtype == torch.float32
    assert labels.shape == (192, 288)
    assert labels.dtype == torch.int64
    assert image.min() >= 0
    assert image.max() <= 1
    # Every value is a whole number of 255ths, as in a picture that was read from a file.
    torch.testing.assert_close(image * 255, (image * 255).round(), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "size", [(192, 288), (120, 180), (96, 144), (64, 96), (48, 72), (100, 130)]
)
def test_every_class_is_present_at_every_size(size):
    image, labels = street_scene(size)
    assert image.shape[1:] == labels.shape == size
    assert labels.unique().tolist() == [*range(len(STREET_CLASSES)), 255]


def test_thin_classes_are_thin_and_large_ones_are_large(scene):
    labels = scene[1]
    share = {name: (labels == i).float().mean().item() for i, name in enumerate(STREET_CLASSES)}
    assert 0.003 < share["pole"] < 0.015
    assert 0.005 < share["person"] < 0.02
    assert share["road"] > 0.2
    assert share["building"] > 0.2


def test_a_pixel_has_the_class_of_its_center(scene):
    # In a map three times finer, the center of each coarse pixel is the center of a fine one.
    labels = scene[1]
    fine = street_scene((576, 864))[1][1::3, 1::3]
    # Far poles are widened to one pixel, so that none gets lost: there the two may differ.
    either_pole = (labels == POLE) | (fine == POLE)
    assert torch.equal(labels[~either_pole], fine[~either_pole])
    assert (labels == fine).float().mean() > 0.995


def test_labels_lie_where_the_picture_shows_them(scene):
    image, labels = scene
    red, green, blue = (image[c][labels == 4].mean() for c in range(3))
    assert green > red
    assert green > blue
    assert image.mean(0)[labels == 0].mean() > image.mean(0)[labels == 2].mean() + 0.2


def test_it_is_the_same_picture_on_every_machine(scene):
    image, labels = scene
    whole = (image * 255).round().to(torch.uint8).numpy().tobytes()
    again = street_scene()
    assert torch.equal(again[0], image)
    assert torch.equal(again[1], labels)
    assert hashlib.sha256(whole).hexdigest()[:16] == "6b77c8499b2b027e"
    assert hashlib.sha256(labels.numpy().tobytes()).hexdigest()[:16] == "be49dc7e2bd94e5d"


def test_too_small_a_street_is_refused():
    with pytest.raises(ValueError, match=r"size=\(20, 30\) is too small"):
        street_scene((20, 30))
