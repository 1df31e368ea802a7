"""Batches, processes, saving, and bad input: for all three things that count."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segtutor.metrics import BoundaryScores, ConfusionMatrix, PerImage

COUNTERS: list[Callable[..., Any]] = [ConfusionMatrix, PerImage, BoundaryScores]
each_counter = pytest.mark.parametrize("make", COUNTERS, ids=lambda make: make.__name__)

PROCESS = """
import sys, torch
import torch.distributed as dist
from segtutor.metrics import BoundaryScores, ConfusionMatrix, PerImage
rank, here = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{here}/meet", rank=rank, world_size=2)
maps = torch.load(f"{here}/maps.pt")
pieces = (slice(0, 1), slice(1, None))  # of different lengths
for make in (ConfusionMatrix, PerImage, BoundaryScores):
    counter = make(5).update(maps["pred"][pieces[rank]], maps["target"][pieces[rank]])
    before = counter.state_dict()
    synced = counter.synced()
    torch.save(synced.state_dict(), f"{here}/{make.__name__}{rank}.pt")
    for name, value in counter.state_dict().items():  # stays as it was
        assert not torch.is_tensor(value) or torch.equal(value.nan_to_num(-1), before[name].nan_to_num(-1))
idle = ConfusionMatrix(5)  # a process without a picture takes part too
if rank == 0:
    idle.update(maps["pred"], maps["target"])
torch.save(idle.synced().state_dict(), f"{here}/idle{rank}.pt")
dist.destroy_process_group()
"""  # noqa: E501


def same(one: Any, other: Any) -> bool:
    """Whether two counters hold the same, NaN included."""
    first, second = one.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    return all(
        torch.equal(value.nan_to_num(-1.0), second[name].nan_to_num(-1.0))
        if isinstance(value, torch.Tensor)
        else value == second[name]
        for name, value in first.items()
    )


@each_counter
def test_batches_merging_and_adding_change_nothing(make: Any, maps: Any, device: str) -> None:
    pred, target = (each.to(device) for each in maps(5, (6, 13, 11)))
    at_once = make(5).update(pred, target)
    streamed = make(5)
    for piece in (slice(0, 1), slice(1, 4), slice(4, 6)):
        assert streamed.update(pred[piece], target[piece]) is streamed
    assert same(streamed, at_once)
    first, second = make(5).update(pred[:2], target[:2]), make(5).update(pred[2:], target[2:])
    assert same(first + second, at_once)
    assert not same(first, at_once)  # a sum is new
    assert first.merge(second) is first
    assert same(first, at_once)
    first.reset()
    assert same(first, make(5))


@each_counter
def test_saved_without_code_and_loaded(make: Any, maps: Any, tmp_path: Path) -> None:
    counter = make(5).update(*maps(5))
    torch.save(counter.state_dict(), tmp_path / "counts.pt")
    fresh = make(5)
    fresh.load_state_dict(torch.load(tmp_path / "counts.pt", weights_only=True))
    assert same(fresh, counter)
    fresh.update(*maps(5))  # does not reach into what was loaded
    again = make(5)
    again.load_state_dict(torch.load(tmp_path / "counts.pt", weights_only=True))
    assert same(again, counter)


def test_counts_stay_whole_numbers(maps: Any) -> None:
    saved = ConfusionMatrix(5).update(*maps(5)).state_dict()["matrix"]
    assert saved.dtype == torch.int64
    large = 2**53  # above it a float64 would lose single pixels
    cm = ConfusionMatrix.from_counts([[large, 0], [0, 0]])
    cm.update(torch.tensor([[0]]), torch.tensor([[0]]))
    assert (cm + ConfusionMatrix(2)).synced().matrix[0, 0].item() == large + 1


@each_counter
def test_a_saved_state_stays_as_it_is(make: Any, maps: Any) -> None:
    counter = make(5).update(*maps(5))
    state = counter.state_dict()
    kept = {name: value.clone() for name, value in state.items() if torch.is_tensor(value)}
    counter.update(*maps(5))
    loaded = make(5)
    loaded.load_state_dict(state)
    loaded.update(*maps(5))
    assert all(torch.equal(state[name].nan_to_num(-1), kept[name].nan_to_num(-1)) for name in kept)


@each_counter
def test_different_things_are_not_joined(make: Any) -> None:
    for other in (make(4), make(5, ignore_index=-1)):
        with pytest.raises(ValueError, match=r"(num_classes|ignore_index) is .* cannot be joined"):
            make(5).merge(other)
        with pytest.raises(ValueError, match="cannot be joined"):
            make(5).load_state_dict(other.state_dict())
    with pytest.raises(TypeError, match="unsupported operand"):
        make(5) + 1


def test_names_have_to_agree_where_both_have_them() -> None:
    named = ConfusionMatrix(2, class_names=["sky", "road"])
    assert (named + ConfusionMatrix(2)).settings.class_names == ("sky", "road")
    with pytest.raises(ValueError, match="class_names is"):
        named.merge(ConfusionMatrix(2, class_names=["road", "sky"]))


def test_two_processes_sum_exactly(maps: Any, tmp_path: Path) -> None:
    pred, target = maps(5, (4, 13, 11))
    torch.save({"pred": pred, "target": target}, tmp_path / "maps.pt")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    for make in COUNTERS:
        for rank in range(2):
            synced = make(5)
            synced.load_state_dict(torch.load(tmp_path / f"{make.__name__}{rank}.pt"))
            assert same(synced, make(5).update(pred, target))
    for rank in range(2):
        synced = ConfusionMatrix(5)
        synced.load_state_dict(torch.load(tmp_path / f"idle{rank}.pt"))
        assert same(synced, ConfusionMatrix(5).update(pred, target))


@each_counter
def test_one_process_gets_a_copy(make: Any, maps: Any) -> None:
    counter = make(5).update(*maps(5))
    copy = counter.synced()
    assert same(copy, counter)
    copy.update(*maps(5))
    assert not same(copy, counter)


LABELS = torch.zeros(2, 4, 5, dtype=torch.long)
LOGITS = torch.zeros(2, 3, 4, 5)
BAD: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "label out of range in the target": (
        LABELS, LABELS.clone().index_fill_(0, torch.tensor([1]), 7), ValueError,
        "target contains 7, but with 3 classes",
    ),
    "a label between the classes and void": (
        LABELS, LABELS + 254, ValueError, "target contains 254",
    ),
    "a label above void": (LABELS, LABELS + 256, ValueError, "target contains 256"),
    "a huge label": (LABELS, LABELS + 2**40, ValueError, f"target contains {2**40}"),
    "a negative label": (LABELS, LABELS - 1, ValueError, "target contains -1"),
    "label out of range in the prediction": (
        LABELS + 3, LABELS, ValueError, "pred contains 3: a prediction chooses",
    ),
    "a negative prediction": (LABELS - 1, LABELS, ValueError, "pred contains -1"),
    "void predicted": (LABELS + 255, LABELS, ValueError, "pred contains 255: 255 is void"),
    "void predicted at void": (LABELS + 255, LABELS + 255, ValueError, "pred contains 255"),
    "shapes": (LABELS, LABELS[:, :3], ValueError, r"pred has shape \(2, 4, 5\), but target"),
    "an axis of size 1": (LABELS, LABELS[:, None], ValueError, r"squeeze\(1\)"),
    "swapped": (LABELS, LOGITS, TypeError, "look swapped"),
    "swapped one-hot": (LABELS, LOGITS.long(), ValueError, "look swapped"),
    "a target of floats": (LABELS, LABELS.float(), TypeError, "target is torch.float32"),
    "probabilities for labels": (LABELS.float(), LABELS, ValueError, "one axis more"),
    "a single picture": (LOGITS[0], LABELS[0], ValueError, "so 4 channels"),
    "one-hot": (LOGITS.long(), LABELS, ValueError, r"argmax\(dim=1\)"),
    "too many channels": (
        LOGITS.repeat(1, 2, 1, 1), LABELS, ValueError, "so 6 channels, but num_classes is 3",
    ),
    "one channel": (LOGITS[:, :1], LABELS, ValueError, "num_classes=2"),
    "no tensor": (LABELS.numpy(), LABELS, TypeError, "pred is ndarray"),
}  # fmt: skip


@each_counter
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_its_cure(make: Any, name: str, device: str) -> None:
    pred, target, error, words = BAD[name]
    pred, target = (
        each.to(device) if isinstance(each, torch.Tensor) else each for each in (pred, target)
    )
    counter = make(3)
    with pytest.raises(error, match=words):
        counter.update(pred, target)
    assert same(counter, make(3))  # nothing was counted


@each_counter
def test_void_far_away_hides_no_bad_label(make: Any) -> None:
    with pytest.raises(ValueError, match=r"target contains 3, .* or -100 for void"):
        make(3, ignore_index=-100).update(LABELS, LABELS + 3)


@each_counter
@pytest.mark.parametrize(
    ("dtype", "value", "void"), [(torch.uint8, 156, -100), (torch.int8, -1, 255)], ids=str
)
def test_a_label_that_only_wraps_around_to_void_is_bad(
    make: Any, dtype: torch.dtype, value: int, void: int
) -> None:
    target = torch.zeros(1, 2, 2, dtype=dtype)
    target[0, 0, 0] = value
    with pytest.raises(ValueError, match=f"target contains {value}, "):
        make(3, ignore_index=void).update(torch.zeros(1, 2, 2, dtype=torch.long), target)


def test_three_hundred_classes_fit_labels_of_eight_bits() -> None:
    target = torch.arange(256, dtype=torch.uint8)
    cm = ConfusionMatrix(300, ignore_index=-1).update(target, target)
    assert torch.equal(cm.tp, (torch.arange(300) < 256).long())


def test_the_number_of_classes_may_come_from_numpy() -> None:
    cm = ConfusionMatrix(np.int64(3))
    assert type(cm.state_dict()["num_classes"]) is int


def test_one_class_hints_at_two() -> None:
    with pytest.raises(ValueError, match="object or not has num_classes=2"):
        ConfusionMatrix(1).update(torch.zeros(1, 2, 2).long(), torch.ones(1, 2, 2).long())


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"num_classes": 0}, ValueError, "at least 1"),
        ({"num_classes": 2.0}, TypeError, "num_classes=2.0 has to be a whole number"),
        ({"num_classes": 2, "ignore_index": None}, TypeError, "such as -1"),
        ({"num_classes": 300}, ValueError, "255 is a class: .* ignore_index=-1"),
        ({"num_classes": 2, "class_names": ["sky"]}, ValueError, "one name for each of the 2"),
        ({"num_classes": 2, "class_names": "ab"}, ValueError, "one name for each of the 2"),
    ],
)
@pytest.mark.parametrize("make", [ConfusionMatrix, PerImage])
def test_settings_are_checked(make: Any, wrong: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        make(**wrong)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1, 2]], r"of shape \(1, 2\)"),
        ([[0.5]], "torch.float32"),
        ([[1, -2], [0, 0]], "contains -2"),
    ],
)
def test_counts_made_by_hand_are_checked(matrix: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ConfusionMatrix.from_counts(matrix)


def test_counts_made_by_hand_are_copied() -> None:
    table = torch.tensor([[1, 0], [0, 1]])
    cm = ConfusionMatrix.from_counts(table, class_names=["sky", "road"])
    table += 1
    assert cm.pixel_accuracy() == 1
    assert cm.settings.names == ("sky", "road")


@pytest.mark.parametrize("make", [ConfusionMatrix, PerImage])
def test_unknown_conventions_are_named(make: Any, maps: Any) -> None:
    counter = make(5).update(*maps(5))
    with pytest.raises(ValueError, match="absent='ignore' has to be one of 'skip': leave out"):
        counter.mean_iou(absent="ignore")
    for classes in ([5], [-1], []):
        with pytest.raises(ValueError, match="has to name at least one of the classes 0 to 4"):
            counter.mean_iou(classes=classes)
