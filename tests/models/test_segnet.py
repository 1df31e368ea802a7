"""SegNet: the layers of the authors' network, its sizes, and what the indices bring back."""

from __future__ import annotations

from itertools import chain

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.vgg import cfgs, make_layers, vgg16_bn

from segtutor.models import SegNet
from segtutor.ops import max_unpool2d

# Channels along the convolutions of Models/segnet_inference.prototxt, conv1_1 to conv1_1_D.
DOWN = [3, 64, 64, 128, 128, *[256] * 3, *[512] * 6]
UP = [*[512] * 5, 256, 256, 256, 128, 128, 64, 64, 11]
ALL = ("indices", "bilinear", "learned")


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_layer_by_layer_the_authors_network() -> None:
    with torch.device("meta"):
        net = SegNet(11)
    layers = list(chain(net.encoder.modules(), net.decoder.modules(), [net.head]))
    convs = [m for m in layers if isinstance(m, nn.Conv2d)]
    channels = DOWN + UP
    assert [m.in_channels for m in convs] == channels[:-1]
    assert [m.out_channels for m in convs] == channels[1:]
    assert all(m.kernel_size == (3, 3) and m.bias is not None for m in convs)
    norms = sum(parameters(m) for m in layers if isinstance(m, nn.BatchNorm2d))
    assert (parameters(net) - norms, norms) == (29_433_483, 15_872)
    assert parameters(net) == 29_449_355


@pytest.mark.parametrize("upsampling", ALL)
def test_parameters_of_the_networks_compared(upsampling: str) -> None:
    with torch.device("meta"):
        net = SegNet(11, upsampling=upsampling)
    learned = sum(4 * c * c + c for c in (512, 512, 256, 128, 64))
    assert parameters(net) == 29_449_355 + (learned if upsampling == "learned" else 0)
    assert learned == 2_442_688


def test_indices_cost_no_multiply_adds() -> None:
    flops = []
    for upsampling in ALL:
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            SegNet(11, upsampling=upsampling).eval()(torch.zeros(1, 3, 64, 64))
        flops.append(counter.get_total_flops())
    by_hand, side = 0, 64
    for count, before, after in zip((2, 2, 3, 3, 3), (3, 64, 128, 256, 512),
                                    (64, 128, 256, 512, 512), strict=True):  # fmt: skip
        back = 11 if before == 3 else before
        kernels = (before + back) * after + 2 * (count - 1) * after * after
        by_hand += 2 * 9 * kernels * side * side
        side //= 2
    assert flops[0] == flops[1] == by_hand < flops[2]


def test_camvid_s_sizes_are_the_authors() -> None:
    """Caffe's pooling rounds up: 45 rows become 23, and `upsample_h: 45` brings them back."""
    net, seen = SegNet(11, width=1).eval(), []
    for stage in net.decoder:
        stage.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-2:]))
    assert net(torch.zeros(1, 3, 360, 480)).shape == (1, 11, 360, 480)
    assert seen == [(23, 30), (45, 60), (90, 120), (180, 240), (360, 480)]


@pytest.mark.parametrize("size", [(64, 96), (37, 53), (1, 9)])
def test_by_hand(size: tuple[int, int]) -> None:
    net = SegNet(4, width=3, depth=3).double().eval()
    for module in net.modules():  # statistics that an untrained network does not have
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    weights = iter(v for k, v in net.state_dict().items() if "tracked" not in k)

    def convs(x: torch.Tensor, count: int) -> torch.Tensor:
        for _ in range(count):
            x = F.conv2d(x, next(weights), next(weights), padding=1)
            scale, shift, mean, var = (next(weights)[:, None, None] for _ in range(4))
            x = ((x - mean) / (var + 1e-5).sqrt() * scale + shift).relu()
        return x

    kept, expected = [], x
    for count in (2, 2, 3):
        expected = convs(expected, count)
        pooled, indices = F.max_pool2d(expected, 2, ceil_mode=True, return_indices=True)
        kept.append((indices, expected.shape))
        expected = pooled
    for count in (3, 2, 1):
        indices, shape = kept.pop()
        expected = convs(max_unpool2d(expected, indices, 2, output_size=shape[-2:]), count)
    expected = F.conv2d(expected, next(weights), next(weights), padding=1)
    torch.testing.assert_close(net(x), expected, atol=1e-12, rtol=1e-10)
    assert next(weights, None) is None


def test_only_the_indices_know_where() -> None:
    """A maximum that moves within its window moves the unpooled number, and nothing else does."""
    windows = torch.zeros(2, 1, 4, 4)
    windows[0, 0, 0, 0] = windows[1, 0, 1, 1] = 3.0
    pooled, indices = F.max_pool2d(windows, 2, ceil_mode=True, return_indices=True)
    assert torch.equal(pooled[0], pooled[1])
    for upsampling in ALL:
        net = SegNet(2, width=1, depth=1, upsampling=upsampling)
        with torch.no_grad():
            back = net.upsampled(pooled, 0, indices, (4, 4))
        assert torch.equal(back, windows) is (upsampling == "indices")
        assert torch.equal(back[0], back[1]) is (upsampling != "indices")


@pytest.mark.parametrize("upsampling", ALL)
def test_odd_sizes_stay_in_place(upsampling: str) -> None:
    net = SegNet(2, width=1, depth=1, upsampling=upsampling)
    if upsampling == "learned":
        nn.init.ones_(net.grow[0].weight)
        nn.init.zeros_(net.grow[0].bias)
    x = torch.zeros(1, 1, 5, 7)
    x[..., 2, 4] = x[..., 4, 6] = 1.0
    pooled, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    back = net.upsampled(pooled, 0, indices, (5, 7))
    assert back.shape == x.shape
    assert back[..., 4, 6] == 1  # the last row and column, which rounding down would lose
    assert back[..., 2, 4] > 0.5
    assert not back[..., :2, :2].any()


def test_weights_of_vgg16_fit() -> None:
    with torch.device("meta"):
        official, encoder = vgg16_bn().features.state_dict(), SegNet(11).encoder.state_dict()
    assert [v.shape for v in encoder.values()] == [v.shape for v in official.values()]

    net = SegNet(11, width=4).eval()
    features = make_layers([c if c == "M" else c // 16 for c in cfgs["D"]], batch_norm=True).eval()
    for module in features.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    net.encoder.load_state_dict(
        dict(zip(net.encoder.state_dict(), features.state_dict().values(), strict=True))
    )
    seen = []
    net.attention.register_forward_hook(lambda _, __, out: seen.append(out))
    x = torch.rand(1, 3, 64, 96)
    net(x)
    assert seen[0].std() > 0
    assert torch.equal(seen[0], features(x))


def test_a_batch_of_one_over_one_number_is_explained() -> None:
    net = SegNet(2, width=2, depth=3)
    with pytest.raises(ValueError, match=r"batch of one.*halving 3×4 pixels 2 times leaves one"):
        net(torch.zeros(1, 3, 3, 4))
    net(torch.zeros(1, 3, 3, 5))
    net(torch.zeros(2, 3, 1, 1))
    net.eval()(torch.zeros(1, 3, 1, 1))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"width": 0}, "width=0: at least 1"),
        ({"depth": 6}, "depth=6: .* take 1 to 5"),
        ({"in_channels": 0}, "in_channels=0.*at least 1"),
        ({"upsampling": "nearest"}, "upsampling='nearest': take 'indices', 'bilinear' or"),
    ],
)
def test_what_cannot_be_built(bad: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SegNet(2, **bad)
