"""Optimizers, and which parameters they pull toward zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

__all__ = ["make_optimizer", "parameter_groups"]

NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


def parameter_groups(
    model: nn.Module,
    learning_rate: float,
    weight_decay: float,
    *,
    rates: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Sort a model's parameters into groups for an optimizer.

    Weight decay is for the weights of convolutions and linear layers. Biases, and scales and
    shifts of normalization, are left in peace. Frozen parameters are in no group.

    Args:
        model: The network.
        learning_rate: For all parameters but those that `rates` names.
        weight_decay: For those that decay.
        rates: Factors on the learning rate by the start of a parameter's name, as in
            {"encoder": 0.1}; the longest that fits counts.

    Returns:
        Groups as `torch.optim` takes them: "params", "lr", "weight_decay", and for reading
        "names".

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        >>> for group in parameter_groups(net, 0.1, 0.01):
        ...     print(group["names"], group["weight_decay"])
        ['0.weight'] 0.01
        ['0.bias', '1.weight', '1.bias'] 0.0
    """
    rates = dict(rates or {})
    names = [name for name, _ in model.named_parameters()]
    for prefix in rates:
        if not any(_under(name, prefix) for name in names):
            children = ", ".join(name for name, _ in model.named_children())
            raise ValueError(f"rates names {prefix!r}, but the model has no such part: {children}")
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    seen: set[nn.Parameter] = set()
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(path, recurse=False):
            if parameter in seen or not parameter.requires_grad:
                continue
            seen.add(parameter)
            fitting = [prefix for prefix in rates if _under(name, prefix)]
            factor = rates[max(fitting, key=len)] if fitting else 1.0
            decays = parameter.dim() > 1 and not isinstance(module, NORMS)
            group = {"params": [], "lr": learning_rate * factor,
                     "weight_decay": weight_decay if decays else 0.0, "names": []}  # fmt: skip
            group = groups.setdefault((factor, decays), group)
            group["params"].append(parameter)
            group["names"].append(name)
    if not groups:
        raise ValueError("the model has nothing to train: every parameter has requires_grad=False")
    return list(groups.values())


def make_optimizer(
    optimizer: str | Optimizer,
    model: nn.Module,
    learning_rate: float,
    weight_decay: float,
    rates: Mapping[str, float] | None,
) -> Optimizer:
    """Make the optimizer that `fit` was asked for; one that is made already stays as it is."""
    if isinstance(optimizer, Optimizer):
        if rates:
            raise ValueError("rates goes with optimizer by name: yours has its own groups")
        own = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not own & {id(p) for p in model.parameters()}:
            raise ValueError("optimizer holds no parameter of this model: make it from this one's")
        return optimizer
    groups = parameter_groups(model, learning_rate, weight_decay, rates=rates)
    for group in groups:
        del group["names"]  # optimizers differ in what they make of them
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate)
    if optimizer == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True)
    raise ValueError(f'optimizer={optimizer!r} has to be "adamw", "sgd" or a torch.optim.Optimizer')


def _under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix.rstrip('.')}.")
