from __future__ import annotations

import re

import pytest
import torch
from IPython.core.formatters import format_display_data

from segtutor import labs
from segtutor.data import STREET_CLASSES, Streets, StreetSettings
from segtutor.labs.first_segmentation import SCENES, SEED, outlined


@pytest.fixture
def bench():
    bench = labs.first_segmentation()
    bench.size.value = "64 × 96"
    return bench


def test_what_the_widgets_say_is_what_is_drawn(bench):
    bench.scene.value, bench.weather.value, bench.night.value = 3, "fog", 60
    bench.context.value, bench.blur.value, bench.noise.value = 50, 2, 150
    settings = StreetSettings(weather="fog", night=0.6, context=0.5, softness=2, noise=1.5)
    assert bench.settings == settings
    scene = Streets(SCENES, (64, 96), SEED, settings=settings).scene(3)
    assert all(torch.equal(a, b) for a, b in zip(bench.drawn, scene, strict=True))


@pytest.mark.parametrize(
    ("knob", "value"), [("night", 90), ("context", 100), ("blur", 3), ("noise", 300)]
)
def test_what_only_changes_the_picture_leaves_the_labels(bench, knob, value):
    before = bench.drawn
    getattr(bench, knob).value = value
    assert torch.equal(bench.drawn.labels, before.labels)
    assert torch.equal(bench.drawn.instances, before.instances)
    assert not torch.equal(bench.drawn.image, before.image)


def test_the_table_shows_the_shares_of_the_judged_pixels(bench):
    labels = bench.drawn.labels
    judged = labels != 255
    assert not judged.all()
    shown = re.findall(r"<td[^>]*>([\d.]+)%</td>", bench.view.value)
    expected = [(labels[judged] == c).double().mean().item() for c in range(len(STREET_CLASSES))]
    assert shown == [f"{100 * share:.1f}" for share in expected]
    assert all(f">{name}</th>" in bench.view.value for name in STREET_CLASSES)


def test_the_things_are_counted_and_outlined(bench):
    ids = bench.drawn.instances
    assert f"{len(ids.unique()) - 1} things" in bench.view.value
    shown = outlined(bench.drawn)
    dark = (shown == 0).all(0)
    assert not dark[ids == 0].any()  # the ground is pale
    for number in ids.unique()[1:]:
        mask = ids == number
        assert dark[mask].any()
        rows, columns = torch.where(mask)
        assert dark[rows[0], columns[0]]  # its topmost pixel lies on its outline


def test_the_stored_output_is_still_and_the_same_every_time():
    def shown() -> str:
        data, _ = format_display_data(labs.first_segmentation())
        return str(data) + labs.first_segmentation().view.value

    assert shown() == shown()
    assert "0x" not in repr(labs.first_segmentation())
    assert repr(labs.first_segmentation()).startswith("Lab: ")
