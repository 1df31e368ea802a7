"""The modules are their functions; their class weights move with them."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from segtutor import losses
from tests.losses.cases import batch

MODULES = {
    losses.CrossEntropyLoss: (losses.cross_entropy, 4, {"label_smoothing": 0.1}),
    losses.BinaryCrossEntropyLoss: (losses.binary_cross_entropy, 1, {"pos_weight": 3.0}),
    losses.SoftmaxFocalLoss: (losses.softmax_focal_loss, 4, {"gamma": 3.0}),
    losses.SigmoidFocalLoss: (losses.sigmoid_focal_loss, 1, {"alpha": 0.7, "gamma": 1.0}),
    losses.DiceLoss: (losses.dice_loss, 4, {"squared": True, "smooth": 1.0}),
    losses.JaccardLoss: (losses.jaccard_loss, 4, {"classes": [1, 2], "smooth": 1.0}),
    losses.TverskyLoss: (losses.tversky_loss, 4, {"alpha": 0.3, "beta": 0.7, "smooth": 1.0}),
    losses.FocalTverskyLoss: (losses.focal_tversky_loss, 4, {"gamma": 2.0, "alpha": 0.6}),
    losses.LovaszSoftmaxLoss: (losses.lovasz_softmax, 4, {"per_image": True, "classes": [0, 2]}),
    losses.LovaszHingeLoss: (losses.lovasz_hinge, 1, {"per_image": True}),
    losses.BoundaryLoss: (losses.boundary_loss, 4, {"classes": [1, 3]}),
}
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)


@each_module
def test_a_module_is_its_function(module, device):
    function, c, settings = MODULES[module]
    x, y = batch(n=3, c=c, absent=(1,) if c > 1 else (), device=device)
    assert module(**settings)(x, y) == function(x, y, **settings)
    assert module()(x, y) == function(x, y)
    assert module(**settings)(x, y) != module()(x, y)  # no setting is lost


@each_module
def test_a_module_has_the_settings_of_its_function(module):
    function, _, _ = MODULES[module]
    kept = inspect.signature(module).parameters
    taken = dict(list(inspect.signature(function).parameters.items())[2:])
    taken.pop("distances", None)  # belongs to a batch
    assert {name: p.default for name, p in kept.items()} == {
        name: p.default for name, p in taken.items()
    }


@each_module
def test_a_module_shows_its_settings(module):
    _, _, settings = MODULES[module]
    shown = repr(module(**settings))
    for name, value in settings.items():
        assert f"{name}={value!r}" in shown
    assert "training" not in shown
    assert eval(shown, vars(losses)).extra_repr() == module(**settings).extra_repr()


@pytest.mark.parametrize("module", [losses.CrossEntropyLoss, losses.SoftmaxFocalLoss])
def test_class_weights_are_buffers(module, device):
    weight = [0.5, 1.0, 2.0, 4.0]
    made = module(weight=weight)
    assert "weight=[0.5, 1.0, 2.0, 4.0]" in repr(made)
    assert made.to(device).weight.device.type == device
    assert list(made.state_dict()) == ["weight"]
    x, y = batch(device=device)
    function, _, _ = MODULES[module]
    assert made(x, y) == function(x, y, weight=weight)
    assert made(x, y) != function(x, y)


def test_weighted_losses_hold_modules_and_functions(device):
    x, y = batch(device=device)
    weighted = losses.CrossEntropyLoss(weight=[1, 2, 3, 4])
    loss = losses.WeightedLoss([(2.0, weighted), (0.5, losses.dice_loss)]).to(device)
    assert weighted.weight.device.type == device
    assert any(module is weighted for module in loss.modules())
    torch.testing.assert_close(loss(x, y), 2 * weighted(x, y) + 0.5 * losses.dice_loss(x, y))
    loss.weights[1] = 0.0
    torch.testing.assert_close(loss(x, y), 2 * weighted(x, y))
    assert "2 · CrossEntropyLoss(weight=[1.0, 2.0, 3.0, 4.0]" in repr(loss)
    assert "0 · dice_loss" in repr(loss)


def test_combined_takes_any_function():
    x, y = batch()
    total = losses.combined(x, y, [(3.0, lambda logits, labels: logits.sum())])
    torch.testing.assert_close(total, 3 * x.sum())
    with pytest.raises(ValueError, match="terms is empty"):
        losses.combined(x, y, [])


def test_a_network_learns_with_a_weighted_loss():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 16, 16)
    y = (x[:, 0] > 0.5).long()
    net = nn.Conv2d(3, 2, 1)
    loss = losses.WeightedLoss([(1.0, losses.DiceLoss()), (0.1, losses.BoundaryLoss())])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()
    assert (net(x).argmax(1) == y).float().mean() > 0.95
