"""What all benches share: how they lay out, draw and show themselves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from segtutor.figures.palette import colorize
from segtutor.labs.png import data_uri

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["Bench", "checkbox", "choice", "figures_in_a_row", "number", "picture", "slider"]

ROW = {"flex_flow": "row wrap", "align_items": "flex-start"}


class Bench:
    """Widgets above, a view below, and a still picture of it where no kernel listens.

    A bench makes its widgets, hands them to `lay_out`, and says in `draw` what the view shows
    for their values. `lay_out` draws once; `watch` draws again whenever a widget changes.

    Attributes:
        box: The widget that holds everything.
        view: The widget that shows what `draw` returned.
        summary: What the bench does, as the end of "Lab: …".
        runs: The real code that it runs, as the end of "its settings then run …".
    """

    box: ipywidgets.Widget
    view: ipywidgets.HTML
    summary: str
    runs: str

    def lay_out(self, *columns: list[ipywidgets.Widget]) -> None:
        """Put the widgets in columns above the view, and draw it.

        Args:
            *columns: Lists of widgets, from left to right; on a narrow screen one below another.
        """
        import ipywidgets as widgets

        self.view = widgets.HTML()
        boxes = [widgets.VBox(column) for column in columns]
        self.box = widgets.VBox([widgets.HBox(boxes, layout=ROW), self.view])
        self.update()

    def watch(self, *watched: ipywidgets.Widget) -> None:
        """Draw the view again when the value of one of these widgets changes."""
        for widget in watched:
            widget.observe(self.update, names="value")

    def draw(self) -> str:
        """Return the view, as HTML, for the values that the widgets have now."""
        raise NotImplementedError

    def update(self, _: dict[str, Any] | None = None) -> None:
        """Draw the view again; called by every widget that changes."""
        self.view.value = self.draw()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if "google.colab" in sys.modules:
            display(self.box)  # Colab shows a widget only by itself
            return
        # One output for two kinds of readers: widgets where a kernel listens, else the still.
        still = (
            "This bench needs a live kernel: open the notebook in Colab (the button at the top of "
            f"the page) or in JupyterLab and run the cell; its settings then run {self.runs}."
        )
        bundle = {
            "text/plain": repr(self),
            "text/html": f"{self.view.value}<p><small>{still}</small></p>",
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.box.model_id,
            },
        }
        display(bundle, raw=True)

    def __repr__(self) -> str:
        return f"Lab: {self.summary} (run the notebook in Colab or JupyterLab to change it)"


def slider(name: str, low: int, high: int, value: int | None = None) -> ipywidgets.IntSlider:
    """A slider over whole numbers; it begins at `value`, or at the low end."""
    import ipywidgets as widgets

    return widgets.IntSlider(
        value=low if value is None else value,
        min=low,
        max=high,
        description=name,
        style={"description_width": "90px"},
        layout={"width": "290px"},
    )


def choice(name: str, options: list[str]) -> ipywidgets.Dropdown:
    """A list to choose one of; it begins with the first."""
    import ipywidgets as widgets

    return widgets.Dropdown(options=options, description=name, style={"description_width": "90px"})


def checkbox(words: str, value: bool = False) -> ipywidgets.Checkbox:
    """A box to tick."""
    import ipywidgets as widgets

    return widgets.Checkbox(value=value, description=words, indent=False)


def number(value: float) -> str:
    """A number with at most two decimals and a true minus sign.

    Example:
        >>> number(-1.50), number(3.0)
        ('−1.5', '3')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def picture(values: torch.Tensor, low: float | None = None, high: float | None = None) -> str:
    """An image, a map of numbers or a label map as the address of an `<img>`.

    Whole numbers of shape (H, W) are a label map and get the palette's colors. Other values
    are shades: from 0 up in gray (or red, green and blue for three channels); with negative
    ones in orange, white for 0, and teal.

    Args:
        values: (H, W), (1, H, W) or (3, H, W).
        low: The lowest value; that of the values themselves if left out.
        high: The highest value; that of the values themselves if left out.
    """
    values = values.detach().cpu()
    if not values.is_floating_point():
        return data_uri(colorize(values))
    shades = values.reshape(-1, *values.shape[-2:]).numpy().astype(np.float64)
    low = float(shades.min()) if low is None else low
    high = float(shades.max()) if high is None else high
    largest = max(abs(low), abs(high)) or 1.0
    if low >= 0:
        shades = np.rint(shades * (255 / largest))
    else:
        shades = np.rint(127.5 + shades * (127.5 / largest))
    shades = shades.clip(0, 255).astype(np.uint8)
    if len(shades) == 3:
        return data_uri(shades.transpose(1, 2, 0))
    return data_uri(shades[0], _signed_palette() if low < 0 else None)


def figures_in_a_row(*parts: tuple[str, str] | str, sharp: bool = False) -> str:
    """Pictures side by side, each with words below, as HTML.

    Args:
        *parts: Each (address of a picture, words below it), or a piece of HTML of its own.
        sharp: Show pixels as squares when a picture is enlarged.
    """
    rendering = "pixelated" if sharp else "auto"
    pieces = [
        part
        if isinstance(part, str)
        else '<figure style="margin:0;flex:1 1 200px;max-width:360px">'
        f'<img src="{part[0]}" alt="{part[1]}" '
        f'style="width:100%;border-radius:6px;image-rendering:{rendering}">'
        f'<figcaption style="font-size:.9em;opacity:.8">{part[1]}</figcaption></figure>'
        for part in parts
    ]
    style = "display:flex;flex-wrap:wrap;gap:16px;align-items:center"
    return f'<div style="{style}">{"".join(pieces)}</div>'


def _signed_palette() -> np.ndarray:
    """Orange for negative, white for 0, teal for positive."""
    stops = np.array([(124, 51, 3), (226, 145, 63), (247, 245, 241), (56, 158, 147), (8, 71, 63)])
    where = np.linspace(0, 255, len(stops))
    return np.stack([np.rint(np.interp(np.arange(256), where, c)) for c in stops.T], 1)
