"""How far does a stack of layers see?"""

from __future__ import annotations

import math

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def receptive_field(layers):
    """layers: a list of (kernel, stride, dilation), the first layer first.

    Returns how many input pixels one output spans, along one axis: from the
    first that it sees to the last, holes included.
    """
    raise NotImplementedError
'''


def receptive_field(layers):
    """Let the window grow from the first layer to the last."""
    size, jump = 1, 1  # a pixel sees itself; neighbors lie one pixel apart
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * jump
        jump *= stride  # from here on, neighbors lie this many input pixels apart
    return size


def cases(generator: torch.Generator) -> list[Case]:
    """Return stacks in which strides and dilations come early, late and twice."""
    designed = [
        [(3, 1, 1)],
        [(1, 1, 1)],
        [(3, 1, 1), (3, 1, 1)],
        [(3, 1, 2)],
        [(3, 2, 1), (3, 1, 1)],
        [(3, 1, 1), (3, 2, 1)],
        [(3, 2, 1), (3, 2, 1), (3, 1, 1)],
        [(7, 2, 1), (3, 2, 1), (3, 1, 2), (5, 2, 1), (3, 1, 4)],
        [(2, 2, 1), (5, 3, 3), (1, 1, 1), (4, 1, 2)],
    ]
    random = []
    for depth in (3, 4, 6):
        drawn = torch.randint(1, 4, (depth, 3), generator=generator).tolist()
        random.append([(kernel + 1, stride, dilation) for kernel, stride, dilation in drawn])
    return [Case((layers,)) for layers in designed + random]


def _kernels_added(layers):
    return sum(kernel for kernel, _, _ in layers)


def _kernels_multiplied(layers):
    return math.prod(kernel for kernel, _, _ in layers)


def _stride_ignored(layers):
    return 1 + sum(dilation * (kernel - 1) for kernel, _, dilation in layers)


def _own_stride_included(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= stride
        size += dilation * (kernel - 1) * jump
    return size


def _own_stride_only(layers):
    return 1 + sum(dilation * (kernel - 1) * stride for kernel, stride, dilation in layers)


def _last_stride_only(layers):
    size, before = 1, 1
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * before
        before = stride
    return size


def _strides_added(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * jump
        jump += stride - 1
    return size


def _dilation_ignored(layers):
    return receptive_field([(kernel, stride, 1) for kernel, stride, _ in layers])


def _kernel_times_dilation(layers):
    return receptive_field([(kernel * dilation, stride, 1) for kernel, stride, dilation in layers])


def _holes_left_out(layers):
    pixels = {0}
    for kernel, stride, dilation in reversed(layers):
        pixels = {pixel * stride + dilation * tap for pixel in pixels for tap in range(kernel)}
    return len(pixels)


def _kernel_for_steps(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        size += dilation * kernel * jump
        jump *= stride
    return size


def _layers_reversed(layers):
    return receptive_field(layers[::-1])


def _started_at_zero(layers):
    return receptive_field(layers) - 1


exercise = Exercise(
    name="receptive_field",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "Begin with a stack of no layers: an output sees one pixel. Then ask what one more layer "
        "adds. A kernel of k dense taps adds k − 1 steps between neighbors; how far apart, in "
        "pixels of the *input*, are the neighbors that this layer looks at?",
        "Keep two numbers on the way up: the size so far, and the distance of neighbors so far, in "
        "input pixels (call it jump). Each layer changes both. Which settings change which, and "
        "which of the two has to be changed first?",
    ),
    solution=receptive_field,
    why=(
        "A layer looks at `kernel` numbers of the layer below, and between them lie "
        "`dilation·(kernel − 1)` steps. One step below is worth `jump` pixels of the input: the "
        "product of all strides *before* this layer. Its own stride only sets its outputs apart, "
        "which the next layer will notice."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "rf.kernels_added",
            _kernels_added,
            "You added the kernels. Two layers of 3 see 5 pixels, not 6: the second window shares "
            "a pixel with the first. What does a layer add?",
        ),
        Mistake(
            "rf.kernels_multiplied",
            _kernels_multiplied,
            "You multiplied the kernels. The windows of neighbors overlap, so two layers of 3 see "
            "5 pixels and not 9: draw them.",
        ),
        Mistake(
            "rf.stride_ignored",
            _stride_ignored,
            "The strides have no effect on your answer. After a layer with stride 2, neighbors lie "
            "two input pixels apart, so each later layer reaches twice as far.",
        ),
        Mistake(
            "rf.own_stride_included",
            _own_stride_included,
            "You multiplied by the layer's own stride too. The stride sets the *outputs* of a "
            "layer apart; what it looks at lies as far apart as the layers before have left it. "
            "A single layer of 3 sees 3 pixels, whatever its stride.",
        ),
        Mistake(
            "rf.own_stride_only",
            _own_stride_only,
            "You multiplied each layer by its own stride. What counts is the product of the "
            "strides of all layers *before* it. A single layer of 3 sees 3 pixels, whatever its "
            "stride.",
        ),
        Mistake(
            "rf.last_stride_only",
            _last_stride_only,
            "You used the stride of the layer before, and forgot those before it. After two layers "
            "of stride 2, neighbors lie four input pixels apart.",
        ),
        Mistake(
            "rf.strides_added",
            _strides_added,
            "You added the strides up. They multiply: after strides of 2 and 3, one step is worth "
            "six input pixels.",
        ),
        Mistake(
            "rf.holes_left_out",
            _holes_left_out,
            "You counted the pixels that are read. That is a good thing to know, and Exercise 8 "
            "needs it; what is asked for here is the span from the first to the last of them, "
            "with the holes that dilation leaves: a layer of 3 with dilation 2 spans 5.",
        ),
        Mistake(
            "rf.kernel_for_steps",
            _kernel_for_steps,
            "You let each layer add as many steps as its kernel has taps. Between k taps lie k − 1 "
            "steps: a single layer of 3 sees 3 pixels, not 4.",
        ),
        Mistake(
            "rf.layers_reversed",
            _layers_reversed,
            "You went through the layers from the last to the first. A stride acts on the layers "
            "that come after it, so the walk begins at the input.",
        ),
        Mistake(
            "rf.dilation_ignored",
            _dilation_ignored,
            "The dilation has no effect on your answer. It widens every step between neighboring "
            "taps: 3 taps with dilation 2 reach over 5 pixels.",
        ),
        Mistake(
            "conv.dilation_keff",
            _kernel_times_dilation,
            "You took a dilated kernel to reach over `kernel · dilation` pixels. There is no gap "
            "after the last tap: 3 taps with dilation 2 reach over 5 pixels, not 6.",
        ),
        Mistake(
            "rf.started_at_zero",
            _started_at_zero,
            "You are one short, always. Before any layer, an output is a pixel and sees that one "
            "pixel: start from 1.",
        ),
    ),
)
