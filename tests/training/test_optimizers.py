"""Which parameters decay, and how fast each of them learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segtutor.training import freeze, parameter_groups
from segtutor.training.optimizers import make_optimizer
from tests.training.cases import unet


class Everything(nn.Module):
    """Every kind of parameter that the book's networks have."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.up = nn.ConvTranspose2d(4, 4, 2)
        self.linear = nn.Linear(4, 4)
        self.batch = nn.BatchNorm2d(4)
        self.group = nn.GroupNorm(2, 4)
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.layer = nn.LayerNorm((4, 6, 6))  # scale and shift have three dimensions
        self.root = nn.RMSNorm((6, 6))
        self.scale = nn.Parameter(torch.ones(4))


DECAYING = {"conv.weight", "up.weight", "linear.weight"}


def test_weights_decay_and_nothing_else() -> None:
    model = Everything()
    groups = parameter_groups(model, 0.1, 0.5)
    decaying = {n for group in groups if group["weight_decay"] == 0.5 for n in group["names"]}
    free = {n for group in groups if group["weight_decay"] == 0.0 for n in group["names"]}
    assert decaying == DECAYING
    assert free == {name for name, _ in model.named_parameters()} - DECAYING
    assert {group["lr"] for group in groups} == {0.1}


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_step_without_gradient_shrinks_what_decays_alone(name: str) -> None:
    model = Everything()
    for parameter in model.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    make_optimizer(name, model, 0.1, 0.5, None).step()
    for path, parameter in model.named_parameters():
        assert (parameter < 0.99).all() == (path in DECAYING), path


def test_each_parameter_once_and_frozen_ones_never() -> None:
    model = unet()
    model.again = model.head  # two paths to the same weights
    model.tied = nn.Conv2d(4, 3, 1)
    model.tied.weight = model.head.weight
    freeze(model.encoder[0])
    names = [n for group in parameter_groups(model, 0.1, 0.5) for n in group["names"]]
    assert len(names) == len(set(names))
    kept = {name for name, each in model.named_parameters() if each.requires_grad}
    assert set(names) == kept
    assert not any(name.startswith("encoder.0.") for name in names)


def test_parts_have_rates_of_their_own_and_the_longest_name_counts() -> None:
    rates = {"encoder": 0.1, "encoder.0": 0.01, "head.bias": 2.0}
    groups = parameter_groups(unet(), 1.0, 0.5, rates=rates)
    found = {name: group["lr"] for group in groups for name in group["names"]}
    for name, rate in found.items():
        expected = 1.0
        if name.startswith("encoder."):
            expected = 0.01 if name.startswith("encoder.0.") else 0.1
        assert rate == (2.0 if name == "head.bias" else expected), name
    assert found.keys() == dict(unet().named_parameters()).keys()


@pytest.mark.parametrize("prefix", ["backbone", "enc", "encoder.7", ""])
def test_a_part_that_is_not_there(prefix: str) -> None:
    with pytest.raises(ValueError, match="part: encoder, pool, dropout, decoder, head, attention"):
        parameter_groups(unet(), 0.1, 0.5, rates={prefix: 0.1})


def test_optimizers_by_name_and_made_already() -> None:
    model = unet()
    sgd = make_optimizer("sgd", model, 0.1, 0.0, None)
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.defaults["nesterov"]
    assert sgd.defaults["momentum"] == 0.9
    assert isinstance(make_optimizer("adamw", model, 0.1, 0.0, None), torch.optim.AdamW)
    assert make_optimizer(sgd, model, 5.0, 5.0, None) is sgd
    with pytest.raises(ValueError, match="'adam' has to be"):
        make_optimizer("adam", model, 0.1, 0.0, None)
    with pytest.raises(ValueError, match="yours has its own groups"):
        make_optimizer(sgd, model, 0.1, 0.0, {"encoder": 0.1})
    with pytest.raises(ValueError, match="no parameter of this model"):
        make_optimizer(sgd, unet(), 0.1, 0.0, None)
    with pytest.raises(ValueError, match="nothing to train"):
        make_optimizer("sgd", freeze(unet()), 0.1, 0.0, None)
