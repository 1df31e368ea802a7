from __future__ import annotations

import io
import re
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import labs, losses
from segtutor.labs.region_losses import HEIGHT, LOSSES, WIDTH


@pytest.fixture
def bench():
    return labs.region_losses()


def pictures(html):
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    return [Image.open(io.BytesIO(b64decode(data))) for data in found]


def found_by(bench):
    return bench.logits.argmax(1) == 1


def test_the_prediction_is_what_the_sliders_say(bench):
    bench.radius.value, bench.found.value, bench.sure.value = 6, 40, 80
    truth = bench.labels == 1
    assert truth.sum() == sum((x * x + y * y) <= 36 for x in range(-6, 7) for y in range(-6, 7))
    assert (found_by(bench) & ~truth).sum() == 0
    assert (found_by(bench) & truth).sum() == round(0.4 * int(truth.sum()))
    p = bench.logits.softmax(1)
    assert torch.allclose(p.amax(1), torch.full_like(p[:, 0], 0.8))


@pytest.mark.parametrize("found", [0, 100])
def test_none_and_all_of_the_object(bench, found):
    bench.found.value = found
    assert torch.equal(found_by(bench), (bench.labels == 1) & (found == 100))


def test_what_is_found_grows_with_the_slider(bench):
    before = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    for found in range(0, 101, 10):
        bench.found.value = found
        now = found_by(bench)
        assert (now | ~before).all()
        before = now


def test_the_false_alarm_lies_where_nothing_is(bench):
    before = found_by(bench)
    bench.alarm.value = True
    added = found_by(bench) & ~before
    assert added.sum() > 20
    assert not (added & (bench.labels == 1)).any()
    # Far away, it is dear for the boundary loss, and no dearer than elsewhere for Dice.
    assert losses.distance_map(bench.labels, 1)[0, 0][added[0]].min() > 20


@pytest.mark.parametrize("radius", [1, 16])
@pytest.mark.parametrize("name", LOSSES)
def test_values_and_pull_are_the_package_s(bench, name, radius):
    bench.loss.value, bench.radius.value = name, radius
    z = bench.logits.clone().requires_grad_()
    value = LOSSES[name](z, bench.labels)
    value.backward()
    assert bench.values[name] == pytest.approx(value.item(), abs=1e-9)
    assert torch.allclose(bench.pull, z.grad.abs().sum(1)[0])
    inside = bench.pull[bench.labels[0] == 1].sum() / bench.pull.sum()
    assert bench.share == pytest.approx(inside.item())
    assert f"{bench.share:.0%}</b> of the pull of {name}" in bench.view.value


def test_every_loss_has_its_value_in_the_view(bench):
    bench.found.value = 30
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", bench.view.value)
    numbers = [float(cell.replace("−", "-")) for cell in cells]
    assert numbers == pytest.approx(list(bench.values.values()), abs=0.0051)


def test_values_of_a_scene_that_can_be_checked_by_hand(bench):
    bench.found.value, bench.sure.value = 100, 99
    n, rest = int(bench.labels.sum()), HEIGHT * WIDTH - int(bench.labels.sum())
    dice = 1 - 2 * 0.99 * n / (0.99 * n + 0.01 * rest + n)
    assert bench.values["Dice"] == pytest.approx(dice, abs=1e-6)
    assert bench.values["cross-entropy"] == pytest.approx(-np.log(0.99), abs=1e-6)
    assert bench.values["Lovász"] == pytest.approx(0.01, abs=1e-6)


def test_the_pictures_show_what_was_computed(bench):
    bench.found.value, bench.sure.value = 50, 90
    truth, probability, pull = (np.asarray(p.convert("L")) for p in pictures(bench.view.value))
    assert np.array_equal(truth > 127, bench.labels[0].numpy() == 1)
    assert np.unique(probability) == pytest.approx([25.5, 229.5], abs=1)
    assert np.array_equal(probability > 127, found_by(bench)[0].numpy())
    strongest = np.unravel_index(int(bench.pull.argmax()), bench.pull.shape)
    assert pull[strongest] == 255


def test_the_still_is_the_same_at_every_call_and_run():
    first, second = labs.region_losses(), labs.region_losses()
    assert first.view.value == second.view.value
    code = "from segtutor import labs; print(labs.region_losses().view.value)"
    runs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert repr(first).startswith("Lab: seven losses of one prediction")


def test_the_question_of_the_chapter_has_both_answers(bench):
    def shares():
        found = {}
        for name in ("Dice", "cross-entropy"):
            bench.loss.value = name
            found[name] = bench.share
        return found

    bench.found.value = 0
    nothing_found = shares()
    assert nothing_found["Dice"] > 1.5 * nothing_found["cross-entropy"]
    bench.found.value, bench.sure.value = 50, 99
    sure_misses = shares()
    assert sure_misses["cross-entropy"] > 3 * sure_misses["Dice"]
