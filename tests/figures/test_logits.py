"""One pixel's logits: the figure's numbers are PyTorch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import figures


def four(**settings):
    return figures.logits(
        (2.0, -1.5, 0.0, 7.5),
        names=("road", "car", "person", "a < b"),
        colors=figures.PALETTE,
        **settings,
    )


def texts(figure, kind: str) -> list[str]:
    return [text.replace("−", "-") for text in figure.locator(f"[data-{kind}]").all_inner_texts()]


def expected(z, label, temperature=1.0, smoothing=0.0):
    z = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    loss = F.cross_entropy(
        (z / temperature)[None], torch.tensor([label]), label_smoothing=smoothing
    )
    loss.backward()
    p = (z / temperature).softmax(0).tolist()
    # Rounding may leave a minus before 0.
    gradient = [f"{g:.3f}".replace("-0.000", "0.000") for g in z.grad.tolist()]
    return [f"{value:.3f}" for value in p], gradient, f"{loss:.3f}"


def slide(figure, index: int, value: float) -> None:
    figure.locator(f"[data-logit='{index}']").evaluate(
        "(input, v) => { input.value = v; input.dispatchEvent(new Event('input')); }", value
    )


def agrees(figure, z, label, **settings) -> None:
    p, gradient, loss = expected(z, label, **settings)
    assert texts(figure, "p") == p
    assert texts(figure, "g") == gradient
    assert figure.locator(".loss b").inner_text() == loss


@pytest.mark.browser
def test_probabilities_loss_and_gradient_are_pytorchs(open_page):
    page = open_page(four(label=2))
    figure = page.locator("seg-logits")
    z = [2.0, -1.5, 0.0, 7.5]
    agrees(figure, z, 2)
    for index, value, label in [(0, -8, 0), (3, -8, 0), (1, 8, 3), (2, 0.5, 1)]:
        z[index] = value
        slide(figure, index, value)
        figure.locator(f"[data-class='{label}']").click()
        agrees(figure, z, label)
    for temperature, smoothing in [(0.5, 0.1), (4, 0.3), (2, 0.2)]:
        figure.locator(".temperature").select_option(str(temperature))
        figure.locator(".smoothing").select_option(str(smoothing))
        agrees(figure, z, label, temperature=temperature, smoothing=smoothing)


@pytest.mark.browser
def test_a_number_added_to_all_logits_changes_nothing_but_them(open_page):
    page = open_page(figures.logits())
    figure = page.locator("seg-logits")
    before = texts(figure, "p"), texts(figure, "g"), figure.locator(".loss").inner_text()
    for _ in range(6):
        figure.locator(".all-up").click()
    assert texts(figure, "z") == ["8", "7", "5"]
    assert figure.locator(".all-up").is_disabled()
    after = texts(figure, "p"), texts(figure, "g"), figure.locator(".loss").inner_text()
    assert before == after


@pytest.mark.browser
def test_a_void_pixel_has_no_loss_and_no_gradient(open_page):
    page = open_page(figures.logits(label=None))
    figure = page.locator("seg-logits")
    assert texts(figure, "g") == ["0.000"] * 3
    assert figure.locator(".loss b").inner_text() == "0"
    figure.locator(".void").click()
    agrees(figure, [2.0, 1.0, -1.0], 0)


@pytest.mark.browser
def test_the_bars_are_as_long_as_their_numbers_say(open_page):
    page = open_page(four(label=2))
    figure = page.locator("seg-logits")
    p, gradient, _ = expected([2.0, -1.5, 0.0, 7.5], 2)
    for index in range(4):
        track, bar = (
            figure.locator(f"[data-p='{index}'] + span{inner}").bounding_box()
            for inner in ("", " > u")
        )
        assert bar["width"] / track["width"] == pytest.approx(float(p[index]), abs=0.01)
        track, bar = (
            figure.locator(f"[data-g='{index}'] + span{inner}").bounding_box()
            for inner in ("", " > u")
        )
        step = -float(gradient[index])  # to the right, the logit grows
        assert bar["width"] / track["width"] == pytest.approx(abs(step) / 2, abs=0.01)
        if abs(step) > 0.02:
            side = bar["x"] + bar["width"] / 2 - (track["x"] + track["width"] / 2)
            assert (side > 0) == (step > 0)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_and_the_keyboard_moves_it(open_page, width):
    page = open_page(four(label=0), width=width, touch=width < 500)
    figure = page.locator("seg-logits")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figure.locator("[data-logit='0']").focus()
    page.keyboard.press("ArrowRight")
    agrees(figure, [2.5, -1.5, 0.0, 7.5], 0)
    page.keyboard.press("Tab")
    assert figure.locator("[data-class='1']").evaluate("b => b.matches(':focus')")
    page.keyboard.press("Enter")
    agrees(figure, [2.5, -1.5, 0.0, 7.5], 1)
    assert "a < b" in figure.locator("[data-class='3']").inner_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"logits": [1.0]}, "two to five"),
        ({"logits": [0.3, 0.0, 1.0]}, "0.3: a slider stops"),
        ({"logits": [9.0, 0.0, 1.0]}, "9: a slider stops"),
        ({"logits": [1.0, 0.0]}, "3 names"),
        ({"label": 3}, "label=3 has to be 0 to 2"),
        ({"colors": ["teal", "#000000", "#ffffff"]}, "rrggbb"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        figures.logits(**settings)


def test_the_still_names_the_label():
    assert "car (the label)" in figures.logits().html
    assert "(the label)" not in figures.logits(label=None).html
