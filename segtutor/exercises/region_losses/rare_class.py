"""Choose a loss that finds the rare class within a budget of steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.exercises.engine import Exercise, Requirement

VOID = 255
STEPS = 100
RECALL, PRECISION = 0.5, 0.5

STUB = '''
def rare_class(logits, labels):
    """A loss of your choice or making: one number, with a gradient.

    logits: (N, 2, H, W); labels: (N, H, W), 0 background, 1 rare,
    255 void.
    """
    raise NotImplementedError
'''


def rare_class():
    """Dice of the rare class over the whole batch, smoothed by one pixel."""

    def loss(logits, labels):
        judged = labels != VOID
        probability = logits.softmax(1)[:, 1][judged]
        truth = (labels[judged] == 1).float()
        overlap = (probability * truth).sum()
        return 1 - (2 * overlap + 1) / (probability.sum() + truth.sum() + 1)

    return loss


def _not_callable(loss):
    if isinstance(loss, type):
        return f"This is a class. Hand in an object made from it: `{loss.__name__}()`."
    if callable(loss):
        return None
    return (
        f"A function of logits and labels is asked for; this is of type `{type(loss).__name__}`. "
        "Hand in the function itself, without calling it."
    )


def _no_number(loss):
    logits, labels = _crop()
    value = loss(logits, labels)
    if value is None:
        return "The function returns None: does it end in `return`?"
    if not isinstance(value, Tensor):
        return (
            f"A tensor of one number is asked for; this is of type `{type(value).__name__}`. "
            "`.item()` and `float(…)` cut the gradient off."
        )
    if value.numel() != 1:
        return (
            f"One number is asked for; your result has shape {tuple(value.shape)}. Take the mean "
            "at the end."
        )
    return None


def _no_gradient(loss):
    logits, labels = _crop()
    value = loss(logits, labels)
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value.sum(), logits, allow_unused=True)
        if gradient is not None and bool((gradient != 0).any()):
            return None
    return (
        "No gradient reaches the logits, so nothing can be learned. `argmax`, comparisons and "
        "`detach` end it: keep the probabilities."
    )


def _void_matters(loss):
    logits, labels = _crop()
    labels[:, 2:5, 3:7] = VOID
    try:
        values = []
        for shift in (0.0, 5.0):
            moved = logits.detach().clone()
            moved[:, 1, 2:5, 3:7] += shift
            values.append(float(loss(moved.requires_grad_(), labels).detach()))
    except (IndexError, RuntimeError) as error:
        return f"With a void pixel, your loss ends in: {error}. Leave out the pixels labelled 255."
    if abs(values[0] - values[1]) <= 1e-5 * max(1.0, abs(values[0])):
        return None
    return (
        f"What the network says at void pixels changes your loss, from {values[0]:.3f} to "
        f"{values[1]:.3f}. Leave out the pixels labelled 255, in all sums."
    )


def _not_finite(loss):
    for what, label in (("no rare pixel", 0), ("nothing but rare pixels", 1)):
        logits, labels = _crop()
        value = loss(logits, torch.full_like(labels, label))
        gradients = torch.autograd.grad(value.sum(), logits, allow_unused=True)
        numbers = [value.detach().reshape(-1), *(g for g in gradients if g is not None)]
        if not all(bool(torch.isfinite(n).all()) for n in numbers):
            return (
                f"With a batch that holds {what}, your loss or its gradient is not finite. "
                "Where do you divide by something that can be 0?"
            )
    return None


def _rare_missed(loss):
    recall, _ = _trained(loss)
    if recall >= RECALL:
        return None
    return (
        f"After {STEPS} steps the network finds {recall:.0%} of the rare pixels it has not seen; "
        f"{RECALL:.0%} are asked for. One pixel in a hundred is rare: what share of your loss, "
        "and of its gradient, do they get?"
    )


def _false_alarms(loss):
    _, precision = _trained(loss)
    if precision >= PRECISION:
        return None
    return (
        f"After {STEPS} steps only {precision:.0%} of what the network calls rare is rare; "
        f"{PRECISION:.0%} are asked for. Your loss buys recall with false alarms: lower the price "
        "of a miss."
    )


def _crop() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 2, 9, 11, generator=generator).requires_grad_()
    labels = (torch.rand(2, 9, 11, generator=generator) < 0.2).long()
    return logits, labels


def scenes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise with one upright line in each picture, and its label map."""
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randn(count, 1, 24, 40, generator=generator)
    labels = torch.zeros(count, 24, 40, dtype=torch.int64)
    for label_map, draw in zip(labels, torch.rand(count, 3, generator=generator), strict=True):
        length = 6 + int(6 * draw[0])
        top, column = int((24 - length) * draw[1]), int(40 * draw[2])
        label_map[top : top + length, column] = 1
    return pictures + 1.7 * labels[:, None], labels


def _trained(loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[float, float]:
    """Recall and precision, on new scenes, of a small network that was trained with a loss."""
    pictures, labels = scenes(128, seed=0)
    generator = torch.Generator().manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.Conv2d(6, 6, 5, padding=2), nn.ReLU(),
        nn.Conv2d(6, 2, 1),
    )  # fmt: skip
    with torch.no_grad():
        for layer in net[::2]:  # PyTorch's own start, from a generator of our own
            bound = layer.weight[0].numel() ** -0.5
            for parameter in (layer.weight, layer.bias):
                parameter.uniform_(-bound, bound, generator=generator)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    with torch.enable_grad():
        for _ in range(STEPS):
            chosen = torch.randint(128, (16,), generator=generator)
            optimizer.zero_grad()
            loss(net(pictures[chosen]), labels[chosen]).backward()
            optimizer.step()
    unseen, truth = scenes(64, seed=2)
    with torch.no_grad():
        found = net(unseen).argmax(1) == 1
    hits = (found & (truth == 1)).sum().item()
    return hits / (truth == 1).sum().item(), hits / max(1, found.sum().item())


def _accuracy(logits, labels):
    return (logits.argmax(1) != labels)[labels != VOID].float().mean()


def _void_as_class_0(logits, labels):
    return F.cross_entropy(logits, labels.where(labels != VOID, 0))


def _without_a_class(logits, labels):
    judged = labels != VOID
    probability = logits.softmax(1)[:, 1][judged]
    return 1 - (probability * (labels[judged] == 1)).sum() / (labels[judged] == 1).sum()


def _cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=VOID)


def _weighted(logits, labels):
    weight = logits.new_tensor([1.0, 100.0])
    return F.cross_entropy(logits, labels, weight, ignore_index=VOID)


exercise = Exercise(
    name="rare_class",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "Cross-entropy is a mean over all pixels, and here 99 of 100 of them are background. "
        "Which losses of this chapter divide by the size of the object instead?",
        "Dice or Tversky of class 1 alone, summed over the batch, is enough. Take "
        "`logits.softmax(1)[:, 1]`, drop the void pixels, and add a small number above and below "
        "the fraction bar, so that a batch without the class is no 0/0. A heavy class weight "
        "finds the rare pixels too, and a great many others.",
    ),
    solution=rare_class,
    why=(
        "Dice compares the overlap with the size of the object, not with that of the picture, so "
        "the rare pixels pull from the first step. Cross-entropy spends its first hundred steps "
        "on saying background more firmly. The smoothing keeps a batch without the class finite "
        "and gives it a gradient."
    ),
    requirements=(
        Requirement("rare.not_callable", "is a function", _not_callable, lambda: torch.zeros(1)),
        Requirement(
            "rare.no_number",
            "returns one number",
            _no_number,
            lambda: lambda logits, labels: F.cross_entropy(logits, labels, reduction="none"),
        ),
        Requirement("rare.no_gradient", "has a gradient", _no_gradient, lambda: _accuracy),
        Requirement("rare.void", "leaves void out", _void_matters, lambda: _void_as_class_0),
        Requirement(
            "rare.not_finite",
            "is finite where a class is missing",
            _not_finite,
            lambda: _without_a_class,
        ),
        Requirement("rare.missed", "finds the rare class", _rare_missed, lambda: _cross_entropy),
        Requirement(
            "rare.false_alarms", "cries wolf in moderation", _false_alarms, lambda: _weighted
        ),
    ),
    seconds=30.0,
)
