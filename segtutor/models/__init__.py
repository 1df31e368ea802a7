"""Networks that segment, each in a file that reads from top to bottom."""

from __future__ import annotations

from segtutor.models.backbones import Backbone
from segtutor.models.resnet_unet import ResNetUNet
from segtutor.models.unet import UNet

__all__ = ["Backbone", "ResNetUNet", "UNet"]
