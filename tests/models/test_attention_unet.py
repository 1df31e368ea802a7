"""Attention U-Net: the reference's counts and multiply-adds, and its steps one by one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segtutor.models.attention import SCSE, attention_maps
from segtutor.models.attention_unet import AttentionUNet, GatedUp


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_parameters_and_multiply_adds_are_the_reference_s() -> None:
    with torch.device("meta"), torch.no_grad():
        net = AttentionUNet(1).eval()
        plain = AttentionUNet(1, gated=False).eval()
        flops = []
        for each in (net, plain):
            with FlopCounterMode(display=False) as counter:
                each(torch.zeros(1, 3, 256, 256))
            flops.append(counter.get_total_flops())
        without = AttentionUNet(1, bias=False)
    assert (parameters(net), parameters(plain)) == (34_878_573, 34_527_041)
    assert flops == [132_849_860_608, 130_694_512_640]
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    dead = sum(norm.num_features for norm in norms)  # a bias for each channel of a batch norm
    assert parameters(net) - parameters(without) == dead == 7_812


def test_parameters_of_each_part_are_the_reference_s() -> None:
    with torch.device("meta"):
        net = AttentionUNet(1)
    encoder = [38_976, 221_952, 886_272, 3_542_016, 14_161_920]
    assert [parameters(block) for block in net.encoder] == encoder
    grow = [4_720_128, 1_180_416, 295_296, 73_920]
    assert [parameters(up.grow) for up in net.decoder] == grow
    assert [parameters(up.gate) for up in net.decoder] == [263_939, 66_435, 16_835, 4_323]
    merge = [7_080_960, 1_771_008, 443_136, 110_976]
    assert [parameters(up.merge) for up in net.decoder] == merge


def norm(x: torch.Tensor) -> torch.Tensor:
    """Batch norm as it begins: no factor, no offset."""
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / ((x - mean).square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()


def test_one_step_by_formulas() -> None:
    up = GatedUp(8).double()
    x, skip = torch.randn(2, 8, 3, 4).double(), torch.randn(2, 4, 6, 8).double()
    grown = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    grown = norm(F.conv2d(grown, up.grow[0].weight, padding=1)).relu()
    from_gate = norm(F.conv2d(grown, up.gate.from_gate[0].weight))
    from_skip = norm(F.conv2d(skip, up.gate.from_skip[0].weight))
    score = norm(F.conv2d((from_gate + from_skip).relu(), up.gate.score[0].weight))
    gate = 1 / (1 + (-score).exp())
    joined = torch.cat([gate * skip, grown], dim=1)
    once = norm(F.conv2d(joined, up.merge[0].weight, padding=1)).relu()
    twice = norm(F.conv2d(once, up.merge[3].weight, padding=1)).relu()
    assert torch.allclose(up(x, skip), twice)  # with biases, which batch norm has canceled
    assert torch.allclose(up.gate.maps(skip, grown), gate)


def test_without_gates_the_skips_pass_whole() -> None:
    up = GatedUp(8, gated=False).eval()
    x, skip = torch.randn(2, 8, 3, 4), torch.randn(2, 4, 7, 8)
    grown = up.grow(F.interpolate(x, size=(7, 8), mode="nearest-exact"))
    assert torch.equal(up(x, skip), up.merge(torch.cat([skip, grown], dim=1)))


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (8, 8), (9, 15), (65, 97)])
@pytest.mark.parametrize("gated", [True, False])
def test_any_size_comes_back_and_every_parameter_learns(size: tuple[int, int], gated: bool) -> None:
    net = AttentionUNet(5, width=4, depth=3, gated=gated, bias=False).double()
    logits = net(torch.rand(2, 3, *size, dtype=torch.double))
    assert logits.shape == (2, 5, *size)
    (logits * torch.randn_like(logits)).mean().backward()
    still = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-9]
    assert still == []


def test_its_maps_and_a_further_block() -> None:
    make = lambda channels: SCSE(channels, reduction=4)  # noqa: E731
    net = AttentionUNet(5, width=4, depth=3, attention=make).eval()
    maps = attention_maps(net, torch.rand(1, 3, 24, 41))
    assert list(maps) == ["attention", "decoder.0.gate", "decoder.1.gate", "decoder.2.gate"]
    sizes = [(1, 1, 6, 10), (1, 1, 12, 20), (1, 1, 24, 41)]
    assert [tuple(maps[f"decoder.{k}.gate"].shape) for k in range(3)] == sizes
    extra = parameters(net) - parameters(AttentionUNet(5, width=4, depth=3))
    assert extra == parameters(SCSE(32, reduction=4))


def test_half_precision_and_one_channel() -> None:
    net, x = AttentionUNet(3, in_channels=1, width=4, depth=2).eval(), torch.rand(2, 1, 17, 22)
    plain = net(x)
    assert torch.allclose(net.bfloat16()(x.bfloat16()).float(), plain, atol=0.05)


def test_a_batch_of_one_picture() -> None:
    net = AttentionUNet(2, width=2, depth=3)
    assert net(torch.rand(1, 3, 16, 8)).shape == (1, 2, 16, 8)
    with pytest.raises(ValueError, match=r"batch of one picture.*15×8 pixels 3 times"):
        net(torch.rand(1, 3, 15, 8))
    assert net.eval()(torch.rand(1, 3, 8, 8)).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (
            torch.rand(1, 3, 7, 20),
            ValueError,
            "7×20 pixels .* 3 times: pad it to 8×8",
        ),
        (torch.rand(1, 1, 32, 32), ValueError, "expand"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), TypeError, "divide by 255"),
        (torch.rand(3, 32, 32), ValueError, r"x\[None\]"),
    ],
)
def test_what_cannot_be_is_said(x: torch.Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        AttentionUNet(2, width=2, depth=3).eval()(x)


@pytest.mark.parametrize("bad", [{"width": 0}, {"depth": 0}, {"in_channels": -1}])
def test_what_cannot_be_built(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))}=.*at least 1"):
        AttentionUNet(2, **bad)
