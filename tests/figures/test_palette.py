from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from segtutor.figures import PALETTE, VOID, colorize
from segtutor.figures.palette import rgb

colorspacious = pytest.importorskip("colorspacious")
skimage_color = pytest.importorskip("skimage.color")

EYES = {
    "normal": None,
    "protanope": "protanomaly",
    "deuteranope": "deuteranomaly",
    "tritanope": "tritanomaly",
}


def smallest_difference(colors, kind: str | None) -> float:
    """The least CIEDE2000 of all pairs, as such eyes see them (Machado et al. 2009)."""
    seen = np.array([rgb(color) for color in colors]) / 255
    if kind is not None:
        vision = {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}
        seen = colorspacious.cspace_convert(seen, vision, "sRGB1").clip(0, 1)
    lab = skimage_color.rgb2lab(seen[None])[0]
    return min(
        float(skimage_color.deltaE_ciede2000(a, b)) for a, b in itertools.combinations(lab, 2)
    )


@pytest.mark.parametrize("eyes", EYES)
def test_all_eyes_tell_all_classes_apart(eyes):
    assert len(set(PALETTE)) == 9
    assert smallest_difference(PALETTE, EYES[eyes]) >= 20


def test_the_measure_would_notice_two_greens():
    assert smallest_difference([*PALETTE, "#559a70"], None) < 12


def test_colors_suit_their_classes():
    red, green, blue = rgb(PALETTE[0])
    assert blue > red  # sky
    red, green, blue = rgb(PALETTE[4])
    assert green > max(red, blue)  # vegetation


def test_colorize_paints_each_label_in_its_color():
    labels = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, VOID, 0]])
    painted = colorize(labels)
    assert painted.shape == (2, 5, 3)
    assert painted.dtype == np.uint8
    flat = [*range(8), 8, 0]
    assert painted.reshape(-1, 3).tolist() == [list(rgb(PALETTE[i])) for i in flat]
    assert np.array_equal(painted, colorize(labels.numpy().astype(np.uint8)))


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (torch.zeros(3, 4, 4, dtype=torch.int64), ValueError, r"shape \(H, W\), got \(3, 4, 4\)"),
        (torch.zeros(4, 4), TypeError, "argmax"),
        (torch.tensor([[0, 8]]), ValueError, "labels contain 8"),
        (torch.tensor([[-1, 0]]), ValueError, "labels contain -1"),
    ],
)
def test_a_bad_label_map_is_named(labels, error, words):
    with pytest.raises(error, match=words):
        colorize(labels)


def test_a_bad_color_is_named():
    with pytest.raises(ValueError, match="'red'"):
        colorize(torch.tensor([[0]]), ["red", "#000000"])
