"""Logits and labels for the tests of losses, and one name for each loss."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from segtutor import losses

VOID = 255

# Losses of several logits a pixel, of one, and those that take both.
SOFTMAX = {
    "cross_entropy": losses.cross_entropy,
    "softmax_focal_loss": losses.softmax_focal_loss,
    "lovasz_softmax": losses.lovasz_softmax,
}
SIGMOID = {
    "binary_cross_entropy": losses.binary_cross_entropy,
    "sigmoid_focal_loss": losses.sigmoid_focal_loss,
    "lovasz_hinge": losses.lovasz_hinge,
}
BOTH = {
    "dice_loss": losses.dice_loss,
    "jaccard_loss": losses.jaccard_loss,
    "tversky_loss": losses.tversky_loss,
    "focal_tversky_loss": losses.focal_tversky_loss,
    "boundary_loss": losses.boundary_loss,
}
# Every loss with the number of channels that it is tested with.
EVERY = [
    *((name, loss, 4) for name, loss in (SOFTMAX | BOTH).items()),
    *((f"{name}, binary", loss, 1) for name, loss in (SIGMOID | BOTH).items()),
]


def batch(
    n: int = 2,
    c: int = 4,
    h: int = 7,
    w: int = 5,
    *,
    void: float = 0.2,
    absent: tuple[int, ...] = (),
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Random logits and labels; with c = 1 the labels are 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, c, h, w, generator=generator, dtype=torch.float64)
    there = torch.tensor([k for k in range(max(c, 2)) if k not in absent])
    labels = there[torch.randint(len(there), (n, h, w), generator=generator)]
    labels[torch.rand(n, h, w, generator=generator) < void] = VOID
    return logits.to(device, dtype), labels.to(device)


def value_and_gradient(loss, logits: Tensor, *rest, **settings) -> tuple[Tensor, Tensor]:
    """The loss, and its gradient at the logits."""
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, *rest, **settings)
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach(), gradient


def without_void(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The judged pixels alone, as an image of one line: (1, C, 1, P) and (1, 1, P)."""
    judged = labels != VOID
    return logits.movedim(1, -1)[judged].T[None, :, None], labels[judged][None, None]


@st.composite
def batches(draw, most: int = 5):
    """Any batch: sizes, void, absent classes and seed drawn; float64. most=1: one logit."""
    c = draw(st.integers(2, most)) if most > 1 else 1
    absent = draw(st.sets(st.integers(0, max(c, 2) - 1), max_size=max(c, 2) - 1))
    return batch(
        draw(st.integers(1, 3)),
        c,
        draw(st.integers(1, 6)),
        draw(st.integers(1, 6)),
        void=draw(st.sampled_from([0.0, 0.3, 1.0])),
        absent=tuple(absent),
        seed=draw(st.integers(0, 2**31)),
    )
