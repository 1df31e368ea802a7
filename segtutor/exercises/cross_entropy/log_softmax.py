"""The logarithm of softmax that survives any logit."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def log_softmax(logits):
    """Logarithms of the probabilities of each pixel's classes.

    logits: (N, C, H, W); the result has the same shape.
    Without F.log_softmax.
    """
    raise NotImplementedError
'''


def log_softmax(logits):
    """Shift by each pixel's largest logit; then the sum is safe."""
    shifted = logits - logits.amax(1, keepdim=True)  # at most 0
    return shifted - shifted.exp().sum(1, keepdim=True).log()


def cases(generator: torch.Generator) -> list[Case]:
    """Return quiet logits, huge ones of both signs, and pixels that are far apart."""

    def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=generator)

    far_apart = draw(2, 3, 1, 4)
    far_apart[0] += 1000
    far_apart[1, :, :, 1] -= 1000
    return [
        Case((torch.tensor([0.0, 1.0, 2.0]).reshape(1, 3, 1, 1),)),
        Case((draw(2, 4, 3, 5),)),
        Case((draw(4, 2, 5, 3, scale=4.0),)),
        Case((torch.tensor([1000.0, 0.0, -1000.0, 999.0]).reshape(1, 4, 1, 1),)),
        Case((far_apart,)),
        Case((draw(3, 5, 4, 2, scale=60.0),)),
    ]


def _log_of_softmax(logits):
    return logits.softmax(1).log()


def _quotient(logits):
    powers = logits.exp()
    return (powers / powers.sum(1, keepdim=True)).log()


def _no_shift(logits):
    return logits - logits.exp().sum(1, keepdim=True).log()


def _added_little(logits):
    return (logits.softmax(1) + 1e-8).log()


def _clamped(logits):
    return logits.softmax(1).clamp(min=1e-12).log()


def _shift_of_all(logits):
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum(1, keepdim=True).log()


def _shift_not_put_back(logits):
    shifted = logits - logits.amax(1, keepdim=True)
    return logits - shifted.exp().sum(1, keepdim=True).log()


def _over_pictures(logits):
    return F.log_softmax(logits, 0)


def _over_columns(logits):
    return F.log_softmax(logits, 3)


def _over_everything(logits):
    return F.log_softmax(logits.flatten(), 0).view_as(logits)


def _no_logarithm(logits):
    return logits.softmax(1)


def _minus(logits):
    return -logits.log_softmax(1)


def _over_rows(logits):
    return F.log_softmax(logits, 2)


def _over_places(logits):
    return F.log_softmax(logits.flatten(2), 2).view_as(logits)


def _shift_of_picture(logits):
    shifted = logits - logits.amax((1, 2, 3), keepdim=True)
    return shifted - shifted.exp().sum(1, keepdim=True).log()


def _base_two(logits):
    return logits.log_softmax(1) / torch.tensor(2.0).log()


def _added_less(logits):
    return (logits.softmax(1) + 1e-12).log()


exercise = Exercise(
    name="log_softmax",
    kind="function",
    minutes=12,
    difficulty=2,
    stub=STUB,
    hints=(
        "Write the logarithm of the quotient as a difference: z minus the logarithm of the sum of "
        "all powers. Nothing is divided any more. What happens to the powers at a logit of 1000?",
        "A constant added to all logits of a pixel changes no probability. Choose the constant "
        "so that the largest logit becomes 0: its power is 1, the others are below, and the sum "
        "lies between 1 and C. `amax(1, keepdim=True)` is that largest logit.",
    ),
    solution=log_softmax,
    why=(
        "float32 holds e⁸⁸ and not e⁸⁹. After the shift no power is above 1, so nothing overflows; "
        "powers too small to hold become 0 and are not missed, since the sum holds at least one 1. "
        "Its logarithm is finite, and so is the result: −1999 where the probability itself is 0 "
        "to any computer."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "ce.log_zero",
            _log_of_softmax,
            "You took the logarithm of softmax in two steps. A small probability becomes 0 in "
            "between, and the logarithm of 0 is −inf. Write the two as one: z − log Σ exp z.",
        ),
        Mistake(
            "ce.overflow",
            _quotient,
            "You divided powers by their sum. e to the power of 1000 is inf, and inf/inf is NaN. "
            "Subtract the largest logit of each pixel before you take powers.",
        ),
        Mistake(
            "ce.no_shift",
            _no_shift,
            "z − log Σ exp z is the right formula, and the power of 1000 is inf, that of −1000 is "
            "0. Subtract the largest logit of each pixel first: it changes nothing else.",
        ),
        Mistake(
            "ce.epsilon",
            _added_little,
            "You added 1e-8 to the probabilities so that no logarithm is −inf. Now none is below "
            "−18.4, and where a pixel is most wrong, its gradient is gone. Shift instead.",
        ),
        Mistake(
            "ce.clamped",
            _clamped,
            "You held the probabilities at 1e-12 or above. Below that, the result is −27.6 "
            "whatever the logits, and the gradient is 0: a pixel that is very wrong learns "
            "nothing. Shift instead.",
        ),
        Mistake(
            "ce.shift_of_all",
            _shift_of_all,
            "You subtracted the largest logit of the whole batch. A pixel whose logits lie far "
            "below that one has powers of 0 again. Every pixel needs its own: `amax(1, "
            "keepdim=True)`.",
        ),
        Mistake(
            "ce.shift_not_put_back",
            _shift_not_put_back,
            "You subtracted the largest logit inside the sum and not outside. The shift has to be "
            "the same in both: either subtract it from z too, or add it to the logarithm.",
        ),
        Mistake(
            "ce.softmax_dim",
            _over_pictures,
            "You normalized over the pictures of the batch, `dim=0`. The classes of a pixel "
            "compete with each other: axis 1. With a single picture, yours is 0 everywhere.",
        ),
        Mistake(
            "ce.softmax_last",
            _over_columns,
            "You normalized over the columns of the picture, the last axis. The classes are on "
            "axis 1.",
        ),
        Mistake(
            "ce.over_everything",
            _over_everything,
            "You normalized over everything at once. Each pixel has probabilities of its own, "
            "which add up to 1: sum over axis 1, with `keepdim=True`.",
        ),
        Mistake(
            "ce.no_logarithm",
            _no_logarithm,
            "These are the probabilities. Asked for are their logarithms.",
        ),
        Mistake(
            "ce.minus",
            _minus,
            "You returned minus the logarithms. The minus sign belongs to the loss; a "
            "log-probability is negative.",
        ),
        Mistake(
            "ce.softmax_rows",
            _over_rows,
            "You normalized over the rows of the picture, axis 2. The classes are on axis 1.",
        ),
        Mistake(
            "ce.softmax_places",
            _over_places,
            "You normalized over the places of the picture: each class adds up to 1 over all "
            "pixels. Each pixel should add up to 1 over all classes, axis 1.",
        ),
        Mistake(
            "ce.shift_of_picture",
            _shift_of_picture,
            "You subtracted the largest logit of each picture. A pixel whose logits lie far below "
            "it has powers of 0 again. Every pixel needs its own: `amax(1, keepdim=True)`.",
        ),
        Mistake(
            "ce.base_two",
            _base_two,
            "You took logarithms to base 2. The natural logarithm is asked for.",
        ),
        Mistake(
            "ce.epsilon_12",
            _added_less,
            "You added 1e-12 to the probabilities so that no logarithm is −inf. Now none is below "
            "−27.6, and where a pixel is most wrong, its gradient is gone. Shift instead.",
        ),
    ),
)
