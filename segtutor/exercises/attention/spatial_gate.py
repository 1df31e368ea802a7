"""Spatial attention: where to look, decided from two numbers a position."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def spatial_gate(x, weight):
    """x (N, C, H, W) -> x with each position gated, (N, C, H, W).

    Of each position take the maximum over its channels and their mean, in
    this order: two channels. weight (1, 2, k, k), k odd: one convolution
    that keeps the size. Then sigmoid.
    """
    raise NotImplementedError
'''


def spatial_gate(x, weight):
    """Two channels that say what is there, one convolution, one gate a position."""
    seen = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)
    gate = F.conv2d(seen, weight, padding=weight.shape[-1] // 2).sigmoid()  # (N, 1, H, W)
    return x * gate


def cases(generator: torch.Generator) -> list[Case]:
    """Return a map to follow by hand, and larger ones with asymmetric kernels."""
    x = torch.tensor([[[[2.0, 0.0, -1.0]], [[0.0, -4.0, 3.0]]]])  # (1, 2, 1, 3)
    small = Case((x, torch.tensor([[[[1.0]], [[2.0]]]])))  # (1, 2, 1, 1)

    def case(n: int, c: int, h: int, w: int, k: int) -> Case:
        x = torch.randn(n, c, h, w, generator=generator)
        return Case((x, torch.randn(1, 2, k, k, generator=generator)))

    return [small, case(2, 3, 4, 5, 3), case(1, 5, 8, 6, 7), case(3, 4, 7, 9, 3)]


def _seen(x):
    return torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)


def _scores(x, weight, seen=None):
    seen = _seen(x) if seen is None else seen
    return F.conv2d(seen, weight, padding=weight.shape[-1] // 2)


def _mean_first(x, weight):
    return x * _scores(x, weight, _seen(x).flip(1)).sigmoid()


def _sum(x, weight):
    seen = torch.cat([x.amax(1, keepdim=True), x.sum(1, keepdim=True)], dim=1)
    return x * _scores(x, weight, seen).sigmoid()


def _minimum(x, weight):
    seen = torch.cat([x.amax(1, keepdim=True), x.amin(1, keepdim=True)], dim=1)
    return x * _scores(x, weight, seen).sigmoid()


def _relu(x, weight):
    return x * _scores(x, weight).relu()


def _softmax(x, weight):
    scores = _scores(x, weight)
    return x * scores.flatten(2).softmax(2).view_as(scores)


def _gate_only(x, weight):
    return _scores(x, weight).sigmoid()


def _turned(x, weight):
    return x * _scores(x, weight.flip(2, 3)).sigmoid()


def _none(x, weight):
    return x * _scores(x, weight)


def _residual(x, weight):
    return x + x * _scores(x, weight).sigmoid()


exercise = Exercise(
    name="spatial_gate",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "`x.amax(dim=1, keepdim=True)` and `x.mean(dim=1, keepdim=True)` are (N, 1, H, W) each; "
        "`torch.cat` along the channels makes (N, 2, H, W) of them, the maximum first.",
        "`F.conv2d(seen, weight, padding=k // 2)` keeps the size for an odd k. After the sigmoid, "
        "(N, 1, H, W) times (N, C, H, W) gates all channels of a position alike.",
    ),
    solution=spatial_gate,
    why=(
        "The gate has one channel, so it cannot choose *what* passes, only *where*. It sees two "
        "numbers of each position: how strong its strongest channel is, and how strong they are "
        "on average. All that it learns is one filter of 2·k·k numbers."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "cbam.order",
            _mean_first,
            "You put the mean first and the maximum second. The kernel's first channel was made "
            "for the maximum: exchange the two.",
        ),
        Mistake(
            "cbam.sum",
            _sum,
            "Your second channel is the sum over the channels; the mean is asked for.",
        ),
        Mistake(
            "cbam.minimum",
            _minimum,
            "Your second channel is the smallest value; the mean over the channels is asked for.",
        ),
        Mistake(
            "att.relu_gate",
            _relu,
            "Your gate ends in ReLU, and so it amplifies wherever the score is above 1. End in a "
            "sigmoid.",
        ),
        Mistake(
            "att.softmax_gate",
            _softmax,
            "Your gates add up to 1 over all positions: on a large picture each of them is almost "
            "closed. Each position decides for itself: sigmoid.",
        ),
        Mistake(
            "att.gate_only",
            _gate_only,
            "This is the gate, (N, 1, H, W). Multiply the map by it.",
        ),
        Mistake(
            "conv.flipped",
            _turned,
            "You turned the kernel by 180 degrees. In a network a convolution is a correlation: "
            "`F.conv2d` with the kernel as it is.",
        ),
        Mistake(
            "att.open_gate",
            _none,
            "Your gate is the convolution as it comes: any number, negative ones too. A sigmoid "
            "makes a gate of it.",
        ),
        Mistake(
            "att.residual",
            _residual,
            "You added the map itself, so that your gate runs from 1 to 2 and closes nothing. "
            "Return the gated map alone.",
        ),
    ),
)
