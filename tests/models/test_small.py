"""The small backbone: stages, dilation, what it costs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segtutor.models.small import Residual, SmallBackbone


@pytest.mark.parametrize(("stages", "count"), [(4, 305_280), (5, 617_344)])
def test_the_number_of_parameters(stages, count):
    with torch.device("meta"):
        net = SmallBackbone(stages=stages)
    assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize("size", [(64, 96), (65, 97), (7, 5)])
@pytest.mark.parametrize("output_stride", [None, 16, 8, 4, 2])
def test_every_stage_has_its_size_and_channels(size, output_stride):
    net = SmallBackbone(width=4, stages=5, output_stride=output_stride).eval()
    maps = net(torch.rand(2, 3, *size))
    assert list(maps) == list(net.channels) == ["stage1", "stage2", "stage3", "stage4", "stage5"]
    for k, (name, x) in enumerate(maps.items(), 1):
        stride = min(2**k, output_stride or 32)
        assert x.shape == (2, net.channels[name], *(-(-side // stride) for side in size))
    assert list(net.channels.values()) == [4, 8, 16, 32, 32]


@pytest.mark.parametrize("stride", [16, 8, 4, 2])
def test_dilation_sees_what_strides_see(stride):
    """Every second (fourth, …) value of the dilated maps is that of the strided ones: exact."""
    torch.manual_seed(0)
    strided = SmallBackbone(width=4, stages=5).double().eval()
    dilated = SmallBackbone(width=4, stages=5, output_stride=stride).double().eval()
    dilated.load_state_dict(strided.state_dict())
    x = torch.rand(2, 3, 90, 131, dtype=torch.float64)
    with torch.no_grad():
        coarse, fine = strided(x), dilated(x)
    for k, name in enumerate(coarse, 1):
        step = max(2**k // stride, 1)
        assert torch.allclose(fine[name][..., ::step, ::step], coarse[name], atol=1e-12)


def test_a_kernel_that_is_dilated_too_early_sees_something_else():
    """The fault that the test above is for: the convolution that lost its stride is dilated too."""
    torch.manual_seed(0)
    strided = Residual(4, 8, stride=2).eval()
    x = torch.rand(1, 4, 16, 20)
    for dilation, equal in (((1, 2), True), ((2, 2), False), ((1, 1), False)):
        kept = Residual(4, 8, dilation=dilation).eval()
        kept.load_state_dict(strided.state_dict())
        with torch.no_grad():
            assert torch.allclose(kept(x)[..., ::2, ::2], strided(x), atol=1e-6) is equal


def test_no_parameter_is_dead():
    net = SmallBackbone(width=4, stages=5, output_stride=8)
    list(net(torch.rand(2, 3, 40, 52)).values())[-1].square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_a_seed_says_what_it_begins_with():
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(SmallBackbone(width=4).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_one_picture_trains_unless_its_map_is_a_single_pixel():
    net = SmallBackbone(width=4)
    net(torch.rand(1, 3, 16, 17))
    with pytest.raises(ValueError, match="1/16 of 16×16 pixels leaves one number a channel"):
        net(torch.rand(1, 3, 16, 16))
    net(torch.rand(2, 3, 16, 16))
    net.eval()(torch.rand(1, 3, 1, 1))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stages": 6}, "stages=6: take 1 to 5"),
        ({"stages": 0}, "stages=0"),
        ({"output_stride": 12}, "output_stride=12"),
        ({"width": 0}, "width=0"),
    ],
)
def test_what_cannot_be_is_said(settings, words):
    with pytest.raises(ValueError, match=words):
        SmallBackbone(**settings)


def test_wrong_pictures_are_refused():
    net = SmallBackbone(width=4, in_channels=1)
    with pytest.raises(ValueError, match="reads 1"):
        net(torch.rand(2, 3, 16, 17))
    with pytest.raises(TypeError, match="divide by 255"):
        net(torch.zeros(2, 1, 16, 17, dtype=torch.uint8))


def test_the_convolutions_have_no_dead_bias():
    assert not [
        m for m in SmallBackbone().modules() if isinstance(m, nn.Conv2d) and m.bias is not None
    ]


def test_channels_last_learns_without_harm():
    """A strided 1×1 convolution of three channels, channels last, overwrote memory backward."""
    net = SmallBackbone(stages=1).to(memory_format=torch.channels_last)
    x = torch.rand(8, 3, 64, 96).contiguous(memory_format=torch.channels_last)
    strided = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d) and m.stride != (1, 1)]
    assert all(conv.kernel_size == (3, 3) for conv in strided)
    for _ in range(30):
        net(x)["stage1"].square().mean().backward()
