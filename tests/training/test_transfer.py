"""Freezing that survives `train()`, and loading that says what it did."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from segtutor.models import UNet
from segtutor.models.resnet_unet import ResNetUNet
from segtutor.training import fit, freeze, load_matching, parameter_groups, unfreeze


@pytest.fixture
def net():
    torch.manual_seed(0)
    return UNet(4, width=4, depth=2)


def batch(seed, shift=0.0):
    x = torch.rand(6, 3, 16, 20, generator=torch.Generator().manual_seed(seed))
    return x + shift


def running(module):
    return {n: b.clone() for n, b in module.named_buffers()}


def step(net, optimizer, x):
    optimizer.zero_grad()
    net(x).square().mean().backward()
    optimizer.step()


def test_requires_grad_alone_lets_the_statistics_drift(net):
    """The mistake that `freeze` is for; if it did no harm, the next test would prove nothing."""
    net.encoder.requires_grad_(False)
    before = running(net.encoder)
    net.encoder.eval()
    net.train()
    net(batch(0, shift=3))
    assert any(not torch.equal(before[n], b) for n, b in net.encoder.named_buffers())


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_frozen_stays_as_it_is_through_train_and_steps(net, optimizer):
    step(net, torch.optim.SGD(net.parameters(), lr=0.1), batch(9))  # statistics, and gradients
    moves = optimizer(net.parameters(), lr=0.1, weight_decay=0.1)
    freeze(net.encoder)
    before = copy.deepcopy(net.state_dict())
    for seed in range(3):
        net.train()
        step(net, moves, batch(seed, shift=3))
    changed = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    assert not any(n.startswith("encoder.") for n in changed)
    assert {n for n, _ in net.named_parameters() if not n.startswith("encoder.")} <= changed


def test_a_frozen_map_does_not_depend_on_the_batch(net):
    freeze(net.encoder)
    net.train()
    one, many = batch(0)[:1], batch(0)
    assert torch.allclose(net.encoder[0](one), net.encoder[0](many)[:1], atol=1e-6)
    unfreeze(net.encoder)
    assert not torch.allclose(net.encoder[0](one), net.encoder[0](many)[:1], atol=1e-2)


def test_only_batch_norm_is_held_in_eval(net):
    mixed = freeze(nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3), nn.BatchNorm3d(3)))
    mixed.train()
    assert [m.training for m in mixed] == [True, False, False]
    alone = freeze(nn.BatchNorm2d(3))
    assert not alone.train().training


def test_unfreeze_undoes_it(net):
    kinds = [type(m) for m in net.modules()]
    freeze(net)
    assert [type(m) for m in net.modules()] != kinds
    freeze(net)  # twice is once
    unfreeze(net)
    assert [type(m) for m in net.modules()] == kinds
    assert all(p.requires_grad for p in net.parameters())
    assert all(m.training for m in net.modules())
    before = running(net)
    net(batch(0, shift=3))
    assert all(not torch.equal(before[n], b) for n, b in net.named_buffers())


def test_unfreezing_in_eval_mode_stays_in_eval_mode(net):
    freeze(net).eval()
    unfreeze(net)
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_frozen_networks_are_copied_and_saved_as_any_other(net):
    names = list(net.state_dict())
    freeze(net.encoder)
    assert list(net.state_dict()) == names
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        twin.train()
        assert not any(m.training for m in twin.encoder.modules() if isinstance(m, nn.BatchNorm2d))
        assert torch.equal(twin.eval()(batch(0)), net.eval()(batch(0)))


def test_a_frozen_backbone_under_a_decoder_learns_above_it():
    net = ResNetUNet(3, widths=(8, 8, 8, 8))
    freeze(net.backbone)
    net.train()
    net(torch.rand(2, 3, 32, 32)).square().mean().backward()
    grads = {n: p.grad is not None for n, p in net.named_parameters()}
    assert all(has == (not n.startswith("backbone.")) for n, has in grads.items())


def test_a_head_of_other_classes_is_left_alone(net):
    torch.manual_seed(1)
    other = UNet(7, width=4, depth=2)
    head = {n: p.clone() for n, p in other.head.named_parameters()}
    report = load_matching(other, net.state_dict())
    assert report.misfit == ["head.weight", "head.bias"]
    assert (report.missing, report.unexpected) == ([], [])
    assert set(report.loaded) == set(net.state_dict()) - {"head.weight", "head.bias"}
    for name, value in other.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(value, net.state_dict()[name]), name
    assert all(torch.equal(p, head[n]) for n, p in other.head.named_parameters())
    assert "head.weight, head.bias" in str(report)


def test_the_prefix_of_wrappers_is_taken_off(net):
    for prefix in ("module.", "_orig_mod.", "module._orig_mod."):
        twin = UNet(4, width=4, depth=2)
        wrapped = {prefix + n: v for n, v in net.state_dict().items()}
        assert twin.load_state_dict(wrapped, strict=False).missing_keys  # torch loads nothing …
        report = load_matching(twin, wrapped)
        assert len(report.loaded) == len(wrapped)
        assert torch.equal(twin.eval()(batch(0)), net.eval()(batch(0)))


def test_a_prefix_that_is_the_network_s_own_stays():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 2)

    old, new = Holder(), Holder()
    assert load_matching(new, old.state_dict()).loaded == ["module.weight", "module.bias"]


def test_what_is_missing_and_what_is_left_over_is_named(net):
    state = {n: v for n, v in net.state_dict().items() if not n.startswith("decoder.")}
    state["fc.weight"] = torch.zeros(3)
    report = load_matching(net, state)
    assert report.unexpected == ["fc.weight"]
    assert report.missing == [n for n in net.state_dict() if n.startswith("decoder.")]
    assert "…" in str(report)


def test_nothing_that_fits_is_an_error(net):
    with pytest.raises(ValueError, match="nothing fits: 0 of"):
        load_matching(net, {f"net.{n}": v for n, v in net.state_dict().items()})


def test_loading_leaves_gradients_and_the_file_alone(net):
    other = UNet(4, width=4, depth=2)
    state = copy.deepcopy(net.state_dict())
    load_matching(other, state)
    assert all(p.requires_grad and p.grad is None for p in other.parameters())
    other.head.weight.data.zero_()
    assert torch.equal(state["head.weight"], net.head.weight)


def scenes(n):
    """Pairs of a picture and labels that its brightness tells."""
    pictures = [torch.rand(3, 16, 20, generator=torch.Generator().manual_seed(i)) for i in range(n)]
    return [(x, (3.99 * x.mean(0)).long()) for x in pictures]


def test_fit_leaves_a_frozen_encoder_bit_for_bit_as_it_is(net):
    net(batch(0))  # statistics that are not those of the start
    freeze(net.encoder)
    before = copy.deepcopy(net.state_dict())
    fit(net, scenes(8), scenes(4), num_classes=4, epochs=2, batch_size=4, ema=0.9, device="cpu",
        progress=False)  # fmt: skip
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("encoder."), name


def test_fit_takes_rates_for_parts_of_a_network(net):
    before = copy.deepcopy(net.state_dict())

    def moved(rates):
        twin = copy.deepcopy(net)
        fit(twin, scenes(8), num_classes=4, epochs=2, batch_size=4, rates=rates, device="cpu",
            weight_decay=0.0, progress=False)  # fmt: skip
        named = twin.named_parameters()
        return {n: (p - before[n]).abs().mean().item() for n, p in named}

    plain, slow = moved({}), moved({"encoder": 0.01, "encoder.1": 1.0})
    for name in plain:
        if name.startswith("encoder.") and not name.startswith("encoder.1."):
            assert slow[name] < 0.03 * plain[name], name
        else:
            assert slow[name] > 0.3 * plain[name], name


@pytest.mark.parametrize("name", ["enc", "backbone", "encoder.9"])
def test_rates_for_a_part_that_is_not_there_are_refused(net, name):
    with pytest.raises(ValueError, match="part: encoder, pool, dropout, decoder, head, attention"):
        parameter_groups(net, 0.1, 0.0, rates={name: 0.5})


def test_groups_hold_each_parameter_once_and_no_frozen_one(net):
    freeze(net.encoder[0])
    groups = parameter_groups(net, 0.1, 0.01, rates={"encoder": 0.1})
    held = [id(p) for group in groups for p in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters() if p.requires_grad}
    rate = {name: group["lr"] for group in groups for name in group["names"]}
    assert all(rate[n] == pytest.approx(0.01 if n.startswith("encoder.") else 0.1) for n in rate)
