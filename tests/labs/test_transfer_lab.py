from __future__ import annotations

import copy
import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import labs
from segtutor.labs.transfer import RATES, SCENES, SHOWN, STEPS, WAYS
from segtutor.training import evaluate, predict


@pytest.fixture(scope="module")
def bench():
    return labs.transfer()


@pytest.fixture(autouse=True)
def settings(bench):
    """Each test begins with the settings that the bench begins with."""
    yield
    for widget in (bench.way, bench.rate, bench.scenes, bench.steps):
        widget.value = widget.options[0]


def moved(bench, part):
    """Names in a part of the network whose values are not those of the day network."""
    old = bench.day_net.state_dict()
    new = bench.model.state_dict()
    return {n for n in new if n.startswith(part) and not torch.equal(new[n], old[n])}


def test_the_day_network_is_worse_by_night_and_never_changed(bench):
    night, day = bench.before
    assert night < day - 0.05
    before = copy.deepcopy(bench.day_net.state_dict())
    bench.way.value = WAYS[2]
    assert all(torch.equal(before[n], v) for n, v in bench.day_net.state_dict().items())


def test_each_way_does_what_it_says(bench):
    everything = set(bench.model.state_dict())
    assert moved(bench, "") == everything
    bench.way.value = "freeze the encoder"
    assert moved(bench, "encoder.") == set()
    assert moved(bench, "decoder.")
    bench.way.value = "only requires_grad=False"
    drifting = moved(bench, "encoder.")
    assert drifting
    assert all("running" in n or "num_batches" in n for n in drifting)
    bench.way.value = "from scratch"
    start = bench.scores
    bench.rate.value = "1/100 of it"
    assert bench.scores != start  # a network without a past has an encoder, too


def test_the_rate_slows_the_encoder(bench):
    def way():
        old = dict(bench.day_net.named_parameters())
        pairs = [(p, old[n]) for n, p in bench.model.named_parameters() if "encoder" in n]
        return sum((p - q).abs().sum().item() for p, q in pairs)

    ways = []
    for rate in RATES:
        bench.rate.value = rate
        ways.append(way())
    assert ways == sorted(ways, reverse=True)
    assert ways[-1] < ways[0] / 20


def test_scores_are_the_package_s_and_stand_in_the_view(bench):
    night, day = (evaluate(bench.model, d).mean_iou() for d in (bench.night_test, bench.day_test))
    assert bench.scores == (night, day)
    cells = re.findall(r"<td>([\d.]+)</td><td><b>([\d.]+)</b>", bench.view.value)
    numbers = [[float(x) for x in row] for row in cells]
    for row, old, new in zip(numbers, bench.before, bench.scores, strict=True):
        assert row == pytest.approx([old, new], abs=0.0051)


def test_more_scenes_and_more_steps_are_what_counts_most(bench):
    """The answer to the question of the chapter, with room."""
    first = bench.scores[0]
    by_rate = []
    for rate in RATES:
        bench.rate.value = rate
        by_rate.append(abs(bench.scores[0] - first))
    bench.rate.value = "as the decoder"
    bench.scenes.value, bench.steps.value = SCENES[-1], STEPS[-1]
    assert bench.scores[0] - first > max(by_rate)


def test_the_prediction_shown_is_the_model_s(bench):
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', bench.view.value)
    shown = [np.asarray(Image.open(io.BytesIO(b64decode(d))).convert("RGB")) for d in found]
    said = predict(bench.model, bench.night_test[SHOWN][0])
    colors = {}
    for label, color in zip(said.flatten().tolist(), shown[1].reshape(-1, 3), strict=True):
        assert colors.setdefault(label, tuple(color)) == tuple(color)
    assert len(set(colors.values())) == len(colors) > 2


def test_the_bench_says_what_plays_no_part(bench):
    assert "plays no part" not in bench.view.value
    bench.way.value = "freeze the encoder"
    assert "rate plays no part" in bench.view.value
    assert repr(bench).startswith("Lab: a network taken from day to night")
