"""Attention: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import SqueezeExcitation

from segtutor.exercises import check


def excite_by_torchvision(x, down, up):
    block = SqueezeExcitation(x.shape[1], len(down))
    block.fc1.weight.data, block.fc2.weight.data = down[:, :, None, None], up[:, :, None, None]
    nn.init.zeros_(block.fc1.bias)
    nn.init.zeros_(block.fc2.bias)
    with torch.no_grad():
        return block(x)


def excite_by_layers(x, down, up):
    n, c = x.shape[:2]
    squeezed = F.adaptive_avg_pool2d(x, 1).view(n, c)
    gate = torch.sigmoid(F.linear(F.relu(F.linear(squeezed, down)), up))
    return x * gate.view(n, c, 1, 1).expand_as(x)


def excite_by_einsum(x, down, up):
    hidden = torch.einsum("nchw,rc->nr", x, down).div(x.shape[2] * x.shape[3]).clamp(min=0)
    gate = 1 / (1 + torch.exp(-torch.einsum("nr,cr->nc", hidden, up)))
    return torch.einsum("nchw,nc->nchw", x, gate)


def gate_by_loops(x, weight):
    c, h, w = x.shape[1:]
    k = weight.shape[-1]
    seen = F.pad(torch.stack([x.max(1).values, x.sum(1) / c], 1), (k // 2,) * 4)
    out = torch.empty_like(x)
    for i in range(h):
        for j in range(w):
            score = (seen[:, :, i : i + k, j : j + k] * weight[0]).sum((1, 2, 3))
            out[:, :, i, j] = x[:, :, i, j] * score.sigmoid()[:, None]
    return out


def gate_same_padding(x, weight):
    seen = torch.cat((torch.max(x, 1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1)
    return torch.sigmoid(F.conv2d(seen, weight, padding="same")).mul(x)


def attend_by_kernel(x, to_query, to_key, to_value):
    q, k, v = (
        F.conv2d(x, weight[:, :, None, None]).flatten(2).mT
        for weight in (to_query, to_key, to_value)
    )
    return F.scaled_dot_product_attention(q, k, v).mT.reshape(len(x), -1, *x.shape[2:])


def attend_by_einsum(x, to_query, to_key, to_value):
    q = torch.einsum("nchw,dc->ndhw", x, to_query)
    k = torch.einsum("nchw,dc->ndhw", x, to_key)
    v = torch.einsum("nchw,dc->ndhw", x, to_value)
    scores = torch.einsum("ndhw,ndij->nhwij", q, k) / q.shape[1] ** 0.5
    weights = scores.flatten(3).softmax(-1).view_as(scores)
    return torch.einsum("nhwij,neij->nehw", weights, v)


def attend_keys_first(x, to_query, to_key, to_value):
    """Rows and columns exchanged throughout: then the softmax runs over axis 1, rightly."""
    flat = x.flatten(2)
    q, k, v = (weight @ flat for weight in (to_query, to_key, to_value))
    weights = (k.mT @ q / len(to_query) ** 0.5).softmax(1)
    return (v @ weights).view(len(x), -1, *x.shape[2:])


def cost_by_loops(height, width, channels):
    pairs = sum(1 for _ in range(height * width)) ** 2
    return [pairs, pairs * channels + pairs * channels]


def cost_by_numpy(height, width, channels):
    pairs = np.int64(height * width) ** 2
    return pairs, 2 * channels * pairs


def arctangent(score):
    return torch.atan(score) / torch.pi + 0.5


def wide_ramp(score):
    return (score / 10 + 0.5).clamp(0, 1)


STYLES = {
    "attention_by_hand": [
        [[1 / 8, 2 / 8, 5 / 8, 26], [0.6, 0.3, 0.1, 8.8]],
        np.array([[0.125, 0.25, 0.625, 26], [0.6, 0.3, 0.1, 8.8]]),
        torch.tensor([[0.125, 0.25, 0.625, 26], [0.6, 0.3, 0.1, 8.8]]),
    ],
    "squeeze_excite": [excite_by_torchvision, excite_by_layers, excite_by_einsum],
    "spatial_gate": [gate_by_loops, gate_same_padding],
    "self_attention": [attend_by_kernel, attend_by_einsum, attend_keys_first],
    "attention_cost": [cost_by_loops, cost_by_numpy],
    "bounded_gate": [
        arctangent,
        wide_ramp,
        lambda s: (s.tanh() + 1) / 2,
        lambda s: torch.special.ndtr(s),
        lambda s: (2 * s).sigmoid(),
    ],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


def excite_without_axes(x, down, up):
    gate = ((x.mean((2, 3)) @ down.T).relu() @ up.T).sigmoid()
    return x * gate


def attend_softmax_first_axis(x, to_query, to_key, to_value):
    q, k, v = (F.conv2d(x, w[:, :, None, None]).flatten(2) for w in (to_query, to_key, to_value))
    weights = torch.softmax(q.mT @ k / len(to_query) ** 0.5, dim=-2)
    return (weights @ v.mT).mT.reshape(len(x), -1, *x.shape[2:])


def attend_and_add(x, to_query, to_key, to_value):
    return x[:, :1] + attend_by_kernel(x, to_query, to_key, to_value)


ATTEMPTS = [
    ("self_attention", attend_softmax_first_axis, "att.softmax_dim"),
    ("self_attention", attend_and_add, None),
    ("spatial_gate", lambda x, weight: gate_same_padding(x, weight) + x, "att.residual"),
    ("attention_cost", lambda h, w, c: (h * w * h * w, h * w * h * w * c), "cost.mixing"),
    ("attention_by_hand", [[0.13, 0.25, 0.63, 26], [0.6, 0.3, 0.1, 8.8]], None),
    ("bounded_gate", F.relu6, "att.relu_gate"),
    ("bounded_gate", F.hardsigmoid, "gate.dead"),
    ("bounded_gate", lambda s: (s > 0) + 0 * s, "gate.dead"),
    ("bounded_gate", lambda s: s.softmax(-1), "att.softmax_gate"),
    ("bounded_gate", F.softsign, "gate.negative"),
    ("bounded_gate", torch.exp, "att.relu_gate"),
]


@pytest.mark.parametrize(
    ("name", "attempt", "tag"), ATTEMPTS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(ATTEMPTS)]
)
def test_what_learners_hand_in(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_a_gate_without_its_axes_crashes_or_is_wrong():
    """On every map but one the shapes do not fit, and the smallest of these is shown."""
    assert check("squeeze_excite", excite_without_axes).outcome in ("crashed", "wrong")
