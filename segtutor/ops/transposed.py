"""Transposed convolution by hand: every input pixel stamps the kernel onto the output.

A convolution is a matrix; the transposed convolution is that matrix transposed, which is why
it has the shapes of an inverse and why it is none. `conv_transpose2d_loops` stamps pixel by
pixel, `conv_transpose2d` a whole picture for each tap; both take the arguments of
`torch.nn.functional.conv_transpose2d` and return its result.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from segtutor.ops.arithmetic import at_least, check_groups, effective_kernel, pair
from segtutor.ops.convolution import conv2d

__all__ = [
    "conv_transpose2d",
    "conv_transpose2d_loops",
    "conv_transpose_size",
    "convolution_matrix",
]

Pair = int | tuple[int, int]


def conv_transpose_size(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int:
    """Pixels along one axis after a transposed convolution: (n − 1)s − 2p + d(k − 1) + 1 + o.

    Args:
        n: Pixels of the input.
        kernel: Taps of the kernel, k ≥ 1.
        stride: Output pixels from one stamp to the next, s ≥ 1.
        padding: Pixels *cut off* on each side of the output, p ≥ 0.
        output_padding: Pixels kept beyond the far end, 0 ≤ o < max(s, d).
        dilation: Distance between neighboring taps in pixels, d ≥ 1.

    Returns:
        The number of output pixels, at least 1.

    Raises:
        ValueError: An argument is out of range, or the padding cuts everything off.

    Example:
        >>> conv_transpose_size(16, kernel=3, stride=2, padding=1)
        31
        >>> conv_transpose_size(16, kernel=4, stride=2, padding=1)
        32
    """
    at_least("n", n, 1, "without a pixel nothing is stamped")
    at_least("stride", stride, 1, "the next stamp has to move on")
    at_least("padding", padding, 0, "it counts pixels to cut off; to add some, pad the output")
    at_least("output_padding", output_padding, 0, "it counts pixels to keep; to cut, use padding")
    span = effective_kernel(kernel, dilation)
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding={output_padding} has to be smaller than stride={stride} or "
            f"dilation={dilation}: it tells apart the input sizes that a convolution with this "
            "stride takes to the same output size, and there are no more of them"
        )
    stamped = (n - 1) * stride + span + output_padding
    if stamped <= 2 * padding:
        raise ValueError(
            f"padding={padding} cuts 2·{padding} pixels off an output of {stamped}: pad less, or "
            "take a larger kernel or stride"
        )
    return stamped - 2 * padding


def conv_transpose2d_loops(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Tensor:
    """Stamp the kernel as a hand would: one pixel, one tap after the other. Slow on purpose.

    Args:
        x: Input, (N, C_in, H, W).
        weight: Stamps, (C_in, C_out / groups, k_h, k_w): the axes of the convolution's filters.
        bias: One number added to each output channel, (C_out,).
        stride: Output pixels from one stamp to the next, for both axes or (vertical, horizontal).
        padding: Pixels cut off on each side of the output.
        output_padding: Pixels kept beyond the lower and the right end.
        groups: Groups of channels that do not see each other.
        dilation: Distance between neighboring taps, in pixels.

    Returns:
        The stamped pictures, (N, C_out, H_out, W_out).

    Example:
        >>> x = torch.tensor([[[[1.0, 2.0]]]])
        >>> conv_transpose2d_loops(x, torch.ones(1, 1, 1, 3), stride=2)[0, 0]
        tensor([[1., 1., 3., 2., 2.]])
    """
    (s_h, s_w), (p_h, p_w), (d_h, d_w), canvas = _prepare(
        x, weight, bias, stride, padding, output_padding, groups, dilation
    )
    seen, each = len(weight) // groups, weight.shape[1]  # channels of a group
    for n, c, row, column in product(*map(range, x.shape)):  # each input pixel
        first = c // seen * each  # where the group's output channels begin
        for o, i, j in product(*map(range, weight.shape[1:])):  # each tap
            stamp = weight[c, o, i, j] * x[n, c, row, column]
            down, right = row * s_h + i * d_h, column * s_w + j * d_w
            canvas[n, first + o, down, right] += stamp
    out = canvas[:, :, p_h : canvas.shape[2] - p_h, p_w : canvas.shape[3] - p_w]
    return out if bias is None else out + bias[:, None, None]


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Tensor:
    """Stamp with one matrix product, and one shifted sum for each tap of the kernel.

    Differentiable, on any device, in any dtype that can be multiplied.

    Args:
        x: Input, (N, C_in, H, W).
        weight: Stamps, (C_in, C_out / groups, k_h, k_w): the axes of the convolution's filters.
        bias: One number added to each output channel, (C_out,).
        stride: Output pixels from one stamp to the next, for both axes or (vertical, horizontal).
        padding: Pixels cut off on each side of the output.
        output_padding: Pixels kept beyond the lower and the right end.
        groups: Groups of channels that do not see each other.
        dilation: Distance between neighboring taps, in pixels.

    Returns:
        The stamped pictures, (N, C_out, H_out, W_out).

    Example:
        >>> x, weight = torch.rand(2, 4, 16, 12), torch.rand(4, 3, 4, 4)
        >>> conv_transpose2d(x, weight, stride=2, padding=1).shape
        torch.Size([2, 3, 32, 24])
    """
    (s_h, s_w), (p_h, p_w), (d_h, d_w), canvas = _prepare(
        x, weight, bias, stride, padding, output_padding, groups, dilation
    )
    n, c_in, height, width = x.shape
    _, each, k_h, k_w = weight.shape
    pixels = x.reshape(n, groups, c_in // groups, height * width)
    taps = weight.reshape(groups, c_in // groups, each * k_h * k_w)
    stamps = taps.transpose(1, 2) @ pixels  # (N, g, C_out/g · k_h · k_w, H · W)
    stamps = stamps.reshape(n, groups * each, k_h, k_w, height, width)
    for i, j in product(range(k_h), range(k_w)):  # one tap of all stamps
        rows = slice(i * d_h, i * d_h + (height - 1) * s_h + 1, s_h)
        columns = slice(j * d_w, j * d_w + (width - 1) * s_w + 1, s_w)
        canvas[:, :, rows, columns] += stamps[:, :, i, j]
    out = canvas[:, :, p_h : canvas.shape[2] - p_h, p_w : canvas.shape[3] - p_w]
    return out if bias is None else out + bias[:, None, None]


def convolution_matrix(
    weight: Tensor, height: int, width: int, stride: Pair = 1, padding: Pair = 0
) -> Tensor:
    """The matrix A of a convolution: A times the flattened picture is the flattened response.

    Its transpose is the transposed convolution. Dense, and so for small pictures only.

    Args:
        weight: Filters, (C_out, C_in, k_h, k_w).
        height: Rows of the picture.
        width: Columns of the picture.
        stride: Pixels from one window to the next.
        padding: Zeros added on each side.

    Returns:
        A, (C_out · H_out · W_out, C_in · H · W).

    Example:
        >>> convolution_matrix(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 1, 5)
        tensor([[1., 2., 3., 0., 0.],
                [0., 1., 2., 3., 0.],
                [0., 0., 1., 2., 3.]])
    """
    numbers = weight.shape[1] * height * width
    one_each = torch.eye(numbers, dtype=weight.dtype, device=weight.device)
    one_each = one_each.reshape(numbers, weight.shape[1], height, width)  # a lone 1 in each
    return conv2d(one_each, weight, stride=stride, padding=padding).flatten(1).T


def _prepare(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    groups: int,
    dilation: Pair,
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], Tensor]:
    """Check everything; return stride, padding, dilation as pairs and the empty canvas."""
    _check(x, weight, bias, groups)
    strides, paddings = pair("stride", stride), pair("padding", padding)
    extras, dilations = pair("output_padding", output_padding), pair("dilation", dilation)
    sizes = []
    for axis in (0, 1):
        s, p, o, d = strides[axis], paddings[axis], extras[axis], dilations[axis]
        size = conv_transpose_size(x.shape[2 + axis], weight.shape[2 + axis], s, p, o, d)
        sizes.append(size + 2 * p)  # before the padding is cut off
    canvas = x.new_zeros(len(x), weight.shape[1] * groups, *sizes)
    return strides, paddings, dilations, canvas


def _check(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Refuse tensors that do not fit each other, and say how to make them fit."""
    for name, tensor, axes in (
        ("x", x, "N, C_in, H, W"),
        ("weight", weight, "C_in, C_out / groups, k_h, k_w"),
    ):
        if tensor.dim() != 4:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, but needs the 4 axes ({axes}): "
                f"add those that are missing, as in `{name}[None]`"
            )
    c_out = weight.shape[1] * groups
    check_groups(x.shape[1], c_out, groups)
    if x.shape[1] != len(weight):
        raise ValueError(
            f"x has {x.shape[1]} channels, but weight of shape {tuple(weight.shape)} stamps "
            f"{len(weight)}: the input channels are its *first* axis here, and "
            f"`weight.transpose(0, 1)` exchanges the two"
        )
    if bias is not None and bias.shape != (c_out,):
        raise ValueError(
            f"bias has shape {tuple(bias.shape)}, but needs ({c_out},), one an output channel"
        )
    if weight.dtype != x.dtype:
        raise TypeError(
            f"x is {x.dtype}, but weight is {weight.dtype}: convert one, as in `x.to(weight.dtype)`"
        )
