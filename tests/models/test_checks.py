"""What cannot be is said: which argument, which value, and what to do."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.models.aspp import ASPP
from segtutor.models.pspnet import PyramidPooling


def small(stages=4):
    return models.SmallBackbone(width=4, stages=stages)


# What takes num_classes first, each as it is built quickly.
NETWORKS = {
    "UNet": partial(models.UNet, width=4, depth=2),
    "AttentionUNet": partial(models.AttentionUNet, width=4, depth=2),
    "SegNet": partial(models.SegNet, width=4, depth=2),
    "ResNetUNet": lambda n, **more: models.ResNetUNet(n, backbone=small(2), widths=(4,), **more),
    "FCN": lambda n, **more: models.FCN(n, backbone=small(), **more),
    "DilatedFCN": lambda n, **more: models.DilatedFCN(n, backbone=small(), **more),
    "DeepLabV2": lambda n, **more: models.DeepLabV2(n, backbone=small(), **more),
    "DeepLabV3": lambda n, **more: models.DeepLabV3(n, backbone=small(), **more),
    "DeepLabV3Plus": lambda n, **more: models.DeepLabV3Plus(n, backbone=small(), **more),
    "PSPNet": lambda n, **more: models.PSPNet(n, backbone=small(), **more),
    "DANet": lambda n, **more: models.DANet(n, backbone=small(), **more),
}
every = pytest.mark.parametrize("name", NETWORKS)
READ_TWO = [models.DilatedFCN, models.DeepLabV3, models.DeepLabV3Plus, models.PSPNet]


@pytest.mark.parametrize(
    ("value", "error", "cure"),
    [
        (0, ValueError, "at least 1"),
        (-2, ValueError, "at least 1"),
        (2.5, TypeError, "a whole number"),
        ("8", TypeError, "a whole number"),
        (None, TypeError, "a whole number"),
    ],
)
@pytest.mark.parametrize("name", [*NETWORKS, "FCN8s", "FCN32s"])
def test_a_number_of_classes_that_is_none(name, value, error, cure):
    make = NETWORKS.get(name) or getattr(models, name)
    with pytest.raises(error, match=f"num_classes={value!r}: {cure}"):
        make(value)


@every
def test_a_number_of_classes_of_numpy_s(name):
    assert isinstance(NETWORKS[name](np.int64(3)), nn.Module)


@every
def test_a_block_in_place_of_what_makes_it(name):
    with pytest.raises(TypeError, match=r"attention is a SqueezeExcite: .* the class itself"):
        NETWORKS[name](3, attention=models.SqueezeExcite(32))


@pytest.mark.parametrize("network", READ_TWO)
def test_a_backbone_of_one_stage_lacks_another(network):
    with pytest.raises(ValueError, match=r"SmallBackbone has 1 of the 2 .* SmallBackbone\(stages="):
        network(3, backbone=small(1), **{"bridge": "stage1"} if "Plus" in network.__name__ else {})


@pytest.mark.parametrize(
    "network",
    [
        partial(models.DeepLabV2, rates=(1, 2)),
        models.DANet,
        partial(models.FCN, maps=1),
        partial(models.ResNetUNet, widths=(4,)),
    ],
)
def test_a_backbone_of_one_stage_is_enough_where_one_is_read(network):
    net = network(3, backbone=models.SmallBackbone(width=1, stages=1)).eval()
    assert net(torch.rand(1, 3, 9, 12)).shape == (1, 3, 9, 12)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: models.UNet(3, in_channels=0), ValueError, "in_channels=0: at least 1"),
        (lambda: models.UNet(3, width=2.0), TypeError, "width=2.0: a whole number"),
        (lambda: models.AttentionUNet(3, depth=-1), ValueError, "depth=-1: at least 1"),
        (lambda: models.SegNet(3, depth=6), ValueError, "depth=6: .* take 1 to 5"),
        (lambda: models.SegNet(3, width=0), ValueError, "width=0"),
        (lambda: models.SmallBackbone(stages=6), ValueError, "stages=6: take 1 to 5"),
        (lambda: models.SmallBackbone(width=1.5), TypeError, "width=1.5"),
        (lambda: models.FCN8s(3, hidden=0), ValueError, "hidden=0"),
        (lambda: models.FCN(3, backbone=small(), maps=5), ValueError, "maps=5: .* has 4"),
        (lambda: models.FCN(3, backbone=small(), maps=0), ValueError, "maps=0"),
        (lambda: ASPP(8, rates=(6, 0)), ValueError, r"rates=\(6, 0\): each is a whole number"),
        (lambda: ASPP(8, rates=(1.5,)), ValueError, r"rates=\(1.5,\): each is a whole number"),
        (lambda: ASPP(8, rates=6), TypeError, r"rates=6: a sequence .* \(6,\)"),
        (lambda: ASPP(8, rates="6"), TypeError, "rates='6': a sequence"),
        (lambda: ASPP(8, out_channels=0), ValueError, "out_channels=0"),
        (lambda: models.DeepLabV2(3, backbone=small(), rates=()), ValueError, r"rates=\(\): give"),
        (lambda: PyramidPooling(8, bins=(1, 0)), ValueError, r"bins=\(1, 0\): each"),
        (lambda: PyramidPooling(8, bins=3), TypeError, "bins=3: a sequence"),
        (lambda: NETWORKS["PSPNet"](3, width=0), ValueError, "width=0"),
        (lambda: NETWORKS["DeepLabV3"](3, width=0), ValueError, "width=0"),
        (lambda: NETWORKS["DeepLabV3Plus"](3, bridge_width=0), ValueError, "bridge_width=0"),
        (lambda: NETWORKS["DeepLabV3"](3, output_stride=0), ValueError, "output_stride=0: at"),
        (lambda: NETWORKS["DeepLabV3"](3, output_stride=96), ValueError, "output_stride=96: take"),
        (lambda: NETWORKS["DeepLabV3Plus"](3, output_stride=8.0), TypeError, "output_stride=8.0"),
        (lambda: models.Backbone(output_stride=7), ValueError, "output_stride=7: take 8, 16"),
        (lambda: models.Backbone(output_stride=8.0), TypeError, "output_stride=8.0: a whole"),
        (lambda: models.Backbone("resnet19"), ValueError, "'resnet19' is no backbone: take"),
        (lambda: models.Backbone(18), ValueError, "name=18 is no backbone: take"),
        (lambda: models.Backbone(multi_grid=2), TypeError, "multi_grid=2: a sequence"),
        (lambda: models.Backbone(multi_grid=(1, 0)), ValueError, r"multi_grid=\(1, 0\): each"),
        (lambda: models.ResNetUNet(3, backbone=small(), widths=(8, 8)), ValueError, "widths="),
        (lambda: models.ResNetUNet(3, backbone=small(1), widths=()), ValueError, r"widths=\(\)"),
        (lambda: models.ResNetUNet(3, backbone=small(), widths=(8, 8, 0)), ValueError, "widths="),
        (lambda: models.FCN(3, backbone=nn.Conv2d(3, 8, 1)), TypeError, "backbone is a Conv2d"),
        (lambda: models.FCN(3, backbone=models.SmallBackbone), TypeError, "backbone is a type"),
        (lambda: models.FCN(3, backbone=None), TypeError, "backbone is a NoneType: give a name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(make, error, words):
    with pytest.raises(error, match=words):
        make()


@every
@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (np.zeros((2, 3, 16, 16), np.float32), TypeError, "pictures are a ndarray: make a tensor"),
        (torch.rand(2, 3, 0, 16), ValueError, "a side has no pixels"),
    ],
)
def test_what_is_no_picture_is_refused(name, wrong, error, words):
    with pytest.raises(error, match=words):
        NETWORKS[name](3)(wrong)
