"""The way back from max pooling: every maximum returns to the pixel that it came from."""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.ops.arithmetic import at_least, pair

__all__ = ["max_unpool2d"]

Pair = int | tuple[int, int]


def max_unpool2d(
    x: Tensor,
    indices: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    output_size: tuple[int, ...] | None = None,
) -> Tensor:
    """Put each number where its index says; all other pixels are 0. Differentiable.

    Several input sizes pool to one output size, so the size to return to is a guess,
    (n − 1)·s − 2p + k, unless it is given. An index counts pixels row by row: with another width it
    means another place, and the picture comes back tilted.

    Args:
        x: Pooled maps, (N, C, H, W).
        indices: Where each maximum was in its plane, row · width + column, in the shape of x, as
            `max_pool2d(…, return_indices=True)` returns them.
        kernel_size: The window that the maps were pooled with.
        stride: Its stride; the kernel size if left out.
        padding: Its padding.
        output_size: The size before pooling, (…, H_out, W_out): `picture.shape` will do.

    Returns:
        The maps, (N, C, H_out, W_out), at most one number a window different from 0.

    Raises:
        ValueError: Shapes do not belong together, an index lies outside the output, or no window
            of this kernel and stride leads from the output size to that of x.

    Example:
        >>> x, indices = torch.tensor([[[[4.0, 5.0]]]]), torch.tensor([[[[3, 2]]]])
        >>> max_unpool2d(x, indices, 2, stride=1)
        tensor([[[[0., 0., 5.],
                  [4., 0., 0.]]]])
    """
    if x.dim() != 4 or x.shape != indices.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and indices {tuple(indices.shape)}: both have to be "
            "(N, C, H, W), as max_pool2d(…, return_indices=True) returns them"
        )
    if indices.dtype != torch.int64:
        raise TypeError(f"indices are {indices.dtype}, but count pixels: take indices.long()")
    height, width = _size_before(x, kernel_size, stride, padding, output_size)
    flat = indices.flatten(2)  # (N, C, H·W)
    if flat.numel():
        low, high = (int(end) for end in flat.aminmax())
        if low < 0 or high >= height * width:
            raise ValueError(
                f"indices run from {low} to {high}, but an output of {height} × {width} has pixels "
                f"0 to {height * width - 1}: pass the size before pooling as output_size"
            )
    out = x.new_zeros(*x.shape[:2], height * width)
    return out.scatter(2, flat, x.flatten(2)).view(*x.shape[:2], height, width)


def _size_before(
    x: Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, output_size: tuple | None
) -> tuple[int, ...]:
    """The size that is asked for, or the one that is guessed, checked against each other."""
    stride = kernel_size if stride is None else stride
    kernels, strides = pair("kernel_size", kernel_size), pair("stride", stride)
    paddings = pair("padding", padding)
    if output_size is not None:
        asked = tuple(output_size) if isinstance(output_size, tuple | list) else ()
        if len(asked) not in (2, 4):
            raise ValueError(
                f"output_size={output_size!r} has to be (H_out, W_out) or (N, C, H_out, W_out): "
                "the shape before pooling, `picture.shape`"
            )
        for size in asked[-2:]:
            at_least("output_size", size, 1, "a map has one pixel or more along each axis")
    sizes = []
    for axis, name in enumerate(("height", "width")):
        k, s, p, pooled = kernels[axis], strides[axis], paddings[axis], x.shape[2 + axis]
        guess = (pooled - 1) * s - 2 * p + k
        size = guess if output_size is None else asked[axis - 2]
        at_least("kernel_size", k, 1, "a window has one pixel or more")
        at_least("stride", s, 1, "the window has to move on")
        at_least("padding", p, 0, "padding cannot be negative")
        if not guess - s < size < guess + s:
            raise ValueError(
                f"output_size asks for a {name} of {size}, but windows of {k} with stride {s} and "
                f"padding {p} that pool to {pooled} come from {max(1, guess - s + 1)} to "
                f"{guess + s - 1} pixels"
            )
        sizes.append(size)
    return tuple(sizes)
