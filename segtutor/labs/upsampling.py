"""A bench for upsampling: shrink the street, bring it back, see what was lost."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import street_scene
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, number, picture
from segtutor.ops.upsampling import bilinear_kernel

SIZE = (144, 216)  # of the street
SHRINK = {
    "mean of each block": "area",
    "bilinear": "bilinear",
    "nearest": "nearest",
    "nearest-exact": "nearest-exact",
}
STAMPED = "transposed convolution, bilinear weights"
BACK = ("nearest", "nearest-exact", "bilinear", STAMPED)
FACTORS = ("2", "3", "4", "6", "8", "12")  # all divide the sides of the street


def upsampling() -> UpsamplingBench:
    """A bench that shrinks the street and brings it back with the rules of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = upsampling()
        >>> bench.factor.value = "6"
        >>> bench.small.shape, bench.back.shape
        (torch.Size([1, 3, 24, 36]), torch.Size([1, 3, 144, 216]))
    """
    return UpsamplingBench()


class UpsamplingBench(Bench):
    """The widgets, the street, what is left of it when small and what comes back.

    Attributes:
        picture: The street, (1, 3, H, W), in [0, 1].
        small: The street shrunk by the factor, (1, 3, H / f, W / f).
        back: The small street enlarged again, (1, 3, H, W).
    """

    picture: torch.Tensor
    small: torch.Tensor
    back: torch.Tensor
    summary = "a street shrunk and brought back"
    runs = "the real F.interpolate and F.conv_transpose2d"

    def __init__(self) -> None:
        self.picture = street_scene(SIZE)[0][None]
        self.factor = choice("factor", list(FACTORS))
        self.factor.value = "4"
        self.shrink = choice("shrink by", list(SHRINK))
        self.antialias = checkbox("antialias (for bilinear shrinking)")
        self.method = choice("back by", list(BACK))
        self.method.value = "bilinear"
        self.align_corners = checkbox("align_corners (for bilinear, both ways)")
        self.watch(self.factor, self.shrink, self.antialias, self.method, self.align_corners)
        self.lay_out(
            [self.factor],
            [self.shrink, self.antialias],
            [self.method, self.align_corners],
        )

    def draw(self) -> str:
        """Shrink and enlarge; show both, and the difference from the street."""
        factor = int(self.factor.value)
        self.small = self._shrunk(factor)
        self.back = self._enlarged(factor)
        difference = (self.back - self.picture).mean(1)  # (1, H, W)
        height, width = self.small.shape[-2:]
        error = float((self.back - self.picture).abs().mean())
        pictures = figures_in_a_row(
            (picture((self.small[0] * 255).round(), 0, 255), f"small, {height} × {width}"),
            (picture((self.back[0] * 255).round(), 0, 255), f"brought back, {SIZE[0]} × {SIZE[1]}"),
            (picture((difference * 255).round(), -64, 64), "too dark: orange; too bright: teal"),
            sharp=True,
        )
        kept = height * width / (SIZE[0] * SIZE[1])
        return (
            f'{pictures}<p style="margin-top:.8em">{number(kept * 100)}% of the numbers were kept; '
            f"on average a pixel is off by <b>{number(error * 255)}</b> of 255.</p>"
        )

    def _shrunk(self, factor: int) -> torch.Tensor:
        mode = SHRINK[self.shrink.value]
        size = (SIZE[0] // factor, SIZE[1] // factor)
        if mode != "bilinear":
            return F.interpolate(self.picture, size=size, mode=mode)
        settings = {"align_corners": self.align_corners.value, "antialias": self.antialias.value}
        return F.interpolate(self.picture, size=size, mode=mode, **settings)

    def _enlarged(self, factor: int) -> torch.Tensor:
        mode = self.method.value
        if mode == STAMPED:
            weight = bilinear_kernel(3, factor)
            return F.conv_transpose2d(self.small, weight, stride=factor, padding=factor // 2)
        if mode == "bilinear":
            aligned = self.align_corners.value
            return F.interpolate(self.small, size=SIZE, mode=mode, align_corners=aligned)
        return F.interpolate(self.small, size=SIZE, mode=mode)
