"""Benches for a live kernel: ipywidgets around the real PyTorch code."""

from __future__ import annotations

from segtutor.labs.convolution import convolution
from segtutor.labs.iou import iou

__all__ = ["convolution", "iou"]
