"""The figure's learning rates are those of the package, and so those of `fit`."""

from __future__ import annotations

import pytest
import torch

from segtutor import figures
from segtutor.figures.training import LOSSES, PEAKS
from segtutor.training import learning_rates
from segtutor.training.schedules import SCHEDULES, plateau_factor

EACH = 10


def expected(schedule, epochs, peak, warm_up, losses=LOSSES) -> list[float]:
    rates = learning_rates(schedule, epochs * EACH, peak, warm_up=warm_up)
    if schedule == "plateau":
        rates = [r * plateau_factor(losses[: i // EACH]) for i, r in enumerate(rates)]
    return rates


def slide(figure, name: str, stop: int) -> None:
    figure.locator(f"input.{name}").evaluate(
        "(input, stop) => { input.value = stop; input.dispatchEvent(new Event('input')); }", stop
    )


def shown(figure) -> float:
    return float(figure.locator(".rate").inner_text().replace("−", "-"))


@pytest.mark.browser
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_rate_is_that_of_the_package(open_page, schedule):
    page = open_page(figures.schedules("constant", steps=EACH))
    figure = page.locator("seg-schedules")
    figure.locator("select").select_option(schedule)
    for epochs, peak, twentieths in [(20, 3, 0), (2, 0, 1), (7, 6, 5), (3, 2, 3), (40, 4, 10)]:
        slide(figure, "epochs", epochs - 2)
        slide(figure, "peak", peak)
        slide(figure, "warm", twentieths)
        warm_up = 0 if schedule == "one_cycle" else twentieths / 20
        rates = expected(schedule, epochs, PEAKS[peak], warm_up)
        assert figure.evaluate("e => e.rates") == pytest.approx(rates, rel=1e-9, abs=0)
        for step in (0, 1, len(rates) // 2, len(rates) - 1):
            slide(figure, "step-at", step)
            assert shown(figure) == pytest.approx(rates[step], rel=0.0051)
            assert f"Step {step} of {len(rates)}," in figure.locator(".read").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_halves_are_rounded_as_python_does(open_page, steps):
    page = open_page(figures.schedules("poly", epochs=10, steps=steps))
    figure = page.locator("seg-schedules")
    for twentieths in range(11):
        slide(figure, "warm", twentieths)
        rates = learning_rates("poly", 10 * steps, 3e-3, warm_up=twentieths / 20)
        assert figure.evaluate("e => e.rates") == pytest.approx(rates, rel=1e-9)


@pytest.mark.browser
def test_one_cycle_takes_no_warm_up(open_page):
    page = open_page(figures.schedules("poly", warm_up=0.2))
    figure = page.locator("seg-schedules")
    assert figure.locator(".warm-is").inner_text() == "20 %"
    figure.locator("select").select_option("one_cycle")
    assert figure.locator("input.warm").is_disabled()
    assert "rises by itself" in figure.locator(".warm-is").inner_text()
    figure.locator("select").select_option("cosine")  # and gives it back
    assert figure.evaluate("e => e.rates")[0] == pytest.approx(3e-3 / 41)


@pytest.mark.browser
def test_losses_are_drawn_by_mouse_and_keyboard_and_the_rate_follows(open_page):
    page = open_page(figures.schedules("plateau", epochs=10))
    figure = page.locator("seg-schedules")
    svg = figure.locator("svg.loss")
    box = svg.bounding_box()
    unit = box["width"] / 640
    place = lambda epoch, y: (box["x"] + (62 + (epoch + 0.5) * 56.4) * unit, box["y"] + y * unit)  # noqa: E731
    page.mouse.move(*place(0, 60))  # one level stroke from the first epoch to the last
    page.mouse.down()
    page.mouse.move(*place(9, 60), steps=60)
    page.mouse.up()
    losses = figure.evaluate("e => e.losses.slice(0, e.epochs)")
    assert len(set(losses)) == 1
    assert 0.3 < losses[0] < 0.7
    assert figure.evaluate("e => e.rates") == pytest.approx(
        expected("plateau", 10, 3e-3, 0, losses)
    )
    assert figure.locator(".loss .drop").count() == 2  # after five, then after four more
    svg.focus()
    for key in ["ArrowLeft"] * 9 + ["ArrowRight"] * 4 + ["ArrowDown"] * 3:
        page.keyboard.press(key)
    changed = figure.evaluate("e => e.losses.slice(0, e.epochs)")
    assert [i for i in range(10) if changed[i] != losses[i]] == [4]
    assert changed[4] == pytest.approx(losses[4] - 0.06)
    assert figure.locator(".loss .drop").count() == 1
    assert figure.evaluate("e => e.rates") == pytest.approx(
        expected("plateau", 10, 3e-3, 0, changed)
    )


@pytest.mark.browser
def test_a_curve_can_be_kept_beside_another(open_page):
    page = open_page(figures.schedules("poly", warm_up=0.1))
    figure = page.locator("seg-schedules")
    figure.get_by_role("button", name="keep this curve").click()
    before = figure.locator("path.curve").get_attribute("d")
    figure.locator("select").select_option("cosine")
    assert figure.locator("path.kept").get_attribute("d") == before
    assert figure.locator("path.curve").get_attribute("d") != before
    assert "poly, warm-up 10 %, peak 0.003" in figure.locator(".keeps").inner_text()
    slide(figure, "peak", 4)  # a higher curve: both keep their heights apart
    heights = [
        min(float(p.split()[1]) for p in figure.locator(c).get_attribute("d")[1:].split("L"))
        for c in ("path.curve", "path.kept")
    ]
    assert heights[0] < 20 < 150 < heights[1]
    figure.get_by_role("button", name="let the kept curve go").click()
    assert figure.locator("path.kept").count() == 0


@pytest.mark.browser
def test_the_pointer_reads_the_rate_and_the_dot_is_on_the_curve(open_page):
    page = open_page(figures.schedules("cosine"))
    figure = page.locator("seg-schedules")
    box = figure.locator("svg.chart").bounding_box()
    rates = expected("cosine", 20, 3e-3, 0)
    for step in (4, 80, 194):
        share = (step + 0.5) / len(rates)
        page.mouse.move(box["x"] + box["width"] * (62 + share * 564) / 640, box["y"] + 50)
        assert shown(figure) == pytest.approx(rates[step], rel=0.0051)
        dot = figure.locator("circle.dot").first
        x, y = float(dot.get_attribute("cx")), float(dot.get_attribute("cy"))
        points = [p.split() for p in figure.locator("path.curve").get_attribute("d")[1:].split("L")]
        assert [x, y] == pytest.approx([float(n) for n in points[step]], abs=0.06)


@pytest.mark.browser
@pytest.mark.parametrize("schedule", ["one_cycle", "plateau"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_fits_the_screen_and_the_finger(open_page, schedule, width):
    page = open_page(figures.schedules(schedule), width=width, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("button:visible, select:visible, input:visible").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 36, control.evaluate("e => e.outerHTML")
    for control in page.locator("button, select, input, [tabindex]").all():
        name = control.evaluate("e => e.getAttribute('aria-label') || e.textContent.trim()")
        assert name, control.evaluate("e => e.outerHTML")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"schedule": "step"}, "schedule='step' is no stop"),
        ({"epochs": 1}, "epochs=1 is no stop"),
        ({"learning_rate": 0.5}, "learning_rate=0.5"),
        ({"warm_up": 0.33}, "warm_up=0.33"),
        ({"steps": 3}, "steps=3"),
    ],
)
def test_what_the_controls_cannot_show_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        figures.schedules(**settings)


def test_the_still_curve_is_the_schedule():
    html = figures.schedules("poly", epochs=4, steps=1).html
    rates = torch.tensor(learning_rates("poly", 4, 1.0))
    points = html.split('<polyline points="')[1].split('"')[0].split()
    heights = torch.tensor([(200 - float(p.split(",")[1])) / 190 for p in points])
    torch.testing.assert_close(heights, rates, atol=1e-3, rtol=0)
