"""Freeze a part of a network, its batch norm included, so that `train()` cannot undo it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def freeze_batch_norm(encoder):
    """Freeze an encoder: its numbers stay, and so does what it says.

    encoder: a module of convolutions and BatchNorm2d. No gradients; and in
    training mode, too, batch norm normalizes by its running statistics.
    Change it in place, or return the module that takes its place.
    """
    raise NotImplementedError
'''


def freeze_batch_norm():
    """No gradients, and a kind of batch norm that does not hear `train()`."""

    class FrozenNorm(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(False)

    def freeze(encoder):
        encoder.requires_grad_(False)
        for part in encoder.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.__class__ = FrozenNorm  # the numbers stay where they are
                part.eval()

    return freeze


def _network() -> nn.Sequential:
    """An encoder with statistics of some data, and a head."""
    generator = torch.Generator().manual_seed(5)
    encoder = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU()),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
        for _ in range(20):
            encoder(torch.randn(4, 3, 9, 8, generator=generator))
    return nn.Sequential(encoder, nn.Conv2d(5, 2, 1))


def _batch(seed: int = 0, n: int = 4) -> Tensor:
    """Other pictures than those of the statistics: brighter, and of more contrast."""
    return 2 + 3 * torch.randn(n, 3, 9, 8, generator=torch.Generator().manual_seed(seed))


def _statistics(network: nn.Module) -> list[Tensor]:
    named = network[0].state_dict().items()
    return [value.clone() for name, value in named if "running" in name]


def _moved(network: nn.Module) -> bool:
    """Whether a batch moves the running statistics."""
    before = _statistics(network)
    network(_batch())
    pairs = zip(before, _statistics(network), strict=True)
    return not all(torch.equal(b, a) for b, a in pairs)


def _frozen(freeze: Callable[[nn.Module], object], mode: bool | None = None) -> nn.Sequential:
    """A network whose encoder was frozen while all of it was in training mode."""
    network = _network().train()
    made = freeze(network[0])
    if isinstance(made, nn.Module):
        network[0] = made
    return network if mode is None else network.train(mode)


def _not_callable(freeze):
    if callable(freeze) and not isinstance(freeze, nn.Module):
        return None
    return (
        f"A function that freezes a module is asked for; this is of type `{type(freeze).__name__}`."
    )


def _gradients(freeze):
    network = _frozen(freeze)
    if any(p.requires_grad for p in network[0].parameters()):
        return (
            "Some parameters of the encoder still ask for a gradient: "
            "`encoder.requires_grad_(False)` sets them all."
        )
    return None


def _drifts(freeze):
    network = _frozen(freeze)
    if not _moved(network):
        return None
    return (
        "The parameters have no gradient, but one forward pass moved the running statistics: "
        "batch norm does that in training mode, gradient or not. Put it into evaluation mode."
    )


def _reset(freeze):
    network = _frozen(freeze, mode=True)
    if not _moved(network):
        return None
    return (
        "At first the statistics stand still. Then a training loop calls `model.train()`, every "
        "batch norm is back in training mode, and they move again. Find a way that survives "
        "`train()`."
    )


def _by_the_batch(freeze):
    network = _frozen(freeze, mode=True)
    many = network[0](_batch())
    alone = network[0](torch.cat([_batch()[:1], _batch(1)]))
    if torch.allclose(many[:1], alone[:1], atol=1e-5):
        return None
    return (
        "The running statistics stand still, but nobody uses them: in training mode the output "
        "for a picture changes with the other pictures of its batch. Batch norm has to be in "
        "evaluation mode, not only deaf."
    )


def _other_numbers(freeze):
    before = _network().eval()[0]
    network = _frozen(freeze, mode=True)
    if torch.allclose(network[0](_batch()), before(_batch()), atol=1e-4):
        return None
    return (
        "Your frozen encoder does not say what it said in evaluation mode before. Did the scale, "
        "the shift and the running statistics of every batch norm come along?"
    )


def _only_gradients(encoder):
    encoder.requires_grad_(False)


def _only_eval(encoder):
    encoder.eval()


def _eval_once(encoder):
    encoder.requires_grad_(False).eval()


def _no_momentum(encoder):
    encoder.requires_grad_(False)
    for part in encoder.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 0.0


def _norms(parent: nn.Module):
    for name, child in list(parent.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            yield parent, name, child
        else:
            yield from _norms(child)


def _fresh_norm(encoder):
    encoder.requires_grad_(False)
    for parent, name, norm in _norms(encoder):
        setattr(parent, name, FrozenBatchNorm2d(norm.num_features))


exercise = Exercise(
    name="freeze_batch_norm",
    kind="open",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "`encoder.requires_grad_(False)` is the easy half. For the other, go through "
        "`encoder.modules()` and find each `nn.BatchNorm2d`. Its `eval()` is right until the next "
        "`model.train()`.",
        "`model.train()` calls `train(True)` of every child. A subclass of `nn.BatchNorm2d` whose "
        "`train` always sets False does not care. An object may change its class: "
        "`part.__class__ = FrozenNorm`. `torchvision.ops.FrozenBatchNorm2d` is another way, if "
        "you copy all four tensors into it.",
    ),
    solution=freeze_batch_norm,
    why=(
        "Three things make a frozen encoder: no gradients, running statistics that stand still, "
        "and an output made with them. `requires_grad` brings the first, `eval()` all three until "
        "somebody calls `train()`. As the class of each batch norm is changed in place, names and "
        "numbers in the state dict stay as they were. `segtutor.training.freeze` does it so."
    ),
    requirements=(
        Requirement("frozen.not_callable", "is a function", _not_callable, lambda: nn.ReLU()),
        Requirement("frozen.gradients", "takes the gradients", _gradients, lambda: _only_eval),
        Requirement(
            "bn.freeze_grad", "stops the statistics at once", _drifts, lambda: _only_gradients
        ),
        Requirement("bn.freeze_reset", "survives model.train()", _reset, lambda: _eval_once),
        Requirement(
            "bn.momentum", "does not look at the batch", _by_the_batch, lambda: _no_momentum
        ),
        Requirement(
            "bn.numbers_lost", "says what it said before", _other_numbers, lambda: _fresh_norm
        ),
    ),
)
