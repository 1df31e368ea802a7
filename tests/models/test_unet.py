"""U-Net: its size, its shapes, what each picture element can see, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.models import UNet
from segtutor.models.unet import Up


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def expected(classes: int, inputs: int, width: int, depth: int) -> int:
    """Count with pencil and paper: kernels, two numbers a batch norm, biases where they are."""
    widths = [width * 2**level for level in range(depth + 1)]
    total = 0
    for before, after in zip([inputs, *widths], widths, strict=False):
        total += 9 * before * after + 9 * after * after + 4 * after
    for channels in widths[1:]:
        half = channels // 2
        total += 4 * channels * half + half  # the transposed convolution and its bias
        total += 9 * channels * half + 9 * half * half + 4 * half
    return total + width * classes + classes


def test_parameters_are_those_of_the_docstring() -> None:
    assert parameters(UNet(8, width=16, depth=3)) == expected(8, 3, 16, 3) == 482_856
    assert parameters(UNet(2)) == expected(2, 3, 64, 4) == 31_037_698


def test_the_papers_count_is_this_one_but_for_channels_and_batch_norm() -> None:
    # Published: one input channel, biases, no batch norm: 31,030,658 (2 classes).
    net = UNet(2, in_channels=1)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    in_norms = sum(parameters(norm) for norm in norms)
    biases = sum(norm.num_features for norm in norms)  # one per channel of each 3×3 convolution
    assert parameters(net) - in_norms + biases == 31_030_658


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 41), st.integers(4, 41), st.integers(1, 2), st.integers(1, 3))
def test_any_size_comes_back(height: int, width: int, images: int, inputs: int) -> None:
    net = UNet(5, in_channels=inputs, width=4, depth=2).eval()
    assert net(torch.randn(images, inputs, height, width)).shape == (images, 5, height, width)


@pytest.mark.parametrize("size", [(16, 24), (17, 23)])
def test_every_parameter_learns(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = UNet(3, width=4, depth=3)
    net(torch.randn(2, 3, *size)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if not p.grad.abs().sum() > 0] == []


def test_skips_bring_the_fine_map_before_the_deep_one() -> None:
    torch.manual_seed(0)
    up = Up(8).eval()
    x, skip = torch.randn(1, 8, 3, 4), torch.randn(1, 4, 6, 8)
    by_hand = up.merge(torch.cat([skip, up.grow(x)], dim=1))
    assert torch.equal(up(x, skip), by_hand)


def test_an_odd_skip_repeats_the_last_row_and_column() -> None:
    torch.manual_seed(0)
    up = Up(8).eval()
    x, skip = torch.randn(1, 8, 3, 4), torch.randn(1, 4, 7, 9)
    seen = {}
    up.merge.register_forward_pre_hook(lambda module, inputs: seen.update(joined=inputs[0]))
    up(x, skip)
    doubled = seen["joined"][:, 4:]
    assert torch.equal(doubled[..., :6, :8], up.grow(x))
    assert torch.equal(doubled[..., 6, :], doubled[..., 5, :])
    assert torch.equal(doubled[..., 8], doubled[..., 7])


def test_a_shift_by_the_coarsest_stride_shifts_the_answer() -> None:
    torch.manual_seed(0)
    net = UNet(3, width=4, depth=2).eval()
    image = torch.randn(1, 3, 96, 96)
    shifted = image.roll((4, 8), dims=(-2, -1))
    inner = (..., slice(40, 56), slice(40, 56))  # the border's padding does not reach this far
    moved = net(image).roll((4, 8), dims=(-2, -1))
    assert torch.allclose(net(shifted)[inner], moved[inner], atol=1e-5)
    odd = image.roll((1, 0), dims=(-2, -1))
    assert not torch.allclose(net(odd)[inner], net(image).roll((1, 0), (-2, -1))[inner], atol=1e-5)


def test_half_precision_and_channels_last() -> None:
    torch.manual_seed(0)
    net, image = UNet(3, width=8, depth=2).eval(), torch.randn(2, 3, 17, 22)
    plain = net(image)
    last = net.to(memory_format=torch.channels_last)(
        image.contiguous(memory_format=torch.channels_last)
    )
    assert torch.allclose(last, plain, atol=1e-5)
    assert torch.allclose(net.bfloat16()(image.bfloat16()).float(), plain, atol=0.05)


def test_too_small_a_picture_is_named_with_its_cure() -> None:
    with pytest.raises(ValueError, match=r"7×20 pixels .* 3 times: pad it to 8×8 or take depth=2"):
        UNet(2, width=2, depth=3)(torch.zeros(1, 3, 7, 20))


@pytest.mark.parametrize("bad", [{"width": 0}, {"depth": 0}, {"in_channels": -1}])
def test_what_cannot_be_built(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))}=.*at least 1"):
        UNet(2, **bad)
    with pytest.raises(ValueError, match="num_classes=0"):
        UNet(0)
