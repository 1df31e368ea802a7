"""A bench for pooling: choose the window, shift the street, and put the maxima back."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import street_scene
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, number, picture, slider

MAX, AVERAGE, AVERAGE_INSIDE = "maximum", "mean", "mean, padding left out"
MOST = 4  # pixels that the street can be shifted by


def pooling() -> PoolingBench:
    """A bench that pools the street with a window and settings of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = pooling()
        >>> bench.stride.value = 3
        >>> bench.pooled.shape
        torch.Size([1, 1, 39, 59])
    """
    return PoolingBench()


class PoolingBench(Bench):
    """The widgets, the street, what pooling leaves of it, and what unpooling brings back.

    Attributes:
        picture: What is pooled, (1, 1, 120, 180), gray, whole numbers from 0 to 255.
        pooled: What comes out, (1, 1, H_out, W_out).
        back: The maxima at the pixels they came from, like `picture`; None for means.
        changed: The share of `pooled` that differs from the pooled street before the shift.
    """

    picture: torch.Tensor
    pooled: torch.Tensor
    back: torch.Tensor | None
    changed: float
    summary = "max and average pooling of a street"
    runs = "the real F.max_pool2d and F.avg_pool2d"

    def __init__(self) -> None:
        # Drawn wider than shown, so that a shift brings in street and no empty border. Whole
        # numbers: maxima of them are exact, the same on every machine.
        self._wide = (street_scene((120, 180 + MOST))[0] * 255).mean(0).round()[None, None]
        self.operation = choice("take the", [MAX, AVERAGE, AVERAGE_INSIDE])
        self.kernel = slider("window", 1, 8, 4)
        self.stride = slider("stride", 1, 8, 4)
        self.padding = slider("padding", 0, 4)
        self.shift = slider("shift by", 0, MOST)
        self.ceil_mode = checkbox("ceil_mode: one window may hang over the end")
        self.watch(
            self.operation, self.kernel, self.stride, self.padding, self.shift, self.ceil_mode
        )
        self.lay_out(
            [self.operation, self.ceil_mode, self.shift],
            [self.kernel, self.stride, self.padding],
        )

    def draw(self) -> str:
        """Pool the street, before and after the shift; show what comes out and back."""
        k, s, p = self.kernel.value, self.stride.value, self.padding.value
        if p > k // 2:
            return (
                f"<p>Padding {p} is more than half of a window of {k}: such a window could lie in "
                f"the padding alone. PyTorch allows at most {k // 2}.</p>"
            )
        start = self.shift.value
        self.picture = self._wide[..., start : start + 180]
        self.pooled, self.back = self._pool(self.picture, k, s, p)
        before, _ = self._pool(self._wide[..., :180], k, s, p)
        self.changed = (self.pooled != before).float().mean().item()

        rows, columns = self.pooled.shape[2:]
        shown = [
            (picture(self.picture[0], 0, 255), "street, 120 × 180"),
            (picture(self.pooled[0].round(), 0, 255), f"pooled, {rows} × {columns}"),
        ]
        if self.back is not None:
            shown.append((picture(self.back[0], 0, 255), "the maxima, back in their places"))
        words = (
            f"{rows} × {columns} = <b>{rows * columns:,}</b> numbers are left of "
            f"21,600, {number(100 * rows * columns / 21600)} %, and there is no weight to learn."
        )
        if start:
            words += (
                f" Shifted by {start}, <b>{number(100 * self.changed)} %</b> of them have changed."
            )
        return f'{figures_in_a_row(*shown, sharp=True)}<p style="margin-top:.8em">{words}</p>'

    def _pool(
        self, x: torch.Tensor, k: int, s: int, p: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        ceil_mode, operation = self.ceil_mode.value, self.operation.value
        if operation != MAX:
            inside = operation == AVERAGE_INSIDE
            return F.avg_pool2d(x, k, s, p, ceil_mode, count_include_pad=not inside), None
        pooled, indices = F.max_pool2d(x, k, s, p, ceil_mode=ceil_mode, return_indices=True)
        # F.max_unpool2d insists on windows that end in the picture: write the maxima directly.
        back = torch.zeros_like(x).flatten(2).scatter(2, indices.flatten(2), pooled.flatten(2))
        return pooled, back.view_as(x)
