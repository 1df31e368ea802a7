"""Networks that segment, each in a file that reads from top to bottom."""

from __future__ import annotations

from segtutor.models.unet import UNet

__all__ = ["UNet"]
