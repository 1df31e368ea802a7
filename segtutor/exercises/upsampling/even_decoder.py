"""Design three layers that double a picture thrice, without a checkerboard built in."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises.engine import Exercise, Requirement

STUB = """
even_decoder = None  # an nn.Module: (N, 1, H, W) -> (N, 1, 8·H, 8·W)
"""


def even_decoder():
    """Kernels of 4, strides of 2: each output pixel hears from as many stamps as any other."""
    return nn.Sequential(
        nn.ConvTranspose2d(1, 4, kernel_size=4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 4, kernel_size=4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 1, kernel_size=4, stride=2, padding=1),
    )


def _not_a_module(thing):
    if isinstance(thing, nn.Module):
        return None
    if isinstance(thing, type) and issubclass(thing, nn.Module):
        return f"This is a class. Hand in a module made from it: `{thing.__name__}()`."
    return (
        f"A module is asked for; this is of type `{type(thing).__name__}`. `nn.Sequential(…)` "
        "makes one of a row of layers."
    )


def _three_layers(module):
    resizing = (nn.Upsample, nn.PixelShuffle, nn.modules.pooling._MaxUnpoolNd)
    for layer in module.modules():
        if isinstance(layer, resizing):
            return (
                f"There is a layer of type `{type(layer).__name__}`, which enlarges by a fixed "
                "rule. A good idea, and another exercise: here transposed convolutions enlarge."
            )
    stamps = _stamps(module)
    if len(stamps) != 3:
        return (
            f"There are {len(stamps)} layers of type `nn.ConvTranspose2d`; three are asked for. "
            "(Layers in a plain Python list are not seen: put them into an `nn.Sequential`.)"
        )
    for number, layer in enumerate(stamps, 1):
        if layer.stride != (2, 2):
            return (
                f"The stride of transposed convolution {number} is {layer.stride}. Each of the "
                "three has to double: stride 2 in both directions."
            )
    return None


def _eight_times(module):
    module = copy.deepcopy(module).eval().to("cpu", torch.float32)
    for height, width in ((4, 6), (5, 3), (7, 8)):
        out = module(torch.ones(2, 1, height, width))
        if not isinstance(out, torch.Tensor) or out.dim() != 4:
            return "The output is no tensor of four axes; (N, 1, 8·H, 8·W) is asked for."
        if out.shape != (2, 1, 8 * height, 8 * width):
            return (
                f"A picture of {height}×{width} comes out as {tuple(out.shape)}; (2, 1, "
                f"{8 * height}, {8 * width}) is asked for. Follow (n − 1)·2 − 2·padding + kernel + "
                "output_padding through your layers: it has to be 2n for every n."
            )
    return None


def _even(module):
    for number, layer in enumerate(_stamps(module), 1):
        counts = _overlaps(layer)
        if counts.min() != counts.max():
            found = ", ".join(str(int(c)) for c in counts.unique())
            return (
                f"Away from the border, the output pixels of transposed convolution {number} hear "
                f"from unequal numbers of taps: {found}. The kernel has to be a multiple of the "
                "stride, so that every pixel gets the same share of it."
            )
    return None


def _overlapping(module):
    for number, layer in enumerate(_stamps(module), 1):
        if _overlaps(layer).max() <= 1:
            return (
                f"The stamps of transposed convolution {number} lie side by side: no output pixel "
                "hears from two neighbors, so that the borders between them stay visible as "
                "blocks. Let them overlap, evenly."
            )
    return None


def _stamps(module: nn.Module) -> list[nn.ConvTranspose2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.ConvTranspose2d)]


def _overlaps(layer: nn.ConvTranspose2d) -> torch.Tensor:
    """Return how many taps meet in each output pixel, away from the border."""
    taps = torch.ones(1, 1, *layer.kernel_size)
    reach = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    n = max(reach) + 4  # pixels enough for an inside
    counts = F.conv_transpose2d(torch.ones(1, 1, n, n), taps, stride=2, dilation=layer.dilation)
    rows, columns = (slice(r, 2 * n - r) for r in reach)
    return counts[0, 0, rows, columns]


def _of_kernels(*kernels: tuple[int, int, int]) -> nn.Sequential:
    """Layers of (kernel, padding, output_padding), one channel, stride 2."""
    return nn.Sequential(
        *(nn.ConvTranspose2d(1, 1, k, stride=2, padding=p, output_padding=o) for k, p, o in kernels)
    )


exercise = Exercise(
    name="even_decoder",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "Design one layer that doubles, and use it three times. For which kernel, padding and "
        "output_padding is (n − 1)·2 − 2·padding + kernel + output_padding equal to 2n?",
        "Write the kernel as kernel = 2 + 2·padding − output_padding. The overlap is even when 2 "
        "divides the kernel, so take output_padding = 0; and stamps overlap when the kernel is "
        "larger than the stride. The smallest that is left has padding 1.",
    ),
    solution=even_decoder,
    why=(
        "With a kernel of 4 and a stride of 2 every output pixel hears from two stamps an axis: "
        "even and odd pixels are treated alike. Kernel 2 is even too, and there each pixel hears "
        "from one input only. Evenness removes the checkerboard that is there before training; "
        "even and odd pixels still meet different taps, and what these learn may differ."
    ),
    requirements=(
        Requirement("up.not_a_module", "is a module", _not_a_module, lambda: torch.zeros(3)),
        Requirement(
            "tconv.three_layers",
            "enlarges by three transposed convolutions of stride 2",
            _three_layers,
            lambda: nn.Sequential(nn.Upsample(scale_factor=8), nn.Conv2d(1, 1, 3, padding=1)),
        ),
        Requirement(
            "tconv.size",
            "makes any picture eight times as high and wide",
            _eight_times,
            lambda: _of_kernels((3, 1, 0), (3, 1, 0), (3, 1, 0)),
        ),
        Requirement(
            "tconv.checker",
            "has no uneven overlap in any of them",
            _even,
            lambda: _of_kernels((4, 1, 0), (3, 1, 1), (4, 1, 0)),
        ),
        Requirement(
            "tconv.blocks",
            "lets neighboring stamps overlap",
            _overlapping,
            lambda: _of_kernels((2, 0, 0), (4, 1, 0), (2, 0, 0)),
        ),
    ),
)
