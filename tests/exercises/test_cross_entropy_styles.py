"""Cross-entropy: answers as other people write them, and attempts as they really happen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check
from segtutor.exercises.cross_entropy import is_it_a_bug
from segtutor.exercises.cross_entropy.pixel_by_hand import LABELS, POWERS

VOID = 255


def log_softmax_torch(logits):
    return torch.log_softmax(logits, dim=1)


def log_softmax_logsumexp(x):
    return x - torch.logsumexp(x, 1, keepdim=True)


def log_softmax_max_added_back(logits):
    m = logits.max(dim=1, keepdim=True).values
    return logits - (m + torch.log(torch.sum(torch.exp(logits - m), dim=1, keepdim=True)))


def log_softmax_numpy(logits):
    z = logits.numpy().astype(np.float64)
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def log_softmax_pixel_by_pixel(logits):
    out = torch.empty_like(logits)
    n, _, h, w = logits.shape
    for i in range(n):
        for r in range(h):
            for c in range(w):
                z = logits[i, :, r, c] - logits[i, :, r, c].max()
                out[i, :, r, c] = z - z.exp().sum().log()
    return out


class LogSoftmaxModule(nn.Module):
    def forward(self, logits):
        return nn.LogSoftmax(dim=1)(logits)


def cross_entropy_torch(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255)


def cross_entropy_flat(logits, labels):
    z = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    y = labels.reshape(-1)
    z, y = z[y != VOID], y[y != VOID]
    return (torch.logsumexp(z, 1) - z[torch.arange(len(y)), y]).mean()


def cross_entropy_one_hot(logits, labels):
    mask = labels != VOID
    y = F.one_hot(labels * mask, logits.shape[1]).permute(0, 3, 1, 2)
    loss = -(y * F.log_softmax(logits, dim=1)).sum(dim=1)
    return (loss * mask).sum() / mask.sum()


def cross_entropy_numpy(logits, labels):
    z, y = logits.double().numpy(), labels.numpy()
    total, count = 0.0, 0
    for n, r, c in np.argwhere(y != VOID):
        pixel = z[n, :, r, c]
        m = pixel.max()
        total += m + math.log(np.exp(pixel - m).sum()) - pixel[y[n, r, c]]
        count += 1
    return total / count


def gradient_autograd(logits, labels):
    logits = logits.clone().requires_grad_()
    F.cross_entropy(logits, labels, ignore_index=255).backward()
    return logits.grad


def gradient_scatter(logits, labels):
    judged = (labels != VOID).unsqueeze(1)
    p = torch.softmax(logits, 1)
    p.scatter_add_(1, labels.where(labels != VOID, 0).unsqueeze(1), -torch.ones_like(p))
    return torch.where(judged, p, 0.0) / judged.sum()


def gradient_numpy(logits, labels):
    p, y = logits.softmax(1).numpy(), labels.numpy()
    out = np.zeros_like(p)
    for n, r, c in np.argwhere(y != VOID):
        out[n, :, r, c] = p[n, :, r, c]
        out[n, y[n, r, c], r, c] -= 1
    return out / (y != VOID).sum()


def weighted_mean_torch_loop(loss, labels, weight):
    above = below = 0.0
    for pixel, label in zip(loss.flatten().tolist(), labels.flatten().tolist(), strict=True):
        if label != VOID:
            above += weight[label].item() * pixel
            below += weight[label].item()
    return above / below if below else 0.0


def weighted_mean_indexed(loss, labels, weight):
    valid = labels != VOID
    if not valid.any():
        return torch.tensor(0.0)
    w = weight[labels[valid]]
    return (w * loss[valid]).sum() / w.sum()


def weighted_mean_padded(loss, labels, weight):
    table = torch.zeros(256)
    table[: len(weight)] = weight
    w = table[labels]
    return (w * loss).sum() / w.sum().clamp(min=1e-12)


def binary_torch(logits, labels, pos_weight=1.0):
    judged = labels != VOID
    z, y = logits.squeeze(1)[judged], labels[judged].float()
    weight = torch.tensor(pos_weight)
    return F.binary_cross_entropy_with_logits(z, y, pos_weight=weight)


def binary_softplus(logits, labels, pos_weight=1.0):
    z, y = logits[:, 0], labels.float()
    loss = pos_weight * y * F.softplus(-z) + (1 - y) * F.softplus(z)
    return loss[labels != VOID].mean()


def binary_two_channels(logits, labels, pos_weight=1.0):
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    each = F.cross_entropy(two, labels, ignore_index=VOID, reduction="none")
    each = torch.where(labels == 1, pos_weight * each, each)
    return each.sum() / (labels != VOID).sum()


def binary_max_trick(logits, labels, pos_weight=1.0):
    z, y = logits[:, 0].double(), labels.double()
    positive = (-z).clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    negative = z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    loss = pos_weight * y * positive + (1 - y) * negative
    return loss[labels != VOID].mean().float()


def smoothing_torch(logits, labels, smoothing=0.1):
    return F.cross_entropy(logits, labels, ignore_index=VOID, label_smoothing=smoothing)


def smoothing_two_terms(logits, labels, smoothing=0.1):
    log_p = logits.log_softmax(1).movedim(1, -1)[labels != VOID]  # (pixels, C)
    y = labels[labels != VOID]
    hard, even = F.nll_loss(log_p, y), -log_p.mean()
    return (1 - smoothing) * hard + smoothing * even


def smoothing_soft_targets(logits, labels, smoothing=0.1):
    c = logits.shape[1]
    z = logits.permute(0, 2, 3, 1)[labels != VOID]
    target = torch.full_like(z, smoothing / c)
    target.scatter_(1, labels[labels != VOID][:, None], 1 - smoothing + smoothing / c)
    return F.cross_entropy(z, target)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("log_softmax", log_softmax_torch),
        ("log_softmax", log_softmax_logsumexp),
        ("log_softmax", log_softmax_max_added_back),
        ("log_softmax", log_softmax_numpy),
        ("log_softmax", log_softmax_pixel_by_pixel),
        ("log_softmax", LogSoftmaxModule()),
        ("cross_entropy", cross_entropy_torch),
        ("cross_entropy", cross_entropy_flat),
        ("cross_entropy", cross_entropy_one_hot),
        ("cross_entropy", cross_entropy_numpy),
        ("cross_entropy", nn.CrossEntropyLoss(ignore_index=255)),
        ("cross_entropy_gradient", gradient_autograd),
        ("cross_entropy_gradient", gradient_scatter),
        ("cross_entropy_gradient", gradient_numpy),
        ("weighted_mean", weighted_mean_torch_loop),
        ("weighted_mean", weighted_mean_indexed),
        ("weighted_mean", weighted_mean_padded),
        ("binary_cross_entropy", binary_torch),
        ("binary_cross_entropy", binary_softplus),
        ("binary_cross_entropy", binary_two_channels),
        ("binary_cross_entropy", binary_max_trick),
        ("label_smoothing", smoothing_torch),
        ("label_smoothing", smoothing_two_terms),
        ("label_smoothing", smoothing_soft_targets),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", "module"),
)
def test_other_styles_are_right(name, answer):
    result = check(name, answer)
    assert result.outcome == "right", result
    assert "different" not in result.message


def attempt_exp_over_sum(logits):
    return torch.log(torch.exp(logits) / torch.sum(torch.exp(logits), dim=1, keepdim=True))


def attempt_nn_softmax(logits):
    return torch.log(nn.Softmax(dim=1)(logits))


def attempt_reduction_none(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255, reduction="none").mean()


def attempt_probabilities(logits, labels):
    return F.cross_entropy(F.softmax(logits, dim=1), labels, ignore_index=255)


def attempt_masked_to_zero(logits, labels):
    labels = labels.clone()
    labels[labels == 255] = 0
    return F.cross_entropy(logits, labels)


def attempt_one_hot_mean(logits, labels):
    y = F.one_hot(labels.where(labels != 255, 0), logits.shape[1]).permute(0, 3, 1, 2)
    loss = -(y * logits.log_softmax(1))
    return loss.movedim(1, -1)[labels != 255].mean()


def attempt_axis_kept(logits, labels):
    mask = labels != 255
    log_p = F.log_softmax(logits, dim=1)
    loss = -log_p.gather(1, (labels * mask).unsqueeze(1))
    return (loss * mask).sum() / mask.sum()


def attempt_normalized_weights(loss, labels, weight):
    judged = labels != 255
    weight = weight / weight.sum()
    return (weight[labels[judged]] * loss[judged]).sum() / max(int(judged.sum()), 1)


def attempt_soft_labels(logits, labels, smoothing=0.1):
    c = logits.shape[1]
    y = F.one_hot(labels.where(labels != 255, 0), c).permute(0, 3, 1, 2)
    return F.cross_entropy(logits, y * (1 - smoothing) + smoothing / c)


def attempt_gradient_of_sum(logits, labels):
    logits = logits.clone().requires_grad_()
    F.cross_entropy(logits, labels, ignore_index=255, reduction="sum").backward()
    return logits.grad


def attempt_gradient_y_minus_p(logits, labels):
    judged = labels != 255
    y = F.one_hot(labels.where(judged, 0), logits.shape[1]).permute(0, 3, 1, 2)
    return (y - logits.softmax(1)) * judged[:, None] / judged.sum()


def attempt_weight_times_loss(loss, labels, weight):
    judged = labels != 255
    return (weight[labels[judged]] * loss[judged]).mean()


def attempt_zero_by_zero(loss, labels, weight):
    w = weight[labels.clamp(max=len(weight) - 1)] * (labels != 255)
    return (w * loss).sum() / w.sum()


def attempt_textbook(logits, labels, pos_weight=1.0):
    p = torch.sigmoid(logits.squeeze(1))
    y = labels.float()
    loss = -(pos_weight * y * torch.log(p) + (1 - y) * torch.log(1 - p))
    return loss[labels != 255].mean()


def attempt_sigmoid_then_logits(logits, labels, pos_weight=1.0):
    judged = labels != 255
    p = torch.sigmoid(logits)[:, 0][judged]
    return F.binary_cross_entropy_with_logits(
        p, labels[judged].float(), pos_weight=torch.tensor(pos_weight)
    )


def attempt_pairs(logits, labels, pos_weight=1.0):
    judged = labels != 255
    y = (labels * judged).float()
    loss = pos_weight * y * F.softplus(-logits) + (1 - y) * F.softplus(logits)
    return (loss * judged).sum() / judged.sum()


def attempt_smooth_without_own(logits, labels, smoothing=0.1):
    judged = labels != 255
    log_p = logits.log_softmax(1)
    own = log_p.gather(1, labels.where(judged, 0)[:, None])[:, 0]
    rest = (log_p.sum(1) - own) * smoothing / logits.shape[1]
    return -((1 - smoothing) * own + rest)[judged].mean()


@pytest.mark.parametrize(
    ("name", "attempt", "tag"),
    [
        ("log_softmax", attempt_exp_over_sum, "ce.overflow"),
        ("log_softmax", attempt_nn_softmax, "ce.log_zero"),
        ("log_softmax", nn.Softmax(dim=1), "ce.no_logarithm"),
        ("cross_entropy", attempt_reduction_none, "ce.ignore_mean"),
        ("cross_entropy", attempt_probabilities, "ce.softmax_first"),
        ("cross_entropy", attempt_masked_to_zero, "ce.void_class"),
        ("cross_entropy", attempt_one_hot_mean, "ce.over_classes"),
        ("cross_entropy", nn.CrossEntropyLoss(ignore_index=255, reduction="sum"), "ce.sum"),
        ("cross_entropy_gradient", attempt_gradient_of_sum, "grad.not_divided"),
        ("cross_entropy_gradient", attempt_gradient_y_minus_p, "grad.sign"),
        ("weighted_mean", attempt_weight_times_loss, "ce.weights_norm_empty"),
        ("weighted_mean", attempt_zero_by_zero, "ce.all_ignored"),
        ("weighted_mean", attempt_normalized_weights, "ce.weights_made_to_add_up"),
        ("label_smoothing", attempt_soft_labels, "ce.void_class"),
        ("cross_entropy", attempt_axis_kept, "ce.broadcast"),
        ("binary_cross_entropy", attempt_textbook, "bce.log_zero"),
        ("binary_cross_entropy", attempt_sigmoid_then_logits, "bce.sigmoid_twice"),
        ("binary_cross_entropy", attempt_pairs, "bce.broadcast"),
        ("label_smoothing", attempt_smooth_without_own, "smooth.own_share_lost"),
    ],
)
def test_attempts_get_a_fitting_word(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_an_index_without_care_for_void_crashes_with_a_word():
    result = check("weighted_mean", lambda loss, labels, weight: weight[labels].sum())
    assert result.outcome == "crashed"
    assert "index" in result.message


def test_two_decimals_by_hand_are_enough():
    table = []
    for powers, label in zip(POWERS, LABELS, strict=True):
        p = [power / sum(powers) for power in powers]
        if label == VOID:
            table.append([0, 0, 0, 0])
            continue
        gradient = [round(x - (i == label), 2) for i, x in enumerate(p)]
        table.append([round(-math.log(p[label]), 2), *gradient])
    assert check("pixel_by_hand", table).outcome == "right"
    assert check("pixel_by_hand", np.array(table)).outcome == "right"
    table[2][0] += 0.03
    wrong = check("pixel_by_hand", table)
    assert (wrong.outcome, wrong.mistake) == ("wrong", None)
    assert "15 of 16" in wrong.message


def test_what_is_called_a_bug_is_one():
    """The ten lines, run: which of them change a loss or a prediction?"""
    g = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 3, 4, 5, generator=g).double()
    labels = torch.randint(3, (2, 4, 5), generator=g)
    labels[:, 0] = VOID
    right = F.cross_entropy(logits, labels, ignore_index=VOID)

    def differs(loss):
        return not torch.allclose(loss, right)

    def of(logits):
        return F.cross_entropy(logits, labels, ignore_index=VOID)

    each = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none")
    weight = torch.tensor([1.0, 9.0, 4.0]).double()
    weighted = [
        F.cross_entropy(logits, labels, w, ignore_index=VOID) for w in (weight, 10 * weight)
    ]
    z = logits[:, :1]
    y = (labels[:, None] == 1).double()
    bce = F.binary_cross_entropy_with_logits
    bugs = [
        differs(of(logits.log_softmax(1))),
        differs(of(logits.softmax(1))),
        differs(of(logits + 3)),
        not torch.allclose(*weighted),
        not torch.equal(logits.argmax(1), logits.softmax(1).argmax(1)),
        bool(F.cross_entropy(z, torch.zeros_like(labels)) == 0),
        not torch.allclose(bce(z.sigmoid(), y), bce(z, y)),
        not torch.equal(z > 0.5, z.sigmoid() > 0.5),
        differs(each.mean()),
        differs(each[labels != VOID].mean()),
    ]
    assert bugs == is_it_a_bug.is_it_a_bug()
    assert check("is_it_a_bug", bugs).outcome == "right"


def test_a_bug_exercise_half_done_is_not_attempted():
    assert check("is_it_a_bug", [True, None] * 5).outcome == "not attempted"


def temperature_by_adam(logits, labels):
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([log_t], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        F.cross_entropy(logits / log_t.exp(), labels, ignore_index=255).backward()
        optimizer.step()
    return log_t.exp()


def temperature_by_grid(logits, labels):
    grid = torch.logspace(-2, 2, 400)
    values = [F.cross_entropy(logits / t, labels, ignore_index=255).item() for t in grid]
    return grid[int(np.argmin(values))].item()


def temperature_by_lbfgs(logits, labels):
    t = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.LBFGS([t], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits * t, labels, ignore_index=255)
        loss.backward()
        return loss

    optimizer.step(closure)
    return 1 / t.item()


@pytest.mark.parametrize("answer", [temperature_by_adam, temperature_by_grid, temperature_by_lbfgs])
def test_any_method_finds_the_temperature(answer):
    assert check("temperature", answer).outcome == "right", check("temperature", answer)


@pytest.mark.parametrize(
    ("attempt", "tag"),
    [
        (1.7, "temp.not_a_function"),
        (lambda logits, labels: logits.mean(), "temp.not_a_number"),
        (lambda logits, labels: 1 / temperature_by_grid(logits, labels), "temp.upside_down"),
        (lambda logits, labels: 1.5, "temp.honest"),
        (lambda logits, labels: max(1.0, temperature_by_grid(logits, labels)), "temp.range"),
    ],
)
def test_a_temperature_that_misses_is_told_what(attempt, tag):
    result = check("temperature", attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_a_temperature_that_forgets_void_hears_of_it():
    def forgot(logits, labels):
        return temperature_by_grid(logits, labels.where(labels != 255, 1))

    assert check("temperature", forgot).mistake == "temp.void"
