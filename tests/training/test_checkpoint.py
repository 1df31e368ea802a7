"""Checkpoints: whole or not there, read without running code, refused in words."""

from __future__ import annotations

import errno
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from segtutor.training import checkpoint
from segtutor.training.checkpoint import load_checkpoint, save_checkpoint

SAVES_FOR_EVER = """
import itertools, sys, torch
from segtutor.training.checkpoint import save_checkpoint
for i in itertools.count(1):
    save_checkpoint(sys.argv[1], generation=i, weights=torch.full((200_000,), float(i)))
    print(i, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.pt"


def left_beside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.iterdir() if other != path)


def test_a_training_comes_back_as_it_was(path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    history = {"mean_iou": [0.1, float("nan")], "classes": ("road", "sky"), "best": None}
    save_checkpoint(
        path, model=model.state_dict(), optimizer=optimizer.state_dict(), history=history
    )
    loaded = load_checkpoint(path)
    assert list(loaded) == ["model", "optimizer", "history"]
    assert isinstance(loaded["model"], OrderedDict)
    torch.testing.assert_close(loaded["model"], model.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(
        loaded["optimizer"]["state"], optimizer.state_dict()["state"], rtol=0, atol=0
    )
    assert loaded["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]
    assert repr(loaded["history"]) == repr(history)
    assert left_beside(path) == []


def test_plain_pytorch_reads_it(path: Path) -> None:
    save_checkpoint(path, model={"weight": torch.ones(2)})
    assert torch.load(path, weights_only=True)["model"]["weight"].tolist() == [1.0, 1.0]


def test_the_folder_is_made(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a" / "b" / "last.pt", epoch=1)
    assert load_checkpoint(tmp_path / "a" / "b" / "last.pt") == {"epoch": 1}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"val": [1.0, np.float64(2.0)]}, r"history\['val'\]\[1\] is numpy.float64"),
        (torch.nn.ReLU(), "history is torch.nn.modules.activation.ReLU"),
        ({Path("a"): 1}, r"a key of history is pathlib"),
        ((1, {2}), r"history\[1\] is builtins.set"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(path: Path, value: object, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        save_checkpoint(path, history=value)
    assert not path.exists()


def test_other_settings_are_named(path: Path) -> None:
    save_checkpoint(path, settings={"epochs": 3, "learning_rate": 0.01, "seed": 0})
    same = {"epochs": 3, "learning_rate": 0.01, "seed": 0}
    assert load_checkpoint(path, settings=same)["settings"] == same
    with pytest.raises(ValueError, match=r"learning_rate was 0.01, now 0.1; seed was 0, now None"):
        load_checkpoint(path, settings={"epochs": 3, "learning_rate": 0.1})


def test_no_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        load_checkpoint(path)
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        load_checkpoint(path.parent)


def test_every_damage_is_noticed(path: Path) -> None:
    """Truncated anywhere, or a byte of the weights changed: PyTorch alone reads on."""
    weights = torch.arange(10_000.0)
    save_checkpoint(path, weights=weights)
    whole = path.read_bytes()
    draw = random.Random(0)
    inside = whole.index(weights.numpy().tobytes())
    damaged = [whole[: draw.randrange(len(whole))] for _ in range(20)] + [b""]
    for _ in range(20):
        flipped = bytearray(whole)
        flipped[draw.randrange(inside, inside + 40_000)] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"last.pt is damaged .*delete it"):
            load_checkpoint(path)
    path.write_bytes(whole)
    assert load_checkpoint(path)["weights"].equal(weights)


def test_files_from_elsewhere(path: Path) -> None:
    path.write_text("not a checkpoint")
    with pytest.raises(ValueError, match="is damaged"):
        load_checkpoint(path)
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(ValueError, match="no checkpoint of segtutor"):
        load_checkpoint(path)
    torch.save(torch.ones(2), path)
    with pytest.raises(ValueError, match="no checkpoint of segtutor"):
        load_checkpoint(path)
    torch.save({checkpoint.KIND: checkpoint.VERSION + 1}, path)
    with pytest.raises(ValueError, match="newer segtutor"):
        load_checkpoint(path)


class Harmful:
    def __reduce__(self) -> tuple:
        return os.system, ("touch harmed",)


def test_code_in_a_file_is_not_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    torch.save({checkpoint.KIND: 1, "model": Harmful()}, path)
    with pytest.raises(ValueError, match="could run code"):
        load_checkpoint(path)
    assert not Path("harmed").exists()


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save_checkpoint(path, epoch=1)
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match=r"last.pt could not .*No space left.*MB.*resume") as caught:
        save_checkpoint(path, epoch=2)
    assert caught.value.errno == errno.ENOSPC
    assert load_checkpoint(path) == {"epoch": 1}
    assert left_beside(path) == []


def test_a_write_that_the_system_breaks_off(path: Path) -> None:
    """No patch: the system itself stops the file at 50,000 bytes, in the middle of a write."""
    save_checkpoint(path, epoch=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, match="could not be written"):
            save_checkpoint(path, epoch=2, weights=torch.zeros(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert load_checkpoint(path) == {"epoch": 1}
    assert left_beside(path) == []


def test_leftovers_of_a_kill_are_removed_and_nothing_else(path: Path) -> None:
    names = ["best.pt.0a.partial", "last.pt.0a.partial", "last.pt.txt", "last.pt.01.partial"]
    for name in names:
        (path.parent / name).write_text("")
    save_checkpoint(path, epoch=1)
    assert left_beside(path) == ["best.pt.0a.partial", "last.pt.txt"]


def killed_while_saving(path: Path, draw: random.Random) -> int:
    """Kill a process that does nothing but save; return the last save that it announced."""
    saver = subprocess.Popen(
        [sys.executable, "-c", SAVES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
    )
    saver.stdout.readline()
    time.sleep(draw.uniform(0, 0.2))
    saver.send_signal(signal.SIGKILL)
    announced = saver.stdout.read().split()
    saver.wait(60)
    return int(announced[-1]) if announced else 1


@pytest.mark.slow
def test_killed_while_saving(path: Path) -> None:
    draw = random.Random(0)
    for _ in range(5):
        announced = killed_while_saving(path, draw)
        loaded = load_checkpoint(path)
        assert loaded["generation"] in (announced, announced + 1)
        assert loaded["weights"].eq(loaded["generation"]).all()
