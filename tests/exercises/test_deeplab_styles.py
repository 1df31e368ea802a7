"""DeepLab as other people would write it; what learners hand in gets a fitting word."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check
from segtutor.exercises.deeplab.count_holes import count_holes
from segtutor.models.aspp import ImagePooling


def holes_by_product(rates):
    sums = {sum(steps) for steps in itertools.product(*[(-r, 0, r) for r in rates])}
    return 1 + 2 * sum(rates) - len(sums)


def holes_by_convolution(rates):
    x = np.ones(1)
    for rate in rates:
        kernel = np.zeros(2 * rate + 1)
        kernel[[0, rate, 2 * rate]] = 1
        x = np.convolve(x, kernel)
    return (x == 0).sum()


def holes_by_gradient(rates):
    side = 1 + 2 * sum(rates)
    x = torch.zeros(1, 1, side, requires_grad=True)
    y = x
    for rate in rates:
        y = F.conv1d(y, torch.ones(1, 1, 3), padding=rate, dilation=rate)
    y[0, 0, side // 2].backward()
    return (x.grad == 0).sum()


def strides_as_lists(layers, output_stride):
    plan, stride_so_far, dilation = [], 1, 1
    for kernel, stride in layers:
        own = dilation
        if stride_so_far == output_stride and stride == 2:
            stride, dilation = 1, 2 * dilation
        else:
            stride_so_far *= stride
        plan.append([stride, own, (own * (kernel - 1) + 1) // 2])
    return plan


def strides_as_a_tensor(layers, output_stride):
    total, rows = 1, []
    for kernel, stride in layers:
        dilation = max(total // output_stride, 1)
        total *= stride
        rows.append((stride if total <= output_stride else 1, dilation, dilation * (kernel // 2)))
    return torch.tensor(rows)


def taps_measured(height, width, rate):
    ones = torch.ones(1, 1, height, width)
    return F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate).mean()


def taps_counted(height, width, rate):
    total = 0
    for r, c in itertools.product(range(height), range(width)):
        for i, j in itertools.product((-rate, 0, rate), repeat=2):
            total += 0 <= r + i < height and 0 <= c + j < width
    return total / (height * width)


def pooling_as_in_listings(x, weight):
    pooled = F.adaptive_avg_pool2d(x, 1)
    pooled = F.conv2d(pooled, weight[:, :, None, None])
    return F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)


def pooling_repeated(x, weight):
    mixed = torch.einsum("oc,nchw->nohw", weight, x)
    return mixed.mean((2, 3), keepdim=True).repeat(1, 1, *x.shape[2:])


def pooling_of_the_package(x, weight):
    branch = ImagePooling(weight.shape[1], weight.shape[0]).eval()
    branch.project[0].weight.data = weight[:, :, None, None]
    branch.project[1] = branch.project[2] = nn.Identity()  # no batch norm, no ReLU
    branch.refuse_single = lambda x: None
    with torch.no_grad():
        return branch(x)


def field_with_log_beliefs_of_the_network(scores, beliefs, kernel):
    energy = -scores.softmax(1).log()  # softmax of log p is p
    for c in range(scores.shape[1]):
        energy[:, c] += kernel @ (beliefs.sum(1) - beliefs[:, c])
    expd = (energy.amin(1, keepdim=True) - energy).exp()
    return expd / expd.sum(1, keepdim=True)


def field_numpy(scores, beliefs, kernel):
    s = scores.numpy().astype(np.float64) + kernel.numpy() @ beliefs.numpy()
    s = np.exp(s - s.max(1, keepdims=True))
    return s / s.sum(1, keepdims=True)


def field_pairs(scores, beliefs, kernel):
    potts = 1 - torch.eye(scores.shape[1])
    return F.softmax(scores - kernel @ beliefs @ potts, dim=-1)


STYLES = {
    "holes_by_hand": [(13, 7, 7, 15, 15, 1), torch.tensor([13.0, 7, 7, 15, 15, 1])],
    "count_holes": [holes_by_product, holes_by_convolution, holes_by_gradient],
    "without_strides": [strides_as_lists, strides_as_a_tensor],
    "taps_inside": [taps_measured, taps_counted],
    "fitting_rates": [[1, 3, 6], (6, 4, 2), torch.tensor([2, 5, 6]), np.array([1, 2, 3, 6])],
    "image_pooling": [pooling_as_in_listings, pooling_repeated, pooling_of_the_package],
    "mean_field": [field_with_log_beliefs_of_the_network, field_numpy, field_pairs],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result


def replaced_like_a_blog(layers, output_stride):
    """Every stride beyond becomes 1, its dilation 2: one loop, one number."""
    total, plan = 1, []
    for kernel, stride in layers:
        total *= stride
        plan.append((stride, 1, kernel // 2) if total <= output_stride else (1, 1, kernel // 2))
    return plan


ATTEMPTS = [
    ("without_strides", replaced_like_a_blog, "os.no_dilation"),
    ("count_holes", lambda rates: 1 + 2 * sum(rates) - 3 ** len(rates), None),
    ("count_holes", lambda rates: count_holes(rates[-1:]), "dilation.last_layer"),
    ("taps_inside", lambda h, w, r: 9 * (h > r) * (w > r) or 1, None),
    ("image_pooling", lambda x, w: F.conv2d(x.mean((2, 3), keepdim=True), w[..., None, None]),
     "aspp.not_enlarged"),
    ("mean_field", lambda s, b, k: (-s + k @ (1 - b)).softmax(1), "crf.cost_sign"),
    ("fitting_rates", [6, 12, 18], "rates.beyond"),
    ("fitting_rates", [1, 2, 4], "rates.near"),
    ("fitting_rates", [6], "rates.too_few"),
    ("fitting_rates", [1.5, 2, 6], "rates.not_rates"),
    ("fitting_rates", ["1", "2"], "rates.not_rates"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "attempt", "tag"), ATTEMPTS, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(ATTEMPTS)]
)
def test_what_learners_hand_in(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result
