"""Design a module that knows the patch, the scene, and where in the scene."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises.engine import Exercise, Requirement

PARAMETERS = 500
SIZE = (48, 64)  # the map that is tried; far pixels are those more than REACH away
REACH = 12

STUB = """
scene_aware = None  # an nn.Module: (N, 2, H, W) -> (N, 1, H, W)
"""


def scene_aware():
    """The map beside its means over 1×1 and 4×4 regions, mixed by one small convolution."""

    class SceneAware(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.Conv2d(6, 1, kernel_size=3, padding=1)

        def forward(self, x):
            grids = [F.adaptive_avg_pool2d(x, size) for size in (1, 4)]
            grids = [F.interpolate(y, x.shape[2:], mode="bilinear") for y in grids]
            return self.mix(torch.cat([x, *grids], dim=1))

    return SceneAware()


def _copy(module: nn.Module) -> nn.Module:
    """Return a copy on the CPU that is safe to try things on."""
    return copy.deepcopy(module).eval().to("cpu", torch.float64)


def _not_a_module(thing):
    if isinstance(thing, nn.Module):
        return None
    if isinstance(thing, type) and issubclass(thing, nn.Module):
        return f"This is a class. Hand in a module made from it: `{thing.__name__}()`."
    return f"A module is asked for; this is of type `{type(thing).__name__}`."


def _sizes(module):
    for n, height, width in ((2, 12, 18), (1, 13, 17), (3, 40, 31)):
        out = _copy(module)(torch.ones(n, 2, height, width, dtype=torch.float64))
        if not isinstance(out, torch.Tensor):
            return f"The module returns {type(out).__name__}: does its `forward` end in `return`?"
        if out.shape != (n, 1, height, width):
            return (
                f"Maps of shape {(n, 2, height, width)} came out as {tuple(out.shape)}; one "
                "channel of the same height and width is asked for."
            )
    return None


def _few_weights(module):
    count = sum(parameter.numel() for parameter in module.parameters())
    if count <= PARAMETERS:
        return None
    return (
        f"The module has {count:,} parameters; at most {PARAMETERS} are allowed. Large kernels are "
        "dear; pooling costs nothing."
    )


def _share(module: nn.Module, row: int, column: int) -> torch.Tensor:
    """How much every pixel counts for the output at one place, (H, W).

    Every weight is made positive first, so that no two paths cancel and no ReLU is shut: what is
    measured is how the module is wired.
    """
    module = _copy(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1 / parameter[0].numel() if parameter.dim() > 1 else 1.0)
    x = torch.ones(1, 2, *SIZE, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        out = module(x)[0, 0, row, column]
    if not out.requires_grad:
        return torch.zeros(SIZE)
    (gradient,) = torch.autograd.grad(out, x, allow_unused=True)
    return torch.zeros(SIZE) if gradient is None else gradient[0].abs().sum(0)


PLACES = ((5, 7), (11, 33), (30, 40))


def _far(row: int, column: int) -> torch.Tensor:
    """Which pixels are far from a place, (H, W)."""
    rows, columns = (torch.arange(n) for n in SIZE)
    return ((rows[:, None] - row).abs() > REACH) | ((columns - column).abs() > REACH)


def _blind(module):
    for place in PLACES:
        seen = int((_share(module, *place) > 0).sum())
        if seen < SIZE[0] * SIZE[1]:
            return (
                f"Of a map of {SIZE[0]}×{SIZE[1]} pixels, the output at {place} depends on "
                f"{seen:,} of {SIZE[0] * SIZE[1]:,}. All have to count, if only a little: a "
                "mean over the whole map does that. (A maximum listens to one pixel.)"
            )
    return None


def _only_context(module):
    for place in PLACES:
        share = _share(module, *place)
        if share[place] < 10 * share[_far(*place)].max():
            return (
                f"At {place} the pixel itself counts hardly more than one far away. Context "
                "decides *between* what the patch may be; keep the map beside its means."
            )
    return None


def _nowhere(module):
    for place in PLACES:
        far = _share(module, *place)[_far(*place)]
        if far.max() > 1.5 * far.min():
            return None
    return (
        "Wherever we look, all far pixels count alike for the output: it knows what is in the "
        "scene, and not where. Give it means of several regions too."
    )


def _neighbors_count(module):
    module = _copy(module)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 2, *SIZE, generator=generator).double()
    with torch.no_grad():
        before = module(x)[0]
        x[1] += 1
        after = module(x)[0]
    if torch.allclose(before, after):
        return None
    return "The first picture's answer changes with the second picture: do not average over N."


class _Joined(nn.Module):
    """The requirements' examples: a map and what `context` makes of it, mixed."""

    def __init__(self, context, channels: int = 2, keep: bool = True):
        super().__init__()
        self.context, self.keep = context, keep
        self.mix = nn.Conv2d(channels + 2 * keep, 1, 3, padding=1)

    def forward(self, x):
        around = self.context(x).expand(len(x), -1, *x.shape[2:])
        return self.mix(torch.cat([x, around], 1) if self.keep else around)


def _mean(x):
    return x.mean((2, 3), keepdim=True)


def _of_the_batch(x):
    grid = F.adaptive_avg_pool2d(x, 4).mean(0, keepdim=True)
    grid = F.interpolate(grid, x.shape[2:], mode="bilinear")
    return torch.cat([grid, _mean(x)[:1].expand_as(grid)], 1)


exercise = Exercise(
    name="scene_aware",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "Three things have to meet in one convolution: the map itself, a mean of all of it, and "
        "means of several regions. The first two are one line each.",
        "`F.adaptive_avg_pool2d(x, 4)` makes 4×4 means of a map of any size, and `F.interpolate(y, "
        'x.shape[2:], mode="bilinear")` brings them back. Concatenate, then `nn.Conv2d(6, 1, 3, '
        "padding=1)`.",
    ),
    solution=scene_aware,
    why=(
        "55 parameters see the whole map. The map itself keeps the pixel, the grid of one bin "
        "brings the scene, the grid of 16 tells where: its means are mixed by nearness. A stack of "
        "3×3 convolutions would need 63 layers to see from corner to corner of a 48 × 64 map, and "
        "a global mean alone gives every far pixel the same say."
    ),
    requirements=(
        Requirement("scene.not_a_module", "is a module", _not_a_module, lambda: torch.zeros(3)),
        Requirement(
            "scene.size",
            "makes one channel of the same size, for any size",
            _sizes,
            lambda: nn.Conv2d(2, 1, 3),
        ),
        Requirement(
            "scene.parameters",
            f"has at most {PARAMETERS} parameters",
            _few_weights,
            lambda: nn.Conv2d(2, 1, 31, padding=15),
        ),
        Requirement(
            "scene.blind",
            "sees the whole map from every place",
            _blind,
            lambda: nn.Conv2d(2, 1, 3, padding=1),
        ),
        Requirement(
            "scene.only_context",
            "heeds the pixel itself most",
            _only_context,
            lambda: _Joined(_mean, keep=False),
        ),
        Requirement(
            "scene.nowhere",
            "tells near regions from far ones",
            _nowhere,
            lambda: _Joined(_mean),
        ),
        Requirement(
            "scene.batch",
            "judges every picture by itself",
            _neighbors_count,
            lambda: _Joined(_of_the_batch, channels=4),
        ),
    ),
)
