"""Networks that segment, each in a file that reads from top to bottom."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from segtutor.models.unet import UNet

__all__ = [
    "ASPP",
    "CBAM",
    "FCN",
    "SCSE",
    "SMALL_NETWORKS",
    "AttentionGate",
    "AttentionUNet",
    "Backbone",
    "ChannelAttention",
    "DANet",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "DilatedFCN",
    "DualAttention",
    "FCN8s",
    "FCN16s",
    "FCN32s",
    "ImagePooling",
    "NonLocal",
    "PSPNet",
    "PositionAttention",
    "PyramidPooling",
    "ResNetUNet",
    "SegNet",
    "SelfAttention",
    "SmallBackbone",
    "SqueezeExcite",
    "UNet",
    "as_convolution",
    "attention_maps",
    "attention_weights",
    "from_pretrained",
    "scaled_dot_product_attention",
    "small_network",
    "trained",
]

# torchvision takes seconds to load, so what needs it is loaded when first asked for.
_HOMES = {
    "ASPP": "aspp",
    "CBAM": "attention",
    "FCN": "fcn_backbones",
    "SCSE": "attention",
    "SMALL_NETWORKS": "small_networks",
    "AttentionGate": "attention",
    "AttentionUNet": "attention_unet",
    "Backbone": "backbones",
    "ChannelAttention": "self_attention",
    "DANet": "danet",
    "DeepLabV2": "deeplab_v2",
    "DeepLabV3": "deeplab",
    "DeepLabV3Plus": "deeplab",
    "DilatedFCN": "fcn_backbones",
    "DualAttention": "self_attention",
    "FCN16s": "fcn",
    "FCN32s": "fcn",
    "FCN8s": "fcn",
    "ImagePooling": "aspp",
    "NonLocal": "self_attention",
    "PSPNet": "pspnet",
    "PositionAttention": "self_attention",
    "PyramidPooling": "pspnet",
    "ResNetUNet": "resnet_unet",
    "SegNet": "segnet",
    "SelfAttention": "self_attention",
    "SmallBackbone": "small",
    "SqueezeExcite": "attention",
    "as_convolution": "fcn",
    "attention_maps": "attention",
    "attention_weights": "self_attention",
    "from_pretrained": "pretrained",
    "scaled_dot_product_attention": "self_attention",
    "small_network": "small_networks",
    "trained": "small_networks",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"segtutor.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'segtutor.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
