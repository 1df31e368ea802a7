"""Where a place looks: the figure's shares are the weights that it was given."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from segtutor import figures


def looks(height: int = 8, width: int = 12, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    places = height * width
    return (
        (4 * torch.randn(places, places, generator=generator))
        .softmax(1)
        .view(height, width, height, width)
    )


STREET = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(1))


def shares(figure: Any) -> Tensor:
    return torch.tensor(figure.evaluate("figure => figure.shares()"))


def click(page: Any, figure: Any, row: int, column: int) -> None:
    box = figure.locator(".picture").bounding_box()
    page.mouse.click(box["x"] + (column + 0.5) * box["width"] / 12,
                     box["y"] + (row + 0.5) * box["height"] / 8)  # fmt: skip


@pytest.mark.browser
def test_a_picked_place_shows_its_look_and_who_looks_at_it(open_page: Any) -> None:
    weights = looks()
    page = open_page(figures.attention(STREET, weights, place=(0, 11)))
    figure = page.locator("seg-attention")
    assert torch.allclose(shares(figure), weights[0, 11].flatten(), atol=1e-4)
    for row, column in ((2, 7), (7, 0)):
        click(page, figure, row, column)
        mine = weights[row, column].flatten()
        assert torch.allclose(shares(figure), mine, atol=1e-4)
        assert figure.locator(".most").inner_text() == f"{100 * mine.max():.1f} %"
        half = int((mine.sort(descending=True).values.cumsum(0) < 0.5).sum()) + 1
        assert abs(int(figure.locator(".half").inner_text()) - half) <= 1
        opacity = figure.locator(".shade").nth(int(mine.argmax())).get_attribute("fill-opacity")
        assert float(opacity) == 0
    figure.get_by_role("button", name="who looks at it").click()
    theirs = weights[:, :, 7, 0].flatten()
    assert torch.allclose(shares(figure), theirs, atol=1e-4)
    total = float(figure.locator(".total").inner_text().split()[0])
    assert total == pytest.approx(100 * float(theirs.sum()), abs=0.6)


@pytest.mark.browser
def test_by_keyboard_and_to_the_rim(open_page: Any) -> None:
    weights = looks(seed=3)
    page = open_page(figures.attention(STREET, weights), dark=True)
    figure = page.locator("seg-attention")
    figure.locator(".picture").focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert torch.allclose(shares(figure), weights[3, 4].flatten(), atol=1e-4)
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    assert torch.allclose(shares(figure), weights[7, 4].flatten(), atol=1e-4)
    assert "row 8, column 5" in figure.locator(".read").inner_text()


@pytest.mark.browser
def test_one_of_several_and_on_a_phone(open_page: Any) -> None:
    both = {"a <b>": looks(seed=1), "c": looks(seed=2)}
    page = open_page(figures.attention(STREET, both), width=390, touch=True)
    figure = page.locator("seg-attention")
    figure.locator(".kind").select_option("c")
    assert torch.allclose(shares(figure), both["c"][4, 6].flatten(), atol=1e-4)
    assert figure.locator(".kind option").first.inner_text() == "a <b>"
    box = figure.locator(".picture").bounding_box()
    page.touchscreen.tap(box["x"] + 3, box["y"] + 3)
    assert torch.allclose(shares(figure), both["c"][0, 0].flatten(), atol=1e-4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("weights", "settings", "words"),
    [
        (looks()[None], {}, r"\(1, 8, 12, 8, 12\)"),
        (looks().permute(2, 3, 0, 1), {}, "softmax over the keys"),
        (looks(), {"place": (8, 0)}, "not on a map"),
        ({}, {}, "empty"),
        ({"a": looks(), "b": looks(4, 4)}, {}, "different sizes"),
        (torch.full((24, 24, 24, 24), 1 / 576), {}, "576 places"),
    ],
)
def test_what_cannot_be_shown_is_named(weights: Any, settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        figures.attention(STREET, weights, **settings)


def test_the_same_html_every_time_and_small() -> None:
    made = figures.attention(STREET, looks(), caption="a & b")
    assert made.html == figures.attention(STREET, looks(), caption="a & b").html
    assert "a &amp; b" in made.html
    assert len(made.html) < 100_000
