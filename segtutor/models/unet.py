"""U-Net: an encoder, a decoder, and at every resolution a skip between them.

Paper: Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image
Segmentation", MICCAI 2015, arXiv:1505.04597. By default with two changes that nearly everyone
makes: convolutions are padded, so that the logits have the picture's size, and followed by batch
norm. As published it is `UNet(2, in_channels=1, padded=False, normalized=False, dropout=0.5)`:
572×572 pixels in, 388×388 logits out; the share of 0.5 is that of the authors' released network.
That differs from their paper: a ReLU after each up-convolution, the last of which keeps its 128
channels (31,100,354 parameters).

Parameters: 31,030,658 as published; 31,037,698 for `UNet(2)`; 482,856 for
`UNet(8, width=16, depth=3)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.blocks import double_conv
from segtutor.models.checks import (
    attention_block,
    check_counts,
    check_halvings,
    check_pictures,
)

__all__ = ["UNet", "Up"]

Skips = Literal["concatenate", "add"] | None


class Up(nn.Module):
    """One step of the decoder: twice the size, joined with the encoder's map, half the channels.

    Args:
        channels: Channels of the smaller, deeper input; the skip has half as many.
        padded: As in `double_conv`. Unpadded, the middle of the skip is cut out.
        normalized: As in `double_conv`.
        skips: How the skip joins: "concatenate" its channels, "add" its numbers, or None: it only
            tells the size.

    Example:
        >>> up = Up(32)
        >>> up(torch.zeros(1, 32, 4, 5), torch.zeros(1, 16, 9, 10)).shape
        torch.Size([1, 16, 9, 10])
    """

    def __init__(
        self,
        channels: int,
        *,
        padded: bool = True,
        normalized: bool = True,
        skips: Skips = "concatenate",
    ) -> None:
        super().__init__()
        self.padded, self.skips = padded, skips
        joined = channels if skips == "concatenate" else channels // 2
        self.grow = nn.ConvTranspose2d(channels, channels // 2, kernel_size=2, stride=2)
        self.merge = double_conv(joined, channels // 2, padded=padded, normalized=normalized)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return a map (N, C/2, …), of the skip's size unless unpadded.

        Args:
            x: The deeper map, (N, C, h, w).
            skip: The encoder's map, (N, C/2, 2h or 2h + 1, 2w or 2w + 1); unpadded, larger.
        """
        x = self.grow(x)  # (N, C/2, 2h, 2w)
        down, right = (skip.shape[side] - x.shape[side] for side in (-2, -1))
        if not self.padded:
            skip = F.pad(skip, (-(right // 2), right // 2 - right, -(down // 2), down // 2 - down))
        elif down or right:
            # Pooling an odd size drops its last row or column: repeat the neighbor in its place.
            x = F.pad(x, (0, right, 0, down), mode="replicate")
        if self.skips == "concatenate":
            x = torch.cat([skip, x], dim=1)  # (N, C, …)
        elif self.skips == "add":
            x = skip + x
        return self.merge(x)  # (N, C/2, …)


class UNet(nn.Module):
    """U-Net: logits at the size of the picture, or, with unpadded convolutions, of its middle.

    Args:
        num_classes: Classes to tell apart, C.
        in_channels: Channels of the picture.
        width: Channels at full resolution; every halving of the size doubles them.
        depth: How many times the size is halved. The paper has width 64 and depth 4.
        padded: Zeros around every map keep its size. Without them, as in the paper, no number of
            the output has seen made-up pixels, and the logits are smaller than the picture by
            12·2^depth − 8 pixels along each axis; only sizes fit that can be halved at every
            level, see `output_size`.
        normalized: Batch norm after every convolution. Without it, as in the paper, the network
            begins with random numbers whose size keeps the signal's: deviation √(2/fan-in).
        dropout: Share of the numbers set to zero in the two deepest maps of the encoder while
            training: 0.5 in the authors' network.
        skips: What the decoder does with the encoder's maps: "concatenate" them, "add" them, or
            None: a plain encoder and decoder.
        attention: Makes a block for so many channels that the deepest map goes through, from
            `segtutor.models.attention` or your own. None: no block.

    Example:
        >>> net = UNet(8, width=16, depth=3)
        >>> net(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 8, 64, 96])
        >>> sum(p.numel() for p in net.parameters())
        482856
    """

    def __init__(
        self,
        num_classes: int,
        *,
        in_channels: int = 3,
        width: int = 64,
        depth: int = 4,
        padded: bool = True,
        normalized: bool = True,
        dropout: float = 0.0,
        skips: Skips = "concatenate",
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, in_channels=in_channels, width=width, depth=depth)
        if skips not in ("concatenate", "add", None):
            raise ValueError(f"skips={skips!r}: take 'concatenate', 'add', or None for no skips")
        self.in_channels, self.padded = in_channels, padded
        widths = [width * 2**level for level in range(depth + 1)]
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleList(
            double_conv(before, after, padded=padded, normalized=normalized)
            for before, after in zip(inputs, widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.ModuleList(
            Up(channels, padded=padded, normalized=normalized, skips=skips)
            for channels in reversed(widths[1:])
        )
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)
        if not normalized:
            self._keep_the_signal()
        self.attention = attention_block(attention, widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, in_channels, H, W).

        Unpadded: (N, num_classes, output_size(H), output_size(W)).
        """
        self._check(x)
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))  # (N, width·2^level, H/2^level, …)
            if level >= len(self.decoder) - 1:
                x = self.dropout(x)
            skips.append(x)
        x = self.attention(skips.pop())  # the deepest map
        for up in self.decoder:
            x = up(x, skips.pop())  # one level up
        return self.head(x)  # (N, num_classes, H, W)

    def output_size(self, size: int) -> int:
        """Return how many rows (columns) of logits come from so many rows (columns) of a picture.

        Raises:
            ValueError: Unpadded, with a size that cannot be halved without a rest at every level.

        Example:
            >>> UNet(2, width=1, padded=False).output_size(572)
            388
        """
        if self.padded:
            return size
        step = 2 ** len(self.decoder)
        lost = 12 * step - 8  # 4·(2^depth − 1) on the way down, 4·2^depth there, and up again
        fitting = max(size, lost + 1)
        fitting += (4 * (step - 1) - fitting) % step
        if size != fitting:
            cut = f", or cut it to {fitting - step}" if fitting - step > lost else ""
            raise ValueError(
                f"a side of {size} pixels does not fit: unpadded convolutions leave maps that "
                f"cannot be halved {len(self.decoder)} times; extend it to {fitting}, mirrored{cut}"
            )
        return size - lost

    def _check(self, x: Tensor) -> None:
        """Say what cannot be, before anything breaks."""
        check_pictures(x, self.in_channels)
        if self.padded:
            check_halvings(x, len(self.decoder), self.encoder[-1][1])
        else:
            self.output_size(x.shape[-2]), self.output_size(x.shape[-1])

    def _keep_the_signal(self) -> None:
        """Initialize as the paper does: without batch norm nothing else evens the maps' sizes."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
