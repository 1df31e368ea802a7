"""Design a network that sees far, with few weights."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises.engine import Exercise, Requirement

VIEW = 61  # pixels that the output has to see, in both directions
PARAMETERS = 2_000

STUB = """
wide_view = None  # an nn.Module: (N, 1, H, W) -> (N, 1, H, W)
"""


def wide_view():
    """Double the dilation from layer to layer."""
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()]
    for dilation in (2, 4, 8):
        layers += [nn.Conv2d(4, 4, 3, padding=dilation, dilation=dilation), nn.ReLU()]
    layers += [nn.Conv2d(4, 1, 3, padding=16, dilation=16)]
    return nn.Sequential(*layers)  # sees 1 + 2·(1 + 2 + 4 + 8 + 16) = 63 pixels


def _not_a_module(thing):
    if isinstance(thing, nn.Module):
        return None
    if isinstance(thing, type) and issubclass(thing, nn.Module):
        return f"This is a class. Hand in a module made from it: `{thing.__name__}()`."
    return (
        f"A module is asked for; this is of type `{type(thing).__name__}`. `nn.Sequential(…)` "
        "makes one of a row of layers."
    )


def _other_layers(module):
    for layer in module.modules():
        own = any(True for _ in layer.parameters(recurse=False))
        norm = isinstance(layer, (nn.modules.batchnorm._NormBase, nn.GroupNorm))
        if own and not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and not norm:
            return (
                f"There is a layer of type `{type(layer).__name__}` with weights of its own. Build "
                "the network from convolutions (and activations and normalizations, if you like)."
            )
    if not any(isinstance(layer, nn.Conv2d) for layer in module.modules()):
        return (
            "There is no `nn.Conv2d` in this module. (Layers in a plain Python list are not seen: "
            "put them into an `nn.Sequential` or an `nn.ModuleList`.)"
        )
    return None


def _one_channel(module):
    out = _copy(module)(torch.ones(2, 1, 80, 80))
    if out is None:
        return "The module returns None: does its `forward` end in `return`?"
    if not isinstance(out, torch.Tensor) or out.dim() != 4:
        return "The output is no tensor of four axes; (N, 1, H, W) is asked for."
    if len(out) != 2:
        return f"Two pictures went in and {len(out)} came out; (N, 1, H, W) keeps its N."
    if out.shape[1] != 1:
        return f"The output has {out.shape[1]} channels; 1 is asked for. The last layer decides."
    return None


def _size_kept(module):
    module = _copy(module)
    for height, width in ((72, 96), (65, 80), (71, 67)):
        out = module(torch.ones(1, 1, height, width))
        if out.shape[2:] != (height, width):
            return (
                f"A picture of {height}×{width} comes out as {out.shape[2]}×{out.shape[3]}. Follow "
                "the size through your layers: with stride 1, padding d·(k − 1)/2 keeps it."
            )
    return None


def _few_weights(module):
    count = sum(parameter.numel() for parameter in module.parameters())
    if count <= PARAMETERS:
        return None
    return (
        f"The network has {count:,} parameters; at most {PARAMETERS:,} are allowed. Weights grow "
        "with the kernel's area and with the product of its channels; dilation costs nothing."
    )


def _sees_far(module):
    seen = _seen(module)
    if not seen.any():
        return (
            "No gradient reaches the picture, so nothing can be measured. Is there a `detach`, a "
            "`no_grad`, a comparison or a factor 0 in `forward`?"
        )
    rows, columns = (int(s[-1] - s[0]) + 1 for s in (seen.any(1).nonzero(), seen.any(0).nonzero()))
    if rows >= VIEW and columns >= VIEW:
        return None
    return (
        f"Measured at the center, an output sees {rows}×{columns} pixels; {VIEW}×{VIEW} are asked "
        "for. Each 3×3 layer adds twice its dilation."
    )


def _no_holes(module):
    # Wherever the gapless square lies: even kernels, say, look more to one side.
    seen = _seen(module).double()[None, None]
    holes = VIEW * VIEW - int(F.conv2d(seen, torch.ones(1, 1, VIEW, VIEW).double()).max())
    if holes == 0:
        return None
    return (
        f"The view is wide and has holes: in every square of {VIEW}×{VIEW} pixels at least "
        f"{holes:,} of {VIEW * VIEW:,} have no influence on the output. A dilated kernel looks "
        "only at every d-th pixel; the layers before it have to fill its gaps."
    )


def _copy(module: nn.Module) -> nn.Module:
    """Return a copy on the CPU that is safe to try things on."""
    return copy.deepcopy(module).eval().to("cpu", torch.float32)


def _seen(module: nn.Module) -> torch.Tensor:
    """Return which pixels influence the central output, as an image of truth values.

    Every weight is made positive first, so that no two paths cancel and no ReLU is shut: what is
    measured is how the layers are wired, not what they have learned.
    """
    module = _copy(module).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1 / parameter[0].numel() if parameter.dim() > 1 else 1.0)
    picture = torch.ones(1, 1, 161, 161, dtype=torch.float64, requires_grad=True)
    _means_for_maxima(module)
    with torch.enable_grad():
        out = module(picture)
    if not out.requires_grad:
        return torch.zeros(161, 161, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(out[0, 0, 80, 80], picture, allow_unused=True)
    if gradient is None:
        return torch.zeros(161, 161, dtype=torch.bool)
    return gradient[0, 0] != 0  # (161, 161)


def _means_for_maxima(module: nn.Module) -> None:
    """A maximum sends its gradient to one pixel of its window, a mean to all of them."""
    for name, child in module.named_children():
        if isinstance(child, nn.MaxPool2d) and child.dilation in (1, (1, 1)):
            mean = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
            setattr(module, name, mean)
        else:
            _means_for_maxima(child)


def _dilated(*dilations: int, channels: int = 4) -> nn.Module:
    layers: list[nn.Module] = []
    for index, d in enumerate(dilations):
        first, last = index == 0, index == len(dilations) - 1
        c_in, c_out = 1 if first else channels, 1 if last else channels
        layers.append(nn.Conv2d(c_in, c_out, 3, padding=d, dilation=d))
    return nn.Sequential(*layers)


exercise = Exercise(
    name="wide_view",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "A 3×3 layer with dilation d adds 2·d to the receptive field and has 9 weights for each "
        "pair of channels, whatever d is. Which row of dilations adds up to 30 with few layers?",
        "If the layers so far see every pixel of a window that is d or more wide, the next one may "
        "have dilation d and leave no hole. Begin with 1 and double. Padding equals dilation for "
        "3×3 kernels, and four channels between the layers are plenty.",
    ),
    solution=wide_view,
    why=(
        "Doubling the dilation doubles what is seen with each layer: the field grows "
        "exponentially with depth, the weights only linearly. There are no holes, because the "
        "layers before dilation d see 2·d − 1 pixels without a gap, and the three taps lie only "
        "d pixels apart. (Tripling, 1, 3, 9, …, would leave no hole either: the three windows then "
        "touch without overlapping.) This has 521 parameters; thirty undilated layers of the "
        "same width would have 4,221."
    ),
    requirements=(
        Requirement("wide.not_a_module", "is a module", _not_a_module, lambda: torch.zeros(3)),
        Requirement(
            "wide.other_layers",
            "is built of convolutions",
            _other_layers,
            lambda: nn.Sequential(nn.Flatten(), nn.Linear(4, 4)),
        ),
        Requirement(
            "wide.channels",
            "has one channel in and one out",
            _one_channel,
            lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1)),
        ),
        Requirement(
            "wide.size",
            "keeps the picture's size",
            _size_kept,
            lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, dilation=2)),
        ),
        Requirement(
            "wide.parameters",
            f"has at most {PARAMETERS:,} parameters",
            _few_weights,
            lambda: nn.Conv2d(1, 1, VIEW, padding=VIEW // 2),  # sees it all, at a price
        ),
        Requirement(
            "wide.small",
            f"sees {VIEW}×{VIEW} pixels or more",
            _sees_far,
            lambda: _dilated(1, 2, 4, 8),
        ),
        Requirement(
            "wide.holes",
            "leaves out none of them",
            _no_holes,
            lambda: _dilated(2, 4, 8, 16, 16),
        ),
    ),
)
