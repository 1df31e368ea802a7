"""Networks, blocks and the CRF beside other libraries', forward and backward.

`python -m benchmarks.models`. With equal weights both sides give equal numbers: `tests/models`
shows it. The goal, on one thread: not slower, and no more memory; the CRF at most twice as slow as
C++. Two equal sides come out a few percent apart: the goal counts as reached from
`EQUAL` on. Exits with 1 if one is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
import torchvision
from monai.networks.nets.attentionunet import AttentionBlock
from segmentation_models_pytorch.base.modules import SCSEModule
from timm.layers.cbam import CbamModule
from timm.layers.non_local_attn import NonLocalAttn
from torch import Tensor, nn
from torchvision.models import get_model, segmentation

from benchmarks.alternating import Row, line, peak_memory, ratios
from segtutor import models
from segtutor.inference import dense_crf

EQUAL = 0.97
CHANNELS, SIDE, CLASSES = 256, 32, 21
Step = Callable[[], object]
Pair = tuple[str, Callable[[], nn.Module], str, Callable[[], nn.Module]]


def rows() -> list[Row]:
    """Measure every network and block that has a peer."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        pictures, maps = torch.rand(2, 3, 128, 128), torch.rand(2, CHANNELS, SIDE, SIDE)
        return [
            *(beside(pair, pictures, rounds=11) for pair in networks()),
            *(beside(pair, maps, rounds=40) for pair in blocks()),
            beside(gate(), maps, maps, rounds=40),
            attention(),
            *crf(),
        ]
    finally:
        torch.set_num_threads(threads)


def networks() -> list[Pair]:
    """Whole networks."""
    plain = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}
    small = {"encoder_weights": None, "classes": CLASSES}
    # As torchvision and as segmentation-models-pytorch build them.
    dense = partial(models.DeepLabV3, CLASSES, output_stride=8, rates=(12, 24, 36))
    dilated = partial(models.Backbone, "resnet50", dilate_first=True)
    return [
        ("Backbone, vgg16_bn", lambda: models.Backbone("vgg16_bn"),
         "torchvision vgg16_bn", lambda: Normalized(get_model("vgg16_bn").features)),
        ("DilatedFCN", lambda: models.DilatedFCN(CLASSES),
         "torchvision fcn_resnet50", lambda: Normalized(segmentation.fcn_resnet50(**plain))),
        ("DeepLabV3", dense,
         "torchvision deeplabv3_resnet50",
         lambda: Normalized(segmentation.deeplabv3_resnet50(**plain))),
        ("DeepLabV3", lambda: dense(backbone=dilated(output_stride=8), align_corners=True),
         "smp DeepLabV3", lambda: Normalized(smp.DeepLabV3("resnet50", **small))),
        ("DeepLabV3Plus", lambda: models.DeepLabV3Plus(
            CLASSES, backbone=dilated(output_stride=16), separable=True, rates=(12, 24, 36),
            align_corners=True),
         "smp DeepLabV3Plus", lambda: Normalized(smp.DeepLabV3Plus("resnet50", **small))),
        ("ResNetUNet, resnet18", lambda: models.ResNetUNet(CLASSES),
         "smp Unet", lambda: Normalized(smp.Unet("resnet18", **small))),
        ("ResNetUNet, resnet34", lambda: models.ResNetUNet(CLASSES, backbone="resnet34"),
         "smp Unet", lambda: Normalized(smp.Unet("resnet34", **small))),
    ]  # fmt: skip


def blocks() -> list[Pair]:
    """Attention blocks that read one map."""
    c = CHANNELS
    return [
        ("SqueezeExcite", lambda: models.SqueezeExcite(c), "torchvision SqueezeExcitation",
         lambda: torchvision.ops.SqueezeExcitation(c, c // 16)),
        ("SCSE", lambda: models.SCSE(c), "smp SCSEModule", lambda: SCSEModule(c)),
        ("CBAM", lambda: models.CBAM(c), "timm CbamModule", lambda: CbamModule(c)),
        ("NonLocal", lambda: models.NonLocal(c),
         "timm NonLocalAttn", lambda: NonLocalAttn(c, use_scale=False, rd_channels=c // 2)),
        ("SelfAttention", lambda: models.SelfAttention(c),
         "nn.MultiheadAttention", lambda: Tokens(c)),
        ("PositionAttention", lambda: models.PositionAttention(c),
         "the authors' steps", lambda: Positions(c)),
        ("ChannelAttention", lambda: models.ChannelAttention(c),
         "the authors' steps", Channels),
    ]  # fmt: skip


def gate() -> Pair:
    """The attention block that reads two maps."""
    c = CHANNELS
    return ("AttentionGate", lambda: models.AttentionGate(c), "monai AttentionBlock",
            lambda: AttentionBlock(2, f_int=c // 2, f_g=c, f_l=c))  # fmt: skip


def attention() -> Row:
    """Attention as its sentence is written, beside PyTorch's: to see what storing weights costs."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = (2, 4, SIDE * SIDE, CHANNELS // 4)  # pictures, heads, positions, channels of a head
    inputs = [torch.rand(shape, device=device, requires_grad=True) for _ in range(3)]

    def step(mixed: Callable[..., Tensor]) -> Step:
        return lambda: torch.autograd.grad(mixed(*inputs).sum(), inputs)

    written, fused = models.scaled_dot_product_attention, F.scaled_dot_product_attention
    return row(shape, "scaled_dot_product_attention", "F.scaled_dot_product_attention",
               {"ours": step(written), "theirs": step(fused)}, rounds=20, goal=None)  # fmt: skip


class Normalized(nn.Module):
    """A peer behind the normalization of pictures that our backbones do themselves."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network makes of pictures (N, 3, H, W)."""
        return self.net((x - 0.45) / 0.22)


class Tokens(nn.Module):
    """PyTorch's multi-head attention on a map, added to it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(channels, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W), as it came in."""
        tokens = x.flatten(2).transpose(1, 2)  # (N, H·W, C)
        mixed, _ = self.inner(tokens, tokens, tokens, need_weights=False)
        return x + mixed.transpose(1, 2).unflatten(2, x.shape[2:])


class Positions(nn.Module):
    """DANet's position attention, step by step as its authors compute it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.key = (nn.Conv2d(channels, channels // 8, 1) for _ in range(2))
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W), as it came in."""
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        weights = torch.bmm(query.transpose(1, 2), key).softmax(dim=-1)
        return self.gain * torch.bmm(value, weights.transpose(1, 2)).view_as(x) + x


class Channels(nn.Module):
    """DANet's channel attention, step by step as its authors compute it."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W), as it came in."""
        flat = x.flatten(2)
        energy = torch.bmm(flat, flat.transpose(1, 2))
        weights = (energy.amax(dim=-1, keepdim=True) - energy).softmax(dim=-1)
        return self.gain * torch.bmm(weights, flat).view_as(x) + x


def beside(pair: Pair, *inputs: Tensor, rounds: int) -> Row:
    """A training step without the optimizer, ours and the peer's."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name, ours, peer, theirs = pair

    def step(make: Callable[[], nn.Module]) -> Step:
        net = make().to(device).train()
        # As inside of a network, where what comes before a block learns too.
        maps = [x.to(device).requires_grad_(x.shape[1] > 3) for x in inputs]

        def run() -> None:
            last(net(*maps)).square().mean().backward()
            net.zero_grad(set_to_none=True)
            for x in maps:
                x.grad = None

        return run

    return row(inputs[0].shape, name, peer, {"ours": step(ours), "theirs": step(theirs)}, rounds)


def last(output: Tensor | dict[str, Tensor]) -> Tensor:
    """The logits, or the deepest map, of a network."""
    return [*output.values()][-1] if isinstance(output, dict) else output


def row(
    shape: Sequence[int], name: str, peer: str, functions: dict[str, Step], rounds: int,
    goal: float | None = EQUAL,
) -> Row:  # fmt: skip
    """Time and memory of "ours" beside "theirs", memory to the two digits that are shown."""
    faster = ratios(functions, reference="ours", rounds=rounds)["theirs"]
    memory = peak_memory(functions["ours"]) / peak_memory(functions["theirs"])
    what = f"forward and backward, {'×'.join(map(str, shape))}"
    return Row(what, f"models.{name}", peer, faster, goal, round(memory, 2))


def crf() -> list[Row]:
    """The mean field beside pydensecrf, where that is installed."""
    try:
        from pydensecrf.densecrf import DenseCRF2D
    except ImportError:
        print("pydensecrf is not here: pip install -e '.[crf]' builds it")
        return []
    side = 256
    image = F.interpolate(torch.rand(1, 3, 32, 32), size=(side, side), mode="bicubic").clamp(0, 1)
    logits = torch.randn(1, CLASSES, side, side)
    unary = (-logits[0].log_softmax(0).flatten(1)).contiguous().numpy()
    pixels = (image[0] * 255).byte().permute(1, 2, 0).contiguous().numpy()

    def theirs() -> object:
        net = DenseCRF2D(side, side, CLASSES)
        net.setUnaryEnergy(unary)
        net.addPairwiseGaussian(sxy=3, compat=3)
        net.addPairwiseBilateral(sxy=80, srgb=13, rgbim=pixels, compat=10)
        return net.inference(5)

    functions = {"ours": lambda: dense_crf(logits, image), "theirs": theirs}
    faster = ratios(functions, reference="ours", rounds=9)["theirs"]
    what = f"5 iterations, {CLASSES} classes, {side}×{side}"
    return [Row(what, "dense_crf", "pydensecrf2", faster, 0.5)]


def main() -> int:
    """Measure, print, and say whether the goals are reached."""
    measured = rows()
    print(*map(line, measured), sep="\n")
    return 0 if all(row.reached for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
