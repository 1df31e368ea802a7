"""DANet: on a dilated backbone, each position looks at all others, and each channel at all others.

Paper: Fu, Liu, Tian, Li, Bao, Fang and Lu, "Dual Attention Network for Scene Segmentation",
CVPR 2019, arXiv:1809.02983. Reference: the authors' github.com/junfu1115/DANet. Deliberate
deviations: the backbone is torchvision's ResNet, where theirs begins with three 3×3 convolutions
and has the multi-grid (4, 8, 16) as the dilations of its last stage, so give your own `Backbone`
for that; and the two further classifiers, which prediction does not use, exist only with
auxiliary=True. The authors weigh the three losses alike: `fit(…, auxiliary=1.0)`.

Parameters with auxiliary=True and 19 classes: head 23,954,619; with resnet50 47,462,651, with
resnet101 66,454,779.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import encoder
from segtutor.models.blocks import conv_norm_relu
from segtutor.models.checks import (
    attention_block,
    check_counts,
    deepest_channels,
    refuse_single,
)
from segtutor.models.self_attention import ChannelAttention, PositionAttention

__all__ = ["DANet", "DANetHead"]


class DANetHead(nn.Module):
    """Two branches of a quarter of the channels, one attention in each, and their sum classified.

    Args:
        in_channels: Channels of the map, C.
        num_classes: Classes to tell apart.
        auxiliary: Whether each branch has a classifier of its own, for training.

    Example:
        >>> import torch
        >>> head = DANetHead(64, 5, auxiliary=True)
        >>> {name: tuple(x.shape) for name, x in head(torch.zeros(2, 64, 6, 9)).items()}
        {'out': (2, 5, 6, 9), 'position': (2, 5, 6, 9), 'channel': (2, 5, 6, 9)}
    """

    def __init__(self, in_channels: int, num_classes: int, *, auxiliary: bool = False) -> None:
        super().__init__()
        check_counts(in_channels=in_channels, num_classes=num_classes)
        width = max(in_channels // 4, 1)

        def branch(attention: nn.Module) -> nn.Sequential:
            return nn.Sequential(
                conv_norm_relu(in_channels, width), attention, conv_norm_relu(width, width)
            )

        self.position = branch(PositionAttention(width))
        self.channel = branch(ChannelAttention(width))
        self.classify = nn.ModuleDict(
            {name: nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(width, num_classes, kernel_size=1))
             for name in (("out", "position", "channel") if auxiliary else ("out",))}
        )  # fmt: skip

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) as "out"; in training also those of the branches."""
        if x.shape[-2:] == (1, 1):
            refuse_single(x, self.position[0][1], "a map of 1×1")
        position, channel = self.position(x), self.channel(x)  # (N, C/4, H, W)
        maps = {"out": position + channel, "position": position, "channel": channel}
        return {name: classify(maps[name]) for name, classify in self.classify.items()
                if self.training or name == "out"}  # fmt: skip


class DANet(nn.Module):
    """Dual attention network: a dilated backbone and `DANetHead`.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: Name of the backbone: `Backbone` lists them; no VGG. Or a module of your own
            that returns its maps by name, the finest first, and has their numbers of channels, by
            the same names, as `channels`.
        weights: The backbone's weights; None begins at random. The head always does.
        output_stride: Stride of the last map: 8 as published, 16 or 32. The work of the attention
            between positions grows with the fourth power of the map's side.
        auxiliary: Whether to train each branch by a classifier of its own too: in training mode
            the network then returns the logits as "out", "position" and "channel".
        attention: Makes a further block for the backbone's deepest map, given its channels.

    Example:
        >>> import torch
        >>> net = DANet(8, backbone="resnet18").eval()
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet50",
        weights: WeightsEnum | str | None = None,
        output_stride: int = 8,
        auxiliary: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes)
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride)
        (deepest,) = deepest_channels(self.backbone)
        self.head = DANetHead(deepest, num_classes, auxiliary=auxiliary)
        self.attention = attention_block(attention, deepest)
        self.auxiliary = auxiliary

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        size = x.shape[-2:]
        *_, x = self.backbone(x).values()  # (N, C, H/8, W/8)
        logits = {
            name: F.interpolate(each, size, mode="bilinear", align_corners=False)
            for name, each in self.head(self.attention(x)).items()
        }  # (N, num_classes, H, W) each
        return logits if self.training and self.auxiliary else logits["out"]
