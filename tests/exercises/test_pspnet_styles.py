"""PSPNet: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor import models, ops
from segtutor.exercises import check


def edges_by_math(n, size):
    return [(math.floor(i * n / size), math.ceil((i + 1) * n / size)) for i in range(size)]


def edges_by_divmod(n, size):
    edges = []
    for i in range(size):
        whole, rest = divmod((i + 1) * n, size)
        edges.append([i * n // size, whole + (rest > 0)])
    return edges


def edges_as_tensor(n, size):
    cuts = torch.arange(size + 1) * n
    return torch.stack([cuts[:-1] // size, -(-cuts[1:] // size)], 1)


def module_by_means(x, weights, bins):
    n, c, h, w = x.shape
    parts = [x]
    for weight, size in zip(weights, bins, strict=True):
        grid = x.new_zeros(n, c, size, size)
        for i, (top, bottom) in enumerate(ops.adaptive_bins(h, size)):
            for j, (left, right) in enumerate(ops.adaptive_bins(w, size)):
                grid[:, :, i, j] = x[:, :, top:bottom, left:right].mean((2, 3))
        mixed = torch.einsum("sc,nchw->nshw", weight, grid).clamp(min=0)
        parts.append(ops.interpolate(mixed, size=(h, w), mode="bilinear", align_corners=True))
    return torch.cat(parts, 1)


def module_by_layers(x, weights, bins):
    out = [x]
    for weight, size in zip(weights, bins, strict=True):
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)
        conv.weight.data = weight[..., None, None]
        level = nn.Sequential(nn.AdaptiveAvgPool2d(size), conv, nn.ReLU(),
                              nn.UpsamplingBilinear2d(x.shape[2:]))  # fmt: skip
        out.append(level(x))
    return torch.cat(out, 1).detach()


def loss_by_module(out, aux, labels, weight=0.4):
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    return criterion(out, labels) + criterion(aux, labels) * weight


def loss_by_hand(out, aux, labels, weight=0.4):
    judged = labels != 255
    chosen = labels.where(judged, 0)[:, None]

    def one(logits):
        return -logits.log_softmax(1).gather(1, chosen)[:, 0][judged].mean()

    return one(out) + weight * one(aux)


def size_by_package(channels, bins):
    module = models.PyramidPooling(channels, bins)
    return module.out_channels, sum(p.numel() for p in module.parameters())


class Pyramid(nn.Module):
    """The package's own module, in front of a small head."""

    def __init__(self):
        super().__init__()
        self.pool = models.PyramidPooling(2, (1, 2, 3, 6))
        self.head = nn.Conv2d(self.pool.out_channels, 1, 1)

    def forward(self, x):
        return self.head(self.pool(x))


class Halves(nn.Module):
    """A mean and the four quarters, nearest; a wide first layer."""

    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(nn.Conv2d(2, 4, 5, padding=2), nn.ReLU())
        self.head = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        x = self.see(x)
        grids = [F.interpolate(F.adaptive_avg_pool2d(x, k), x.shape[-2:]) for k in (1, 2)]
        return self.head(torch.cat([x, *grids], 1))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("bins_by_hand", (2, 5, 4, 4, 3)),
        ("bins_by_hand", torch.tensor([2.0, 5, 4, 4, 3])),
        ("bins_by_hand", np.array([2.0, 5, 4, 28 / 7, 3])),
        ("bin_edges", edges_by_math),
        ("bin_edges", edges_by_divmod),
        ("bin_edges", edges_as_tensor),
        ("bin_edges", ops.adaptive_bins),
        ("pyramid_pooling", module_by_means),
        ("pyramid_pooling", module_by_layers),
        ("auxiliary_loss", loss_by_module),
        ("auxiliary_loss", loss_by_hand),
        ("pyramid_size", size_by_package),
        ("scene_aware", Pyramid()),
        ("scene_aware", Halves()),
    ],
)
def test_other_styles_are_right(name, answer):
    assert check(name, answer).outcome == "right", check(name, answer)


def edges_by_linspace(n, size):
    cuts = torch.linspace(0, n, size + 1).long().tolist()
    return list(pairwise(cuts))


def module_of_kernels(x, weights, bins):
    parts = [x]
    for weight, size in zip(weights, bins, strict=True):
        y = F.conv2d(nn.AvgPool2d(size)(x), weight[:, :, None, None]).relu()
        parts.append(F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True))
    return torch.cat(parts, 1)


def loss_of_means(out, aux, labels, weight=0.4):
    return F.cross_entropy((out + aux) / 2, labels, ignore_index=255)


def loss_that_forgets_void(out, aux, labels, weight=0.4):
    return F.cross_entropy(out, labels) + weight * F.cross_entropy(aux, labels)


def loss_of_zero_for_void(out, aux, labels, weight=0.4):
    return sum(
        part * F.cross_entropy(logits, labels, ignore_index=255, reduction="none").mean()
        for logits, part in ((out, 1), (aux, weight))
    )


@pytest.mark.parametrize(
    ("name", "answer", "outcome", "mistake"),
    [
        ("bins_by_hand", [2, 5, 4, 11 / 3, 3], "wrong", "bins.mean_of_means"),
        ("bin_edges", edges_by_linspace, "wrong", "bins.floor_end"),
        ("pyramid_pooling", module_of_kernels, "wrong", "pyramid.kernel"),
        ("auxiliary_loss", loss_of_means, "wrong", None),
        ("auxiliary_loss", loss_that_forgets_void, "crashed", None),
        ("auxiliary_loss", loss_of_zero_for_void, "wrong", "ce.void_mean"),
        ("scene_aware", Pyramid, "wrong", "scene.not_a_module"),
        ("scene_aware", nn.Conv2d(2, 1, 9, padding=4), "wrong", "scene.blind"),
        ("scene_aware", models.PyramidPooling(2, (1, 2)), "wrong", "scene.size"),
    ],
)
def test_wrong_ones_get_their_word(name, answer, outcome, mistake):
    result = check(name, answer)
    assert (result.outcome, result.mistake) == (outcome, mistake), result
