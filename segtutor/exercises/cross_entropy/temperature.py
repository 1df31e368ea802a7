"""Find the temperature that makes a network's probabilities honest."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Exercise, Requirement

VOID = 255
NEAR = 0.05  # how far the answer may lie from the best temperature, as a part of it

STUB = '''
def temperature(logits, labels):
    """The T > 0 for which logits / T have the smallest cross-entropy.

    logits: (N, C, H, W); labels: (N, H, W), 255 is void. Any method will do.
    """
    raise NotImplementedError
'''


def temperature():
    """Golden section: close in on the minimum, on a scale where ×2 and ÷2 are alike."""

    def fit(logits, labels):
        def loss(log_t):
            return F.cross_entropy(logits / math.exp(log_t), labels, ignore_index=255)

        low, high = math.log(0.01), math.log(100)
        golden = (math.sqrt(5) - 1) / 2
        while high - low > 1e-4:
            left, right = high - golden * (high - low), low + golden * (high - low)
            if loss(left) < loss(right):
                high = right
            else:
                low = left
        return math.exp((low + high) / 2)

    return fit


def pixels(scale: float, *, void: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits that are `scale` times too large, and labels drawn by the honest ones."""
    generator = torch.Generator().manual_seed(0)
    honest = 1.5 * torch.randn(4, 3, 24, 20, generator=generator)
    draw = torch.rand(4, 1, 24, 20, generator=generator)
    labels = (honest.softmax(1).cumsum(1) < draw).sum(1).clamp(max=2)  # (4, 24, 20)
    if void:  # half of each picture, where the network is sure of class 2
        labels[:, :12] = VOID
        honest[:, 2, :12] += 9
    return scale * honest, labels


def _not_a_function(thing):
    if callable(thing) and not isinstance(thing, type):
        return None
    return (
        f"A function is asked for; this is of type `{type(thing).__name__}`. The checker calls it "
        "with logits and labels of its own, so hand in `temperature`, not its result."
    )


def _not_a_number(thing):
    value = thing(*pixels(3.0))
    if value is None:
        return "The function returns None: does it end in `return`?"
    if isinstance(value, torch.Tensor) and value.numel() != 1:
        return f"One number is asked for; yours has shape {tuple(value.shape)}."
    value = _as_float(value)
    if math.isfinite(value) and value > 0:
        return None
    return (
        f"On logits that are three times too large you return {value:g}. A temperature is a "
        "finite number above 0: search for its logarithm, and it can be nothing else."
    )


def _upside_down(thing):
    value = _as_float(thing(*pixels(3.0)))
    if value > 1:
        return None
    return (
        f"On logits that are three times too large you return {value:.2f}. Dividing by a number "
        "below 1 makes them larger still. Do you multiply where T should divide?"
    )


def _honest_spoiled(thing):
    message = "On logits that are honest already"
    return _far_from_best(thing, 1.0, message)


def _range_too_small(thing):
    for scale in (3.0, 0.3, 8.0):
        message = _far_from_best(thing, scale, f"On logits that are {scale:g} times too large")
        if message is not None:
            return message
    return None


def _void_judged(thing):
    logits, labels = pixels(2.0, void=True)
    value, best = _as_float(thing(logits, labels)), temperature()(logits, labels)
    if abs(value / best - 1) < NEAR:
        return None
    return (
        f"With half of the pixels void you return {value:.2f}; {best:.2f} is best for the "
        "others. Leave void out of the loss: `ignore_index=255`."
    )


def _as_float(value):
    return float(value.detach() if isinstance(value, torch.Tensor) else value)


def _far_from_best(thing, scale, where):
    logits, labels = pixels(scale)
    value, best = _as_float(thing(logits, labels)), temperature()(logits, labels)
    if abs(value / best - 1) < NEAR:
        return None

    def loss(t):
        return F.cross_entropy(logits / t, labels, ignore_index=VOID).item()

    return (
        f"{where} you return {value:.2f}, which gives a loss of {loss(value):.4f}; there is a "
        f"temperature with {loss(best):.4f}. Does your search go far enough, and in fine enough "
        "steps?"
    )


def _inverse(logits, labels):
    return 1 / temperature()(logits, labels)


def _between_one_half_and_four(logits, labels):
    return min(max(temperature()(logits, labels), 0.5), 4.0)


def _void_as_the_last(logits, labels):
    return temperature()(logits, labels.where(labels != VOID, 0))


exercise = Exercise(
    name="temperature",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "Along T the loss has one valley. You can walk down it with a gradient, close in on it by "
        "comparing two points again and again, or try a fine grid. How large can T be? It may "
        "be 0.2 and it may be 9, so let your steps be factors.",
        "For a gradient, make `log_t = torch.zeros((), requires_grad=True)`, let the loss be "
        "`F.cross_entropy(logits / log_t.exp(), labels, ignore_index=255)`, and give `[log_t]` to "
        "Adam with a learning rate of 0.1 for 200 steps. Return `log_t.exp().item()`.",
    ),
    solution=temperature,
    why=(
        "Written in 1/T the logits are linear, and the loss is convex: there is one valley, and "
        "any method that goes downhill ends in it. To compare two points inside a range is enough "
        "to throw away more than a third of it. The logarithm of T makes 0.2 and 5 equally far "
        "from 1. Fit T on pixels that the network was not trained on: on its training pixels an "
        "overfitted network looks honest."
    ),
    requirements=(
        Requirement("temp.not_a_function", "is a function", _not_a_function, lambda: 1.5),
        Requirement(
            "temp.not_a_number",
            "returns a number above 0",
            _not_a_number,
            lambda: lambda logits, labels: -temperature()(logits, labels),
        ),
        Requirement(
            "temp.upside_down",
            "cools logits that are too large",
            _upside_down,
            lambda: _inverse,
        ),
        Requirement(
            "temp.honest",
            "leaves honest logits as they are",
            _honest_spoiled,
            lambda: lambda logits, labels: 3.0,
        ),
        Requirement(
            "temp.range",
            "finds the best from 0.3 to 8",
            _range_too_small,
            lambda: _between_one_half_and_four,
        ),
        Requirement(
            "temp.void",
            "leaves void out",
            _void_judged,
            lambda: _void_as_the_last,
        ),
    ),
)
