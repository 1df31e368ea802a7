"""A bench for `F.conv2d`: choose the kernel and the settings, see what they do to a street."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from segtutor.data import street_scene
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, number, picture, slider
from segtutor.ops.arithmetic import conv_cost, output_size

KERNELS: dict[str, tuple[float, ...]] = {
    "vertical edge": (-1, 0, 1, -1, 0, 1, -1, 0, 1),
    "Sobel": (-1, 0, 1, -2, 0, 2, -1, 0, 1),
    "horizontal edge": (-1, -1, -1, 0, 0, 0, 1, 1, 1),
    "blur": (1 / 9,) * 9,
    "sharpen": (0, -1, 0, -1, 5, -1, 0, -1, 0),
    "spot": (-1, -1, -1, -1, 8, -1, -1, -1, -1),
    "identity": (0, 0, 0, 0, 1, 0, 0, 0, 0),
}
OWN = "your own"
CHANNELS = {
    "gray": 1,
    "color, one sum over all channels": 1,
    "color, each channel by itself (groups=3)": 3,
}  # name -> groups


def convolution() -> ConvolutionBench:
    """A bench that runs `F.conv2d` on the street with a kernel and settings of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = convolution()
        >>> bench.stride.value = 2
        >>> bench.response.shape
        torch.Size([1, 1, 59, 89])
    """
    return ConvolutionBench()


class ConvolutionBench(Bench):
    """The widgets, the picture they work on and the response they lead to.

    Attributes:
        picture: What goes into `F.conv2d`, (1, C, H, W), whole numbers from 0 to 255.
        weight: The filters, (C_out, C_in / groups, 3, 3).
        response: What comes out, (1, C_out, H_out, W_out).
    """

    picture: torch.Tensor
    weight: torch.Tensor
    response: torch.Tensor
    summary = "F.conv2d on a street"
    runs = "the real F.conv2d"

    def __init__(self) -> None:
        import ipywidgets as widgets

        image, _ = street_scene((120, 180))
        # Whole numbers: sums with whole weights are then exact, the same on every machine.
        self._color = (image * 255).round()[None]
        self._gray = self._color.mean(1, keepdim=True).round()
        self.preset = choice("kernel", [*KERNELS, OWN])
        self.preset.value = "vertical edge"
        self.weights = [
            widgets.FloatText(value=w, layout={"width": "64px"}) for w in KERNELS[self.preset.value]
        ]
        self.stride = slider("stride", 1, 4)
        self.padding = slider("padding", 0, 4)
        self.dilation = slider("dilation", 1, 6)
        self.channels = choice("channels", list(CHANNELS))
        self.flip = checkbox("true convolution: flip the kernel")
        self._loading = False
        self.preset.observe(self._load_preset, names="value")
        for widget in self.weights:
            widget.observe(self._typed, names="value")
        grid = widgets.GridBox(
            self.weights, layout={"grid_template_columns": "repeat(3, 68px)", "width": "220px"}
        )
        settings = [self.stride, self.padding, self.dilation]
        self.watch(*settings, self.channels, self.flip)
        self.lay_out([self.preset, self.channels, self.flip], [grid], settings)

    def _load_preset(self, change: dict[str, Any]) -> None:
        if change["new"] == OWN:
            return
        self._loading = True  # nine numbers change, one picture is drawn
        for widget, weight in zip(self.weights, KERNELS[change["new"]], strict=True):
            widget.value = weight
        self._loading = False
        self.update()

    def _typed(self, _: dict[str, Any]) -> None:
        if not self._loading:
            self.preset.value = OWN
            self.update()

    def draw(self) -> str:
        """Run the convolution; show picture, kernel and response, and what it cost."""
        kernel = torch.tensor([w.value for w in self.weights], dtype=torch.float32).view(3, 3)
        if self.flip.value:
            kernel = kernel.flip(0, 1)
        groups = CHANNELS[self.channels.value]
        self.picture = self._gray if self.channels.value == "gray" else self._color
        c_in = self.picture.shape[1]
        self.weight = kernel.expand(groups, c_in // groups, 3, 3)
        self.response = F.conv2d(
            self.picture,
            self.weight,
            stride=self.stride.value,
            padding=self.padding.value,
            dilation=self.dilation.value,
            groups=groups,
        )
        height, width = self.picture.shape[-2:]
        stride, padding, dilation = self.stride.value, self.padding.value, self.dilation.value
        rows = output_size(height, 3, stride, padding, dilation)
        columns = output_size(width, 3, stride, padding, dilation)
        c_out = self.response.shape[1]
        cost = conv_cost(self.picture.shape[1], c_out, 3, rows, columns, groups=groups)
        low, high = float(self.response.min()), float(self.response.max())
        pictures = figures_in_a_row(
            (picture(self.picture[0], 0, 255), f"picture, {height} × {width}"),
            _kernel_table(kernel),
            (picture(self.response[0], low, high), f"response, {rows} × {columns}"),
        )
        return (
            f'{pictures}<p style="margin-top:.8em">Output height ⌊('
            f"{height} + 2·{padding} − {dilation}·(3 − 1) − 1) / {stride}⌋ + 1 = <b>{rows}</b>, "
            f"width <b>{columns}</b>; responses from {number(low)} to {number(high)}; "
            f"<b>{cost.multiply_adds:,}</b> multiply-adds.</p>"
        )


def _kernel_table(kernel: torch.Tensor) -> str:
    cell = '<td style="width:3em;height:2.6em;text-align:center;border:1px solid">'
    rows = "".join(
        f"<tr>{''.join(f'{cell}{number(w)}</td>' for w in row)}</tr>" for row in kernel.tolist()
    )
    return (
        '<table style="border-collapse:collapse;margin:0;width:auto">'
        f'<caption style="caption-side:bottom;opacity:.8">kernel</caption>{rows}</table>'
    )
