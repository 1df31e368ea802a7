"""Gates and self-attention: equal to their peers, bounded, and shown by their maps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.models.attention import (
    CBAM,
    SCSE,
    AttentionGate,
    SqueezeExcite,
    attention_maps,
)
from segtutor.models.self_attention import (
    ChannelAttention,
    DualAttention,
    NonLocal,
    PositionAttention,
    SelfAttention,
    attention_weights,
    scaled_dot_product_attention,
)

GATES = [SqueezeExcite, CBAM, SCSE]
AROUND = [SelfAttention, NonLocal, PositionAttention, ChannelAttention, DualAttention]


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def awake(block: nn.Module) -> nn.Module:
    """The block as after some training: random statistics, and gains that are not zero."""
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_()
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 1.5)
    for name, parameter in block.named_parameters():
        if name.endswith("gain"):
            parameter.data.fill_(0.7)
    return block.eval()


def transfer(ours: nn.Module, theirs: nn.Module) -> None:
    """Put their tensors into ours, in order: as many, of the same numbers each."""
    mine, peer = ours.state_dict(), theirs.state_dict()
    assert len(mine) == len(peer)
    for (name, tensor), other in zip(mine.items(), peer.values(), strict=True):
        assert tensor.numel() == other.numel(), name
        tensor.copy_(other.reshape(tensor.shape))


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (SqueezeExcite(64), 580),  # torchvision.ops.SqueezeExcitation(64, 4)
        (SqueezeExcite(256), 8_464),
        (CBAM(64), 680),  # the authors' repository
        (CBAM(256), 8_564),
        (SCSE(64), 645),  # segmentation-models-pytorch
        (SCSE(256), 8_721),
        (AttentionGate(512), 263_939),  # LeeJunHyun's, where 512 channels meet
        (AttentionGate(64), 4_323),
        (PositionAttention(512), 328_321),  # the authors' repository
        (PositionAttention(64), 5_201),
        (ChannelAttention(512), 1),
        (DualAttention(512), 328_322),
        (SelfAttention(64), 4 * 64 * 64 + 4 * 64),  # nn.MultiheadAttention
        (NonLocal(64), 4 * 64 * 32 + 32 + 2 * 64),  # the query's biases, the batch norm
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_parameters_are_the_reference_s(block: nn.Module, count: int) -> None:
    assert parameters(block) == count


def test_squeeze_excite_is_torchvision_s() -> None:
    ops = pytest.importorskip("torchvision.ops")
    ours, theirs = SqueezeExcite(64), ops.SqueezeExcitation(64, 4)
    transfer(ours, theirs)
    x = torch.randn(3, 64, 5, 7)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)


def test_scse_is_smp_s() -> None:
    modules = pytest.importorskip("segmentation_models_pytorch.base.modules")
    ours, theirs = SCSE(32, reduction=8), modules.SCSEModule(32, reduction=8)
    transfer(ours, theirs)
    x = torch.randn(3, 32, 5, 7)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)


def test_cbam_is_timm_s_with_the_authors_biases_and_order() -> None:
    cbam = pytest.importorskip("timm.layers.cbam")
    ours, theirs = CBAM(32), awake(cbam.CbamModule(32, mlp_bias=True))
    transfer(ours, theirs)
    # The authors stack the maximum before the mean, timm the mean before the maximum.
    ours.look[0].weight.data = ours.look[0].weight.data.flip(1)
    x = torch.randn(3, 32, 5, 7)
    assert torch.allclose(ours.eval()(x), theirs(x), atol=1e-6)


def test_cbam_is_the_authors_by_the_paper_s_formulas() -> None:
    block, x = awake(CBAM(32, reduction=4)), torch.randn(2, 32, 6, 5)
    first, _, second = block.mlp
    conv, norm = block.look

    def mlp(v: torch.Tensor) -> torch.Tensor:
        hidden = (v @ first.weight.flatten(1).T + first.bias).relu()
        return hidden @ second.weight.flatten(1).T + second.bias

    channel = torch.sigmoid(mlp(x.flatten(2).mean(2)) + mlp(x.flatten(2).max(2).values))
    gated = x * channel[:, :, None, None]
    stacked = torch.stack([gated.max(1).values, gated.mean(1)], 1)
    seen = F.conv2d(stacked, conv.weight, padding=3)
    seen = (seen - norm.running_mean) / (norm.running_var + 1e-5).sqrt() * norm.weight + norm.bias
    assert torch.allclose(block(x), gated * torch.sigmoid(seen), atol=1e-6)
    assert norm.momentum == 0.01


@pytest.mark.slow  # MONAI takes seconds to load
def test_the_gate_is_monai_s() -> None:
    peer = pytest.importorskip("monai.networks.nets.attentionunet")
    theirs = awake(peer.AttentionBlock(2, f_int=6, f_g=12, f_l=10))
    ours = AttentionGate(10, 12, hidden=6).eval()
    transfer(ours, theirs)
    skip, gate = torch.randn(2, 10, 5, 7), torch.randn(2, 12, 5, 7)
    assert torch.allclose(ours(skip, gate), theirs(g=gate, x=skip), atol=1e-6)


@pytest.mark.parametrize("size", [(5, 6), (1, 1), (3, 4)])
def test_a_coarse_gate_is_enlarged_before_or_behind_the_projection(size: tuple[int, int]) -> None:
    block = awake(AttentionGate(10, 12))
    skip, gate = torch.randn(2, 10, 9, 12), torch.randn(2, 12, *size)
    large = F.interpolate(gate, size=(9, 12), mode="bilinear", align_corners=False)
    assert torch.allclose(block(skip, gate), block(skip, large), atol=1e-6)
    assert block.maps(skip, gate).shape == (2, 1, 9, 12)


def test_biases_in_front_of_batch_norm_cancel() -> None:
    with_bias, without = AttentionGate(10, 12), AttentionGate(10, 12, bias=False)
    for mine, peer in zip(without.modules(), with_bias.modules(), strict=True):
        if isinstance(mine, nn.Conv2d):
            mine.weight = peer.weight
    skip, gate = torch.randn(2, 10, 5, 7), torch.randn(2, 12, 5, 7)
    assert torch.allclose(with_bias(skip, gate), without(skip, gate), atol=1e-5)


def test_the_non_local_block_is_timm_s() -> None:
    layers = pytest.importorskip("timm.layers")
    theirs = awake(layers.NonLocalAttn(32, use_scale=False, rd_ratio=0.5))
    for convolution in (theirs.t, theirs.p, theirs.g, theirs.z):
        convolution.bias.data.normal_()
    ours = NonLocal(32).eval()
    for mine, peer in ((ours.query, theirs.t), (ours.key, theirs.p),
                       (ours.value, theirs.g), (ours.output, theirs.z)):  # fmt: skip
        mine.weight.data.copy_(peer.weight)
    ours.query.bias.data.copy_(theirs.t.bias)
    ours.norm.load_state_dict(theirs.norm.state_dict())
    # What ours has not: constants that batch norm subtracts, and p's bias, which softmax ignores.
    constant = theirs.z.weight.flatten(1) @ theirs.g.bias + theirs.z.bias
    ours.norm.running_mean -= constant.detach()
    x = torch.randn(2, 32, 5, 7)
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    assert not torch.allclose(ours(x), x, atol=0.1)
    ours.train(), theirs.train()
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_self_attention_is_multi_head_attention(heads: int) -> None:
    theirs = nn.MultiheadAttention(16, heads, batch_first=True)
    theirs.in_proj_bias.data.normal_()
    theirs.out_proj.bias.data.normal_()
    ours = SelfAttention(16, heads=heads)
    transfer(ours, theirs)
    x = torch.randn(2, 16, 3, 5)
    tokens = x.flatten(2).transpose(1, 2)
    mixed, weights = theirs(tokens, tokens, tokens, average_attn_weights=False)
    assert torch.allclose(ours(x) - x, mixed.transpose(1, 2).view_as(x), atol=1e-5)
    assert torch.allclose(ours.maps(x), weights.view(2, heads, 3, 5, 3, 5), atol=1e-6)


@pytest.mark.parametrize("scale", [None, 1.0, 0.3])
def test_dot_product_attention_is_pytorch_s_with_its_gradient(scale: float | None) -> None:
    query = torch.randn(2, 3, 5, 4, dtype=torch.double, requires_grad=True)
    key = torch.randn(2, 3, 7, 4, dtype=torch.double, requires_grad=True)
    value = torch.randn(2, 3, 7, 6, dtype=torch.double, requires_grad=True)
    ours = scaled_dot_product_attention(query, key, value, scale=scale)
    theirs = F.scaled_dot_product_attention(query, key, value, scale=scale)
    assert torch.allclose(ours, theirs, atol=1e-12)
    probe = torch.randn_like(ours)
    for mine, peer in zip(torch.autograd.grad(ours, (query, key, value), probe),
                          torch.autograd.grad(theirs, (query, key, value), probe),
                          strict=True):  # fmt: skip
        assert torch.allclose(mine, peer, atol=1e-12)


def test_position_attention_by_loops() -> None:
    """The paper's equations, place by place."""
    block, x = awake(PositionAttention(16)).double(), torch.randn(1, 16, 2, 3).double()
    query, key, value = block.query(x)[0], block.key(x)[0], block.value(x)[0]
    places = [(i, j) for i in range(2) for j in range(3)]
    expected, maps = x.clone(), block.maps(x)
    for i, j in places:
        energies = torch.stack([query[:, i, j] @ key[:, k, m] for k, m in places])
        shares = energies.exp() / energies.exp().sum()
        assert torch.allclose(maps[0, i, j].flatten(), shares)
        for share, (k, m) in zip(shares, places, strict=True):
            expected[0, :, i, j] += 0.7 * share * value[:, k, m]
    assert torch.allclose(block(x), expected)


def test_channel_attention_has_the_authors_energies() -> None:
    """They subtract from the maximum of the row; a scale of -1 is the same."""
    block, x = awake(ChannelAttention(6)).double(), torch.randn(2, 6, 3, 4).double()
    rows = x.flatten(2)
    energy = torch.einsum("nap,nbp->nab", rows, rows)
    energy = energy.max(dim=-1, keepdim=True).values - energy
    shares = torch.softmax(energy, dim=-1)
    assert torch.allclose(block.maps(x), shares)
    mixed = torch.einsum("nab,nbp->nap", shares, rows).view_as(x)
    assert torch.allclose(block(x), x + 0.7 * mixed)
    assert (shares.diagonal(dim1=1, dim2=2) < 1 / 6).all()  # least from itself


@pytest.mark.parametrize("make", AROUND[:-1])
def test_the_maps_are_what_the_fused_kernel_uses(make: type[nn.Module]) -> None:
    block, x = awake(make(16)), torch.randn(2, 16, 3, 5)
    maps = block.maps(x)
    if make is ChannelAttention:
        assert torch.allclose(maps.sum(-1), torch.ones(2, 16))
        found = maps @ x.flatten(2)
        expected = x + block.gain * found.view_as(x)
    else:
        assert torch.allclose(maps.sum((-2, -1)), torch.ones(maps.shape[:-2]))
        weights = maps.flatten(-4, -3).flatten(-2).view(2, -1, 15, 15)  # (N, heads, 15, 15)
        value = block.inputs(x)[:, 32:] if make is SelfAttention else block.value(x)
        value = value.view(2, weights.shape[1], -1, 15)
        found = torch.einsum("nhij,nhcj->nhci", weights, value).reshape(2, -1, 3, 5)
        if make is SelfAttention:
            expected = x + block.output(found)
        elif make is NonLocal:
            expected = x + block.norm(block.output(found))
        else:
            expected = x + block.gain * found
    assert torch.allclose(block(x), expected, atol=1e-5)


def test_dual_attention_is_the_sum_of_both() -> None:
    block, x = awake(DualAttention(16)), torch.randn(2, 16, 3, 5)
    found = (block.position(x) - x) + (block.channel(x) - x)
    assert torch.allclose(block(x) - x, found, atol=1e-5)


@pytest.mark.parametrize("make", [NonLocal, PositionAttention, ChannelAttention, DualAttention])
def test_blocks_for_trained_networks_begin_as_the_identity(make: type[nn.Module]) -> None:
    x = torch.randn(2, 16, 3, 5)
    assert torch.equal(make(16)(x), x)


@pytest.mark.parametrize("make", GATES)
def test_gates_are_bounded(make: type[nn.Module]) -> None:
    block, x = awake(make(16, reduction=4)), 30 * torch.randn(2, 16, 5, 7)
    maps = block.maps(x) if isinstance(block.maps(x), tuple) else (block.maps(x),)
    for gate in maps:
        assert ((gate >= 0) & (gate <= 1)).all()
        assert gate.std() > 0.01
    expected = sum(x * g for g in maps) if make is SCSE else x * torch.stack([
        g.expand_as(x) for g in maps]).prod(0)  # fmt: skip
    assert torch.allclose(block(x), expected, atol=1e-5)


@pytest.mark.parametrize("make", [*GATES, *AROUND])
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 6)])
def test_every_parameter_learns_once_the_gain_is_open(
    make: type[nn.Module], size: tuple[int, int]
) -> None:
    # One channel between the layers of a gate could be dead from the start.
    block = awake(make(16, reduction=2) if make in GATES else make(16)).train().double()
    x = torch.randn(3, 16, *size, dtype=torch.double, requires_grad=True)
    (block(x) * torch.randn_like(x)).sum().backward()
    assert x.grad.abs().sum() > 0
    if size == (1, 1) and make in AROUND:
        return  # one place looks at itself, whatever the query says
    still = [name for name, p in block.named_parameters() if p.grad.abs().max() < 1e-9]
    # Softmax ignores what is added to every key: PAM's and multi-head attention's bias.
    assert still == ({PositionAttention: ["key.bias"], DualAttention: ["position.key.bias"]}
                     .get(make, []))  # fmt: skip
    if make is SelfAttention:
        assert block.inputs.bias.grad[16:32].abs().max() < 1e-9


@pytest.mark.parametrize("make", [*GATES, *AROUND])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.half])
def test_half_precision(make: type[nn.Module], dtype: torch.dtype) -> None:
    block, x = awake(make(16)), torch.randn(2, 16, 9, 13)
    plain = block(x)
    assert torch.allclose(block.to(dtype)(x.to(dtype)).float(), plain, atol=0.1, rtol=0.05)


@pytest.mark.parametrize("make", [*GATES, *AROUND])
def test_channels_last_and_the_seed(make: type[nn.Module]) -> None:
    torch.manual_seed(3)
    one = make(16)
    torch.manual_seed(3)
    two = make(16)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    x = torch.randn(2, 16, 4, 5)
    block = awake(one)
    last = x.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(block(last), block(x), atol=1e-6)


def test_one_picture_of_one_place_cannot_train_a_batch_norm() -> None:
    x = torch.randn(1, 16, 1, 1)
    for block in (CBAM(16), NonLocal(16)):
        with pytest.raises(ValueError, match=r"batch of one picture.*map of 1×1"):
            block(x)
        block(x.expand(2, -1, -1, -1))
        block(x.expand(-1, -1, 1, 2))
        block.eval()(x)
    with pytest.raises(ValueError, match="batch of one picture"):
        AttentionGate(16)(torch.randn(1, 16, 2, 2), x)
    AttentionGate(16)(torch.randn(2, 16, 2, 2), x.expand(2, -1, -1, -1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SqueezeExcite(16, reduction=0), "reduction=0"),
        (lambda: CBAM(0), "channels=0"),
        (lambda: NonLocal(16, reduction=-1), "at least 1"),
        (lambda: SelfAttention(16, heads=3), "heads=3: 16 channels"),
        (lambda: SelfAttention(16, heads=0), "heads=0"),
        (lambda: ChannelAttention(8)(torch.randn(1, 4, 2, 2)), "map of 4 channels"),
    ],
)
def test_what_cannot_be_is_said(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_few_channels_keep_one_between_the_layers() -> None:
    for make in (*GATES, NonLocal, PositionAttention):
        assert make(1)(torch.randn(2, 1, 3, 3)).shape == (2, 1, 3, 3)


def test_the_rows_of_weights_sum_to_one_and_not_the_columns() -> None:
    weights = attention_weights(torch.randn(2, 5, 4), torch.randn(2, 7, 4))
    assert weights.shape == (2, 5, 7)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 5))
    assert not torch.allclose(weights.sum(-2), torch.full((2, 7), 5 / 7), atol=0.1)


def test_the_maps_of_a_network_by_name() -> None:
    net = nn.Sequential(nn.Conv2d(3, 16, 1), CBAM(16), nn.ReLU(inplace=True), DualAttention(16))
    net.eval()
    x = torch.randn(2, 3, 3, 5)
    maps = attention_maps(net, x)
    assert list(maps) == ["1", "3.position", "3.channel"]
    for found, expected in zip(maps["1"], net[1].maps(net[0](x)), strict=True):
        assert torch.equal(found, expected)
        assert not found.requires_grad
    assert torch.equal(maps["3.channel"], net[3].channel.maps(net[:3](x)))
    assert not any(module._forward_hooks for module in net.modules())
    with pytest.raises(RuntimeError):
        attention_maps(net, torch.randn(2, 4, 3, 5))
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
def test_large_energies_do_not_overflow(dtype: torch.dtype) -> None:
    """Channels behind a ReLU, all of them loud: every sum over the places is beyond 65,504."""
    block, x = awake(ChannelAttention(8)), 4 + torch.rand(1, 8, 64, 80)
    assert (x.flatten(2) @ x.flatten(2).mT).min() > 65_504
    assert block.to(dtype)(x.to(dtype)).isfinite().all()


@pytest.mark.slow
def test_compiled_and_exported(tmp_path) -> None:
    """All blocks in a row: one graph for PyTorch's compiler, its export, and ONNX."""
    onnxruntime = pytest.importorskip("onnxruntime")
    blocks = nn.Sequential(*(awake(make(16)) for make in (*GATES, *AROUND))).eval()
    x = torch.randn(2, 16, 4, 5)
    plain = blocks(x)
    assert torch.allclose(torch.export.export(blocks, (x,)).module()(x), plain, atol=1e-5)
    torch.compiler.reset()
    whole = torch.compile(blocks, fullgraph=True, backend="aot_eager")
    assert torch.allclose(whole(x), plain, atol=1e-5)
    path = tmp_path / "blocks.onnx"
    torch.onnx.export(blocks, (x,), dynamo=True, verbose=False).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    assert torch.allclose(torch.from_numpy(found), plain, atol=1e-4)
