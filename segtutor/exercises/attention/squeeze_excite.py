"""Channel attention: squeeze each channel to its mean, and let all means decide on each."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def squeeze_excite(x, down, up):
    """x (N, C, H, W) -> x with each channel gated, (N, C, H, W).

    down: (R, C), from the means to a few hidden numbers; then ReLU.
    up: (C, R), from these to one number a channel; then sigmoid.
    """
    raise NotImplementedError
'''


def squeeze_excite(x, down, up):
    """A mean a channel, two layers, a gate between 0 and 1 for each channel."""
    squeezed = x.mean(dim=(2, 3))  # (N, C)
    hidden = (squeezed @ down.T).relu()  # (N, R)
    gate = (hidden @ up.T).sigmoid()  # (N, C)
    return x * gate[:, :, None, None]


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps of which no two sizes are alike, and one where three are."""

    def case(n: int, c: int, h: int, w: int, r: int) -> Case:
        x = torch.randn(n, c, h, w, generator=generator) + torch.randn(
            n, c, 1, 1, generator=generator
        )
        down = torch.randn(r, c, generator=generator)
        return Case((x, down, torch.randn(c, r, generator=generator)))

    x = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])  # (1, 2, 1, 2)
    small = Case((x, torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0], [-2.0]])))
    return [small, case(2, 4, 3, 5, 2), case(3, 6, 4, 7, 3), case(4, 4, 3, 4, 2)]


def _gates(x, down, up):
    return (x.mean(dim=(2, 3)) @ down.T).relu() @ up.T


def _relu_gate(x, down, up):
    return x * _gates(x, down, up).relu()[:, :, None, None]


def _no_gate_function(x, down, up):
    return x * _gates(x, down, up)[:, :, None, None]


def _softmax(x, down, up):
    return x * _gates(x, down, up).softmax(1)[:, :, None, None]


def _maximum(x, down, up):
    gate = ((x.amax((2, 3)) @ down.T).relu() @ up.T).sigmoid()
    return x * gate[:, :, None, None]


def _sum(x, down, up):
    gate = ((x.sum((2, 3)) @ down.T).relu() @ up.T).sigmoid()
    return x * gate[:, :, None, None]


def _no_relu(x, down, up):
    return x * (x.mean((2, 3)) @ down.T @ up.T).sigmoid()[:, :, None, None]


def _whole_batch(x, down, up):
    gate = ((x.mean((0, 2, 3)) @ down.T).relu() @ up.T).sigmoid()
    return x * gate[:, None, None]


def _gate_only(x, down, up):
    return _gates(x, down, up).sigmoid()[:, :, None, None]


def _added(x, down, up):
    return x + _gates(x, down, up).sigmoid()[:, :, None, None]


def _every_place(x, down, up):
    hidden = F.conv2d(x, down[:, :, None, None]).relu()
    return x * F.conv2d(hidden, up[:, :, None, None]).sigmoid()


def _squeezed_gated(x, down, up):
    return x.mean((2, 3), keepdim=True) * _gates(x, down, up).sigmoid()[:, :, None, None]


exercise = Exercise(
    name="squeeze_excite",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Squeeze: `x.mean(dim=(2, 3))` leaves one number for each channel of each picture, "
        "(N, C). A layer is a matrix product: `squeezed @ down.T` is (N, R).",
        "The gate is (N, C); the map is (N, C, H, W). `gate[:, :, None, None]` is (N, C, 1, 1), "
        "one number for all positions of a channel.",
    ),
    solution=squeeze_excite,
    why=(
        "After the mean over all positions each layer is a small matrix, so the block costs "
        "next to nothing. The two axes of length 1 say what a gate is for: without them PyTorch "
        "lines (N, C) up with the last two axes, (H, W), and where the sizes happen to fit it "
        "gates positions without a word."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "att.relu_gate",
            _relu_gate,
            "Your gate ends in ReLU. It can close, but nothing holds it at 1: it amplifies. End "
            "in a sigmoid; ReLU belongs between the two layers.",
        ),
        Mistake(
            "att.open_gate",
            _no_gate_function,
            "Your gate is the second layer as it comes: any number, negative ones too. A sigmoid "
            "makes a gate of it.",
        ),
        Mistake(
            "att.softmax_gate",
            _softmax,
            "Your gates add up to 1 over the channels, so that one can open only if others "
            "close. Here each channel decides for itself: sigmoid.",
        ),
        Mistake(
            "se.maximum",
            _maximum,
            "You squeezed each channel to its maximum; asked for is its mean.",
        ),
        Mistake(
            "se.sum",
            _sum,
            "You squeezed each channel to its sum. Then the gates change with the size of the "
            "picture; take the mean.",
        ),
        Mistake(
            "se.no_relu",
            _no_relu,
            "There is no ReLU between the two layers, so both together are one linear layer.",
        ),
        Mistake(
            "se.batch",
            _whole_batch,
            "You took one mean over all pictures. Each picture decides for itself: keep the first "
            "axis.",
        ),
        Mistake(
            "att.gate_only",
            _gate_only,
            "This is the gate, (N, C, 1, 1). Multiply the map by it.",
        ),
        Mistake(
            "att.added",
            _added,
            "You added the gate to the map. A gate multiplies.",
        ),
        Mistake(
            "se.no_squeeze",
            _every_place,
            "You ran the two layers at each position. Squeeze first: one mean a channel, and so "
            "one gate a channel.",
        ),
        Mistake(
            "se.squeezed",
            _squeezed_gated,
            "You multiplied the means by the gates. It is the map itself that is gated.",
        ),
    ),
)
