"""Transfer: load what fits, freeze what shall stay, and say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Loaded", "freeze", "load_matching", "unfreeze"]

WRAPPERS = ("module.", "_orig_mod.")  # put before every name by DataParallel, by torch.compile


class _FrozenBatchNorm1d(nn.BatchNorm1d):
    """Batch norm that stays in evaluation mode, whatever `model.train()` says."""

    def train(self, mode: bool = True) -> _FrozenBatchNorm1d:
        return super().train(False)


class _FrozenBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that stays in evaluation mode, whatever `model.train()` says."""

    def train(self, mode: bool = True) -> _FrozenBatchNorm2d:
        return super().train(False)


class _FrozenBatchNorm3d(nn.BatchNorm3d):
    """Batch norm that stays in evaluation mode, whatever `model.train()` says."""

    def train(self, mode: bool = True) -> _FrozenBatchNorm3d:
        return super().train(False)


_FROZEN: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: _FrozenBatchNorm1d,
    nn.BatchNorm2d: _FrozenBatchNorm2d,
    nn.BatchNorm3d: _FrozenBatchNorm3d,
}
THAWED = {frozen: plain for plain, frozen in _FROZEN.items()}


def freeze(module: nn.Module) -> nn.Module:
    """Keep a module as it is: no gradients, and batch norm by its running statistics.

    `requires_grad = False` alone is not enough: in training mode batch norm normalizes by the
    batch, and moves its running statistics, with or without gradients. Frozen batch norm stays in
    evaluation mode through every later `model.train()`.

    Args:
        module: A part of a network, or a whole one. It is changed in place.

    Returns:
        The module.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
        >>> _ = freeze(net[:2])
        >>> net.train()[1].training, net[2].training
        (False, True)
    """
    for parameter in module.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None  # or an optimizer would use it again
    for part in module.modules():
        if type(part) in _FROZEN:
            # Only the class changes: names and values stay.
            part.__class__ = _FROZEN[type(part)]
            part.eval()
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Undo `freeze`: gradients for all parameters, and batch norm that follows `train()` again.

    Args:
        module: A part of a network, or a whole one. It is changed in place.

    Returns:
        The module, its batch norm in the mode of the module itself.

    Example:
        >>> net = unfreeze(freeze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))))
        >>> net[1].training, net[0].weight.requires_grad
        (True, True)
    """
    module.requires_grad_(True)
    for part in module.modules():
        if type(part) in THAWED:
            part.__class__ = THAWED[type(part)]
            part.train(module.training)
    return module


@dataclass(frozen=True)
class Loaded:
    """What `load_matching` did with each name."""

    loaded: list[str]
    missing: list[str]
    """In the network, not in the file: still as they were before."""
    unexpected: list[str]
    """In the file, not in the network: not used."""
    misfit: list[str]
    """In both, with two shapes: still as they were before."""

    def __str__(self) -> str:
        counts = [f"{len(self.loaded)} of {self._total} loaded"]
        for what in ("missing", "misfit", "unexpected"):
            if names := getattr(self, what):
                counts.append(f"{what}: {', '.join(names[:4])}" + " …" * (len(names) > 4))
        return "; ".join(counts)

    @property
    def _total(self) -> int:
        return len(self.loaded) + len(self.missing) + len(self.misfit)


def load_matching(module: nn.Module, state: Mapping[str, Tensor]) -> Loaded:
    """Load the entries whose name and shape fit, and say what became of the others.

    Args:
        module: The network to load into.
        state: A state dict, such as `torch.load(path, weights_only=True)` gives. What
            DataParallel and `torch.compile` put before every name is taken off.

    Returns:
        The names that were loaded, and those that were not, and why. Read it.

    Raises:
        ValueError: Nothing fits.

    Example:
        >>> old, new = nn.Linear(4, 3), nn.Linear(4, 2)
        >>> print(load_matching(nn.Sequential(new), nn.Sequential(old).state_dict()))
        Traceback (most recent call last):
        ...
        ValueError: nothing fits: 0 of 2 loaded; misfit: 0.weight, 0.bias
    """
    own = module.state_dict()  # shares memory with the network
    state = {n if n in own else _bare(n): value for n, value in state.items()}
    fits = {n for n, value in own.items() if n in state and state[n].shape == value.shape}
    report = Loaded(
        loaded=[n for n in own if n in fits],
        missing=[n for n in own if n not in state],
        unexpected=[n for n in state if n not in own],
        misfit=[n for n in own if n in state and n not in fits],
    )
    if not fits:
        raise ValueError(f"nothing fits: {report}")
    with torch.no_grad():
        for name in report.loaded:
            own[name].copy_(state[name])
    return report


def _bare(name: str) -> str:
    """A parameter's name without what wrappers put before it."""
    while name.startswith(WRAPPERS):
        name = name.partition(".")[2]
    return name
