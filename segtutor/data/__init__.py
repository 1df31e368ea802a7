"""Pictures and label maps to learn from, drawn by the package itself."""

from __future__ import annotations

from segtutor.data.crops import BalancedCrop, PadToMultiple, RandomCrop, Resize, ScaleJitter
from segtutor.data.scene import STREET_CLASSES, street_scene
from segtutor.data.transforms import (
    Blur,
    ColorJitter,
    Compose,
    HorizontalFlip,
    Normalize,
    Sometimes,
    Transform,
    VerticalFlip,
)
from segtutor.data.warps import Elastic, GridDistortion, RandomAffine, RandomRotation

__all__ = [
    "STREET_CLASSES",
    "BalancedCrop",
    "Blur",
    "ColorJitter",
    "Compose",
    "Elastic",
    "GridDistortion",
    "HorizontalFlip",
    "Normalize",
    "PadToMultiple",
    "RandomAffine",
    "RandomCrop",
    "RandomRotation",
    "Resize",
    "ScaleJitter",
    "Sometimes",
    "Transform",
    "VerticalFlip",
    "street_scene",
]
