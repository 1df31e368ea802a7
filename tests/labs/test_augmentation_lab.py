from __future__ import annotations

import re

import pytest
import torch
from IPython.core.formatters import format_display_data

from segtutor import labs
from segtutor.data import STREET_CLASSES, Streets
from segtutor.labs.augmentation import class_shares

VOID = 255
POLE = STREET_CLASSES.index("pole")


@pytest.fixture
def bench():
    bench = labs.augmentation()
    bench.flip.value, bench.color.value = False, 0
    bench.degrees.value, bench.zoom.value = 0, 100
    return bench


def steps(bench) -> list[str]:
    return [type(step).__name__ for step in bench.pipeline.transforms]


def test_nothing_turned_on_changes_nothing(bench):
    image, labels = Streets(50, (96, 144))[3]
    assert steps(bench) == []
    assert all(torch.equal(one, labels) for one in bench.labels)
    assert all(torch.equal(one, image) for one in bench.images)


def test_the_code_that_is_shown_is_the_pipeline_that_ran(bench):
    bench.flip.value, bench.degrees.value, bench.zoom.value = True, 15, 200
    bench.elastic.value, bench.color.value = 3, 40
    assert steps(bench) == ["HorizontalFlip", "RandomAffine", "Elastic", "ColorJitter"]
    text = bench.view.value
    assert all(repr(step) in text for step in bench.pipeline.transforms)
    assert "scale=(0.5, 2.0)" in text
    # What stands there is code: run, it makes the same pictures.
    import segtutor.data

    code = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.S)[1]
    pipeline = eval(code, vars(segtutor.data) | {"Compose": segtutor.data.Compose} | {
        name: getattr(segtutor.data, name) for name in steps(bench)})  # fmt: skip
    torch.manual_seed(bench.seed.value)
    image, labels = pipeline(*Streets(50, (96, 144))[bench.scene.value])
    assert torch.equal(bench.images[0], image)
    assert torch.equal(bench.labels[0], labels)


def test_turns_bring_in_void_and_the_captions_say_how_much(bench):
    bench.degrees.value = 60
    share = (bench.labels[0] == VOID).double().mean().item()
    assert share > 0.05 + (Streets(50, (96, 144))[3][1] == VOID).double().mean()
    assert f"{share:.0%} void" in bench.view.value


def test_crops_on_rare_classes_have_more_of_them(bench):
    bench.scene.value = 3
    bench.crop.value = "any window"
    anywhere = class_shares(bench.labels)[POLE]
    assert bench.labels.shape[1:] == (48, 72)
    bench.crop.value = "rare classes"
    assert steps(bench) == ["BalancedCrop"]
    rare = class_shares(bench.labels)[POLE]
    assert rare > anywhere
    assert f">{100 * rare:.1f}</td>" in bench.view.value
    bench.zoom.value = 200
    assert steps(bench) == ["ScaleJitter", "BalancedCrop"]


def test_the_seed_decides(bench):
    bench.degrees.value = 20
    first = bench.labels.clone()
    bench.seed.value = 1
    assert not torch.equal(bench.labels, first)
    bench.seed.value = 0
    assert torch.equal(bench.labels, first)


def test_drawing_leaves_the_global_generator_alone(bench):
    before = torch.get_rng_state()
    bench.degrees.value = 33
    assert torch.equal(torch.get_rng_state(), before)


def test_the_stored_output_is_still_and_the_same_every_time():
    def shown() -> str:
        data, _ = format_display_data(labs.augmentation())
        return str(data) + labs.augmentation().view.value

    assert shown() == shown()
    assert "0x" not in repr(labs.augmentation())
    assert repr(labs.augmentation()).startswith("Lab: ")
