"""What several networks are built from."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["check_halvings", "check_pictures", "conv_norm_relu", "double_conv", "enlarged",
           "fcn_head", "refuse_single"]  # fmt: skip


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
    """Enlarge maps (N, C, h, w) bilinearly to the height and width of `like`."""
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
    width = in_channels // 4
    return nn.Sequential(*conv_norm_relu(in_channels, width), nn.Dropout(dropout),
                         nn.Conv2d(width, num_classes, kernel_size=1))  # fmt: skip


def refuse_single(x: Tensor, norm: nn.Module, place: str) -> None:
    """Raise if a batch norm that sees one number of each picture is to train on one picture.

    Args:
        x: The batch, (N, C, H, W).
        norm: The normalization behind the pooling. `SyncBatchNorm` sees the other processes.
        place: What pools to one number, for the message.
    """
    if len(x) == 1 and norm.training and isinstance(norm, nn.BatchNorm2d):
        raise ValueError(
            f"a batch of one picture cannot train here: {place} leaves one number a channel, and "
            "batch norm, which subtracts the batch's mean, would make it 0. Take batches of two "
            "or more and leave out an incomplete last one, or call eval() or freeze() first"
        )


def check_pictures(x: Tensor, channels: int = 3) -> None:
    """Raise unless x can be a batch of pictures for a network; what every network asks first.

    Args:
        x: The batch, to be (N, channels, H, W) and floating-point.
        channels: Channels that the network reads.
    """
    if x.dim() != 4:
        raise ValueError(
            f"pictures have shape {tuple(x.shape)}, but a network takes a batch of them, "
            "(N, C, H, W): a single picture becomes one with x[None]"
        )
    if x.shape[1] != channels:
        gray = "; give a gray picture three times with x.expand(-1, 3, -1, -1)"
        raise ValueError(
            f"pictures of {x.shape[1]} channels, but this network reads {channels}"
            + gray * (x.shape[1] == 1 and channels == 3)
        )
    if not x.is_floating_point():
        raise TypeError(f"pictures are {x.dtype}: divide by 255 to bring them into [0, 1]")


def check_halvings(x: Tensor, times: int, norm: nn.Module) -> None:
    """Raise unless pictures can be halved so often, rounding down, and trained on.

    Args:
        x: The batch, (N, C, H, W).
        times: How often the height and the width are halved.
        norm: A normalization at the deepest map.
    """
    (height, width), smallest = x.shape[-2:], 2**times
    if min(height, width) < smallest:
        raise ValueError(
            f"a picture of {height}×{width} pixels cannot be halved {times} times: pad it to "
            f"{smallest}×{smallest} or take depth={max(min(height, width).bit_length() - 1, 1)}"
        )
    if max(height, width) < 2 * smallest:
        refuse_single(x, norm, f"halving {height}×{width} pixels {times} times")
