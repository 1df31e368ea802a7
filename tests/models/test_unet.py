"""U-Net: its size, its shapes, what each picture element can see, and what it refuses."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms.v2.functional import center_crop

from segtutor.models import UNet
from segtutor.models.unet import Up

PUBLISHED = {"padded": False, "normalized": False}


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


def published(classes: int, **settings) -> UNet:
    return UNet(classes, **PUBLISHED, **settings)


@pytest.mark.parametrize(
    ("inputs", "classes", "count"),
    [(1, 2, 31_030_658), (3, 2, 31_031_810), (3, 1, 31_031_745), (3, 21, 31_033_045)],
)
def test_as_published(inputs: int, classes: int, count: int) -> None:
    with torch.device("meta"):
        net = published(classes, in_channels=inputs)
        assert net(torch.zeros(1, inputs, 572, 572)).shape == (1, classes, 388, 388)
    assert parameters(net) == count
    convolutions = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    assert sum(isinstance(m, convolutions) for m in net.modules()) == 23  # as the paper counts


def test_multiply_adds() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        UNet(2).eval()(torch.zeros(1, 3, 256, 256))
    assert counter.get_total_flops() == 96_343_162_880  # milesial/Pytorch-UNet


def test_as_published_by_hand() -> None:
    net = published(3, in_channels=1, width=4, depth=2).double()
    x = torch.randn(2, 1, 52, 60, dtype=torch.float64)
    weights = iter(net.state_dict().values())

    def convs(x: torch.Tensor) -> torch.Tensor:
        for _ in range(2):
            x = F.conv2d(x, next(weights), next(weights)).relu()
        return x

    fine = convs(x)
    middle = convs(F.max_pool2d(fine, 2))
    up = convs(F.max_pool2d(middle, 2))
    for skip in (middle, fine):
        up = F.conv_transpose2d(up, next(weights), next(weights), stride=2)
        up = convs(torch.cat([center_crop(skip, list(up.shape[-2:])), up], dim=1))
    expected = F.conv2d(up, next(weights), next(weights))
    assert expected.shape == (2, 3, 12, 20)
    torch.testing.assert_close(net(x), expected, atol=1e-12, rtol=1e-12)


def walked(size: int, depth: int) -> int | None:
    """Follow one side through the network, layer by layer; None where a map has a rest."""
    for _ in range(depth):
        size -= 4
        if size < 2 or size % 2:
            return None
        size //= 2
    for _ in range(depth):
        size = 2 * (size - 4)
        if size < 1:
            return None
    return size - 4 if size > 4 else None


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_which_sizes_fit_without_padding(depth: int) -> None:
    net = published(2, width=1, depth=depth)
    fitting = {size: walked(size, depth) for size in range(1, 600) if walked(size, depth)}
    for size in range(1, 560):
        if size in fitting:
            assert net.output_size(size) == fitting[size]
            continue
        nearest = [min(s for s in fitting if s > size)]
        nearest += [max((s for s in fitting if s < size), default=None)]
        with pytest.raises(ValueError, match=f"{size} pixels does not fit") as caught:
            net.output_size(size)
        named = [int(word.strip(",")) for word in str(caught.value).split() if word[0].isdigit()]
        assert named == [size, depth, *filter(None, nearest)]
    assert UNet(2, width=1).output_size(571) == 571


def test_a_tile_gives_what_the_whole_picture_gives() -> None:
    """Nothing at the border of a tile was made up; with padding it is."""
    picture = torch.randn(1, 3, 100, 84, dtype=torch.float64)
    for padded in (False, True):
        net = UNet(3, width=4, depth=2, padded=padded).double().eval()
        whole, tile = net(picture), net(picture[..., 8:60, 12:64])
        height, width = tile.shape[-2:]
        part = whole[..., 8 : 8 + height, 12 : 12 + width]
        assert torch.allclose(tile, part, atol=1e-12) is not padded


def test_without_batch_norm_the_signal_keeps_its_size() -> None:
    deep, seen = UNet(2, width=16, normalized=False), []
    deep.encoder[-1].register_forward_hook(lambda _, __, out: seen.append(out.std().item()))
    logits = deep(torch.randn(1, 3, 64, 64))
    assert 0.2 < seen[0] < 5
    assert 0.2 < logits.std() < 5
    for module in deep.modules():  # what PyTorch begins with
        if isinstance(module, torch.nn.Conv2d):
            module.reset_parameters()
    deep(torch.randn(1, 3, 64, 64))
    assert seen[1] < 0.1 * seen[0]


def test_three_ways_to_use_the_skips() -> None:
    x, skip, other = torch.randn(2, 8, 3, 4), torch.randn(2, 4, 7, 8), torch.randn(2, 4, 7, 8)
    by_name = {each: Up(8, skips=each).eval() for each in ("concatenate", "add", None)}
    for each, up in by_name.items():
        assert torch.equal(up(x, skip), up(x, other)) is (each is None)
    add = by_name["add"]
    grown = F.pad(add.grow(x), (0, 0, 0, 1), mode="replicate")
    assert torch.equal(add(x, skip), add.merge(grown + skip))
    whole, added, none = (parameters(UNet(8, width=16, depth=3, skips=each)) for each in by_name)
    saved = sum(9 * half * half for half in (16, 32, 64))  # half the channels come in
    assert added == none == whole - saved


def test_dropout_is_in_the_two_deepest_maps_and_only_in_training() -> None:
    net = UNet(2, width=8, depth=3, dropout=0.5)
    zeros = []
    net.dropout.register_forward_hook(lambda _, before, after: zeros.append(
        ((after == 0) & (before[0] != 0)).float().mean() / (before[0] != 0).float().mean()
    ))  # fmt: skip
    x = torch.randn(2, 3, 64, 64)
    assert not torch.equal(net(x), net(x))
    assert len(zeros) == 4
    assert all(0.4 < share < 0.6 for share in zeros)
    net.eval()
    assert torch.equal(net(x), net(x))


def test_a_batch_of_one_over_one_number_is_explained() -> None:
    net = UNet(2, width=2, depth=3)
    with pytest.raises(ValueError, match=r"batch of one.*halving 15×9 pixels 3 times leaves one"):
        net(torch.zeros(1, 3, 15, 9))
    net(torch.zeros(1, 3, 16, 9))
    net(torch.zeros(2, 3, 8, 8))
    UNet(2, width=2, depth=3, normalized=False)(torch.zeros(1, 3, 8, 8))
    net.eval()(torch.zeros(1, 3, 8, 8))


def test_an_unknown_use_of_skips_is_named() -> None:
    with pytest.raises(ValueError, match="skips='sum': take 'concatenate', 'add', or None"):
        UNet(2, skips="sum")
