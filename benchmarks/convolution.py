"""Convolution by hand beside PyTorch's: `python -m benchmarks.convolution`.

The goal: the vectorized forward within 3 times of `F.conv2d` at 8×16×64×64 with 32 3×3 filters.
Exits with 1 if it is missed.
"""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F

from benchmarks.alternating import Row, line, ratios
from segtutor.ops import conv2d, conv2d_loops

GOAL = 1 / 3  # times as fast as F.conv2d, forward


def rows() -> list[Row]:
    """Measure ours beside PyTorch's, forward, and forward with backward."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(8, 16, 64, 64, device=device)
    weight = torch.randn(32, 16, 3, 3, device=device)
    small_x, small_weight = x[:1, :1, :16, :16], weight[:1, :1]

    with torch.no_grad():
        forward = ratios(
            {
                "ours": lambda: conv2d(x, weight),
                "F.conv2d": lambda: F.conv2d(x, weight),
                "F.unfold and a matrix product": lambda: unfolded(x, weight),
            },
            reference="ours",
        )
        loops = ratios(
            {
                "ours": lambda: conv2d(small_x, small_weight),
                "ops.conv2d_loops": lambda: conv2d_loops(small_x, small_weight),
            },
            reference="ours",
            rounds=5,
        )
    x.requires_grad_(), weight.requires_grad_()
    both = ratios(
        {
            "ours": lambda: conv2d(x, weight).sum().backward(),
            "F.conv2d": lambda: F.conv2d(x, weight).sum().backward(),
            "F.unfold and a matrix product": lambda: unfolded(x, weight).sum().backward(),
        },
        reference="ours",
        rounds=30,
    )
    shape = "8×16×64×64, 32 filters 3×3"
    return [
        *_beside(f"forward, {shape}", forward, {"F.conv2d": GOAL}),
        *_beside(f"forward and backward, {shape}", both, {}),
        *_beside("forward, one 16×16 picture, one filter", loops, {}),
    ]


def main() -> int:
    """Measure, print, and say whether the goal is reached."""
    measured = rows()
    print(*map(line, measured), sep="\n")
    return 0 if all(row.reached for row in measured) else 1


def _beside(what: str, measured: dict[str, float], goals: dict[str, float]) -> list[Row]:
    return [
        Row(what, "ops.conv2d", peer, ratio, goals.get(peer))
        for peer, ratio in measured.items()
        if peer != "ours"
    ]


def unfolded(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The textbook way, as a second peer."""
    columns = F.unfold(x, weight.shape[2:])  # (N, C_in·k·k, L)
    out = weight.flatten(1) @ columns
    height, width = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
    return out.reshape(len(x), len(weight), height, width)


if __name__ == "__main__":
    sys.exit(main())
