"""The pooling window, moved; its numbers are PyTorch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import figures
from segtutor.figures.pooling import MODES

PIXELS = torch.tensor(
    [[1, -3, 2, 0, 5], [4, 0, 1, 2, 3], [2, 6, 7, 7, -1], [-5, -6, -7, -8, -9]]
)  # 4 × 5: no square, negative numbers, a tie


def numbers(locator) -> list[float]:
    return [float(text.replace("−", "-")) for text in locator.all_text_contents()]


def step(figure, name: str, times: int) -> None:
    button = figure.get_by_role("button", name=f"{name}: {'more' if times > 0 else 'less'}")
    for _ in range(abs(times)):
        button.click()


def expected(mode: str, k: int, s: int, p: int, ceil_mode: bool):
    x = PIXELS[None, None].float()
    if mode == "max":
        values, indices = F.max_pool2d(x, k, s, p, ceil_mode=ceil_mode, return_indices=True)
        home = torch.zeros(1, 1, 20).scatter(2, indices.flatten(2), values.flatten(2))
        return values.flatten().tolist(), indices.flatten().tolist(), home.flatten().tolist()
    inside = mode == MODES[2]
    values = F.avg_pool2d(x, k, s, p, ceil_mode, count_include_pad=not inside)
    return values.flatten().tolist(), None, None


def agrees(figure, *settings) -> None:
    values, indices, home = expected(*settings)
    assert numbers(figure.locator(".result .value")) == pytest.approx(values, abs=0.0051), settings
    if indices is not None:
        shown = figure.locator(".result .index").all_text_contents()
        assert shown == [f"#{index}" for index in indices]
        assert numbers(figure.locator(".unpooled text")) == home
    else:
        assert not figure.locator(".home").is_visible()


@pytest.mark.browser
def test_many_settings_agree_with_pytorch(open_page):
    page = open_page(figures.pooling_window(PIXELS))
    figure = page.locator("seg-pooling-window")
    k, s, p, ceil_mode = 2, 2, 0, False
    for mode, to_k, to_s, to_p, to_ceil in [
        ("max", 2, 2, 0, False), ("max", 2, 2, 0, True), ("max", 3, 1, 1, True),
        ("max", 3, 2, 1, False), ("max", 3, 4, 1, True), (MODES[1], 3, 2, 1, False),
        (MODES[1], 3, 2, 1, True), (MODES[2], 3, 2, 1, True), (MODES[2], 4, 3, 2, True),
        (MODES[1], 4, 3, 2, True), ("max", 1, 3, 0, True), ("max", 4, 4, 2, False),
    ]:  # fmt: skip
        figure.locator(".mode").select_option(mode)
        step(figure, "padding", -p)
        step(figure, "window", to_k - k)
        step(figure, "stride", to_s - s)
        step(figure, "padding", to_p)
        if ceil_mode != to_ceil:
            figure.locator(".ceil").click()
        k, s, p, ceil_mode = to_k, to_s, to_p, to_ceil
        agrees(figure, mode, k, s, p, ceil_mode)


@pytest.mark.browser
def test_the_words_name_the_winner_and_its_index(open_page):
    page = open_page(figures.pooling_window(PIXELS, stride=1))
    figure = page.locator("seg-pooling-window")
    figure.locator(".scrub").focus()
    page.keyboard.press("End")
    words = figure.locator(".words").inner_text()
    assert "largest of 7, −1, −8, −9: 7, from row 2, column 3. Its index is 2·5 + 3 = 13." in words
    figure.locator(".mode").select_option(MODES[1])
    assert "(7 + (−1) + (−8) + (−9)) / 4 = −11 / 4 = −2.75" in figure.locator(".words").inner_text()


@pytest.mark.browser
def test_a_window_that_starts_behind_the_picture_is_explained(open_page):
    page = open_page(figures.pooling_window([[1, 2, 3]] * 3, padding=1))
    figure = page.locator("seg-pooling-window")
    figure.locator(".ceil").click()
    assert "less 1: that window would start behind" in figure.locator(".size").inner_text()
    assert figure.locator(".result .value").count() == 4


@pytest.mark.browser
def test_what_does_not_fit_says_what_to_do(open_page):
    page = open_page(figures.pooling_window([[1, 2], [3, 4]]))
    figure = page.locator("seg-pooling-window")
    step(figure, "window", 1)
    assert "does not fit into 2 pixels" in figure.locator(".note").inner_text()
    assert figure.locator(".toggle").is_disabled()
    step(figure, "padding", 2)
    assert "more than half of a window of 3" in figure.locator(".note").inner_text()
    step(figure, "padding", -1)
    assert figure.locator(".note").is_hidden()


@pytest.mark.browser
def test_painting_changes_the_maximum_and_starting_over_brings_it_back(open_page):
    page = open_page(figures.pooling_window(PIXELS))
    figure = page.locator("seg-pooling-window")
    figure.locator(".paint").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("9")
    assert numbers(figure.locator(".result .value"))[0] == 9
    assert figure.locator(".result .index").first.text_content() == "#1"
    figure.locator(".reset").click()
    agrees(figure, "max", 2, 2, 0, False)


@pytest.mark.browser
def test_play_runs_to_the_end_and_stops(open_page):
    page = open_page(figures.pooling_window(PIXELS))
    figure = page.locator("seg-pooling-window")
    figure.locator(".toggle").click()
    page.wait_for_timeout(3200)
    assert figure.locator(".toggle").get_attribute("aria-label") == "play"
    assert figure.locator(".scrub").input_value() == "3"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_the_page(open_page, width):
    page = open_page(figures.pooling_window(PIXELS, padding=1), width=width, touch=width < 500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel_size": 5}, "kernel_size=5"),
        ({"stride": 0}, "stride=0"),
        ({"padding": 2}, "padding=2 is more than half"),
        ({"mode": "median"}, "mode='median'"),
        ({"pixels": [[1.0]]}, "kernel=2"),
        ({"pixels": torch.zeros(13, 2)}, "12 by 12"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        figures.pooling_window(**{"pixels": PIXELS, **settings})
