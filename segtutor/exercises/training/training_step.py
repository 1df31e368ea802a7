"""One step of training, with everything in its place."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.exercises.engine import Exercise, Requirement
from segtutor.exercises.training import _watched_step as seen

VOID = 255

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


def _not_callable(step):
    if callable(step) and not isinstance(step, (nn.Module, type)):
        return None
    return f"A function that takes one step is asked for; this is of type `{type(step).__name__}`."


def _no_step(step):
    found = sum(seen.watched(step).steps)
    return None if found else "`optimizer.step()` is never called: gradients alone change nothing."


def _other_number(step):
    if set(seen.watched(step).steps) == {1}:
        return None
    return "One batch, one step: your function calls `optimizer.step()` another number of times."


def _no_gradient(step):
    record = seen.watched(step)
    if any(seen.norm(g) for g in record.gradients):
        return None
    if not record.backwards:
        return "`loss.backward()` is never called: `optimizer.step()` finds no gradient to follow."
    if record.left:
        return (
            "When `optimizer.step()` runs, there is no gradient yet: it has to come after "
            "`loss.backward()`."
        )
    return None


def _zeroed_too_late(step):
    record = seen.watched(step)
    if any(seen.norm(g) for g in record.gradients):
        return None
    return (
        "When `optimizer.step()` runs, all gradients are gone. `zero_grad()` belongs before "
        "`backward()` or after `step()`, not between the two."
    )


def _one_behind(step):
    record = seen.watched(step)
    first, second = record.gradients[:2]
    for change in (lambda g: g, seen.clipped):
        if not seen.norm(first) and seen.same(second, change(record.true[0])):
            return (
                "Each step uses the gradient of the batch before: `optimizer.step()` comes before "
                "`loss.backward()`."
            )
    return None


def _kept(step):
    if not seen.watched(step).piles_up():
        return None
    return (
        "From the second step on, the gradients of earlier batches are still there. "
        "`backward()` adds to what it finds: begin with `optimizer.zero_grad()`."
    )


def _unclipped(step):
    record = seen.watched(step)
    if not record.all_are(lambda k: record.true[k]):
        return None
    if record.left and record.left <= 1.01 * seen.MAX_NORM < seen.norm(record.true[-1]):
        return (
            "You clip after the step, when it is too late: `clip_grad_norm_` belongs between "
            "`backward()` and `step()`."
        )
    return (
        "The optimizer sees the gradient at its full length. `clip_grad_norm_` is missing, or it "
        "comes before `backward()`, when there is nothing to clip."
    )


def _by_value(step):
    record = seen.watched(step)
    if not record.all_are(
        lambda k: [g.clamp(-seen.MAX_NORM, seen.MAX_NORM) for g in record.true[k]]
    ):
        return None
    return (
        "You clipped each number by itself, which turns the gradient to another direction. "
        "`clip_grad_norm_` shortens it and keeps its direction."
    )


def _one_by_one(step):
    record = seen.watched(step)
    if not record.all_are(lambda k: [seen.clipped([g])[0] for g in record.true[k]]):
        return None
    return (
        "You clipped each parameter's gradient by its own norm. The norm is that of all parameters "
        "together: hand `model.parameters()` to one call."
    )


def _wrong_gradient(step):
    record = seen.watched(step)
    if record.all_are(lambda k: seen.clipped(record.true[k])):
        return None
    return (
        "The gradient that your optimizer sees is not that of the mean cross-entropy over judged "
        "pixels, clipped to `max_norm`. Is void left out, the loss neither scaled nor of a softmax?"
    )


def _schedule_first(step):
    if seen.watched(step).rates != [*seen.RATES[1:], seen.AFTER]:
        return None
    return (
        "The first learning rate is never used: `scheduler.step()` comes before `optimizer.step()`."
    )


def _schedule(step):
    record = seen.watched(step)
    if record.rates == list(seen.RATES) and record.next_rate == seen.AFTER:
        return None
    return (
        f"The learning rates of four steps were {', '.join(f'{r:g}' for r in record.rates)}; the "
        f"schedule has {', '.join(f'{r:g}' for r in seen.RATES)}. One `scheduler.step()` a step, "
        "at the end."
    )


def _graph(step):
    if any(isinstance(r, Tensor) and r.requires_grad for r in seen.watched(step).results):
        return (
            "You return the loss with its graph. Whoever adds such losses up keeps every graph in "
            "memory: `loss.item()`."
        )
    return None


def _other_loss(step):
    record = seen.watched(step)
    for result, loss in zip(record.results, record.losses, strict=True):
        if not isinstance(result, (int, float, Tensor)) or not abs(float(result) - loss) <= 1e-6:
            return f"You return {result} for a batch whose loss is {loss:.4f}: it is asked for."
    return None


exercise = Exercise(
    name="training_step",
    kind="open",
    minutes=15,
    difficulty=2,
    stub=STUB,
    prepare=seen.load_optimizers,
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
        Requirement("step.no_step", "moves the weights", _no_step, lambda: seen.made("zfbcl")),
        Requirement(
            "step.several", "takes one step a batch", _other_number, lambda: seen.made("zfbcssl")
        ),
        Requirement(
            "step.before_backward", "has gradients to use", _no_gradient,
            lambda: seen.made("zfsbcl"),
        ),
        Requirement(
            "step.zeroed_too_late", "keeps them for the step", _zeroed_too_late,
            lambda: seen.made("fbczsl"),
        ),
        Requirement(
            "step.one_behind", "uses this batch's gradient", _one_behind,
            lambda: seen.made("szfbcl"),
        ),
        Requirement("train.zero_grad", "empties the gradients", _kept, lambda: seen.made("fbcsl")),
        Requirement("step.clip_place", "clips in time", _unclipped, lambda: seen.made("zcfbsl")),
        Requirement(
            "step.clip_value", "keeps the direction", _by_value,
            lambda: seen.made("zfbcsl", "value"),
        ),
        Requirement(
            "step.clip_each", "clips all together", _one_by_one, lambda: seen.made("zfbcsl", "each")
        ),
        Requirement(
            "step.gradient", "has the gradient right", _wrong_gradient,
            lambda: seen.made("zfbcsl", "double"),
        ),
        Requirement(
            "train.sched_order", "uses the first rate", _schedule_first, lambda: seen.made("zfbcls")
        ),
        Requirement("step.schedule", "follows the schedule", _schedule, lambda: seen.made("zfbcs")),
        Requirement(
            "train.graph_leak", "lets the graph go", _graph,
            lambda: seen.made("zfbcsl", result="graph"),
        ),
        Requirement(
            "step.loss", "returns the loss", _other_loss,
            lambda: seen.made("zfbcsl", result="nothing"),
        ),
    ),
)  # fmt: skip
