"""The loop: what a person would have written by hand, and the same again."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segtutor.losses import cross_entropy
from segtutor.metrics import ConfusionMatrix
from segtutor.training import evaluate, fit, freeze, load_checkpoint, parameter_groups
from segtutor.training.ema import averaged
from segtutor.training.processes import Processes
from tests.training.cases import Noisy, Spots, largest_gap, net, same, unet

train = partial(fit, progress=False, device="cpu", batch_size=4, epochs=3)


def test_the_same_weights_as_a_loop_by_hand() -> None:
    data = Spots(18)
    ours = unet()
    train(ours, data, learning_rate=0.02, weight_decay=0.1, clip_norm=0.5)

    model = unet().train()
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.02, 0.1))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.02, total_steps=12, cycle_momentum=False
    )
    for epoch in (1, 2, 3):
        for batch in Processes().batches(18, 4, seed=0, epoch=epoch, drop_last=True):
            images = torch.stack([data[i][0] for i in batch])
            labels = torch.stack([data[i][1] for i in batch])
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            schedule.step()
    assert same(ours, model)


def test_one_batch_can_be_learned_by_heart() -> None:
    data, model = Spots(4), unet()
    history = train(model, data, epochs=120, learning_rate=0.02)
    assert evaluate(model, data).mean_iou() > 0.95
    assert history["train_loss"][-1] < 0.1 * history["train_loss"][0]


@pytest.mark.parametrize("workers", [0, 2])
def test_one_seed_gives_one_result_whoever_reads(workers: int) -> None:
    first, again, other = net(dropout=0.5), net(dropout=0.5), net(dropout=0.5)
    random.seed(98)
    np.random.seed(98)
    train(first, Noisy(9), epochs=2, seed=3)
    torch.manual_seed(99)
    random.seed(99)
    np.random.seed(99)
    train(again, Noisy(9), epochs=2, seed=3, workers=workers)
    train(other, Noisy(9), epochs=2, seed=4)
    assert same(first, again)
    assert not same(first, other)


def test_noise_differs_between_epochs_and_samples() -> None:
    data, seen = Noisy(4), []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net(norm=False)

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                known = [(x[i] - image).mean() for i in range(4) for image in data.images
                         if (x[i] - image).std() < 1e-6]  # fmt: skip
                seen.extend(round(float(each), 5) for each in known)
            return self.net(x)

    train(Watched(), data, epochs=3)
    assert len(seen) == len(set(seen)) == 12


def test_the_generators_of_the_world_are_given_back() -> None:
    def draws() -> tuple[float, float, float]:
        return torch.rand(()).item(), float(np.random.rand()), random.random()

    def after(action: Any) -> tuple[float, float, float]:
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        action()
        return draws()

    model, expected = net(dropout=0.5), after(lambda: None)
    assert after(lambda: train(model, Noisy(4), Noisy(4), pictures=1)) == expected
    assert after(lambda: evaluate(model, Noisy(4))) == expected


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_given_back(training: bool) -> None:
    model = net(dropout=0.5).train(training)
    model[1].train(not training)
    modes = [module.training for module in model.modules()]
    train(model, Spots(4), Spots(3), pictures=1)
    assert [module.training for module in model.modules()] == modes
    with pytest.raises(ValueError, match="sample 2"):
        train(model, Faulty(4, 2, lambda image, labels: (image, labels + 7)))
    assert [module.training for module in model.modules()] == modes


def test_it_trains_in_training_mode_and_judges_in_evaluation_mode() -> None:
    model, modes = net(), []
    model.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    train(model.eval(), Spots(8), Spots(4), epochs=2)
    assert modes == [False, *[True, True, False] * 2]  # the first is the look at one picture


@pytest.mark.parametrize("schedule", ["one_cycle", "poly", "cosine", "constant"])
def test_the_rates_on_record_are_those_of_the_optimizer(schedule: str) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    used: list[float] = []
    optimizer.register_step_pre_hook(lambda o, *_: used.append(o.param_groups[0]["lr"]))
    history = train(model, Spots(9), optimizer=optimizer, schedule=schedule)
    assert history.steps["learning_rate"] == used
    assert history["learning_rate"] == used[1::2]
    assert len(set(used)) == (1 if schedule == "constant" else 6)


def test_parts_of_a_model_keep_their_share_of_the_rate() -> None:
    model, seen = unet(), []
    history = train(model, Spots(8), rates={"encoder": 0.1}, learning_rate=0.01)
    groups = parameter_groups(model, 0.01, 0.0, rates={"encoder": 0.1})
    seen = sorted({group["lr"] for group in groups})
    assert seen == pytest.approx([0.001, 0.01])
    assert max(history.steps["learning_rate"]) <= 0.01


def test_clipping_is_of_the_whole_gradient_and_its_norm_is_that_before() -> None:
    model, after = net(norm=False), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def norm(*_: Any) -> None:
        squares = [(p.grad.double() ** 2).sum() for p in model.parameters()]
        after.append(sum(squares).sqrt().item())

    optimizer.register_step_pre_hook(norm)
    clipped = train(model, Spots(8), optimizer=optimizer, clip_norm=0.05, schedule="constant")
    assert after == pytest.approx([0.05] * 6, rel=1e-4)
    assert min(clipped.steps["gradient_norm"]) > 0.06
    after.clear()
    free = train(model, Spots(8), optimizer=optimizer, schedule="constant")
    assert after == pytest.approx(free.steps["gradient_norm"], rel=1e-5)


@pytest.mark.parametrize("parts", [2, 3, 8, 20])
def test_parts_of_a_batch_are_the_whole_batch(parts: int) -> None:
    data = Spots(8)  # with a void share from 0 to nearly all: a mean of means would be off
    whole, cut = net(norm=False), net(norm=False)
    by_hand = net(norm=False)
    for_all = partial(train, batch_size=8, optimizer="sgd", learning_rate=0.1, epochs=4)
    one = for_all(whole, data)
    other = for_all(cut, data, accumulate=parts)
    assert largest_gap(whole, cut) < 1e-6
    assert one.steps["loss"] == pytest.approx(other.steps["loss"], abs=1e-6)

    def mean_of_means(logits: Tensor, labels: Tensor) -> Tensor:
        pairs = zip(logits.chunk(parts), labels.chunk(parts), strict=True)
        costs = [cross_entropy(part, each) for part, each in pairs]
        return sum(costs) / len(costs)

    for_all(by_hand, data, loss=mean_of_means)
    assert largest_gap(whole, by_hand) > 1e-4


def test_a_batch_of_void_alone_costs_nothing() -> None:
    data = Spots(4)
    data.labels[:] = 255
    model = net(norm=False)
    for accumulate in (1, 2):
        history = train(model, data, data, weight_decay=0.0, accumulate=accumulate)
        assert history["train_loss"] == [0.0, 0.0, 0.0]
    assert same(model, net(norm=False))


def test_the_average_follows_as_pytorchs_does() -> None:
    ours, theirs = averaged(net(), 0.5), AveragedModel(
        net(), multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True
    )  # fmt: skip
    model = net().train()
    for step in range(40):
        model(torch.rand(2, 3, 8, 8) + step)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        ours.update_parameters(model)
        theirs.update_parameters(model)
    assert ours.module[1].num_batches_tracked == 40  # a count is copied, not averaged
    assert theirs.module[1].num_batches_tracked != 40
    ours.module[1].num_batches_tracked.copy_(theirs.module[1].num_batches_tracked)
    assert largest_gap(ours.module, theirs.module) < 1e-5
    assert largest_gap(ours.module[1], model[1]) > 0.01  # the running statistics lag behind


def test_the_average_has_seen_every_step() -> None:
    model = net(norm=False)
    by_hand = averaged(model, 0.7)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    optimizer.register_step_post_hook(lambda *_: by_hand.update_parameters(model))
    train(model, Spots(12), optimizer=optimizer, ema=0.7)
    assert by_hand.n_averaged == 9
    assert same(model, by_hand.module)


def test_the_average_is_judged_saved_and_left_in_the_model(tmp_path: Path) -> None:
    plain, model = net(), net()
    train(plain, Spots(8), folder=tmp_path / "plain")
    history = train(model, Spots(8), Spots(4, 1), ema=0.9, folder=tmp_path)
    last = load_checkpoint(tmp_path / "last.pt")
    assert all(
        torch.equal(last["model"][name], value) for name, value in plain.state_dict().items()
    )
    average = {name.removeprefix("module."): value for name, value in last["average"].items()}
    assert all(torch.equal(average[name], value) for name, value in model.state_dict().items())
    assert not same(plain, model)
    assert evaluate(model, Spots(4, 1)).mean_iou() == history["mean_iou"][-1]
    best = net()
    best.load_state_dict(load_checkpoint(tmp_path / "best.pt")["model"])
    assert evaluate(best, Spots(4, 1)).mean_iou() == max(history["mean_iou"])


def test_the_loss_sees_no_less_than_single_precision() -> None:
    seen: set[tuple[bool, torch.dtype]] = set()

    def watched(logits: Tensor, labels: Tensor) -> Tensor:
        seen.add((logits.requires_grad, logits.dtype))
        return cross_entropy(logits, labels)

    train(net(), Spots(4), loss=watched, precision="bfloat16")
    assert seen == {(True, torch.float32)}
    seen.clear()
    data = Spots(4)
    data.images = data.images.double()
    train(net().double(), data, data, loss=watched, accumulate=2)
    assert seen == {(True, torch.float64), (False, torch.float64)}


class TwoHeads(nn.Module):
    """Gives a second opinion while it trains."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.body, self.aux, self.kind = net(norm=False), nn.Conv2d(3, 3, 1), kind

    def forward(self, x: Tensor) -> Any:
        logits = self.body(x)
        if not self.training:
            return logits
        return {"dict": {"out": logits, "aux": self.aux(x)}, "tuple": (logits, self.aux(x))}[
            self.kind
        ]


@pytest.mark.parametrize("kind", ["dict", "tuple"])
def test_further_logits_are_trained_with_their_weight(kind: str) -> None:
    torch.manual_seed(2)
    model = TwoHeads(kind)
    before = [p.clone() for p in model.parameters()]
    data = Spots(4)
    labels = data.labels
    logits, aux = model.body(data.images), model.aux(data.images)
    expected = cross_entropy(logits, labels) + 0.25 * cross_entropy(aux, labels)
    history = train(model, data, data, epochs=1, auxiliary=0.25,
                    schedule="constant")  # fmt: skip
    assert history.steps["loss"] == pytest.approx([expected.item()], rel=1e-5)
    assert all((p != old).any() for p, old in zip(model.parameters(), before, strict=True))


def test_half_precision_runs_and_weights_stay_whole() -> None:
    model, seen = unet(), []
    model.head.register_forward_hook(lambda m, i, out: seen.append((m.training, out.dtype)))
    history = train(model, Spots(8), Spots(4), precision="bfloat16", learning_rate=0.02, epochs=20)
    assert (True, torch.bfloat16) in seen
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert history["train_loss"][-1] < 0.8 * history["train_loss"][0]
    with pytest.raises(ValueError, match='float16" needs a GPU'):
        train(model, Spots(8), precision="float16")


def test_the_layout_of_memory_changes_rounding_alone() -> None:
    plain, last = unet(), unet()
    train(plain, Spots(8), epochs=2)
    train(last, Spots(8), epochs=2, channels_last=True)
    kernel = last.encoder[0][0].weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert not kernel.is_contiguous()
    assert largest_gap(plain, last) < 1e-3


@pytest.mark.slow
def test_a_compiled_model_learns_the_same() -> None:
    plain, compiled = (nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))
    compiled.load_state_dict(plain.state_dict())
    kept = compiled.state_dict().keys()
    one = train(plain, Spots(8), epochs=2)
    other = train(compiled, Spots(8), epochs=2, compile=True)
    assert compiled.state_dict().keys() == kept
    assert other.steps["loss"] == pytest.approx(one.steps["loss"], rel=1e-3)
    assert largest_gap(plain, compiled) < 1e-4


def test_frozen_parts_stay_as_they_are() -> None:
    model, before = net(), net()
    freeze(model[:2])
    train(model, Spots(8), weight_decay=0.5)
    assert same(model[:2], before[:2])
    assert not same(model, before)


def test_binary_logits_of_one_channel() -> None:
    from segtutor.losses import binary_cross_entropy

    torch.manual_seed(0)
    data = Spots(8)
    data.labels[data.labels == 2] = 1
    model = nn.Conv2d(3, 1, 1)
    history = train(model, data, data, loss=binary_cross_entropy, epochs=60, learning_rate=0.3)
    assert len(history["iou"][-1]) == 2
    assert history["mean_iou"][-1] > 0.6


@pytest.mark.parametrize("void", [-100, 7])
def test_void_may_have_another_label(void: int) -> None:
    usual, other = Spots(8), Spots(8)
    other.labels[other.labels == 255] = void
    models = net(norm=False), net(norm=False)
    cases = zip(models, (usual, other), (255, void), strict=True)
    rows = [train(model, data, data, ignore_index=label, accumulate=2).rows[-1]
            for model, data, label in cases]  # fmt: skip
    assert same(*models)
    assert rows[0]["val_loss"] == rows[1]["val_loss"]
    assert rows[0]["iou"] == rows[1]["iou"]


def test_a_loss_with_weights_of_its_own_moves_along() -> None:
    from segtutor.losses import CrossEntropyLoss

    history = train(net(), Spots(8), loss=CrossEntropyLoss(weight=[1.0, 2.0, 3.0]))
    assert history["train_loss"][-1] < history["train_loss"][0]


class Faulty(Spots):
    """One sample is not as it should be."""

    def __init__(self, n: int, which: int, change: Any) -> None:
        super().__init__(n)
        self.which, self.change = which, change

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = super().__getitem__(index)
        return self.change(*sample) if index == self.which else sample


def test_pictures_shown_are_those_that_are_judged() -> None:
    """Random transforms draw the same for both, whatever the world's generators did before."""
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model, val = net(), Noisy(3)
        history = train(model, Spots(8), val, pictures=3)
        counted = evaluate(model, val, 3)  # reads with seed 0, as `fit` did
        shown = ConfusionMatrix(3)
        for labels, (_, right) in zip(history.pictures[-1], val, strict=True):
            shown.update(labels.long(), right)
        assert torch.equal(shown.matrix, counted.matrix)
        found.append(torch.stack(history.pictures[-1]))
    assert torch.equal(*found)


def test_numpys_numbers_are_taken(tmp_path: Path) -> None:
    given = {"learning_rate": np.float64(0.01), "weight_decay": np.float32(0.25),
             "seed": np.int64(3), "rates": {"0": np.float64(0.5)}}  # fmt: skip
    model, other = net(), net()
    train(model, Spots(8), folder=tmp_path, **given)
    train(other, Spots(8), learning_rate=0.01, weight_decay=0.25, seed=3, rates={"0": 0.5})
    assert same(model, other)
    assert load_checkpoint(tmp_path / "last.pt")["settings"]["seed"] == 3
