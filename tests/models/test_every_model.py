"""What every network of the book promises, in a form so small that all can be asked at once.

A new network needs one line in NETS. What is its own business (parameter counts, equality with a
reference, sizes that only it refuses) stands in its own test file.
"""

from __future__ import annotations

import inspect
import urllib.request
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torchvision.models.vgg import make_layers

from segtutor import models
from segtutor.models import backbones
from segtutor.training.evaluation import logits_of

CLASSES = 5


def on_small(network, *, stages=4, stride=None, **settings):
    """A network that takes a backbone, on the book's own small one."""

    def make(**more):
        backbone = models.SmallBackbone(width=4, stages=stages, output_stride=stride)
        return network(CLASSES, backbone=backbone, **settings, **more)

    return make


def on_vgg(network):
    """A network that belongs to VGG-16, with as many layers, but fewer channels."""

    def make(**more):
        narrow = make_layers([4, 4, "M", 4, 4, "M", 4, 4, 8, "M", 4, 4, 8, "M", 4, 4, 512, "M"])
        with pytest.MonkeyPatch.context() as patch:
            twin = SimpleNamespace(features=narrow)
            patch.setattr(backbones.models, "get_model", lambda *_, **__: twin)
            return network(CLASSES, hidden=8, **more)

    return make


NETS = {
    "UNet": partial(models.UNet, CLASSES, width=4, depth=2),
    "UNet, skips added": partial(models.UNet, CLASSES, width=4, depth=2, skips="add"),
    "UNet, no skips": partial(models.UNet, CLASSES, width=4, depth=2, skips=None),
    "UNet, as published": partial(
        models.UNet, CLASSES, width=4, depth=2, padded=False, normalized=False
    ),
    "AttentionUNet": partial(models.AttentionUNet, CLASSES, width=4, depth=2),
    "AttentionUNet, no gates": partial(
        models.AttentionUNet, CLASSES, width=8, depth=2, gated=False
    ),
    "ResNetUNet": on_small(models.ResNetUNet, widths=(16, 8, 8, 4)),
    "ResNetUNet, half size": on_small(models.ResNetUNet, widths=(16, 8, 8)),
    "SegNet": partial(models.SegNet, CLASSES, width=4, depth=3),
    "SegNet, bilinear": partial(models.SegNet, CLASSES, width=4, depth=3, upsampling="bilinear"),
    "SegNet, learned": partial(models.SegNet, CLASSES, width=4, depth=3, upsampling="learned"),
    "FCN32s": on_vgg(models.FCN32s),
    "FCN16s": on_vgg(models.FCN16s),
    "FCN8s": on_vgg(models.FCN8s),
    "FCN": on_small(models.FCN, stages=5),
    "DilatedFCN": on_small(models.DilatedFCN, stride=8, auxiliary=True),
    "DeepLabV2": on_small(models.DeepLabV2, stride=8),
    "DeepLabV3": on_small(models.DeepLabV3, width=8, stride=8, auxiliary=True),
    "DeepLabV3Plus": on_small(models.DeepLabV3Plus, width=8, bridge_width=4, stride=8),
    "DeepLabV3Plus, separable": on_small(
        models.DeepLabV3Plus, width=8, bridge_width=4, stride=8, separable=True
    ),
    "PSPNet": on_small(models.PSPNet, width=8, stride=8, auxiliary=True),
    "DANet": on_small(models.DANet, stride=8, auxiliary=True),
}
every = pytest.mark.parametrize("name", NETS)
BLOCKS = [models.SqueezeExcite, models.CBAM, models.SCSE, models.SelfAttention, models.NonLocal,
          models.PositionAttention, models.ChannelAttention, models.DualAttention]  # fmt: skip

SIZES = {"UNet, as published": (48, 64)}  # what does not take every size; others take (65, 97)
# Biases that learn nothing, kept because the reference has them: batch norm takes back what they
# add, and a softmax over places what a key's bias adds to all of them.
BIASED = ("SegNet", "AttentionUNet")
IDLE = {"DANet": {"head.position.1.key.bias"}}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Nothing is downloaded, by no constructor."""
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("network"))


def build(name, seed=0, **more):
    """A network whose numbers are all awake: a gate or score that begins at 0 hides the rest."""
    torch.manual_seed(seed)
    net = NETS[name](**more)
    with torch.no_grad():
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1)
    return net


def pictures(name, count=2, dtype=torch.float32):
    return torch.rand(count, 3, *SIZES.get(name, (65, 97)), dtype=dtype)


def logits_size(net, size):
    """The picture's size, but for the U-Net that says otherwise."""
    if isinstance(net, models.UNet):
        return tuple(net.output_size(side) for side in size)
    return tuple(size)


def biases_before_norm(net):
    """Names of the biases that batch norm takes back."""
    return {
        f"{n}.{k}.bias"
        for n, layers in net.named_modules()
        if isinstance(layers, nn.Sequential)
        for k, (layer, behind) in enumerate(pairwise(layers))
        if isinstance(layer, nn.Conv2d) and isinstance(behind, nn.BatchNorm2d)
    }


def attempt(net, x):
    """The logits and no words, or no logits and the words they were refused with."""
    try:
        return logits_of(net(x)), ""
    except ValueError as error:
        return None, str(error)


def test_every_network_is_asked():
    made = {type(make()).__name__ for make in NETS.values()}
    public = [getattr(models, name) for name in models.__all__]
    networks = {
        each.__name__
        for each in public
        if inspect.isclass(each) and next(iter(inspect.signature(each).parameters)) == "num_classes"
    }
    assert networks <= made


@every
@pytest.mark.parametrize("size", [(65, 97), (64, 96), (33, 50), (48, 44)])
@pytest.mark.parametrize("count", [1, 2])
def test_logits_of_any_size_or_a_clear_word(name, size, count):
    net = build(name).eval()
    x = torch.rand(count, 3, *size)
    before = x.clone()
    logits, words = attempt(net, x)
    if logits is None:
        assert name in SIZES
        assert any(f"{side} pixels does not fit" in words for side in size)
    else:
        assert logits.shape == (count, CLASSES, *logits_size(net, size))
        assert logits.isfinite().all()
        assert torch.equal(x, before)


@every
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 40), (16, 16)])
@pytest.mark.parametrize("train", [False, True])
def test_a_small_picture_works_or_is_refused_kindly(name, size, train):
    """A single one in training mode, too: batch norm's own words help nobody."""
    net = build(name).train(train)
    logits, words = attempt(net, torch.rand(1, 3, *size))
    if logits is None:
        assert "Expected more than 1 value" not in words
        assert "batch of one" in words or any(str(side) in words for side in size)
    else:
        assert logits.shape[-2:] == logits_size(net, size)
        assert logits.isfinite().all()


@every
def test_a_batch_of_one_trains_or_says_why_not(name):
    logits, words = attempt(build(name), pictures(name, 1))
    if logits is None:
        for part in ("batch of one", "one number a channel", "batches of two"):
            assert part in words
    else:
        assert logits.isfinite().all()


@every
def test_every_parameter_learns(name):
    net, x = build(name).double(), pictures(name, 3, torch.float64)
    output = net(x)
    maps = list(output.values()) if isinstance(output, dict) else [output]
    sum((each * torch.randn_like(each)).sum() for each in maps).backward()
    learned = {n: p for n, p in net.named_parameters() if p.requires_grad}
    assert [n for n, p in learned.items() if p.grad is None] == []
    largest = max(p.grad.abs().max() for p in learned.values())
    dead = {n for n, p in learned.items() if p.grad.abs().max() < 1e-12 * largest}
    idle = biases_before_norm(net) if name.startswith(BIASED) else IDLE.get(name, set())
    assert dead == idle


@every
def test_evaluation_mode_judges_each_picture_alone(name):
    net, x = build(name).eval(), pictures(name)
    with torch.no_grad():
        logits = net(x)
        assert torch.equal(net(x), logits)
        torch.testing.assert_close(net(x[1:]), logits[1:], atol=1e-5, rtol=1e-4)
        last = net(x.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(last, logits, atol=1e-5, rtol=1e-4)


@every
def test_training_mode_returns_what_fit_understands(name):
    net, x = build(name), pictures(name)
    logits = logits_of(net(x))
    assert logits.shape == (2, CLASSES, *logits_size(net, x.shape[-2:]))


@every
def test_a_seed_decides_all_numbers(name):
    first, again, other = build(name), build(name), build(name, seed=1)
    assert all(map(torch.equal, first.parameters(), again.parameters()))
    # Batch norm begins at 1 and 0, a fixed kernel is what it is; all else is drawn.
    drawn = [n for n, p in first.named_parameters() if p.dim() > 1 and p.requires_grad]
    assert not [n for n in drawn if torch.equal(first.get_parameter(n), other.get_parameter(n))]
    other.load_state_dict(first.state_dict())
    x = pictures(name)
    assert torch.equal(other.eval()(x), first.eval()(x))


class Scale(nn.Module):
    """The smallest attention block: one number."""

    def __init__(self, channels):
        super().__init__()
        self.channels, self.seen = channels, []
        self.factor = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        self.seen.append(x.shape)
        return x * self.factor


@every
def test_attention_stands_on_the_deepest_map(name):
    net, plain, x = build(name, attention=Scale), build(name).eval(), pictures(name)
    blocks = [module for module in net.modules() if isinstance(module, Scale)]
    assert len(blocks) == 1
    logits = logits_of(net(x))
    assert [shape[1] for shape in blocks[0].seen] == [blocks[0].channels]
    logits.square().sum().backward()
    assert blocks[0].factor.grad != 0
    count, plainly = (sum(p.numel() for p in each.parameters()) for each in (net, plain))
    assert count == plainly + 1
    blocks[0].factor.data.fill_(1.0)
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if not k.endswith("factor")})
    assert torch.equal(net.eval()(x), plain(x))


@every
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_attention_block_fits(name, block):
    net, x = build(name, attention=block), pictures(name)
    logits = logits_of(net(x))
    assert logits.shape == (2, CLASSES, *logits_size(net, x.shape[-2:]))
    logits.square().sum().backward()
    assert type(net.attention) is block
    assert max(p.grad.abs().max() for p in net.attention.parameters()) > 0


@every
@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (torch.rand(2, 1, 48, 64), ValueError, "1 channels"),
        (torch.rand(2, 4, 48, 64), ValueError, "4 channels"),
        (torch.rand(3, 48, 64), ValueError, r"x\[None\]"),
        (torch.zeros(2, 3, 48, 64, dtype=torch.uint8), TypeError, "divide by 255"),
    ],
)
def test_wrong_pictures_are_refused_kindly(name, wrong, error, words):
    with pytest.raises(error, match=words):
        build(name)(wrong)


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(name, dtype):
    net, x = build(name).eval(), pictures(name)
    with torch.no_grad():
        full, half = net(x), net.to(dtype)(x.to(dtype))
    assert half.dtype == dtype
    share = 0.1 if dtype == torch.bfloat16 else 0.02
    assert (half.float() - full).abs().mean() < share * full.std()


@every
def test_mixed_precision_trains(name):
    net, x = build(name), pictures(name)
    with torch.autocast("cpu", torch.bfloat16):
        logits = logits_of(net(x))
    logits.float().square().mean().backward()
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)


@every
@pytest.mark.slow
def test_compiles_in_one_piece(name):
    """In one graph, for both modes; the machine code made of it is PyTorch's part."""
    net, x = build(name), pictures(name)
    torch.compiler.reset()
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    for mode in (True, False):
        net.train(mode)
        for dropout in net.modules():
            if isinstance(dropout, nn.Dropout | nn.Dropout2d):
                dropout.p = 0.0
        torch.testing.assert_close(logits_of(compiled(x)), logits_of(net(x)))


@every
@pytest.mark.slow
def test_exports_for_torch_and_onnx(name, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, x = build(name).eval(), pictures(name)
    program = torch.export.export(net, (x,))
    other = pictures(name)
    with torch.no_grad():
        expected = net(other)
        torch.testing.assert_close(program.module()(other), expected, atol=1e-5, rtol=1e-5)
    path = tmp_path / "net.onnx"
    torch.onnx.export(program, dynamo=True, verbose=False).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: other.numpy()})
    torch.testing.assert_close(torch.from_numpy(logits), expected, atol=1e-4, rtol=1e-4)
