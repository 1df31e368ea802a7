"""What breaks around a training: readers, disks, other processes. A sentence, and nothing lost."""

from __future__ import annotations

import errno
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segtutor.training import evaluate, fit
from segtutor.training.checkpoint import load_checkpoint, save_checkpoint
from tests.training.cases import Spots, net, same
from tests.training.test_processes import side_by_side

train = partial(fit, progress=False, device="cpu", batch_size=4, epochs=3, seed=5)


class Dies(Spots):
    """The process that reads a certain sample is gone, as if the system had killed it."""

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if index == 5 and torch.utils.data.get_worker_info() is not None:
            os._exit(1)
        return super().__getitem__(index)


def test_a_worker_that_dies() -> None:
    with pytest.raises(RuntimeError, match=r"^epoch 1, step \d: .*worker.*workers=0 shows"):
        train(net(), Dies(12), workers=2)


def test_a_worker_that_dies_in_validation() -> None:
    with pytest.raises(RuntimeError, match=r"evaluating.*worker.*workers=0 shows"):
        train(net(), Spots(12), Dies(12), workers=1)
    with pytest.raises(RuntimeError, match=r"evaluating.*worker.*workers=0 shows"):
        evaluate(net(), Dies(12), 3, workers=1)


def test_a_full_disk_and_what_its_sentence_advises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full in the second epoch: the first is whole, and with room the training goes on."""
    whole, broken = net(dropout=0.1), net(dropout=0.1)
    train(whole, Spots(12), Spots(4), folder=tmp_path / "whole")
    written, flush = 0, os.fsync

    def full(descriptor: int) -> None:
        nonlocal written
        written += 1
        if written > 5:  # a file and its folder are flushed, for best.pt and last.pt
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"\.pt could not be written \(No space.*then resume"):
            train(broken, Spots(12), Spots(4), folder=tmp_path / "broken")
    assert len(load_checkpoint(tmp_path / "broken" / "last.pt")["history"]["rows"]) == 1
    resumed = net(dropout=0.1)
    train(resumed, Spots(12), Spots(4), folder=tmp_path / "broken", resume=True)
    assert same(resumed, whole)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        save_checkpoint(tmp_path / "last.pt", weights=torch.zeros(8000))
        with pytest.raises(OSError, match="No space left on device"):
            save_checkpoint(tmp_path / "last.pt", weights=torch.ones(8000))
        assert load_checkpoint(tmp_path / "last.pt")["weights"].eq(0).all()
        assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    model = net()
    with pytest.raises(OSError, match=r"run cannot be written to \(.*choose another"):
        train(model, Spots(4), folder=tmp_path / "run")
    assert same(model, net())  # before an epoch is spent


def test_resuming_another_model(tmp_path: Path) -> None:
    train(net(), Spots(4), folder=tmp_path)
    with pytest.raises(ValueError, match=r"last.pt holds another model .*weight and"):
        train(net(norm=False), Spots(4), folder=tmp_path, resume=True)


def test_resuming_from_a_damaged_file(tmp_path: Path) -> None:
    train(net(), Spots(4), folder=tmp_path)
    (tmp_path / "last.pt").write_bytes((tmp_path / "last.pt").read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"damaged.*delete it"):
        train(net(), Spots(4), folder=tmp_path, resume=True)
    (tmp_path / "last.pt").unlink()
    train(net(), Spots(4), folder=tmp_path, resume=True)


ONE_SIDE = """
import sys
from segtutor.training import fit
sys.path.insert(0, ROOT)
from tests.training.cases import Spots, net

class Faulty(Spots):
    def __getitem__(self, index):
        image, labels = super().__getitem__(index)
        return image, (labels.fill_(99) if index == 7 else labels)

fit(net(), Faulty(16), Spots(8), batch_size=4, progress=False, device="cpu")
"""


@pytest.mark.slow
def test_a_fault_that_one_of_two_processes_meets(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    ended = side_by_side(ONE_SIDE.replace("ROOT", repr(root)), tmp_path)
    assert all(code != 0 for code, _ in ended)
    lost, cause = sorted((errors for _, errors in ended), key=lambda text: "sample 7" in text)
    assert "sample 7: labels contain 99" in cause
    assert "stopped because it lost the others" in lost
