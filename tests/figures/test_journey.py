"""A picture's way through a network: every shape is the network's own."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
import torch
from torch import nn

from segtutor import figures, models
from tests.models.test_every_model import NETS, SIZES


def given(figure: Any) -> dict[str, Any]:
    return json.loads(unescape(figure.html.split('data-figure="')[1].split('"')[0]))


def small() -> nn.Module:
    torch.manual_seed(0)
    return models.FCN(8, backbone=models.SmallBackbone(width=4, stages=5), maps=2)


STEPS = {
    "backbone.stages.stage1": "first",
    "score.stage4": "fine scores",
    "backbone.stages.stage5": "deepest",
}


def test_shapes_and_counts_are_those_of_the_network() -> None:
    net = small()
    figure = figures.journey(net, torch.rand(3, 33, 48), steps=STEPS)
    stops = given(figure)["stops"]
    assert [stop["name"] for stop in stops] == ["picture", "first", "deepest", "fine scores"]
    assert [stop["shape"] for stop in stops] == [[3, 33, 48], [4, 17, 24], [32, 2, 2], [8, 3, 3]]
    counts = [sum(p.numel() for p in net.get_submodule(name).parameters()) for name in
              ("backbone.stages.stage1", "backbone.stages.stage5", "score.stage4")]  # fmt: skip
    assert [stop["parameters"] for stop in stops] == [0, *counts]
    assert [len(stop["maps"]) for stop in stops] == [1, 4, 6, 6]
    assert net.training  # as it was handed in


def test_without_values_only_shapes_travel() -> None:
    with torch.device("meta"):
        figure = figures.journey(models.FCN32s(21), torch.zeros(1, 3, 375, 500))
    stops = given(figure)["stops"]
    assert stops[-1]["shape"] == [21, 416, 544]
    assert not any("maps" in stop for stop in stops)


@pytest.mark.parametrize("name", NETS)
def test_every_network_of_the_book_can_be_drawn(name: str) -> None:
    with torch.device("meta"):
        stops = given(figures.journey(NETS[name](), torch.zeros(3, *SIZES.get(name, (64, 96)))))[
            "stops"
        ]
    assert len(stops) >= 4
    assert len({tuple(stop["shape"]) for stop in stops}) >= 3


def test_a_module_that_is_called_twice_has_two_boxes() -> None:
    conv = nn.Conv2d(3, 3, 3, stride=2)
    stops = given(figures.journey(nn.Sequential(conv, nn.ReLU(), conv), torch.rand(3, 15, 15),
                                  steps={"0": "halved"}))["stops"]  # fmt: skip
    assert [stop["shape"] for stop in stops] == [[3, 15, 15], [3, 7, 7], [3, 3, 3]]


def test_the_same_at_every_run() -> None:
    picture = torch.rand(3, 32, 32)
    assert figures.journey(small(), picture).html == figures.journey(small(), picture).html


@pytest.mark.parametrize(
    ("picture", "steps", "words"),
    [
        (torch.rand(2, 3, 32, 32), None, "one picture travels"),
        ("street.png", None, "got str"),
        (torch.rand(3, 32, 32), {"stage9": "x"}, "no module 'stage9'"),
        (torch.rand(3, 32, 32), {}, "no step hands out"),
    ],
)
def test_what_cannot_travel(picture: Any, steps: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        figures.journey(small(), picture, steps=steps)


@pytest.mark.browser
def test_by_buttons_keys_and_clicks(open_page: Any) -> None:
    page = open_page(figures.journey(small(), torch.rand(3, 32, 48), steps=STEPS))
    figure = page.locator("seg-journey")
    shape = figure.locator(".shape")
    assert shape.inner_text() == "3 × 32 × 48"
    assert figure.locator(".maps img").count() == 1
    figure.get_by_role("button", name="next step").click()
    assert shape.inner_text() == "4 × 16 × 24"
    assert "first" in figure.locator(".read").inner_text()
    figure.locator(".way").focus()
    page.keyboard.press("ArrowRight")
    assert shape.inner_text() == "32 × 1 × 2"
    assert figure.locator(".maps img").count() == 6
    page.keyboard.press("End")
    assert shape.inner_text() == "8 × 2 × 3"
    assert figure.get_by_role("button", name="next step").is_disabled()
    figure.locator("[data-stop='1'] path").last.click()
    assert shape.inner_text() == "4 × 16 × 24"
    assert figure.locator(".block.now").count() == 1
    figure.locator(".scrub").fill("0")
    assert shape.inner_text() == "3 × 32 × 48"


@pytest.mark.browser
def test_it_plays_and_stops_at_the_end(open_page: Any) -> None:
    page = open_page(figures.journey(small(), torch.rand(3, 32, 48), steps={"score.stage5": "end"}))
    figure = page.locator("seg-journey")
    figure.get_by_role("button", name="play").click()
    figure.get_by_role("button", name="pause").wait_for()
    figure.get_by_role("button", name="play").wait_for(timeout=10_000)
    assert figure.locator(".shape").inner_text() == "8 × 1 × 2"


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(open_page: Any, dark: bool) -> None:
    figure = figures.journey(small(), torch.rand(3, 32, 48))
    page = open_page(figure, width=390, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("seg-journey").get_attribute("dark") == ("" if dark else None)
