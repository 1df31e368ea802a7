"""Backbones: stage by stage equal to torchvision, no head, no download unless asked."""

from __future__ import annotations

import copy
import urllib.error
import urllib.request
from typing import ClassVar

import pytest
import torch
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms.v2.functional import normalize

from segtutor.models import backbones
from segtutor.models.backbones import STAGES, Backbone, encoder
from segtutor.models.resnet_unet import ResNetUNet

pytestmark = pytest.mark.usefixtures("no_heads")

RESNET = ("relu", "layer1", "layer2", "layer3", "layer4")
# The nodes of torchvision's own graph that the five stages have to equal.
NODES = {
    "resnet18": RESNET,
    "resnet50": RESNET,
    "mobilenet_v2": ("features.1", "features.3", "features.6", "features.13", "features.18"),
    "mobilenet_v3_small": ("features.0", "features.1", "features.3", "features.8", "features.12"),
    "mobilenet_v3_large": ("features.1", "features.3", "features.6", "features.12", "features.16"),
    "vgg11_bn": ("features.3", "features.7", "features.14", "features.21", "features.28"),
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever opens an address in these tests has none."""

    def fail(*_, **__):
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr(urllib.request, "urlopen", fail)


def pair(name, monkeypatch):
    """A backbone, and the classifier of torchvision that it was cut from, both in eval mode."""
    torch.manual_seed(0)
    classifier = models.get_model(name, weights=None).eval()
    for module in classifier.modules():  # statistics that an untrained network does not have
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    twin = copy.deepcopy(classifier)
    monkeypatch.setattr(models, "get_model", lambda *_, **__: twin)
    return Backbone(name).eval(), classifier


@pytest.mark.parametrize("size", [(64, 96), (45, 71)])
@pytest.mark.parametrize("name", NODES)
def test_every_stage_is_torchvision_s(name, size, monkeypatch):
    backbone, classifier = pair(name, monkeypatch)
    reference = create_feature_extractor(classifier, dict(zip(NODES[name], STAGES, strict=True)))
    x = torch.rand(2, 3, *size)
    with torch.no_grad():
        mine, theirs = backbone(x), reference(x)
    assert list(mine) == list(STAGES)
    for stage in STAGES:
        assert torch.equal(mine[stage], theirs[stage]), stage
        assert mine[stage].shape[1] == backbone.channels[stage]
        stride = 2 ** int(stage.removeprefix("stage"))
        for side, full in zip(mine[stage].shape[-2:], size, strict=True):
            assert side in (full // stride, -(-full // stride))


@pytest.mark.parametrize("name", NODES)
def test_no_parameter_is_dead(name):
    backbone = Backbone(name)
    last = backbone(torch.rand(2, 3, 64, 64))["stage5"]
    last.square().mean().backward()
    assert [n for n, p in backbone.named_parameters() if p.grad is None] == []
    assert not {"fc", "classifier"} & {part for n in backbone.state_dict() for part in n.split(".")}


def test_the_head_is_gone_and_nothing_else(monkeypatch):
    backbone, classifier = pair("resnet18", monkeypatch)
    lost = sum(p.numel() for p in classifier.fc.parameters())
    count = sum(p.numel() for p in backbone.parameters())
    assert count == 11_689_512 - lost == 11_176_512


def test_a_map_is_not_changed_by_the_stage_above():
    """In-place ReLU on a map that is kept would change it silently."""
    for name in NODES:
        backbone, seen = Backbone(name).eval(), {}
        for stage, layers in backbone.stages.items():
            layers.register_forward_hook(
                lambda _, __, out, stage=stage, seen=seen: seen.update({stage: out.clone()})
            )
        with torch.no_grad():
            maps = backbone(torch.rand(1, 3, 64, 64))
        assert all(torch.equal(maps[stage], seen[stage]) for stage in STAGES)


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """torchvision's cache, with a stand-in for the official weights of resnet18 in it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(1)
    classifier = models.resnet18().eval()
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    url = models.ResNet18_Weights.IMAGENET1K_V1.url
    torch.save(classifier.state_dict(), folder / url.rpartition("/")[2])
    return classifier


@pytest.mark.parametrize("weights", ["DEFAULT", models.ResNet18_Weights.IMAGENET1K_V1])
def test_weights_come_with_their_normalization_applied_once(cached, weights):
    backbone = Backbone("resnet18", weights=weights).eval()
    reference = create_feature_extractor(cached, dict(zip(RESNET, STAGES, strict=True)))
    x = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        right, twice = reference(normalize(x, MEAN, STD)), backbone(normalize(x, MEAN, STD))
        mine = backbone(x)
    for stage in STAGES:
        assert torch.allclose(mine[stage], right[stage], atol=1e-5)
        assert not torch.allclose(twice[stage], right[stage], atol=1e-2)


def test_the_normalization_is_saved_with_the_weights(cached):
    trained = Backbone("resnet18", weights="DEFAULT").eval()
    other = Backbone("resnet18").eval()
    other.load_state_dict(trained.state_dict())
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(other(x)["stage5"], trained(x)["stage5"])


def test_without_a_network_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ConnectionError) as caught:
        Backbone("resnet18", weights="DEFAULT")
    text = str(caught.value)
    for part in ("ResNet18_Weights.IMAGENET1K_V1", "connect", "resnet18-f37072fd.pth",
                 str(tmp_path), "weights=None"):  # fmt: skip
        assert part in text
    assert "\n" not in text
    assert ". " not in text.rstrip(".")


def test_a_constructor_downloads_nothing(monkeypatch):
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: pytest.fail("net"))
    for name in NODES:
        Backbone(name)
    ResNetUNet(2, backbone="mobilenet_v3_small")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Backbone("resnet"), "resnet"),
        (lambda: Backbone("vit_b_16"), "mobilenet_v2"),
        (lambda: Backbone(weights="IMAGENET"), "'IMAGENET1K_V1', 'DEFAULT'"),
        (lambda: Backbone(weights=models.ResNet50_Weights.DEFAULT), "none of resnet18's"),
        (lambda: Backbone()(torch.rand(1, 1, 64, 64)), "expand"),
        (lambda: Backbone("vgg11")(torch.rand(1, 3, 31, 64)), "pad it to 32×32"),
        (lambda: Backbone(output_stride=4), "output_stride=4: take 8, 16 or 32"),
        (lambda: Backbone("vgg11", output_stride=16), "halves by pooling"),
        (lambda: Backbone(multi_grid=(1, 2, 4)), "each of the 2 blocks of resnet18's last stage"),
        (lambda: Backbone("mobilenet_v2", multi_grid=(1, 2)), "only a ResNet has such blocks"),
        (lambda: Backbone()(torch.rand(1, 3, 32, 32)), "1/32 of 32×32 pixels leaves one number"),
        (lambda: encoder(Backbone(), weights="DEFAULT"), "goes with a name"),
        (lambda: ResNetUNet(2, widths=(8, 8)), "each of stage4, stage3, stage2, stage1"),
        (lambda: ResNetUNet(2, backbone=Backbone(), weights="DEFAULT"), "goes with a name"),
    ],
)
def test_what_cannot_be_is_said(make, words):
    with pytest.raises(ValueError, match=r".") as caught:
        make()
    assert words in str(caught.value)


def test_bytes_are_refused():
    with pytest.raises(TypeError, match="divide by 255"):
        Backbone()(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "vgg11_bn"])
@pytest.mark.parametrize("size", [(64, 96), (33, 47)])
def test_a_network_on_any_backbone_learns_in_every_parameter(name, size):
    net = ResNetUNet(5, backbone=name, widths=(16, 16, 8, 8))
    logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, 5, *size)
    logits.square().mean().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_the_picture_s_left_stays_left():
    """Logits are not shifted: a bright column on the left changes the left the most."""
    torch.manual_seed(0)
    net = ResNetUNet(2, widths=(16, 16, 8, 8)).eval()
    x = torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        changed = net(x.index_fill(3, torch.tensor([8]), 1.0)) - net(x)
    columns = changed.abs().sum((0, 1, 2))
    assert abs(int(columns.argmax()) - 8) <= 3


def test_the_cuts_are_where_the_size_halves():
    for name in (*backbones.MOBILENETS, "resnet34", "vgg13"):
        backbone = Backbone(name).eval()
        with torch.no_grad():
            sizes = [m.shape[-2:] for m in backbone(torch.rand(1, 3, 64, 128)).values()]
        assert sizes == [(64 // s, 128 // s) for s in (2, 4, 8, 16, 32)]


def test_a_backbone_of_one_s_own():
    class Two(torch.nn.Module):
        channels: ClassVar = {"fine": 4, "coarse": 6}

        def __init__(self):
            super().__init__()
            self.fine = torch.nn.Conv2d(1, 4, 3, stride=2, padding=1)
            self.coarse = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)

        def forward(self, x):
            fine = self.fine(x)
            return {"fine": fine, "coarse": self.coarse(fine)}

    net = ResNetUNet(3, backbone=Two(), widths=(8,))
    assert net(torch.rand(2, 1, 13, 18)).shape == (2, 3, 13, 18)
