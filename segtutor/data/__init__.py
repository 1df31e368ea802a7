"""Pictures and label maps to learn from, drawn by the package itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from segtutor.data.cells import CELL_CLASSES, Cells, boundary_weights
from segtutor.data.formats import (
    ADE20K,
    VOC,
    CamVid,
    Cityscapes,
    COCOStuff,
    Folder,
    Pairs,
    Pets,
    Polygons,
    color_table,
)
from segtutor.data.inspection import inspect
from segtutor.data.memory import InMemory
from segtutor.data.pictures import REAL_PICTURES, real_picture, real_polygons
from segtutor.data.scene import STREET_CLASSES, street_scene
from segtutor.data.streets import STREETS_1, Scene, Streets, StreetSettings, streets_1

__all__ = [
    "ADE20K",
    "CELL_CLASSES",
    "REAL_PICTURES",
    "STREETS_1",
    "STREET_CLASSES",
    "VOC",
    "BalancedCrop",
    "Blur",
    "COCOStuff",
    "CamVid",
    "Cells",
    "Cityscapes",
    "ColorJitter",
    "Compose",
    "Elastic",
    "Folder",
    "GridDistortion",
    "HorizontalFlip",
    "InMemory",
    "Normalize",
    "PadToMultiple",
    "Pairs",
    "Pets",
    "Polygons",
    "RandomAffine",
    "RandomCrop",
    "RandomRotation",
    "Resize",
    "ScaleJitter",
    "Scene",
    "Sometimes",
    "StreetSettings",
    "Streets",
    "Transform",
    "VerticalFlip",
    "boundary_weights",
    "color_table",
    "inspect",
    "real_picture",
    "real_polygons",
    "street_scene",
    "streets_1",
]

# torchvision takes seconds to load, so the transforms are loaded when first asked for.
_HOMES = {
    "crops": ("BalancedCrop", "PadToMultiple", "RandomCrop", "Resize", "ScaleJitter"),
    "transforms": (
        *("Blur", "ColorJitter", "Compose", "HorizontalFlip", "Normalize", "Sometimes"),
        *("Transform", "VerticalFlip"),
    ),
    "warps": ("Elastic", "GridDistortion", "RandomAffine", "RandomRotation"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"segtutor.data.{module}"), name)
    raise AttributeError(f"module 'segtutor.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
