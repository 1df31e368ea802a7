"""The book's networks in the size of Streets, and the weights that `make leaderboard` gave them.

Each is made for pictures of 64×96 pixels and 8 classes and has at most half a million
parameters: less than a megabyte in half precision, zipped. They are what the book's leaderboard
compares and what its chapters look into.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from segtutor.models.attention import CBAM, SCSE, SqueezeExcite
from segtutor.models.attention_unet import AttentionUNet
from segtutor.models.blocks import conv_norm_relu
from segtutor.models.danet import DANet
from segtutor.models.deeplab import DeepLabV3, DeepLabV3Plus
from segtutor.models.deeplab_v2 import DeepLabV2
from segtutor.models.fcn_backbones import FCN, DilatedFCN
from segtutor.models.pspnet import PSPNet
from segtutor.models.resnet_unet import ResNetUNet
from segtutor.models.segnet import SegNet
from segtutor.models.self_attention import DualAttention, NonLocal, SelfAttention
from segtutor.models.small import SmallBackbone
from segtutor.models.unet import UNet

__all__ = ["SMALL_NETWORKS", "small_network", "trained"]

FOLDER = Path(__file__).with_name("weights")  # of the first seed, a file a network
TABLE = FOLDER / "leaderboard.json"  # what each scored with three seeds, and what it costs
# A map of 1/8 of 64×96 pixels has 8×12 places: larger rates would look past its rim.
_dilated = partial(SmallBackbone, output_stride=8)
_five = partial(SmallBackbone, width=14, stages=5)
_unet = partial(UNet, 8, width=16, depth=3)


def _looking(block: Callable[[int], nn.Module]) -> nn.Module:
    """The dilated FCN with a block on its deepest map: 128 channels, 8×12 places."""
    return DilatedFCN(8, backbone=_dilated(), attention=block)


def _pointwise(channels: int) -> nn.Sequential:
    """What costs about as much as the dearest attention and looks nowhere: a control."""
    return nn.Sequential(*(conv_norm_relu(channels, channels, 1) for _ in range(4)))


class _Shortcut(nn.Module):
    """The same beside a shortcut, and the identity at first, as `NonLocal` is: a fairer control."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)
        last = nn.Conv2d(channels, channels, 1, bias=False)
        self.layers = nn.Sequential(*_pointwise(channels)[:3], last, norm)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


SMALL_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "fcn32s": lambda: FCN(8, backbone=_five(), maps=1),
    "fcn16s": lambda: FCN(8, backbone=_five(), maps=2),
    "fcn8s": lambda: FCN(8, backbone=_five(), maps=3),
    # FCN-32s once more, its last stride, or its last two, exchanged for dilation.
    "fcn_stride16": lambda: FCN(8, backbone=_five(output_stride=16), maps=1),
    "fcn_stride8": lambda: FCN(8, backbone=_five(output_stride=8), maps=1),
    "encoder_decoder": lambda: SegNet(8, width=11, depth=4, upsampling="bilinear"),
    "segnet": lambda: SegNet(8, width=11, depth=4),
    "unet_without_skips": partial(_unet, skips=None),
    "unet_added_skips": partial(_unet, skips="add"),
    "unet": _unet,
    "resnet_unet": lambda: ResNetUNet(8, backbone=SmallBackbone(), widths=(64, 32, 16)),
    "attention_unet": lambda: AttentionUNet(8, width=15, depth=3, bias=False),
    "attention_unet_without_gates": lambda: AttentionUNet(
        8, width=15, depth=3, bias=False, gated=False
    ),
    "dilated_fcn": lambda: DilatedFCN(8, backbone=_dilated()),
    "deeplab_v2": lambda: DeepLabV2(8, backbone=_dilated(), rates=(1, 2, 4)),
    "deeplab_v3": lambda: DeepLabV3(
        8, backbone=_dilated(), output_stride=8, rates=(2, 4), width=48, dropout=0.1
    ),
    # The same without what looks around: a 1×1 in place of the pyramid.
    "deeplab_v3_without_aspp": lambda: DeepLabV3(
        8, backbone=_dilated(), output_stride=8, rates=(), image_pooling=False, width=48,
        dropout=0.1,
    ),
    "deeplab_v3_plus": lambda: DeepLabV3Plus(
        8, backbone=_dilated(), output_stride=8, rates=(2, 4), width=48, bridge="stage1",
        bridge_width=16, dropout=0.1,
    ),
    "pspnet": lambda: PSPNet(8, backbone=_dilated(), width=48, align_corners=False),
    "pspnet_without_bins": lambda: PSPNet(8, backbone=_dilated(), width=48, bins=()),
    "danet": lambda: DANet(8, backbone=_dilated()),
    "dilated_fcn_se": partial(_looking, SqueezeExcite),
    "dilated_fcn_cbam": partial(_looking, CBAM),
    "dilated_fcn_scse": partial(_looking, SCSE),
    "dilated_fcn_non_local": partial(_looking, NonLocal),
    "dilated_fcn_self_attention": partial(_looking, SelfAttention),
    "dilated_fcn_dual_attention": partial(_looking, DualAttention),
    "dilated_fcn_pointwise": partial(_looking, _pointwise),
    "dilated_fcn_pointwise_shortcut": partial(_looking, _Shortcut),
}  # fmt: skip


def small_network(name: str) -> nn.Module:
    """Build one of the book's small networks, untrained.

    Args:
        name: One of `SMALL_NETWORKS`.

    Example:
        >>> sum(p.numel() for p in small_network("unet").parameters())
        482856
    """
    if name not in SMALL_NETWORKS:
        raise ValueError(f"name={name!r}: the small networks are {', '.join(SMALL_NETWORKS)}")
    return SMALL_NETWORKS[name]()


def trained(name: str) -> nn.Module:
    """Build one of the book's small networks with the weights it learned on Streets-1.

    Args:
        name: One of `SMALL_NETWORKS`.

    Returns:
        The network, in evaluation mode.

    Example:
        >>> trained("unet")(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 8, 64, 96])
    """
    net = small_network(name)
    with gzip.open(FOLDER / f"{name}.pt.gz") as file:
        state = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(state)  # from half precision into the network's own, single precision
    return net.eval()
