"""Several processes: the same batches, the same gradients, the same metrics, no hanging."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch

from segtutor.training import freeze, processes
from segtutor.training.checkpoint import load_checkpoint
from segtutor.training.processes import Processes, together
from tests.training.cases import net

LIMIT = 120  # seconds for a pair of processes: one that hangs is a failure, not a wait


def torchrun(script: str, folder: Path, count: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script in several processes, as `torchrun` does; the port is chosen by itself."""
    (folder / "script.py").write_text(script)
    launch = ["torch.distributed.run", "--standalone", f"--nproc_per_node={count}", "script.py"]
    return subprocess.run(
        [sys.executable, "-m", *launch],
        cwd=folder, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip


def side_by_side(script: str, folder: Path, count: int = 2) -> list[tuple[int, str]]:
    """Run a script in several processes that nobody ends; return how each ended, and its errors.

    `torchrun` ends the others as soon as one fails: sooner, at times, than they notice it.
    """
    (folder / "script.py").write_text(script)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count),
              "TORCHELASTIC_RUN_ID": "test"}  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "script.py"], cwd=folder, stderr=subprocess.PIPE, text=True,
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(count)
    ]  # fmt: skip
    try:
        return [(p.wait(), e) for p, e in [(p, p.communicate(timeout=LIMIT)[1]) for p in started]]
    finally:
        for process in started:
            process.kill()


def pair(count: int = 2) -> list[Processes]:
    return [Processes(torch.device("cpu"), rank, count) for rank in range(count)]


@pytest.mark.parametrize(("samples", "batch_size"), [(12, 4), (13, 5), (7, 3), (40, 16)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_batches_together_are_those_of_one(samples: int, batch_size: int, count: int) -> None:
    alone = Processes().batches(samples, batch_size, seed=3, epoch=2)
    assert sorted(chain(*alone)) == list(range(samples))
    shares = [process.batches(samples, batch_size, seed=3, epoch=2) for process in pair(count)]
    merged = [sorted(chain(*parts)) for parts in zip(*shares, strict=True)]
    expected = [sorted(batch) for batch in alone]
    assert merged == (expected if len(alone[-1]) >= count else expected[:-1])
    assert all(batch for share in shares for batch in share)


def test_the_order_follows_from_seed_and_epoch() -> None:
    orders = {
        (seed, epoch): str(Processes().batches(50, 50, seed=seed, epoch=epoch))
        for seed in range(4)
        for epoch in range(10)
    }
    assert len(set(orders.values())) == len(orders)
    torch.manual_seed(1)
    assert orders[1, 2] == str(Processes().batches(50, 50, seed=1, epoch=2))


def test_a_smaller_last_batch_can_be_left_out() -> None:
    kept = [Processes().batches(10, 4, seed=0, epoch=0, drop_last=drop) for drop in (False, True)]
    assert [len(batch) for batch in kept[0]] == [4, 4, 2]
    assert kept[1] == kept[0][:2]


def test_too_small_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size is 2, but each of 3 processes"):
        pair(3)[0].batches(10, 2, seed=0, epoch=0)


def test_alone_nothing_changes() -> None:
    model = torch.nn.Linear(2, 2)
    with together("cpu") as alone:
        assert (alone.rank, alone.count, alone.first) == (0, 1, True)
        assert alone.wrap(model) is model
        assert alone.weight(7) == 1.0
        assert alone.total(0.1, 2) == [0.1, 2.0]
        assert not torch.distributed.is_initialized()


EXACT = """
import torch
from torch import nn
from segtutor.losses import cross_entropy
from segtutor.metrics import ConfusionMatrix
from segtutor.training.processes import together

torch.set_num_threads(1)
torch.manual_seed(0)
images, labels = torch.rand(10, 3, 8, 8), torch.randint(4, (10, 8, 8))
labels[torch.rand(10, 8, 8) < torch.linspace(0, 0.9, 10)[:, None, None]] = 255  # uneven shares
made = [nn.Conv2d(3, 4, 3, padding=1),
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
                      nn.ConvTranspose2d(8, 4, 3))]
for name, model in zip(("plain", "normed"), made):
    with together("cpu") as team:
        net, steps = team.wrap(model), torch.optim.SGD(model.parameters(), 0.5)
        for epoch in range(3):
            for batch in team.batches(10, 4, seed=0, epoch=epoch):
                loss = cross_entropy(net(images[batch]), labels[batch])
                (loss * team.weight((labels[batch] != 255).sum())).backward()
                steps.step(), steps.zero_grad()
        team.agree(model)
        matrix, model = ConfusionMatrix(4), model.eval()
        with torch.no_grad():
            for i in team.share(10):
                matrix.update(model(images[i : i + 1]), labels[i : i + 1])
        matrix, judged = matrix.synced(), team.total(float(matrix.matrix.sum()))
    torch.save({"model": model.state_dict(), "matrix": matrix.matrix, "judged": judged[0]},
               f"{name}-{team.count}-{team.rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    """Without batch norm they train the same weights; with it, both judge the same ones."""
    done = torchrun(EXACT, tmp_path)
    assert done.returncode == 0, done.stderr
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, timeout=LIMIT)
    for kind in ("plain", "normed"):
        one, first, second = (
            torch.load(tmp_path / f"{kind}-{name}.pt", weights_only=True)
            for name in ("1-0", "2-0", "2-1")
        )
        assert first["matrix"].equal(second["matrix"])
        for name, value in first["model"].items():
            assert value.equal(second["model"][name]), name
        # Each pixel is counted once.
        assert first["matrix"].sum() == one["matrix"].sum() == first["judged"]
        if kind == "plain":
            torch.testing.assert_close(first["model"], one["model"], rtol=0, atol=1e-6)
            assert first["matrix"].equal(one["matrix"])


FAILS = """
import os, torch
from segtutor.training.processes import together

with together("cpu") as team:
    net = team.wrap(torch.nn.Linear(2, 2))
    for step in range(1000):
        if team.rank == 1 and step == 3:
            HOW
        net(torch.rand(4, 2)).sum().backward()
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["raise ValueError('label 9')", "os._exit(9)"])
def test_when_one_fails_the_other_stops(tmp_path: Path, how: str) -> None:
    (lost, message), (failed, cause) = side_by_side(FAILS.replace("HOW", how), tmp_path)
    assert lost != 0
    assert failed != 0
    if "raise" in how:
        assert "ValueError: label 9" in cause
    assert "process 0 of 2 stopped because it lost the others" in message


@pytest.mark.slow
def test_torchrun_reports_the_one_that_failed(tmp_path: Path) -> None:
    done = torchrun(FAILS.replace("HOW", "raise ValueError('label 9')"), tmp_path)
    assert done.returncode != 0
    assert "ValueError: label 9" in done.stderr


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    assert processes._own_gpu(0) == torch.device("cuda", 0)
    with pytest.raises(ValueError, match=r"with 1 GPUs: take --nproc_per_node=1, or device='cpu'"):
        processes._own_gpu(1)


def test_sync_batch_norm_needs_gpus() -> None:
    with pytest.raises(ValueError, match="sync_batch_norm needs GPUs"):
        pair()[0].wrap(torch.nn.BatchNorm2d(2), sync_batch_norm=True)


def test_sync_batch_norm_leaves_alone_what_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two processes would meet on GPUs stands a function that gives the model back."""
    monkeypatch.setattr(processes, "DistributedDataParallel", lambda model, device_ids: model)
    model = torch.nn.Sequential(freeze(torch.nn.Sequential(torch.nn.BatchNorm2d(2))),
                                torch.nn.BatchNorm2d(2))  # fmt: skip
    before = dict(model.named_parameters())
    wrapped = Processes(torch.device("cuda", 0), 0, 2).wrap(model, sync_batch_norm=True).train()
    assert isinstance(wrapped[1], torch.nn.SyncBatchNorm)
    assert wrapped[1].training
    assert not wrapped[0][0].training
    assert not wrapped[0][0].weight.requires_grad
    assert all(parameter is before[name] for name, parameter in wrapped.named_parameters())


FIT = """
SCORES = ("train_loss", "val_loss", "mean_iou", "iou")
import os, sys, torch
from torch.utils.data import Subset
from segtutor.training import evaluate, fit
sys.path.insert(0, ROOT)
from tests.training.cases import Noisy, Spots, net

torch.set_num_threads(1)
count, rank = os.environ.get("WORLD_SIZE", "1"), os.environ.get("RANK", "0")
torch.manual_seed(int(rank))  # processes that differ are made equal
found = {}
for name, settings in {
    "plain": {}, "void": {"clip_norm": 0.1, "schedule": "plateau"}, "parts": {"accumulate": 2},
    "average": {"ema": 0.9, "patience": 1, "optimizer": "sgd"},
}.items():
    model = net(norm=False)
    history = fit(model, Noisy(13), Spots(7, seed=1), epochs=4, batch_size=4, device="cpu",
                  progress=False, folder=f"{count}-{name}", learning_rate=0.02, **settings)
    judged = evaluate(model, Subset(Spots(9, seed=2), range(9)), device="cpu")
    found[name] = {
        "scores": {key: torch.tensor(history[key]) for key in SCORES},
        "model": dict(model.state_dict()), "matrix": judged.matrix}
normed = net(norm=True)
normed.load_state_dict(torch.load("normed.pt", weights_only=True))
found["normed"] = evaluate(normed, Spots(9, seed=2), 3, device="cpu").matrix
torch.save(found, f"fit-{count}-{rank}.pt")
"""


@pytest.mark.slow
def test_fit_scores_the_same_in_two_processes(tmp_path: Path) -> None:
    """The same file, started by `python` and by `torchrun`: metrics to 1e-6, counts exactly."""
    root = str(Path(__file__).parents[2])
    trained = net(norm=True)
    trained(torch.rand(8, 3, 10, 14))  # running statistics of its own
    torch.save(trained.state_dict(), tmp_path / "normed.pt")
    done = torchrun(FIT.replace("ROOT", repr(root)), tmp_path)
    assert done.returncode == 0, done.stderr
    alone = [sys.executable, "script.py"]
    subprocess.run(alone, cwd=tmp_path, check=True, timeout=LIMIT)
    one, first, second = (
        torch.load(tmp_path / f"fit-{name}.pt", weights_only=True) for name in ("1-0", "2-0", "2-1")
    )
    for name in ("plain", "void", "parts", "average"):
        assert first[name]["matrix"].equal(second[name]["matrix"])
        assert first[name]["matrix"].sum() == one[name]["matrix"].sum()
        for part in ("scores", "model"):
            for process in (first, second):
                torch.testing.assert_close(
                    process[name][part], one[name][part], rtol=0, atol=1e-6, msg=f"{name} {part}"
                )
        kept = load_checkpoint(tmp_path / f"2-{name}" / "last.pt")
        assert not any(key.startswith("module.") for key in kept["model"])
    assert first["normed"].equal(one["normed"])
    assert second["normed"].equal(one["normed"])
