"""A bench for `F.conv2d`: choose the kernel and the settings, see what they do to a street."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from segtutor.data import street_scene
from segtutor.labs.png import data_uri
from segtutor.ops.arithmetic import conv_cost, output_size

if TYPE_CHECKING:
    import ipywidgets

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
STILL = (
    "This bench needs a live kernel: open the notebook in Colab (the button at the top of the "
    "page) or in JupyterLab and run the cell; its settings then run the real F.conv2d."
)


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


class ConvolutionBench:
    """The widgets, the picture they work on and the response they lead to.

    Attributes:
        picture: What goes into `F.conv2d`, (1, C, H, W), whole numbers from 0 to 255.
        weight: The filters, (C_out, C_in / groups, 3, 3).
        response: What comes out, (1, C_out, H_out, W_out).
    """

    picture: torch.Tensor
    weight: torch.Tensor
    response: torch.Tensor

    def __init__(self) -> None:
        import ipywidgets as widgets

        image, _ = street_scene((120, 180))
        # Whole numbers: sums with whole weights are then exact, the same on every machine.
        self._color = (image * 255).round()[None]
        self._gray = self._color.mean(1, keepdim=True).round()
        narrow, wide = {"width": "64px"}, {"description_width": "70px"}
        self.preset = widgets.Dropdown(
            options=[*KERNELS, OWN], value="vertical edge", description="kernel", style=wide
        )
        self.weights = [
            widgets.FloatText(value=w, layout=narrow) for w in KERNELS[self.preset.value]
        ]
        self.stride = _slider("stride", 1, 4)
        self.padding = _slider("padding", 0, 4)
        self.dilation = _slider("dilation", 1, 6)
        self.channels = widgets.Dropdown(
            options=list(CHANNELS), value="gray", description="channels", style=wide
        )
        self.flip = widgets.Checkbox(
            value=False, description="true convolution: flip the kernel", indent=False
        )
        self.view = widgets.HTML()
        self.box: ipywidgets.Widget = self._lay_out(widgets)
        self._loading = False
        self.preset.observe(self._load_preset, names="value")
        for widget in self.weights:
            widget.observe(self._typed, names="value")
        for widget in (self.stride, self.padding, self.dilation, self.channels, self.flip):
            widget.observe(self._update, names="value")
        self._update()

    def _lay_out(self, widgets: Any) -> ipywidgets.Widget:
        grid = widgets.GridBox(
            self.weights, layout={"grid_template_columns": "repeat(3, 68px)", "width": "220px"}
        )
        settings = widgets.VBox([self.stride, self.padding, self.dilation])
        choices = widgets.VBox([self.preset, self.channels, self.flip])
        row = {"flex_flow": "row wrap", "align_items": "flex-start"}
        return widgets.VBox([widgets.HBox([choices, grid, settings], layout=row), self.view])

    def _load_preset(self, change: dict[str, Any]) -> None:
        if change["new"] == OWN:
            return
        self._loading = True  # nine numbers change, one picture is drawn
        for widget, weight in zip(self.weights, KERNELS[change["new"]], strict=True):
            widget.value = weight
        self._loading = False
        self._update()

    def _typed(self, _: dict[str, Any]) -> None:
        if not self._loading:
            self.preset.value = OWN
            self._update()

    def _update(self, _: dict[str, Any] | None = None) -> None:
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
        self.view.value = self._html(kernel)

    def _html(self, kernel: torch.Tensor) -> str:
        """Picture, kernel and response side by side, and what the response cost."""
        height, width = self.picture.shape[-2:]
        stride, padding, dilation = self.stride.value, self.padding.value, self.dilation.value
        rows = output_size(height, 3, stride, padding, dilation)
        columns = output_size(width, 3, stride, padding, dilation)
        c_out, groups = self.response.shape[1], CHANNELS[self.channels.value]
        cost = conv_cost(self.picture.shape[1], c_out, 3, rows, columns, groups=groups)
        low, high = float(self.response.min()), float(self.response.max())
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:center">'
            + _figure(_shades(self.picture[0], 0, 255), f"picture, {height} × {width}")
            + _kernel_table(kernel)
            + _figure(_shades(self.response[0], low, high), f"response, {rows} × {columns}")
            + '</div><p style="margin-top:.8em">Output height ⌊('
            f"{height} + 2·{padding} − {dilation}·(3 − 1) − 1) / {stride}⌋ + 1 = <b>{rows}</b>, "
            f"width <b>{columns}</b>; responses from {_number(low)} to {_number(high)}; "
            f"<b>{cost.multiply_adds:,}</b> multiply-adds.</p>"
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if "google.colab" in sys.modules:
            display(self.box)  # Colab shows a widget only by itself
            return
        # One output for two kinds of readers: widgets where a kernel listens, else the still.
        bundle = {
            "text/plain": repr(self),
            "text/html": f"{self.view.value}<p><small>{STILL}</small></p>",
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.box.model_id,
            },
        }
        display(bundle, raw=True)

    def __repr__(self) -> str:
        return "Lab: F.conv2d on a street (run the notebook in Colab or JupyterLab to change it)"


def _slider(name: str, low: int, high: int) -> ipywidgets.IntSlider:
    import ipywidgets as widgets

    style, layout = {"description_width": "60px"}, {"width": "260px"}
    return widgets.IntSlider(
        value=low, min=low, max=high, description=name, style=style, layout=layout
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def _shades(channels: torch.Tensor, low: float, high: float) -> str:
    """(C, H, W) as a PNG: grays or colors from 0 up, or 0 in the middle if there are negatives."""
    values = channels.numpy().astype(np.float64)
    largest = max(abs(low), abs(high)) or 1.0
    if low >= 0:
        shades = np.rint(values * (255 / largest))
    else:
        shades = np.rint(127.5 + values * (127.5 / largest))
    shades = shades.clip(0, 255).astype(np.uint8)
    if len(shades) == 3:
        return data_uri(shades.transpose(1, 2, 0))
    return data_uri(shades[0], _signed_palette() if low < 0 else None)


def _signed_palette() -> np.ndarray:
    """Orange for negative, white for 0, teal for positive."""
    stops = np.array([(124, 51, 3), (226, 145, 63), (247, 245, 241), (56, 158, 147), (8, 71, 63)])
    where = np.linspace(0, 255, len(stops))
    return np.stack([np.rint(np.interp(np.arange(256), where, c)) for c in stops.T], 1)


def _figure(source: str, words: str) -> str:
    return (
        f'<figure style="margin:0;flex:1 1 240px;max-width:360px"><img src="{source}" '
        f'alt="{words}" style="width:100%;border-radius:6px;image-rendering:auto">'
        f'<figcaption style="font-size:.9em;opacity:.8">{words}</figcaption></figure>'
    )


def _kernel_table(kernel: torch.Tensor) -> str:
    cell = '<td style="width:3em;height:2.6em;text-align:center;border:1px solid">'
    rows = "".join(
        f"<tr>{''.join(f'{cell}{_number(w)}</td>' for w in row)}</tr>" for row in kernel.tolist()
    )
    return (
        '<table style="border-collapse:collapse;margin:0;width:auto">'
        f'<caption style="caption-side:bottom;opacity:.8">kernel</caption>{rows}</table>'
    )
