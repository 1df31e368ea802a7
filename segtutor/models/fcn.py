"""FCN: a classifier that slides, and score maps that are summed.

Papers: Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR
2015, arXiv:1411.4038, and PAMI 2017, arXiv:1605.06211. Reference: the authors' Caffe networks,
shelhamer/fcn.berkeleyvision.org. Parameters at 21 classes: `FCN32s` 136,152,917, `FCN16s`
134,815,994, `FCN8s` 134,489,759, as published, fixed upsampling kernels counted.
The same score maps on any backbone are in `segtutor.models.fcn_backbones`.

Deliberate deviations: pictures are RGB in [0, 1], normalized as
torchvision's weights want it, not BGR with a mean subtracted; and the maps that are added are not
scaled down, as the authors' variant that learns everything at once does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn
from torchvision.models import WeightsEnum

from segtutor.models.backbones import Backbone, chosen_weights, fetched
from segtutor.models.checks import attention_block, check_counts
from segtutor.ops import bilinear_kernel

__all__ = ["FCN8s", "FCN16s", "FCN32s", "as_convolution"]


def as_convolution(linear: nn.Linear, kernel_size: int) -> nn.Conv2d:
    """Turn a layer that reads a flattened map into the convolution that slides over larger ones.

    Args:
        linear: A layer whose input is a map (C, kernel_size, kernel_size), flattened.
        kernel_size: The side of that map.

    Returns:
        The convolution, with the same numbers: on a map of just that size it gives what `linear`
        gives, on a larger one that for every window.

    Example:
        >>> import torch
        >>> linear = nn.Linear(8 * 7 * 7, 10)
        >>> as_convolution(linear, 7)(torch.zeros(1, 8, 9, 12)).shape
        torch.Size([1, 10, 3, 6])
    """
    channels, left = divmod(linear.in_features, kernel_size**2)
    if left:
        raise ValueError(
            f"kernel_size={kernel_size}: {linear.in_features} inputs are no map of "
            f"{kernel_size}×{kernel_size}; take the side of the map that was flattened"
        )
    bias = linear.bias is not None
    # On "meta" no numbers are drawn for what is replaced at once.
    conv = nn.Conv2d(channels, linear.out_features, kernel_size, bias=bias, device="meta")
    conv.weight = nn.Parameter(linear.weight.detach().view_as(conv.weight).clone())
    if bias:
        conv.bias = nn.Parameter(linear.bias.detach().clone())
    return conv


def upsampling(channels: int, factor: int, *, learned: bool) -> nn.ConvTranspose2d:
    """A transposed convolution that begins with bilinear kernels: (f(h − 1) + 2f, …)."""
    grow = nn.ConvTranspose2d(channels, channels, 2 * factor, stride=factor, bias=False)
    grow.weight = nn.Parameter(bilinear_kernel(channels, factor), requires_grad=learned)
    return grow


def cut(x: Tensor, start: int, like: Tensor) -> Tensor:
    """Cut (N, C, h, w), from `start` rows and columns on, to the height and width of `like`."""
    height, width = like.shape[-2:]
    return x[..., start : start + height, start : start + width]


class FCN32s(nn.Module):
    """VGG-16 as a fully convolutional network, as published: scores at 1/32, enlarged.

    conv1_1 pads by 100, so that the 7×7 windows of fc6 fit into any picture of 32 pixels or more;
    what that shifts is cropped at the end.

    Args:
        num_classes: Classes to tell apart, C.
        weights: torchvision's weights for VGG-16, fc6 and fc7 among them; None begins at random.
        hidden: Channels of fc6 and fc7.
        learned_upsampling: Whether the enlarging in between is learned, as in the paper; in the
            authors' networks it is fixed, as the last one is in both.
        attention: Makes a block for the deepest map from its number of channels.

    Example:
        >>> import torch
        >>> with torch.device("meta"):  # shapes without numbers
        ...     net = FCN32s(21)
        ...     net(torch.zeros(1, 3, 33, 40)).shape
        torch.Size([1, 21, 33, 40])
        >>> sum(p.numel() for p in net.parameters())
        136152917
    """

    # Which rows and columns to cut off, so that sums and logits show the same place. Cell i of fc7
    # sees 7 cells of pool5, the middle one around row 32(i + 3) + 15.5, and conv1_1 has shifted
    # that by 99: it shows pixel 32i + 12.5. Enlarged 32 times it stands at row 32i + 31.5, 19 too
    # far. The others follow likewise.
    bridges: ClassVar[dict[str, int]] = {}
    crop: ClassVar[int] = 19

    def __init__(
        self,
        num_classes: int,
        *,
        weights: WeightsEnum | str | None = None,
        hidden: int = 4096,
        learned_upsampling: bool = False,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, hidden=hidden)
        if weights is not None and hidden != 4096:
            raise ValueError(f"hidden={hidden}: the weights of fc6 and fc7 are for 4096")
        self.backbone = Backbone("vgg16", weights=weights)
        self.backbone.stages["stage1"][0].padding = (100, 100)
        for stage in self.backbone.stages.values():
            stage[-1].ceil_mode = True  # as Caffe pools
        # VGG-16 ends with three fully connected layers. The first two slide, the last is replaced.
        fc6, fc7 = nn.Linear(512 * 7 * 7, hidden), nn.Linear(hidden, hidden)
        if weights is not None:
            state = fetched(chosen_weights("vgg16", weights))
            for linear, name in ((fc6, "classifier.0."), (fc7, "classifier.3.")):
                linear.load_state_dict({k: state[name + k] for k in linear.state_dict()})
        self.attention = attention_block(attention, 512)
        self.fc6 = nn.Sequential(as_convolution(fc6, 7), nn.ReLU(inplace=True), nn.Dropout())
        self.fc7 = nn.Sequential(as_convolution(fc7, 1), nn.ReLU(inplace=True), nn.Dropout())
        channels = self.backbone.channels | {"stage5": hidden}
        self.score = nn.ModuleDict(
            {name: nn.Conv2d(channels[name], num_classes, 1) for name in ("stage5", *self.bridges)}
        )
        for parameter in self.score.parameters():
            nn.init.zeros_(parameter)  # as in the paper: every class begins with the same score
        self.twice = nn.ModuleDict(
            {name: upsampling(num_classes, 2, learned=learned_upsampling) for name in self.bridges}
        )
        self.enlarge = upsampling(num_classes, 32 // 2 ** len(self.bridges), learned=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W) for pictures (N, 3, H, W) in [0, 1]."""
        maps = self.backbone(x)
        deep = self.fc7(self.fc6(self.attention(maps["stage5"])))  # (N, hidden, h, w)
        scores = self.score["stage5"](deep)  # (N, C, h, w)
        for stage, start in self.bridges.items():
            scores = self.twice[stage](scores)  # (N, C, 2h + 2, 2w + 2)
            scores = scores + cut(self.score[stage](maps[stage]), start, like=scores)
        return cut(self.enlarge(scores), self.crop, like=x)  # (N, C, H, W)


class FCN16s(FCN32s):
    """FCN-32s with the scores of pool4 added: enlarged by 2, summed, enlarged by 16.

    It takes what `FCN32s` takes, and returns logits (N, num_classes, H, W).

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     FCN16s(21)(torch.zeros(1, 3, 33, 40)).shape
        torch.Size([1, 21, 33, 40])
    """

    bridges: ClassVar[dict[str, int]] = {"stage4": 5}
    crop: ClassVar[int] = 27


class FCN8s(FCN32s):
    """FCN-16s with the scores of pool3 added: enlarged by 2, by 2 and by 8.

    It takes what `FCN32s` takes, and returns logits (N, num_classes, H, W).

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     FCN8s(21)(torch.zeros(1, 3, 33, 40)).shape
        torch.Size([1, 21, 33, 40])
    """

    bridges: ClassVar[dict[str, int]] = {"stage4": 5, "stage3": 9}
    crop: ClassVar[int] = 31
