"""Two steps of training with a pencil: gradient, weight, gradient, weight."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# The loss is ½(w·x − y)², and every number asked for ends after two decimals.
X, Y, START, RATE = 2.0, 8.0, 1.0, 0.1

STUB = """
descent_by_hand = None  # [gradient, weight, gradient, weight]
"""


def descent_by_hand():
    """The gradient is x·(w·x − y); each step takes a tenth of it off the weight."""
    numbers, w = [], START
    for _ in range(2):
        gradient = X * (w * X - Y)
        w = w - RATE * gradient
        numbers += [gradient, w]
    return numbers


def _steps(slope, rate=RATE, keep=0.0):
    """Two steps with another slope or rate; `keep` of the gradient is carried on."""
    numbers, w, gradient = [], START, 0.0
    for _ in range(2):
        gradient = keep * gradient + slope(w)
        w = w - rate * gradient
        numbers += [gradient, w]
    return numbers


def _slope(w):
    return X * (w * X - Y)


def _uphill():
    return _steps(_slope, rate=-RATE)


def _inner():
    return _steps(lambda w: w * X - Y)


def _half():
    return _steps(lambda w: 2 * _slope(w))


def _kept():
    return _steps(_slope, keep=1.0)


def _whole():
    return _steps(_slope, rate=1.0)


def _same_gradient():
    return _steps(lambda w: _slope(START))


def _turned():
    return _steps(lambda w: X * (Y - w * X), rate=-RATE)


exercise = Exercise(
    name="descent_by_hand",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "The loss is a square, so its slope in the output is the output less the target. Times x, "
        "because the weight reaches the output through x.",
        "At w = 1 the output is 2, which is 6 too low. The gradient is then 2 · (−6), and the "
        "weight grows by a tenth of it. Begin the second step with the new weight.",
    ),
    solution=descent_by_hand,
    why=(
        "The output 2 is 6 below the target: the gradient is 2 · (−6) = −12, and the weight grows "
        "to 1 + 1.2 = 2.2. Now the output is 4.4, 3.6 too low: the gradient is −7.2, the weight "
        "2.92. What is missing to the right weight, 4, was 3, then 1.8, then 1.08: each step "
        "leaves the factor 1 − 0.1 · 4 of it, for 4 is the curvature x² of this loss."
    ),
    mistakes=(
        Mistake(
            "descent.uphill",
            _uphill,
            "Your weight moves away from the target: the gradient points uphill, so the step is "
            "minus the learning rate times the gradient.",
        ),
        Mistake(
            "descent.inner_derivative",
            _inner,
            "Your gradient is that of the output, w·x − y. The weight reaches the output through "
            "x: multiply by x, which is 2.",
        ),
        Mistake(
            "descent.half",
            _half,
            "Your gradient is twice too large: the ½ in front of the square takes the 2 of its "
            "derivative away.",
        ),
        Mistake(
            "train.zero_grad",
            _kept,
            "In your second step the first gradient is still there: −12 and −7.2 were added. That "
            "is what PyTorch does without `zero_grad`.",
        ),
        Mistake(
            "descent.no_rate",
            _whole,
            "You took the whole gradient as the step. The learning rate, 0.1, makes it a tenth.",
        ),
        Mistake(
            "descent.same_gradient",
            _same_gradient,
            "You used the first gradient twice. After a step the weight is another one, and so "
            "is the output: compute the gradient anew.",
        ),
        Mistake(
            "descent.sign_of_gradient",
            _turned,
            "Your weights are right, your gradients have the wrong sign: the output is too low, "
            "so the loss falls as the weight grows, and its slope is negative.",
        ),
    ),
)
