"""The moving figure of the architectures: a picture's way through a network, map by map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segtutor.figures.drawing import ACCENT, INK
from segtutor.figures.labelmaps import _bytes, _jpeg
from segtutor.figures.moving import MovingFigure

MOST, SHOWN, LARGEST = 40, 6, 128  # steps; channels shown of one map; pixels of their side


def journey(
    model: nn.Module,
    picture: Tensor,
    *,
    steps: Mapping[str, str] | None = None,
    caption: str = "",
    alt: str = "The maps of a network as a row of boxes, from the picture to the logits.",
) -> MovingFigure:
    """A picture's way through a network: the shape of every map, and what it looks like.

    The model computes the picture once, in evaluation mode, and every shape is the one that came
    out. On the "meta" device, where tensors have no values, the shapes alone are shown.

    Args:
        model: Any network that takes (1, 3, H, W).
        picture: (3, H, W) or (1, 3, H, W), on the device of the model.
        steps: From names of modules, as `named_modules` has them, to the words for them; shown in
            the order in which the model calls them. None takes every module that hands out a map
            and lies at most three levels deep, and no deeper one inside it.
        caption: Words below the figure.
        alt: What the figure shows, for those who cannot see it.

    Returns:
        The figure; as the last value of a cell it is shown.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> journey(net, torch.zeros(3, 9, 13), steps={"0": "halved", "2": "scores"})
        Moving figure: a picture's way through Sequential in 2 steps (open the page to move it)
    """
    if not isinstance(picture, Tensor) or picture.dim() not in (3, 4):
        raise ValueError(f"picture has to be a tensor (3, H, W), got {_told(picture)}")
    picture = picture if picture.dim() == 4 else picture[None]
    if len(picture) != 1:
        raise ValueError(f"picture has shape {tuple(picture.shape)}: one picture travels at a time")
    modules = dict(model.named_modules())
    steps = _found(model) if steps is None else dict(steps)
    for name in steps:
        if name not in modules:
            raise ValueError(f"steps: the model has no module {name!r}; see model.named_modules()")
    maps = _traveled(model, picture, {name: modules[name] for name in steps})
    if not maps:
        raise ValueError("no step hands out a map (1, C, h, w): name others in steps")
    if len(maps) > MOST:
        raise ValueError(f"{len(maps)} steps are too many to look at: name up to {MOST} in steps")
    height, width = picture.shape[-2:]
    stops = [_stop("picture", picture, 0, photo=True)]
    for name, map_ in maps:
        count = sum(p.numel() for p in modules[name].parameters())
        stops.append(_stop(steps[name], map_, count))
    return MovingFigure(
        "journey",
        {"stops": stops, "height": height, "width": width, "model": type(model).__name__},
        still=_still(stops),
        summary=f"a picture's way through {type(model).__name__} in {len(maps)} steps",
        caption=caption,
        alt=alt,
    )


def _found(model: nn.Module) -> dict[str, str]:
    """The modules to watch when nobody says which: whole blocks, not their layers."""
    names: dict[str, str] = {}
    for name, module in model.named_modules():
        lists = isinstance(module, (nn.ModuleDict, nn.ModuleList))
        inside = any(name.startswith(f"{taken}.") for taken in names)
        holds = any(isinstance(m, (nn.ModuleDict, nn.ModuleList)) for m in module.modules())
        idle = isinstance(module, (nn.Identity, nn.Dropout))
        if name and name.count(".") < 3 and not (lists or inside or holds or idle):
            names[name] = name
    return names


def _traveled(
    model: nn.Module, picture: Tensor, watched: Mapping[str, nn.Module]
) -> list[tuple[str, Tensor]]:
    """Every map (1, C, h, w) that a watched module handed out, in the order of the calls."""
    maps: list[tuple[str, Tensor]] = []

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.dim() == 4:
                # A copy: the next layer may overwrite what it is given.
                maps.append((name, output.detach().clone()))

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in watched.items()]
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(picture)
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return maps


def _stop(words: str, map_: Tensor, parameters: int, *, photo: bool = False) -> dict[str, Any]:
    """One stop of the way: its words, its shape and, where there are values, its channels."""
    channels = map_.shape[1]
    made: dict[str, Any] = {
        "name": words,
        "shape": list(map_.shape[1:]),
        "parameters": parameters,
    }
    if map_.device.type != "meta":
        if photo:
            shown = _bytes(map_[0])[None]
            count = channels
        else:
            values = map_[0].float().cpu()
            # The channels that vary most say most; equal ones keep their order.
            most = values.flatten(1).std(1, correction=0).sort(descending=True, stable=True)
            count = int(most.values.gt(0).sum())
            shown = _gray(values[most.indices[: min(SHOWN, channels)]])
            made["channels"] = most.indices[: min(SHOWN, channels)].tolist()
        made["living"] = count
        made["maps"] = [_jpeg(one) for one in shown]
    return made


def _gray(values: Tensor) -> np.ndarray:
    """Each channel from its smallest value in black to its largest in white: (n, h, w, 3)."""
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    shades = ((values - low) / (high - low).clamp(min=1e-12) * 255).round().byte()
    largest = max(shades.shape[-2:])
    factor = max(1, 32 // largest)  # a few pixels are enlarged, or JPEG would smear them
    shades = shades.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    step = -(-largest // LARGEST)
    shades = shades[:, ::step, ::step].numpy()
    return np.repeat(shades[..., None], 3, axis=-1)


def _told(value: Any) -> str:
    return f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _still(stops: list[dict[str, Any]]) -> str:
    """The boxes alone, for pages where no script may run."""
    tallest = max(stop["shape"][1] for stop in stops)
    boxes, x = [], 4.0
    for stop in stops:
        height = 6 + 84 * (stop["shape"][1] / tallest) ** 0.5
        width = 3 + 1.6 * float(np.log2(1 + stop["shape"][0]))
        boxes.append(
            f'<rect x="{x:.1f}" y="{50 - height / 2:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{ACCENT}" stroke="{INK}" stroke-width=".5"/>'
        )
        x += width + 6
    return (
        f'<svg role="img" aria-label="the maps as boxes" viewBox="0 0 {x:.0f} 100" '
        f'style="width:100%;max-width:46rem">{"".join(boxes)}</svg>'
    )
