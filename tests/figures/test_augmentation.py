"""An augmentation turned by hand: its labels and its numbers are those of segtutor.data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor import figures
from segtutor.data import Elastic, HorizontalFlip, RandomAffine

NAMES = ["sky", "building", "road", "sidewalk", "vegetation", "car", "person", "pole"]
VOID = 255


def scene(height: int = 32, width: int = 48, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Blobs of eight classes and a few void pixels, and a picture that shows them."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 9, 5, 6, generator=generator)
    labels = F.interpolate(noise, (height, width), mode="bicubic")[0].argmax(0)
    labels[labels == 8] = VOID
    image = torch.stack([labels.clamp(max=8) / 8] * 3)
    return image, labels


def package(image: Tensor, labels: Tensor, **knobs: Any) -> tuple[Tensor, Tensor]:
    """What segtutor.data makes of the figure's knobs: flip, then affine."""
    if knobs.get("flip"):
        image, labels = HorizontalFlip(1.0)(image, labels)
    draws: Iterator[float] = iter(
        [
            knobs.get("across", 0) / 100,
            knobs.get("down", 0) / 100,
            knobs.get("angle", 0),
            knobs.get("scale", 0) * math.log(2),
            knobs.get("shear", 0),
        ]
    )
    with patch("segtutor.data.warps.uniform", lambda low, high: next(draws)):
        return RandomAffine()(image, labels)


def turn(figure: Any, **knobs: Any) -> None:
    for name, value in knobs.items():
        if name in ("flip", "mix", "zero", "stay"):
            figure.evaluate(f"(f) => {{ f.{name} = {str(value).lower()}; f.draw(); }}")
            continue
        figure.locator(f"[data-knob='{name}']").fill(f"{value:g}")


def shown(figure: Any, name: str = "shown") -> Tensor:
    values = torch.tensor(figure.evaluate(f"figure => Array.from(figure.{name})"))
    height, width = figure.evaluate("figure => [figure.given.height, figure.given.width]")
    return values.reshape(height, width)


def counts(figure: Any) -> dict[str, int]:
    tiles = figure.locator("[data-count]").all()
    return {tile.get_attribute("data-count"): int(tile.inner_text()) for tile in tiles}


CASES = [
    {"angle": 10},
    {"angle": -73, "scale": 0.5},
    {"angle": 90},
    {"scale": -0.7},
    {"across": 13, "down": -21},
    {"shear": 20},
    {"flip": True},
    {"flip": True, "angle": 31, "scale": 0.3, "across": -7, "down": 11, "shear": -12},
]


@pytest.mark.browser
def test_labels_go_where_the_package_sends_them(open_page: Any) -> None:
    sizes = [(32, 48), (17, 31), (40, 40)]
    scenes = [scene(*sizes[i % 3], seed=i) for i in range(len(CASES))]
    page = open_page(*(figures.augmentation(*pair, names=NAMES) for pair in scenes))
    for index, (case, (image, labels)) in enumerate(zip(CASES, scenes, strict=True)):
        figure = page.locator("seg-augmentation").nth(index)
        turn(figure, **case)
        _, expected = package(image, labels, **case)
        # Rotated by right angles, pixels may lie halfway between two: either is nearest.
        differ = (shown(figure) != expected).sum()
        assert differ <= (0 if case != {"angle": 90} or labels.shape == (40, 40) else 40), case
        number = counts(figure)
        _, drawn = package(image, torch.zeros_like(labels), **case)
        if differ == 0:
            assert number["outside"] == (drawn == VOID).sum()
        assert number["invented"] == 0
        assert number["agree"] == labels.numel()


@pytest.mark.browser
def test_elastic_is_the_packages_under_the_same_seed(open_page: Any) -> None:
    pairs = [scene(31, 46, seed=3), scene(40, 24, seed=4)]
    page = open_page(*(figures.augmentation(*pair, names=NAMES, seed=7) for pair in pairs))
    for index, pair in enumerate(pairs):
        figure = page.locator("seg-augmentation").nth(index)
        for strength in (2.5, 6.0):
            turn(figure, elastic=strength)
            torch.manual_seed(7)
            _, expected = Elastic(strength)(*pair)
            assert (shown(figure) != expected).sum() <= 2  # rounding, in float32 and in float64


@pytest.mark.browser
def test_mistakes_are_counted(open_page: Any) -> None:
    image, labels = scene(seed=5)
    labels[labels == VOID] = 6
    page = open_page(figures.augmentation(image, labels, names=NAMES))
    figure = page.locator("seg-augmentation")
    knobs = {"angle": 17, "scale": 0.34}
    turn(figure, **knobs)
    _, right = package(image, labels, **knobs)
    outside = int((right == VOID).sum())

    figure.get_by_role("button", name="fill with class 0").click()
    assert torch.equal(shown(figure), right.where(right != VOID, 0))
    assert counts(figure) == {
        "outside": outside,
        "invented": 0,
        "agree": labels.numel() - outside,
    }
    assert "is called sky" in figure.locator(".say").inner_text()
    figure.get_by_role("button", name="fill with class 0").click()

    figure.get_by_role("button", name="interpolate the labels").click()
    # Each class and void as a picture of its own: what is mixed there, and with what weight.
    classes = [*range(8), VOID]
    one_hot = torch.stack([labels == c for c in classes]).double()
    mixed = package(one_hot, labels, **knobs)[0]
    mixed[-1] += 1 - mixed.sum(0)  # what comes from outside is void
    value = (mixed * torch.tensor(classes)[:, None, None]).sum(0)
    near = torch.stack([(mixed[i] > 1e-6) & (value.round() == c) for i, c in enumerate(classes)])
    tie = (value - value.floor() - 0.5).abs() < 1e-3
    assert (shown(figure) == value.round())[~tie].all()
    assert abs(counts(figure)["invented"] - int((~near.any(0)).sum())) <= int(tie.sum())
    assert counts(figure)["invented"] > 50
    assert counts(figure)["agree"] == (shown(figure) == right).sum()
    figure.get_by_role("button", name="interpolate the labels").click()

    figure.get_by_role("button", name="move the picture only").click()
    assert torch.equal(shown(figure), labels)
    assert counts(figure)["agree"] == (labels == right).sum()
    assert "the labels did not" in figure.locator(".say").inner_text()
    figure.get_by_role("button", name="start over").click()
    assert counts(figure) == {"outside": 0, "invented": 0, "agree": labels.numel()}


@pytest.mark.browser
def test_the_picture_is_moved_and_lit_as_the_package_does_it(open_page: Any) -> None:
    image, labels = scene(seed=2)
    page = open_page(figures.augmentation(image, labels, names=NAMES))
    figure = page.locator("seg-augmentation")
    figure.evaluate("f => new Promise(done => { const wait = () => f.pixels ? done() : "
                    "setTimeout(wait, 10); wait(); })")  # fmt: skip

    def photo(source: str) -> Tensor:
        data = torch.tensor(figure.evaluate(f"f => Array.from({source})"))
        return data.reshape(32, 48, 4)[..., :3].permute(2, 0, 1) / 255

    given = photo("f.pixels")
    assert (given - image).abs().mean() < 0.03  # a JPEG
    knobs = {"flip": True, "angle": 25, "across": 10, "shear": 9}
    turn(figure, **knobs, bright=0.8)
    painted = photo("f.find('.photo').getContext('2d').getImageData(0, 0, 48, 32).data")
    expected = 0.8 * package(given, labels, **knobs)[0]
    # Four roundings to whole steps of brightness.
    torch.testing.assert_close(painted, expected, atol=2.5 / 255, rtol=0)


@pytest.mark.browser
def test_by_mouse_finger_and_keyboard(open_page: Any) -> None:
    pair = scene()
    page = open_page(figures.augmentation(*pair, names=NAMES), width=390, touch=True)
    page.evaluate("document.addEventListener('keydown', (e) => { window.leaked = e.key; })")
    figure = page.locator("seg-augmentation")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    photo = figure.locator(".photo")
    box = photo.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 40 + box["width"] / 4, box["y"] + 40 + box["height"] / 10)
    page.mouse.up()
    assert figure.evaluate("f => [f.across, f.down]") == [25, 10]
    figure.get_by_role("button", name="flip").tap()
    photo.focus()
    for key in ("ArrowLeft", "ArrowDown", "r", "r", "R", "+"):
        page.keyboard.press(key)
    knobs = {"flip": True, "across": 24, "down": 11, "angle": 5, "scale": 0.1}
    assert torch.equal(shown(figure), package(*pair, **knobs)[1])
    assert "pixels from outside, 0 invented" in figure.locator(".live").inner_text()
    assert page.evaluate("window.leaked") is None
    page.keyboard.press("f")
    assert figure.get_by_role("button", name="flip").get_attribute("aria-pressed") == "false"
    figure.get_by_role("button", name="draw at random").click()
    assert counts(figure)["agree"] == pair[1].numel()
    figure.get_by_role("button", name="start over").click()
    assert torch.equal(shown(figure), pair[1])
    map_box = figure.locator(".map").bounding_box()
    page.mouse.move(map_box["x"] + 1, map_box["y"] + 1)
    assert figure.locator(".read").inner_text().startswith("0, 0: ")


@pytest.mark.parametrize(
    ("image", "labels", "words"),
    [
        (torch.rand(3, 16, 16), torch.zeros(16, 8).long(), "of one size"),
        (torch.rand(3, 4, 16), torch.zeros(4, 16).long(), "takes 8 to 256 a side"),
        (torch.rand(3, 16, 16), torch.full((16, 16), 8), "labels contain 8"),
        (torch.rand(1, 16, 16), torch.zeros(16, 16).long(), r"\(3, H, W\)"),
    ],
)
def test_bad_pictures_are_named(image: Tensor, labels: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        figures.augmentation(image, labels, names=NAMES)


def test_the_same_html_every_time_and_small() -> None:
    made = figures.augmentation(*scene(64, 96), names=NAMES, caption="a & b")
    assert made.html == figures.augmentation(*scene(64, 96), names=NAMES, caption="a & b").html
    assert "a &amp; b" in made.html
    assert len(made.html) < 120_000
    assert not re.search(r"\sid=|https?:|@import|url\(|\bfetch\(", made.html)
