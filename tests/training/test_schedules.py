"""Schedules against PyTorch's own, step by step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as theirs

from segtutor.training import learning_rates
from segtutor.training.schedules import plateau_factor

PEERS: dict[str, Callable[[Optimizer, int], theirs.LRScheduler]] = {
    "constant": lambda o, n: theirs.ConstantLR(o, factor=1.0),
    "cosine": lambda o, n: theirs.CosineAnnealingLR(o, T_max=n),
    "one_cycle": lambda o, n: theirs.OneCycleLR(o, 0.3, total_steps=n, cycle_momentum=False),
    "poly": lambda o, n: theirs.PolynomialLR(o, total_iters=n, power=0.9),
}


def used_by(make: Callable[[Optimizer, int], theirs.LRScheduler], steps: int) -> list[float]:
    """The rates that an optimizer really uses under a scheduler of PyTorch."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.3)
    scheduler, rates = make(optimizer, steps), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [2, 3, 7, 10, 100, 511])
@pytest.mark.parametrize("schedule", PEERS)
def test_schedules_are_pytorchs(schedule: str, steps: int) -> None:
    ours = learning_rates(schedule, steps, 0.3)
    assert ours == pytest.approx(used_by(PEERS[schedule], steps), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 5, 50])
@pytest.mark.parametrize("schedule", [*PEERS, "plateau"])
def test_a_rate_for_every_step_and_none_above_the_peak(schedule: str, steps: int) -> None:
    rates = learning_rates(schedule, steps, 0.3)
    assert len(rates) == steps
    assert all(0 < rate <= 0.3 for rate in rates)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "poly"])
def test_warming_up_comes_first_and_the_schedule_after_it(schedule: str) -> None:
    def both(optimizer: Optimizer, steps: int) -> theirs.LRScheduler:
        rise = theirs.LinearLR(optimizer, start_factor=1 / 11, total_iters=10)
        rest = PEERS[schedule](optimizer, steps - 10)
        return theirs.SequentialLR(optimizer, [rise, rest], milestones=[10])

    ours = learning_rates(schedule, 40, 0.3, warm_up=0.25)
    assert ours == pytest.approx(used_by(both, 40), rel=1e-6)
    assert ours[9] < ours[10] == 0.3


def test_a_schedule_of_ones_own() -> None:
    assert learning_rates(lambda progress: 1 - progress, 4, 2.0) == [2.0, 1.5, 1.0, 0.5]
    rates = learning_rates(lambda progress: 0.5, 4, 2.0, warm_up=0.25)
    assert rates == [1.0, 1.0, 1.0, 1.0]


def test_the_plateau_is_pytorchs() -> None:
    for seed in range(20):
        torch.manual_seed(seed)
        losses = (torch.rand(60) + torch.linspace(1, 0, 60)).tolist()
        losses += [0.1 * (1 - 5e-5 * step) for step in range(10)]  # too little to count
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=1.0)
        scheduler = theirs.ReduceLROnPlateau(optimizer, factor=0.1, patience=3, eps=0)
        for epoch, loss in enumerate(losses):
            scheduler.step(loss)
            ours = plateau_factor(losses[: epoch + 1])
            assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
    assert ours < 1.0


def test_the_plateau_takes_a_loss_that_is_no_number_for_no_better() -> None:
    assert plateau_factor([1.0, *[float("nan")] * 4]) == 0.1


@pytest.mark.parametrize(
    ("schedule", "warm_up", "said"),
    [
        ("onecycle", 0.0, "'onecycle' has to be one of constant, cosine, one_cycle, plateau, poly"),
        ("poly", 1.0, "warm_up=1.0 has to be a share"),
        ("poly", -0.1, "warm_up=-0.1 has to be a share"),
        ("poly", 100, "warm_up=100 has to be a share"),
        ("one_cycle", 0.1, "one_cycle rises by itself"),
    ],
)
def test_what_cannot_be_meant(schedule: str, warm_up: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        learning_rates(schedule, 10, 0.1, warm_up=warm_up)
