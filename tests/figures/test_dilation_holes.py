from __future__ import annotations

import pytest
import torch
from torch import nn

from segtutor import figures
from segtutor.figures.dilation import paths_in_a_row


def gradient(rates: list[int]) -> torch.Tensor:
    """Paths to the middle output, counted by PyTorch: all weights are 1."""
    layers = [nn.Conv2d(1, 1, 3, padding=d, dilation=d, bias=False) for d in rates]
    for layer in layers:
        nn.init.ones_(layer.weight)
    side = 1 + 2 * sum(rates)
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    nn.Sequential(*layers)(x)[0, 0, side // 2, side // 2].backward()
    return x.grad[0, 0].long()


@pytest.mark.parametrize("rates", [[1], [2, 2, 2], [1, 2, 5], [9, 1], [3, 4, 5, 1]])
def test_paths_are_what_the_gradient_counts(rates):
    row = torch.tensor(paths_in_a_row(rates))
    assert torch.equal(torch.outer(row, row), gradient(rates))


def agrees(figure, rates: list[int]) -> None:
    expected = gradient(rates)
    side, seen = len(expected), int((expected > 0).sum())
    assert figure.locator(".span").inner_text() == f"{side} × {side} = {side**2} pixels"
    assert figure.locator(".sees").inner_text().endswith(f"= {seen}")
    holes = figure.locator(".holes").inner_text()
    assert holes.split(",")[0] == (str(side**2 - seen) if seen < side**2 else "none")
    paths = figure.locator(".seen").evaluate_all("all => all.map(r => Number(r.dataset.paths))")
    assert paths == expected[expected > 0].tolist()


def press(figure, label: str, times: int) -> None:
    for _ in range(times):
        figure.get_by_role("button", name=label, exact=True).click()


@pytest.mark.browser
def test_rates_and_layers_can_be_changed(open_page):
    figure = open_page(figures.dilation_holes([2, 2, 2])).locator("seg-dilation-holes")
    agrees(figure, [2, 2, 2])
    press(figure, "layer 3: dilation: more", 3)
    agrees(figure, [2, 2, 5])
    press(figure, "layer 1: dilation: less", 1)
    agrees(figure, [1, 2, 5])
    assert figure.locator(".preset").input_value() == "your own"
    press(figure, "add a layer", 1)
    agrees(figure, [1, 2, 5, 1])
    assert figure.get_by_role("button", name="add a layer").is_disabled()
    press(figure, "remove the last", 3)
    agrees(figure, [1])
    assert figure.get_by_role("button", name="remove the last").is_disabled()
    for name in ("1, 2, 9", "4, 8", "1, 3, 9"):
        figure.locator(".preset").select_option(name)
        agrees(figure, [int(rate) for rate in name.split(", ")])


@pytest.mark.browser
def test_a_pixel_is_chosen_by_keys_and_by_touch(open_page):
    page = open_page(figures.dilation_holes([2, 2, 2]), touch=True, width=390)
    figure = page.locator("seg-dilation-holes")
    assert "7 · 7 = 49 paths" in figure.locator(".read").inner_text()
    figure.locator("svg.picture").focus()
    page.keyboard.press("ArrowRight")
    assert "1 right is a hole" in figure.locator(".read").inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert "2 up, 2 right: 6 · 6 = 36 paths" in figure.locator(".read").inner_text()
    box = figure.locator("svg.picture").bounding_box()
    page.touchscreen.tap(box["x"] + 3, box["y"] + 3)
    assert "6 up, 6 left: 1 · 1 = 1 path to" in figure.locator(".read").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("rates", [[1], [9, 9, 9, 9]])
def test_it_fits_the_page(open_page, width, rates):
    page = open_page(figures.dilation_holes(rates), width=width, dark=width > 500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("rates", "words"),
    [([], "0 entries"), ([1] * 5, "5 entries"), ([1, 0], r"rates\[1\]=0"), ([10], "1 to 9")],
)
def test_what_cannot_be_drawn_is_refused(rates, words):
    with pytest.raises(ValueError, match=words):
        figures.dilation_holes(rates)


def test_the_still_shows_what_is_seen():
    still = figures.dilation_holes([2, 2, 2]).html
    assert still.count("<rect x=") >= 49
    assert repr(figures.dilation_holes([4])).startswith("Moving figure: what 1 layer with dilation")
