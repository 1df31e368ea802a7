"""Training that cannot go on stops with a sentence, and leaves the model usable."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, Subset

from segtutor.training import evaluate, fit, load_checkpoint
from tests.training.cases import Spots, net, same

train = partial(fit, progress=False, device="cpu", batch_size=4, epochs=3)


class Faulty(Spots):
    """One sample is not as it should be; the data set knows its files."""

    def __init__(self, which: int, change: Any) -> None:
        super().__init__(12)
        self.which, self.change = which, change

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = super().__getitem__(index)
        return self.change(*sample) if index == self.which else sample

    def paths(self, index: int) -> tuple[str, str]:
        return f"images/{index:03}.png", f"masks/{index:03}.png"


def refuse(*_: Any) -> Any:
    raise OSError("truncated")


WHERE = r"^epoch 1, step [123]: "
FAULTS = {
    "range": (lambda image, labels: (image, labels.where(labels != 2, 23)), ValueError,
              r"sample 5 \(images/005.png, masks/005.png\): labels contain 23, but with 3 classes"),
    "size": (lambda image, labels: (image[:, 1:], labels[1:]), ValueError,
             r"the pictures of a batch differ .*sample 5 \(3, 9, 14\).*crop or resize"),
    "fit": (lambda image, labels: (image, labels[1:]), ValueError,
            r"sample 5 \(images.*\): labels \(9, 14\) do not fit the picture, .* \(3, 10, 14\)"),
    "unreadable": (refuse, RuntimeError, r"sample 5 \(images/005.png.*cannot be read: truncated"),
    "infinite": (lambda image, labels: (image / 0, labels), FloatingPointError,
                 r"the loss is nan; the picture of sample 5 is not finite"),
}  # fmt: skip


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_sample_is_named(fault: str, workers: int) -> None:
    change, kind, said = FAULTS[fault]
    model = net()
    with pytest.raises(kind, match=WHERE + said):
        train(model, Faulty(5, change), workers=workers)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert all(p.grad is None for p in model.parameters())
    train(model, Spots(4))  # goes on from there


def test_a_subset_names_the_sample_and_its_file() -> None:
    part = Subset(Faulty(5, FAULTS["range"][0]), [3, 5, 7, 9])
    with pytest.raises(ValueError, match=r"sample 1 \(images/005.png, masks/005.png\)"):
        train(net(), part)
    with pytest.raises(ValueError, match=r"evaluating: sample 1 \(images/005.png"):
        train(net(), Spots(4), part)


class Breaks(nn.Module):
    """A loss that is not a number from its n-th step on."""

    def __init__(self, step: int, value: float, *, gradient: bool = False) -> None:
        super().__init__()
        self.calls, self.step, self.value, self.gradient = 0, step, value, gradient

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.calls += logits.requires_grad
        loss = logits.square().mean()
        if self.calls < self.step:
            return loss
        # √0 is fine, its slope is not.
        return loss + (logits - logits).mean().sqrt() if self.gradient else loss * self.value


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number(value: float, accumulate: int, tmp_path: Path) -> None:
    broken, until = net(), net()
    with pytest.raises(FloatingPointError, match=r"^epoch 2, step 2: .* lower the learning rate"):
        train(broken, Spots(12), loss=Breaks(5 * accumulate, value), accumulate=accumulate,
              folder=tmp_path)  # fmt: skip
    kept = load_checkpoint(tmp_path / "last.pt")
    assert len(kept["history"]["rows"]) == 1
    with pytest.raises(RuntimeError, match="stopped"):
        train(until, Spots(12), loss=Stops(5 * accumulate), accumulate=accumulate)
    assert same_parameters(broken, until)  # four steps, and nothing of the fifth


class Endless(IterableDataset):
    def __iter__(self) -> Any:
        yield from Spots(4)


class Features(nn.Conv2d):
    """A model that calls its logits otherwise."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        super().__init__(3, 3, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"features": super().forward(x)}


class Stops(Breaks):
    def __init__(self, step: int) -> None:
        super().__init__(step, 1.0)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = super().forward(logits, labels)
        if self.calls >= self.step:
            raise RuntimeError("stopped")
        return loss


def same_parameters(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_gradient_that_is_no_number_is_not_applied() -> None:
    model = net()
    with pytest.raises(FloatingPointError, match="epoch 1, step 2: the gradient's norm is nan"):
        train(model, Spots(12), loss=Breaks(2, 1.0, gradient=True))
    assert all(p.isfinite().all() for p in model.parameters())


def test_batch_norm_on_a_single_value() -> None:
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Upsample((10, 14)))
    with pytest.raises(ValueError, match=r"step 1: Expected more than 1 value.*larger batch_size"):
        train(pooled, Spots(4), batch_size=1)
    one = net()
    train(one, Spots(1), batch_size=8)  # a batch of one is no trouble where pixels are many
    assert not same(one, net())


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"train": Spots(0)}, ValueError, "train is empty"),
        ({"val": Spots(0)}, ValueError, "val is empty"),
        ({"train": Endless()}, TypeError, "train is Endless, but has to be a data set that knows"),
        ({"train": DataLoader(Spots(4))}, TypeError, "DataLoader, but.*: give train.dataset"),
        ({"val": DataLoader(Spots(4))}, TypeError, "val is DataLoader, but.*: give val.dataset"),
        ({"train": Faulty(0, lambda image, labels: (image, labels, "0.png"))}, TypeError,
         r"sample 0 \(images/000.png.*is a tuple of 3, but has to be a pair"),
        ({"train": Faulty(0, lambda image, labels: {"image": image})}, TypeError,
         "is a dict, but has to be a pair"),
        ({"train": Faulty(0, lambda image, labels: (image.numpy(), labels.numpy()))}, ValueError,
         "two tensors: torch.from_numpy"),
        ({"train": Faulty(0, lambda image, labels: (image.double(), labels))}, ValueError,
         r"cannot take a picture.*`image.float\(\)`"),
        ({"model": Features()}, TypeError, "a dict with features, but has to return logits"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"that is made: CrossEntropyLoss\(\)"),
        ({"loss": nn.CrossEntropyLoss()}, RuntimeError, r"step 1.*void: .*ignore_index=255"),
        ({"loss": nn.CrossEntropyLoss(ignore_index=255, reduction="none")}, TypeError,
         r"step 1: the loss returns \(4, 10, 14\), but has to return one number"),
        ({"loss": lambda logits, labels: 1.0}, TypeError, "the loss returns float, but"),
        ({"loss": lambda logits, labels: logits.detach().mean()}, RuntimeError,
         "step 1.*lost its way to the weights"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate=nan has to be above 0"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay=-0.1 has to be 0 or more"),
        ({"rates": {"0": -1.0}}, ValueError, "0=-1.0 has to be 0 or more"),
        ({"epochs": 0}, ValueError, "epochs=0 has to be 1 or more"),
        ({"batch_size": 0}, ValueError, "batch_size=0 has to be 1"),
        ({"accumulate": 0}, ValueError, "accumulate=0 has to be 1"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate=-1.0 has to be above 0"),
        ({"clip_norm": 0.0}, ValueError, "clip_norm=0.0 has to be above 0"),
        ({"patience": 0}, ValueError, "patience=0 has to be 1"),
        ({"ema": 1.0}, ValueError, "ema=1.0 has to be a decay"),
        ({"precision": "half"}, ValueError, "'half' has to be one of float32, bfloat16, float16"),
        ({"loss": "dice"}, TypeError, "loss='dice' has to be a function"),
        ({"schedule": "plateau"}, ValueError, "waits for the validation loss"),
        ({"schedule": "step"}, ValueError, "'step' has to be one of"),
        ({"resume": True}, ValueError, "resume=True needs the folder"),
        ({"num_classes": 2}, ValueError, "tells 3 classes apart, but the data set has 2"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant(changes: dict, kind: type, said: str) -> None:
    model = net(norm=False)
    with pytest.raises(kind, match=said):
        train(**({"model": model, "train": Spots(4)} | changes))
    assert same(model, net(norm=False))


@pytest.mark.parametrize(
    ("dataset", "batch_size", "kind", "said"),
    [
        (Spots(0), 4, ValueError, "dataset is empty"),
        (DataLoader(Spots(4)), 4, TypeError, "give dataset.dataset"),
        (Endless(), 4, TypeError, "dataset is Endless, but"),
        (Spots(4), 0, ValueError, "batch_size=0 has to be 1 or more"),
    ],
)
def test_what_cannot_be_evaluated(dataset: Any, batch_size: int, kind: type, said: str) -> None:
    with pytest.raises(kind, match=said):
        evaluate(net(), dataset, 3, batch_size=batch_size)


def test_the_incomplete_last_batch_is_left_out_unless_it_is_the_only_one() -> None:
    sizes: list[int] = []
    model = net()
    model.register_forward_pre_hook(lambda m, x: sizes.append(len(x[0])) if m.training else None)
    train(model, Spots(11), epochs=2)
    assert sizes == [4, 4] * 2
    sizes.clear()
    train(model, Spots(3), epochs=2)
    assert sizes == [3, 3]


def test_stopping_early_and_the_plateau(tmp_path: Path) -> None:
    class Rising(nn.Module):
        """A loss whose value in validation grows from the third time on."""

        times = 0

        def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
            if logits.requires_grad:
                return logits.square().mean()
            self.times += 1
            return torch.tensor(max(1.0 / self.times, 0.5 + 0.01 * self.times))

    data = Spots(4)
    history = train(net(), data, data, loss=Rising(), schedule="plateau", epochs=12,
                    learning_rate=0.1)  # fmt: skip
    expected = [0.1] * 6 + [0.01] * 4 + [0.001] * 2  # the best is epoch 2: four without a better
    assert history["learning_rate"] == pytest.approx(expected)

    model = net()
    stopped = train(model, data, data, patience=2, epochs=50, learning_rate=1e-9, folder=tmp_path)
    assert len(stopped) == 3
    assert stopped.best["epoch"] == load_checkpoint(tmp_path / "best.pt")["epoch"] == 1
