from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from segtutor import figures
from segtutor.figures.palette import rgb


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def test_every_pixel_has_its_color_and_its_number():
    labels = torch.tensor([[0, 1, 255], [7, 3, 1]])
    figures.label_pixels({"target": labels, "prediction": labels.clamp(max=3)})
    target, prediction = plt.gcf().axes
    assert [axes.get_title() for axes in (target, prediction)] == ["target", "prediction"]
    painted = target.images[0].get_array()
    assert tuple(painted[1, 0]) == rgb(figures.PALETTE[7])
    assert tuple(painted[0, 2]) == rgb(figures.PALETTE[-1])
    assert [text.get_text() for text in target.texts] == ["0", "1", "void", "7", "3", "1"]
    assert [text.get_text() for text in prediction.texts] == ["0", "1", "3", "3", "3", "1"]


def test_numbers_can_be_read_on_every_color():
    from tests.figures.test_plots import contrast

    figures.label_pixels({"all": torch.tensor([[*range(8), 255]])})
    (axes,) = plt.gcf().axes
    for text, color in zip(axes.texts, figures.PALETTE, strict=True):
        assert contrast(text.get_color(), color) > 4.5


def test_pixels_are_squares_of_one_size():
    figures.label_pixels({"a": np.zeros((2, 3), int), "b": np.ones((4, 5), int)}, cell=0.5)
    width, height = plt.gcf().get_size_inches()
    for axes, (rows, columns) in zip(plt.gcf().axes, ((2, 3), (4, 5)), strict=True):
        box = axes.get_position()
        assert box.width * width / columns == pytest.approx(0.5)
        assert box.height * height / rows == pytest.approx(0.5)
        assert box.x1 <= 1
        assert box.y1 <= 1


def test_windows_are_outlined_where_they_are_asked_for():
    maps = {"a": torch.zeros(2, 3).long(), "b": torch.zeros(2, 3).long()}
    figures.label_pixels(maps, highlight={"b": [(0, 1, 2, 1)]})
    first, second = plt.gcf().axes
    assert not first.patches
    (outline,) = second.patches
    assert outline.get_xy() == (0.5, -0.5)
    assert (outline.get_width(), outline.get_height()) == (1, 2)


@pytest.mark.parametrize(
    ("maps", "highlight", "words"),
    [
        ({"a": torch.zeros(2, 2).long()}, {"b": []}, r"highlight names 'b', but the maps are"),
        ({"a": torch.zeros(2).long()}, {}, r"'a' must have shape \(H, W\)"),
        ({"a": torch.full((2, 2), 8)}, {}, "labels contain 8"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_cure(maps, highlight, words):
    with pytest.raises(ValueError, match=words):
        figures.label_pixels(maps, highlight=highlight)
