"""FCN: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check
from segtutor.models import as_convolution


def fold_by_view(weight, kernel_size):
    return weight.view(weight.shape[0], -1, kernel_size, kernel_size).clone()


def fold_by_unflatten(weight, kernel_size):
    channels = weight.shape[1] // kernel_size**2
    return weight.unflatten(1, (channels, kernel_size, kernel_size))


def fold_in_numpy(weight, kernel_size):
    return weight.numpy().reshape(len(weight), -1, kernel_size, kernel_size)


def fold_by_the_package(weight, kernel_size):
    linear = nn.Linear(weight.shape[1], len(weight))
    linear.weight = nn.Parameter(weight)
    return as_convolution(linear, kernel_size).weight.detach()


def fold_by_probing(weight, kernel_size):
    """Ask the linear layer for its answer to one pixel at a time."""
    shape = (weight.shape[1] // kernel_size**2, kernel_size, kernel_size)
    pixels = torch.eye(weight.shape[1]).reshape(-1, *shape)
    return F.linear(pixels.flatten(1), weight).T.reshape(-1, *shape)


def sum_by_transposed(coarse, middle, fine):
    """Bilinear stamps on a replicated rim: inside it they are F.interpolate's numbers."""

    def twice(x):
        side = torch.tensor([0.25, 0.75, 0.75, 0.25])
        kernel = (side[:, None] * side).expand(x.shape[1], 1, 4, 4)
        wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(wide, kernel, stride=2, padding=3, groups=x.shape[1])

    return fine + twice(middle + twice(coarse))


def sum_by_size(coarse, middle, fine):
    total = coarse
    for scores in (middle, fine):
        total = scores + F.interpolate(total, size=scores.shape[2:], mode="bilinear")
    return total


def sum_by_module(coarse, middle, fine):
    up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return torch.add(fine, up(torch.add(middle, up(coarse))))


def sum_apart(coarse, middle, fine):
    """Enlarging is linear: each vote may go its own way."""
    up = nn.Upsample(scale_factor=2, mode="bilinear")
    return fine + up(middle) + up(up(coarse))


def crop_without_ceil(height, padding):
    rows = -(-(height + 2 * padding - 2) // 32) - 6
    return rows, (rows - 1) * 32 + 64, int(31.5 - (3 * 32 + 15.5 - padding + 1))


def crop_layer_by_layer(height, padding):
    rows = height + 2 * padding - 3 + 1
    for _ in range(5):
        rows = math.ceil(rows / 2)
    rows = rows - 7 + 1
    return torch.tensor([rows, (rows - 1) * 32 + 64, padding - 81])


def crop_in_numpy(height, padding):
    rows = int(np.ceil((height + 2 * padding - 2) / 32)) - 6
    return np.array([rows, 32 * rows + 32, padding - 81])


def vote_by_loops(labels, factor, num_classes):
    out = labels.clone()
    for y in range(0, labels.shape[0], factor):
        for x in range(0, labels.shape[1], factor):
            block = labels[y : y + factor, x : x + factor]
            counts = torch.bincount(block[block != 255], minlength=num_classes)
            out[y : y + factor, x : x + factor] = counts.argmax()
    return out


def vote_by_one_hot(labels, factor, num_classes):
    hot = F.one_hot(torch.where(labels == 255, num_classes, labels), num_classes + 1)
    votes = hot[..., :num_classes].permute(2, 0, 1)[None].double()
    winner = F.avg_pool2d(votes, factor).argmax(1, keepdim=True).double()
    return F.interpolate(winner, scale_factor=factor, mode="nearest")[0, 0].long()


def vote_by_unfold(labels, factor, num_classes):
    blocks = labels.unfold(0, factor, factor).unfold(1, factor, factor).flatten(2)
    counts = torch.stack([(blocks == k).sum(-1) for k in range(num_classes)])
    return torch.kron(counts.argmax(0), torch.ones(factor, factor, dtype=torch.long))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("fcn_sizes", [[9, 13], [3, 7], [3, 7], [128, 256]]),
        ("fcn_sizes", torch.tensor([[9, 13], [3, 7], [3, 7], [128, 256]])),
        ("fold_linear", fold_by_view),
        ("fold_linear", fold_by_unflatten),
        ("fold_linear", fold_in_numpy),
        ("fold_linear", fold_by_the_package),
        ("fold_linear", fold_by_probing),
        ("sum_scores", sum_by_size),
        ("sum_scores", sum_by_module),
        ("sum_scores", sum_apart),
        ("sum_scores", sum_by_transposed),
        ("pad_and_crop", crop_without_ceil),
        ("pad_and_crop", crop_layer_by_layer),
        ("pad_and_crop", crop_in_numpy),
        ("block_vote", vote_by_loops),
        ("block_vote", vote_by_one_hot),
        ("block_vote", vote_by_unfold),
    ],
)
def test_right_in_another_style(name, answer):
    result = check(name, answer)
    assert result.outcome == "right", result


def test_enlarged_by_four_at_once_is_accepted():
    def at_once(coarse, middle, fine):
        up = lambda x: F.interpolate(x, fine.shape[2:], mode="bilinear")  # noqa: E731
        return fine + up(middle) + up(coarse)

    result = check("sum_scores", at_once)
    assert result.outcome == "right"
    assert "by 4 at once" in str(result)


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [
        ("fold_linear", lambda w, k: w.reshape(len(w), k, k, -1).movedim(-1, 1),
         "flatten.channels_last"),
        ("fold_linear", lambda w, k: w.T.reshape(-1, k, k, len(w)).permute(0, 3, 1, 2),
         "fcn.inputs_first"),
        ("sum_scores", lambda a, b, c: c + F.interpolate(b + F.interpolate(a, scale_factor=2),
         scale_factor=2), "up.nearest"),
        ("pad_and_crop", lambda h, p: [(h + 2 * p - 2) // 32 - 6,
         32 * ((h + 2 * p - 2) // 32 - 5), p - 81], "fcn.floor"),
        ("block_vote", lambda x, f, c: x[::f, ::f].repeat_interleave(f, 0)
         .repeat_interleave(f, 1), "mask.corner"),
    ],
)  # fmt: skip
def test_what_learners_hand_in(name, answer, mistake):
    result = check(name, answer)
    assert (result.outcome, result.mistake) == ("wrong", mistake), result
