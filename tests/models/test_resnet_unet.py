"""ResNet U-Net: the network of segmentation-models-pytorch, with its weights and its numbers."""

from __future__ import annotations

import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segtutor.models import ResNetUNet, SmallBackbone

COUNTS = {"resnet18": 14_328_209, "resnet34": 24_436_369, "resnet50": 32_521_105}
FLOPS = {"resnet18": 10_796_138_496, "resnet34": 15_627_976_704, "resnet50": 21_265_121_280}


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        net = ResNetUNet(1, backbone=name).eval()
        assert net(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 256, 256)
    assert sum(p.numel() for p in net.parameters()) == COUNTS[name]
    assert counter.get_total_flops() == FLOPS[name]


def transfer(peer, net):
    """Copy a peer's weights, tensor by tensor; in each first joined layer the skip comes last."""
    skips = [*list(net.backbone.channels.values())[-2::-1], 0]
    state = {k: v for k, v in net.state_dict().items() if k[9:] not in ("mean", "std")}
    for (name, mine), (_, theirs) in zip(state.items(), peer.state_dict().items(), strict=True):
        assert mine.shape == theirs.shape, name
        part, level, *layer = name.split(".")
        if part == "decoder" and layer == ["0", "weight"]:
            theirs = theirs.roll(skips[int(level)], dims=1)
        mine.copy_(theirs)


def awake(net):
    """Give batch norm the statistics of an untrained network's own maps: none is 0 and 1."""
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 3, 64, 64, dtype=torch.float64))
    return net.eval()


@pytest.mark.parametrize(
    "name", ["resnet18", *(pytest.param(n, marks=pytest.mark.slow) for n in list(COUNTS)[1:])]
)
def test_with_the_weights_of_smp_it_gives_their_numbers(name):
    peer = awake(smp.Unet(name, encoder_weights=None, classes=3).double())
    net = ResNetUNet(3, backbone=name).double().eval()
    transfer(peer, net)
    for size in ((64, 96), (65, 97), (33, 46)):
        x = torch.rand(2, 3, *size, dtype=torch.float64)
        with torch.no_grad():
            expected = peer(x)
            assert expected.std() > 0.01
            torch.testing.assert_close(net(x), expected, atol=1e-10, rtol=1e-10)
    peer.float(), net.float()
    with torch.no_grad():
        assert (net(x.float()) - peer(x.float())).abs().max() < 1e-5 * expected.abs().max()


def test_by_hand():
    net = ResNetUNet(2, backbone=SmallBackbone(width=4, stages=3), widths=(8, 6, 4)).eval()
    x = torch.rand(2, 3, 33, 50)
    half, quarter, eighth = net.backbone(x).values()
    up = net.decoder[0](torch.cat([quarter, F.interpolate(eighth, quarter.shape[2:])], 1))
    up = net.decoder[1](torch.cat([half, F.interpolate(up, half.shape[2:])], 1))
    up = net.decoder[2](F.interpolate(up, (33, 50)))
    assert torch.equal(net(x), net.head(up))


def test_one_width_less_ends_at_half_the_size_and_is_enlarged():
    net = ResNetUNet(2, backbone=SmallBackbone(width=4, stages=3), widths=(8, 6)).eval()
    seen = []
    net.head.register_forward_hook(lambda _, __, out: seen.append(out))
    logits = net(torch.rand(2, 3, 33, 50))
    assert seen[0].shape == (2, 2, 17, 25)
    assert torch.equal(logits, F.interpolate(seen[0], (33, 50), mode="bilinear"))


def test_a_backbone_of_one_s_own_is_taken_as_it_is():
    backbone = SmallBackbone(width=4)
    net = ResNetUNet(2, backbone=backbone, widths=(8, 8, 8))
    assert net.backbone is backbone
    assert isinstance(net.attention, nn.Identity)


@pytest.mark.parametrize("widths", [(8, 8), (8, 8, 8, 8, 8), ()])
def test_widths_that_do_not_fit_are_named(widths):
    with pytest.raises(ValueError, match="one number for each of stage3, stage2, stage1, and one"):
        ResNetUNet(2, backbone=SmallBackbone(width=4), widths=widths)
