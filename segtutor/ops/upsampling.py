"""Resizing by a fixed rule: nearest and bilinear.

Both axes are resized in the same way and one after the other. `nearest` picks a row and a
column for each output pixel; `bilinear` mixes rows and columns with one small matrix each.
What is learned, and stamps instead of reading, is in `segtutor.ops.transposed`; `bilinear_kernel`
makes it begin with the bilinear rule.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from segtutor.ops.arithmetic import at_least, pair

__all__ = ["bilinear_kernel", "interpolate", "interpolation_matrix", "nearest_index"]

Mode = Literal["nearest", "nearest-exact", "bilinear"]


def interpolate(
    x: Tensor,
    size: int | tuple[int, int] | None = None,
    scale_factor: float | tuple[float, float] | None = None,
    mode: Mode = "nearest",
    align_corners: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize pictures as `torch.nn.functional.interpolate` does. Differentiable.

    Args:
        x: Input, (N, C, H, W). For "nearest" and "nearest-exact" of any dtype.
        size: Height and width of the output, in pixels, or one number for both.
        scale_factor: How many times larger the output is, instead of `size`; rounded down to
            whole pixels. One number for both axes or (vertical, horizontal).
        mode: "nearest" repeats pixels and picks the one at the upper left of its place,
            "nearest-exact" the one in whose area the center falls, "bilinear" mixes the four
            around the center.
        align_corners: For "bilinear": lay the centers of the corner pixels on each other (True)
            or the corners of the pictures (False or None).
        antialias: For "bilinear": average over all pixels that an output pixel covers when the
            picture shrinks.

    Returns:
        The resized pictures, (N, C, H_out, W_out), in the dtype of x.

    Raises:
        ValueError: The arguments contradict each other, or a size would be 0.
        TypeError: Whole numbers were to be mixed.

    Example:
        >>> row = torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]])
        >>> interpolate(row, size=(1, 8), mode="bilinear")[0, 0, 0].tolist()
        [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]
        >>> interpolate(row, size=(1, 2), mode="nearest-exact")[0, 0, 0].tolist()
        [1.0, 3.0]
    """
    _check(x, mode, align_corners, antialias)
    factors = pair("scale_factor", scale_factor)
    sizes = _output_sizes(x, size, factors)
    axes = list(zip(x.shape[2:], sizes, factors, strict=True))
    if mode != "bilinear":
        exact = mode == "nearest-exact"
        rows, columns = (nearest_index(*axis, exact) for axis in axes)
        return x[:, :, rows.to(x.device)][:, :, :, columns.to(x.device)]

    working = torch.promote_types(x.dtype, torch.float32)  # half adds in single
    aligned = bool(align_corners)
    matrices = [interpolation_matrix(*a, aligned, antialias) for a in axes]
    by_row, by_column = (matrix.to(x.device, working) for matrix in matrices)
    return (by_row @ x.to(working) @ by_column.T).to(x.dtype)


def nearest_index(
    n: int, size: int, scale_factor: float | None = None, exact: bool = False
) -> Tensor:
    """Which input pixel each output pixel repeats, along one axis.

    Output pixel i covers the input from i·n/size to (i + 1)·n/size. `nearest` takes the pixel
    where this stretch begins, `nearest-exact` the one in its middle.

    Args:
        n: Pixels of the input.
        size: Pixels of the output.
        scale_factor: Stretch by this much instead of by size/n.
        exact: Take the middle of the stretch instead of its beginning.

    Returns:
        Indices into the input, (size,), int64, on the CPU.

    Example:
        >>> nearest_index(6, 2), nearest_index(6, 2, exact=True)
        (tensor([0, 3]), tensor([1, 4]))
    """
    if size in (n, 2 * n) and not exact:
        return torch.arange(size) * n // size  # PyTorch's shortcut, whatever the factor was
    # In single precision, as PyTorch: where a stretch begins or ends on the edge of a pixel, the
    # rounding decides between two neighbors, and it has to decide alike.
    step = torch.tensor(1 / scale_factor if scale_factor else n / size, dtype=torch.float32)
    place = (torch.arange(size, dtype=torch.float32) + (0.5 if exact else 0.0)) * step
    return place.floor().long().clamp(max=n - 1)


def interpolation_matrix(
    n: int,
    size: int,
    scale_factor: float | None = None,
    align_corners: bool = False,
    antialias: bool = False,
) -> Tensor:
    """The matrix that resizes one axis bilinearly: each row mixes input pixels.

    Every output pixel has a place among the input pixels and a triangle around it, 1 at the
    place and 0 one pixel away. The height of the triangle over a pixel is its weight.

    Args:
        n: Pixels of the input.
        size: Pixels of the output.
        scale_factor: Stretch by this much instead of by size/n.
        align_corners: The first and last pixels keep their centers, instead of their outer edges.
        antialias: Widen the triangle to all that an output pixel covers when the axis shrinks.

    Returns:
        Weights, (size, n), float64, on the CPU. Each row adds up to 1.

    Example:
        >>> interpolation_matrix(2, 4)
        tensor([[1.0000, 0.0000],
                [0.7500, 0.2500],
                [0.2500, 0.7500],
                [0.0000, 1.0000]], dtype=torch.float64)
    """
    i = torch.arange(size, dtype=torch.float64)
    if size == n:
        step = 1.0  # PyTorch's shortcut, whatever the factor was
    elif align_corners:
        step = (n - 1) / (size - 1) if size > 1 else 0.0
    else:
        step = 1 / scale_factor if scale_factor else n / size
    # Under antialias PyTorch keeps the half pixel, whatever align_corners says.
    half = 0.0 if align_corners and not antialias else 0.5
    place = (i + half) * step - half
    reach = max(step, 1.0) if antialias else 1.0
    distance = (torch.arange(n) - place[:, None]).abs()  # (size, n)
    weights = (1 - distance / reach).clamp(min=0)
    # Past the last center one pixel is left: it gets the whole weight.
    return weights / weights.sum(1, keepdim=True)


def bilinear_kernel(channels: int, factor: int) -> Tensor:
    """Weights that make a transposed convolution upsample bilinearly, as FCN begins with.

    Use it with `stride=factor, padding=factor // 2`. Inside, the result is that of bilinear
    interpolation with `align_corners=False`; at the border it is darker, since nothing is
    stamped from outside the picture. Each channel keeps to itself: the kernels off the diagonal
    are zero.

    Args:
        channels: C, in and out.
        factor: How many times larger the output is, f ≥ 1.

    Returns:
        Weights, (C, C, k, k) with k = 2f for an even factor and 2f − 1 for an odd one.

    Example:
        >>> bilinear_kernel(1, 2)[0, 0, 0] * 16
        tensor([1., 3., 3., 1.])
    """
    at_least("channels", channels, 1, "each channel is upsampled by itself")
    at_least("factor", factor, 1, "2 makes a picture twice as high and wide")
    taps = 2 * factor - factor % 2
    center = (taps - 1) / 2
    slope = 1 - (torch.arange(taps) - center).abs() / factor  # a triangle
    weight = torch.zeros(channels, channels, taps, taps)
    weight[range(channels), range(channels)] = slope[:, None] * slope
    return weight


def _output_sizes(
    x: Tensor, size: int | tuple[int, int] | None, factors: tuple[float | None, float | None]
) -> tuple[int, int]:
    if (size is None) == (factors[0] is None):
        given = "neither" if size is None else f"both size={size!r} and scale_factor"
        raise ValueError(f"{given} given: give either size or scale_factor")
    if size is None:
        for factor in factors:
            if not factor > 0:
                raise ValueError(f"scale_factor={factor} has to be above 0: 0.5 halves a picture")
        height, width = (math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True))
        advice = f"scale_factor={factors} leaves nothing of {x.shape[2]} × {x.shape[3]} pixels"
    else:
        height, width = pair("size", size)
        advice = "a picture has pixels"
    for name, pixels in (("height", height), ("width", width)):
        at_least(f"the output's {name}", pixels, 1, advice)
    for name, pixels in (("height", x.shape[2]), ("width", x.shape[3])):
        at_least(f"the {name} of x", pixels, 1, "there is nothing to resize")
    return height, width


def _check(x: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    """Refuse what contradicts itself, and say how to resolve it."""
    _check_axes(x)
    if mode not in ("nearest", "nearest-exact", "bilinear"):
        raise ValueError(f'mode={mode!r} has to be "nearest", "nearest-exact" or "bilinear"')
    if mode != "bilinear":
        for name, value in (("align_corners", align_corners), ("antialias", antialias or None)):
            if value is not None:
                raise ValueError(
                    f'{name}={value} has no meaning for mode="{mode}", which mixes nothing: leave '
                    f'it out, or take mode="bilinear"'
                )
    elif not x.is_floating_point():
        raise TypeError(
            f'x is {x.dtype}, and mode="bilinear" would mix its whole numbers: take '
            '"nearest-exact" for a label map, and `x.float()` for a picture'
        )


def _check_axes(x: Tensor) -> None:
    if x.dim() != 4:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, but needs the 4 axes (N, C, H, W): add those that are "
            "missing, as in `x[None]`"
        )
