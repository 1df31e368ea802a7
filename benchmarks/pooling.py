"""Pooling by hand beside PyTorch's: `python -m benchmarks.pooling`.

For comparison only; what is learned from by reading need not be the fastest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.alternating import Row, line, ratios
from segtutor.ops import adaptive_avg_pool2d, avg_pool2d, max_pool2d, max_unpool2d


def rows() -> list[Row]:
    """Measure ours beside PyTorch's, forward and backward."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(4, 32, 64, 64, device=device)
    pooled, indices = F.max_pool2d(x, 2, return_indices=True)
    return [
        _beside(
            "2×2 windows, 4×32×64×64",
            ("ops.max_pool2d", lambda x: max_pool2d(x, 2)),
            ("F.max_pool2d", lambda x: F.max_pool2d(x, 2)),
            x,
        ),
        _beside(
            "3×3 windows, stride 2, padding 1, 4×32×64×64",
            ("ops.max_pool2d", lambda x: max_pool2d(x, 3, 2, 1)),
            ("F.max_pool2d", lambda x: F.max_pool2d(x, 3, 2, 1)),
            x,
        ),
        _beside(
            "3×3 windows, stride 2, padding 1, 4×32×64×64",
            ("ops.avg_pool2d", lambda x: avg_pool2d(x, 3, 2, 1)),
            ("F.avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1)),
            x,
        ),
        _beside(
            "64×64 into 6×6 bins, 4×32 channels",
            ("ops.adaptive_avg_pool2d", lambda x: adaptive_avg_pool2d(x, 6)),
            ("F.adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, 6)),
            x,
        ),
        _beside(
            "4×32×32×32 back to 64×64",
            ("ops.max_unpool2d", lambda x: max_unpool2d(x, indices, 2)),
            ("F.max_unpool2d", lambda x: F.max_unpool2d(x, indices, 2)),
            pooled,
        ),
    ]


def main() -> int:
    """Measure and print; there is no goal to miss."""
    print(*map(line, rows()), sep="\n")
    return 0


def _beside(what: str, ours: tuple, peer: tuple, x: Tensor) -> Row:
    both = {"ours": _both_ways(ours[1], x), "peer": _both_ways(peer[1], x)}
    measured = ratios(both, reference="ours", rounds=20)
    return Row(what, ours[0], peer[0], measured["peer"])


def _both_ways(pool: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], object]:
    """Forward and backward, as one function without arguments."""
    leaf = x.clone().requires_grad_()
    upstream = torch.ones_like(pool(leaf))
    return lambda: torch.autograd.grad(pool(leaf), leaf, upstream)


if __name__ == "__main__":
    sys.exit(main())
