"""Pooling by hand: the largest or the mean of each window.

A pooling window slides as a kernel does, but it has no weights, and every channel is pooled by
itself. All functions take the arguments of `torch.nn.functional`'s and return their results.
"""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.ops.arithmetic import at_least, effective_kernel, output_size, pair
from segtutor.ops.pyramid import check_maps

__all__ = ["avg_pool2d", "max_pool2d", "max_pool2d_loops", "pooled_size"]

Pair = int | tuple[int, int]


def pooled_size(
    n: int,
    kernel: int,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int:
    """How many positions a pooling window has along one axis.

    Without `ceil_mode` as for a convolution: a window that does not fit is dropped. With it the
    number of steps is rounded up: where they leave a rest, one more window hangs over the far end,
    provided that it *starts* inside the input or the padding before it. A window that would see
    padding alone is dropped after all.

    Args:
        n: Pixels along the axis, before padding.
        kernel: Pixels of the window, k ≥ 1.
        stride: Pixels from one window to the next; the kernel if left out.
        padding: Pixels added on each side, at most half the window.
        dilation: Distance between neighboring pixels of the window.
        ceil_mode: Round up instead of down.

    Returns:
        The number of positions, at least 1.

    Example:
        >>> pooled_size(5, kernel=2), pooled_size(5, kernel=2, ceil_mode=True)
        (2, 3)
        >>> pooled_size(3, kernel=2, stride=2, padding=1, ceil_mode=True)  # not 3
        2
    """
    stride = kernel if stride is None else stride
    at_least("n", n, 0, "a size counts pixels")
    at_least("kernel", kernel, 1, "a window has one pixel or more")
    at_least("stride", stride, 1, "the window has to move on")
    at_least("padding", padding, 0, "to remove pixels, slice the input instead")
    if padding > kernel // 2:
        raise ValueError(
            f"padding={padding} is more than half of kernel={kernel}: a window could then lie in "
            f"the padding alone; take at most {kernel // 2}"
        )
    if not ceil_mode:
        return output_size(n, kernel, stride, padding, dilation)
    room = n + 2 * padding - effective_kernel(kernel, dilation)
    size = -(-room // stride) + 1  # the quotient rounded up
    if (size - 1) * stride >= n + padding:
        size -= 1  # the last window would begin behind the input
    return size if size > 0 else output_size(n, kernel, stride, padding, dilation)


def max_pool2d_loops(
    x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Tensor:
    """Take the largest number under each window, one window after the other. Slow on purpose.

    Args:
        x: Input, (N, C, H, W), floating-point, without NaN.
        kernel_size: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next; the kernel size if left out.
        padding: Pixels of −∞ added on each side.

    Returns:
        The maxima, (N, C, H_out, W_out).

    Example:
        >>> x = torch.tensor([[[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]]])
        >>> max_pool2d_loops(x, 2, stride=1)
        tensor([[[[4., 5.]]]])
    """
    settings = _window(x, kernel_size, stride, padding)
    (k_h, k_w), (s_h, s_w), (p_h, p_w), _ = settings
    height, width = x.shape[2:]
    h_out = pooled_size(height, k_h, s_h, p_h)
    w_out = pooled_size(width, k_w, s_w, p_w)
    out = x.new_zeros(*x.shape[:2], h_out, w_out)

    for n, c, row, column in product(*map(range, out.shape)):  # each output number
        largest = x.new_tensor(-torch.inf)
        for i, j in product(range(k_h), range(k_w)):  # each pixel of its window
            top, left = row * s_h - p_h, column * s_w - p_w
            if 0 <= top + i < height and 0 <= left + j < width:  # not padding
                pixel = x[n, c, top + i, left + j]
                if pixel > largest:
                    largest = pixel
        out[n, c, row, column] = largest
    return out


def max_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Take the largest number under each window, all windows at once. Differentiable.

    Args:
        x: Input, (N, C, H, W), floating-point.
        kernel_size: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next; the kernel size if left out.
        padding: Pixels of −∞ added on each side, at most half the window.
        dilation: Distance between neighboring pixels of the window.
        ceil_mode: Let one more window hang over the far end (see `pooled_size`).
        return_indices: Return also where each maximum was: its place in its own flattened
            plane, row · W + column. The first of equal maxima counts (and the first NaN, where
            PyTorch takes the last); −1 where a dilated window holds nothing but padding.

    Returns:
        The maxima (N, C, H_out, W_out), and the indices if asked for.

    Example:
        >>> x = torch.tensor([[[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]]])
        >>> max_pool2d(x, 2, stride=1, return_indices=True)
        (tensor([[[[4., 5.]]]]), tensor([[[[3, 2]]]]))
    """
    settings = _window(x, kernel_size, stride, padding, dilation)
    seen = _windows(x, settings, ceil_mode, fill=-torch.inf)
    seen = seen.flatten(4)  # (N, C, H_out, W_out, k_h · k_w)
    numbers = _windows(_numbered(x), settings, ceil_mode, fill=-1)
    numbers = numbers.flatten(4).expand_as(seen)  # −1 in the padding

    place = seen.argmax(-1, keepdim=True)  # (N, C, H_out, W_out, 1)
    # Where all is −∞, padding may have won: take the first real pixel.
    first = (numbers >= 0).int().argmax(-1, keepdim=True)
    place = place.where(numbers.gather(-1, place) >= 0, first)
    largest = seen.gather(-1, place)[..., 0]
    if not return_indices:
        return largest
    return largest, numbers.gather(-1, place)[..., 0]


def avg_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Take the mean under each window. Differentiable.

    Args:
        x: Input, (N, C, H, W), floating-point.
        kernel_size: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next; the kernel size if left out.
        padding: Pixels of 0 added on each side, at most half the window.
        ceil_mode: Let one more window hang over the far end (see `pooled_size`).
        count_include_pad: Divide by all pixels of the window, padding included, which darkens
            the border; False divides by those inside the picture.
        divisor_override: Divide by this number instead.

    Returns:
        The means, (N, C, H_out, W_out).

    Example:
        >>> white = torch.ones(1, 1, 2, 2)
        >>> avg_pool2d(white, 3, stride=1, padding=1)[0, 0, 0, 0]
        tensor(0.4444)
        >>> avg_pool2d(white, 3, stride=1, padding=1, count_include_pad=False)[0, 0, 0, 0]
        tensor(1.)
    """
    settings = _window(x, kernel_size, stride, padding)
    working = torch.promote_types(x.dtype, torch.float32)  # half precision cannot hold large sums
    total = _windows(x, settings, ceil_mode, fill=0).sum((-2, -1), dtype=working)
    if divisor_override is not None:
        at_least("divisor_override", divisor_override, 1, "it divides the sum of each window")
        return (total / divisor_override).to(x.dtype)
    counted = torch.ones(1, 1, *x.shape[2:], dtype=working, device=x.device)
    if count_include_pad:  # padding counts, what ceil_mode hangs over does not
        p_h, p_w = settings[2]
        counted = F.pad(counted, (p_w, p_w, p_h, p_h), value=1)
        settings = (*settings[:2], (0, 0), settings[3])
        counted = _windows(counted, settings, ceil_mode, fill=0, size=total.shape[2:])
    else:
        counted = _windows(counted, settings, ceil_mode, fill=0)
    return (total / counted.sum((-2, -1))).to(x.dtype)  # (N, C, H_out, W_out)


Settings = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]


def _window(
    x: Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, dilation: Pair = 1
) -> Settings:
    """Check, and turn into pairs (vertical, horizontal): kernel, stride, padding, dilation."""
    check_maps(x)
    stride = kernel_size if stride is None else stride
    names = ("kernel_size", "stride", "padding", "dilation")
    values = (kernel_size, stride, padding, dilation)
    return tuple(pair(name, value) for name, value in zip(names, values, strict=True))


def _numbered(x: Tensor) -> Tensor:
    """The number of each pixel in its plane, row by row, (1, 1, H, W)."""
    height, width = x.shape[2:]
    return torch.arange(height * width, device=x.device).view(1, 1, height, width)


def _windows(
    x: Tensor, settings: Settings, ceil_mode: bool, fill: float, size: torch.Size | None = None
) -> Tensor:
    """Lay out all windows as a view of the padded input, (N, C, H_out, W_out, k_h, k_w)."""
    before_after = []  # as F.pad wants it: the last axis first
    for axis, (k, s, p, d) in enumerate(zip(*settings, strict=True)):
        n = x.shape[2 + axis]
        out = size[axis] if size else pooled_size(n, k, s, p, d, ceil_mode)
        # The last window may hang over, or end before the padding does: then this is negative.
        after = (out - 1) * s + effective_kernel(k, d) - n - p
        before_after = [p, after, *before_after]
    x = F.pad(x, before_after, value=fill)
    for axis, (k, s, _, d) in enumerate(zip(*settings, strict=True)):
        x = x.unfold(2 + axis, effective_kernel(k, d), s)
    d_h, d_w = settings[3]
    return x[..., ::d_h, ::d_w]
