from __future__ import annotations

import re

import pytest
import torch
from IPython.core.formatters import format_display_data
from scipy import ndimage

from segtutor import labs
from segtutor.data import STREET_CLASSES, street_scene
from segtutor.labs.iou import grown, noisy, ringed, shifted, without
from segtutor.metrics import ConfusionMatrix, boundary_iou

POLE = STREET_CLASSES.index("pole")


@pytest.fixture
def bench():
    bench = labs.iou()
    bench.shift.value = 0
    return bench


def cells(bench) -> dict[str, list[str]]:
    """What the tables of the view say: from the name of a row to its numbers."""
    rows = re.findall(r"<tr><th[^>]*>([\w\s-]+)</th>(.*?)</tr>", bench.view.value)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", numbers) for name, numbers in rows}


def test_an_unspoiled_prediction_is_perfect(bench):
    assert bench.counts.mean_iou() == 1
    shown = cells(bench)
    assert set(STREET_CLASSES) < set(shown)
    assert all(set(numbers) == {"1.00"} for numbers in shown.values())
    assert "0 wrong pixels" in bench.view.value


def test_what_is_shown_is_what_the_metrics_say(bench):
    bench.shift.value, bench.noise.value, bench.ring.value = 2, 10, 1
    cm = ConfusionMatrix(8).update(bench.prediction, bench.target)
    edges = boundary_iou(bench.prediction, bench.target, 8)
    shown = cells(bench)
    assert shown["mean IoU"] == [f"{cm.mean_iou():.2f}"]
    assert shown["pixel accuracy"] == [f"{cm.pixel_accuracy():.2f}"]
    assert shown["mean accuracy"] == [f"{cm.mean_accuracy():.2f}"]
    assert shown["mean Dice"] == [f"{cm.mean_dice():.2f}"]
    assert shown["frequency-weighted IoU"] == [f"{cm.frequency_weighted_iou():.2f}"]
    assert shown["mean boundary IoU"] == [f"{edges.nanmean():.2f}"]
    for index, name in enumerate(STREET_CLASSES):
        assert shown[name] == [f"{cm.iou()[index]:.2f}", f"{edges[index]:.2f}"]
    wrong = int((cm.matrix.sum() - cm.tp.sum()).item())
    assert f"{wrong:,} wrong pixels" in bench.view.value


@pytest.mark.parametrize("name", STREET_CLASSES)
def test_a_dropped_class_is_never_found(bench, name):
    label = STREET_CLASSES.index(name)
    bench.label.value, bench.drop.value = name, True
    assert not (bench.prediction == label).any()
    assert bench.counts.iou()[label] == 0
    # Everything else is where it was.
    kept = bench.target != label
    judged = bench.target != 255
    assert torch.equal(bench.prediction[kept & judged], bench.target[kept & judged])


@pytest.mark.parametrize("pixels", [-2, -1, 1, 3])
def test_a_class_grows_and_shrinks(bench, pixels):
    bench.label.value, bench.grow.value = "car", pixels
    car = STREET_CLASSES.index("car")
    before = street_scene((120, 180))[1] == car
    operation = ndimage.binary_dilation if pixels > 0 else ndimage.binary_erosion
    outside = {} if pixels > 0 else {"border_value": 1}
    after = operation(before.numpy(), [[1] * 3] * 3, iterations=abs(pixels), **outside)
    assert torch.equal(bench.prediction == car, torch.from_numpy(after))


def test_the_ring_is_void_and_swallows_poles(bench):
    bench.label.value, bench.drop.value = "pole", True
    assert bench.counts.mean_iou() < 0.9
    bench.ring.value = 5
    assert not (bench.target == POLE).any()
    assert cells(bench)["pole"] == ["–", "–"]
    assert bench.counts.mean_iou() == 1


def test_both_maps_are_shrunk(bench):
    bench.shrink.value = 4
    assert bench.prediction.shape == bench.target.shape == (30, 45)


def test_shifting_moves_right_and_down():
    labels = torch.arange(12).reshape(3, 4)
    moved = shifted(labels, 1)
    assert torch.equal(moved[1:, 1:], labels[:-1, :-1])
    assert torch.equal(moved[0], torch.tensor([0, 0, 1, 2]))
    assert torch.equal(shifted(labels, 0), labels)


def test_noise_is_always_the_same_and_as_much_as_asked_for():
    labels = torch.zeros(100, 100, dtype=torch.int64)
    assert torch.equal(noisy(labels, 0.2), noisy(labels, 0.2))
    changed = (noisy(labels, 0.2) != 0).double().mean().item()
    assert changed == pytest.approx(0.2 * 7 / 8, abs=0.02)  # one in eight draws the same class
    assert torch.equal(noisy(labels, 0.0), labels)


def test_the_ring_by_brute_force():
    labels = torch.randint(0, 3, (9, 11), generator=torch.Generator().manual_seed(0)) // 2
    labels[4, 5] = 255
    for width in (0, 1, 2):
        ring = ringed(labels, width)
        for y in range(9):
            for x in range(11):
                near = labels[
                    max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1
                ].unique()
                assert ring[y, x] == (255 if len(near) > 1 else labels[y, x])


def test_what_goes_is_filled_with_the_nearest_that_stays():
    labels = torch.tensor([[1, 1, 7, 7, 7, 2], [7, 7, 7, 7, 7, 7], [3, 3, 3, 3, 3, 3]])
    filled = without(labels, labels == 7)
    assert not (filled == 7).any()
    assert torch.equal(filled[labels != 7], labels[labels != 7])
    assert filled[0, 2] == 1
    assert filled[0, 4] == 2


def test_growing_by_nothing_and_beyond_the_border():
    labels = torch.tensor([[1, 0, 0, 0]])
    assert grown(labels, 1, 2).tolist() == [[1, 1, 1, 0]]
    assert grown(labels, 1, -1).tolist() == [[0, 0, 0, 0]]


def test_the_stored_output_is_still_and_the_same_every_time():
    def shown() -> str:
        data, _ = format_display_data(labs.iou())
        return str(data) + labs.iou().view.value

    assert shown() == shown()
    assert "0x" not in repr(labs.iou())
    assert repr(labs.iou()).startswith("Lab: ")
