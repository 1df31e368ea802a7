"""Which numbers of a frozen network still move, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# Conv2d(3, 8, 3, bias=False), BatchNorm2d(8), ReLU: the encoder; Conv2d(8, 4, 1): the head.
KERNELS, AFFINE, HEAD = 8 * 3 * 3 * 3, 2 * 8, 4 * 8 + 4
STATISTICS = 2 * 8 + 1  # means, variances, and how many batches were seen

STUB = """
what_still_moves = None  # [trained, frozen, drifting], as in [10, 20, 3]
"""


def what_still_moves():
    """Numbers that the optimizer moves, that it does not, and that move without it."""
    return [HEAD, KERNELS + AFFINE, STATISTICS]


def _no_counter():
    return [HEAD, KERNELS + AFFINE, STATISTICS - 1]


def _nothing_drifts():
    return [HEAD, KERNELS + AFFINE, 0]


def _affine_drifts():
    return [HEAD, KERNELS, STATISTICS + AFFINE]


def _no_affine():
    return [HEAD, KERNELS, STATISTICS]


def _statistics_as_parameters():
    return [HEAD, KERNELS + AFFINE + STATISTICS, STATISTICS]


def _bias_of_the_head():
    return [HEAD - 4, KERNELS + AFFINE, STATISTICS]


def _bias_of_the_convolution():
    return [HEAD, KERNELS + 8 + AFFINE, STATISTICS]


def _one_input_channel():
    return [HEAD, 8 * 9 + AFFINE, STATISTICS]


exercise = Exercise(
    name="what_still_moves",
    kind="value",
    minutes=8,
    difficulty=1,
    stub=STUB,
    hints=(
        "A convolution has output channels × input channels × height × width weights, and a bias "
        "for each output channel unless `bias=False`. Batch norm has a scale and a shift for each "
        "channel: these are parameters.",
        "Batch norm also keeps numbers that no optimizer touches, because they are no parameters: "
        "in training mode every batch moves them. Print `nn.BatchNorm2d(8).state_dict()` and "
        "count what is not a weight or a bias.",
    ),
    solution=what_still_moves,
    why=(
        "The head has 4 · 8 weights and 4 biases: 36 numbers learn. The encoder's 8 · 3 · 9 = 216 "
        "weights and the 16 scales and shifts of its batch norm are frozen: 232. But 8 running "
        "means, 8 running variances and the counter of batches are no parameters. "
        "`requires_grad` does not concern them, and in training mode all 17 move."
    ),
    mistakes=(
        Mistake(
            "frozen.counter",
            _no_counter,
            "You counted the means and variances. Batch norm counts as well: "
            "`num_batches_tracked` goes up by one with every batch.",
        ),
        Mistake(
            "bn.freeze_grad",
            _nothing_drifts,
            "You say that nothing drifts. `requires_grad=False` keeps the optimizer away; batch "
            "norm's running statistics never needed the optimizer. Every forward pass in training "
            "mode moves them.",
        ),
        Mistake(
            "frozen.affine_drifts",
            _affine_drifts,
            "You put scale and shift among what drifts. They are parameters: with "
            "`requires_grad=False` they stay.",
        ),
        Mistake(
            "frozen.affine",
            _no_affine,
            "Among the frozen numbers, batch norm's are missing: a scale and a shift for each of "
            "its 8 channels.",
        ),
        Mistake(
            "frozen.statistics_as_parameters",
            _statistics_as_parameters,
            "You counted the running statistics among the frozen parameters. They are buffers, "
            "not parameters, and frozen is what they are not.",
        ),
        Mistake(
            "frozen.head_bias",
            _bias_of_the_head,
            "The head's biases are missing: one for each of its 4 classes.",
        ),
        Mistake(
            "frozen.bias",
            _bias_of_the_convolution,
            "You gave the convolution of the encoder biases. It says `bias=False`: batch norm's "
            "shift takes their place.",
        ),
        Mistake(
            "frozen.input_channels",
            _one_input_channel,
            "Your convolution reads one input channel. Each of its 8 filters has a kernel for "
            "each of 3.",
        ),
    ),
)
