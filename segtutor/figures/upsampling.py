"""The moving figure of the chapter on upsampling: overlapping stamps make a checkerboard."""

from __future__ import annotations

from segtutor.figures.checks import table, within
from segtutor.figures.moving import MovingFigure

WEIGHTS = ("all ones", "bilinear", "learned")
PIXELS_IN = 6  # input pixels, all of them 1


def checkerboard(
    *,
    kernel_size: int = 3,
    stride: int = 2,
    padding: int = 0,
    weights: str = "all ones",
    caption: str = "",
    alt: str = "Stamps of a kernel that overlap; below, how their weights add up, pixel by pixel.",
) -> MovingFigure:
    """A transposed convolution of an even row, stamp by stamp, and its checkerboard.

    The reader sets kernel, stride, padding and weights; the figure adds up the stamps, along a
    row and over a plane, and says when the result is even.

    Args:
        kernel_size: Pixels of a stamp, 1 to 6.
        stride: Pixels from one stamp to the next, 1 to 4.
        padding: Pixels that are cut off at each end, 0 to 2, less than the kernel.
        weights: "all ones", "bilinear" or "learned", a fixed uneven row.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> checkerboard(kernel_size=4)
        Moving figure: stamps of 4, 2 apart (open the page to move it)
    """
    within("kernel_size", kernel_size, 1, 6)
    within("stride", stride, 1, 4)
    within("padding", padding, 0, 2)
    if padding >= kernel_size:
        raise ValueError(
            f"padding={padding} would cut off whole stamps of {kernel_size}: at most "
            f"{kernel_size - 1}"
        )
    if weights not in WEIGHTS:
        raise ValueError(f"weights={weights!r} has to be one of {', '.join(map(repr, WEIGHTS))}")
    counts = [0] * ((PIXELS_IN - 1) * stride + kernel_size)
    for start in range(0, PIXELS_IN * stride, stride):
        for tap in range(kernel_size):
            counts[start + tap] += 1
    settings = {"size": kernel_size, "stride": stride, "padding": padding, "weights": weights}
    return MovingFigure(
        "checkerboard",
        settings,
        still=table([counts], "stamps on each output pixel"),
        summary=f"stamps of {kernel_size}, {stride} apart",
        caption=caption,
        alt=alt,
    )
