"""Convolution by hand beside PyTorch's: `python -m benchmarks.convolution`.

The goal: the vectorized forward within 3 times of F.conv2d at 8×16×64×64 with 32 3×3 filters.
Exits with 1 if it is missed.
"""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F

from benchmarks.alternating import ratios, table
from segtutor.ops import conv2d, conv2d_loops

GOAL = 3.0


def main() -> int:
    """Measure, print, and say whether the goal is reached."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(8, 16, 64, 64, device=device)
    weight = torch.randn(32, 16, 3, 3, device=device)

    with torch.no_grad():
        forward = ratios(
            {
                "F.conv2d": lambda: F.conv2d(x, weight),
                "segtutor.ops.conv2d": lambda: conv2d(x, weight),
                "F.unfold and a matrix product": lambda: unfolded(x, weight),
            },
            reference="F.conv2d",
        )
    print(table("forward, 8×16×64×64, 32 filters 3×3", forward))

    x.requires_grad_(), weight.requires_grad_()
    both = ratios(
        {
            "F.conv2d": lambda: F.conv2d(x, weight).sum().backward(),
            "segtutor.ops.conv2d": lambda: conv2d(x, weight).sum().backward(),
            "F.unfold and a matrix product": lambda: unfolded(x, weight).sum().backward(),
        },
        reference="F.conv2d",
        rounds=30,
    )
    print("\n" + table("forward and backward", both))

    small_x, small_weight = torch.randn(1, 1, 16, 16), torch.randn(1, 1, 3, 3)
    with torch.no_grad():
        loops = ratios(
            {
                "segtutor.ops.conv2d": lambda: conv2d(small_x, small_weight),
                "segtutor.ops.conv2d_loops": lambda: conv2d_loops(small_x, small_weight),
            },
            reference="segtutor.ops.conv2d",
            rounds=5,
        )
    print("\n" + table("one picture of 16×16, one filter", loops))

    reached = forward["segtutor.ops.conv2d"] <= GOAL
    ratio = forward["segtutor.ops.conv2d"]
    print(f"\ngoal {GOAL:g} ×, measured {ratio:.2f} ×: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def unfolded(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The textbook way, as a second peer."""
    columns = F.unfold(x, weight.shape[2:])  # (N, C_in·k·k, L)
    out = weight.flatten(1) @ columns
    height, width = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
    return out.reshape(len(x), len(weight), height, width)


if __name__ == "__main__":
    sys.exit(main())
