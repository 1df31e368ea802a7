"""Attention U-Net: a U-Net whose decoder decides, position by position, what a skip may bring.

Paper: Oktay and others, "Attention U-Net: Learning Where to Look for the Pancreas", MIDL 2018,
arXiv:1804.03999; there in three dimensions. Reference: the two-dimensional design that is mostly
meant by the name, of github.com/LeeJunHyun/Image_Segmentation, whose weights give the same
numbers here. It differs from the paper: the gate looks at the decoder's map when that has been
enlarged, not before, and there is batch norm in it. Deliberate deviation: any size, by enlarging
to the size of the skip.

Parameters from 3 channels to 1 class: 34,878,573; without gates 34,527,041. Of them 7,812 are
biases in front of batch norm, which cancels them; bias=False leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.attention import AttentionGate
from segtutor.models.checks import (
    attention_block,
    check_counts,
    check_halvings,
    check_pictures,
)

__all__ = ["AttentionUNet", "GatedUp"]


def _conv(in_channels: int, out_channels: int, bias: bool) -> list[nn.Module]:
    """A 3×3 convolution that keeps the size, with a bias or not, batch norm and ReLU."""
    return [nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=bias),
            nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]  # fmt: skip


class GatedUp(nn.Module):
    """One step of the decoder: enlarge, gate the skip by what has been enlarged, join.

    Args:
        channels: Channels of the smaller, deeper input; the skip has half as many.
        gated: Whether the skip is gated.
        bias: Biases in front of batch norm.

    Example:
        >>> up = GatedUp(32)
        >>> up(torch.zeros(2, 32, 4, 5), torch.zeros(2, 16, 9, 10)).shape
        torch.Size([2, 16, 9, 10])
    """

    def __init__(self, channels: int, *, gated: bool = True, bias: bool = True) -> None:
        super().__init__()
        half = channels // 2
        self.grow = nn.Sequential(*_conv(channels, half, bias))
        self.gate = AttentionGate(half, bias=bias) if gated else None
        self.merge = nn.Sequential(*_conv(channels, half, bias), *_conv(half, half, bias))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Map (N, C, h, w), with a skip (N, C/2, H, W), to the skip's shape."""
        x = F.interpolate(x, size=skip.shape[-2:], mode="nearest-exact")  # (N, C, H, W)
        x = self.grow(x)  # (N, C/2, H, W)
        if self.gate is not None:
            skip = self.gate(skip, x)
        return self.merge(torch.cat([skip, x], dim=1))  # (N, C, H, W) -> (N, C/2, H, W)


class AttentionUNet(nn.Module):
    """A U-Net with an attention gate in each skip: logits at the size of the picture.

    `attention_maps` shows what the gates let pass.

    Args:
        num_classes: Classes to tell apart, C.
        in_channels: Channels of the picture.
        width: Channels at full resolution; every halving of the size doubles them.
        depth: How many times the size is halved.
        gated: Whether the skips are gated. Without it, what remains is the U-Net to compare with.
        bias: Biases in front of batch norm, as the reference has them.
        attention: Makes a further block for the deepest map, given its channels.

    Example:
        >>> net = AttentionUNet(8, width=8, depth=3)
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        in_channels: int = 3,
        width: int = 64,
        depth: int = 4,
        gated: bool = True,
        bias: bool = True,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, in_channels=in_channels, width=width, depth=depth)
        self.in_channels = in_channels
        widths = [width * 2**level for level in range(depth + 1)]
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleList(
            nn.Sequential(*_conv(before, after, bias), *_conv(after, after, bias))
            for before, after in zip(inputs, widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.decoder = nn.ModuleList(
            GatedUp(channels, gated=gated, bias=bias) for channels in reversed(widths[1:])
        )
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)
        self.attention = attention_block(attention, widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, in_channels, H, W) in [0, 1]."""
        check_pictures(x, self.in_channels)
        check_halvings(x, len(self.decoder), self.encoder[-1][1])
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))  # (N, width·2^level, H/2^level, …)
            skips.append(x)
        x = self.attention(skips.pop())  # the deepest map
        for up in self.decoder:
            x = up(x, skips.pop())  # one level up
        return self.head(x)  # (N, num_classes, H, W)
