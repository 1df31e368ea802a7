"""What several processes counted, brought together."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor

__all__ = ["gathered"]


def gathered(counts: Tensor, group: dist.ProcessGroup | None = None) -> list[Tensor]:
    """Collect a tensor of counts from every process, in the order of their ranks.

    The tensors may differ in length; they travel on the CPU. Every process of the group has
    to call this. Without `torch.distributed` there is one process, and one tensor comes back.

    Args:
        counts: What this process counted.
        group: The processes to ask; None is all of them.

    Returns:
        One tensor a process, on the CPU.
    """
    counts = counts.cpu()
    if not (dist.is_available() and dist.is_initialized()):
        return [counts]
    everyone: list[Tensor] = [counts] * dist.get_world_size(group)
    dist.all_gather_object(everyone, counts, group=group)
    return everyone
