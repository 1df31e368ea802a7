"""ResNet U-Net: the decoder of a U-Net on the feature maps of a backbone.

No paper of its own: the encoder is any `Backbone`, the decoder of Ronneberger et al.
(arXiv:1505.04597) goes back up through the same resolutions, joining the backbone's map at each.
Reference implementation: `Unet` of segmentation-models-pytorch, whose weights give the same
numbers here, but for the order of the joined channels: the backbone's come first, as in `UNet`.
Deviations from it: pictures come in [0, 1], and PyTorch's own initialization.

Parameters, for one class: 14,328,209 with resnet18, 24,436,369 with resnet34, 32,521,105 with
resnet50.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import encoder
from segtutor.models.blocks import double_conv
from segtutor.models.checks import attention_block, check_counts, check_numbers

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
            wherever your own backbone has maps, but for its last; then at the size of the
            picture, where there is nothing to join. Without this last number the logits are
            computed where the finest map is, and enlarged: cheaper, and coarser.
        attention: Makes a block for so many channels that the deepest map goes through, from
            `segtutor.models.attention` or your own. None: no block.

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
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes)
        check_numbers("widths", widths)
        self.backbone = encoder(backbone, weights=weights)
        deepest, *skips = reversed(self.backbone.channels.values())
        whole = len(widths) == len(skips) + 1  # up to the size of the picture
        if not widths or (len(widths) != len(skips) and not whole):
            joined = ", ".join(list(self.backbone.channels)[-2::-1])
            raise ValueError(
                f"widths={widths}: give one number for each of {joined}, and one more to end at "
                "the size of the picture"
            )
        self.decoder = nn.ModuleList(
            double_conv(below + skip, width)
            for below, skip, width in zip([deepest, *widths], [*skips, 0], widths, strict=False)
        )
        self.head = nn.Conv2d(widths[-1], num_classes, 3 if whole else 1, padding=int(whole))
        self.attention = attention_block(attention, deepest)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        size = x.shape[-2:]
        x, *skips = reversed(self.backbone(x).values())
        x = self.attention(x)  # the deepest map
        for level, merge in enumerate(self.decoder):
            skip = skips[level : level + 1]  # none at the size of the picture
            finer = skip[0].shape[-2:] if skip else size
            x = F.interpolate(x, size=finer, mode="nearest")  # (N, C, 2h, 2w), or one less
            x = merge(torch.cat([*skip, x], dim=1))  # (N, width, …)
        logits = self.head(x)  # (N, num_classes, H, W), or where the finest map is
        if logits.shape[-2:] == size:
            return logits
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
