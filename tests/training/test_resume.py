"""A training that was killed ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from segtutor.training import fit
from segtutor.training.checkpoint import load_checkpoint, save_checkpoint
from tests.training.killing import kill_at_random, same


class Noisy(torch.utils.data.Dataset):
    """Small pictures whose noise is drawn anew each time."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(index))
        return image + 0.1 * torch.randn(3, 8, 8), (image.sum(0) > 1.5).long()


def network(width: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout2d(0.2),
        nn.Conv2d(width, 2, 1),
    )  # fmt: skip


def trained(folder: Path, until: int | None = None, **settings: object) -> nn.Module:
    """Train for four epochs; `until` breaks it off while that epoch is judged."""
    model, judged = network(), 0

    class Breaking(Noisy):
        def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
            nonlocal judged
            judged += index == 0
            if judged == until:
                raise OSError("gone")
            return super().__getitem__(index)

    given = {"epochs": 4, "batch_size": 4, "learning_rate": 0.01, "seed": 3, **settings}
    fit(model, Noisy(), Breaking(), num_classes=2, device="cpu", progress=False,
        folder=folder, **given)  # fmt: skip
    return model


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd", "schedule": "plateau", "ema": 0.9},
        {"schedule": "poly", "warm_up": 0.2, "accumulate": 2, "clip_norm": 0.1},
        {"schedule": "cosine", "precision": "bfloat16", "pictures": 2},
    ],
    ids=str,
)
def test_broken_off_and_resumed_is_the_same(tmp_path: Path, settings: dict) -> None:
    whole = trained(tmp_path / "whole", **settings)
    with pytest.raises(RuntimeError, match=r"sample 0.*gone"):
        trained(tmp_path / "broken", until=3, **settings)
    assert 0 < len(load_checkpoint(tmp_path / "broken" / "last.pt")["history"]["rows"]) < 4
    resumed = trained(tmp_path / "broken", resume=True, **settings)
    assert same(dict(resumed.state_dict()), dict(whole.state_dict()))
    for name in ("last.pt", "best.pt"):
        kept = [load_checkpoint(tmp_path / folder / name) for folder in ("broken", "whole")]
        assert same(*kept), name


def test_a_finished_training_is_not_trained_on(tmp_path: Path) -> None:
    first = trained(tmp_path)
    written = (tmp_path / "last.pt").read_bytes()
    assert same(dict(trained(tmp_path, resume=True).state_dict()), dict(first.state_dict()))
    assert (tmp_path / "last.pt").read_bytes() == written


def test_every_part_of_the_checkpoint_is_needed(tmp_path: Path) -> None:
    """The comparison is sharp: with any one part forgotten the weights differ."""
    whole = trained(tmp_path / "whole", ema=0.9)
    with pytest.raises(RuntimeError, match=r"sample 0.*gone"):
        trained(tmp_path / "broken", until=3, ema=0.9)
    last = tmp_path / "broken" / "last.pt"
    kept = load_checkpoint(last)
    for part in ("model", "average", "optimizer"):
        damaged = load_checkpoint(last)
        if part == "optimizer":
            damaged[part]["state"] = {}
        elif part == "model":
            damaged[part] = network().state_dict()
        else:
            for name, value in network().state_dict().items():
                damaged[part][f"module.{name}"] = value
        save_checkpoint(last, **damaged)
        resumed = trained(tmp_path / "broken", resume=True, ema=0.9)
        assert not same(dict(resumed.state_dict()), dict(whole.state_dict())), part
        save_checkpoint(last, **kept)
    resumed = trained(tmp_path / "broken", resume=True, ema=0.9)
    assert same(dict(resumed.state_dict()), dict(whole.state_dict()))


class Tightening(nn.CrossEntropyLoss):
    """A loss that counts its calls, and that learns a factor."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        self.calls += logits.requires_grad
        return super().forward(logits * self.factor, labels) * (1 + self.calls)


def test_a_loss_that_has_learned_goes_on(tmp_path: Path) -> None:
    def run(until: int | None, resume: bool, folder: str) -> tuple[nn.Module, nn.Module]:
        model, loss = network(), Tightening()
        if until is not None:
            loss.register_forward_pre_hook(lambda *_: stop_at(until))
        given = [*model.parameters(), *loss.parameters()]
        fit(model, Noisy(), num_classes=2, device="cpu", progress=False, epochs=4, batch_size=4,
            loss=loss, optimizer=torch.optim.Adam(given, lr=0.01), folder=tmp_path / folder,
            resume=resume)  # fmt: skip
        return model, loss

    seen = 0

    def stop_at(call: int) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise RuntimeError("gone")

    whole = run(None, False, "whole")
    with pytest.raises(RuntimeError, match="epoch 3, step 2: gone"):
        run(8, False, "broken")
    for resumed, other in zip(run(None, True, "broken"), whole, strict=True):
        assert same(dict(resumed.state_dict()), dict(other.state_dict()))


def test_other_settings_are_refused(tmp_path: Path) -> None:
    trained(tmp_path)
    with pytest.raises(ValueError, match=r"last.pt was trained with other settings \(epochs was 4"):
        trained(tmp_path, resume=True, epochs=6)
    with pytest.raises(ValueError, match=r"learning_rate was 0.01, now 0.02; seed was 3, now 4"):
        trained(tmp_path, resume=True, learning_rate=0.02, seed=4)


def test_resuming_what_never_began_begins(tmp_path: Path) -> None:
    fresh = trained(tmp_path / "one")
    begun = trained(tmp_path / "two", resume=True)
    assert same(dict(begun.state_dict()), dict(fresh.state_dict()))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_moments(workers: int) -> None:
    tried = kill_at_random(moments=3 if workers == 0 else 1, seed=workers, workers=workers)
    assert all(identical for identical, *_ in tried), tried
    assert any(running for _, running, _ in tried), tried
