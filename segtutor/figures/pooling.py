"""The moving figure of the chapter on pooling: a pooling window, and the way back."""

from __future__ import annotations

from segtutor.figures.checks import Array, numbers, table, within
from segtutor.figures.moving import MovingFigure
from segtutor.ops.pooling import pooled_size

MODES = ("max", "mean", "mean, padding left out")


def pooling_window(
    pixels: Array,
    *,
    kernel_size: int = 2,
    stride: int = 2,
    padding: int = 0,
    mode: str = "max",
    caption: str = "",
    alt: str = "A pooling window slides over a grid of pixels; each stop gives one number.",
) -> MovingFigure:
    """A pooling window that slides over a grid of pixels; maxima can be sent back.

    The reader can paint the pixels, choose maximum or mean, change window, stride, padding and
    ceil_mode, and step through the places, by mouse, touch or keyboard. For maxima the indices
    and the unpooled map are shown.

    Args:
        pixels: Numbers of shape (H, W), from 1 by 1 to 12 by 12.
        kernel_size: Height and width of the window, 1 to 4.
        stride: Pixels from one place to the next, 1 to 4.
        padding: Rings around the picture, 0 to 2, at most half the window.
        mode: "max", "mean" or "mean, padding left out".
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> pooling_window([[1, 2, 0], [4, 3, 5]], stride=1)
        Moving figure: a pooling window of 2×2 over 2×3 pixels (open the page to move it)
    """
    image = numbers("pixels", pixels, 12)
    within("kernel_size", kernel_size, 1, 4)
    within("stride", stride, 1, 4)
    within("padding", padding, 0, 2)
    if mode not in MODES:
        raise ValueError(f"mode={mode!r} has to be one of {', '.join(map(repr, MODES))}")
    for length in (len(image), len(image[0])):
        pooled_size(length, kernel_size, stride, padding)  # raises if the window does not fit
    settings = {
        "pixels": image,
        "size": kernel_size,
        "stride": stride,
        "padding": padding,
        "mode": mode,
    }
    return MovingFigure(
        "pooling-window",
        settings,
        still=table(image, "the pixels"),
        summary=f"a pooling window of {kernel_size}×{kernel_size} over "
        f"{len(image)}×{len(image[0])} pixels",
        caption=caption,
        alt=alt,
    )
