"""FCN on any backbone, and torchvision's dilated one by its weights."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import segmentation

from segtutor.models.fcn_backbones import FCN, DilatedFCN
from segtutor.models.small import SmallBackbone

# 21 classes: parameters, and twice the multiply-adds at 512×512, as counted in torchvision's.
TORCHVISION = {
    ("resnet50", False): (32_957_013, 276_735_983_616),
    ("resnet50", True): (35_322_218, 296_107_376_640),
    ("resnet101", False): (51_949_141, 431_891_677_184),
    ("resnet101", True): (54_314_346, 451_263_070_208),
}


def small(**settings):
    return SmallBackbone(width=4, **settings)


@pytest.mark.parametrize(("backbone", "auxiliary"), TORCHVISION)
def test_parameters_and_multiply_adds_are_torchvision_s(backbone, auxiliary):
    with torch.device("meta"):
        net = DilatedFCN(21, backbone=backbone, auxiliary=auxiliary)
        with FlopCounterMode(display=False) as counter:
            net(torch.zeros(1, 3, 512, 512))
    count, flops = TORCHVISION[backbone, auxiliary]
    assert sum(p.numel() for p in net.parameters()) == count
    assert counter.get_total_flops() == flops


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_with_torchvision_s_weights_it_is_torchvision_s(name):
    reference = getattr(segmentation, f"fcn_{name}")(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=True
    )
    net = DilatedFCN(5, backbone=name, auxiliary=True)
    state, theirs = net.state_dict(), reference.state_dict()
    ours = [key for key in state if key not in ("backbone.mean", "backbone.std")]
    assert [state[key].shape for key in ours] == [value.shape for value in theirs.values()]
    net.load_state_dict(dict(zip(ours, theirs.values(), strict=True)), strict=False)
    for size in ((65, 97), (48, 64)):
        x = torch.rand(1, 3, *size)
        with torch.no_grad():
            mine, logits = net.eval()(x), reference.eval()(x)["out"]
        # Untrained residual blocks add up: the logits of a ResNet-101 reach some hundreds.
        assert (mine - logits).abs().max() < 1e-5 * logits.abs().max().clamp(min=1)


@pytest.mark.slow
def test_while_it_trains_both_its_logits_are_torchvision_s():
    reference = segmentation.fcn_resnet50(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=True
    )
    net = DilatedFCN(5, auxiliary=True)
    names = [key for key in net.state_dict() if key not in ("backbone.mean", "backbone.std")]
    state = zip(names, reference.state_dict().values(), strict=True)
    net.load_state_dict(dict(state), strict=False)
    results, x = [], torch.rand(2, 3, 48, 64, dtype=torch.float64)
    for network in (net, reference):
        torch.manual_seed(0)  # dropout draws the same
        with torch.no_grad():
            results.append(network.double().train()(x))
    for name in ("out", "aux"):
        assert results[1][name].shape == (2, 5, 48, 64)
        assert torch.allclose(results[0][name], results[1][name], atol=1e-9)


@pytest.mark.parametrize("size", [(64, 96), (65, 97), (7, 200)])
@pytest.mark.parametrize("maps", [1, 2, 3])
def test_the_score_maps_are_summed_from_coarse_to_fine(maps, size):
    net = FCN(3, backbone=small(stages=5), maps=maps).eval()
    x = torch.rand(2, 3, *size)
    with torch.no_grad():
        features, logits = net.backbone(x), net(x)
        total = torch.zeros(2, 3, 1, 1)
        for stage in ("stage5", "stage4", "stage3")[:maps]:
            weight, bias = net.score[stage].weight[:, :, 0, 0], net.score[stage].bias
            scores = torch.einsum("nchw,kc->nkhw", features[stage], weight) + bias[:, None, None]
            total = scores + F.interpolate(total, scores.shape[2:], mode="bilinear")
        expected = F.interpolate(total, size, mode="bilinear", align_corners=False)
    assert logits.shape == (2, 3, *size)
    assert torch.allclose(logits, expected, atol=1e-5)


def test_what_each_map_adds_is_its_part_of_the_sum():
    """The logits are linear in the score maps: enlarged one by one, they add up to the same."""
    net = FCN(4, backbone=small(stages=5)).eval()
    x = torch.rand(1, 3, 65, 97)
    with torch.no_grad():
        whole, parts = net(x), []
        for kept in net.score:
            alone = FCN(4, backbone=net.backbone).eval()
            alone.load_state_dict(net.state_dict())
            for stage, score in alone.score.items():
                if stage != kept:
                    nn.init.zeros_(score.weight)
                    nn.init.zeros_(score.bias)
            parts.append(alone(x))
    assert torch.allclose(sum(parts), whole, atol=1e-5)
    sizes = [tuple(scores.shape[2:]) for scores in net.scores(x)]
    assert sizes == [(3, 4), (5, 7), (9, 13)]


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v3_small", "vgg11_bn"])
@pytest.mark.parametrize("network", [FCN, DilatedFCN])
def test_any_backbone_carries_it(network, backbone):
    dilated = {"output_stride": 32} if network is DilatedFCN and "vgg" in backbone else {}
    with torch.device("meta"):
        net = network(5, backbone=backbone, **dilated)
        assert net(torch.zeros(2, 3, 65, 97)).shape == (2, 5, 65, 97)


def test_auxiliary_logits_come_while_it_trains_and_only_then():
    net = DilatedFCN(3, backbone=small(output_stride=8), auxiliary=True)
    x = torch.rand(2, 3, 40, 52)
    trained = net(x)
    assert list(trained) == ["out", "aux"]
    assert trained["aux"].shape == (2, 3, 40, 52)
    assert net.eval()(x).shape == (2, 3, 40, 52)
    sum(logits.square().mean() for logits in trained.values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
    assert DilatedFCN(3, backbone=small()).train()(x).shape == (2, 3, 40, 52)


@pytest.mark.parametrize("network", [FCN, DilatedFCN])
def test_attention_stands_on_the_deepest_map(network):
    seen = []

    class Zero(nn.Module):
        def __init__(self, channels):
            super().__init__()
            seen.append(channels)

        def forward(self, x):
            seen.append(tuple(x.shape))
            return x * 0

    net = network(3, backbone=small(), attention=Zero).eval()
    logits = net(torch.rand(2, 3, 64, 96))
    assert seen == [32, (2, 32, 4, 6)]
    assert logits.shape == (2, 3, 64, 96)
    if network is DilatedFCN:  # a constant map behind zero padding: the same everywhere
        assert torch.allclose(logits, logits[:1, :, :1, :1].expand_as(logits), atol=1e-5)


@pytest.mark.parametrize("maps", [0, 5])
def test_what_cannot_be_is_said(maps):
    with pytest.raises(ValueError, match=f"maps={maps}: (this backbone has 4|at least 1)"):
        FCN(3, backbone=small(), maps=maps)
