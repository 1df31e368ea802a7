"""DeepLab: the numbers of torchvision and segmentation-models-pytorch from the same weights."""

from __future__ import annotations

import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import segmentation

from segtutor.models.backbones import Backbone
from segtutor.models.deeplab import DeepLabV3, DeepLabV3Plus
from segtutor.models.deeplab_v2 import DeepLabV2

# Parameters, and floating-point operations for one picture of 512×512.
SIZES = {
    "V3": (lambda: DeepLabV3(21, output_stride=8), 39_638_869, 327_158_857_728),
    "V3 at stride 16": (lambda: DeepLabV3(21), 39_638_869, 96_808_206_336),
    "V3, ResNet-101": (
        lambda: DeepLabV3(21, backbone="resnet101", output_stride=8),
        58_630_997,
        482_314_551_296,
    ),
    "V3, MobileNet": (
        lambda: DeepLabV3(21, backbone="mobilenet_v3_large"),
        11_025_477,
        19_651_936_000,
    ),
    "V3, auxiliary": (
        lambda: DeepLabV3(21, output_stride=8, auxiliary=True),
        42_004_074,
        327_158_857_728,
    ),
    "V3+": (lambda: DeepLabV3Plus(21), 39_761_845, 119_119_282_176),
    "V3+ at stride 8": (lambda: DeepLabV3Plus(21, output_stride=8), 39_761_845, 345_813_024_768),
    "V3+, ResNet-101": (lambda: DeepLabV3Plus(21, backbone="resnet101"), 58_753_973, None),
    "V3+, separable": (lambda: DeepLabV3Plus(21, separable=True), 26_682_725, 73_290_219_520),
    "V2": (lambda: DeepLabV2(21), 42_500_160 + 4 * (2048 * 9 + 1) * 21, None),
}


@pytest.mark.parametrize("name", SIZES)
def test_parameters_and_operations(name):
    make, parameters, operations = SIZES[name]
    with torch.device("meta"):
        net, x = make().eval(), torch.empty(1, 3, 512, 512)
    assert sum(p.numel() for p in net.parameters()) == parameters
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert net(x).shape == (1, 21, 512, 512)
    if operations is not None:
        assert counter.get_total_flops() == operations


def test_the_auxiliary_head_costs_nothing_outside_training():
    with torch.device("meta"):
        net = DeepLabV3(21, output_stride=8, auxiliary=True)
        x = torch.empty(2, 3, 512, 512)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x)
    assert counter.get_total_flops() == 2 * 346_530_250_752  # torchvision's, with both heads


def transferred(theirs: nn.Module, mine: nn.Module) -> None:
    """Give a network the weights of another, place by place; statistics as after training."""
    for part in theirs.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    names = [name for name in mine.state_dict() if name not in ("backbone.mean", "backbone.std")]
    values = theirs.state_dict().values()
    loaded = dict(zip(names, values, strict=True))
    mine.load_state_dict(loaded, strict=False, assign=True)
    assert not any(value.is_meta for name, value in mine.state_dict().items() if name in loaded)


def difference(mine: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, where the largest of their numbers is 1."""
    return float((mine - theirs).abs().max() / theirs.abs().max())


def tall(net: nn.Module) -> int:
    """Rows of a picture whose map has 38 of them, so that taps at a rate of 36 fall inside."""
    return 37 * net.backbone.output_stride + 1


def meta(make) -> nn.Module:
    """A network without numbers, but for the pictures' statistics; the transfer brings the rest."""
    with torch.device("meta"):
        net = make()
    net.backbone.mean, net.backbone.std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    return net


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deeplabv3_mobilenet_v3_large", {"rates": (12, 24, 36)}),
        pytest.param("deeplabv3_resnet50", {"output_stride": 8}, marks=pytest.mark.slow),
        pytest.param("deeplabv3_resnet101", {"output_stride": 8}, marks=pytest.mark.slow),
    ],
)
def test_v3_is_torchvision_s(name, options):
    theirs = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=5).eval()
    backbone = name.removeprefix("deeplabv3_")
    if backbone.startswith("mobilenet"):
        backbone = Backbone(backbone, output_stride=16, dilate_first=True)
    mine = meta(lambda: DeepLabV3(5, backbone=backbone, **options)).eval()
    transferred(theirs, mine)
    x = torch.rand(1, 3, tall(mine), 33)
    with torch.no_grad():
        expected = theirs(x)["out"]
        assert difference(mine(x), expected) < 1e-5
        mine.aspp.branches[3][0].padding = mine.aspp.branches[3][0].dilation = (35, 35)
        assert difference(mine(x), expected) > 1e-4


@pytest.mark.slow
def test_v3_trains_as_torchvision_s_does():
    theirs = segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=True
    ).double()
    mine = meta(lambda: DeepLabV3(5, output_stride=8, auxiliary=True))
    transferred(theirs, mine)
    mine.backbone.double()
    x, labels = torch.rand(2, 3, 33, 49, dtype=torch.float64), torch.randint(5, (2, 33, 49))
    found = []
    for net in (theirs, mine):
        torch.manual_seed(1)  # of the dropout
        output = net.train()(x)
        assert list(output) == ["out", "aux"]
        loss = sum(F.cross_entropy(logits, labels) for logits in output.values())
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        found.append([*output.values(), *gradients])
    for theirs_, mine_ in zip(*found, strict=True):
        torch.testing.assert_close(mine_, theirs_, rtol=1e-6, atol=1e-9)


PEERS = {
    "V3": (smp.DeepLabV3, DeepLabV3, {"output_stride": 8}),
    "V3+": (smp.DeepLabV3Plus, DeepLabV3Plus, {"output_stride": 16, "separable": True}),
    "V3+ at stride 8": (smp.DeepLabV3Plus, DeepLabV3Plus, {"output_stride": 8, "separable": True}),
}


@pytest.mark.parametrize("backbone", ["resnet18", pytest.param("resnet50", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PEERS)
def test_v3_and_v3plus_are_those_of_segmentation_models_pytorch(name, backbone):
    peer, model, options = PEERS[name]
    stride = options["output_stride"]
    theirs = peer(backbone, encoder_weights=None, encoder_output_stride=stride, classes=5).eval()
    encoder = Backbone(backbone, output_stride=stride, dilate_first=True)
    mine = model(5, backbone=encoder, rates=(12, 24, 36), align_corners=True, **options).eval()
    transferred(theirs, mine)
    x = torch.rand(1, 3, tall(mine) + 15, 32)
    with torch.no_grad():
        expected = theirs(x)
        assert difference(mine(x), expected) < 1e-5
        mine.align_corners = False  # what the libraries disagree about, and no count shows
        assert difference(mine(x), expected) > 0.01


class Small(nn.Module):
    """A backbone of one's own: three maps, at strides 2, 4 and 4."""

    def __init__(self):
        super().__init__()
        self.channels = {"stage1": 4, "stage2": 8, "stage3": 16}
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.third = nn.Conv2d(8, 16, 3, padding=2, dilation=2)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        first = self.norm(self.first(x)).relu()
        second = self.second(first).relu()
        return {"stage1": first, "stage2": second, "stage3": self.third(second).relu()}


NETWORKS = {
    "V2": lambda **options: DeepLabV2(5, backbone=Small(), rates=(1, 2), **options),
    "V3": lambda **options: DeepLabV3(5, backbone=Small(), rates=(1, 2), width=8, **options),
    "V3+": lambda **options: DeepLabV3Plus(5, backbone=Small(), rates=(1, 2), width=8, **options),
    "V3+, separable": lambda **options: DeepLabV3Plus(
        5, backbone=Small(), rates=(1, 2), width=8, separable=True, **options
    ),
    "V3+, finer bridge": lambda **options: DeepLabV3Plus(
        5, backbone=Small(), rates=(), width=8, bridge="stage1", bridge_width=3, **options
    ),
}


@pytest.mark.parametrize("size", [(32, 48), (33, 49), (17, 5), (1, 1)])
@pytest.mark.parametrize("name", NETWORKS)
def test_any_size_and_every_parameter_learns(name, size):
    net = NETWORKS[name]()
    logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, 5, *size)
    logits.square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
    if size == (33, 49):
        dead = [name for name, p in net.named_parameters() if not p.grad.any()]
        assert dead == []


@pytest.mark.parametrize("name", ["V3", "V3+"])
def test_the_auxiliary_head_speaks_while_training(name):
    net = NETWORKS[name](auxiliary=True)
    x = torch.rand(2, 3, 33, 49)
    output = net(x)
    assert {name: tuple(logits.shape) for name, logits in output.items()} == {
        "out": (2, 5, 33, 49),
        "aux": (2, 5, 33, 49),
    }
    output["aux"].sum().backward()
    reached = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is not None}
    assert reached == {"backbone", "auxiliary"}
    assert net.backbone.third.weight.grad is None  # it listens one map earlier
    assert net.eval()(x).shape == (2, 5, 33, 49)


@pytest.mark.parametrize("name", ["V3", "V3+"])
def test_a_batch_of_one_is_explained_before_anything_has_moved(name):
    net, x = NETWORKS[name](), torch.rand(1, 3, 32, 48)
    with pytest.raises(ValueError, match="a batch of one picture cannot train here"):
        net(x)
    assert not net.backbone.norm.running_mean.any()
    assert net.eval()(x).shape == (1, 5, 32, 48)
    assert NETWORKS[name](image_pooling=False)(x).shape == (1, 5, 32, 48)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_rates_span_the_same_pixels_at_every_stride(stride):
    net = DeepLabV3(2, backbone=Small(), output_stride=stride, width=4)
    dilations = [branch[0].dilation[0] for branch in net.aspp.branches[1:-1]]
    assert dilations == {8: [12, 24, 36], 16: [6, 12, 18], 32: [3, 6, 9]}[stride]


@pytest.mark.parametrize("name", NETWORKS)
def test_attention_stands_on_the_deepest_map(name):
    seen = []

    class Watch(nn.Identity):
        def forward(self, x):
            seen.append(x)
            return x * 0

    channels = []
    net = NETWORKS[name](attention=lambda c: channels.append(c) or Watch()).eval()
    plain = NETWORKS[name]().eval()
    assert net.state_dict().keys() == plain.state_dict().keys()
    logits = net(torch.rand(1, 3, 32, 48))
    assert channels == [16]
    assert seen[0].shape == (1, 16, 8, 12)
    if name in ("V2", "V3"):  # without the deepest map, the middle of the picture is uniform
        assert torch.allclose(logits[..., 14:18, 22:26], logits[..., 15:16, 23:24], atol=1e-6)


def test_v2_sums_its_branches():
    net = DeepLabV2(5, backbone=Small(), rates=(1, 3)).double()
    x = torch.rand(2, 3, 24, 32, dtype=torch.float64)
    deepest = net.backbone(x)["stage3"]
    first, second = net.branches
    summed = F.conv2d(deepest, first.weight, first.bias, padding=1)
    summed += F.conv2d(F.pad(deepest, (3, 3, 3, 3)), second.weight, second.bias, dilation=3)
    expected = F.interpolate(summed, (24, 32), mode="bilinear", align_corners=False)
    assert torch.allclose(net(x), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DeepLabV2(5, backbone=Small(), rates=()), "give one or more"),
        (lambda: DeepLabV3(5, backbone=Small(), rates=(0, 1)), "each is a whole number"),
        (lambda: DeepLabV3(5, backbone=Small(), weights="DEFAULT"), "goes with a name"),
        (lambda: DeepLabV3Plus(5, backbone=Small(), bridge="stage9"), "stage1, stage2, stage3"),
        (lambda: DeepLabV3(5, backbone="vgg16"), "ResNet or a MobileNet"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
