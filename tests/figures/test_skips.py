"""The predictions that the figure shows are the network's."""

from __future__ import annotations

import html
import json
import re

import pytest
import torch

from segtutor import figures
from segtutor.models import UNet

NAMES = ["ground", "cell", "rim"]
COLORS = ["#111111", "#eeeeee", "#cc6677", "#888888"]


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    net = UNet(3, in_channels=1, width=4, depth=2)
    with torch.no_grad():  # no training here: make all three classes occur
        for _ in range(5):
            net(torch.rand(4, 1, 16, 24))
        logits = net.eval()(torch.rand(4, 1, 16, 24))
        net.head.bias -= logits.mean((0, 2, 3))
    return net


@pytest.fixture(scope="module")
def scene():
    g = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (16, 24), generator=g)
    labels[0, :5] = 255
    return torch.rand(1, 16, 24, generator=g), labels


def given(figure):
    return json.loads(html.unescape(re.search(r'data-figure="([^"]*)"', figure.html)[1]))


def unpacked(runs):
    pairs = (map(int, run.split("x")) for run in runs.split())
    return torch.tensor([label for label, count in pairs for _ in range(count)]).view(16, 24)


@torch.no_grad()
def by_hand(net, image, state):
    """The network's own parts, with means in the place of skips that are off."""
    first = net.encoder[0](image[None])
    second = net.encoder[1](net.pool(first))
    x = net.encoder[2](net.pool(second))
    for up, skip, on in ((net.decoder[0], second, state & 2), (net.decoder[1], first, state & 1)):
        x = up(x, skip if on else skip.mean((2, 3), keepdim=True).expand_as(skip))
    return net.head(x)[0].argmax(0)


def test_every_combination_is_what_the_network_says(net, scene):
    image, labels = scene
    data = given(figures.skips(net, image, labels, names=NAMES, colors=COLORS))
    assert len(data["said"]) == 4
    assert len({*data["said"]}) > 1, "a network that the skips do not matter to tests nothing"
    for state, runs in enumerate(data["said"]):
        said = by_hand(net, image, state)
        assert torch.equal(unpacked(runs), said)
        assert data["wrong"][state] == ((said != labels) & (labels != 255)).sum()
    assert data["judged"] == 16 * 24 - 5
    assert data["sizes"] == ["16×24", "8×12", "4×6"]


def test_the_network_is_left_as_it_was(net, scene):
    image, labels = scene
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    figures.skips(net, image, labels, names=NAMES, colors=COLORS)
    assert net.training
    assert not any(up._forward_pre_hooks for up in net.decoder)
    assert all(torch.equal(before[name], v) for name, v in net.state_dict().items())
    net.eval()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"colors": COLORS[:3]}, "colors has 3 entries for 3 names"),
     ({"labels": torch.zeros(16, 23, dtype=torch.long)}, "of one size")],
)  # fmt: skip
def test_what_does_not_fit_is_refused(net, scene, change, words):
    image, labels = scene
    settings = {"labels": labels, "names": NAMES, "colors": COLORS, **change}
    with pytest.raises(ValueError, match=words):
        figures.skips(net, image, settings.pop("labels"), **settings)


@pytest.mark.browser
def test_switches_change_prediction_words_and_drawing(open_page, net, scene):
    image, labels = scene
    made = figures.skips(net, image, labels, names=NAMES, colors=COLORS)
    wrong = given(made)["wrong"]
    page = open_page(made, width=390, touch=True)
    figure = page.locator("seg-skips")

    def picture():
        return figure.locator("canvas.said").evaluate("canvas => canvas.toDataURL()")

    assert f"All skips are on. {wrong[3]} of 379 pixels" in figure.locator(".read").inner_text()
    before = picture()
    figure.locator("button[data-level='0']").click()
    assert f"On: 8×12. {wrong[2]} of 379" in figure.locator(".read").inner_text()
    assert picture() != before
    assert figure.locator("g.skip.off").count() == 1
    page.keyboard.press("2")
    assert f"All skips are off. {wrong[0]} of 379" in figure.locator(".read").inner_text()
    figure.locator("g.skip[data-level='0']").click()
    figure.locator("g.skip[data-level='1']").click()
    assert picture() == before
    figure.locator(".errors input").check()
    assert picture() != before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
