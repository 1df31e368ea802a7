"""A small backbone, written out: residual blocks, each of half the size and twice the width.

After He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385: one
basic block a stage, and no pooling at the start, so that the first map is still half the picture.
Made for pictures of about 64×96 under any decoder of the book. Parameters: 305,280 with four
stages, 617,344 with five.
"""

from __future__ import annotations

from torch import Tensor, nn

from segtutor.models.blocks import conv_norm_relu
from segtutor.models.checks import check_counts, check_pictures, refuse_single

__all__ = ["Residual", "SmallBackbone"]


class Residual(nn.Module):
    """Two 3×3 convolutions, added to a 1×1 projection of what came in.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Step of the first convolution and of the projection.
        dilation: Dilation of the first and of the second convolution. They differ where a stride
            was taken out: only what stands behind it has to reach farther.

    Example:
        >>> import torch
        >>> Residual(16, 32, stride=2)(torch.zeros(1, 16, 9, 12)).shape
        torch.Size([1, 32, 5, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        before, after = dilation
        self.first = conv_norm_relu(in_channels, out_channels, stride=stride, dilation=before)
        self.second = conv_norm_relu(out_channels, out_channels, dilation=after)[:2]
        self.project = conv_norm_relu(in_channels, out_channels, 1)[:2]
        self.stride = stride
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        # A step of the 1×1 convolution, taken before it: its backward pass over few channels, last
        # in memory, writes where it must not (PyTorch 2.15 on a CPU).
        kept = x[..., :: self.stride, :: self.stride]
        return self.relu(self.second(self.first(x)) + self.project(kept))


class SmallBackbone(nn.Module):
    """The book's own encoder: a residual block a stage, one feature map each.

    Args:
        width: Channels of the first stage; every stage but the fifth doubles them.
        stages: How many, 1 to 5.
        output_stride: The stride that no stage goes beyond: later ones keep the size and are
            dilated, as in `Backbone`. None halves in every stage.
        in_channels: Channels of the picture.

    Attributes:
        channels: Channels of each stage's feature map, by name: "stage1", "stage2", …

    Example:
        >>> import torch
        >>> backbone = SmallBackbone(output_stride=8)
        >>> {name: tuple(x.shape) for name, x in backbone(torch.zeros(1, 3, 64, 96)).items()}
        {'stage1': (1, 16, 32, 48), 'stage2': (1, 32, 16, 24), 'stage3': (1, 64, 8, 12),
         'stage4': (1, 128, 8, 12)}
    """

    def __init__(
        self,
        *,
        width: int = 16,
        stages: int = 4,
        output_stride: int | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        check_counts(width=width, stages=stages, in_channels=in_channels)
        if stages > 5:
            raise ValueError(f"stages={stages}: take 1 to 5")
        if output_stride is not None and output_stride not in (2, 4, 8, 16, 32):
            raise ValueError(f"output_stride={output_stride}: take 2, 4, 8, 16 or 32, or None")
        self.in_channels = in_channels
        self.channels = {f"stage{k + 1}": width * 2 ** min(k, 3) for k in range(stages)}
        self.stages = nn.ModuleDict()
        before, dilation = in_channels, 1
        for k, (name, channels) in enumerate(self.channels.items(), 1):
            halves = output_stride is None or 2**k <= output_stride
            previous, dilation = dilation, 1 if halves else dilation * 2
            self.stages[name] = Residual(before, channels, stride=2 if halves else 1,
                                         dilation=(previous, dilation))  # fmt: skip
            before, self.output_stride = channels, 2**k if halves else self.output_stride

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the feature map of each stage for pictures (N, in_channels, H, W) in [0, 1]."""
        check_pictures(x, self.in_channels)
        if self.training and max(x.shape[-2:]) <= self.output_stride:
            place = f"1/{self.output_stride} of {x.shape[-2]}×{x.shape[-1]} pixels"
            refuse_single(x, self.stages["stage1"].first[1], place)
        maps = {}
        for name, stage in self.stages.items():
            x = maps[name] = stage(x)  # (N, channels[name], H/stride, W/stride)
        return maps
