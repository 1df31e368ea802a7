"""Dilated backbones: torchvision's, smp's, and what dilation is for."""

from __future__ import annotations

import copy

import pytest
import torch
from segmentation_models_pytorch.encoders import get_encoder
from torch import nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.resnet import Bottleneck, ResNet

from segtutor.models import backbones
from segtutor.models.backbones import STAGES, Backbone

RESNET = ("relu", "layer1", "layer2", "layer3", "layer4")


def unsettle(network: nn.Module) -> nn.Module:
    """Give batch norm statistics that an untrained network does not have; eval mode."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def narrow(replaced=(False, False, False)) -> ResNet:
    """A ResNet of bottlenecks as ResNet-50 has them, but thin and with fewer of them."""
    return ResNet(Bottleneck, [1, 2, 3, 2], width_per_group=4,
                  replace_stride_with_dilation=list(replaced))  # fmt: skip


def from_classifier(classifier: nn.Module, name: str, monkeypatch, **settings) -> Backbone:
    """The backbone that is cut from this classifier."""
    twin = copy.deepcopy(classifier)
    monkeypatch.setattr(models, "get_model", lambda *_, **__: twin)
    return Backbone(name, **settings).eval()


def dilations(backbone: nn.Module) -> list[int]:
    """The dilation of every convolution whose kernel is larger than one pixel, in order."""
    convs = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)]
    return [m.dilation[0] for m in convs if max(m.kernel_size) > 1]


@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
@pytest.mark.parametrize(
    ("output_stride", "replaced"), [(16, (False, False, True)), (8, (False, True, True))]
)
def test_a_dilated_resnet_is_torchvision_s(output_stride, replaced, size, monkeypatch):
    reference = unsettle(narrow(replaced))
    plain = narrow()
    plain.load_state_dict(reference.state_dict())
    ours = from_classifier(plain, "resnet50", monkeypatch, output_stride=output_stride)
    other = from_classifier(plain, "resnet50", monkeypatch, output_stride=output_stride,
                            dilate_first=True)  # fmt: skip
    nodes = create_feature_extractor(reference, dict(zip(RESNET, STAGES, strict=True)))
    x = torch.rand(2, 3, *size)
    with torch.no_grad():
        mine, early, theirs = ours(x), other(x), nodes(x)
    assert all(torch.allclose(mine[stage], theirs[stage], atol=1e-5) for stage in STAGES)
    assert mine["stage5"].shape[-2:] == tuple(-(-side // output_stride) for side in size)
    assert not torch.allclose(early["stage5"], theirs["stage5"], atol=1e-2)


@pytest.mark.parametrize("output_stride", [16, 8])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_with_dilate_first_it_is_that_of_smp(name, output_stride, monkeypatch):
    reference = unsettle(get_encoder(name, weights=None, output_stride=output_stride))
    classifier = models.get_model(name, weights=None)
    classifier.load_state_dict(reference.state_dict(), strict=False)
    settings = {"output_stride": output_stride, "dilate_first": True}
    ours = from_classifier(classifier, name, monkeypatch, **settings)
    x = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        mine, theirs = ours(x), reference(x)[1:]
    for stage, theirs_too in zip(STAGES, theirs, strict=True):
        assert torch.allclose(mine[stage], theirs_too, atol=1e-5), stage


def test_with_dilate_first_mobilenet_v3_is_torchvision_s(monkeypatch):
    reference = unsettle(models.mobilenet_v3_large(dilated=True))
    plain = models.mobilenet_v3_large()
    plain.load_state_dict(reference.state_dict())
    settings = {"output_stride": 16, "dilate_first": True}
    ours = from_classifier(plain, "mobilenet_v3_large", monkeypatch, **settings)
    x = torch.rand(1, 3, 65, 97)
    with torch.no_grad():
        assert torch.allclose(ours(x)["stage5"], reference.features(x), atol=1e-5)


@pytest.mark.parametrize("output_stride", [16, 8])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2"])
def test_dilation_sees_what_strides_saw(name, output_stride, monkeypatch):
    """Every second or fourth value of the larger map is that of the smaller one; not so if the
    convolution that lost its stride is dilated as well."""
    classifier = narrow() if name == "resnet50" else models.get_model(name, weights=None)
    unsettle(classifier.double())
    strided = from_classifier(classifier, name, monkeypatch).double()
    x = torch.rand(1, 3, 70, 99, dtype=torch.float64)
    for dilate_first in (False, True):
        settings = {"output_stride": output_stride, "dilate_first": dilate_first}
        dilated = from_classifier(classifier, name, monkeypatch, **settings).double()
        with torch.no_grad():
            coarse, fine = strided(x), dilated(x)
        for k, stage in enumerate(STAGES, 1):
            step = max(2**k // output_stride, 1)
            same = torch.allclose(fine[stage][..., ::step, ::step], coarse[stage], atol=1e-9)
            assert same is (not dilate_first or step == 1), stage


def test_the_dilation_of_every_convolution(monkeypatch):
    def of(**settings):
        return dilations(from_classifier(narrow(), "resnet50", monkeypatch, **settings))[1:]

    assert of() == [1, *(1, 1), *(1, 1, 1), *(1, 1)]
    assert of(output_stride=16) == [1, *(1, 1), *(1, 1, 1), *(1, 2)]
    assert of(output_stride=8) == [1, *(1, 1), *(1, 2, 2), *(2, 4)]
    assert of(output_stride=8, dilate_first=True) == [1, *(1, 1), *(2, 2, 2), *(4, 4)]
    assert of(output_stride=16, multi_grid=(1, 2)) == [1, *(1, 1), *(1, 1, 1), *(1, 4)]
    assert of(output_stride=16, dilate_first=True, multi_grid=(1, 2))[-2:] == [2, 4]
    assert of(multi_grid=(2, 4)) == [1, *(1, 1), *(1, 1, 1), *(2, 4)]


@pytest.mark.parametrize("name", ["resnet34", "resnext50_32x4d", *backbones.MOBILENETS])
def test_a_dilated_backbone_costs_no_parameter_and_keeps_the_size(name):
    with torch.device("meta"):
        x = torch.rand(2, 3, 65, 97)
        strided = Backbone(name)
        for stride in (8, 16):
            dilated = Backbone(name, output_stride=stride)
            shapes = {k: v.shape for k, v in dilated.state_dict().items()}
            assert shapes == {k: v.shape for k, v in strided.state_dict().items()}
            sizes = [m.shape[-2:] for m in dilated(x).values()]
            limits = [min(2**k, stride) for k in range(1, 6)]
            assert sizes == [(-(-65 // s), -(-97 // s)) for s in limits]
