"""The arithmetic of a sliding window: how large its output is, and what it costs."""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

__all__ = ["ConvCost", "conv_cost", "effective_kernel", "output_size"]


def effective_kernel(kernel: int, dilation: int = 1) -> int:
    """How many pixels a dilated kernel spans, holes included.

    Between k taps lie k − 1 gaps of d pixels each, so a kernel spans d(k − 1) + 1 pixels:
    it does not grow to d·k, and it still multiplies only k numbers.

    Args:
        kernel: Taps along one axis, k ≥ 1.
        dilation: Distance between neighboring taps in pixels, d ≥ 1.

    Returns:
        The span in pixels.

    Example:
        >>> effective_kernel(3), effective_kernel(3, dilation=4)
        (3, 9)
    """
    at_least("kernel", kernel, 1, "a kernel has one tap or more")
    at_least("dilation", dilation, 1, "1 means neighboring pixels, without holes")
    return dilation * (kernel - 1) + 1


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many positions a window has along one axis: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1.

    Args:
        n: Pixels along the axis, before padding.
        kernel: Taps of the kernel, k ≥ 1.
        stride: Pixels from one position to the next, s ≥ 1.
        padding: Pixels added on *each* side, p ≥ 0.
        dilation: Distance between neighboring taps in pixels, d ≥ 1.

    Returns:
        The number of positions, at least 1.

    Raises:
        ValueError: An argument is out of range, or the kernel does not fit even once.

    Example:
        >>> output_size(32, kernel=3, padding=1)
        32
        >>> output_size(5, kernel=2, stride=2)  # the last column is left over
        2
    """
    at_least("n", n, 0, "a size counts pixels")
    at_least("stride", stride, 1, "the window has to move on")
    at_least("padding", padding, 0, "to remove pixels, slice the input instead")
    span = effective_kernel(kernel, dilation)
    padded = n + 2 * padding
    if span > padded:
        raise ValueError(
            f"kernel={kernel} with dilation={dilation} spans {span} pixels, but the padded input "
            f"has {padded} ({n} + 2·{padding}): pad more, or take a smaller kernel or dilation"
        )
    return (padded - span) // stride + 1


class ConvCost(NamedTuple):
    """What a convolution costs: numbers to store, and multiply-adds to compute."""

    parameters: int
    multiply_adds: int


def conv_cost(
    c_in: int,
    c_out: int,
    kernel: int,
    height: int,
    width: int,
    *,
    groups: int = 1,
    bias: bool = False,
) -> ConvCost:
    """Parameters and multiply-adds of a square convolution, for one picture.

    Every output number is a sum over k·k taps in each of the c_in / groups channels that it
    sees. A bias is stored, but adding it is not counted as a multiply-add.

    Args:
        c_in: Input channels.
        c_out: Output channels.
        kernel: Taps along one axis of the square kernel.
        height: Rows of the *output*.
        width: Columns of the *output*.
        groups: Groups that the channels are split into; c_in of them is depthwise.
        bias: Whether one number is added to each output channel.

    Returns:
        The two counts.

    Example:
        >>> conv_cost(256, 256, 3, 16, 16)
        ConvCost(parameters=589824, multiply_adds=150994944)
        >>> conv_cost(256, 256, 3, 16, 16, groups=256).parameters
        2304
    """
    for name, value in (("c_in", c_in), ("c_out", c_out), ("kernel", kernel)):
        at_least(name, value, 1, "nothing is computed otherwise")
    for name, value in (("height", height), ("width", width)):
        at_least(name, value, 0, "a size counts pixels")
    check_groups(c_in, c_out, groups)
    weights = c_out * (c_in // groups) * kernel * kernel
    return ConvCost(
        parameters=weights + (c_out if bias else 0),
        multiply_adds=weights * height * width,
    )


def check_groups(c_in: int, c_out: int, groups: int) -> None:
    """Raise a ValueError unless both channel counts split evenly into `groups`."""
    at_least("groups", groups, 1, "1 means that every output channel sees every input channel")
    for name, channels in (("input", c_in), ("output", c_out)):
        if channels % groups:
            raise ValueError(
                f"groups={groups} does not divide the {channels} {name} channels: "
                f"choose a common divisor of {c_in} and {c_out}"
            )


def at_least(name: str, value: int, least: int, why: str) -> None:
    """Raise unless `value` is a whole number of at least `least`, and say why it has to be."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} has to be a whole number")
    if value < least:
        raise ValueError(f"{name}={value} has to be at least {least}: {why}")


def pair(name: str, value: float | tuple[float, float]) -> tuple:
    """Turn a setting for both axes into one for each: (vertical, horizontal)."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{name}={value!r} has to be one number or (vertical, horizontal)")
    return both
