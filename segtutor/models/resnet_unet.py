"""ResNet U-Net: the decoder of a U-Net on the feature maps of a backbone.

The encoder is any `Backbone`; the decoder goes back up through the same resolutions, joining the
backbone's map at each. Deviations from the U-Net of the paper: sizes are brought to those of the
bridge by nearest neighbors, since a backbone halves odd sizes in its own way, and the logits are
computed at half the size of the picture and enlarged bilinearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import Backbone
from segtutor.models.blocks import double_conv

__all__ = ["ResNetUNet"]


class ResNetUNet(nn.Module):
    """A backbone and the decoder of a U-Net: logits at the size of the picture.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: Name of the backbone: `Backbone` lists them. Or a module of your own that
            returns its maps by name, the finest first, and has their numbers of channels, by the
            same names, as `channels`.
        weights: The backbone's weights; None begins at random. The decoder always does.
        widths: Channels of the decoder, from coarse to fine: at strides 16, 8, 4 and 2, or
            wherever your own backbone has maps, but for its last.

    Example:
        >>> net = ResNetUNet(8, backbone="resnet18")
        >>> net(torch.zeros(2, 3, 45, 64)).shape
        torch.Size([2, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet18",
        weights: WeightsEnum | str | None = None,
        widths: Sequence[int] = (256, 128, 64, 32),
    ) -> None:
        super().__init__()
        if isinstance(backbone, str):
            backbone = Backbone(backbone, weights=weights)
        elif weights is not None:
            raise ValueError(f"weights={weights!r} goes with a name; your own backbone has its own")
        self.backbone = backbone
        deepest, *bridges = reversed(backbone.channels.values())
        if len(widths) != len(bridges):
            joined = ", ".join(list(backbone.channels)[-2::-1])
            raise ValueError(f"widths={widths}: give one number for each of {joined}")
        self.decoder = nn.ModuleList(
            double_conv(below + bridge, width)
            for below, bridge, width in zip([deepest, *widths], bridges, widths, strict=False)
        )
        self.head = nn.Conv2d(widths[-1], num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        size = x.shape[-2:]
        x, *bridges = reversed(self.backbone(x).values())
        for merge, bridge in zip(self.decoder, bridges, strict=True):
            x = F.interpolate(x, size=bridge.shape[-2:], mode="nearest-exact")  # bridge's size
            x = merge(torch.cat([bridge, x], dim=1))  # (N, width, …)
        logits = self.head(x)  # (N, num_classes, H/2, W/2)
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
