from __future__ import annotations

import pytest
import torch

from segtutor import labs
from segtutor.data import STREET_CLASSES
from segtutor.inference import dense_crf
from segtutor.metrics import ConfusionMatrix

POLE = STREET_CLASSES.index("pole")


@pytest.fixture
def bench():
    return labs.deeplab()


def test_specks_go_and_poles_suffer(bench):
    assert bench.after.pixel_accuracy() > bench.before.pixel_accuracy() + 0.03
    bench.specks.value = 0
    assert bench.before.pixel_accuracy() == 1
    assert bench.after.recall()[POLE] < 1


def test_settings_reach_the_crf(bench):
    bench.specks.value, bench.coarse.value, bench.sure.value = 20, 4, 3
    bench.iterations.value, bench.smoothness.value, bench.appearance.value = 2, 4, 6
    bench.reach.value, bench.color.value = 20, 40
    expected = dense_crf(
        bench._logits(), bench.image[None], iterations=2, smoothness=4, smoothness_reach=1.0,
        appearance=6, appearance_reach=20, color_reach=40 / 255,
    )  # fmt: skip
    assert torch.equal(bench.refined, expected[0].argmax(0))
    cm = ConfusionMatrix(8).update(bench.refined, bench.target)
    text = f"{100 * cm.pixel_accuracy():.2f}".rstrip("0").rstrip(".")
    assert f"→ {text} %" in bench.view.value


def test_without_neighbors_nothing_changes(bench):
    bench.smoothness.value = bench.appearance.value = 0
    assert torch.equal(bench.refined, bench.said)


@pytest.mark.parametrize("stride", [3, 5, 8])
def test_any_stride_keeps_the_size(bench, stride):
    bench.coarse.value = stride
    assert bench.refined.shape == bench.said.shape == (64, 96)
    assert bench.before.recall()[POLE] < 0.5


def test_it_is_the_same_at_every_run(bench):
    assert labs.deeplab().view.value == bench.view.value
    assert repr(bench).startswith("Lab: a dense CRF")
