"""A moving figure about U-Net's skips."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from segtutor.figures.labelmaps import _bytes, _jpeg, _runs
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, as_label_map, class_colors, colorize


def skips(
    model: nn.Module,
    image: Tensor,
    labels: Tensor,
    *,
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
    caption: str = "",
    alt: str = "A U-Net whose skips are switched on and off, with its prediction.",
) -> MovingFigure:
    """A trained U-Net whose skips the reader switches on and off, one by one.

    A skip that is off hands on the mean of each of its channels in place of the map: how much,
    and no longer where. All combinations are computed here, by the network itself.

    Args:
        model: A trained, padded `UNet`, on the device of the image.
        image: (C, H, W) in [0, 1], of one or three channels.
        labels: (H, W); 255 is void.
        names: Name of each class.
        colors: Color of each class and, last, of void, as "#rrggbb".
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> from segtutor.models import UNet
        >>> net = UNet(2, width=2, depth=2)
        >>> skips(net, torch.rand(3, 8, 12), torch.zeros(8, 12, dtype=torch.long),
        ...       names=["ground", "cell"], colors=["#111111", "#eeeeee", "#888888"])
        Moving figure: 4 predictions of a U-Net with 2 skips (open the page to move it)
    """
    colors = class_colors(names, colors)
    if image.shape[-2:] != labels.shape:
        raise ValueError(
            f"image is {tuple(image.shape[-2:])}, labels are {tuple(labels.shape)}: they have to "
            "be of one size"
        )
    truth = as_label_map(labels, len(names))
    depth = len(model.decoder)
    states = range(2**depth)
    said = [_predict(model, image, state) for state in states]
    judged = truth != 255
    wrong = [int(((one != truth) & judged).sum()) for one in said]
    height, width = truth.shape
    photo = _bytes(image.expand(3, -1, -1))
    both = np.concatenate([colorize(said[-1], colors), colorize(said[0], colors)], axis=1)
    return MovingFigure(
        "skips",
        {
            "photo": _jpeg(photo),
            "width": width,
            "height": height,
            "truth": _runs(truth),
            "said": [_runs(one) for one in said],
            "wrong": wrong,
            "judged": int(judged.sum()),
            "sizes": [f"{height >> level}×{width >> level}" for level in range(depth + 1)],
            "names": list(names),
            "colors": colors,
        },
        still=f'<img src="{_jpeg(both)}" alt="with all skips, and with none" width="100%">',
        summary=f"{len(said)} predictions of a U-Net with {depth} skips",
        caption=caption,
        alt=alt,
    )


@torch.no_grad()
def _predict(model: nn.Module, image: Tensor, state: int) -> np.ndarray:
    """Labels, (H, W); bit k of the state says whether the skip at 1/2^k of the size is on."""
    was = model.training

    def only_how_much(_: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, skip = inputs
        return x, skip.mean((-2, -1), keepdim=True).expand_as(skip)

    model.eval()
    with ExitStack() as stack:
        for level, up in enumerate(reversed(model.decoder)):
            if not state >> level & 1:
                stack.enter_context(up.register_forward_pre_hook(only_how_much))
        said = model(image[None])[0].argmax(0)
    model.train(was)
    return said.cpu().numpy().astype(np.uint8)
