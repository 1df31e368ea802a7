"""Backbones: torchvision's classifiers as encoders, cut into five stages with names.

The classifier's head is gone, so no parameter is dead; every layer is torchvision's own, so its
weights fit and its numbers come out. Nothing is downloaded unless weights are asked for.

With an output stride of 16 or 8 the last stages halve nothing: their strides are taken out, and
what stood behind a stride is dilated instead, so that every kernel reads what it would have read.
Stride 2 and then a convolution gives every second value of stride 1 and then the same convolution,
dilated by 2 (Chen et al., arXiv:1606.00915). The convolution that lost its stride still reads the
old grid: it keeps the dilation of what stands before it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum

from segtutor.models.checks import check_counts, check_numbers, check_pictures, refuse_single

__all__ = ["STAGES", "Backbone", "encoder"]

STAGES = ("stage1", "stage2", "stage3", "stage4", "stage5")
# Layers of `features` that belong to the first one, two, … five stages.
MOBILENETS = {
    "mobilenet_v2": (2, 4, 7, 14, 19),
    "mobilenet_v3_small": (1, 2, 4, 9, 13),
    "mobilenet_v3_large": (2, 4, 7, 13, 17),
}


class Backbone(nn.Module):
    """A classifier of torchvision without its head, as five stages: one feature map each.

    Pictures come in as they are, in [0, 1]: the mean and standard deviation that belong to the
    weights are kept here, saved with them, and applied once, by `forward`.

    Args:
        name: A ResNet ("resnet18", "resnet50", "resnext50_32x4d", …), a MobileNet
            ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large") or a VGG ("vgg16",
            "vgg16_bn", …), as torchvision calls it.
        weights: Official weights, as torchvision's enumeration or the name of a member such as
            "IMAGENET1K_V1" or "DEFAULT": from torchvision's cache, else from the network. None
            begins at random.
        output_stride: 32, or 16 or 8: then the last one or two stages keep the size and are
            dilated. Not for a VGG, which halves by pooling.
        dilate_first: Whether the convolution that lost its stride is dilated like those behind
            it, as segmentation-models-pytorch and torchvision's MobileNetV3 do. torchvision's
            ResNets do not: it reads a grid that is still dense.
        multi_grid: A factor on the dilation of each block of a ResNet's last stage, such as
            (1, 2, 4); None stands for 1 everywhere.

    Attributes:
        stages: The layers of each stage, by name. "stage1" ends at half the size, "stage5" at one
            thirty-second, or at one `output_stride`-th if that is larger.
        channels: Channels of each stage's feature map, by the same names.

    Raises:
        ValueError: There is no such backbone, no such weights for it, or no such dilation.
        ConnectionError: The weights are not on this machine and cannot be fetched.

    Example:
        >>> backbone = Backbone("resnet18", output_stride=16).eval()
        >>> {name: tuple(x.shape) for name, x in backbone(torch.zeros(1, 3, 64, 96)).items()}
        {'stage1': (1, 64, 32, 48), 'stage2': (1, 64, 16, 24), 'stage3': (1, 128, 8, 12),
         'stage4': (1, 256, 4, 6), 'stage5': (1, 512, 4, 6)}
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str = "resnet18",
        *,
        weights: WeightsEnum | str | None = None,
        output_stride: int = 32,
        dilate_first: bool = False,
        multi_grid: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        check_counts(output_stride=output_stride)
        families = ("resnet", "resnext", "wide_resnet", "vgg", *MOBILENETS)
        if name not in models.list_models(models) or not name.startswith(families):
            raise ValueError(
                f"name={name!r} is no backbone: take a ResNet such as 'resnet18', a VGG such as "
                f"'vgg16_bn', or one of {', '.join(MOBILENETS)}"
            )
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride={output_stride}: take 8, 16 or 32")
        if name.startswith("vgg") and output_stride < 32:
            raise ValueError(
                f"output_stride={output_stride}: {name} halves by pooling, which no dilation "
                "replaces; take a ResNet or a MobileNet"
            )
        classifier = models.get_model(name, weights=None)
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if weights is not None:
            chosen = chosen_weights(name, weights)
            classifier.load_state_dict(fetched(chosen))
            preset = chosen.transforms()
            mean, std = preset.mean, preset.std
        self.name, self.output_stride = name, output_stride
        self.stages = nn.ModuleDict(zip(STAGES, _stages(name, classifier), strict=True))
        for stride, stage in zip((2, 4, 8, 16, 32), self.stages.values(), strict=True):
            if stride > output_stride:
                _dilate(stage, stride // output_stride, dilate_first)
        if multi_grid is not None:
            check_numbers("multi_grid", multi_grid)
            _spread(name, self.stages["stage5"], multi_grid)
        self.channels = {
            stage: [m.out_channels for m in layers.modules() if isinstance(m, nn.Conv2d)][-1]
            for stage, layers in self.stages.items()
        }
        # Saved with the weights: neither is of use without the other.
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the feature map of each stage for pictures (N, 3, H, W) in [0, 1]."""
        check_pictures(x, channels=3)
        if self.name.startswith("vgg") and min(x.shape[-2:]) < 32:
            raise ValueError(
                f"a picture of {x.shape[-2]}×{x.shape[-1]} pixels cannot be halved five times: "
                "pad it to 32×32 or take a ResNet"
            )
        if self.training and max(x.shape[-2:]) <= self.output_stride:
            place = f"1/{self.output_stride} of {x.shape[-2]}×{x.shape[-1]} pixels"
            for norm in self.stages["stage5"].modules():
                refuse_single(x, norm, place)
        x = (x - self.mean) / self.std
        maps = {}
        for name, stage in self.stages.items():
            x = maps[name] = stage(x)  # (N, channels[name], H/stride, W/stride)
        return maps


def encoder(
    backbone: str | nn.Module,
    *,
    weights: WeightsEnum | str | None = None,
    output_stride: int = 32,
    dilate_first: bool = False,
) -> nn.Module:
    """Build the backbone that is named, or take the one that is given as it is.

    Args:
        backbone: A name for `Backbone`, or a module with `channels` that returns maps by name.
        weights: As for `Backbone`; your own module has its own.
        output_stride: As for `Backbone`; your own module has its own.
        dilate_first: As for `Backbone`; your own module has its own.

    Returns:
        The backbone: from pictures (N, 3, H, W) to maps (N, channels, h, w) by name.

    Example:
        >>> encoder("resnet18", output_stride=8).channels["stage5"]
        512
    """
    if isinstance(backbone, str):
        return Backbone(backbone, weights=weights, output_stride=output_stride,
                        dilate_first=dilate_first)  # fmt: skip
    if weights is not None:
        raise ValueError(f"weights={weights!r} goes with a name; your own backbone has its own")
    if not isinstance(backbone, nn.Module) or not hasattr(backbone, "channels"):
        raise TypeError(
            f"backbone is a {type(backbone).__name__}: give a name such as 'resnet18', or a module "
            "that returns its maps by name and has their channels, SmallBackbone()"
        )
    return backbone


def _stages(name: str, classifier: nn.Module) -> list[nn.Sequential]:
    """The layers in front of the classifier's head, in five groups, under their old names."""
    if "resne" in name:
        groups = (("conv1", "bn1", "relu"), ("maxpool", "layer1"), ("layer2",), ("layer3",),
                  ("layer4",))  # fmt: skip
        layers = [[(child, getattr(classifier, child)) for child in group] for group in groups]
    else:
        features = list(classifier.features.named_children())
        pools = [k for k, (_, m) in enumerate(features, 1) if isinstance(m, nn.MaxPool2d)]
        ends = MOBILENETS.get(name, pools)  # a stage of VGG ends with its pooling
        starts = (0, *ends[:-1])
        layers = [features[start:end] for start, end in zip(starts, ends, strict=True)]
    return [nn.Sequential(OrderedDict(group)) for group in layers]


def _dilate(stage: nn.Module, dilation: int, dilate_first: bool) -> None:
    """Take a stage's stride out; what stands behind it looks `dilation` pixels apart."""
    for conv in stage.modules():
        if isinstance(conv, nn.Conv2d):
            strided = conv.stride != (1, 1)
            conv.stride = (1, 1)
            _set_dilation(conv, dilation // 2 if strided and not dilate_first else dilation)


def _spread(name: str, stage: nn.Module, multi_grid: Sequence[int]) -> None:
    """Multiply the dilation of each block of a ResNet's last stage."""
    blocks = list(getattr(stage, "layer4", ()))
    if len(multi_grid) != len(blocks):
        raise ValueError(
            f"multi_grid={tuple(multi_grid)}: give one factor for each of the {len(blocks)} blocks "
            f"of {name}'s last stage" + " (only a ResNet has such blocks)" * (not blocks)
        )
    for block, factor in zip(blocks, multi_grid, strict=True):
        for conv in block.modules():
            if isinstance(conv, nn.Conv2d):
                _set_dilation(conv, conv.dilation[0] * factor)


def _set_dilation(conv: nn.Conv2d, dilation: int) -> None:
    conv.dilation = (dilation, dilation)
    conv.padding = tuple(dilation * (side // 2) for side in conv.kernel_size)  # keeps the size


def chosen_weights(name: str, weights: WeightsEnum | str) -> WeightsEnum:
    """The member of torchvision's enumeration that is meant."""
    known = models.get_model_weights(name)
    if isinstance(weights, known):
        return weights
    if isinstance(weights, str) and weights in known.__members__:
        return known[weights]
    raise ValueError(
        f"weights={weights!r} are none of {name}'s: take one of "
        f"{', '.join(repr(member) for member in known.__members__)}, or None to begin at random"
    )


def fetched(weights: WeightsEnum) -> dict[str, Tensor]:
    """Official weights from the cache or the network."""
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except OSError as error:  # what urllib raises without a network
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ConnectionError(
            f"{weights} are not on this machine and could not be fetched ({error}): connect to a "
            f"network once, put {Path(urlparse(weights.url).path).name} into {folder}, or take "
            "weights=None"
        ) from error
