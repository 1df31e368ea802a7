"""Metrics: what a segmentation is scored by."""

from segtutor.metrics.boundary import (
    boundary_f1,
    boundary_iou,
    hausdorff_distance,
    hausdorff_distance_95,
    surface_dice,
)
from segtutor.metrics.boundary_scores import BoundaryScores
from segtutor.metrics.confusion import ConfusionMatrix
from segtutor.metrics.per_image import PerImage

__all__ = [
    "BoundaryScores",
    "ConfusionMatrix",
    "PerImage",
    "boundary_f1",
    "boundary_iou",
    "hausdorff_distance",
    "hausdorff_distance_95",
    "surface_dice",
]
