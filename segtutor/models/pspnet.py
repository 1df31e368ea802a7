"""PSPNet: what a pixel is, decided with the averages of the regions around it.

Paper: Zhao, Shi, Qi, Wang and Jia, "Pyramid Scene Parsing Network", CVPR 2017, arXiv:1612.01105.
Reference: the first author's PyTorch code, hszhao/semseg; its stem has three 3×3 convolutions in
place of torchvision's 7×7, and comes with deep_stem=True. Deliberate deviations: any size of
picture, where the reference takes 8n + 1; torchvision's stem by default, because only that has
weights; plain dropout in the auxiliary head. All four stages of the backbone are read, and learn.

Parameters with 19 classes, auxiliary head included: 49,080,038 with the deep stem, 48,956,262
without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import Backbone, encoder
from segtutor.models.blocks import conv_norm_relu, enlarged, fcn_head
from segtutor.models.checks import (
    attention_block,
    check_counts,
    check_numbers,
    deepest_channels,
    refuse_single,
)

__all__ = ["PSPNet", "PyramidPooling"]


class PyramidPooling(nn.Module):
    """A map, joined with its averages over 1×1, 2×2, 3×3 and 6×6 regions.

    Each grid of averages is brought to its share of the channels by a 1×1 convolution and enlarged
    to the map's size. Grids finer than the map repeat its pixels.

    Args:
        in_channels: Channels of the map, C.
        bins: Regions along each axis, one number a grid; () joins nothing.
        align_corners: How the averages are enlarged.

    Attributes:
        out_channels: Channels of the result: 2·C where the grids divide C.

    Example:
        >>> PyramidPooling(8)(torch.rand(2, 8, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    def __init__(
        self, in_channels: int, bins: Sequence[int] = (1, 2, 3, 6), *, align_corners: bool = True
    ) -> None:
        super().__init__()
        check_counts(in_channels=in_channels)
        check_numbers("bins", bins)
        share = max(in_channels // max(len(bins), 1), 1)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(size), *conv_norm_relu(in_channels, share, 1))
            for size in bins
        )
        self.out_channels = in_channels + len(bins) * share
        self.bins, self.align_corners = tuple(bins), align_corners

    def refuse_single(self, x: Tensor) -> None:
        """Raise if x, (N, …), is a batch of one that a grid of one region is to be trained on."""
        for size, level in zip(self.bins, self.levels, strict=True):
            if size == 1:
                refuse_single(x, level[2], "pooling to one region")

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, h, w) for a map (N, C, h, w)."""
        self.refuse_single(x)
        levels = [level(x) for level in self.levels]  # (N, C/4, bins, bins) each
        levels = [enlarged(y, like=x, align_corners=self.align_corners) for y in levels]
        return torch.cat([x, *levels], dim=1)  # (N, 2·C, h, w)


class PSPNet(nn.Module):
    """PSPNet: a dilated backbone, pyramid pooling, two convolutions.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: Name of the backbone: `Backbone` lists them; no VGG. By name, its first block of
            a stage is dilated too, as the author's. Or a module of your own that returns its maps
            by name, the finest first, and has their numbers of channels, by the same names, as
            `channels`.
        weights: The backbone's weights; None begins at random. The head always does.
        output_stride: Stride of the last map of a backbone given by name.
        deep_stem: Whether a ResNet begins with three 3×3 convolutions, as the author's; there are
            no weights for them.
        bins: Regions along each axis that the map is averaged over; () goes without context.
        width: Channels of the head.
        align_corners: How averages and logits are enlarged. True, as the author's, is exact where
            the picture's sides are 8n + 1.
        auxiliary: Whether there is a second head, on the last map but one, as in the paper. In
            training mode the network then returns both logits, as "out" and "aux".
        attention: Makes a block for the backbone's deepest map, given its channels.

    Example:
        >>> net = PSPNet(8, backbone="resnet18", width=32).eval()
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
        deep_stem: bool = False,
        bins: Sequence[int] = (1, 2, 3, 6),
        width: int = 512,
        align_corners: bool = True,
        auxiliary: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, width=width)
        if deep_stem and weights is not None:
            raise ValueError(f"weights={weights!r} are for torchvision's stem: deep_stem=False")
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride,
                                dilate_first=True)  # fmt: skip
        if deep_stem:
            _deepen_stem(self.backbone)
        before, deepest = deepest_channels(self.backbone, 2)
        self.attention = attention_block(attention, deepest)
        self.pyramid = PyramidPooling(deepest, bins, align_corners=align_corners)
        self.head = nn.Sequential(
            *conv_norm_relu(self.pyramid.out_channels, width),
            nn.Dropout2d(0.1),
            nn.Conv2d(width, num_classes, kernel_size=1),
        )
        self.auxiliary = fcn_head(before, num_classes) if auxiliary else None
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1].

        With an auxiliary head, in training mode: both logits, as "out" and "aux".
        """
        self.pyramid.refuse_single(x)  # before the backbone's statistics have moved
        maps, align = self.backbone(x), self.align_corners
        *_, before, deepest = maps.values()  # (N, channels, H/8, W/8)
        joined = self.pyramid(self.attention(deepest))  # (N, 2·channels, H/8, W/8)
        logits = enlarged(self.head(joined), like=x, align_corners=align)  # (N, C, H, W)
        if self.auxiliary is None or not self.training:
            return logits
        auxiliary = self.auxiliary(before)  # (N, num_classes, H/8, W/8)
        return {"out": logits, "aux": enlarged(auxiliary, like=x, align_corners=align)}


def _deepen_stem(backbone: nn.Module) -> None:
    """Put three 3×3 convolutions, to 128 channels, in place of a ResNet's 7×7 to 64."""
    named = isinstance(backbone, Backbone) and "resne" in backbone.name
    first = backbone.stages["stage2"].layer1[0] if named else None
    if first is None or first.downsample is None:
        raise ValueError("deep_stem=True: only a ResNet of 50 layers or more has such a form")
    backbone.stages["stage1"] = nn.Sequential(
        conv_norm_relu(3, 64, stride=2), conv_norm_relu(64, 64), conv_norm_relu(64, 128)
    )
    first.conv1 = nn.Conv2d(128, first.conv1.out_channels, kernel_size=1, bias=False)
    first.downsample[0] = nn.Conv2d(128, first.downsample[0].out_channels, 1, bias=False)
    backbone.channels["stage1"] = 128
