"""DeepLab V3 and V3+: a backbone whose map stays large, read at several rates of dilation.

Papers: Chen and others, "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017,
arXiv:1706.05587 (V3); "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation", ECCV 2018, arXiv:1802.02611 (V3+).

References: torchvision's V3, number for number (it has output_stride=8); with
`Backbone(…, dilate_first=True)` and align_corners=True that of segmentation-models-pytorch, and
V3+ too. Without separable=True, V3+ is VainF's DeepLabV3Plus-Pytorch, but for the order in which
the bridge is joined. Deliberate deviations: any size of picture; the auxiliary head, which the
papers do not have, is torchvision's; V3+ has one 3×3 convolution behind its bridge, as both
references have, where the paper has two.

Parameters with 21 classes: V3 39,638,869 (resnet101: 58,630,997), with the auxiliary head
42,004,074; V3+ 39,761,845, separable 26,682,725.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.aspp import ASPP, separable_conv
from segtutor.models.backbones import encoder
from segtutor.models.blocks import conv_norm_relu, enlarged, fcn_head
from segtutor.models.checks import attention_block, check_counts, deepest_channels

__all__ = ["DeepLabV3", "DeepLabV3Plus"]


def _rates(rates: Sequence[int] | None, output_stride: int) -> Sequence[int]:
    """The rates asked for, or those that span 96, 192 and 288 pixels of the picture."""
    if rates is not None:
        return rates
    check_counts(output_stride=output_stride)
    if output_stride not in (2, 4, 8, 16, 32):
        raise ValueError(
            f"output_stride={output_stride}: take what your backbone has, 8 or 16, or give rates"
        )
    return [distance // output_stride for distance in (96, 192, 288)]


class DeepLabV3(nn.Module):
    """DeepLab V3: a dilated backbone, ASPP, one convolution.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: Name of the backbone: `Backbone` lists them; no VGG. Or a module of your own
            that returns its maps by name, the finest first, and has their numbers of channels, by
            the same names, as `channels`: `SmallBackbone()`, or a `Backbone` with a multi-grid.
        weights: The backbone's weights; None begins at random. The head always does.
        output_stride: Stride of the last map, 16 or 8. A backbone given by name is built so; of
            your own, say what it has, or give `rates`.
        rates: Dilation of the branches of `ASPP`. None: 6, 12 and 18 at stride 16, and at
            another stride as many pixels of the picture.
        image_pooling: Whether `ASPP` has a branch for the whole picture.
        width: Channels of the head.
        dropout: Share of the values that a training step sets to zero, behind `ASPP`.
        align_corners: How the logits are enlarged.
        auxiliary: Whether there is a second head, on the last map but one. In training mode the
            network then returns both logits, as "out" and "aux".
        attention: Makes a block for the backbone's deepest map, given its channels.

    Example:
        >>> net = DeepLabV3(8, backbone="resnet18", width=32).eval()
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet50",
        weights: WeightsEnum | str | None = None,
        output_stride: int = 16,
        rates: Sequence[int] | None = None,
        image_pooling: bool = True,
        width: int = 256,
        dropout: float = 0.5,
        align_corners: bool = False,
        auxiliary: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, width=width)
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride)
        before, deepest = deepest_channels(self.backbone, 2)
        self.attention = attention_block(attention, deepest)
        self.aspp = ASPP(deepest, width, rates=_rates(rates, output_stride),
                         image_pooling=image_pooling, dropout=dropout)  # fmt: skip
        self.head = nn.Sequential(*conv_norm_relu(width, width), nn.Conv2d(width, num_classes, 1))
        self.auxiliary = fcn_head(before, num_classes) if auxiliary else None
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1].

        With an auxiliary head, in training mode: both logits, as "out" and "aux".
        """
        self.aspp.refuse_single(x)  # before the backbone's statistics have moved
        maps, align = self.backbone(x), self.align_corners
        *_, before, deepest = maps.values()  # (N, …, H/16, W/16), or H/8, W/8
        context = self.aspp(self.attention(deepest))  # (N, width, H/16, W/16)
        logits = enlarged(self.head(context), like=x, align_corners=align)  # (N, C, H, W)
        if self.auxiliary is None or not self.training:
            return logits
        auxiliary = self.auxiliary(before)  # (N, num_classes, H/16, W/16)
        return {"out": logits, "aux": enlarged(auxiliary, like=x, align_corners=align)}


class DeepLabV3Plus(nn.Module):
    """DeepLab V3+: V3 with a bridge from a finer map, where borders are still sharp.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: As for `DeepLabV3`.
        weights: The backbone's weights; None begins at random. The decoder always does.
        output_stride: As for `DeepLabV3`.
        rates: As for `DeepLabV3`.
        image_pooling: Whether `ASPP` has a branch for the whole picture.
        separable: Whether the 3×3 convolutions of the decoder are depthwise separable; one more of
            them then stands behind `ASPP`.
        width: Channels of the decoder.
        bridge: Name of the backbone's map that is joined.
        bridge_width: Its channels when it is: few, so as not to drown the deeper ones.
        dropout: Share of the values that a training step sets to zero, behind `ASPP`.
        align_corners: How maps and logits are enlarged.
        auxiliary: As for `DeepLabV3`.
        attention: Makes a block for the backbone's deepest map, given its channels.

    Example:
        >>> net = DeepLabV3Plus(8, backbone="resnet18", width=32).eval()
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet50",
        weights: WeightsEnum | str | None = None,
        output_stride: int = 16,
        rates: Sequence[int] | None = None,
        image_pooling: bool = True,
        separable: bool = False,
        width: int = 256,
        bridge: str = "stage2",
        bridge_width: int = 48,
        dropout: float = 0.5,
        align_corners: bool = False,
        auxiliary: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, width=width, bridge_width=bridge_width)
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride)
        channels = self.backbone.channels
        if bridge not in channels:
            raise ValueError(f"bridge={bridge!r}: the backbone's maps are {', '.join(channels)}")
        before, deepest = deepest_channels(self.backbone, 2)
        self.attention = attention_block(attention, deepest)
        self.aspp = ASPP(deepest, width, rates=_rates(rates, output_stride), separable=separable,
                         image_pooling=image_pooling, dropout=dropout)  # fmt: skip
        self.smooth = separable_conv(width, width) if separable else nn.Identity()
        self.shrink = conv_norm_relu(channels[bridge], bridge_width, kernel_size=1)
        conv = separable_conv if separable else conv_norm_relu
        self.merge = conv(width + bridge_width, width)
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)
        self.auxiliary = fcn_head(before, num_classes) if auxiliary else None
        self.bridge, self.align_corners = bridge, align_corners

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1].

        With an auxiliary head, in training mode: both logits, as "out" and "aux".
        """
        self.aspp.refuse_single(x)  # before the backbone's statistics have moved
        maps, align = self.backbone(x), self.align_corners
        *_, before, deepest = maps.values()  # (N, …, H/16, W/16), or H/8, W/8
        fine = self.shrink(maps[self.bridge])  # (N, bridge_width, H/4, W/4)
        context = self.smooth(self.aspp(self.attention(deepest)))  # (N, width, H/16, W/16)
        context = enlarged(context, like=fine, align_corners=align)  # (N, width, H/4, W/4)
        merged = self.merge(torch.cat([context, fine], dim=1))  # (N, width, H/4, W/4)
        logits = enlarged(self.head(merged), like=x, align_corners=align)  # (N, C, H, W)
        if self.auxiliary is None or not self.training:
            return logits
        auxiliary = self.auxiliary(before)  # (N, num_classes, H/16, W/16)
        return {"out": logits, "aux": enlarged(auxiliary, like=x, align_corners=align)}
