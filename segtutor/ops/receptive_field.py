"""The receptive field: which input pixels one output number depends on.

Once in theory, from the settings of the layers, by the recurrences

    size:   r_l = r_{l-1} + (k_l - 1) · d_l · j_{l-1}
    stride: j_l = j_{l-1} · s_l
    start:  a_l = a_{l-1} + (d_l · (k_l - 1) / 2 - p_l) · j_{l-1}

(Araujo, Norris and Sim, Distill 2019), and once measured, from the gradient of any module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segtutor.ops.arithmetic import at_least

__all__ = [
    "Layer",
    "MeasuredField",
    "ReceptiveField",
    "layers_of",
    "measured_receptive_field",
    "receptive_field",
]


class Layer(NamedTuple):
    """One sliding window, along one axis: a convolution or a pooling layer."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: int = 0


class ReceptiveField(NamedTuple):
    """What one output number sees, along one axis, in input pixels."""

    size: int
    """How many input pixels the field spans."""
    stride: int
    """How far the field moves when the output position moves by one (the "jump")."""
    start: float
    """Center of the field of output 0; below 0 it reaches into the padding."""

    def span(self, position: int) -> tuple[int, int]:
        """First and last input pixel that the output at `position` sees, padding included.

        Example:
            >>> receptive_field([(3, 1, 1, 1), (3, 1, 1, 1)]).span(10)
            (8, 12)
        """
        first = self.start + position * self.stride - (self.size - 1) / 2
        return int(first), int(first) + self.size - 1


def receptive_field(layers: Iterable[Layer | Sequence[int]]) -> ReceptiveField:
    """The receptive field of a stack of layers, from their settings alone.

    Args:
        layers: From the input up; each a `Layer` or (kernel, stride, dilation, padding), of
            which all but the kernel may be left out. `layers_of` reads them off a module.

    Returns:
        Size, stride and start along one axis. No layers at all see one pixel.

    Example:
        >>> receptive_field([(3,), (3,), (3,)]).size  # three 3-tap layers see as much as one of 7
        7
        >>> receptive_field([(3, 2), (3,), (3,)])  # a stride early on doubles all that follows
        ReceptiveField(size=11, stride=2, start=5.0)
    """
    size, jump, start = 1, 1, 0.0
    for index, settings in enumerate(layers):
        try:
            layer = Layer(*settings)
        except TypeError:
            raise TypeError(
                f"layers[{index}]={settings!r} has to be a Layer, or a tuple (kernel, stride, "
                "dilation, padding) of one to four numbers"
            ) from None
        at_least(f"layers[{index}].kernel", layer.kernel, 1, "a kernel has one tap or more")
        at_least(f"layers[{index}].stride", layer.stride, 1, "the window has to move on")
        at_least(f"layers[{index}].dilation", layer.dilation, 1, "1 means without holes")
        at_least(f"layers[{index}].padding", layer.padding, 0, "it counts added pixels")
        reach = layer.dilation * (layer.kernel - 1)
        start += (reach / 2 - layer.padding) * jump
        size += reach * jump
        jump *= layer.stride
    return ReceptiveField(size, jump, start)


# What looks at one pixel at a time, and so leaves the receptive field as it is.
_POINTWISE = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh,
    nn.Hardswish, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d,
)  # fmt: skip


def layers_of(module: nn.Module, axis: int = 0) -> list[Layer]:
    """Read the layers off a convolution, a pooling layer, or an `nn.Sequential` of them.

    Args:
        module: What to read. Anything with branches has no single list of layers: measure it
            with `measured_receptive_field` instead.
        axis: 0 for the vertical settings, 1 for the horizontal ones.

    Returns:
        One `Layer` for each convolution and pooling layer, from the input up.

    Example:
        >>> layers_of(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()))
        [Layer(kernel=3, stride=1, dilation=1, padding=1)]
    """
    if isinstance(module, nn.Sequential):
        return [layer for child in module for layer in layers_of(child, axis)]
    if isinstance(module, _POINTWISE):
        return []
    if isinstance(module, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
        settings = (
            module.kernel_size,
            module.stride,
            getattr(module, "dilation", 1),
            _padding_of(module),
        )
        return [Layer(*(s[axis] if isinstance(s, tuple) else s for s in settings))]
    raise TypeError(
        f"cannot read layers off {type(module).__name__}: only convolutions, pooling, pointwise "
        "layers and nn.Sequential of them; use measured_receptive_field(module) instead"
    )


def _padding_of(module: nn.Module) -> int | tuple[int, ...]:
    if module.padding == "valid":
        return 0
    if module.padding == "same":
        return tuple(
            d * (k - 1) // 2 for k, d in zip(module.kernel_size, module.dilation, strict=True)
        )
    return module.padding


@dataclass(frozen=True)
class MeasuredField:
    """What one output number of a module was seen to depend on."""

    heat: Tensor
    """(H, W): mean absolute gradient at each input pixel: the *effective* receptive field."""
    box: tuple[int, int, int, int]
    """Top, left, bottom, right: the smallest box around all pixels that matter, inclusive."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box, in pixels."""
        top, left, bottom, right = self.box
        return bottom - top + 1, right - left + 1

    @property
    def support(self) -> Tensor:
        """(H, W) boolean: the pixels that matter at all; dilation may leave holes in the box."""
        return self.heat > 0

    @property
    def clipped(self) -> bool:
        """Whether the box touches the border of the input: the true field may be larger."""
        top, left, bottom, right = self.box
        height, width = self.heat.shape
        return top == 0 or left == 0 or bottom == height - 1 or right == width - 1


def measured_receptive_field(
    module: nn.Module,
    size: tuple[int, int] = (65, 65),
    channels: int = 1,
    position: tuple[int, int] | None = None,
    samples: int = 8,
    seed: int = 0,
) -> MeasuredField:
    """Measure the receptive field of one output position from its gradient.

    The module is run in eval mode on random pictures; the pixels where the gradient of the
    output is not exactly zero are the ones that matter. A ReLU or a max pooling layer blocks
    some paths for some pictures, so several pictures are tried and their gradients averaged.

    Args:
        module: Any module from (1, C, H, W) to (1, C', H', W'). Left as it was found.
        size: Height and width of the random input; make it larger than the field.
        channels: Input channels, C.
        position: Output row and column to explain; the central one if left out.
        samples: Random pictures to average over.
        seed: Seed of the pictures.

    Returns:
        The gradient's heat map and the box around its support.

    Raises:
        ValueError: No input pixel influences the output at `position`.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=2, dilation=2), nn.Conv2d(4, 1, 3))
        >>> measured_receptive_field(net, size=(31, 31)).size
        (7, 7)
    """
    parameter = next(module.parameters(), torch.empty(0))
    generator = torch.Generator().manual_seed(seed)
    modes = {child: child.training for child in module.modules()}
    module.eval()  # batch statistics would make every pixel depend on every other
    try:
        heat = torch.zeros(size, dtype=torch.float64)
        for _ in range(samples):
            picture = torch.randn(1, channels, *size, generator=generator)
            picture = picture.to(parameter.device, parameter.dtype).requires_grad_()
            with torch.enable_grad():
                out = module(picture)  # (1, C', H', W')
                row, column = position or (out.shape[-2] // 2, out.shape[-1] // 2)
                # Random weights keep the channels from canceling each other.
                weights = torch.randn(out.shape[1], generator=generator).to(out)
                (gradient,) = torch.autograd.grad((out[0, :, row, column] * weights).sum(), picture)
            heat += gradient[0].abs().sum(0).double().cpu() / samples  # (H, W)
    finally:
        for child, training in modes.items():
            child.training = training

    rows, columns = heat.sum(1).nonzero()[:, 0], heat.sum(0).nonzero()[:, 0]
    if len(rows) == 0:
        raise ValueError(
            f"no input pixel influences the output at {(row, column)}: are all weights zero, or "
            "is the gradient cut by detach() or no_grad()?"
        )
    box = (int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1]))
    return MeasuredField(heat, box)
