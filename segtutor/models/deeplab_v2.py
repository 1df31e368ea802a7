"""DeepLab V1 and V2: class scores read from one map at several rates of dilation, and summed.

Papers: Chen and others, "Semantic Image Segmentation with Deep Convolutional Nets and Fully
Connected CRFs", ICLR 2015, arXiv:1412.7062 (V1, one rate); "DeepLab: Semantic Image Segmentation
with Deep Convolutional Nets, Atrous Convolution, and Fully Connected CRFs", TPAMI 2018,
arXiv:1606.00915 (V2). Reference: the authors' ResNet-101 form of V2, which dilates the first
block of a stage too: `Backbone("resnet101", output_stride=8, dilate_first=True)`. Deliberate
deviations: any size of picture, at one scale instead of three; PyTorch's initialization; the CRF
is a step of its own. Parameters: 44,048,532 with 21 classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import encoder
from segtutor.models.blocks import enlarged
from segtutor.models.checks import (
    attention_block,
    check_counts,
    check_numbers,
    deepest_channels,
)

__all__ = ["DeepLabV2"]


class DeepLabV2(nn.Module):
    """DeepLab V2: a dilated backbone, and one 3×3 convolution to the classes at each rate.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: Name of the backbone: `Backbone` lists them; no VGG. Or a module of your own
            that returns its maps by name, the finest first, and has their numbers of channels, by
            the same names, as `channels`.
        weights: The backbone's weights; None begins at random.
        output_stride: Stride of the last map of a backbone given by name.
        rates: Dilation of each convolution. With a single one it is the head of V1.
        attention: Makes a block for the backbone's deepest map, given its channels.

    Example:
        >>> import torch
        >>> net = DeepLabV2(8, backbone="resnet18")
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet101",
        weights: WeightsEnum | str | None = None,
        output_stride: int = 8,
        rates: Sequence[int] = (6, 12, 18, 24),
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes)
        check_numbers("rates", rates)
        if not rates:
            raise ValueError(f"rates={rates}: give one or more, such as (12,)")
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride)
        (deepest,) = deepest_channels(self.backbone)
        self.attention = attention_block(attention, deepest)
        self.branches = nn.ModuleList(
            nn.Conv2d(deepest, num_classes, kernel_size=3, padding=rate, dilation=rate)
            for rate in rates
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        *_, deepest = self.backbone(x).values()  # (N, …, H/8, W/8)
        deepest = self.attention(deepest)
        scores = [branch(deepest) for branch in self.branches]  # (N, num_classes, H/8, W/8) each
        return enlarged(sum(scores), like=x)  # (N, num_classes, H, W)
