"""What a depthwise separable convolution costs."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def separable_cost(c_in, c_out, kernel, height, width):
    """Return (parameters, multiply_adds), without bias."""
    raise NotImplementedError
'''


def separable_cost(c_in, c_out, kernel, height, width):
    """Count a depthwise convolution, then a 1×1 convolution."""
    depthwise = c_in * kernel * kernel  # one kernel for each input channel
    pointwise = c_in * c_out  # a 1×1 convolution mixes the channels
    parameters = depthwise + pointwise
    return parameters, parameters * height * width  # each weight is used once a pixel


def cases(generator: torch.Generator) -> list[Case]:
    """Return layers whose five numbers differ."""
    designed = [Case((2, 5, 3, 4, 6)), Case((16, 24, 3, 10, 7)), Case((64, 32, 5, 28, 31))]
    random = []
    for _ in range(5):
        c_in, c_out, half, height, width = torch.randint(1, 9, (5,), generator=generator).tolist()
        random.append(Case((c_in + 1, c_in + c_out + 1, 2 * half + 1, height + 2, width + 12)))
    return designed + random


def _costs(parameters, height, width):
    return parameters, parameters * height * width


def _full_convolution(c_in, c_out, kernel, height, width):
    return _costs(c_in * c_out * kernel**2, height, width)


def _multiplied(c_in, c_out, kernel, height, width):
    return _costs(c_in * kernel**2 * c_in * c_out, height, width)


def _depthwise_of_outputs(c_in, c_out, kernel, height, width):
    return _costs(c_out * kernel**2 + c_in * c_out, height, width)


def _depthwise_only(c_in, c_out, kernel, height, width):
    return _costs(c_in * kernel**2, height, width)


def _pointwise_only(c_in, c_out, kernel, height, width):
    return _costs(c_in * c_out, height, width)


def _one_depthwise_kernel(c_in, c_out, kernel, height, width):
    return _costs(kernel**2 + c_in * c_out, height, width)


def _kernel_not_squared(c_in, c_out, kernel, height, width):
    return _costs(c_in * kernel + c_in * c_out, height, width)


def _with_bias(c_in, c_out, kernel, height, width):
    weights = c_in * kernel**2 + c_in * c_out
    return weights + c_in + c_out, weights * height * width


def _pixels_forgotten(c_in, c_out, kernel, height, width):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters


def _one_side(c_in, c_out, kernel, height, width):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * height


def _unpadded(c_in, c_out, kernel, height, width):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * (height - kernel + 1) * (width - kernel + 1)


def _swapped(c_in, c_out, kernel, height, width):
    return separable_cost(c_in, c_out, kernel, height, width)[::-1]


def _flops(c_in, c_out, kernel, height, width):
    parameters, multiply_adds = separable_cost(c_in, c_out, kernel, height, width)
    return parameters, 2 * multiply_adds


exercise = Exercise(
    name="separable_cost",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "There are two layers, one after the other, and their costs add. The first has one "
        "kernel for each input channel and mixes nothing. The second is an ordinary convolution "
        "with a 1×1 kernel.",
        "Parameters: c_in·k² for the first layer, c_in·c_out for the second. Without bias, each of "
        "these weights is multiplied once for every pixel of the output.",
    ),
    solution=separable_cost,
    why=(
        "An ordinary convolution has `c_in·c_out·k²` weights, because it looks around (k²) and "
        "mixes channels (c_in·c_out) at the same time: the two multiply. Done one after the other "
        "they only add. The ratio is 1/c_out + 1/k², nearly nine times less for 3×3."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _flops,
            "You counted a multiplication and an addition as two operations: that is FLOPs, twice "
            "the multiply-adds. Both are in use; papers do not always say which one they mean. "
            "This book counts multiply-adds.",
        ),
    ),
    mistakes=(
        Mistake(
            "cost.full_convolution",
            _full_convolution,
            "This is the cost of an ordinary convolution, in which every output channel looks at "
            "every input channel with a kernel of its own. Separable means two cheaper layers.",
        ),
        Mistake(
            "cost.multiplied",
            _multiplied,
            "You multiplied the costs of the two layers. They run one after the other, so their "
            "costs add.",
        ),
        Mistake(
            "cost.depthwise_of_outputs",
            _depthwise_of_outputs,
            "You gave the depthwise layer one kernel for each *output* channel. It comes first, "
            "when there are only the input channels.",
        ),
        Mistake(
            "cost.depthwise_only",
            _depthwise_only,
            "The 1×1 convolution is missing. Without it no channel would learn of another, and "
            "the number of channels could not change.",
        ),
        Mistake(
            "cost.pointwise_only",
            _pointwise_only,
            "The depthwise layer is missing: you counted only the 1×1 convolution, and your answer "
            "does not depend on the kernel.",
        ),
        Mistake(
            "cost.one_depthwise_kernel",
            _one_depthwise_kernel,
            "You counted one depthwise kernel for all channels. Each input channel has its own.",
        ),
        Mistake(
            "cost.kernel_not_squared",
            _kernel_not_squared,
            "You counted a row of `kernel` weights. The kernel is a square: how many weights does "
            "a 3×3 kernel have?",
        ),
        Mistake(
            "cost.with_bias",
            _with_bias,
            "You counted a bias for each layer. The exercise says without bias.",
        ),
        Mistake(
            "cost.pixels_forgotten",
            _pixels_forgotten,
            "The parameters are right. But each weight is used again at every pixel of the output, "
            "so the multiply-adds grow with the picture and yours do not.",
        ),
        Mistake(
            "cost.one_side",
            _one_side,
            "The parameters are right. For the multiply-adds you counted the rows of the output; "
            "count its pixels.",
        ),
        Mistake(
            "cost.unpadded",
            _unpadded,
            "The parameters are right. You took the kernel off the height and the width, but these "
            "are the output's own: height × width pixels come out.",
        ),
        Mistake(
            "cost.swapped",
            _swapped,
            "Both numbers are right and stand in the wrong order: parameters first.",
        ),
    ),
)
