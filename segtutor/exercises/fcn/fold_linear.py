"""Turn the weight of a linear layer into that of the convolution that slides."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def fold_linear(weight, kernel_size):
    """weight (D, C·k·k) of a linear layer on a flattened map (C, k, k).

    Returns the weight of the convolution with the same numbers.
    """
    raise NotImplementedError
'''


def fold_linear(weight, kernel_size):
    """Undo what `flatten` did: it read channel by channel, row by row."""
    return weight.reshape(len(weight), -1, kernel_size, kernel_size)


def cases(generator: torch.Generator) -> list[Case]:
    """Return weights whose D, C and k all differ; a single channel and a 1×1 map among them."""
    shapes = [(5, 3, 2), (2, 4, 3), (7, 2, 4), (3, 1, 3), (4, 6, 1)]
    return [Case((torch.randn(d, c * k * k, generator=generator), k)) for d, c, k in shapes]


def _channels_last(weight, kernel_size):
    k = kernel_size
    return weight.reshape(len(weight), k, k, -1).permute(0, 3, 1, 2)


def _flipped(weight, kernel_size):
    return fold_linear(weight, kernel_size).flip(2, 3)


def _turned(weight, kernel_size):
    return fold_linear(weight, kernel_size).transpose(2, 3)


def _inputs_first(weight, kernel_size):
    return fold_linear(weight, kernel_size).transpose(0, 1)


def _unfolded(weight, kernel_size):
    return weight[:, :, None, None]


def _still_channels_last(weight, kernel_size):
    return weight.reshape(len(weight), kernel_size, kernel_size, -1)


exercise = Exercise(
    name="fold_linear",
    kind="function",
    minutes=8,
    difficulty=2,
    stub=STUB,
    hints=(
        "Which shape does the weight of a convolution have? (out, in, k, k). `weight` has rows of "
        "C·k·k numbers in the order in which `torch.flatten` reads a map (C, k, k).",
        "One `reshape` is enough: the last axis varies fastest in both. To check, compare "
        "`F.conv2d(x, yours)` on a map of k × k with `F.linear(x.flatten(1), weight)`.",
    ),
    solution=fold_linear,
    why=(
        "Flattening and folding are the same memory read with other borders, so not one number "
        "moves. PyTorch's convolution slides the kernel as it is, without flipping it; so the "
        "weighted sum at one place is the linear layer's, and its neighbors come for free. The "
        "bias needs no change: one number for each of the D outputs in both."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "flatten.channels_last",
            _channels_last,
            "You took the inputs as flattened from (k, k, C). Libraries that keep channels last do "
            "that; PyTorch flattens (C, k, k), channel by channel.",
        ),
        Mistake(
            "conv.flip",
            _flipped,
            "You flipped the kernel. `F.conv2d` does not flip, so neither may you.",
        ),
        Mistake(
            "flatten.turned",
            _turned,
            "Rows and columns of each kernel are exchanged. A map is flattened row by row.",
        ),
        Mistake(
            "fcn.inputs_first",
            _inputs_first,
            "Your input channels come first, as in a *transposed* convolution. `nn.Conv2d` wants "
            "(out, in, k, k).",
        ),
        Mistake(
            "fcn.unfolded",
            _unfolded,
            "You made a 1 × 1 convolution of C·k·k channels. The map that it reads has C channels "
            "and k × k places: that is the shape to fold the rows into.",
        ),
        Mistake(
            "fcn.channels_left_last",
            _still_channels_last,
            "Your channels stand last. `nn.Conv2d` wants (out, in, k, k); and the numbers lie in "
            "the order (C, k, k), so no axis needs to move.",
        ),
    ),
)
