"""Attention that gates: a number between 0 and 1 for each channel, for each position, or for both.

A gate multiplies what passes through it. It is bounded by a sigmoid: it can close, half open or
let pass, but not amplify; `SCSE`, a sum of two, reaches up to 2. Attention between one position
and another is in `segtutor.models.self_attention`.

Papers: Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018, arXiv:1709.01507 (equal to
`torchvision.ops.SqueezeExcitation`; 580 parameters at 64 channels). Woo, Park, Lee and Kweon,
"CBAM: Convolutional Block Attention Module", ECCV 2018, arXiv:1807.06521 (the authors' design in
github.com/Jongchan/attention-module; 680 at 64). Roy, Navab and Wachinger, "Concurrent Spatial and
Channel Squeeze & Excitation in Fully Convolutional Networks", MICCAI 2018, arXiv:1803.02579 (equal
to segmentation-models-pytorch; 645 at 64). Oktay and others, "Attention U-Net", MIDL 2018,
arXiv:1804.03999 (equal to MONAI's two-dimensional block; 263,939 at 512).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.checks import refuse_single

__all__ = ["CBAM", "SCSE", "AttentionGate", "SqueezeExcite", "attention_maps"]


class SqueezeExcite(nn.Module):
    """Channel attention: what is in the picture decides which channels may speak.

    The mean of each channel goes through two layers, the first with few channels, to a gate for
    each channel, the same at every position.

    Args:
        channels: Channels of the map, C.
        reduction: How many times fewer channels there are between the two layers. Of few channels
            take a small one: a single channel behind a ReLU may be silent from the start.

    Example:
        >>> gate = SqueezeExcite(64)
        >>> x = torch.randn(2, 64, 5, 7)
        >>> gate(x).shape, gate.maps(x).shape
        (torch.Size([2, 64, 5, 7]), torch.Size([2, 64, 1, 1]))
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.mlp = _mlp(channels, reduction)

    def maps(self, x: Tensor) -> Tensor:
        """Return the gate of each channel, (N, C, 1, 1), in (0, 1)."""
        squeezed = x.mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)
        return self.mlp(squeezed).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map, (N, C, H, W)."""
        return x * self.maps(x)


class CBAM(nn.Module):
    """Channel attention, then spatial attention on what it let pass.

    A channel's gate sees its mean and its maximum, through the same two layers; a position's gate
    sees the maximum and the mean over the channels of 7×7 positions.

    Args:
        channels: Channels of the map, C.
        reduction: How many times fewer channels there are between the two layers.

    Example:
        >>> channel, spatial = CBAM(64).maps(torch.randn(2, 64, 5, 7))
        >>> channel.shape, spatial.shape
        (torch.Size([2, 64, 1, 1]), torch.Size([2, 1, 5, 7]))
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.mlp = _mlp(channels, reduction)
        self.look = nn.Sequential(
            nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False),
            nn.BatchNorm2d(1, momentum=0.01),
        )

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gates of the channels, (N, C, 1, 1), and of the positions, (N, 1, H, W)."""
        channel = self._channel(x)
        return channel, self._spatial(x * channel)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map, (N, C, H, W)."""
        x = x * self._channel(x)
        return x * self._spatial(x)

    def _channel(self, x: Tensor) -> Tensor:
        mean, most = x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
        return (self.mlp(mean) + self.mlp(most)).sigmoid()  # (N, C, 1, 1)

    def _spatial(self, x: Tensor) -> Tensor:
        if x.shape[-2:] == (1, 1):
            refuse_single(x, self.look[1], "a map of 1×1")
        seen = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)
        return self.look(seen).sigmoid()  # (N, 2, H, W) -> (N, 1, H, W)


class SCSE(nn.Module):
    """Channel and spatial attention side by side: the map gated by each, and summed.

    Args:
        channels: Channels of the map, C.
        reduction: How many times fewer channels there are between the channels' two layers.

    Example:
        >>> SCSE(64)(torch.randn(2, 64, 5, 7)).shape
        torch.Size([2, 64, 5, 7])
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.channel = SqueezeExcite(channels, reduction=reduction)
        self.look = nn.Conv2d(channels, 1, kernel_size=1)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gates of the channels, (N, C, 1, 1), and of the positions, (N, 1, H, W)."""
        return self.channel.maps(x), self.look(x).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the map, gated by the sum of both, (N, C, H, W): up to twice what came in."""
        channel, spatial = self.maps(x)
        return torch.addcmul(x * channel, x, spatial)  # no third map is stored for x * spatial


class AttentionGate(nn.Module):
    """Additive attention on a skip: a coarser map decides which of its positions may pass.

    Both maps are brought to the same few channels and summed, and one number is made of the sum.

    Args:
        channels: Channels of the skip, C.
        gate_channels: Channels of the map that decides; None: as many.
        hidden: Channels in which the two are summed; None: C/2.
        bias: Biases in front of batch norm, as the reference has them. Batch norm cancels them.

    Example:
        >>> gate = AttentionGate(16, 32)
        >>> gate(torch.randn(2, 16, 9, 12), torch.randn(2, 32, 5, 6)).shape
        torch.Size([2, 16, 9, 12])
    """

    def __init__(
        self,
        channels: int,
        gate_channels: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        hidden = hidden or fewer(channels, 2)

        def project(before: int, after: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(before, after, 1, bias=bias), nn.BatchNorm2d(after))

        self.from_gate = project(gate_channels or channels, hidden)
        self.from_skip = project(channels, hidden)
        self.score = project(hidden, 1)

    def maps(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return the gate of each position of the skip, (N, 1, H, W), in (0, 1)."""
        if gate.shape[-2:] == (1, 1):
            refuse_single(gate, self.score[1], "a map of 1×1")
        gate = self.from_gate(gate)  # (N, hidden, h, w)
        if gate.shape[-2:] != skip.shape[-2:]:
            # A 1×1 convolution may stand before the enlargement: the result is the same, for less.
            gate = F.interpolate(gate, size=skip.shape[-2:], mode="bilinear", align_corners=False)
        both = self.from_skip(skip) + gate  # (N, hidden, H, W)
        return self.score(both.relu()).sigmoid()

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return the gated skip, (N, C, H, W); gate is (N, gate_channels, h, w) of any size."""
        return skip * self.maps(skip, gate)


def attention_maps(net: nn.Module, *inputs: Tensor) -> dict[str, Tensor | tuple[Tensor, ...]]:
    """Run a network and return what each of its attention blocks attends to, by its name.

    Args:
        net: Any network with blocks of this module or of `self_attention` in it, in eval mode.
        inputs: What the network is called with, such as pictures (N, 3, H, W).

    Returns:
        The `maps` of each block for these inputs, without gradients.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, kernel_size=1), SqueezeExcite(8))
        >>> attention_maps(net, torch.zeros(1, 3, 4, 4))["1"].shape
        torch.Size([1, 8, 1, 1])
    """
    found: dict[str, Tensor | tuple[Tensor, ...]] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda block, given, _: found.update({name: block.maps(*given)})

    blocks = [(name, block) for name, block in net.named_modules() if hasattr(block, "maps")]
    hooks = [block.register_forward_hook(keep(name)) for name, block in blocks]
    try:
        with torch.no_grad():
            net(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def fewer(channels: int, reduction: int) -> int:
    """A number of channels divided by `reduction`, but at least one."""
    if channels < 1 or reduction < 1:
        raise ValueError(f"channels={channels}, reduction={reduction}: each is at least 1")
    return max(channels // reduction, 1)


def _mlp(channels: int, reduction: int) -> nn.Sequential:
    """Two layers on each channel's one number, as 1×1 convolutions."""
    hidden = fewer(channels, reduction)
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1))
