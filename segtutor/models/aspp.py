"""ASPP, atrous spatial pyramid pooling: one map read at several rates of dilation, side by side.

Papers: Chen and others, "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017,
arXiv:1706.05587; separable in "Encoder-Decoder with Atrous Separable Convolution for Semantic
Image Segmentation", ECCV 2018, arXiv:1802.02611. Reference: torchvision's, and for the separable
one that of segmentation-models-pytorch. Parameters: 15,535,104 from 2,048 channels to 256.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segtutor.models.blocks import conv_norm_relu
from segtutor.models.checks import check_counts, check_numbers, refuse_single

__all__ = ["ASPP", "ImagePooling", "separable_conv"]


def separable_conv(in_channels: int, out_channels: int, *, dilation: int = 1) -> nn.Sequential:
    """A 3×3 convolution of each channel by itself, a 1×1 across channels, batch norm, ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        dilation: Distance between neighboring taps of the 3×3 kernels.

    Returns:
        A module from (N, in_channels, H, W) to (N, out_channels, H, W).

    Example:
        >>> sum(p.numel() for p in separable_conv(256, 256).parameters())  # 590,336 if dense
        68352
    """
    each = nn.Conv2d(in_channels, in_channels, kernel_size=3, padding=dilation, dilation=dilation,
                     groups=in_channels, bias=False)  # fmt: skip
    return nn.Sequential(each, *conv_norm_relu(in_channels, out_channels, kernel_size=1))


class ImagePooling(nn.Module):
    """What the map holds on average, laid out over all of it: the branch that sees everything.

    Args:
        in_channels: Channels of the map.
        out_channels: Channels of the answer.

    Example:
        >>> ImagePooling(8, 4)(torch.rand(2, 8, 5, 7)).shape
        torch.Size([2, 4, 5, 7])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = conv_norm_relu(in_channels, out_channels, kernel_size=1)

    def refuse_single(self, x: Tensor) -> None:
        """Raise if x, (N, …), is a batch of one that is to be trained on."""
        refuse_single(x, self.project[1], "image pooling")

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, h, w), the same everywhere, for a map (N, in_channels, h, w)."""
        self.refuse_single(x)
        mean = x.mean((2, 3), keepdim=True)  # (N, in_channels, 1, 1)
        return self.project(mean).expand(-1, -1, *x.shape[2:])  # (N, out_channels, h, w)


class ASPP(nn.Module):
    """One 1×1 convolution, a 3×3 at each rate and the picture's average, joined and mixed.

    A rate beyond the map's size leaves only the middle tap of its kernels inside: a 1×1
    convolution in disguise. Choose rates that fit the maps you have.

    Args:
        in_channels: Channels of the backbone's map.
        out_channels: Channels of each branch, and of the result.
        rates: Dilation of each 3×3 branch; () leaves the 1×1 branch alone.
        image_pooling: Whether the last branch is `ImagePooling`.
        separable: Whether the 3×3 branches are depthwise separable.
        dropout: Share of the values that a training step sets to zero, in the end.

    Example:
        >>> aspp = ASPP(32, 16, rates=(1, 2, 3))
        >>> len(aspp.branches), aspp(torch.rand(2, 32, 5, 7)).shape
        (5, torch.Size([2, 16, 5, 7]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 256,
        *,
        rates: Sequence[int] = (6, 12, 18),
        image_pooling: bool = True,
        separable: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_counts(in_channels=in_channels, out_channels=out_channels)
        check_numbers("rates", rates)
        conv = separable_conv if separable else conv_norm_relu
        self.branches = nn.ModuleList([conv_norm_relu(in_channels, out_channels, kernel_size=1)])
        self.branches.extend(conv(in_channels, out_channels, dilation=rate) for rate in rates)
        if image_pooling:
            self.branches.append(ImagePooling(in_channels, out_channels))
        joined = len(self.branches) * out_channels
        self.project = conv_norm_relu(joined, out_channels, kernel_size=1)
        self.dropout = nn.Dropout(dropout)

    def refuse_single(self, x: Tensor) -> None:
        """Raise if x, (N, …), is a batch of one that image pooling is to be trained on."""
        if isinstance(pooling := self.branches[-1], ImagePooling):
            pooling.refuse_single(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, h, w) for a map (N, in_channels, h, w)."""
        x = torch.cat([branch(x) for branch in self.branches], dim=1)  # (N, branches·out, h, w)
        return self.dropout(self.project(x))  # (N, out_channels, h, w)
