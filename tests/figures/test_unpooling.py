"""Three ways back from pooling, moved; the numbers are PyTorch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import figures

EVEN = torch.tensor(
    [[1, -3, 2, 0, 5, 1], [4, 0, 1, 2, 3, 1], [2, 6, 7, 7, -1, 0], [-5, -6, -7, -8, -9, -2]]
)  # 4 × 6: no square, negative numbers, a tie
ODD = torch.tensor([[1, 0, 9, 0, 2], [0, 8, 0, 3, 0], [7, 0, 1, 0, 6]])
BELL = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1]))[None, None]


def numbers(locator) -> list[float]:
    return [float(text.replace("−", "-")) for text in locator.all_text_contents()]


def expected(pixels, way: str, convolve: bool):
    x = pixels[None, None].float()
    values, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    if way == "by indices":
        back = F.max_unpool2d(values, indices, 2, output_size=x.shape[2:])
    else:
        back = F.interpolate(values, x.shape[2:], mode=way)
    if convolve:
        back = F.conv2d(back, BELL / (4 if way == "by indices" else 16), padding=1)
    return values.flatten().tolist(), indices.flatten().tolist(), back[0, 0]


def agrees(figure, pixels, way: str, convolve: bool) -> None:
    values, indices, back = expected(pixels, way, convolve)
    assert numbers(figure.locator(".result .value")) == pytest.approx(values)
    shown = figure.locator(".result .index").all_text_contents()
    assert shown == [f"#{index}" for index in indices]
    found = numbers(figure.locator(".back .value"))
    assert found == pytest.approx(back.flatten().tolist(), abs=0.0051), (way, convolve)
    facts = figure.locator(".facts").inner_text()
    assert f"Not zero: {int((back != 0).sum())} of {back.numel()}." in facts
    error = float((back - pixels).square().mean())
    assert float(facts.split(": ")[-1].rstrip(".")) == pytest.approx(error, abs=0.0051)


@pytest.mark.browser
@pytest.mark.parametrize("pixels", [EVEN, ODD], ids=["even", "odd"])
def test_every_way_agrees_with_pytorch(open_page, pixels):
    page = open_page(figures.unpooling(pixels))
    figure = page.locator("seg-unpooling")
    for convolve in (False, True):
        for way in ("by indices", "nearest", "bilinear"):
            figure.locator(".way").select_option(way)
            agrees(figure, pixels, way, convolve)
        figure.locator(".conv").click()


@pytest.mark.browser
def test_painting_by_pointer_and_by_keys(open_page):
    page = open_page(figures.unpooling(EVEN), width=390, touch=True)
    figure = page.locator("seg-unpooling")
    changed = EVEN.clone()
    box = figure.locator(".paint").bounding_box()
    side = box["width"] / 6.1
    page.mouse.move(box["x"] + 1.5 * side, box["y"] + 0.5 * side)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * side, box["y"] + 0.5 * side, steps=8)
    page.mouse.up()
    changed[0, 1:4] = 9
    agrees(figure, changed, "by indices", False)
    figure.locator(".paint").focus()
    for key in ("ArrowDown", "ArrowLeft", "7"):
        page.keyboard.press(key)
    changed[1, 2] = 7
    agrees(figure, changed, "by indices", False)
    figure.locator(".reset").click()
    agrees(figure, EVEN, "by indices", False)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_the_words_follow_the_chosen_window(open_page):
    page = open_page(figures.unpooling(EVEN), dark=True)
    figure = page.locator("seg-unpooling")
    figure.locator(".result").focus()
    for key in ("ArrowDown",):
        page.keyboard.press(key)
    words = figure.locator(".words")
    said = "Largest of 7, 7, −7, −8: 7, upper left; index 2·6 + 2 = 14. By its index it goes"
    assert said in words.inner_text()
    figure.locator(".way").select_option("nearest")
    assert "it fills its window" in words.inner_text()
    assert figure.locator(".quarter.here").count() == 6


def test_the_still_picture_holds_the_package_s_numbers():
    html = figures.unpooling([[1, 2], [3, 7]]).html
    for caption in ("the pixels", "their maxima", "indices", "brought back"):
        assert f"<caption>{caption}</caption>" in html
    assert html.count(">7</td>") == 3


@pytest.mark.parametrize(
    ("pixels", "words"),
    [([[1.0, 2.0]], "1 by 2"), (torch.zeros(9, 2), "8 by 8"), (torch.zeros(2), "has shape")],
)
def test_what_cannot_be_shown_is_refused(pixels, words):
    with pytest.raises(ValueError, match=words):
        figures.unpooling(pixels)
