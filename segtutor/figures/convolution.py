"""The moving figures of the convolution chapter: a sliding window, and a receptive field."""

from __future__ import annotations

from collections.abc import Sequence

from segtutor.figures.checks import Array, numbers, table, within
from segtutor.figures.moving import MovingFigure
from segtutor.ops.arithmetic import output_size


def sliding_window(
    pixels: Array,
    kernel: Array,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    caption: str = "",
    alt: str = "A kernel slides over a grid of pixels; each stop gives one number of the output.",
) -> MovingFigure:
    """A window that slides over a grid of pixels, with the sum that it makes written out.

    The reader can paint the pixels, edit the kernel, change stride, padding and dilation, and
    step through the positions, by mouse, touch or keyboard.

    Args:
        pixels: Numbers of shape (H, W), from 1 by 1 to 12 by 12.
        kernel: Weights of shape (k, k), k from 1 to 5.
        stride: Pixels from one position to the next, 1 to 3.
        padding: Rings of zeros around the picture, 0 to 2.
        dilation: Pixels from one tap to the next, 1 to 3.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> import numpy as np
        >>> sliding_window(np.eye(8), np.ones((3, 3)))
        Moving figure: a 3×3 window over an 8×8 picture (open the page to move it)
    """
    image = numbers("pixels", pixels, 12)
    weights = numbers("kernel", kernel, 5)
    if len(weights) != len(weights[0]):
        raise ValueError(f"kernel has to be square, got {len(weights)} by {len(weights[0])}")
    within("stride", stride, 1, 3)
    within("padding", padding, 0, 2)
    within("dilation", dilation, 1, 3)
    size = len(weights)
    for length in (len(image), len(image[0])):
        output_size(length, size, stride, padding, dilation)  # raises if the kernel does not fit
    settings = {
        "pixels": image,
        "kernel": weights,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }
    article = "an" if len(image) in (8, 11) else "a"
    return MovingFigure(
        "sliding-window",
        settings,
        still=table(image, "the pixels") + table(weights, "the kernel"),
        summary=f"a {size}×{size} window over {article} {len(image)}×{len(image[0])} picture",
        caption=caption,
        alt=alt,
    )


def receptive_field(
    layers: Sequence[int | Sequence[int]],
    *,
    caption: str = "",
    alt: str = "Rows of cells, one row a layer; a touched cell lights all the cells that it sees.",
) -> MovingFigure:
    """A stack of layers in one dimension; touch a cell to see what it depends on.

    The reader can add, remove and edit layers, by mouse, touch or keyboard.

    Args:
        layers: From the input up, each a kernel size or (kernel, stride, dilation), of which
            all but the first may be left out. One to six layers, without padding.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> receptive_field([3, 3, (3, 2)])
        Moving figure: the receptive field of 3 layers (open the page to move it)
    """
    stack = []
    for index, layer in enumerate(layers):
        settings = tuple(layer) if isinstance(layer, Sequence) else (layer,)
        if not 1 <= len(settings) <= 4 or (len(settings) == 4 and settings[3] != 0):
            raise ValueError(
                f"layers[{index}]={layer!r} has to be a kernel size or (kernel, stride, "
                "dilation); this figure draws layers without padding"
            )
        kernel, stride, dilation = (*settings[:3], 1, 1)[:3]
        within(f"layers[{index}].kernel", kernel, 1, 7)
        within(f"layers[{index}].stride", stride, 1, 3)
        within(f"layers[{index}].dilation", dilation, 1, 8)
        stack.append([int(kernel), int(stride), int(dilation)])
    if not 1 <= len(stack) <= 6:
        raise ValueError(f"layers has {len(stack)} entries: this figure draws one to six layers")
    words = f"the receptive field of {len(stack)} layer{'s' * (len(stack) > 1)}"
    return MovingFigure(
        "receptive-field",
        {"layers": stack},
        still=_pyramid(stack),
        summary=words,
        caption=caption,
        alt=alt,
    )


def _pyramid(layers: list[list[int]]) -> str:
    """The layers as rows of cells, the cone of one top cell filled, as a still SVG."""
    jumps = [1]
    for _, stride, _ in layers:
        jumps.append(jumps[-1] * stride)
    sizes = [1]
    for kernel, stride, dilation in reversed(layers):
        sizes.append((sizes[-1] - 1) * stride + dilation * (kernel - 1) + 1)
    width = 20 * sizes[-1] + 4
    parts = []
    for row, size in enumerate(sizes):
        pitch = 20 * jumps[len(layers) - row]
        left = (width - pitch * (size - 1)) / 2
        for cell in range(size):
            x = left + cell * pitch - 8
            parts.append(f'<rect x="{x:g}" y="{row * 34 + 2}" width="16" height="16" rx="3"/>')
    style = f"max-width:{width}px;width:100%;height:auto"
    return (
        f'<svg role="img" aria-label="the cone of one output cell" viewBox="0 0 {width} '
        f'{len(sizes) * 34}" style="{style}" fill="#0f766e" fill-opacity=".35" '
        f'stroke="currentColor">{"".join(parts)}</svg>'
    )
