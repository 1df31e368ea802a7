"""Right answers on pooling as other people would write them, and slips that learners make."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor import check, ops
from segtutor.exercises.pooling import steady_shrink as steady
from tests.book.guards import ROOT


def size_by_walking(n, kernel, stride, padding=0, ceil_mode=False):
    """Set the window down until it may not be set down any more."""
    start, count = -padding, 0
    while True:
        hangs_over = start + kernel > n + padding
        if start >= n or (hangs_over and not ceil_mode):
            return count
        count += 1
        if start + kernel >= n + padding:  # the end is reached: nothing is left over
            return count
        start += stride


def size_negative_floor(n, kernel, stride, padding=0, ceil_mode=False):
    steps = n + 2 * padding - kernel
    size = (-(-steps // stride) if ceil_mode else steps // stride) + 1
    return min(size, (n + padding - 1) // stride + 1)


def size_package(n, kernel, stride, padding=0, ceil_mode=False):
    return ops.pooled_size(n, kernel, stride, padding, ceil_mode=ceil_mode)


def max_loops(x, kernel, stride, padding=0):
    x = F.pad(x, (padding,) * 4, value=float("-inf"))
    n, c, h, w = x.shape
    rows, columns = (h - kernel) // stride + 1, (w - kernel) // stride + 1
    out = torch.empty(n, c, rows, columns)
    for r in range(rows):
        for q in range(columns):
            top, left = r * stride, q * stride
            out[:, :, r, q] = x[:, :, top : top + kernel, left : left + kernel].amax((2, 3))
    return out


def max_unfold(x, kernel, stride, padding=0):
    x = F.pad(x, (padding,) * 4, value=x.min().item() - 1)  # any number below all others
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.flatten(4).max(-1).values


def max_by_rows_then_columns(x, kernel, stride, padding=0):
    x = F.pad(x, (padding,) * 4, value=-1e9)
    return x.unfold(2, kernel, stride).amax(-1).unfold(3, kernel, stride).amax(-1)


def max_numpy(x, kernel, stride, padding=0):
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    x = np.pad(x.numpy(), pad, constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))
    return view[:, :, ::stride, ::stride].max((4, 5))


def mean_loops(x, kernel, stride, padding=0):
    n, c, h, w = x.shape
    rows = (h + 2 * padding - kernel) // stride + 1
    columns = (w + 2 * padding - kernel) // stride + 1
    out = x.new_zeros(n, c, rows, columns)
    for r in range(rows):
        for q in range(columns):
            top, left = r * stride - padding, q * stride - padding
            window = x[:, :, max(0, top) : top + kernel, max(0, left) : left + kernel]
            out[:, :, r, q] = window.mean((2, 3))
    return out


def mean_corrected(x, kernel, stride, padding=0):
    ones = torch.ones(1, 1, *x.shape[2:])
    return F.avg_pool2d(x, kernel, stride, padding) / F.avg_pool2d(ones, kernel, stride, padding)


def mean_nan(x, kernel, stride, padding=0):
    x = F.pad(x, (padding,) * 4, value=math.nan)
    return x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4).nanmean(-1)


def unpool_loops(values, indices, height, width):
    out = torch.zeros(*values.shape[:2], height, width)
    for n in range(values.shape[0]):
        for c in range(values.shape[1]):
            places = indices[n, c].flatten().tolist()
            for value, index in zip(values[n, c].flatten().tolist(), places, strict=True):
                row, column = divmod(index, width)
                out[n, c, row, column] = value
    return out


def unpool_numpy(values, indices, height, width):
    out = np.zeros((*values.shape[:2], height * width), np.float32)
    np.put_along_axis(out, indices.flatten(2).numpy(), values.flatten(2).numpy(), axis=2)
    return out.reshape(*values.shape[:2], height, width)


def unpool_one_hot(values, indices, height, width):
    hot = F.one_hot(indices.flatten(2), height * width).float()  # (N, C, h·w, H·W)
    return torch.einsum("ncp,ncpq->ncq", values.flatten(2), hot).unflatten(2, (height, width))


def gradient_autograd(x, upstream, kernel, stride):
    x = x.clone().requires_grad_()
    with torch.enable_grad():
        F.max_pool2d(x[None, None], kernel, stride)[0, 0].backward(upstream)
    return x.grad


def gradient_scatter(x, upstream, kernel, stride):
    _, where = F.max_pool2d(x[None, None], kernel, stride, return_indices=True)
    out = torch.zeros(x.numel())
    return out.scatter_add(0, where.flatten(), upstream.flatten()).view_as(x)


def gradient_dictionary(x, upstream, kernel, stride):
    heard = {}
    for r, row in enumerate(upstream.tolist()):
        for c, value in enumerate(row):
            places = [
                (r * stride + i, c * stride + j) for i in range(kernel) for j in range(kernel)
            ]
            winner = max(places, key=lambda place: x[place])  # the first of equals
            heard[winner] = heard.get(winner, 0.0) + value
    return torch.tensor(
        [[heard.get((i, j), 0.0) for j in range(x.shape[1])] for i in range(x.shape[0])]
    )


RIGHT = {
    "pooled_size": [size_by_walking, size_negative_floor, size_package],
    "max_pool2d": [max_loops, max_unfold, max_by_rows_then_columns, max_numpy, ops.max_pool2d],
    "avg_pool2d": [mean_loops, mean_corrected, mean_nan],
    "max_unpool2d": [unpool_loops, unpool_numpy, unpool_one_hot],
    "pool_gradient": [gradient_autograd, gradient_scatter, gradient_dictionary],
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [(name, answer) for name, answers in RIGHT.items() for answer in answers],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_other_styles_are_right(name, answer):
    for seed in range(3):
        assert check(name, answer, seed=seed).outcome == "right"


@pytest.mark.parametrize("make", [torch.tensor, np.array, lambda rows: tuple(map(tuple, rows))])
def test_the_pencil_may_hand_in_any_rows(make):
    assert check("pool_by_hand", make([[-1, 9], [2, -2]])).outcome == "right"
    assert check("pool_by_hand", make([[-1.0, 9.0], [2.0, -2.0]])).outcome == "right"


@pytest.mark.parametrize(
    ("name", "answer", "tag"),
    [
        ("max_pool2d", lambda x, k, s, padding=0: max_loops(F.pad(x, (padding,) * 4), k, s),
         "pool.zero_pad"),
        ("max_pool2d", lambda x, k, s, padding=0: F.max_pool2d(x, k, padding=padding),
         "pool.stride_is_kernel"),
        ("avg_pool2d", lambda x, k, s, padding=0: F.avg_pool2d(x, k, s, padding),
         "pool.avg_divisor"),
        ("pooled_size", lambda n, k, s, padding=0, ceil_mode=False: math.ceil(
            (n + 2 * padding - k) / s) + 1 if ceil_mode else (n + 2 * padding - k) // s + 1,
         "pool.ceil"),
    ],
)  # fmt: skip
def test_slips_get_their_own_word(name, answer, tag):
    assert check(name, answer).mistake == tag


def test_torchs_own_unpooling_may_be_used():
    def answer(values, indices, height, width):
        kernel = height // values.shape[2]
        return F.max_unpool2d(values, indices, kernel, output_size=(height, width))

    assert check("max_unpool2d", answer).outcome == "right"


def blurred(weights, maximum=2):
    """Maximum with stride 1, and a blur with stride 2 behind it."""
    row = torch.tensor(weights) / sum(weights)
    k = len(weights)
    blur = nn.Conv2d(1, 1, k, stride=2, bias=False)
    blur.weight.data = torch.outer(row, row)[None, None]
    before = (k - 1) // 2
    return nn.Sequential(
        nn.ReplicationPad2d((0, maximum - 1, 0, maximum - 1)),
        nn.MaxPool2d(maximum, 1),
        nn.ReplicationPad2d((before, k - 1 - before, before, k - 1 - before)),
        blur,
    )


@pytest.mark.parametrize("weights", [(1.0, 2.0, 1.0), (1.0, 3.0, 3.0, 1.0), (1.0, 4, 6, 4, 1)])
def test_steady_modules_are_accepted(weights):
    assert check("steady_shrink", blurred(weights)).outcome == "right"


@pytest.mark.parametrize(
    ("module", "tag"),
    [
        (nn.MaxPool2d(2), "steady.flicker"),
        (nn.AvgPool2d(2), "steady.flicker"),
        (nn.Conv2d(1, 1, 1, stride=2), "steady.white"),
        (nn.AvgPool2d(3, 2, 1), "steady.white"),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), "steady.flicker"),
        (blurred((1.0, 3.0, 3.0, 1.0), maximum=1), "steady.pole"),
        (nn.MaxPool2d(3, 2, 1), "steady.filled"),
        (nn.MaxPool2d(3, 2), "steady.size"),
        (nn.MaxPool2d, "steady.module"),
    ],
    ids=str,
)
def test_every_demand_is_measured(module, tag):
    assert check("steady_shrink", module).mistake == tag


def test_the_limits_are_those_of_the_chapter():
    text = (ROOT / "book/foundations/pooling.ipynb").read_text(encoding="utf-8")
    assert f"change by at most {steady.FLICKER} when they move" in text
    assert f"at least {steady.POLE} of its brightness" in text
    assert f"at most {steady.FILLED} may come out white" in text
