"""From counts to scores: fractions that may be undefined, and the ways to average them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

__all__ = ["ABSENT", "fraction", "mean_over", "to_average"]

ABSENT = {
    "skip": "leave out the classes that are in neither map",
    "zero": "count them as 0",
    "one": "count them as 1",
    "target": "average over the classes of the target alone",
}


def fraction(part: Tensor, whole: Tensor) -> Tensor:
    """Divide counts in float64; 0 / 0 is NaN, silently.

    Example:
        >>> import torch
        >>> fraction(torch.tensor([1, 0]), torch.tensor([2, 0]))
        tensor([0.5000,    nan], dtype=torch.float64)
    """
    return part.double() / whole.double()


def to_average(
    scores: Tensor, counts: Tensor, absent: str, classes: Sequence[int] | None
) -> tuple[Tensor, Tensor]:
    """Say which scores take part in a mean, and with what value.

    A class that is only predicted was never right, so its undefined scores count as 0, unless
    `absent="target"` leaves it out. Where no pixel was judged at all, nothing takes part.

    Args:
        scores: Scores (…, C), NaN where undefined.
        counts: True positives, false positives and false negatives, (3, …, C).
        absent: What becomes of classes in neither map: a key of `ABSENT`.
        classes: The classes to average over; None is all of them.

    Returns:
        The scores without NaN, and 1 where a score takes part, else 0, both (…, classes).
    """
    if absent not in ABSENT:
        choices = "; ".join(f"{name!r}: {meaning}" for name, meaning in ABSENT.items())
        raise ValueError(f"absent={absent!r} has to be one of {choices}")
    tp, fp, fn = counts
    present = tp + fp + fn > 0
    anything = present.any(-1, keepdim=True)
    if absent == "skip":
        takes_part = present
    elif absent == "target":
        takes_part = tp + fn > 0
    else:
        takes_part = anything.expand_as(present)
    filled = scores.nan_to_num(0.0).where(present, 1.0 if absent == "one" else 0.0)
    if classes is not None:
        chosen = _chosen(classes, scores.shape[-1])
        filled, takes_part = filled[..., chosen], takes_part[..., chosen]
    return filled, takes_part.double()


def mean_over(filled: Tensor, takes_part: Tensor, dim: int) -> Tensor:
    """Average what takes part along an axis; NaN where nothing does.

    Example:
        >>> import torch
        >>> mean_over(torch.tensor([1.0, 0.5, 0.0]), torch.tensor([1.0, 1.0, 0.0]), dim=0)
        tensor(0.7500)
    """
    return (filled * takes_part).sum(dim) / takes_part.sum(dim)


def _chosen(classes: Sequence[int], num_classes: int) -> list[int]:
    chosen = [int(index) for index in classes]
    if not chosen or not all(0 <= index < num_classes for index in chosen):
        raise ValueError(
            f"classes={chosen} has to name at least one of the classes 0 to {num_classes - 1}"
        )
    return chosen
