"""Exercises of the chapter on augmentation, and the scene on which one's own is tried."""

from __future__ import annotations

import torch
import torch.nn.functional as F

VOID = 255

# Each class has a color of its own: what the picture shows can be told from it.
COLORS = torch.tensor([[0.9, 0.2, 0.5], [0.5, 0.8, 0.2], [0.3, 0.4, 0.9], [0.7, 0.7, 0.7],
                       [0.8, 0.5, 0.3]])  # fmt: skip


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A map of blocks without class 0, and the picture that shows it."""
    blocks = torch.tensor([[1, 2, 4, 4, 2], [3, 1, 1, 2, 3], [3, 4, 2, 1, 1], [2, 2, 3, 4, 1]])
    labels = blocks.repeat_interleave(12, 0).repeat_interleave(12, 1)
    return COLORS[labels].permute(2, 0, 1).contiguous(), labels


def explained(image: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of the picture's variance that the labels explain, away from their outlines."""
    inner = labels[None].double()
    flat = F.max_pool2d(inner, 5, 1, 2) == -F.max_pool2d(-inner, 5, 1, 2)
    judged = (labels != VOID) & flat[0]
    pixels, names = image[:, judged], labels[judged]
    total = pixels.var(1, correction=0).sum() * len(names)
    spread = [pixels[:, names == c].var(1, correction=0).sum() * (names == c).sum()
              for c in names.unique()]  # fmt: skip
    within = sum(spread, torch.zeros(()))
    return 1.0 if total < 1e-3 * len(names) else float(1 - within / total)
