"""Take strides out of a stack of convolutions and put dilation in their place."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def without_strides(layers, output_stride):
    """Keep the map large: the (stride, dilation, padding) of each layer.

    layers: a list of (kernel, stride), from the input up; strides 1 or 2,
    odd kernels. Strides are taken until their product is `output_stride`;
    later ones become 1, and what stands behind them is dilated, so that
    every tap reads what it would have read. Padding keeps the size.
    Returns a list of (stride, dilation, padding), one for each layer.
    """
    raise NotImplementedError
'''


def without_strides(layers, output_stride):
    """A stride that is taken out doubles the dilation of all that follows."""
    product, dilation, plan = 1, 1, []
    for kernel, stride in layers:
        padding = dilation * (kernel - 1) // 2
        if product * stride <= output_stride:
            product *= stride
            plan.append((stride, dilation, padding))
        else:
            plan.append((1, dilation, padding))  # still reads the grid of those before it
            dilation *= stride
    return plan


def cases(generator: torch.Generator) -> list[Case]:
    """Return backbones of several depths, with kernels of 1, 3, 5 and 7."""

    def draw(depth: int) -> list[tuple[int, int]]:
        kernels = torch.randint(0, 4, (depth,), generator=generator).tolist()
        strides = torch.randint(1, 3, (depth,), generator=generator).tolist()
        return [(2 * k + 1, s) for k, s in zip(kernels, strides, strict=True)]

    resnet = [(7, 2), (3, 2), (3, 1), (3, 2), (3, 1), (3, 2), (3, 1), (3, 2), (3, 1)]
    return [
        Case(([(3, 2), (3, 1)], 1)),
        Case(([(3, 1), (3, 2), (3, 1), (5, 1)], 1)),
        Case(([(3, 2), (3, 2), (3, 1), (3, 2), (3, 1)], 2)),
        Case((resnet, 8)),
        Case((resnet, 16)),
        Case((resnet, 32)),
        *(Case((draw(depth), stride)) for depth, stride in ((5, 2), (8, 2), (9, 4), (12, 4))),
    ]


def _not_dilated(layers, output_stride):
    return [(s, 1, (k - 1) // 2) for (k, _), (s, _, _) in
            zip(layers, without_strides(layers, output_stride), strict=True)]  # fmt: skip


def _first_dilated(layers, output_stride):
    product, dilation, plan = 1, 1, []
    for kernel, stride in layers:
        if product * stride <= output_stride:
            product *= stride
            plan.append((stride, dilation, dilation * (kernel - 1) // 2))
        else:
            dilation *= stride
            plan.append((1, dilation, dilation * (kernel - 1) // 2))
    return plan


def _padding_kept(layers, output_stride):
    return [(s, d, (k - 1) // 2) for (k, _), (s, d, _) in
            zip(layers, without_strides(layers, output_stride), strict=True)]  # fmt: skip


def _padding_is_dilation(layers, output_stride):
    return [(s, d, d) for s, d, _ in without_strides(layers, output_stride)]


def _always_two(layers, output_stride):
    return [(s, min(d, 2), min(d, 2) * (k - 1) // 2) for (k, _), (s, d, _) in
            zip(layers, without_strides(layers, output_stride), strict=True)]  # fmt: skip


def _added(layers, output_stride):
    plan = []
    for (kernel, _), (s, d, _) in zip(layers, without_strides(layers, output_stride), strict=True):
        d = d.bit_length()  # 1, 2, 3 for 1, 2, 4
        plan.append((s, d, d * (kernel - 1) // 2))
    return plan


def _next_only(layers, output_stride):
    """Dilate the layer right behind a stride that went, and no other."""
    product, dilation, plan = 1, 1, []
    for kernel, stride in layers:
        padding = dilation * (kernel - 1) // 2
        kept = product * stride <= output_stride
        plan.append((stride if kept else 1, dilation, padding))
        product, dilation = (product * stride, 1) if kept else (product, stride)
    return plan


def _strides_kept(layers, output_stride):
    return [(stride, d, p) for (_, stride), (_, d, p) in
            zip(layers, without_strides(layers, output_stride), strict=True)]  # fmt: skip


exercise = Exercise(
    name="without_strides",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "Go through the layers once and remember two numbers: the product of the strides that you "
        "kept, and the dilation that the next layer needs. Both begin at 1. Which of them changes "
        "when a stride is kept, and which when it is taken out?",
        "A layer with stride 2 that loses it still reads the grid that lies before it, so it keeps "
        "the dilation so far; only *then* does the dilation double. Padding that keeps the size is "
        "dilation·(kernel − 1)/2.",
    ),
    solution=without_strides,
    why=(
        "Behind a stride of 2, neighbors on the small map are two apart on the large one. Leave "
        "the stride out and every later tap has to reach twice as far to meet the same values. A "
        "second stride doubles it again: dilations multiply, as strides do. The layer that lost "
        "its stride reads what lies *before* the stride and does not change. `Backbone(…, "
        "output_stride=8)` does this to torchvision's networks, and the weights still fit."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "os.no_dilation",
            _not_dilated,
            "You took the strides out and dilated nothing. The maps are large, but every later "
            "kernel now looks at half the distance that it was trained for.",
        ),
        Mistake(
            "os.first_dilated",
            _first_dilated,
            "You dilated the layer that lost its stride too. What it reads lies before the stride "
            "and is as dense as ever; dilate what comes after it. (One library does it your way, "
            "and its outputs differ from the original's.)",
        ),
        Mistake(
            "conv.dilation_pad",
            _padding_kept,
            "The padding stayed (k − 1)/2. A dilated kernel is dilation·(k − 1) + 1 pixels long, "
            "and needs dilation·(k − 1)/2 on each side; otherwise the map shrinks.",
        ),
        Mistake(
            "os.padding_is_dilation",
            _padding_is_dilation,
            "You padded by the dilation whatever the kernel is. That fits a kernel of 3; one of 1 "
            "needs none and one of 5 twice as much.",
        ),
        Mistake(
            "os.always_two",
            _always_two,
            "Your dilation ends at 2. With two strides taken out, neighbors of the small map lie "
            "four apart on the large one.",
        ),
        Mistake(
            "os.added",
            _added,
            "You added 1 to the dilation for each stride that went. Strides multiply, and so do "
            "the dilations that replace them: 1, 2, 4.",
        ),
        Mistake(
            "os.next_only",
            _next_only,
            "You dilated only the layer right behind the stride that went. All that follow stand "
            "on the large map too.",
        ),
        Mistake(
            "os.strides_kept",
            _strides_kept,
            "You dilated and kept the strides: the map is as small as before, and the kernels "
            "reach too far on it.",
        ),
    ),
)
