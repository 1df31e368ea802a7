"""Around the network: pictures that are too large for it, logits that are too rough."""

from __future__ import annotations

from segtutor.inference.crf import dense_crf
from segtutor.inference.tiling import tiled

__all__ = ["dense_crf", "tiled"]
