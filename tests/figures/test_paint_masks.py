"""Two label maps to paint: the figure's numbers are those of segtutor.metrics."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from segtutor import figures
from segtutor.metrics import ConfusionMatrix, boundary_f1, boundary_iou, hausdorff_distance


def square(shift: int = 0) -> Tensor:
    made = torch.zeros(16, 16, dtype=torch.long)
    made[4:12, 4 + shift : 12 + shift] = 1
    return made


def expected(target: Tensor, pred: Tensor, tolerance: float = 1.0) -> dict[str, float]:
    cm = ConfusionMatrix(2).update(pred, target)
    scores = {
        "accuracy": cm.pixel_accuracy(),
        "precision": cm.precision()[1],
        "recall": cm.recall()[1],
        "iou": cm.iou()[1],
        "dice": cm.dice()[1],
        "miou": cm.mean_iou(),
        "biou": boundary_iou(pred, target, 2)[1],
        "bf1": boundary_f1(pred, target, 2, tolerance=tolerance)[1],
        "hd": hausdorff_distance(pred, target, 2)[1],
        "hd95": hausdorff_distance(pred, target, 2, percentile=95.0)[1],
    }
    counts = {name: getattr(cm, name)[1] for name in ("tp", "fp", "fn", "tn")}
    return {name: float(value) for name, value in {**scores, **counts}.items()}


def shown(figure: Any) -> tuple[dict[str, float], dict[str, str]]:
    """The figure's numbers in full, and as they are written."""
    tiles = figure.locator("[data-score]").all()
    values = {t.get_attribute("data-score"): float(t.get_attribute("data-value")) for t in tiles}
    words = {t.get_attribute("data-score"): t.inner_text() for t in tiles}
    for count in figure.locator("[data-count]").all():
        values[count.get_attribute("data-count")] = float(count.inner_text())
    return values, words


def agrees(figure: Any, target: Tensor, pred: Tensor, tolerance: float = 1.0) -> None:
    values, words = shown(figure)
    assert values.pop("void") == int((target == 255).sum())
    assert values == pytest.approx(expected(target, pred, tolerance), nan_ok=True)
    for name, text in words.items():
        value = values[name]
        if math.isnan(value) or math.isinf(value):
            assert text == ("–" if math.isnan(value) else "∞")
        else:
            assert float(text.split()[0]) == pytest.approx(value, abs=0.00051)


def maps_of(figure: Any) -> tuple[Tensor, Tensor]:
    return tuple(
        torch.tensor(figure.evaluate(f"figure => figure.{name}"))
        for name in ("target", "prediction")
    )


def center(figure: Any, name: str, row: int, column: int) -> tuple[float, float]:
    box = figure.locator(f"[data-map='{name}']").bounding_box()
    unit = box["width"] / (16 * 20 + 4)
    return box["x"] + (20 * column + 12) * unit, box["y"] + (20 * row + 12) * unit


@pytest.mark.browser
def test_random_paintings_have_the_scores_of_the_package(open_page: Any) -> None:
    cases = []
    for seed in range(24):
        generator = torch.Generator().manual_seed(seed)
        height, width = torch.randint(4, 25, (2,), generator=generator).tolist()
        if seed % 2:  # blobs
            noise = torch.randn(3, 1, 4, 4, generator=generator)
            maps = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic")[:, 0]
        else:  # dust
            maps = torch.randn(3, height, width, generator=generator)
        target, pred = (maps[:2] > 0.4 * (seed % 5)).long()
        target[maps[2] > 1 - 0.2 * (seed % 4)] = 255
        cases.append((target, pred))
    empty = torch.zeros(9, 7, dtype=torch.long)
    cases += [(empty, empty), (empty, empty + 1), (empty + 1, empty), (empty + 255, empty)]
    page = open_page(*(figures.paint_masks(target, pred) for target, pred in cases))
    for index, (target, pred) in enumerate(cases):
        agrees(page.locator("seg-paint-masks").nth(index), target, pred)


@pytest.mark.browser
def test_painted_by_mouse(open_page: Any) -> None:
    page = open_page(figures.paint_masks(square(), square()))
    figure = page.locator("seg-paint-masks")
    target, pred = square(), square()
    page.mouse.move(*center(figure, "prediction", 1, 1))
    page.mouse.down()
    for column in (2, 3, 4):
        page.mouse.move(*center(figure, "prediction", 1, column))
    page.mouse.up()
    pred[1, 1:5] = 1
    agrees(figure, target, pred)
    assert figure.locator(".preset").input_value() == "your own"
    page.mouse.click(*center(figure, "prediction", 1, 1))  # a second touch wipes
    pred[1, 1] = 0
    figure.get_by_role("button", name="void").click()
    page.mouse.click(*center(figure, "target", 1, 2))
    target[1, 2] = 255
    page.mouse.click(*center(figure, "prediction", 8, 8))  # a prediction is never void
    assert "only the target can be void" in figure.locator(".say").inner_text()
    agrees(figure, target, pred)
    assert torch.equal(torch.stack(maps_of(figure)), torch.stack([target, pred]))
    figure.get_by_role("button", name="start over").click()
    agrees(figure, square(), square())


@pytest.mark.browser
def test_painted_by_finger(open_page: Any) -> None:
    page = open_page(figures.paint_masks(square(), square()), width=390, touch=True)
    figure = page.locator("seg-paint-masks")
    place = center(figure, "prediction", 0, 0)
    page.touchscreen.tap(*place)
    pred = square()
    pred[0, 0] = 1
    agrees(figure, square(), pred)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_painted_by_keyboard_and_heard(open_page: Any) -> None:
    page = open_page(figures.paint_masks(square(), square(2)))
    figure = page.locator("seg-paint-masks")
    target, pred = square(), square(2)
    figure.locator("[data-map='target']").focus()
    for key in ("ArrowDown", "ArrowRight", "v", "ArrowRight", "1", "ArrowRight", " "):
        page.keyboard.press(key)
    target[1, 1], target[1, 2], target[1, 3] = 255, 1, 1
    agrees(figure, target, pred)
    scores = expected(target, pred)
    assert figure.locator(".live").inner_text() == (
        f"IoU {scores['iou']:.3f}, boundary F1 {scores['bf1']:.3f}, "
        f"Hausdorff distance {scores['hd']:.3f}"
    )
    page.keyboard.press("ArrowLeft")
    assert figure.locator(".live").inner_text() == "row 1, column 2: object"
    page.keyboard.press("Control+1")  # the page's own shortcuts stay its own
    assert torch.equal(maps_of(figure)[0], target)
    figure.get_by_role("button", name="tolerance: more").click()
    agrees(figure, target, pred, tolerance=2.0)


@pytest.mark.browser
def test_every_example_shows_what_it_says(open_page: Any) -> None:
    page = open_page(figures.paint_masks(square(), square()))
    figure, scores = page.locator("seg-paint-masks"), {}
    for name in ("shifted square", "thin pole missed", "one stray pixel", "all background",
                 "void ring"):  # fmt: skip
        figure.locator(".preset").select_option(name)
        agrees(figure, *maps_of(figure))
        scores[name] = shown(figure)[0]
    assert scores["shifted square"]["hd"] == 2
    assert scores["thin pole missed"]["iou"] > 0.7
    assert scores["thin pole missed"]["hd95"] > 3
    assert scores["one stray pixel"]["hd"] > 5
    assert scores["one stray pixel"]["hd95"] == 0
    assert scores["all background"]["accuracy"] > 0.95
    assert scores["all background"]["iou"] == 0
    assert math.isinf(scores["all background"]["hd"])
    assert scores["void ring"]["iou"] == 1
    assert scores["void ring"]["fp"] == 0


@pytest.mark.parametrize(
    ("target", "pred", "error", "words"),
    [
        (square(), square()[:8], ValueError, "make them alike"),
        (square() + 1, square(), ValueError, "target contains 2"),
        (square(), square() * 255, ValueError, "prediction contains 255"),
        (square().float(), square(), TypeError, "target is float32"),
        (square()[:3, :3], square(), ValueError, "4 by 4 to 24 by 24"),
        (square()[None], square(), ValueError, r"has to be \(H, W\)"),
    ],
)
def test_bad_maps_are_named(target: Tensor, pred: Tensor, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        figures.paint_masks(target, pred)


def test_the_same_html_every_time_and_a_still_picture() -> None:
    made = figures.paint_masks(square(), square() == 1, caption="a & b")
    assert made.html == figures.paint_masks(square(), square(), caption="a & b").html
    assert made.html.count('role="img"') >= 2
    assert "a &amp; b" in made.html
