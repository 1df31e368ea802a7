"""FCN on any backbone: its score maps summed, or one of them from a dilated backbone.

Papers and reference as in `segtutor.models.fcn`. `FCN` sums the three score maps of the published
networks, but has no padding of 100, no crops and no fc6 and fc7: the deepest stage of any backbone
stands in for them, and what is enlarged is brought to the size of the map it is added to.

`DilatedFCN` is torchvision's `fcn_resnet50`: one score map, of a ResNet that keeps its size from
stride 8 on. Parameters at 21 classes: 32,957,013, with the auxiliary head 35,322,218; with a
ResNet-101 51,949,141 and 54,314,346. Deviation: the normalization of the pictures is inside.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import encoder
from segtutor.models.blocks import enlarged, fcn_head
from segtutor.models.checks import attention_block, check_counts, deepest_channels

__all__ = ["FCN", "DilatedFCN"]


class FCN(nn.Module):
    """Score maps of a backbone's deepest stages, enlarged and summed from coarse to fine.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: A name for `Backbone`, or a module of your own that returns its maps by name,
            the finest first, and has their numbers of channels as `channels`.
        weights: The backbone's weights; None begins at random.
        maps: How many stages are scored: with a backbone that halves five times, 1 makes a 32s,
            2 a 16s and 3 an 8s.
        attention: Makes a block for the deepest map from its number of channels.

    Example:
        >>> import torch
        >>> from segtutor.models import SmallBackbone
        >>> net = FCN(8, backbone=SmallBackbone(stages=5), maps=2)
        >>> [tuple(scores.shape) for scores in net.scores(torch.zeros(1, 3, 64, 96))]
        [(1, 8, 2, 3), (1, 8, 4, 6)]
        >>> net(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 8, 64, 96])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet50",
        weights: WeightsEnum | str | None = None,
        maps: int = 3,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, maps=maps)
        self.backbone = encoder(backbone, weights=weights)
        channels = dict(reversed(self.backbone.channels.items()))  # the deepest first
        if maps > len(channels):
            raise ValueError(f"maps={maps}: this backbone has {len(channels)}; take 1 to as many")
        self.attention = attention_block(attention, next(iter(channels.values())))
        self.score = nn.ModuleDict(
            {stage: nn.Conv2d(channels[stage], num_classes, 1) for stage in list(channels)[:maps]}
        )

    def scores(self, x: Tensor) -> list[Tensor]:
        """Return the score map (N, C, h, w) of each scored stage, the deepest first."""
        maps = self.backbone(x)
        (deepest, first), *others = self.score.items()
        deep = first(self.attention(maps[deepest]))
        return [deep, *(score(maps[stage]) for stage, score in others)]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        total, *finer = self.scores(x)
        for scores in finer:
            total = scores + enlarged(total, like=scores)  # (N, C, 2h, 2w)
        return enlarged(total, like=x)  # (N, C, H, W)


class DilatedFCN(nn.Module):
    """A dilated backbone with one small head: torchvision's `fcn_resnet50`.

    Args:
        num_classes: Classes to tell apart, C.
        backbone: A name for `Backbone`, or a module of your own, as in `FCN`.
        weights: The backbone's weights; None begins at random.
        output_stride: The size of the deepest map: 1/8, 1/16 or 1/32. Your own backbone has its
            own.
        auxiliary: Whether a second head scores the map before the deepest while the network
            trains: then it returns {"out": logits, "aux": logits}.
        attention: Makes a block for the deepest map from its number of channels.

    Example:
        >>> import torch
        >>> from segtutor.models import SmallBackbone
        >>> net = DilatedFCN(8, backbone=SmallBackbone(output_stride=8))
        >>> net(torch.zeros(2, 3, 65, 97)).shape
        torch.Size([2, 8, 65, 97])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str | nn.Module = "resnet50",
        weights: WeightsEnum | str | None = None,
        output_stride: int = 8,
        auxiliary: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes)
        self.backbone = encoder(backbone, weights=weights, output_stride=output_stride)
        before, deepest = deepest_channels(self.backbone, 2)
        self.attention = attention_block(attention, deepest)
        self.head = fcn_head(deepest, num_classes)
        self.auxiliary = fcn_head(before, num_classes) if auxiliary else None

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        *_, before, deepest = self.backbone(x).values()  # (N, channels, H/8, W/8), both
        logits = enlarged(self.head(self.attention(deepest)), like=x)  # (N, C, H, W)
        if self.auxiliary is None or not self.training:
            return logits
        return {"out": logits, "aux": enlarged(self.auxiliary(before), like=x)}
