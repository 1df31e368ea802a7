"""Networks that segment, each in a file that reads from top to bottom."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from segtutor.models.unet import UNet

__all__ = ["Backbone", "ResNetUNet", "UNet"]

# torchvision takes seconds to load, so what needs it is loaded when first asked for.
_HOMES = {"Backbone": "backbones", "ResNetUNet": "resnet_unet"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"segtutor.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'segtutor.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
