from __future__ import annotations

import re

import pytest
import torch

from segtutor import labs
from segtutor.labs.training import BATCHES, RATES, SCENES
from segtutor.training import evaluate, learning_rates, predict


@pytest.fixture(scope="module")
def bench():
    return labs.training()


def curves(bench) -> list[int]:
    """The number of points of each curve in the view."""
    return [d.count("L") + 1 for d in re.findall(r'<path d="M([^"H]*)" stroke', bench.view.value)]


def test_the_training_is_that_of_fit_under_the_settings(bench):
    bench.schedule.value, bench.rate.value, bench.batch.value = "poly", "0.1", "8"
    bench.epochs.value = 3
    steps = 3 * SCENES // 8
    assert bench.history.steps["learning_rate"] == learning_rates("poly", steps, 0.1)
    assert len(bench.history["mean_iou"]) == 3
    score = evaluate(bench.model, bench.val).mean_iou()
    assert bench.history["mean_iou"][-1] == pytest.approx(score)
    assert f"<b>{score:.2f}</b> after {steps} steps" in bench.view.value


def test_the_training_before_stays_for_comparison(bench):
    bench.epochs.value = 2
    now, steps = bench.history, len(bench.history.steps["loss"])
    bench.epochs.value = 4
    assert bench.before is now
    assert curves(bench) == [steps, 2 * steps, 2, 4]  # dashed below, the present one on top
    assert f"before: {now['mean_iou'][-1]:.2f} after {steps}" in bench.view.value


def test_the_same_settings_give_the_same_training(bench):
    bench.epochs.value, bench.seed.value = 2, 3
    first = bench.history.steps["loss"]
    bench.seed.value = 4
    other = bench.history.steps["loss"]
    bench.seed.value = 3
    assert bench.history.steps["loss"] == first != other


def test_the_optimizer_is_the_one_that_was_chosen(bench):
    bench.epochs.value, bench.optimizer.value = 1, "adamw"
    adamw = bench.history.steps["loss"]
    bench.optimizer.value = "sgd"
    assert bench.history.steps["loss"] != adamw
    assert bench.history.steps["loss"][0] == adamw[0]  # before the first step they agree
    bench.optimizer.value = "adamw"


def test_a_training_that_breaks_down_says_so_and_the_next_one_runs(bench, monkeypatch):
    monkeypatch.setitem(RATES, "1", 1e30)
    bench.epochs.value, bench.rate.value = 1, "1"
    assert bench.history is None
    assert "It stopped." in bench.view.value
    bench.rate.value = "0.01"
    assert bench.history is not None
    assert bench.before is not None


def test_every_setting_can_be_chosen(bench):
    bench.epochs.value = 1
    for widget in (bench.batch, bench.schedule):
        for value in widget.options:
            widget.value = value
            assert len(bench.history) == 1
    assert {int(each) for each in BATCHES} <= set(range(1, SCENES + 1))
    assert "1e" not in "".join(bench.rate.options)


def test_the_picture_is_what_the_network_says(bench):
    from segtutor.labs.bench import picture

    image, labels = bench.val[1]
    assert picture(predict(bench.model, image)) in bench.view.value
    assert picture(labels) in bench.view.value


def test_the_still_is_the_same_at_every_call_and_leaves_the_dice_alone():
    torch.manual_seed(5)
    first = labs.training()
    drawn = torch.rand(())
    assert torch.equal(drawn, torch.rand((), generator=torch.Generator().manual_seed(5)))
    assert first.view.value == labs.training().view.value
    assert repr(first).startswith("Lab: a small network, trained anew")
    assert first.history["mean_iou"][-1] > 0.2  # it learns something
