"""PSPNet: the author's sizes, its pyramid computed by hand, and deep layers that learn."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segtutor import ops
from segtutor.models.backbones import Backbone
from segtutor.models.pspnet import PSPNet, PyramidPooling

# Classes, backbone, whether the stem is deep; parameters, and operations at 473×473.
SIZES = [
    (19, "resnet50", True, 49_080_038, 323_266_759_040),
    (150, "resnet50", True, 49_180_908, None),
    (19, "resnet101", True, 68_072_166, None),
    (19, "resnet50", False, 48_956_262, None),
]


@pytest.mark.parametrize(("classes", "backbone", "deep", "parameters", "operations"), SIZES)
def test_parameters_and_operations(classes, backbone, deep, parameters, operations):
    with torch.device("meta"):
        net = PSPNet(classes, backbone=backbone, deep_stem=deep, auxiliary=True).eval()
        x = torch.empty(1, 3, 473, 473)
    assert sum(p.numel() for p in net.parameters()) == parameters
    if operations is not None:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            assert net(x).shape == (1, classes, 473, 473)
        assert counter.get_total_flops() == operations


def test_the_backbone_is_the_author_s():
    with torch.device("meta"):
        net = PSPNet(19, deep_stem=True)
    first, last = net.backbone.stages["stage4"].layer3, net.backbone.stages["stage5"].layer4
    assert [block.conv2.dilation[0] for block in (*first, *last)] == [2] * 6 + [4] * 3
    assert [block.conv2.stride[0] for block in (*first, *last)] == [1] * 9
    stem = [conv for conv in net.backbone.stages["stage1"].modules() if isinstance(conv, nn.Conv2d)]
    assert [(conv.out_channels, conv.kernel_size[0], conv.stride[0]) for conv in stem] == [
        (64, 3, 2), (64, 3, 1), (128, 3, 1)]  # fmt: skip
    assert net.backbone.channels["stage1"] == 128
    assert [level[1].out_channels for level in net.pyramid.levels] == [512] * 4


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(12, 18), (7, 10), (2, 3)])
def test_the_pyramid_is_the_one_by_hand(size, align_corners):
    pyramid = PyramidPooling(8, (1, 2, 3, 6), align_corners=align_corners).double().eval()
    for level in pyramid.levels:
        level[2].running_mean.normal_()
        level[2].running_var.uniform_(0.5, 2)
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    expected = [x]
    for grid, (_, conv, norm, _) in zip(ops.pyramid_pool2d(x), pyramid.levels, strict=True):
        y = torch.einsum("oi,nihw->nohw", conv.weight[:, :, 0, 0], grid)
        mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
        y = (y - mean) / (var + norm.eps).sqrt()
        expected.append(
            ops.interpolate(y.relu(), size=size, mode="bilinear", align_corners=align_corners)
        )
    assert pyramid.out_channels == 16
    torch.testing.assert_close(pyramid(x), torch.cat(expected, dim=1), rtol=0, atol=1e-12)


class Small(nn.Module):
    """A backbone of one's own: three maps, at strides 2, 4 and 8."""

    def __init__(self):
        super().__init__()
        self.channels = {"stage1": 4, "stage2": 8, "stage3": 16}
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.third = nn.Conv2d(8, 16, 3, stride=2, padding=1)

    def forward(self, x):
        first = self.norm(self.first(x)).relu()
        second = self.second(first).relu()
        return {"stage1": first, "stage2": second, "stage3": self.third(second).relu()}


@pytest.mark.parametrize("size", [(64, 96), (65, 97), (33, 7), (1, 1)])
def test_any_size_and_every_parameter_learns(size):
    net = PSPNet(5, backbone=Small(), width=8)
    logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, 5, *size)
    logits.square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
    if size == (65, 97):
        assert [name for name, p in net.named_parameters() if not p.grad.any()] == []


def test_the_last_stages_learn():
    net = PSPNet(3, backbone=Backbone("resnet18", output_stride=8, dilate_first=True), width=8)
    net(torch.rand(2, 3, 33, 41)).square().sum().backward()
    for name, stage in net.backbone.stages.items():
        assert all(p.grad.any() for p in stage.parameters()), name


@pytest.mark.parametrize("align_corners", [True, False])
def test_the_network_is_the_sum_of_its_parts(align_corners):
    net = PSPNet(5, backbone=Small(), width=8, align_corners=align_corners).double().eval()
    x = torch.rand(1, 3, 65, 97, dtype=torch.float64)
    conv, norm, _, _, classify = net.head
    y = norm(ops.conv2d(net.pyramid(net.backbone(x)["stage3"]), conv.weight, padding=1)).relu()
    y = torch.einsum("oi,nihw->nohw", classify.weight[:, :, 0, 0], y)
    y = y + classify.bias[:, None, None]
    expected = ops.interpolate(y, size=(65, 97), mode="bilinear", align_corners=align_corners)
    torch.testing.assert_close(net(x), expected, rtol=0, atol=1e-10)


def test_the_auxiliary_head_speaks_while_training():
    net = PSPNet(5, backbone=Small(), width=8, auxiliary=True)
    x = torch.rand(2, 3, 33, 49)
    output = net(x)
    assert [(name, tuple(logits.shape)) for name, logits in output.items()] == [
        ("out", (2, 5, 33, 49)), ("aux", (2, 5, 33, 49))]  # fmt: skip
    output["aux"].sum().backward()
    reached = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is not None}
    assert reached == {"backbone", "auxiliary"}
    assert net.backbone.third.weight.grad is None  # it listens one map earlier
    assert net.eval()(x).shape == (2, 5, 33, 49)


def test_a_batch_of_one_is_explained_before_anything_has_moved():
    net, x = PSPNet(5, backbone=Small(), width=8), torch.rand(1, 3, 64, 96)
    with pytest.raises(ValueError, match=r"pooling to one region .* batches of two"):
        net(x)
    assert not net.backbone.norm.running_mean.any()
    assert net.eval()(x).shape == (1, 5, 64, 96)
    assert PSPNet(5, backbone=Small(), bins=(2, 3), width=8)(x).shape == (1, 5, 64, 96)


def test_context_reaches_every_pixel_and_can_be_left_out():
    x = torch.rand(1, 3, 64, 96)
    changed = x.clone()
    changed[..., :8, :8] = 0
    far = (..., slice(48, None), slice(64, None))
    for bins, reaches in (((1,), True), ((), False)):
        net = PSPNet(5, backbone=Small(), bins=bins, width=8).double().eval()
        assert torch.equal(net(x.double())[far], net(changed.double())[far]) != reaches


def test_attention_stands_on_the_deepest_map():
    channels, seen = [], []

    class Watch(nn.Identity):
        def forward(self, x):
            seen.append(tuple(x.shape))
            return x

    net = PSPNet(5, backbone=Small(), attention=lambda c: channels.append(c) or Watch()).eval()
    net(torch.rand(1, 3, 64, 96))
    assert channels == [16]
    assert seen == [(1, 16, 8, 12)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "resnet18", "deep_stem": True}, "50 layers or more"),
        ({"backbone": Small(), "deep_stem": True}, "50 layers or more"),
        ({"backbone": Small(), "weights": "DEFAULT"}, "goes with a name"),
        ({"backbone": Small(), "bins": (0, 2)}, "each is a whole number"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PSPNet(5, **options)


def test_weights_for_another_stem_are_not_even_fetched():
    with pytest.raises(ValueError, match="torchvision's stem"):
        PSPNet(5, weights="DEFAULT", deep_stem=True)
