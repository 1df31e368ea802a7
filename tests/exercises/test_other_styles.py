"""Right answers as other people would write them are right."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check
from segtutor.exercises.convolution.edge_by_hand import KERNEL, PATCH


def conv2d_numpy_loops(x, weight, bias=None, stride=1, padding=0):
    x, weight = x.numpy(), weight.numpy()
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    n, _, h, w = x.shape
    c_out, _, kh, kw = weight.shape
    out = np.zeros((n, c_out, (h - kh) // stride + 1, (w - kw) // stride + 1), np.float32)
    for r in range(out.shape[2]):
        for c in range(out.shape[3]):
            window = x[:, None, :, r * stride : r * stride + kh, c * stride : c * stride + kw]
            out[:, :, r, c] = (window * weight).sum((2, 3, 4))
    return out if bias is None else out + bias.numpy()[:, None, None]


def conv2d_strided_einsum(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding,) * 4)
    windows = x.unfold(2, weight.shape[2], stride).unfold(3, weight.shape[3], stride)
    out = torch.einsum("nchwij,ocij->nohw", windows, weight)
    return out if bias is None else out + bias.view(1, -1, 1, 1)


def conv2d_unfold_matmul(input, kernels, bias=None, stride=1, padding=0):
    """Positional arguments may have names of their own."""
    kh, kw = kernels.shape[2:]
    columns = F.unfold(input, (kh, kw), stride=stride, padding=padding)
    out = kernels.flatten(1) @ columns
    if bias is not None:
        out = out + bias[:, None]
    height = (input.shape[2] + 2 * padding - kh) // stride + 1
    return out.reshape(len(input), len(kernels), height, -1)


def conv2d_float64_lists(x, weight, bias=None, stride=1, padding=0):
    """Python numbers and nested lists, in double precision."""
    x = F.pad(x, (padding,) * 4).tolist()
    weight = weight.tolist()
    kh, kw = len(weight[0][0]), len(weight[0][0][0])
    rows = range(0, len(x[0][0]) - kh + 1, stride)
    columns = range(0, len(x[0][0][0]) - kw + 1, stride)

    def place(picture, filter_, r, c):
        return math.fsum(
            channel[r + i][c + j] * taps[i][j]
            for channel, taps in zip(picture, filter_, strict=True)
            for i in range(kh)
            for j in range(kw)
        )

    add = [0.0] * len(weight) if bias is None else bias.tolist()
    return [
        [
            [[place(p, f, r, c) + b for c in columns] for r in rows]
            for f, b in zip(weight, add, strict=True)
        ]
        for p in x
    ]


class Conv2dModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x, weight, bias=None, stride=1, padding=0):
        return F.conv2d(x, weight, bias, stride, padding) * self.scale


class Conv2dCallable:
    def __call__(self, x, weight, **options):
        return F.conv2d(x, weight, **options)

    def method(self, x, weight, **options):
        return F.conv2d(x, weight, **options)


@torch.no_grad()
def conv2d_decorated(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(
        x.double(), weight.double(), None if bias is None else bias.double(), stride, padding
    )


def conv2d_half(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride, padding).half()


def conv2d_in_place_on_its_own(x, weight, bias=None, stride=1, padding=0):
    x = x.clone()
    x += 1
    x -= 1
    return F.conv2d(x, weight, bias, stride, padding)


STYLES = {
    "conv2d": [
        conv2d_numpy_loops,
        conv2d_strided_einsum,
        conv2d_unfold_matmul,
        conv2d_float64_lists,
        Conv2dModule(),
        Conv2dCallable(),
        Conv2dCallable().method,
        conv2d_decorated,
        conv2d_half,
        conv2d_in_place_on_its_own,
        F.conv2d,
        lambda x, weight, bias=None, stride=1, padding=0: F.conv2d(
            x, weight, bias, stride, padding
        ),
        functools.partial(F.conv2d, dilation=1),
        lambda x, weight, **k: F.conv2d(x.requires_grad_(), weight, **k),
    ],
    "output_size": [
        lambda n, kernel, stride=1, padding=0, dilation=1: len(
            range(0, n + 2 * padding - dilation * (kernel - 1), stride)
        ),
        lambda n, kernel, **options: F.conv1d(
            torch.zeros(1, 1, n), torch.zeros(1, 1, kernel), **options
        ).shape[-1],
        lambda n, k, stride=1, padding=0, dilation=1: np.int64(
            math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride + 1)
        ),
        lambda n, k, stride=1, padding=0, dilation=1: torch.tensor(
            (n + 2 * padding - dilation * (k - 1) + stride - 1) // stride
        ),
    ],
    "channels_first": [
        lambda picture: np.transpose(picture.numpy(), (2, 0, 1)),
        lambda picture: picture.movedim(-1, 0),
        lambda picture: torch.stack([picture[:, :, c] for c in range(picture.shape[2])]),
        lambda picture: torch.einsum("hwc->chw", picture),
        lambda picture: [
            [[p[c] for p in r] for r in picture.tolist()] for c in range(picture.shape[2])
        ],
    ],
    "same_padding": [
        lambda kernel, dilation=1: dilation * (kernel // 2),
        lambda kernel, dilation=1: next(
            p for p in range(999) if 2 * p - dilation * (kernel - 1) == 0
        ),
        lambda kernel, dilation=1: (dilation * (kernel - 1) + 1) // 2,
    ],
    "separable_cost": [
        lambda i, o, k, h, w: [i * (k**2 + o), i * (k**2 + o) * h * w],
        lambda i, o, k, h, w: torch.tensor([i * (k**2 + o), i * (k**2 + o) * h * w]),
        lambda i, o, k, h, w: (
            sum(p.numel() for p in nn.Conv2d(i, i, k, groups=i, bias=False).parameters()) + i * o,
            np.prod([i, k, k, h, w]) + np.prod([i, o, h, w]),
        ),
    ],
    "receptive_field": [
        lambda layers: functools.reduce(
            lambda size, layer: (size - 1) * layer[1] + layer[2] * (layer[0] - 1) + 1,
            reversed(layers),
            1,
        ),
        lambda layers: (
            1
            + sum(
                d * (k - 1) * math.prod(s for _, s, _ in layers[:i])
                for i, (k, _, d) in enumerate(layers)
            )
        ),
    ],
    "edge_by_hand": [
        torch.tensor([[-6.0, 6, 6], [-1, 7, 3], [2, 4, 3]]),
        F.conv2d(torch.tensor(PATCH)[None, None], torch.tensor(KERNEL)[None, None])[0, 0],
        np.array([[-6, 6, 6], [-1, 7, 3], [2, 4, 3]]),
        ((-6, 6, 6), (-1, 7, 3), (2, 4, 3)),
    ],
}


class Residual(nn.Module):
    """Batch normalization, residual sums, a wiring of its own; registered back to front."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 1, 1)
        self.dilated = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3, 3, 3, padding=d, dilation=d), nn.BatchNorm2d(3), nn.ReLU())
            for d in (1, 3, 9, 18)
        )
        self.stem = nn.Conv2d(1, 3, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.dilated:
            x = x + block(x)
        return self.head(x)


def tripled():
    return nn.Sequential(
        *(nn.Conv2d(1, 1, 3, padding=d, dilation=d, padding_mode="zeros") for d in (1, 3, 9, 17))
    )


def a_row_and_a_column():
    return nn.Sequential(
        nn.Conv2d(1, 1, (61, 1), padding=(30, 0)), nn.Conv2d(1, 1, (1, 61), padding="same")
    )


def untrained_zeros():
    net = tripled()
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    return net


STYLES["wide_view"] = [Residual(), tripled(), a_row_and_a_column(), untrained_zeros()]
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


def test_checking_a_module_leaves_it_alone():
    net = Residual()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    assert check("wide_view", net).outcome == "right"
    assert net.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_the_numbers_in_the_reason_of_wide_view():
    from segtutor.exercises.convolution.wide_view import _dilated, exercise

    def count(net):
        return sum(parameter.numel() for parameter in net.parameters())

    assert f"{count(exercise.solution()):,} parameters" in exercise.why
    assert f"{count(_dilated(*[1] * 30)):,}" in exercise.why
