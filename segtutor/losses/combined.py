"""Several losses at once, each with a weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

__all__ = ["Term", "WeightedLoss", "combined"]

Term = tuple[float, Callable[[Tensor, Tensor], Tensor]]


def combined(logits: Tensor, labels: Tensor, terms: Sequence[Term]) -> Tensor:
    """Add losses up, each multiplied by its weight.

    Args:
        logits: (N, C, H, W).
        labels: (N, H, W).
        terms: Pairs of a weight and a loss. A loss is any function or module that takes logits
            and labels and returns one number.

    Returns:
        The sum, one number.

    Example:
        >>> import torch
        >>> from segtutor.losses import cross_entropy, dice_loss
        >>> logits, labels = torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 1]]])
        >>> combined(logits, labels, [(1.0, cross_entropy), (0.5, dice_loss)])  # 0.69 + 0.5 · 0.5
        tensor(0.9431)
    """
    if not terms:
        raise ValueError("terms is empty: give pairs (weight, loss), as in [(1.0, dice_loss)]")
    for _, loss in terms:
        if isinstance(loss, type) or not callable(loss):
            raise TypeError(
                f"terms hold {loss!r} as a loss, but need pairs (weight, loss) whose loss is a "
                "function or a module made already, as in [(1.0, DiceLoss())]"
            )
    weighted = [weight * loss(logits, labels) for weight, loss in terms]
    return sum(weighted[1:], start=weighted[0])


class WeightedLoss(nn.Module):
    """`combined` as a module; losses that are modules move with it to a device.

    Args:
        terms: Pairs of a weight and a loss, function or module.

    Attributes:
        weights: The weights, a list. Change one between two epochs to let its loss grow.

    Example:
        >>> import torch
        >>> from segtutor.losses import BoundaryLoss, DiceLoss
        >>> loss = WeightedLoss([(1.0, DiceLoss()), (0.01, BoundaryLoss())])
        >>> loss.weights[1] = 0.02  # the next epoch
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        super().__init__()
        terms = list(terms)
        self.weights = [float(weight) for weight, _ in terms]
        self.losses = [loss for _, loss in terms]
        # Registered, so that `.to(device)` reaches their class weights.
        self.modules_among = nn.ModuleList(x for x in self.losses if isinstance(x, nn.Module))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted sum, one number."""
        return combined(logits, labels, list(zip(self.weights, self.losses, strict=True)))

    def __repr__(self) -> str:
        named = (getattr(loss, "__name__", None) or repr(loss) for loss in self.losses)
        terms = zip(self.weights, named, strict=True)
        return f"WeightedLoss({' + '.join(f'{weight:g} · {name}' for weight, name in terms)})"
