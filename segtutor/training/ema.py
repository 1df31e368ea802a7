"""The exponential moving average of a model: a steadier copy of what training leaves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

__all__ = ["averaged"]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of a model that follows it slowly, one `update_parameters` a step.

    Averaged are weights and, so that they fit these, the running statistics of batch norm.
    What is counted in whole numbers is copied. The first steps are forgotten faster: after t
    updates the decay is (1 + t)/(10 + t) at most, or the copy would remember its random start.

    Args:
        model: The model, on its device.
        decay: How much of the copy each update keeps, such as 0.99 or 0.999.

    Example:
        >>> model = nn.Linear(1, 1, bias=False)
        >>> copy = averaged(model, decay=0.9)
        >>> for weight in (0.0, 1.0, 1.0):
        ...     _ = nn.init.constant_(model.weight, weight)
        ...     copy.update_parameters(model)
        >>> round(copy.module.weight.item(), 4)  # 1 − 2/11 · 3/12
        0.9545
    """
    if not 0 <= decay < 1:
        raise ValueError(f"ema={decay} has to be a decay from 0 to below 1, such as 0.99")

    @torch.no_grad()
    def update(old: list[Tensor], new: list[Tensor], updates: Tensor) -> None:
        if not old[0].is_floating_point():
            torch._foreach_copy_(old, new)
            return
        t = updates.item()
        torch._foreach_lerp_(old, new, 1 - min(decay, (1 + t) / (10 + t)))

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
