"""U-Net: an encoder, a decoder, and at every resolution a bridge between them.

Paper: Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image
Segmentation", MICCAI 2015, arXiv:1505.04597. Deliberate deviations, as nearly everyone makes
them: convolutions are padded, so that the logits have the picture's size, and followed by batch
norm. Parameters: 31,037,698 for `UNet(2)`, 482,856 for `UNet(8, width=16, depth=3)`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.blocks import double_conv

__all__ = ["UNet", "Up"]


class Up(nn.Module):
    """One step of the decoder: twice the size, joined with the encoder's map, half the channels.

    Args:
        channels: Channels of the smaller, deeper input; the skip has half as many.

    Example:
        >>> up = Up(32)
        >>> up(torch.zeros(1, 32, 4, 5), torch.zeros(1, 16, 9, 10)).shape
        torch.Size([1, 16, 9, 10])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.grow = nn.ConvTranspose2d(channels, channels // 2, kernel_size=2, stride=2)
        self.merge = double_conv(channels, channels // 2)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Args: x (N, C, h, w), skip (N, C/2, 2h or 2h + 1, 2w or 2w + 1). Returns skip's shape."""
        x = self.grow(x)  # (N, C/2, 2h, 2w)
        # Pooling an odd size drops its last row or column: repeat the neighbor in its place.
        down, right = (skip.shape[side] - x.shape[side] for side in (-2, -1))
        if down or right:
            x = F.pad(x, (0, right, 0, down), mode="replicate")
        return self.merge(torch.cat([skip, x], dim=1))  # (N, C, …) -> (N, C/2, …)


class UNet(nn.Module):
    """U-Net with padded convolutions: logits at the size of the picture.

    Args:
        num_classes: Classes to tell apart, C.
        in_channels: Channels of the picture.
        width: Channels at full resolution; every halving of the size doubles them.
        depth: How many times the size is halved. The paper has width 64 and depth 4.

    Example:
        >>> net = UNet(8, width=16, depth=3)
        >>> net(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 8, 64, 96])
        >>> sum(p.numel() for p in net.parameters())
        482856
    """

    def __init__(
        self, num_classes: int, *, in_channels: int = 3, width: int = 64, depth: int = 4
    ) -> None:
        super().__init__()
        named = {"num_classes": num_classes, "in_channels": in_channels, "width": width}
        for name, value in {**named, "depth": depth}.items():
            if value < 1:
                raise ValueError(f"{name}={value}: a U-Net needs at least 1")
        widths = [width * 2**level for level in range(depth + 1)]
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleList(
            double_conv(before, after) for before, after in zip(inputs, widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.decoder = nn.ModuleList(Up(channels) for channels in reversed(widths[1:]))
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, in_channels, H, W)."""
        smallest = 2 ** len(self.decoder)
        if min(x.shape[-2:]) < smallest:
            raise ValueError(
                f"a picture of {x.shape[-2]}×{x.shape[-1]} pixels cannot be halved "
                f"{len(self.decoder)} times: pad it to {smallest}×{smallest} or take depth="
                f"{max(min(x.shape[-2:]).bit_length() - 1, 1)}"
            )
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))  # (N, width·2^level, H/2^level, …)
            skips.append(x)
        skips.pop()  # the deepest map is x itself
        for up in self.decoder:
            x = up(x, skips.pop())  # one level up
        return self.head(x)  # (N, num_classes, H, W)
