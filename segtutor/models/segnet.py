"""SegNet: a decoder that knows where each maximum came from.

Paper: Badrinarayanan, Kendall and Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder
Architecture for Image Segmentation", PAMI 2017, arXiv:1511.00561. Reference implementation:
`Models/segnet_inference.prototxt` of alexgkendall/SegNet-Tutorial (Caffe), layer by layer, with
its pooling that rounds odd sizes up. Every convolution has a bias, though batch norm takes it back:
the reference has them, and so do the weights of VGG16. Deviation: PyTorch's own initialization.

Parameters: 29,449,355 for `SegNet(11)`; a bilinear decoder has as many, a learned one 2,442,688
more.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.checks import attention_block, check_counts, check_pictures, refuse_single

__all__ = ["SegNet"]

# VGG16: convolutions of each stage, and their channels as multiples of the width.
CONVOLUTIONS = (2, 2, 3, 3, 3)
MULTIPLES = (1, 2, 4, 8, 8)


def convolutions(channels: list[int]) -> nn.Sequential:
    """3×3 convolutions from each number of channels to the next, with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after),
                   nn.ReLU(inplace=True)]  # fmt: skip
    return nn.Sequential(*layers)


class SegNet(nn.Module):
    """SegNet: logits at the size of the picture.

    The encoder is VGG16 with batch norm: weights of torchvision's `vgg16_bn().features` fit it,
    `net.encoder.load_state_dict(dict(zip(net.encoder.state_dict(), weights.values())))`.

    Args:
        num_classes: Classes to tell apart, C.
        in_channels: Channels of the picture.
        width: Channels of the first stage.
        depth: Stages, at most five, each followed by a pooling that halves the size.
        upsampling: How the decoder comes back up: "indices" puts each number where the maximum
            was that the encoder's pooling kept, and zeros elsewhere. The plain networks that this
            is compared with: "bilinear" interpolates, "learned" takes transposed 2×2 convolutions.
        attention: Makes a block for so many channels that the deepest map goes through, from
            `segtutor.models.attention` or your own. None: no block.

    Example:
        >>> import torch
        >>> net = SegNet(8, width=8, depth=3)
        >>> net(torch.zeros(1, 3, 45, 64)).shape
        torch.Size([1, 8, 45, 64])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        in_channels: int = 3,
        width: int = 64,
        depth: int = 5,
        upsampling: Literal["indices", "bilinear", "learned"] = "indices",
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, in_channels=in_channels, width=width, depth=depth)
        if depth > 5:
            raise ValueError(f"depth={depth}: VGG-16 has five stages; take 1 to 5")
        if upsampling not in ("indices", "bilinear", "learned"):
            raise ValueError(f"upsampling={upsampling!r}: take 'indices', 'bilinear' or 'learned'")
        self.in_channels, self.upsampling = in_channels, upsampling
        widths = [width * multiple for multiple in MULTIPLES[:depth]]
        down, up = [], []
        for count, before, after in zip(CONVOLUTIONS, [in_channels, *widths], widths, strict=False):
            down.append(convolutions([before, *[after] * count]))
            mirrored = [*[after] * count, before]
            up.append(convolutions(mirrored if up else mirrored[:-1]))  # its last is the head
        self.encoder = nn.ModuleList(down)
        self.decoder = nn.ModuleList(reversed(up))
        self.head = nn.Conv2d(width, num_classes, kernel_size=3, padding=1)
        self.attention = attention_block(attention, widths[-1])
        if upsampling == "learned":
            self.grow = nn.ModuleList(nn.ConvTranspose2d(c, c, 2, 2) for c in reversed(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, in_channels, H, W)."""
        self._check(x)
        remembered = []
        for stage in self.encoder:
            x = stage(x)  # (N, width·multiple, h, w)
            size = x.shape[-2:]
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)  # (…, ⌈h/2⌉, …)
            remembered.append((indices, size))
        x = self.attention(x)  # the deepest map
        for level, stage in enumerate(self.decoder):
            indices, size = remembered.pop()
            x = stage(self.upsampled(x, level, indices, size))  # (N, …, h, w)
        return self.head(x)  # (N, num_classes, H, W)

    def upsampled(self, x: Tensor, level: int, indices: Tensor, size: tuple[int, int]) -> Tensor:
        """Bring a map (N, C, ⌈h/2⌉, ⌈w/2⌉) back to the size (h, w) that was pooled."""
        if self.upsampling == "indices":
            return F.max_unpool2d(x, indices, 2, output_size=size)
        if self.upsampling == "bilinear":
            return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        return self.grow[level](x)[..., : size[0], : size[1]]

    def _check(self, x: Tensor) -> None:
        """Say what cannot be, before anything breaks."""
        check_pictures(x, self.in_channels)
        smallest = 2 ** (len(self.encoder) - 1)
        if max(x.shape[-2:]) <= smallest:
            halved = f"halving {x.shape[-2]}×{x.shape[-1]} pixels {len(self.encoder) - 1} times"
            refuse_single(x, self.encoder[-1][1], halved)
