from __future__ import annotations

import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

from segtutor import figures
from segtutor.figures.drawing import INK, number


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def luminance(color) -> float:
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_importing_figures_leaves_matplotlib_alone():
    code = (
        "import sys, segtutor.figures, segtutor.labs, segtutor.data\n"
        "assert not {'matplotlib', 'ipywidgets', 'IPython'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_style_is_transparent_and_reads_on_both_pages():
    figures.use_style()
    once = dict(matplotlib.rcParams)
    figures.use_style()
    assert dict(matplotlib.rcParams) == once
    assert matplotlib.rcParams["savefig.facecolor"] == "none"
    assert matplotlib.rcParams["figure.dpi"] >= 144
    assert contrast(INK, "#ffffff") > 4
    assert contrast(INK, "#121212") > 4


def test_pixels_writes_every_number():
    grid = torch.tensor([[0, 9, -3], [1, 2, 300]])
    assert figures.pixels(grid) is None
    (axes,) = plt.gcf().axes
    assert [t.get_text() for t in axes.texts] == ["0", "9", "−3", "1", "2", "300"]


@pytest.mark.parametrize("lowest", [0, -10])
def test_numbers_are_legible_on_every_cell(lowest):
    grid = torch.arange(lowest, lowest + 20).reshape(4, 5)
    figures.pixels(grid)
    (axes,) = plt.gcf().axes
    (image,) = axes.images
    for text, value in zip(axes.texts, grid.flatten().tolist(), strict=True):
        assert contrast(text.get_color(), image.cmap(image.norm(value))[:3]) > 4.5


def test_pixels_draws_several_grids_and_their_windows():
    figures.pixels(
        {"input": torch.zeros(5, 5), "output": torch.zeros(3, 3)},
        highlight={"input": [(0, 1, 3, 3)], "output": [(0, 1, 1, 1)]},
    )
    left, right = plt.gcf().axes
    assert [left.get_title(), right.get_title()] == ["input", "output"]
    (window,) = left.patches
    assert window.get_bbox().bounds == (0.5, -0.5, 3, 3)
    size = plt.gcf().get_size_inches()
    widths = [a.get_position().width * size[0] / n for a, n in ((left, 5), (right, 3))]
    assert widths[0] == pytest.approx(widths[1])  # cells of one size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-2, "−2"),
        (0.5, "0.5"),
        (2.0, "2"),
        (1 / 3, "0.33"),
        (-0.001, "0"),
        (100.0, "100"),
    ],
)
def test_numbers_are_written_short(value, text):
    assert number(value) == text


def test_row_knows_what_it_is_given():
    labels = torch.tensor([[0] * 30, [1] * 30]).repeat_interleave(10, 0)
    labels[:, 20:] = 255
    figures.row(
        {"color": torch.rand(3, 20, 30), "last": torch.rand(20, 30, 3), "gray": torch.rand(20, 30),
         "signed": torch.randn(20, 30), "labels": labels},
        names=["sky", "wall"],
    )  # fmt: skip
    shown = {a.get_title(): a for a in plt.gcf().axes if a.get_title()}
    assert list(shown) == ["color", "last", "gray", "signed", "labels"]
    assert shown["color"].images[0].get_array().shape == (20, 30, 3)
    low, high = shown["signed"].images[0].get_clim()
    assert low == -high  # 0 in the middle
    assert shown["gray"].images[0].get_clim()[0] == 0
    legend = [t.get_text() for t in plt.gcf().legends[0].get_texts()]
    assert legend == ["0 sky", "1 wall", "255 void"]
    assert sorted(t.get_text() for t in shown["labels"].texts) == ["0", "1", "void"]
    painted = shown["labels"].images[0].get_array()
    assert np.array_equal(painted, figures.colorize(labels))


def test_a_drawn_figure_is_transparent():
    figures.row({"gray": torch.rand(8, 8)})
    stream = io.BytesIO()
    plt.savefig(stream, format="png")
    stream.seek(0)
    assert plt.imread(stream)[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("draw", "error", "words"),
    [
        (lambda: figures.pixels(torch.zeros(3)), ValueError, r"shape \(H, W\), got \(3,\)"),
        (lambda: figures.pixels(torch.zeros(30, 3)), ValueError, "figures.row"),
        (lambda: figures.pixels(torch.zeros(3, 3), highlight=[(2, 2, 2, 2)]), ValueError, "leaves"),
        (lambda: figures.pixels({"a": torch.zeros(2, 2)}, highlight={"b": []}), ValueError, "'b'"),
        (lambda: figures.row({}), TypeError, "not empty"),
        (lambda: figures.row(torch.zeros(3, 3)), TypeError, "mapping"),
        (lambda: figures.row({"x": torch.zeros(1, 3, 4, 4)}), ValueError, r"x\[0\]"),
        (lambda: figures.row({"x": torch.full((3, 4, 4), 200.0)}), ValueError, r"\[0, 1\]"),
        (lambda: figures.row({"x": torch.tensor([[9, 0]])}), ValueError, "labels contain 9"),
    ],
)
def test_bad_input_is_named(draw, error, words):
    with pytest.raises(error, match=words):
        draw()
