"""Who gets the gradient of a maximum?"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def pool_gradient(x, upstream, kernel, stride):
    """The gradient of max pooling for one plane x (H, W).

    upstream (h, w): the gradient that arrives at each output number.
    Returns the gradient at each input number, (H, W). Where two numbers of
    a window are equally large, the first one, row by row, gets it all.
    """
    raise NotImplementedError
'''


def pool_gradient(x, upstream, kernel, stride):
    """Hand each output's gradient to the pixel that won; a pixel may win more than once."""
    gradient = torch.zeros_like(x)
    for r in range(upstream.shape[0]):
        for c in range(upstream.shape[1]):
            top, left = r * stride, c * stride
            window = x[top : top + kernel, left : left + kernel]
            i, j = divmod(int(window.argmax()), kernel)
            gradient[top + i, left + j] += upstream[r, c]
    return gradient


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps with and without overlap, with ties, with a pixel that wins four times."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-9, 10, shape, generator=generator).float()

    peak = torch.tensor([[0.0, 1, 2, 0], [1, 0, 9, 3], [5, 2, 1, 7]])
    even = torch.tensor([[1.0, 4, 4, 2, 3], [4, 0, 1, 3, 3]])
    made = [
        Case((peak, torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 2, 1)),
        Case((peak - 9, torch.tensor([[3.0, -2.0]]), 2, 2)),
        Case((even, torch.tensor([[2.0, 5.0]]), 2, 2)),
    ]
    for height, width, kernel, stride in ((5, 7, 3, 2), (6, 4, 3, 1), (7, 9, 2, 3), (8, 6, 3, 1)):
        rows, columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        made.append(Case((draw(height, width), draw(rows, columns), kernel, stride)))
    return made


def _routed(x, upstream, kernel, stride, *, add=True, last=False):
    gradient = torch.zeros_like(x)
    for r in range(upstream.shape[0]):
        for c in range(upstream.shape[1]):
            window = x[r * stride : r * stride + kernel, c * stride : c * stride + kernel].flatten()
            place = len(window) - 1 - int(window.flip(0).argmax()) if last else int(window.argmax())
            i, j = r * stride + place // kernel, c * stride + place % kernel
            gradient[i, j] = upstream[r, c] + (gradient[i, j] if add else 0)
    return gradient


def _overwritten(x, upstream, kernel, stride):
    return _routed(x, upstream, kernel, stride, add=False)


def _last_of_equals(x, upstream, kernel, stride):
    return _routed(x, upstream, kernel, stride, last=True)


def _all_equals(x, upstream, kernel, stride):
    gradient = torch.zeros_like(x)
    for r in range(upstream.shape[0]):
        for c in range(upstream.shape[1]):
            rows = slice(r * stride, r * stride + kernel)
            columns = slice(c * stride, c * stride + kernel)
            window = x[rows, columns]
            gradient[rows, columns] += (window == window.max()) * upstream[r, c]
    return gradient


def _spread(x, upstream, kernel, stride):
    x = x.clone().requires_grad_()
    with torch.enable_grad():
        F.avg_pool2d(x[None, None], kernel, stride).backward(upstream[None, None])
    return x.grad


def _to_everyone(x, upstream, kernel, stride):
    return _spread(x, upstream, kernel, stride) * kernel**2


def _upstream_ignored(x, upstream, kernel, stride):
    return _routed(x, torch.ones_like(upstream), kernel, stride)


def _times_value(x, upstream, kernel, stride):
    return _routed(x, upstream, kernel, stride) * x


def _stride_is_kernel(x, upstream, kernel, stride):
    rows = min(upstream.shape[0], x.shape[0] // kernel)
    columns = min(upstream.shape[1], x.shape[1] // kernel)
    return _routed(x, upstream[:rows, :columns], kernel, kernel)


exercise = Exercise(
    name="pool_gradient",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "Nudge a pixel that is not the largest of its window: the output does not move, so its "
        "gradient is 0. Nudge the largest: the output moves by as much. What does that say about "
        "where the number `upstream[r, c]` has to go?",
        "`window.argmax()` gives the place of the first largest number in the flattened window, "
        "and `divmod(place, kernel)` its row and column there. A pixel that wins in several "
        "windows hears from each of them.",
    ),
    solution=pool_gradient,
    why=(
        "The maximum is equal to one of its inputs, so its slope is 1 there and 0 elsewhere: all "
        "of the gradient goes to the winner. Where windows overlap, one pixel can win several "
        "times, and what it hears adds up: `+=`, not `=`. With windows of 2 and stride 2 the two "
        "cannot be told apart, which is why this slip survives so many tests."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pool.backward_overwrite",
            _overwritten,
            "A pixel that wins in several windows keeps only what the last one sent: `=` has to be "
            "`+=`. Test with overlapping windows; with 2 and stride 2 the slip cannot show.",
        ),
        Mistake(
            "pool.backward_last",
            _last_of_equals,
            "Where two numbers of a window are equally large, you gave the gradient to the last of "
            "them. PyTorch gives it to the first, row by row.",
        ),
        Mistake(
            "pool.backward_ties",
            _all_equals,
            "Where two numbers of a window are equally large, you gave the full gradient to both. "
            "Then more comes out than went in; the first of them gets it all.",
        ),
        Mistake(
            "pool.backward_spread",
            _spread,
            "You spread the gradient evenly over the window. That is the gradient of average "
            "pooling; the maximum listens to one pixel.",
        ),
        Mistake(
            "pool.backward_everyone",
            _to_everyone,
            "You sent the gradient to every pixel of the window. A pixel that is not the largest "
            "can be nudged without changing the output: its gradient is 0.",
        ),
        Mistake(
            "pool.backward_ones",
            _upstream_ignored,
            "You marked the winners with 1 and left out what arrives from above. Hand them the "
            "number of `upstream` that belongs to their window.",
        ),
        Mistake(
            "pool.backward_value",
            _times_value,
            "You multiplied the gradient by the pixel's own value. The slope of a maximum at its "
            "winner is 1, whatever the value is.",
        ),
        Mistake(
            "pool.stride_is_kernel",
            _stride_is_kernel,
            "Your windows lie side by side. The stride is an argument of its own: window (r, c) "
            "begins at row r·stride, column c·stride.",
        ),
    ),
)
