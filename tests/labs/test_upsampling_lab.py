from __future__ import annotations

import io
import re
import subprocess
import sys
from base64 import b64decode
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from segtutor import labs
from segtutor.data import street_scene
from segtutor.labs.upsampling import BACK, FACTORS, SHRINK, SIZE, STAMPED

STREET = street_scene(SIZE)[0][None]


@pytest.fixture
def bench():
    return labs.upsampling()


def pictures(html):
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    return [Image.open(io.BytesIO(b64decode(data))) for data in found]


def test_every_way_back_fits_the_street(bench):
    for factor, method in product(FACTORS, BACK):
        bench.factor.value, bench.method.value = factor, method
        f = int(factor)
        assert bench.small.shape == (1, 3, 144 // f, 216 // f)
        assert bench.back.shape == STREET.shape
        sizes = [p.size for p in pictures(bench.view.value)]
        assert sizes == [(216 // f, 144 // f), (216, 144), (216, 144)], (factor, method)


def test_shrinking_is_pytorchs(bench):
    for way, mode in SHRINK.items():
        bench.shrink.value = way
        expected = F.interpolate(STREET, size=(36, 54), mode=mode)
        torch.testing.assert_close(bench.small, expected)


def test_antialias_and_align_corners_reach_the_functions(bench):
    bench.shrink.value, bench.antialias.value = "bilinear", True
    expected = F.interpolate(STREET, size=(36, 54), mode="bilinear", antialias=True)
    torch.testing.assert_close(bench.small, expected)
    bench.antialias.value, bench.align_corners.value = False, True
    small = F.interpolate(STREET, size=(36, 54), mode="bilinear", align_corners=True)
    torch.testing.assert_close(bench.small, small)
    back = F.interpolate(small, size=SIZE, mode="bilinear", align_corners=True)
    torch.testing.assert_close(bench.back, back)


def test_the_stamped_street_has_a_dark_frame(bench):
    smooth = bench.back.clone()
    bench.method.value = STAMPED
    assert torch.allclose(bench.back[..., 4:-4, 4:-4], smooth[..., 4:-4, 4:-4], atol=1e-5)
    assert (bench.back[..., 0, :] < smooth[..., 0, :]).all()


def test_the_difference_is_shown_in_its_colors_and_its_size(bench):
    bench.factor.value, bench.method.value = "8", "nearest"
    difference = (bench.back - bench.picture).mean(1)[0].numpy() * 255
    shades = np.asarray(pictures(bench.view.value)[2]).astype(int)  # indices: 127.5 is no change
    assert (shades[difference > 2] > 127).all()
    assert (shades[difference < -2] < 128).all()
    error = float((bench.back - bench.picture).abs().mean()) * 255
    assert f"<b>{error:.2f}".rstrip("0") in bench.view.value
    assert "1.56% of the numbers were kept" in bench.view.value


def test_the_still_is_the_same_at_every_run():
    code = "from segtutor import labs; print(labs.upsampling().view.value)"
    runs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert labs.upsampling().view.value.encode() in runs.pop()
