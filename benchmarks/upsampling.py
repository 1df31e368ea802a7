"""Upsampling by hand beside PyTorch's: `python -m benchmarks.upsampling`.

For comparison only; what is learned from by reading need not be the fastest.
"""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F

from benchmarks.alternating import Row, line, ratios
from segtutor.ops import conv_transpose2d, interpolate


def rows() -> list[Row]:
    """Measure ours beside PyTorch's, forward."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    logits = torch.randn(4, 19, 32, 32, device=device)
    image = torch.randn(4, 3, 256, 256, device=device)
    x = torch.randn(4, 32, 32, 32, device=device)
    weight = torch.randn(32, 16, 4, 4, device=device)
    smooth = {"mode": "bilinear", "antialias": True}
    settings = {"stride": 2, "padding": 1}
    with torch.no_grad():
        return [
            _beside(
                "bilinear, 4×19×32×32 to 256×256",
                ("ops.interpolate", lambda: interpolate(logits, 256, mode="bilinear")),
                ("F.interpolate", lambda: F.interpolate(logits, 256, mode="bilinear")),
            ),
            _beside(
                "bilinear with antialias, 4×3×256×256 to 64×64",
                ("ops.interpolate", lambda: interpolate(image, 64, **smooth)),
                ("F.interpolate", lambda: F.interpolate(image, 64, **smooth)),
            ),
            _beside(
                "transposed convolution, 4×32×32×32 to 16 channels, k = 4, s = 2, p = 1",
                ("ops.conv_transpose2d", lambda: conv_transpose2d(x, weight, **settings)),
                ("F.conv_transpose2d", lambda: F.conv_transpose2d(x, weight, **settings)),
            ),
        ]


def main() -> int:
    """Measure and print; there is no goal to miss."""
    print(*map(line, rows()), sep="\n")
    return 0


def _beside(what: str, ours: tuple, peer: tuple) -> Row:
    measured = ratios({"ours": ours[1], "peer": peer[1]}, reference="ours", rounds=20)
    return Row(what, ours[0], peer[0], measured["peer"])


if __name__ == "__main__":
    sys.exit(main())
