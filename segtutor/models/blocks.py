"""What several networks are built from."""

from __future__ import annotations

from torch import nn

__all__ = ["double_conv"]


def double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3×3 convolutions that keep the size, each with batch norm and ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of both convolutions.

    Returns:
        A module from (N, in_channels, H, W) to (N, out_channels, H, W).

    Example:
        >>> import torch
        >>> double_conv(3, 16)(torch.zeros(1, 3, 5, 7)).shape
        torch.Size([1, 16, 5, 7])
    """
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        # Batch norm subtracts the mean: a bias before it would be dead.
        layers += [nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
                   nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]  # fmt: skip
    return nn.Sequential(*layers)
