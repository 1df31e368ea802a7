"""Metrics: what a segmentation is scored by."""

from segtutor.metrics.confusion import ConfusionMatrix
from segtutor.metrics.per_image import PerImage

__all__ = [
    "ConfusionMatrix",
    "PerImage",
]
