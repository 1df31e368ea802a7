from __future__ import annotations

import io
import re
import subprocess
import sys
import types
from base64 import b64decode

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from IPython.core.formatters import format_display_data
from PIL import Image

from segtutor import labs
from segtutor.data import street_scene
from segtutor.labs.convolution import CHANNELS, KERNELS
from segtutor.labs.png import png

GRAY, SUMMED, SEPARATE = CHANNELS


@pytest.fixture
def bench():
    return labs.convolution()


def expected(bench, kernel, **settings):
    image = (street_scene((120, 180))[0] * 255).round()[None]
    if bench.channels.value == GRAY:
        image = image.mean(1, keepdim=True).round()
    groups = 3 if bench.channels.value == SEPARATE else 1
    weight = torch.tensor(kernel, dtype=torch.float32).reshape(1, 1, 3, 3)
    weight = weight.repeat(groups, image.shape[1] // groups, 1, 1)
    return F.conv2d(image, weight, groups=groups, **settings)


@pytest.mark.parametrize("name", KERNELS)
def test_presets_run(bench, name):
    bench.preset.value = name
    assert [w.value for w in bench.weights] == list(KERNELS[name])
    assert torch.equal(bench.response, expected(bench, KERNELS[name]))


@pytest.mark.parametrize("channels", CHANNELS)
def test_settings_reach_conv2d(bench, channels):
    bench.channels.value = channels
    bench.stride.value, bench.padding.value, bench.dilation.value = 3, 2, 4
    settings = {"stride": 3, "padding": 2, "dilation": 4}
    assert torch.equal(bench.response, expected(bench, KERNELS["vertical edge"], **settings))
    assert bench.response.shape[1] == (3 if channels == SEPARATE else 1)


def test_typed_numbers_are_a_kernel_of_your_own(bench):
    numbers = [1, 2, 3, 4, 5, -6, 7, 8, -9.5]
    for widget, number in zip(bench.weights, numbers, strict=True):
        widget.value = number
    assert bench.preset.value == "your own"
    assert torch.equal(bench.response, expected(bench, numbers))
    bench.flip.value = True
    assert torch.equal(bench.response, expected(bench, numbers[::-1]))


def test_it_says_the_size_and_the_cost(bench):
    bench.channels.value, bench.stride.value = SUMMED, 2
    assert "= <b>59</b>, width <b>89</b>" in bench.view.value
    assert f"<b>{59 * 89 * 27:,}</b> multiply-adds" in bench.view.value
    bench.channels.value = SEPARATE
    assert f"<b>{3 * 59 * 89 * 9:,}</b> multiply-adds" in bench.view.value


def pictures(html):
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    return [Image.open(io.BytesIO(b64decode(data))) for data in found]


def test_the_pictures_show_what_was_computed(bench):
    picture, response = pictures(bench.view.value)
    assert np.array_equal(np.asarray(picture.convert("L")), bench.picture[0, 0].byte().numpy())
    shades = np.asarray(response)  # indices into the signed palette
    values = bench.response[0, 0].numpy()
    assert shades.shape == values.shape
    assert (shades[values > 2] > 127).all()
    assert (shades[values < -2] < 128).all()
    order = np.argsort(values.ravel(), kind="stable")
    assert (np.diff(shades.ravel()[order].astype(int)) >= 0).all()
    assert {0, 255} & set(np.unique(shades))  # the largest response has the strongest color


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", ["blur", "spot"])
def test_every_choice_draws_two_pictures(bench, channels, name):
    bench.channels.value, bench.preset.value = channels, name
    assert [p.size for p in pictures(bench.view.value)] == [(180, 120), (178, 118)]


def captured_bundle(bench, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append((a, k)))
    bench._ipython_display_()
    return shown


def test_one_output_serves_readers_with_and_without_a_kernel(bench, monkeypatch):
    (((bundle,), options),) = captured_bundle(bench, monkeypatch)
    assert options == {"raw": True}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == bench.box.model_id
    assert "live kernel" in bundle["text/html"]
    assert len(pictures(bundle["text/html"])) == 2
    assert bundle["text/plain"] == repr(bench)


def test_the_still_is_the_same_at_every_call_and_run(monkeypatch):
    first, second = labs.convolution(), labs.convolution()
    assert first.box.model_id != second.box.model_id
    assert first.view.value == second.view.value
    first.stride.value = 3
    assert labs.convolution().view.value == second.view.value
    code = "from segtutor import labs; print(labs.convolution().view.value)"
    runs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


def test_colab_gets_the_widgets_themselves(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert captured_bundle(bench, monkeypatch) == [((bench.box,), {})]


def test_the_box_is_a_widget_that_ipython_can_show(bench):
    data, _ = format_display_data(bench.box)
    shows_itself = hasattr(bench.box, "_ipython_display_")  # ipywidgets 7, in Colab
    assert shows_itself or "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("shape", [(5, 7), (300, 301), (4, 6, 3)])
def test_png_files_are_read_back_unchanged(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    image = Image.open(io.BytesIO(png(pixels)))
    assert np.array_equal(np.asarray(image), pixels)


def test_png_refuses_what_it_cannot_write():
    with pytest.raises(ValueError, match="float64"):
        png(np.zeros((3, 3)))
