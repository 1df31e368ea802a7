"""One step of training, with everything in its place."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.exercises.engine import Exercise, Requirement

VOID = 255
MAX_NORM = 0.05
RATES = (0.5, 0.4, 0.3, 0.2)

STUB = '''
def training_step(model, optimizer, scheduler, images, labels, max_norm):
    """Train on one batch; return its loss as a float.

    The loss is the mean cross-entropy; 255 is void. The norm of the gradient
    of all parameters together is clipped to max_norm. The scheduler takes one
    step for each step of the optimizer.
    """
    raise NotImplementedError
'''


def training_step():
    """Empty, forward, backward, clip, step, then the schedule."""

    def step(model, optimizer, scheduler, images, labels, max_norm):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        scheduler.step()
        return loss.item()

    return step


@dataclass
class Record:
    """What happened in four steps, the second of which has a small gradient."""

    gradients: list[list[Tensor]] = field(default_factory=list)  # in each step of the optimizer
    true: list[list[Tensor]] = field(default_factory=list)  # of the batch alone, before clipping
    rates: list[float] = field(default_factory=list)  # in each step of the optimizer
    steps: list[int] = field(default_factory=list)  # of the optimizer, in each call
    next_rate: float = 0.0  # after the last call
    left: float = 0.0  # norm of the gradient that the last call leaves
    results: list[object] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def _copies(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


def _norm(gradients: list[Tensor]) -> float:
    return float(torch.cat([g.flatten() for g in gradients]).norm())


def watched(step: Callable[..., object]) -> Record:
    """Run four steps of a small network, and write down what the optimizer saw."""
    g = torch.Generator().manual_seed(3)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 1)).double()
    parameters = list(model.parameters())
    with torch.no_grad():
        for p in parameters:
            p.copy_(torch.randn(p.shape, generator=g, dtype=torch.float64))
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: (*RATES, 0.1, 0.1)[min(k, 5)]
    )
    record = Record()

    def before(optimizer, args, kwargs):
        record.gradients.append(_copies(parameters))
        record.rates.append(optimizer.param_groups[0]["lr"])

    optimizer.register_step_pre_hook(before)
    for call in range(len(RATES)):
        images = torch.randn(2, 2, 5, 6, generator=g, dtype=torch.float64)
        labels = torch.randint(3, (2, 5, 6), generator=g)
        labels[0, :2] = VOID
        if call == 1:  # sure of every label: a gradient shorter than the limit
            with torch.no_grad():
                parameters[-1].copy_(torch.tensor([30.0, 0.0, 0.0]))
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
    record.left = _norm(_copies(parameters))
    return record


def _clipped(gradients: list[Tensor]) -> list[Tensor]:
    return [g * min(1.0, MAX_NORM / (_norm(gradients) + 1e-6)) for g in gradients]


def _same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.allclose(a, b, rtol=1e-6, atol=1e-9) for a, b in zip(one, other, strict=True))


def _all_same(record: Record, expected: Callable[[int], list[Tensor]]) -> bool:
    return all(_same(seen, expected(k)) for k, seen in enumerate(record.gradients))


def _not_callable(step):
    if callable(step) and not isinstance(step, (nn.Module, type)):
        return None
    return f"A function that takes one step is asked for; this is of type `{type(step).__name__}`."


def _no_step(step):
    if sum(watched(step).steps):
        return None
    return "`optimizer.step()` is never called: gradients alone change nothing."


def _other_number(step):
    if set(watched(step).steps) == {1}:
        return None
    return "One batch, one step: your function calls `optimizer.step()` another number of times."


def _no_gradient(step):
    record = watched(step)
    if any(_norm(g) for g in record.gradients):
        return None
    if record.left:
        return (
            "When `optimizer.step()` runs, there is no gradient yet: it has to come after "
            "`loss.backward()`."
        )
    return None


def _zeroed_too_late(step):
    record = watched(step)
    if any(_norm(g) for g in record.gradients):
        return None
    return (
        "When `optimizer.step()` runs, all gradients are gone. `zero_grad()` belongs before "
        "`backward()` or after `step()`, not between the two."
    )


def _one_behind(step):
    record = watched(step)
    late = record.gradients[1:]
    for change in (lambda g: g, _clipped):
        if late and all(_same(seen, change(record.true[k])) for k, seen in enumerate(late)):
            return (
                "Each step uses the gradient of the batch before: `optimizer.step()` comes before "
                "`loss.backward()`."
            )
    return None


def _kept(step):
    record = watched(step)
    if all(_same(g, c) or _same(g, t) for g, c, t in zip(
        record.gradients, map(_clipped, record.true), record.true, strict=True)):  # fmt: skip
        return None
    kept: list[Tensor] = [torch.zeros_like(g) for g in record.true[0]]
    unclipped = [torch.zeros_like(g) for g in record.true[0]]
    clips, adds = True, True
    for seen, true in zip(record.gradients, record.true, strict=True):
        kept = _clipped([k + t for k, t in zip(kept, true, strict=True)])
        unclipped = [u + t for u, t in zip(unclipped, true, strict=True)]
        clips, adds = clips and _same(seen, kept), adds and _same(seen, unclipped)
    if clips or adds:
        return (
            "From the second step on, the gradients of earlier batches are still there. "
            "`backward()` adds to what it finds: begin with `optimizer.zero_grad()`."
        )
    return None


def _unclipped(step):
    record = watched(step)
    if not _all_same(record, lambda k: record.true[k]):
        return None
    if record.left and record.left <= 1.01 * MAX_NORM < _norm(record.true[-1]):
        return (
            "You clip after the step, when it is too late: `clip_grad_norm_` belongs between "
            "`backward()` and `step()`."
        )
    return (
        "The optimizer sees the gradient at its full length. `clip_grad_norm_` is missing, or it "
        "comes before `backward()`, when there is nothing to clip."
    )


def _by_value(step):
    record = watched(step)
    if not _all_same(record, lambda k: [g.clamp(-MAX_NORM, MAX_NORM) for g in record.true[k]]):
        return None
    return (
        "You clipped each number by itself, which turns the gradient to another direction. "
        "`clip_grad_norm_` shortens it and keeps its direction."
    )


def _one_by_one(step):
    record = watched(step)
    if not _all_same(record, lambda k: [_clipped([g])[0] for g in record.true[k]]):
        return None
    return (
        "You clipped each parameter's gradient by its own norm. The norm is that of all parameters "
        "together: hand `model.parameters()` to one call."
    )


def _wrong_gradient(step):
    record = watched(step)
    if _all_same(record, lambda k: _clipped(record.true[k])):
        return None
    return (
        "The gradient that your optimizer sees is not that of the mean cross-entropy over the "
        "judged pixels, clipped. Void left out (`ignore_index=255`)? The loss not scaled?"
    )


def _schedule_first(step):
    record = watched(step)
    if record.rates != [*RATES[1:], 0.1]:
        return None
    return (
        "The first learning rate is never used: `scheduler.step()` comes before `optimizer.step()`."
    )


def _schedule(step):
    record = watched(step)
    if record.rates == list(RATES) and record.next_rate == 0.1:
        return None
    return (
        f"The learning rates of four steps were {', '.join(f'{r:g}' for r in record.rates)}; the "
        f"schedule has {', '.join(f'{r:g}' for r in RATES)}. One `scheduler.step()` a step, at "
        "the end."
    )


def _graph(step):
    if any(isinstance(r, Tensor) and r.requires_grad for r in watched(step).results):
        return (
            "You return the loss with its graph. Whoever adds such losses up keeps every graph in "
            "memory: `loss.item()`."
        )
    return None


def _other_loss(step):
    record = watched(step)
    for result, loss in zip(record.results, record.losses, strict=True):
        if not isinstance(result, (int, float, Tensor)) or abs(float(result) - loss) > 1e-6:
            return f"The loss of the first batch is {record.losses[0]:.4f}; return it as a float."
    return None


def _made(order: str, clip: str = "norm", result: str = "item") -> Callable[..., object]:
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


exercise = Exercise(
    name="training_step",
    kind="open",
    minutes=15,
    difficulty=2,
    stub=STUB,
    seconds=30.0,  # the first optimizer of a process loads much of PyTorch
    hints=(
        "Six calls, one a line, and the loss at the end. Which of them needs what another one has "
        "made? The loss needs logits; the step needs clipped gradients; clipping needs gradients.",
        "`zero_grad` first, because `backward` adds. `nn.utils.clip_grad_norm_(model.parameters(), "
        "max_norm)` right before `optimizer.step()`; `scheduler.step()` last.",
    ),
    solution=training_step,
    why=(
        "`backward` adds to the gradients, so they are emptied first. Clipping shortens what "
        "`backward` made, so it stands between that and the step. The schedule counts finished "
        "steps, so it comes last. `loss.item()` is a number: a tensor with its graph would keep "
        "all activations of the step in memory for as long as somebody holds it. A scaler for "
        "float16 adds two lines: scale the loss before `backward`, unscale before clipping."
    ),
    requirements=(
        Requirement("step.not_callable", "is a function", _not_callable, lambda: nn.ReLU()),
        Requirement("step.no_step", "moves the weights", _no_step, lambda: _made("zfbcl")),
        Requirement(
            "step.several", "takes one step a batch", _other_number, lambda: _made("zfbcssl")
        ),
        Requirement(
            "step.before_backward", "has gradients to use", _no_gradient, lambda: _made("zfsbcl")
        ),
        Requirement(
            "step.zeroed_too_late", "keeps them for the step", _zeroed_too_late,
            lambda: _made("fbczsl"),
        ),
        Requirement(
            "step.one_behind", "uses this batch's gradient", _one_behind, lambda: _made("szfbcl")
        ),
        Requirement("train.zero_grad", "empties the gradients", _kept, lambda: _made("fbcsl")),
        Requirement("step.clip_place", "clips in time", _unclipped, lambda: _made("zcfbsl")),
        Requirement(
            "step.clip_value", "keeps the direction", _by_value, lambda: _made("zfbcsl", "value")
        ),
        Requirement(
            "step.clip_each", "clips all together", _one_by_one, lambda: _made("zfbcsl", "each")
        ),
        Requirement(
            "step.gradient", "has the gradient right", _wrong_gradient,
            lambda: _made("zfbcsl", "double"),
        ),
        Requirement(
            "train.sched_order", "uses the first rate", _schedule_first, lambda: _made("zfbcls")
        ),
        Requirement("step.schedule", "follows the schedule", _schedule, lambda: _made("zfbcs")),
        Requirement(
            "train.graph_leak", "lets the graph go", _graph,
            lambda: _made("zfbcsl", result="graph"),
        ),
        Requirement(
            "step.loss", "returns the loss", _other_loss, lambda: _made("zfbcsl", result="nothing")
        ),
    ),
)  # fmt: skip
