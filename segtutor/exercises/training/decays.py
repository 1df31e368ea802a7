"""Which parameters weight decay may pull at."""

from __future__ import annotations

import torch
from torch import nn

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def decays(model):
    """Whether weight decay is for each parameter, in the order of
    `model.parameters()`: a list of True and False.

    It is for the weights of convolutions and linear layers; not for biases,
    and not for the scales and shifts of normalization.
    """
    raise NotImplementedError
'''


def decays(model):
    """Ask the layer that a parameter belongs to, not its name."""
    layers = (nn.modules.conv._ConvNd, nn.Linear)
    wanted = {id(layer.weight) for layer in model.modules() if isinstance(layer, layers)}
    return [id(parameter) in wanted for parameter in model.parameters()]


def cases(generator: torch.Generator) -> list[Case]:
    """Return networks whose normalization has other names, kinds and shapes."""
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    groups = nn.ModuleDict({
        "stem": nn.Conv2d(3, 8, 3, bias=False), "act1": nn.GroupNorm(2, 8),
        "up": nn.ConvTranspose2d(8, 4, 2), "normal_map": nn.Conv2d(4, 3, 1),
    })  # fmt: skip
    layer_norm = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.LayerNorm([4, 6, 6]), nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 2))
    )
    return [Case((model,)) for model in (plain, groups, layer_norm)]


def _all(model):
    return [True for _ in model.parameters()]


def _not_biases(model):
    return [not name.endswith("bias") for name, _ in model.named_parameters()]


def _by_dimension(model):
    return [parameter.dim() > 1 for parameter in model.parameters()]


def _by_name(model):
    return [
        not name.endswith("bias") and "norm" not in name for name, _ in model.named_parameters()
    ]


def _not_batch_norm(model):
    named = model.named_modules()
    norms = [f"{path}." for path, layer in named if isinstance(layer, nn.BatchNorm2d)]
    return [
        not name.endswith("bias") and not any(name.startswith(path) for path in norms)
        for name, _ in model.named_parameters()
    ]


def _plain_convolutions(model):
    wanted = {id(m.weight) for m in model.modules() if isinstance(m, nn.Conv2d)}
    return [id(parameter) in wanted for parameter in model.parameters()]


def _convolutions(model):
    kinds = nn.modules.conv._ConvNd
    wanted = {id(m.weight) for m in model.modules() if isinstance(m, kinds)}
    return [id(parameter) in wanted for parameter in model.parameters()]


def _whole_layers(model):
    kinds = (nn.modules.conv._ConvNd, nn.Linear)
    layers = [m for m in model.modules() if isinstance(m, kinds)]
    wanted = {id(parameter) for layer in layers for parameter in layer.parameters()}
    return [id(parameter) in wanted for parameter in model.parameters()]


def _upside_down(model):
    return [not decay for decay in decays(model)]


exercise = Exercise(
    name="decays",
    kind="function",
    minutes=12,
    difficulty=3,
    stub=STUB,
    hints=(
        "A parameter does not know what it is for; the layer that it belongs to does. Go through "
        "`model.modules()` and collect the weights of the right kinds of layers.",
        "`id(layer.weight)` tells one tensor from another. Convolutions of all kinds, transposed "
        "ones too, are `nn.modules.conv._ConvNd`; do not forget `nn.Linear`.",
    ),
    solution=decays,
    why=(
        "Names are given by people: the second convolution of a block may be called "
        '`normal_map`, and a group norm `act1`. "One dimension means no decay" is the usual '
        "short form, and nearly right: the scales of a LayerNorm over (C, H, W) have three. The "
        "kind of layer decides. `parameter_groups` of `segtutor.training` looks at both."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "decay.everywhere",
            _all,
            "You let weight decay pull at everything, as an optimizer does that is given "
            "`model.parameters()`. Biases and normalization are to be left in peace.",
        ),
        Mistake(
            "decay.norm_scales",
            _not_biases,
            "Biases are out. But batch norm's scale is called `weight`, too, and its decay "
            "changes only the effective learning rate of the layer before.",
        ),
        Mistake(
            "decay.by_dimension",
            _by_dimension,
            "More than one dimension is a good first guess. The scales and shifts of a LayerNorm "
            "over (C, H, W) have three, and are no weights: ask for the kind of layer.",
        ),
        Mistake(
            "decay.by_name",
            _by_name,
            "You decide by names. Here a convolution is called `normal_map`, and norms in a "
            "`Sequential` are called 1. Ask for the kind of layer.",
        ),
        Mistake(
            "decay.only_batch_norm",
            _not_batch_norm,
            "Batch norm is out, the other kinds are not: `GroupNorm` and `LayerNorm` have scales "
            "and shifts as well. It is easier to list what decays.",
        ),
        Mistake(
            "decay.only_conv2d",
            _plain_convolutions,
            "Only the weights of `Conv2d` decay with you. Transposed convolutions and linear "
            "layers have weights of the same kind.",
        ),
        Mistake(
            "decay.linear_forgotten",
            _convolutions,
            "Convolutions of all kinds are in. The weights of linear layers are missing.",
        ),
        Mistake(
            "decay.whole_layers",
            _whole_layers,
            "You took the right layers, with their biases. Only the weights decay.",
        ),
        Mistake(
            "decay.upside_down",
            _upside_down,
            "True and False have changed places: True is for what decays.",
        ),
    ),
)
