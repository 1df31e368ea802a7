"""Official weights in the book's networks: every tensor by name, every shape asserted.

Checkpoints of torchvision and of segmentation-models-pytorch hold the tensors that our networks
need, under other names. The tables below translate the names; what is missing, left over or of
another shape is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.models.backbones import Backbone, chosen_weights, fetched
from segtutor.models.deeplab import DeepLabV3, DeepLabV3Plus
from segtutor.models.fcn_backbones import DilatedFCN
from segtutor.models.resnet_unet import ResNetUNet

__all__ = ["from_pretrained"]

TORCHVISION = ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101",
               "deeplabv3_mobilenet_v3_large")  # fmt: skip
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# What our networks have no keyword for: a checkpoint has to have it so.
SMP_HAS = {"in_channels": 3, "encoder_depth": 5, "aux_params": None,
           "decoder_use_norm": "batchnorm", "decoder_interpolation": "nearest",
           "decoder_attention_type": None}  # fmt: skip
# What a name begins with there, and here. The first that fits is taken.
FCN_NAMES = {r"classifier\.": "head."}
ASPP_NAMES = {r"convs\.4\.1\.": "branches.4.project.0.", r"convs\.4\.2\.": "branches.4.project.1.",
              r"convs\.": "branches.", r"project\.": "project."}  # fmt: skip
SEPARABLE_NAMES = {r"convs\.([123])\.0\.([01])\.": r"branches.\1.\2.",
                   r"convs\.([123])\.1\.": r"branches.\1.2.", **ASPP_NAMES}  # fmt: skip
V3_NAMES = {
    **{r"classifier\.0\." + there: "aspp." + here for there, here in ASPP_NAMES.items()},
    r"classifier\.1\.": "head.0.", r"classifier\.2\.": "head.1.", r"classifier\.4\.": "head.3.",
}  # fmt: skip
SMP_V3_NAMES = {
    r"encoder\.(features\.)?": "backbone.",
    **{r"decoder\.aspp\." + there: "aspp." + here for there, here in ASPP_NAMES.items()},
    r"decoder\.conv\.": "head.0.", r"decoder\.bn\.": "head.1.",
    r"segmentation_head\.0\.": "head.3.",
}  # fmt: skip
SMP_V3_PLUS_NAMES = {
    r"encoder\.(features\.)?": "backbone.",
    **{r"decoder\.aspp\.0\." + there: "aspp." + here for there, here in SEPARABLE_NAMES.items()},
    r"decoder\.aspp\.1\.([01])\.": r"smooth.\1.", r"decoder\.aspp\.2\.": "smooth.2.",
    r"decoder\.block1\.": "shrink.", r"decoder\.block2\.0\.([01])\.": r"merge.\1.",
    r"decoder\.block2\.1\.": "merge.2.", r"segmentation_head\.0\.": "head.",
}  # fmt: skip
SMP_UNET_NAMES = {
    r"encoder\.(features\.)?": "backbone.",
    r"decoder\.blocks\.(\d)\.conv1\.": r"decoder.\1.",
    r"decoder\.blocks\.(\d)\.conv2\.0\.": r"decoder.\1.3.",
    r"decoder\.blocks\.(\d)\.conv2\.1\.": r"decoder.\1.4.",
    r"segmentation_head\.0\.": "head.",
}


def from_pretrained(source: str | Path, *, weights: str = "DEFAULT") -> nn.Module:
    """Build a network and load the weights that others have trained for it.

    Args:
        source: One of torchvision's "fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50",
            "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large" (21 classes of Pascal VOC). Or
            what segmentation-models-pytorch saved by `save_pretrained`, a Unet, a DeepLabV3 or a
            DeepLabV3Plus: a folder, or the name "owner/name" of a repository on Hugging Face.
        weights: Which of torchvision's weights: the name of a member of its enumeration.

    Returns:
        The network, in evaluation mode. It takes pictures (N, 3, H, W) in [0, 1], normalizes them
        itself, and returns logits (N, num_classes, H, W); auxiliary heads are left out.

    Raises:
        ValueError: There is no such network, or the checkpoint is of another architecture.
        ConnectionError: The weights are not on this machine and cannot be fetched.

    Example:
        >>> net = from_pretrained("fcn_resnet50")  # doctest: +SKIP
        >>> from_pretrained("fcn_resnet18")
        Traceback (most recent call last):
        ValueError: source='fcn_resnet18' is neither a folder nor a repository 'owner/name' nor ...
    """
    if source in TORCHVISION:
        return _from_torchvision(str(source), weights)
    if not Path(source).is_dir() and str(source).count("/") != 1:
        raise ValueError(
            f"source={str(source)!r} is neither a folder nor a repository 'owner/name' nor one of "
            f"{', '.join(TORCHVISION)}"
        )
    config, state = _smp_files(source)
    return _from_smp(config, state)


def _load(net: nn.Module, state: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    """Copy a checkpoint, whose names are translated, into a network; all of it or nothing."""
    # Our backbones sort their layers into stages; their own mean and deviation are set elsewhere.
    own = {
        re.sub(r"^backbone\.stages\.stage\d\.", "backbone.", name): place
        for name, place in net.state_dict().items()
        if name not in ("backbone.mean", "backbone.std")
    }
    given = {}
    for name, tensor in state.items():
        fits = (re.sub("^" + there, here, name) for there, here in names.items()
                if re.match(there, name))  # fmt: skip
        given[next(fits, name)] = tensor
    if len(given) != len(state) or given.keys() != own.keys():
        odd = sorted(given.keys() ^ own.keys())
        raise ValueError(
            f"weights of another architecture: {len(state)} tensors for {len(own)}; "
            f"without a partner: {', '.join(odd[:3])}{' …' * (len(odd) > 3)}"
        )
    for name, place in own.items():
        if place.shape != given[name].shape:
            raise ValueError(
                f"weights of another architecture: {name} is {tuple(given[name].shape)} there and "
                f"{tuple(place.shape)} here"
            )
    with torch.no_grad():
        for name, place in own.items():
            place.copy_(given[name])


def _from_torchvision(name: str, weights: str) -> nn.Module:
    chosen = chosen_weights(name, weights)
    kind, _, backbone = name.partition("_")
    if kind == "fcn":
        net: nn.Module = DilatedFCN(21, backbone=backbone)
        names = FCN_NAMES
    else:  # the MobileNet has an output stride of 16, and the rates of 8 nevertheless
        stride = 16 if backbone.startswith("mobilenet") else 8
        built = Backbone(backbone, output_stride=stride, dilate_first=stride == 16)
        net = DeepLabV3(21, backbone=built, output_stride=stride, rates=(12, 24, 36))
        names = V3_NAMES
    state = {k: v for k, v in fetched(chosen).items() if not k.startswith("aux_classifier.")}
    _load(net, state, names)
    preset = chosen.transforms()
    _normalize(net, preset.mean, preset.std)
    return net.eval()


def _smp_files(source: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration and the tensors that segmentation-models-pytorch saved."""
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError("such checkpoints need safetensors: pip install safetensors") from error
    folder = Path(source)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        try:
            folder = Path(
                snapshot_download(str(source), allow_patterns=["*.json", "*.safetensors"])
            )
        except Exception as error:  # the library has a dozen kinds for "not there" and "offline"
            raise ConnectionError(
                f"{str(source)!r} is no folder here and could not be fetched from Hugging Face "
                f"({type(error).__name__}): check the name, or connect to a network once"
            ) from error
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} has no {name}: give a folder that `save_pretrained` of "
                "segmentation-models-pytorch wrote"
            )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config, load_file(folder / "model.safetensors")


def _from_smp(config: dict[str, Any], state: dict[str, Tensor]) -> nn.Module:
    kind, backbone = config.get("_model_class"), config.get("encoder_name", "")
    if kind not in ("Unet", "DeepLabV3", "DeepLabV3Plus"):
        raise ValueError(f"a checkpoint of {kind}: only Unet, DeepLabV3 and DeepLabV3Plus fit")
    for name, needed in SMP_HAS.items():
        if config.get(name, needed) != needed:
            raise ValueError(f"{name}={config[name]!r} in config.json: only {needed!r} fits")
    classes = config["classes"]
    if kind == "Unet":
        net: nn.Module = ResNetUNet(
            classes, backbone=backbone, widths=tuple(config["decoder_channels"])
        )
        state, names = _bridges_first(net, state), SMP_UNET_NAMES
    else:
        separable = kind == "DeepLabV3Plus"
        names = SMP_V3_PLUS_NAMES if separable else SMP_V3_NAMES
        if config.get("decoder_aspp_separable", separable) != separable:
            raise ValueError(
                f"decoder_aspp_separable={not separable} does not fit a {kind} of ours"
            )
        stride = config["encoder_output_stride"]
        common = {
            "backbone": Backbone(backbone, output_stride=stride, dilate_first=True),
            "output_stride": stride, "rates": config["decoder_atrous_rates"],
            "width": config["decoder_channels"], "align_corners": True,
        }  # fmt: skip
        net = DeepLabV3Plus(classes, separable=True, **common) if separable else (
            DeepLabV3(classes, **common)
        )  # fmt: skip
    _load(net, state, names)
    if config.get("encoder_weights") is not None:  # it went on from weights for such pictures
        _normalize(net, *IMAGENET)
    return net.eval()


def _bridges_first(net: ResNetUNet, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The first convolution of each level reads (below, bridge) there, and (bridge, below) here."""
    state = dict(state)
    bridges = list(net.backbone.channels.values())[-2::-1]
    for level, bridge in enumerate(bridges):
        name = f"decoder.blocks.{level}.conv1.0.weight"
        state[name] = state[name].roll(bridge, dims=1)
    return state


def _normalize(net: nn.Module, mean: Any, std: Any) -> None:
    net.backbone.mean.copy_(torch.tensor(mean)[:, None, None])
    net.backbone.std.copy_(torch.tensor(std)[:, None, None])
