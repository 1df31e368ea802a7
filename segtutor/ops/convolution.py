"""Two-dimensional convolution by hand: once for the finger, once for speed.

What the field calls convolution is cross-correlation: the kernel slides over the picture as
it stands. `conv2d_loops` spells every multiplication out; `conv2d` does all of them in one
matrix product; both take `torch.nn.functional.conv2d`'s arguments and return its result.
`true_conv2d` flips the kernel first, as mathematics and `scipy.signal` do.
"""

from __future__ import annotations

from itertools import product

import torch.nn.functional as F
from torch import Tensor

from segtutor.ops.arithmetic import check_groups, effective_kernel, output_size

__all__ = ["conv2d", "conv2d_loops", "depthwise_separable_conv2d", "true_conv2d"]

Pair = int | tuple[int, int]


def conv2d_loops(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlate as a finger would: one output number after the other. Slow on purpose.

    Args:
        x: Input, (N, C_in, H, W).
        weight: Filters, (C_out, C_in / groups, k_h, k_w).
        bias: One number added to each output channel, (C_out,).
        stride: Pixels from one window to the next, for both axes or (vertical, horizontal).
        padding: Zeros added on each side.
        dilation: Distance between neighboring taps, in pixels.
        groups: Groups of channels that do not see each other.

    Returns:
        The responses, (N, C_out, H_out, W_out).

    Example:
        >>> import torch
        >>> x = torch.arange(9.0).reshape(1, 1, 3, 3)
        >>> conv2d_loops(x, torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]))
        tensor([[[[19., 25.],
                  [37., 43.]]]])
    """
    _check(x, weight, bias, groups)
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = _pairs(stride, padding, dilation)
    c_out, c_seen, k_h, k_w = weight.shape
    h_out = output_size(x.shape[2], k_h, s_h, p_h, d_h)
    w_out = output_size(x.shape[3], k_w, s_w, p_w, d_w)
    x = F.pad(x, (p_w, p_w, p_h, p_h))  # (N, C_in, H + 2p, W + 2p)
    out = x.new_zeros(len(x), c_out, h_out, w_out)

    for n, o, row, column in product(*map(range, out.shape)):  # each output number
        first = o // (c_out // groups) * c_seen  # where the filter's group begins
        total = x.new_zeros(()) if bias is None else bias[o]
        for c, i, j in product(*map(range, weight.shape[1:])):  # each tap of its filter
            pixel = x[n, first + c, row * s_h + i * d_h, column * s_w + j * d_w]
            total = total + weight[o, c, i, j] * pixel
        out[n, o, row, column] = total
    return out


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlate with strided windows and one matrix product.

    The windows are a *view* of the padded input: no pixel is copied until the product needs
    them side by side. Differentiable, on any device, in any dtype that can be multiplied.

    Args:
        x: Input, (N, C_in, H, W).
        weight: Filters, (C_out, C_in / groups, k_h, k_w).
        bias: One number added to each output channel, (C_out,).
        stride: Pixels from one window to the next, for both axes or (vertical, horizontal).
        padding: Zeros added on each side.
        dilation: Distance between neighboring taps, in pixels.
        groups: Groups of channels that do not see each other.

    Returns:
        The responses, (N, C_out, H_out, W_out).

    Example:
        >>> import torch
        >>> x, weight = torch.rand(2, 6, 9, 7), torch.rand(4, 3, 3, 3)
        >>> conv2d(x, weight, stride=2, padding=1, groups=2).shape
        torch.Size([2, 4, 5, 4])
    """
    _check(x, weight, bias, groups)
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = _pairs(stride, padding, dilation)
    n = len(x)
    c_out, c_seen, k_h, k_w = weight.shape
    h_out = output_size(x.shape[2], k_h, s_h, p_h, d_h)
    w_out = output_size(x.shape[3], k_w, s_w, p_w, d_w)

    x = F.pad(x, (p_w, p_w, p_h, p_h))  # (N, C_in, H + 2p, W + 2p)
    windows = x.unfold(2, effective_kernel(k_h, d_h), s_h)
    windows = windows.unfold(3, effective_kernel(k_w, d_w), s_w)
    windows = windows[..., ::d_h, ::d_w]  # (N, C_in, H_out, W_out, k_h, k_w), a view
    columns = windows.permute(0, 1, 4, 5, 2, 3)  # (N, C_in, k_h, k_w, H_out, W_out)
    columns = columns.reshape(n, groups, c_seen * k_h * k_w, h_out * w_out)
    filters = weight.reshape(groups, c_out // groups, c_seen * k_h * k_w)
    out = (filters @ columns).reshape(n, c_out, h_out, w_out)
    return out if bias is None else out + bias[:, None, None]


def true_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve as mathematics does: flip every kernel in both axes, then cross-correlate.

    Args:
        x: Input, (N, C_in, H, W).
        weight: Filters, (C_out, C_in / groups, k_h, k_w).
        bias: One number added to each output channel, (C_out,).
        stride: Pixels from one window to the next.
        padding: Zeros added on each side; k − 1 of them gives the "full" convolution.
        dilation: Distance between neighboring taps, in pixels.
        groups: Groups of channels that do not see each other.

    Returns:
        The responses, (N, C_out, H_out, W_out).

    Example:
        >>> import torch
        >>> dot = torch.zeros(1, 1, 3, 3)
        >>> dot[..., 1, 1] = 1  # a single bright pixel comes back as the kernel itself
        >>> true_conv2d(dot, torch.arange(1.0, 10).reshape(1, 1, 3, 3), padding=1)[0, 0]
        tensor([[1., 2., 3.],
                [4., 5., 6.],
                [7., 8., 9.]])
    """
    return conv2d(x, weight.flip(-2, -1), bias, stride, padding, dilation, groups)


def depthwise_separable_conv2d(
    x: Tensor,
    depthwise: Tensor,
    pointwise: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> Tensor:
    """Look around in each channel by itself, then mix the channels pixel by pixel.

    Args:
        x: Input, (N, C_in, H, W).
        depthwise: One kernel a channel, (C_in, 1, k_h, k_w).
        pointwise: The mixing 1×1 filters, (C_out, C_in, 1, 1).
        bias: One number added to each output channel, (C_out,).
        stride: Of the depthwise step.
        padding: Of the depthwise step.
        dilation: Of the depthwise step.

    Returns:
        The responses, (N, C_out, H_out, W_out).

    Example:
        >>> import torch
        >>> x = torch.rand(2, 16, 9, 7)
        >>> y = depthwise_separable_conv2d(
        ...     x, torch.rand(16, 1, 3, 3), torch.rand(32, 16, 1, 1), padding=1
        ... )
        >>> y.shape
        torch.Size([2, 32, 9, 7])
    """
    if pointwise.shape[2:] != (1, 1):
        raise ValueError(
            f"pointwise has shape {tuple(pointwise.shape)}: it mixes channels only, so it has "
            "to be (C_out, C_in, 1, 1)"
        )
    each_channel = conv2d(x, depthwise, None, stride, padding, dilation, groups=len(depthwise))
    return conv2d(each_channel, pointwise, bias)


def _pairs(stride: Pair, padding: Pair, dilation: Pair) -> tuple[tuple[int, int], ...]:
    """Turn the three settings into pairs (vertical, horizontal)."""
    pairs = []
    for name, value in (("stride", stride), ("padding", padding), ("dilation", dilation)):
        if isinstance(value, str):
            raise TypeError(
                f"{name}={value!r} has to be a number: with stride 1, an odd kernel k and "
                "dilation d, padding d·(k − 1) // 2 keeps the size of the input"
            )
        pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
        if len(pair) != 2:
            raise ValueError(f"{name}={value!r} has to be one number or (vertical, horizontal)")
        pairs.append(pair)
    return tuple(pairs)


def _check(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Refuse tensors that do not fit each other, and say how to make them fit."""
    for name, tensor, axes in (
        ("x", x, "N, C_in, H, W"),
        ("weight", weight, "C_out, C_in, k_h, k_w"),
    ):
        if tensor.dim() != 4:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, but needs the 4 axes ({axes}): "
                f"add those that are missing, as in `{name}[None]`"
            )
    c_in, (c_out, c_seen) = x.shape[1], weight.shape[:2]
    check_groups(c_in, c_out, groups)
    if c_in != c_seen * groups:
        raise ValueError(
            f"x has {c_in} channels, but weight of shape {tuple(weight.shape)} with "
            f"groups={groups} reads {c_seen} × {groups} = {c_seen * groups}: weight.shape[1] has "
            f"to be {c_in // groups}"
        )
    if bias is not None and bias.shape != (c_out,):
        raise ValueError(f"bias has shape {tuple(bias.shape)}, but needs ({c_out},), one a filter")
    if weight.dtype != x.dtype:
        raise TypeError(
            f"x is {x.dtype}, but weight is {weight.dtype}: convert one, as in `x.to(weight.dtype)`"
        )
