"""Training: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor import training
from segtutor.exercises import check
from segtutor.exercises.training import own_schedule as own
from segtutor.training.ema import averaged

VOID = 255


def poly_in_numpy(step, steps, learning_rate, power=0.9):
    return learning_rate * np.power((steps - step) / steps, power)


def poly_by_logarithms(step, steps, learning_rate, power=0.9):
    return learning_rate * math.exp(power * (math.log(steps - step) - math.log(steps)))


def poly_of_pytorch(step, steps, learning_rate, power=0.9):
    """PyTorch's own scheduler, stepped as often as it takes."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=steps, power=power)
    optimizer.step()
    for _ in range(step):
        schedule.step()
    return optimizer.param_groups[0]["lr"]


def warm_if(step, warm, learning_rate):
    if step >= warm:
        return learning_rate
    return (step + 1) * learning_rate / (warm + 1)


def warm_by_the_package(step, warm, learning_rate):
    steps = max(4 * warm, step + 1) + 4
    return training.learning_rates("constant", steps, learning_rate, warm_up=warm / steps)[step]


def shares_in_lists(parts):
    counts = [sum(int(label) != VOID for label in part.flatten()) for part in parts]
    return [count / max(sum(counts), 1) for count in counts]


def shares_by_the_loss(parts):
    """What it is for: how much each part adds to the mean of the whole."""
    whole = torch.cat([part.flatten() for part in parts])
    made = []
    for part in parts:
        ones = F.cross_entropy(
            torch.zeros(part.numel(), 4), part.flatten(), ignore_index=VOID, reduction="sum"
        )
        judged = (whole != VOID).sum().clamp(min=1)
        made.append(ones / math.log(4) / judged)
    return torch.stack(made)


def decays_by_exclusion(model):
    norms = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
    found = []
    for layer in model.modules():
        for name, _ in layer.named_parameters(recurse=False):
            found.append(name == "weight" and not isinstance(layer, norms))
    return found


def decays_by_the_package(model):
    groups = training.parameter_groups(model, 0.1, 0.01)
    wanted = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    return torch.tensor([id(p) in wanted for p in model.parameters()])


def ema_by_lerp(average, weight, updates, decay=0.99):
    if weight.dtype == torch.int64:
        return weight
    return torch.lerp(weight, average, min(decay, (1 + updates) / (10 + updates)))


def ema_by_the_package(average, weight, updates, decay=0.99):
    """AveragedModel, told how many updates came before."""
    floating = weight.is_floating_point()
    holder = nn.Module()
    holder.register_buffer("value", average.clone())
    copy = averaged(holder, decay)
    copy.n_averaged.fill_(updates)
    holder.value = weight.clone()
    copy.update_parameters(holder)
    result = copy.module.value
    # An AveragedModel copies in its very first update: there is nothing to average yet.
    if updates == 0 and floating:
        return ema_by_lerp(average, weight, 0, decay)
    return result


def stop_by_history(scores, patience):
    """As the package's `History` counts."""
    history = training.History()
    for epoch, score in enumerate(scores, 1):
        history.add({"epoch": epoch, "mean_iou": score, "train_loss": 0.0})
        if history.waited >= patience:
            break
    return len(history), history.best["epoch"]


def stop_in_numpy(scores, patience):
    best = np.maximum.accumulate(scores)
    first = np.array([np.argmax(scores[: i + 1]) for i in range(len(scores))])
    waits = np.arange(len(scores)) - first
    stops = np.flatnonzero(waits >= patience)
    last = int(stops[0]) if stops.size else len(scores) - 1
    assert best[last] == scores[first[last]]
    return np.array([last + 1, first[last] + 1])


def poly_by_item(step, steps, learning_rate, power=0.9):
    return learning_rate * torch.tensor(1 - step / steps).pow(power).item()


def warm_by_item(step, warm, learning_rate):
    return float(torch.tensor((step + 1) / (warm + 1)).clamp(max=1)) * learning_rate


def shares_with_a_plain_zero(parts):
    counts = [int((part != VOID).sum()) for part in parts]
    return [count / sum(counts) if sum(counts) else 0 for count in counts]


STYLES = {
    "descent_by_hand": [(-12, 2.2, -7.2, 2.92), np.array([-12.0, 2.2, -7.2, 2.92])],
    "poly_rate": [poly_in_numpy, poly_by_logarithms, poly_of_pytorch, poly_by_item],
    "warm_up": [warm_if, warm_by_the_package, warm_by_item],
    "part_shares": [shares_in_lists, shares_by_the_loss, shares_with_a_plain_zero],
    "decays": [decays_by_exclusion, decays_by_the_package],
    "ema_update": [ema_by_lerp, ema_by_the_package],
    "stop_early": [stop_by_history, stop_in_numpy],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


# ---- open: a step in other people's orders


def zeroed_at_the_end(model, optimizer, scheduler, images, labels, max_norm):
    model.train()
    loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], max_norm)
    optimizer.step()
    scheduler.step()
    optimizer.zero_grad(set_to_none=False)
    return float(loss.detach())


def clipped_by_hand(model, optimizer, scheduler, images, labels, max_norm):
    parameters = list(model.parameters())
    judged = labels != VOID
    loss = (
        -model(images)
        .log_softmax(1)
        .movedim(1, -1)[judged][torch.arange(int(judged.sum())), labels[judged]]
        .mean()
    )
    gradients = torch.autograd.grad(loss, parameters)
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g * min(1.0, max_norm / (norm.item() + 1e-6))
    optimizer.step()
    scheduler.step()
    return loss.detach()


def with_a_closure(model, optimizer, scheduler, images, labels, max_norm):
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        return loss

    loss = optimizer.step(closure)
    scheduler.step()
    return loss.item()


@pytest.mark.parametrize("step", [zeroed_at_the_end, clipped_by_hand, with_a_closure])
def test_steps_in_other_orders_are_right(step):
    result = check("training_step", step)
    assert result.outcome == "right", result


def clipped_too_late(model, optimizer, scheduler, images, labels, max_norm):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scheduler.step()
    return loss.item()


def void_is_a_class(model, optimizer, scheduler, images, labels, max_norm):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels.clamp(max=2))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    scheduler.step()
    return loss.item()


def two_schedules(model, optimizer, scheduler, images, labels, max_norm):
    loss = zeroed_at_the_end(model, optimizer, scheduler, images, labels, max_norm)
    scheduler.step()
    return loss


def scaled(model, optimizer, scheduler, images, labels, max_norm):
    """Clipping hides the factor wherever the gradient is long."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
    (loss / 4).backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    scheduler.step()
    return loss.item()


def without_backward(model, optimizer, scheduler, images, labels, max_norm):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels, ignore_index=VOID)
    optimizer.step()
    scheduler.step()
    return loss.item()


def summed_up(model, optimizer, scheduler, images, labels, max_norm):
    return 2 * zeroed_at_the_end(model, optimizer, scheduler, images, labels, max_norm)


@pytest.mark.parametrize(
    ("step", "tag", "words"),
    [
        (scaled, "step.gradient", "neither scaled"),
        (without_backward, "step.before_backward", "`loss.backward()` is never called"),
        (summed_up, "step.loss", "You return 6.13"),
        (clipped_too_late, "step.clip_place", "after the step"),
        (void_is_a_class, "step.gradient", "Is void left out"),
        (two_schedules, "step.schedule", "0.5, 0.3"),
    ],
)
def test_steps_that_are_wrong_get_their_word(step, tag, words):
    result = check("training_step", step)
    assert (result.outcome, result.mistake) == ("wrong", tag)
    assert words in str(result)


def test_a_void_label_without_ignore_index_ends_in_a_crash_that_shows_the_line():
    def step(model, optimizer, scheduler, images, labels, max_norm):
        loss = F.cross_entropy(model(images), labels)
        return loss.item()

    result = check("training_step", step)
    assert result.outcome == "crashed"
    assert "255" in str(result)


# ---- open: schedules


@pytest.mark.parametrize("name", ["poly", "cosine", "one_cycle"])
def test_the_package_s_schedules_reach_the_goal_and_a_constant_one_does_not(name):
    factors = training.learning_rates(name, own.STEPS, 1.0)
    result = check("own_schedule", lambda progress: factors[round(progress * own.STEPS)])
    assert result.outcome == "right", result
    constants = [own.expected_loss(lambda _, c=c: c / 1000) for c in range(1, 1001)]
    assert 0.029 < min(constants) < 0.030


@pytest.mark.parametrize(
    ("schedule", "tag"),
    [
        (lambda progress: 1.0, "schedule.constant"),
        (lambda progress: 0.1, "schedule.constant"),
        (lambda progress: 0.0, "schedule.constant"),
        (lambda progress: 1.0 if progress < 0.9 else 0.4, "schedule.too_loud"),
        (lambda progress: math.exp(-12 * progress), "schedule.too_slow"),
        (lambda progress: math.nan, "schedule.no_number"),
        (lambda progress: "1", "schedule.no_number"),
        (lambda progress: progress - 0.5, "schedule.out_of_range"),
    ],
)
def test_schedules_that_do_not_are_told_why(schedule, tag):
    result = check("own_schedule", schedule)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_a_schedule_may_miss_1_by_a_rounding():
    """(1 - 0.7) / 0.3 is 1.0000000000000002."""
    result = check("own_schedule", lambda progress: 1 if progress < 0.7 else (1 - progress) / 0.3)
    assert result.outcome == "right", result


def test_a_schedule_may_return_a_tensor():
    result = check("own_schedule", lambda progress: torch.tensor(1 - progress))
    assert result.outcome == "right", result


def test_the_numbers_of_own_schedule_are_those_of_chance():
    """The exact mean is the mean of many noisy trainings."""
    schedule, g = own.own_schedule(), torch.Generator().manual_seed(0)
    weights = torch.full((20_000, 2), own.START, dtype=torch.float64)
    curvatures = torch.tensor(own.CURVATURES, dtype=torch.float64)
    for step in range(own.STEPS):
        noise = own.NOISE * torch.randn(weights.shape, generator=g, dtype=torch.float64)
        weights -= schedule(step / own.STEPS) * (curvatures * weights + noise)
    loss = (curvatures * weights**2).sum(1).mean() / 2
    assert loss.item() == pytest.approx(own.expected_loss(schedule), rel=0.03)


# ---- what earlier learners would really hand in


def test_a_warm_up_that_is_full_at_its_last_step_is_accepted():
    result = check("warm_up", lambda step, warm, learning_rate: learning_rate * min(
        (step + 1) / warm, 1))  # fmt: skip
    assert result.outcome == "right"
    assert "different" in result.message


def test_the_kept_weights_are_asked_for_beside_the_stop():
    result = check("stop_early", lambda scores, patience: len(scores))
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "2 results are expected" in result.message


def test_an_average_in_place_is_noticed():
    def in_place(average, weight, updates, decay=0.99):
        if not weight.is_floating_point():
            return average.copy_(weight)
        return average.lerp_(weight, 1 - min(decay, (1 + updates) / (10 + updates)))

    result = check("ema_update", in_place)
    assert result.outcome == "wrong"
    assert "`average`" in result.message


def test_a_rounded_answer_by_hand_says_which_number_to_look_at():
    result = check("descent_by_hand", [-12, 2.2, -7.2, 2.9])
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "3 of 4" in result.message


def test_the_numbers_of_own_schedule_are_those_of_the_chapter():
    (path,) = Path(__file__).parents[2].glob("book/*/training.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    for words in (f"{own.STEPS} steps", f"below {own.GOAL}", "curvature 1, one with 0.03"):
        assert words in text


def test_a_counter_that_was_averaged_is_named_even_with_its_decimals():
    def averaged_all(average, weight, updates, decay=0.99):
        keep = min(decay, (1 + updates) / (10 + updates))
        return keep * average + (1 - keep) * weight

    assert check("ema_update", averaged_all).mistake == "ema.counters_as_floats"


def test_a_list_of_words_is_called_what_it_is():
    result = check("decays", lambda model: [name for name, _ in model.named_parameters()])
    assert "a list that holds a str; a list of truth values is expected" in result.message
    ones = check("decays", lambda model: [int(p.dim() > 1) for p in model.parameters()])
    assert ".to(" not in ones.message
