"""What happens after the network: refining its logits."""

from __future__ import annotations

from segtutor.inference.crf import dense_crf

__all__ = ["dense_crf"]
