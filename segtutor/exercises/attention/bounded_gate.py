"""Design a gate: what may stand at its end?"""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def bounded_gate(score):
    """score, a tensor of any shape -> a gate of the same shape.

    Not the sigmoid, please: another function that can do its work.
    """
    raise NotImplementedError
'''


def bounded_gate():
    """Score over one plus its size runs from −1 to 1; half of it, moved up by a half."""

    def gate(score):
        return 0.5 + 0.5 * score / (1 + score.abs())

    return gate


RAMP = torch.linspace(-60, 60, 481)


def _not_a_function(thing):
    if callable(thing) and not isinstance(thing, type):
        return None
    return f"A function of a tensor is asked for; this is of type `{type(thing).__name__}`."


def _shape(gate):
    score = torch.linspace(-2, 2, 24).reshape(2, 3, 4)
    out = gate(score.clone())
    if isinstance(out, torch.Tensor) and out.shape == score.shape:
        return None
    found = f"shape {tuple(out.shape)}" if isinstance(out, torch.Tensor) else type(out).__name__
    return f"For a score of shape (2, 3, 4) you return {found}: a gate for each number, please."


def _too_large(gate):
    out = gate(RAMP.clone())
    if not out.isfinite().all():
        return "Some of your gates are not finite. Try scores of −60 and 60."
    if out.max() <= 1 + 1e-6:
        return None
    at = RAMP[out.argmax()]
    return (
        f"At a score of {at:g} your gate is {out.max():.3g}: it amplifies. Ten of them in a row "
        "would be that to the power of ten."
    )


def _negative(gate):
    out = gate(RAMP.clone())
    if out.min() >= -1e-6:
        return None
    at = RAMP[out.argmin()]
    return (
        f"At a score of {at:g} your gate is {out.min():.3g}: it turns the sign of what passes. "
        "Closed is 0, not less."
    )


def _stuck(gate):
    low, high = gate(torch.tensor([-50.0, 50.0]))
    if low < 0.1 and high > 0.9:
        return None
    return (
        f"At scores of −50 and 50 your gate is {low:.2f} and {high:.2f}. It has to be able to "
        "close (below 0.1) and to open (above 0.9)."
    )


def _monotone(gate):
    if (gate(RAMP.clone()).diff() >= -1e-6).all():
        return None
    return "Somewhere a higher score closes your gate. More score, more gate."


def _each_by_itself(gate):
    alone = torch.cat([gate(RAMP[k : k + 1].clone()) for k in range(0, 481, 48)])
    if torch.allclose(alone, gate(RAMP.clone())[::48], atol=1e-5):
        return None
    return (
        "Your gate of one score changes with the others in the tensor. Each has to decide by "
        "itself, or a picture's gates change with its size and its batch."
    )


def _dead(gate):
    score = torch.linspace(-3, 3, 25, requires_grad=True)
    gate(score).sum().backward()
    if score.grad is not None and (score.grad > 1e-4).all():
        return None
    return (
        "Between −3 and 3 there are scores at which your gate has no slope. What stands there "
        "gets no gradient and cannot learn to open: a step, or a ramp that is too steep."
    )


def _the_sigmoid(gate):
    if not torch.allclose(gate(RAMP.clone()), RAMP.sigmoid(), atol=1e-5):
        return None
    return "It works: it is the sigmoid. Now find another function that does."


exercise = Exercise(
    name="bounded_gate",
    kind="open",
    minutes=15,
    difficulty=4,
    stub=STUB,
    hints=(
        "You know functions that level off on both sides: `tanh`, `atan`, s / (1 + |s|). They run "
        "from −a to a. Scale and move them until they run from 0 to 1.",
        "`torch.atan(score) / torch.pi + 0.5` runs from 0 to 1 and has a slope everywhere. A ramp, "
        "`(score / 6 + 0.5).clamp(0, 1)`, has one between −3 and 3: take it a little wider.",
    ),
    solution=bounded_gate,
    why=(
        "A gate has to close, to open, never to amplify, and to have a slope where scores begin. "
        "Many functions do; networks on small devices use the ramp `hardsigmoid`, which costs no "
        "exponential. ReLU fails at two of the four: nothing holds it at 1, and below 0 it has no "
        "slope."
    ),
    requirements=(
        Requirement("gate.not_a_function", "is a function", _not_a_function, lambda: 0.5),
        Requirement("gate.shape", "keeps the shape", _shape, lambda: torch.mean),
        Requirement("att.relu_gate", "never amplifies", _too_large, lambda: torch.relu),
        Requirement("gate.negative", "never turns the sign", _negative, lambda: torch.tanh),
        Requirement(
            "gate.stuck", "can close and open", _stuck, lambda: lambda s: torch.full_like(s, 0.5)
        ),
        Requirement(
            "gate.monotone",
            "opens as the score grows",
            _monotone,
            lambda: (
                lambda s: (
                    (s.sigmoid() + 0.2 * (-(s**2)).exp() * s.sign()).clamp(0, 1)
                    * (1 - 0.5 * (-((s - 5) ** 2)).exp())
                )
            ),
        ),
        Requirement(
            "att.softmax_gate",
            "decides each score by itself",
            _each_by_itself,
            lambda: lambda s: (s - s.mean()).sigmoid(),
        ),
        Requirement(
            "gate.dead", "has a slope from −3 to 3", _dead, lambda: lambda s: s.clamp(0, 1)
        ),
        Requirement("gate.sigmoid", "is not the sigmoid", _the_sigmoid, lambda: torch.sigmoid),
    ),
)
