"""A look over the shoulder of `training_step`: what the optimizer saw, and steps to see it by."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

VOID = 255
MAX_NORM = 0.05
RATES, AFTER = (0.5, 0.4, 0.3, 0.2), 0.1  # of the four steps, and of those that should not come


def load_optimizers() -> None:
    """Make one: the first of a process loads much of PyTorch, for seconds."""
    torch.optim.SGD([torch.zeros(1)], lr=1.0)


@dataclass
class Record:
    """What happened in four steps, the second of which has a small gradient."""

    gradients: list[list[Tensor]] = field(default_factory=list)  # in each step of the optimizer
    backwards: int = 0  # how often a parameter was given a gradient
    true: list[list[Tensor]] = field(default_factory=list)  # of the batch alone, before clipping
    rates: list[float] = field(default_factory=list)  # in each step of the optimizer
    steps: list[int] = field(default_factory=list)  # of the optimizer, in each call
    next_rate: float = 0.0  # after the last call
    left: float = 0.0  # norm of the gradient that the last call leaves
    results: list[object] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def all_are(self, expected: Callable[[int], list[Tensor]]) -> bool:
        """Whether the optimizer saw the expected gradient in each of its steps."""
        return all(same(each, expected(k)) for k, each in enumerate(self.gradients))

    def piles_up(self) -> bool:
        """Whether gradients of earlier batches were still there, clipped together or not at all."""
        if self.all_are(lambda k: self.true[k]) or self.all_are(lambda k: clipped(self.true[k])):
            return False
        for change in (clipped, lambda gradients: gradients):
            pile, piles = [torch.zeros_like(g) for g in self.true[0]], []
            for true in self.true:
                pile = change([p + t for p, t in zip(pile, true, strict=True)])
                piles.append(pile)
            if all(same(each, piles[k]) for k, each in enumerate(self.gradients)):
                return True
        return False


def _copies(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


def norm(gradients: list[Tensor]) -> float:
    return float(torch.cat([g.flatten() for g in gradients]).norm())


class _Watched(torch.optim.SGD):
    """SGD that writes down what it sees, after the closure if it is given one."""

    def __init__(self, parameters: list[nn.Parameter], record: Record) -> None:
        super().__init__(parameters, lr=1.0)
        self.parameters, self.record = parameters, record

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        loss = closure() if closure is not None else None
        self.record.gradients.append(_copies(self.parameters))
        self.record.rates.append(self.param_groups[0]["lr"])
        super().step()
        return loss


def watched(step: Callable[..., object]) -> Record:
    """Run four steps of a small network, and write down what the optimizer saw."""
    g = torch.Generator().manual_seed(3)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 1)).double()
    parameters = list(model.parameters())
    with torch.no_grad():
        for p in parameters:
            p.copy_(torch.randn(p.shape, generator=g, dtype=torch.float64))
    record = Record()
    optimizer = _Watched(parameters, record)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: (*RATES, 0.1, 0.1)[min(k, 5)]
    )

    def given(parameter):
        record.backwards += 1

    for p in parameters:
        p.register_post_accumulate_grad_hook(given)
    for call in range(len(RATES)):
        images = torch.randn(2, 2, 5, 6, generator=g, dtype=torch.float64)
        labels = torch.randint(3, (2, 5, 6), generator=g)
        labels[0, :2] = VOID
        if call == 1:  # sure of every label: a gradient shorter than the limit
            with torch.no_grad():
                parameters[-1].copy_(torch.tensor([16.0, 0.0, 0.0]))
                labels[labels != VOID] = 0
        loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
        record.true.append(list(torch.autograd.grad(loss, parameters)))
        record.losses.append(loss.item())
        done = len(record.gradients)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's word on the order would come before ours
            record.results.append(step(model, optimizer, scheduler, images, labels, MAX_NORM))
        record.steps.append(len(record.gradients) - done)
        if call == 1:
            with torch.no_grad():
                parameters[-1].zero_()
    record.next_rate = optimizer.param_groups[0]["lr"]
    record.left = norm(_copies(parameters))
    return record


def clipped(gradients: list[Tensor]) -> list[Tensor]:
    return [g * min(1.0, MAX_NORM / (norm(gradients) + 1e-6)) for g in gradients]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.allclose(a, b, rtol=1e-6, atol=1e-9) for a, b in zip(one, other, strict=True))


def made(order: str, clip: str = "norm", result: str = "item") -> Callable[..., object]:
    """A step whose parts stand in the order of their letters: z, f, b, c, s, l."""

    def step(model, optimizer, scheduler, images, labels, max_norm):
        loss = torch.zeros(())
        for part in order:
            if part == "z":
                optimizer.zero_grad()
            elif part == "f":
                loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
            elif part == "b":
                loss.backward()
            elif part == "s":
                optimizer.step()
            elif part == "l":
                scheduler.step()
            elif clip == "value":
                nn.utils.clip_grad_value_(model.parameters(), max_norm)
            elif clip == "each":
                for p in model.parameters():
                    nn.utils.clip_grad_norm_(p, max_norm)
            elif clip == "double":
                nn.utils.clip_grad_norm_(model.parameters(), 2 * max_norm)
            else:
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        return {"item": loss.item(), "graph": loss, "nothing": None}[result]

    return step
