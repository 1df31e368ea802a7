"""The figure's numbers are those of the package, its pulls those of autograd."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from segtutor import figures, losses
from segtutor.figures.losses import SIZES, SURE

LOSSES = {
    "cross-entropy": lambda x, y: losses.cross_entropy(x, y),
    "focal, γ = 2": lambda x, y: losses.softmax_focal_loss(x, y, gamma=2.0),
    "Dice": lambda x, y: losses.dice_loss(x, y),
    "Tversky, β = 0.7": lambda x, y: losses.tversky_loss(x, y, alpha=0.3, beta=0.7),
    "Lovász": lambda x, y: losses.lovasz_softmax(x, y),
}


def expected(rare: int, missed: int, sure: float) -> dict[str, tuple[str, str]]:
    """Value and share of the gradient at the missed pixels, from the package and autograd."""
    labels = torch.zeros(1, 20, 50, dtype=torch.int64)
    labels.view(-1)[:rare] = 1
    says = labels.clone()
    says.view(-1)[:missed] = 0
    # A little noise: Lovász sorts the errors, and among equal ones the order is anyone's guess.
    noise = torch.linspace(-1e-7, 1e-7, 1000, dtype=torch.float64).view(1, 20, 50)
    margin = torch.tensor(sure, dtype=torch.float64).logit() * (2 * says - 1) + noise
    found = {}
    for name, loss in LOSSES.items():
        z = margin.clone().requires_grad_()
        value = loss(torch.stack([torch.zeros_like(z), z], 1), labels)
        value.backward()
        pull = z.grad.abs().view(-1)
        share = 100 * pull[:missed].sum() / pull.sum()
        found[name] = (f"{value:.3f}", f"{share:.1f} %")
    return found


def shown(figure) -> dict[str, tuple[str, str]]:
    rows = figure.locator("tbody tr").all()
    cells = [[cell.inner_text().strip() for cell in row.locator("td").all()] for row in rows]
    return {name: (value, pull) for name, value, pull in cells}


def slide(figure, name: str, stop: int) -> None:
    figure.locator(f"input.{name}").evaluate(
        "(input, stop) => { input.value = stop; input.dispatchEvent(new Event('input')); }", stop
    )


@pytest.mark.browser
def test_values_and_pulls_are_those_of_the_package(open_page):
    page = open_page(figures.loss_curves(10))
    figure = page.locator("seg-loss-curves")
    for rare, missed, sure in [
        (10, 5, 0.95), (2, 0, 0.6), (2, 2, 0.99), (50, 13, 0.8), (500, 240, 0.7), (500, 500, 0.9),
    ]:  # fmt: skip
        slide(figure, "size", SIZES.index(rare))
        slide(figure, "miss", missed)
        slide(figure, "sure", SURE.index(sure))
        assert shown(figure) == expected(rare, missed, sure), (rare, missed, sure)


@pytest.mark.browser
def test_the_pixels_drawn_are_the_pixels_counted(open_page):
    page = open_page(figures.loss_curves(20, missed=7))
    figure = page.locator("seg-loss-curves")
    assert figure.locator(".pixels rect").count() == 1000
    assert figure.locator(".pixels .missed").count() == 7
    assert figure.locator(".pixels .found").count() == 13
    slide(figure, "size", SIZES.index(200))  # the share that is missed stays
    assert figure.locator(".pixels .missed").count() == 70


@pytest.mark.browser
def test_the_curves_pass_through_the_dots(open_page):
    page = open_page(figures.loss_curves(100, missed=50, sure=0.99))
    figure = page.locator("seg-loss-curves")
    dots = figure.locator("circle.dot").evaluate_all("all => all.map(d => [d.cx, d.cy].map("
                                                      "a => a.baseVal.value))")  # fmt: skip
    curves = figure.locator("path.curve").evaluate_all("all => all.map(c => c.getAttribute('d'))")
    for (x, y), curve in zip(dots, curves, strict=True):
        points = [tuple(map(float, point.split())) for point in curve[1:].split("L")]
        nearest = min(points, key=lambda point: abs(point[0] - x))
        assert nearest == (pytest.approx(x, abs=0.1), pytest.approx(y, abs=0.1))


@pytest.mark.browser
def test_the_keyboard_moves_and_the_words_follow(open_page):
    page = open_page(figures.loss_curves(10, missed=0), width=390, touch=True)
    figure = page.locator("seg-loss-curves")
    assert "Nothing is missed" in figure.locator(".read").inner_text()
    figure.locator("input.miss").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert figure.locator(".miss-is").inner_text() == "3 of 10"
    assert "3 of 10 pixels are missed" in figure.locator(".read").inner_text()
    page.keyboard.press("End")
    assert "The whole class is missed" in figure.locator(".read").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("sure", SURE)
def test_no_name_lies_on_another_and_none_is_cut(open_page, width, sure):
    page = open_page(figures.loss_curves(500, missed=3, sure=sure), width=width)
    boxes = page.locator("seg-loss-curves .leader + circle + text").evaluate_all(
        "all => all.map(t => t.getBoundingClientRect()).map(r => [r.top, r.bottom, r.right])"
    )
    edge = page.locator("seg-loss-curves .chart").bounding_box()
    assert len(boxes) == 5
    assert all(right <= edge["x"] + edge["width"] + 1 for _, _, right in boxes)
    boxes.sort()
    for (top, _, _), (next_top, _, _) in pairwise(boxes):
        # Boxes are taller than the letters in them; seven tenths apart reads as apart.
        assert next_top - top >= 0.7 * (boxes[0][1] - boxes[0][0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rare": 7}, "rare=7 is no stop"),
        ({"rare": 10, "sure": 0.5}, "sure=0.5 is no stop"),
        ({"rare": 10, "missed": 11}, "from 0 to rare=10"),
        ({"rare": 10, "missed": 2.5}, "whole number"),
    ],
)
def test_what_the_sliders_cannot_show_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        figures.loss_curves(**settings)


def test_half_is_missed_unless_told_otherwise():
    assert "&quot;missed&quot;:25" in figures.loss_curves(50).html
