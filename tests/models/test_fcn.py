"""FCN: the published three by count, cost and computation; the classifier that slides."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models
from torchvision.models import VGG16_Weights

from segtutor.models import fcn
from segtutor.models.fcn import FCN8s, FCN16s, FCN32s, as_convolution

# 21 classes: parameters, and twice the multiply-adds at 512×512, as counted in the authors'
# prototxts and in wkentaro/pytorch-fcn.
PUBLISHED = {
    FCN32s: (136_152_917, 380_389_713_408),
    FCN16s: (134_815_994, 380_563_780_896),
    FCN8s: (134_489_759, 380_733_167_904),
}
PARTS = {"backbone": 14_714_688, "fc6": 102_764_544, "fc7": 16_781_312}


@pytest.mark.parametrize("network", PUBLISHED)
def test_parameters_and_multiply_adds_are_those_of_the_authors(network):
    with torch.device("meta"):
        net = network(21).eval()
        with FlopCounterMode(display=False) as counter:
            logits = net(torch.zeros(1, 3, 512, 512))
    count, flops = PUBLISHED[network]
    assert logits.shape == (1, 21, 512, 512)
    assert sum(p.numel() for p in net.parameters()) == count
    assert counter.get_total_flops() == flops
    for name, part in PARTS.items():
        assert sum(p.numel() for p in getattr(net, name).parameters()) == part


@pytest.mark.parametrize("size", [(32, 32), (33, 63), (65, 97), (100, 321)])
@pytest.mark.parametrize("network", PUBLISHED)
def test_every_size_fits(network, size):
    with torch.device("meta"):
        assert network(5)(torch.zeros(2, 3, *size)).shape == (2, 5, *size)


class Place:
    """Where a map's cells stand on the picture: cell i around pixel `step`·i + `start`."""

    def __init__(self, step=1.0, start=0.0):
        self.step, self.start = step, start

    def window(self, kernel, stride=1, padding=0):
        start = self.start + self.step * ((kernel - 1) / 2 - padding)
        return Place(self.step * stride, start)

    def transposed(self, kernel, stride):
        step = self.step / stride
        return Place(step, self.start - step * (kernel - 1) / 2)

    def rows_before(self, other):
        assert self.step == other.step
        return (other.start - self.start) / self.step


@pytest.mark.parametrize("network", PUBLISHED)
def test_the_crops_follow_from_the_windows(network):
    """19, 27, 31, 5 and 9: derived, from how each layer moves what it sees."""
    place, pools = Place(), {}
    for stage, convs in enumerate((2, 2, 3, 3, 3), 1):
        for conv in range(convs):
            place = place.window(3, padding=100 if stage == 1 and conv == 0 else 1)
        place = pools[f"stage{stage}"] = place.window(2, stride=2)
    place = place.window(7)
    for stage, crop in network.bridges.items():
        place = place.transposed(4, 2)
        assert pools[stage].rows_before(place) == crop
    factor = 32 // 2 ** len(network.bridges)
    assert place.transposed(2 * factor, factor).rows_before(Place()) == network.crop


def transferred(network, classifier, num_classes, **settings):
    """A network with a classifier's weights, and random ones where the paper begins with 0."""
    net = network(num_classes, hidden=classifier[0].out_features, **settings).eval()
    for slides, linear in ((net.fc6, classifier[0]), (net.fc7, classifier[3])):
        slides[0].load_state_dict(as_convolution(linear, slides[0].kernel_size[0]).state_dict())
    for parameter in net.score.parameters():
        nn.init.normal_(parameter)
    return net


@pytest.fixture
def thin(no_heads):
    """VGG-16's features, and its classifier with 8 hidden channels instead of 4,096."""
    features = models.vgg16().features
    classifier = nn.Sequential(nn.Linear(25_088, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 8))
    return features.eval(), classifier


def published(net, features, x, bridges):
    """The network of the prototxt, step by step, with bilinear kernels in place of weights."""
    maps, pooled = F.conv2d(x, features[0].weight, features[0].bias, padding=100), {}
    for layer in features[1:]:
        if isinstance(layer, nn.MaxPool2d):
            maps = F.max_pool2d(maps, 2, 2, ceil_mode=True)
            pooled[len(pooled) + 1] = maps
        else:
            maps = layer(maps)
    for slides in (net.fc6[0], net.fc7[0]):
        maps = F.relu(F.conv2d(maps, slides.weight, slides.bias))
    score = net.score
    scores = F.conv2d(maps, score["stage5"].weight, score["stage5"].bias)
    for stage, crop in bridges:
        scores = stamped(scores, 2)
        added = score[f"stage{stage}"](pooled[stage])[:, :, crop:, crop:]
        scores = scores + added[:, :, : scores.shape[2], : scores.shape[3]]
    factor, crop = {0: (32, 19), 1: (16, 27), 2: (8, 31)}[len(bridges)]
    return stamped(scores, factor)[:, :, crop : crop + x.shape[2], crop : crop + x.shape[3]]


def stamped(x, factor):
    """Enlarge each channel: stamp a pyramid of 2f × 2f for each value."""
    side = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor
    kernel = (side[:, None] * side).expand(x.shape[1], 1, -1, -1)
    return F.conv_transpose2d(x, kernel, stride=factor, groups=x.shape[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "bridges"), [(FCN32s, ()), (FCN16s, ((4, 5),)), (FCN8s, ((4, 5), (3, 9)))]
)
def test_the_computation_is_that_of_the_prototxt(network, bridges, thin):
    features, classifier = thin
    net = transferred(network, classifier, 3)
    state = zip(net.backbone.stages.state_dict(), features.state_dict().values(), strict=True)
    net.backbone.stages.load_state_dict(dict(state))
    x = torch.rand(1, 3, 33, 58)
    with torch.no_grad():
        ours, theirs = net(x), published(net, features, x, bridges)
    assert ours.std() > 0.1
    assert torch.allclose(ours, theirs, atol=1e-5 * float(theirs.abs().max()))


def test_a_classifier_slides():
    """The fully connected layers of VGG-16, thinner: the same numbers in every window."""
    linear = nn.Linear(16 * 7 * 7, 10).double()
    conv = as_convolution(linear, 7)
    x = torch.randn(2, 16, 10, 12, dtype=torch.float64)
    slid = conv(x)
    assert slid.shape == (2, 10, 4, 6)
    for row in range(4):
        for column in range(6):
            window = x[:, :, row : row + 7, column : column + 7]
            assert torch.allclose(slid[:, :, row, column], linear(window.flatten(1)))
    assert sum(p.numel() for p in conv.parameters()) == sum(p.numel() for p in linear.parameters())


def test_the_convolution_has_weights_of_its_own_and_no_invented_bias():
    linear = nn.Linear(8, 3, bias=False)
    conv = as_convolution(linear, 2)
    assert conv.bias is None
    nn.init.zeros_(conv.weight)
    assert linear.weight.any()
    with pytest.raises(ValueError, match="kernel_size=3: 8 inputs are no map of 3×3"):
        as_convolution(linear, 3)


@pytest.mark.slow
def test_vgg_16_as_a_convolution_is_vgg_16():
    """torchvision's classifier on 224×224, and its fully connected layers as convolutions."""
    vgg = models.vgg16().eval()
    slides = [as_convolution(vgg.classifier[k], side) for k, side in ((0, 7), (3, 1), (6, 1))]
    x = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        maps = vgg.features(x)
        first, second, third = slides
        scores = third(F.relu(second(F.relu(first(maps)))))
        assert torch.allclose(scores[:, :, 0, 0], vgg(x), atol=1e-5)
        assert third(F.relu(second(F.relu(first(F.pad(maps, (0, 2, 0, 1))))))).shape[2:] == (2, 3)


def test_what_is_learned_and_what_is_not():
    """Scores begin at zero; kernels that enlarge are bilinear; the last one is never learned."""
    with torch.device("meta"):
        fixed, learned = FCN8s(4, hidden=8), FCN8s(4, hidden=8, learned_upsampling=True)
    frozen = {name for name, p in fixed.named_parameters() if not p.requires_grad}
    assert frozen == {"twice.stage4.weight", "twice.stage3.weight", "enlarge.weight"}
    frozen = {name for name, p in learned.named_parameters() if not p.requires_grad}
    assert frozen == {"enlarge.weight"}


@pytest.mark.slow
def test_it_begins_with_equal_scores_and_then_everything_learns(thin):
    net = FCN8s(3, hidden=8, learned_upsampling=True)
    assert not net.score["stage3"].weight.any()
    assert not net(torch.rand(1, 3, 32, 32)).any()
    net = transferred(FCN8s, thin[1], 3, learned_upsampling=True)
    net(torch.rand(1, 3, 32, 40)).square().mean().backward()
    learns = {name: p for name, p in net.named_parameters() if p.requires_grad}
    assert [name for name, p in learns.items() if p.grad is None or not p.grad.any()] == []


@pytest.mark.slow
def test_official_weights_reach_every_layer(tmp_path, monkeypatch):
    """A stand-in for ImageNet's weights: fc6 and fc7 come from the classifier, reshaped."""
    vgg = models.vgg16()
    state = vgg.state_dict()
    monkeypatch.setattr(VGG16_Weights, "get_state_dict", lambda *_, **__: state)
    net = FCN32s(3, weights="IMAGENET1K_V1").eval()
    assert torch.equal(net.fc6[0].weight.flatten(1), vgg.classifier[0].weight)
    assert torch.equal(net.fc7[0].weight.flatten(1), vgg.classifier[3].weight)
    assert torch.equal(net.fc7[0].bias, vgg.classifier[3].bias)
    assert torch.equal(net.backbone.stages["stage5"][4].weight, vgg.features[28].weight)
    assert net.backbone.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FCN32s(3, weights="IMAGENET1K_V1", hidden=8), "hidden=8: the weights"),
        (lambda: FCN32s(3)(torch.zeros(1, 3, 31, 64)), "pad it to 32×32"),
        (lambda: FCN8s(3)(torch.zeros(1, 1, 64, 64)), "expand"),
    ],
)
def test_what_cannot_be_is_said(make, words):
    with torch.device("meta"), pytest.raises(ValueError, match=r".") as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize("network", PUBLISHED)
def test_attention_stands_on_the_deepest_map(network):
    with torch.device("meta"):
        plain, more = network(3), network(3, attention=lambda n: nn.Conv2d(n, n, 1))
        assert more(torch.zeros(1, 3, 40, 50)).shape == (1, 3, 40, 50)
    names = {name for name, _ in more.named_parameters()}
    assert names - {name for name, _ in plain.named_parameters()} == {
        "attention.weight",
        "attention.bias",
    }
    assert more.attention.in_channels == 512


def test_a_cut_starts_where_it_should():
    x = torch.arange(30.0).view(1, 1, 5, 6)
    assert fcn.cut(x, 2, like=torch.zeros(1, 2, 3)).flatten().tolist() == [14, 15, 16, 20, 21, 22]
