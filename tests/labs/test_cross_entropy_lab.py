from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from segtutor import labs
from segtutor.data import STREET_CLASSES
from segtutor.labs.bench import number
from segtutor.labs.cross_entropy import NOTHING, TEMPERATURES, WEIGHTS, class_weights, floor_of

VOID = 255
POLE, BUILDING = STREET_CLASSES.index("pole"), STREET_CLASSES.index("building")


@pytest.fixture
def bench():
    return labs.cross_entropy()


def numbers(bench) -> dict[str, list[str]]:
    """What the tables of the view say: from the name of a row to its numbers."""
    rows = re.findall(r"<tr><th[^>]*>([\w\s]+)</th>(.*?)</tr>", bench.view.value)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", cells) for name, cells in rows}


def pictures(bench):
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', bench.view.value)
    return [np.asarray(Image.open(io.BytesIO(b64decode(data)))) for data in found]


def spoil(bench):
    """Change every setting."""
    bench.sure.value, bench.blur.value, bench.temperature.value = 11, 2, "2"
    bench.lost.value, bench.taken_for.value = "person", "pole"
    bench.weights.value, bench.void.value, bench.smoothing.value = "inverse frequency", 20, 15


@pytest.mark.parametrize("change", [lambda bench: None, spoil], ids=["at first", "spoiled"])
def test_what_is_shown_is_what_pytorch_says(bench, change):
    change(bench)
    weight = class_weights(bench.labels, bench.weights.value)
    settings = {
        "ignore_index": VOID,
        "label_smoothing": bench.smoothing.value / 100,
        "weight": weight,
    }
    logits = bench.logits.clone().requires_grad_()
    loss = F.cross_entropy(logits, bench.labels, **settings)
    loss.backward()
    assert torch.allclose(bench.loss, loss)
    assert torch.allclose(bench.pull, logits.grad[0].abs().sum(0) / 2)
    each = F.cross_entropy(logits, bench.labels, reduction="none", **settings)[0]
    assert torch.allclose(bench.each, each)

    judged = bench.labels[0] != VOID
    right = (logits[0].argmax(0) == bench.labels[0])[judged].double().mean()
    shown = numbers(bench)
    assert shown["loss"] == [f"{loss:.2f}"]
    assert shown["accuracy"] == [f"{right:.2f}"]
    assert shown["judged pixels"] == [f"{int(judged.sum()):,}"]
    own = bench.labels[0] == POLE
    assert shown["pole"] == [
        f"{100 * own.sum() / judged.sum():.1f}",
        f"{each[own].mean():.2f}",
        f"{100 * each[own].sum() / each.sum():.1f}",
        f"{100 * bench.pull[own].sum() / bench.pull.sum():.1f}",
    ]


def test_a_sharp_and_sure_prediction_costs_nothing(bench):
    bench.blur.value, bench.sure.value = 0, 20
    assert bench.loss < 1e-7
    assert numbers(bench)["accuracy"] == ["1"]


def test_without_an_opinion_the_loss_is_the_logarithm_of_the_classes(bench):
    bench.sure.value = 0
    for weights in WEIGHTS:
        bench.weights.value = weights
        assert math.isclose(bench.loss, math.log(8))


@pytest.mark.parametrize("name", STREET_CLASSES)
def test_a_class_can_be_taken_for_another(bench, name):
    label = STREET_CLASSES.index(name)
    bench.blur.value = 0
    bench.lost.value, bench.taken_for.value = name, "sky" if name != "sky" else "car"
    other = STREET_CLASSES.index(bench.taken_for.value)
    assert not (bench.logits[0].argmax(0) == label).any()
    truth = bench.labels[0] == label
    assert (bench.logits[0].argmax(0)[truth] == other).all()
    assert (bench.each[truth] > 8).all()
    assert (bench.each[~truth] < 0.01).all()


def test_weights_make_a_rare_class_heard(bench):
    def share():
        return float(numbers(bench)["pole"][2])

    bench.lost.value, bench.taken_for.value = "pole", "building"
    equal, loss = share(), bench.loss
    bench.weights.value = "inverse frequency"
    assert share() > 1.5 * equal
    assert bench.loss > 4 * loss
    heavy = bench.loss
    bench.weights.value = "median frequency"
    assert torch.isclose(bench.loss, heavy)  # the scale of the weights cancels


def test_inverse_weights_give_every_class_the_same_mass(bench):
    weight = class_weights(bench.labels, "inverse frequency")
    count = torch.bincount(bench.labels[bench.labels != VOID], minlength=8)
    assert torch.allclose(weight * count, weight[0] * count[0])
    median = class_weights(bench.labels, "median frequency")
    assert torch.allclose(median / weight, (median / weight)[0])
    assert (median == 1).any()


def test_void_pays_and_pulls_nothing(bench):
    before = int((bench.labels != VOID).sum())
    bench.void.value = 50
    void = bench.labels[0] == VOID
    assert void[:, :90].all()
    assert int((~void).sum()) < 0.6 * before
    assert not bench.each[void].any()
    assert not bench.pull[void].any()
    _, loss, pull = pictures(bench)
    assert set(np.unique(loss[void.numpy()])) == set(np.unique(pull[void.numpy()])) == {64, 191}


def test_a_street_that_is_all_void_costs_nothing(bench):
    for weights in WEIGHTS:
        bench.weights.value, bench.void.value, bench.smoothing.value = weights, 100, 10
        assert bench.loss == 0
        assert not bench.pull.any()
        assert "nan" not in bench.view.value.lower().replace("base64", "")[-2500:]
        assert numbers(bench)["accuracy"] == ["–"]


def test_temperature_changes_the_loss_and_no_decision(bench):
    decisions, losses_seen = bench.logits.argmax(1), {float(bench.loss)}
    for temperature in TEMPERATURES[1:]:
        bench.temperature.value = temperature
        assert torch.equal(bench.logits.argmax(1), decisions)
        losses_seen.add(float(bench.loss))
    assert len(losses_seen) == len(TEMPERATURES)


@pytest.mark.parametrize("percent", [0, 1, 10, 50])
def test_no_logits_get_below_the_floor(bench, percent):
    bench.smoothing.value = percent
    smoothing, floor = percent / 100, floor_of(percent / 100)
    assert numbers(bench)["its floor"] == [f"{floor:.2f}" if percent else "0"]
    assert bench.loss > floor
    if percent:
        lead = math.log((1 - smoothing + smoothing / 8) / (smoothing / 8))
        logits = torch.tensor([lead, *[0.0] * 7]).double()
        best = F.cross_entropy(logits, torch.tensor(0), label_smoothing=smoothing)
        assert math.isclose(best, floor)
    bench.weights.value = "inverse frequency"
    assert numbers(bench)["its floor"] == ["–"]


def test_the_pictures_show_prediction_loss_and_pull(bench):
    bench.lost.value, bench.taken_for.value, bench.blur.value = "car", "road", 0
    prediction, loss, pull = pictures(bench)
    assert prediction.shape == (120, 180, 3)
    judged = (bench.labels[0] != VOID).numpy()
    for shown, values in ((loss, bench.each), (pull, bench.pull)):
        expected = (255 * values / values.max()).round().numpy()
        assert np.abs(shown[judged] - expected[judged]).max() <= 1
        assert shown[judged].max() == 255
    assert f"up to {number(bench.each.max())}" in bench.view.value


def test_the_still_is_the_same_at_every_call_and_run():
    first, second = labs.cross_entropy(), labs.cross_entropy()
    assert first.view.value == second.view.value
    assert first.lost.value == NOTHING
    code = "from segtutor import labs; print(labs.cross_entropy().view.value)"
    runs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert runs == {(first.view.value + "\n").encode()}


def test_it_says_what_it_is_where_no_kernel_listens(bench, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append(a))
    bench._ipython_display_()
    ((bundle,),) = shown
    assert "its settings then run the real segtutor.losses" in bundle["text/html"]
    assert bundle["text/plain"].startswith("Lab: cross-entropy on a street")
