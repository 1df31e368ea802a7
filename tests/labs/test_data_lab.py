from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from IPython.core.formatters import format_display_data
from PIL import Image
from torchvision.transforms import ToTensor

from segtutor import labs
from segtutor.data import REAL_PICTURES, real_picture
from segtutor.labs.data import WRITTEN, as_picture, read_in_five_ways, resized

OWN, STORED, GRAY, RED, TO_TENSOR = range(5)


@pytest.fixture
def bench():
    return labs.data()


def right(bench):
    return list(bench.right.values())


def target(name: str) -> np.ndarray:
    return real_picture(name)[1][::2, ::2].numpy()


@pytest.mark.parametrize("name", REAL_PICTURES)
@pytest.mark.parametrize("written", WRITTEN[:3])
def test_the_package_reads_every_png(bench, name, written):
    bench.name.value, bench.written.value = name, written
    assert right(bench)[OWN] == 1
    assert np.array_equal(list(bench.found.values())[OWN], target(name))


def test_which_readings_survive_which_file(bench):
    survived = {}
    for written in WRITTEN:
        bench.written.value = written
        survived[written] = [share == 1 for share in right(bench)]
    assert survived == {
        "palette PNG": [True, True, False, False, False],
        "gray PNG": [True, True, True, True, False],
        "color PNG": [True, False, False, False, False],
        "JPEG of gray": [False, False, False, False, False],
    }


def test_a_jpeg_is_refused_and_said_why(bench):
    bench.written.value = "JPEG of gray"
    assert list(bench.found.values())[OWN] is None
    assert "refused, because the file is a JPEG" in bench.view.value
    assert 0.5 < right(bench)[STORED] < 1


@pytest.mark.parametrize("written", WRITTEN)
def test_the_readings_are_those_of_the_libraries(tmp_path, written):
    labels = target("temple").astype(np.uint8)
    path = tmp_path / ("labels.jpg" if "JPEG" in written else "labels.png")
    as_picture(labels, written).save(path)
    found = list(read_in_five_ways(path)[0].values())
    with Image.open(path) as file:
        assert np.array_equal(found[TO_TENSOR], ToTensor()(file)[0].long().numpy())
        assert np.array_equal(found[GRAY], np.array(file.convert("L")))
        assert np.array_equal(found[RED], np.array(file.convert("RGB"))[..., 0])
        assert np.array_equal(found[STORED], np.array(file).reshape(*labels.shape, -1)[..., 0])


def test_resizing_as_the_libraries_do():
    labels = torch.tensor([[0, 4, 8, 8], [0, 4, 8, 255]], dtype=torch.uint8).numpy()
    assert resized(labels, 100, "bilinear") is labels
    assert resized(labels, 50, "nearest").shape == (1, 2)
    assert set(resized(labels, 50, "nearest").ravel()) <= {0, 4, 8, 255}
    assert resized(labels, 50, "bilinear").tolist() == [[2, 69]]  # (8 + 8 + 8 + 255) / 4


def test_bilinear_invents_and_nearest_does_not(bench):
    classes = {*range(4), 255}
    bench.percent.value = 60
    assert right(bench)[OWN] == 1
    assert set(np.unique(list(bench.found.values())[OWN])) <= classes
    bench.how.value = "bilinear"
    assert right(bench)[OWN] < 1
    assert not set(np.unique(list(bench.found.values())[OWN])) <= classes


def test_what_is_shown_is_what_was_found(bench):
    captions = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", bench.view.value)
    assert len(captions) == 5
    for caption, share in zip(captions, right(bench), strict=True):
        assert caption.endswith(f"{share:.0%} of the judged pixels are right")
    assert captions[OWN].startswith("segtutor: 0 1 2 3 255;")


def test_the_stored_output_is_still_and_the_same_every_time():
    def shown() -> str:
        data, _ = format_display_data(labs.data())
        return str(data) + labs.data().view.value

    assert shown() == shown()
    assert repr(labs.data()).startswith("Lab: ")
    assert len(labs.data().view.value) < 200_000
