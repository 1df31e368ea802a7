"""DANet: the authors' counts and formulas, three outputs while it trains, one when it predicts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segtutor.models.attention import CBAM, attention_maps
from segtutor.models.backbones import Backbone
from segtutor.models.danet import DANet, DANetHead
from segtutor.models.small import SmallBackbone


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def small(classes: int = 5, **options) -> DANet:
    """A tiny DANet whose gains are open, as after some training."""
    net = DANet(classes, backbone=SmallBackbone(width=8, output_stride=8), **options)
    for branch in (net.head.position, net.head.channel):
        branch[1].gain.data.fill_(0.5)
    return net


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_parameters_are_the_authors() -> None:
    with torch.device("meta"):
        assert parameters(DANetHead(2048, 19, auxiliary=True)) == 23_954_619
        assert parameters(DANetHead(2048, 21, auxiliary=True)) == 23_957_697
        assert parameters(DANet(19, auxiliary=True)) == 47_462_651
        further = 2 * (512 * 19 + 19)  # the classifiers that only training uses
        assert parameters(DANetHead(2048, 19)) == 23_954_619 - further


@pytest.mark.slow
def test_parameters_on_resnet101() -> None:
    with torch.device("meta"):
        assert parameters(DANet(19, backbone="resnet101", auxiliary=True)) == 66_454_779
        assert parameters(DANet(21, backbone="resnet101", auxiliary=True)) == 66_457_857


def test_multiply_adds_are_mmsegmentation_s() -> None:
    """Measured there at 512×512: 421,661,769,728 FLOPs, in eval mode."""
    with torch.device("meta"), torch.no_grad():
        net = DANet(19, auxiliary=True).eval()
        with FlopCounterMode(display=False) as counter:
            net(torch.zeros(1, 3, 512, 512))
    # There: a first layer of three 3×3 convolutions, and classifiers of the branches that run.
    deep_stem = 9 * (3 * 32 + 32 * 32 + 32 * 64) - 49 * 3 * 64
    further = 2 * 512 * 19
    ours = counter.get_total_flops() + 2 * (deep_stem * 256**2 + further * 64**2)
    assert ours == 421_661_769_728


def test_the_head_by_formulas() -> None:
    head, x = DANetHead(32, 5, auxiliary=True).double(), torch.randn(2, 32, 3, 4).double()
    head.position[1].gain.data.fill_(0.6)
    head.channel[1].gain.data.fill_(0.4)

    def conv(x: torch.Tensor, layers: nn.Sequential) -> torch.Tensor:
        x = F.conv2d(x, layers[0].weight, padding=1)
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        return ((x - mean.view(1, -1, 1, 1)) / (var.view(1, -1, 1, 1) + 1e-5).sqrt()).relu()

    def project(x: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
        return torch.einsum("oc,nchw->nohw", layer.weight[:, :, 0, 0], x) + layer.bias.view(
            -1, 1, 1
        )

    before, attend, after = head.position
    x1 = conv(x, before)
    query, key, value = (project(x1, layer).flatten(2)
                         for layer in (attend.query, attend.key, attend.value))  # fmt: skip
    shares = torch.einsum("nci,ncj->nij", query, key).softmax(2)
    found = torch.einsum("nij,ncj->nci", shares, value).view_as(x1)
    position = conv(x1 + 0.6 * found, after)

    before, _, after = head.channel
    x2 = conv(x, before)
    rows = x2.flatten(2)
    energy = torch.einsum("nai,nbi->nab", rows, rows)
    shares = (energy.amax(2, keepdim=True) - energy).softmax(2)
    channel = conv(x2 + 0.4 * torch.einsum("nab,nbi->nai", shares, rows).view_as(x2), after)

    dropouts = [module.eval() for module in head.modules() if isinstance(module, nn.Dropout2d)]
    assert [dropout.p for dropout in dropouts] == [0.1] * 3
    ours = head(x)
    for name, features in {"out": position + channel, "position": position,
                           "channel": channel}.items():  # fmt: skip
        assert torch.allclose(ours[name], project(features, head.classify[name][1])), name


def test_three_outputs_in_training_and_one_in_prediction() -> None:
    x = torch.rand(2, 3, 33, 47)
    net = small(auxiliary=True)
    outputs = net(x)
    assert list(outputs) == ["out", "position", "channel"]  # as `fit` weighs them: out comes first
    assert {each.shape for each in outputs.values()} == {(2, 5, 33, 47)}
    net.eval()
    assert net(x).shape == (2, 5, 33, 47)
    assert isinstance(small()(x), torch.Tensor)


@pytest.mark.parametrize("size", [(64, 96), (65, 97), (9, 17)])
@pytest.mark.parametrize("auxiliary", [False, True])
def test_every_parameter_learns(size: tuple[int, int], auxiliary: bool) -> None:
    net = small(auxiliary=auxiliary).double()
    outputs = net(torch.rand(2, 3, *size, dtype=torch.double))
    outputs = outputs.values() if auxiliary else [outputs]
    sum(each.square().mean() for each in outputs).backward()
    still = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-14]
    assert still == ["head.position.1.key.bias"]  # softmax ignores it; the authors have it


def test_a_batch_of_one_picture() -> None:
    net = small()
    assert net(torch.rand(1, 3, 16, 24)).shape == (1, 5, 16, 24)
    with pytest.raises(ValueError, match="batch of one picture"):
        net(torch.rand(1, 3, 8, 8))
    with pytest.raises(ValueError, match="batch of one picture"):
        DANetHead(16, 5)(torch.rand(1, 16, 1, 1))
    assert net.eval()(torch.rand(1, 3, 8, 8)).shape == (1, 5, 8, 8)


def test_the_backbone_is_dilated_and_may_be_one_s_own() -> None:
    net = DANet(3, backbone="resnet18").eval()
    sizes = [tuple(x.shape[-2:]) for x in net.backbone(torch.zeros(1, 3, 64, 96)).values()]
    assert sizes[-3:] == [(8, 12)] * 3
    grid = Backbone("resnet18", output_stride=8, multi_grid=(1, 2))
    assert DANet(3, backbone=grid).eval()(torch.rand(1, 3, 31, 40)).shape == (1, 3, 31, 40)


def test_its_maps_and_a_further_block() -> None:
    net = small(attention=lambda channels: CBAM(channels, reduction=4)).eval()
    maps = attention_maps(net, torch.rand(1, 3, 24, 40))
    assert list(maps) == ["attention", "head.position.1", "head.channel.1"]
    assert maps["head.position.1"].shape == (1, 3, 5, 3, 5)
    assert maps["head.channel.1"].shape == (1, 16, 16)
    assert parameters(net) - parameters(small()) == parameters(CBAM(64, reduction=4))


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.rand(1, 1, 32, 32), ValueError, "expand"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), TypeError, "divide by 255"),
        (torch.rand(3, 32, 32), ValueError, r"x\[None\]"),
    ],
)
def test_what_cannot_be_is_said(x: torch.Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        small().eval()(x)


def test_weights_belong_to_a_name() -> None:
    with pytest.raises(ValueError, match="your own backbone has its own"):
        DANet(2, backbone=SmallBackbone(), weights="DEFAULT")
