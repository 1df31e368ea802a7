"""The bins: the figure's shares and its enlarged map are the package's."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor import figures
from segtutor.data import STREET_CLASSES, street_scene
from segtutor.models.blocks import enlarged

STREET, LABELS = street_scene((48, 72))
NAMES = [*STREET_CLASSES, "void"]
ROAD = 2


def made(**settings: Any) -> figures.MovingFigure:
    return figures.pyramid_bins(STREET, LABELS, names=STREET_CLASSES, chosen=ROAD, **settings)


def channels() -> Tensor:
    """One channel a class, void last, (1, 9, 48, 72)."""
    planes = [label == LABELS for label in range(len(STREET_CLASSES))] + [LABELS == 255]
    return torch.stack(planes)[None].double()


def given(figure: figures.MovingFigure) -> dict:
    return json.loads(html.unescape(re.search(r'data-figure="([^"]*)"', figure.html)[1]))


@pytest.mark.parametrize("bins", [(1, 2, 3, 6), (5,), (7, 4)])
def test_shares_are_means_of_the_classes(bins: tuple[int, ...]) -> None:
    for size, grid in zip(bins, given(made(bins=bins))["grids"], strict=True):
        expected = F.adaptive_avg_pool2d(channels(), size)[0].flatten(1)
        assert torch.allclose(torch.tensor(grid["shares"]) / 10_000, expected.float(), atol=1e-4)
        for (top, bottom), row in zip(grid["rows"], range(size), strict=True):
            left, right = grid["columns"][0]
            share = (LABELS[top:bottom, left:right] == ROAD).double().mean().item()
            assert grid["shares"][ROAD][row * size] == pytest.approx(10_000 * share, abs=0.6)


@pytest.mark.browser
def test_a_picked_bin_shows_its_shares(open_page: Any) -> None:
    page = open_page(made())
    figure = page.locator("seg-pyramid-bins")
    for size, row, column in ((6, 4, 1), (6, 0, 5), (3, 2, 1), (2, 1, 0), (1, 0, 0)):
        figure.get_by_role("button", name=f"{size}×{size} bins").click()
        box = figure.locator(".picture").bounding_box()
        page.mouse.move(box["x"] + (column + 0.5) * box["width"] / size,
                        box["y"] + (row + 0.5) * box["height"] / size)  # fmt: skip
        pooled = F.adaptive_avg_pool2d(channels(), size)[0, :, row, column]
        for label, name in enumerate(NAMES):
            text = figure.locator(f"[data-class='{label}'] b").inner_text()
            share = pytest.approx(100 * float(pooled[label]), abs=0.06)
            assert float(text.split()[0]) == share, name
        words = figure.locator(".read").inner_text()
        assert words.startswith("The only bin" if size == 1 else f"Bin {row + 1} of {size} down")
        top, bottom = row * 48 // size, -(-(row + 1) * 48 // size)
        assert f"rows {top} to {bottom - 1}" in words


@pytest.mark.browser
@pytest.mark.parametrize("size", [1, 2, 6])
def test_what_is_handed_back_is_the_package_s(open_page: Any, size: int) -> None:
    page = open_page(made())
    figure = page.locator("seg-pyramid-bins")
    figure.get_by_role("button", name=f"{size}×{size} bins").click()
    pooled = F.adaptive_avg_pool2d(channels(), size)
    expected = enlarged(pooled, like=LABELS[None, None], align_corners=True)[0, ROAD]
    shown = figure.evaluate(
        "f => [...Array(48).keys()].map(y => [...Array(72).keys()].map(x => f.handed(2, y, x)))"
    )
    assert torch.allclose(torch.tensor(shown).double(), expected, atol=2e-4)
    figure.locator(".blocks input").check()
    blocks = F.interpolate(pooled, (48, 72), mode="nearest-exact")[0, ROAD]
    shown = figure.evaluate(
        "f => [...Array(48).keys()].map(y => [...Array(72).keys()].map(x => f.handed(2, y, x)))"
    )
    assert torch.allclose(torch.tensor(shown).double(), blocks, atol=2e-4)


@pytest.mark.browser
def test_by_keyboard_by_touch_and_on_a_phone(open_page: Any) -> None:
    page = open_page(made(), width=390, touch=True, dark=True)
    figure = page.locator("seg-pyramid-bins")
    figure.locator(".picture").focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert "Bin 3 of 6 down, 2 of 6 across" in figure.locator(".read").inner_text()
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    assert "Bin 6 of 6 down" in figure.locator(".read").inner_text()
    box = figure.locator(".picture").bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + 2)
    assert "Bin 1 of 6 down, 1 of 6 across" in figure.locator(".read").inner_text()

    def painted() -> str:
        return figure.locator("canvas").evaluate("canvas => canvas.toDataURL()")

    before = painted()
    figure.get_by_role("button", name="sky").click()
    assert painted() != before
    assert "are sky" in figure.locator(".read").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_dragging_moves_the_bin(open_page: Any) -> None:
    page = open_page(made())
    figure = page.locator("seg-pyramid-bins")
    box = figure.locator(".picture").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=4)
    page.mouse.up()
    assert "Bin 6 of 6 down, 6 of 6 across" in figure.locator(".read").inner_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bins": ()}, "at least one grid"),
        ({"bins": (2, 0)}, "1 bin or more"),
        ({"chosen": 8}, "0 to 7"),
        ({"names": ["road"]}, "labels run from 0 to 0"),
    ],
)
def test_what_cannot_be_shown_is_named(settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        figures.pyramid_bins(STREET, LABELS, **{"names": STREET_CLASSES, **settings})


def test_sizes_must_agree_and_the_html_is_the_same_every_time() -> None:
    with pytest.raises(ValueError, match="of one size"):
        figures.pyramid_bins(STREET[:, 1:], LABELS, names=STREET_CLASSES)
    assert made(caption="a & b").html == made(caption="a & b").html
    assert len(made().html) < 100_000
