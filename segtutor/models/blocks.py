"""What several networks are built from."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["conv_norm_relu", "double_conv", "enlarged", "fcn_head"]


def conv_norm_relu(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 3,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """A convolution, batch norm, ReLU; with a stride of 1 the size stays.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the kernel; odd, so that it has a middle.
        stride: Step from window to window: the output has ceil(H / stride) rows.
        dilation: Distance between neighboring taps of the kernel.
        groups: Groups of channels that do not see each other.

    Returns:
        A module from (N, in_channels, H, W) to (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉).

    Example:
        >>> import torch
        >>> conv_norm_relu(3, 16, stride=2)(torch.zeros(1, 3, 5, 8)).shape
        torch.Size([1, 16, 3, 4])
    """
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size}: only an odd kernel has a middle")
    # Batch norm subtracts the mean: a bias before it would be dead.
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, dilation * (kernel_size // 2),
                     dilation, groups, bias=False)  # fmt: skip
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def double_conv(
    in_channels: int, out_channels: int, *, padded: bool = True, normalized: bool = True
) -> nn.Sequential:
    """Two 3×3 convolutions, each with batch norm and ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of both convolutions.
        padded: Zeros around the map keep its size; without them it loses two pixels on each side.
        normalized: With batch norm, in place of the convolutions' biases.

    Returns:
        A module from (N, in_channels, H, W) to (N, out_channels, H, W), or unpadded (H − 4, W − 4).

    Example:
        >>> import torch
        >>> double_conv(3, 16)(torch.zeros(1, 3, 5, 7)).shape
        torch.Size([1, 16, 5, 7])
    """
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        # Batch norm subtracts the mean: a bias before it would be dead.
        layers.append(nn.Conv2d(channels, out_channels, 3, padding=int(padded),
                                bias=not normalized))  # fmt: skip
        if normalized:
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def enlarged(x: Tensor, like: Tensor, *, align_corners: bool = False) -> Tensor:
    """Enlarge maps (N, C, h, w) bilinearly to the height and width of `like`.

    Args:
        x: The maps, (N, C, h, w).
        like: What has the size to reach, (…, H, W).
        align_corners: Whether the middles of the corner pixels stay in place, not their corners.

    Returns:
        Maps (N, C, H, W).

    Example:
        >>> import torch
        >>> enlarged(torch.zeros(1, 8, 2, 3), like=torch.zeros(1, 3, 33, 50)).shape
        torch.Size([1, 8, 33, 50])
    """
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=align_corners)


def fcn_head(in_channels: int, num_classes: int, *, dropout: float = 0.1) -> nn.Sequential:
    """A 3×3 convolution to a quarter of the channels, dropout, and 1×1 to the classes.

    The head of torchvision's FCN, and of the auxiliary loss in DeepLab, PSPNet and DANet.

    Args:
        in_channels: Channels of the backbone's map.
        num_classes: Classes to tell apart, C.
        dropout: Share of the values that a training step sets to zero.

    Returns:
        A module from (N, in_channels, H, W) to logits (N, num_classes, H, W).

    Example:
        >>> import torch
        >>> fcn_head(32, 8)(torch.zeros(1, 32, 5, 7)).shape
        torch.Size([1, 8, 5, 7])
    """
    width = max(in_channels // 4, 1)
    return nn.Sequential(*conv_norm_relu(in_channels, width), nn.Dropout(dropout),
                         nn.Conv2d(width, num_classes, kernel_size=1))  # fmt: skip
