"""ASPP: torchvision's and segmentation-models-pytorch's numbers, and what becomes of it where."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from segmentation_models_pytorch.decoders.deeplabv3 import decoder
from torch import nn
from torchvision.models.segmentation import deeplabv3

from segtutor import ops
from segtutor.models.aspp import ASPP, ImagePooling, separable_conv
from segtutor.training import freeze

REFERENCES = {
    "torchvision": (
        lambda: deeplabv3.ASPP(6, (1, 2, 5), 4),
        lambda: ASPP(6, 4, rates=(1, 2, 5)),
    ),
    "smp": (
        lambda: decoder.ASPP(6, 4, (1, 2, 5), separable=False, dropout=0.5),
        lambda: ASPP(6, 4, rates=(1, 2, 5)),
    ),
    "smp, separable": (
        lambda: decoder.ASPP(6, 4, (1, 2, 5), separable=True, dropout=0.3),
        lambda: ASPP(6, 4, rates=(1, 2, 5), separable=True, dropout=0.3),
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("training", [True, False])
def test_the_same_weights_give_the_same_numbers(name, training):
    theirs, mine = (make().double().train(training) for make in REFERENCES[name])
    for part in theirs.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    for ours, other in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
        ours.copy_(other)
    x = torch.randn(3, 6, 7, 9, dtype=torch.float64, requires_grad=True)
    results = []
    for net in (mine, theirs):
        torch.manual_seed(1)  # of the dropout
        y = net(x)
        x.grad = None
        y.square().sum().backward()
        results.append([y, x.grad, *(p.grad for p in net.parameters())])
    for ours, other in zip(*results, strict=True):
        torch.testing.assert_close(ours, other, rtol=0, atol=1e-10)


def test_the_number_of_parameters():
    with torch.device("meta"):
        assert sum(p.numel() for p in ASPP(2048).parameters()) == 15_535_104


@pytest.mark.parametrize("rate", [6, 12])
def test_a_rate_beyond_the_map_is_a_1x1_in_disguise(rate):
    branch = ASPP(3, 5, rates=(rate,)).eval().branches[1]
    middle = branch[0].weight[:, :, 1:2, 1:2]
    x = torch.randn(2, 3, 6, 6)
    assert torch.allclose(branch[0](x), F.conv2d(x, middle), atol=1e-6)
    x = torch.randn(2, 3, 6, rate + 1)  # one column more, and a tap falls inside
    assert not torch.allclose(branch[0](x), F.conv2d(x, middle), atol=1e-2)


def test_separable_convolution_is_the_one_by_hand():
    conv = separable_conv(4, 6, dilation=2).eval()
    x = torch.randn(2, 4, 7, 8)
    by_hand = ops.depthwise_separable_conv2d(
        x, conv[0].weight, conv[1].weight, padding=2, dilation=2
    )
    assert torch.allclose(conv[:2](x), by_hand, atol=1e-6)


def test_image_pooling_says_the_same_everywhere_and_sees_everything():
    pooling = ImagePooling(3, 4).eval()
    x = torch.randn(2, 3, 5, 6)
    y = pooling(x)
    assert y.shape == (2, 4, 5, 6)
    assert torch.equal(y, y[:, :, :1, :1].expand_as(y))
    weight = pooling.project[0].weight[:, :, 0, 0]
    mean = torch.stack([x[:, channel].flatten(1).mean(1) for channel in range(3)], dim=1)
    norm = torch.rsqrt(torch.tensor(1 + 1e-5))
    assert torch.allclose(y[..., 0, 0], (mean @ weight.T * norm).relu(), atol=1e-6)


def test_a_batch_of_one_is_explained():
    aspp, x = ASPP(3, 4), torch.randn(1, 3, 5, 6)
    with pytest.raises(ValueError, match=r"image pooling .* batches of two"):
        aspp(x)
    assert aspp(x.expand(2, -1, -1, -1)).shape == (2, 4, 5, 6)
    assert aspp.eval()(x).shape == (1, 4, 5, 6)
    aspp.train()
    assert ASPP(3, 4, image_pooling=False)(x).shape == (1, 4, 5, 6)
    freeze(aspp.branches[-1])
    assert aspp(x).shape == (1, 4, 5, 6)


def test_of_two_pictures_image_pooling_learns_a_sign_alone():
    pooling = ImagePooling(1, 1)
    nn.init.ones_(pooling.project[0].weight)
    for pair in ((3.0, 7.0), (0.0, 0.1)):
        x = torch.tensor(pair)[:, None, None, None].expand(-1, 1, 4, 4)
        assert torch.allclose(pooling(x)[:, 0, 0, 0], torch.tensor([0.0, 1.0]), atol=0.01)


def test_branches_can_be_left_out():
    x = torch.randn(2, 3, 5, 6)
    for rates, image_pooling, branches in (((), False, 1), ((2,), False, 2), ((), True, 2)):
        aspp = ASPP(3, 4, rates=rates, image_pooling=image_pooling)
        assert len(aspp.branches) == branches
        assert aspp(x).shape == (2, 4, 5, 6)
