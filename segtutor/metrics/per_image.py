"""The scores of each picture by itself, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from segtutor.labels import VOID
from segtutor.metrics.counting import class_maps, joint_counts
from segtutor.metrics.gather import gathered
from segtutor.metrics.scores import fraction, mean_over, to_average
from segtutor.metrics.settings import Settings

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

__all__ = ["PerImage"]


class PerImage:
    """Counts of each picture apart, for means over pictures instead of over pixels.

    A small picture weighs as much as a large one, and a class that is in one picture of a
    hundred is judged there alone. The numbers are not those of a `ConfusionMatrix`: say
    which of the two you report. Pictures without a judged pixel take no part in any mean.

    Args:
        num_classes: C; the classes are 0 to C − 1.
        ignore_index: The label of target pixels that are not judged.
        class_names: One name a class; pictures counted under other names are not joined.

    Example:
        >>> import torch
        >>> target = torch.tensor([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
        >>> pred = torch.tensor([[[0, 0, 1, 1]], [[1, 1, 1, 2]]])
        >>> per_image = PerImage(num_classes=4).update(pred, target)
        >>> per_image.iou()
        tensor([[0.6667, 0.5000,    nan,    nan],
                [   nan, 0.7500, 0.0000,    nan]], dtype=torch.float64)
        >>> f"{per_image.mean_iou():.4f}"
        '0.4792'
    """

    def __init__(
        self,
        num_classes: int,
        *,
        ignore_index: int = VOID,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.settings = Settings(num_classes, ignore_index, class_names)
        self.reset()

    def update(self, pred: Tensor, target: Tensor) -> PerImage:
        """Count a batch of pictures.

        Args:
            pred: Predicted labels (N, H, W), or logits (N, C, H, W).
            target: Labels (N, H, W); any integer dtype, any device.

        Returns:
            The counts themselves.
        """
        classes, ignore_index = self.settings.num_classes, self.settings.ignore_index
        pred, target = class_maps(pred, target, classes)
        if target.dim() != 3:
            raise ValueError(
                f"target has shape {tuple(target.shape)}, but has to be (N, H, W) to tell the "
                "pictures apart: pred[None] and target[None] make a batch of one picture"
            )
        parts = []
        for one_pred, one_target in zip(pred, target, strict=True):
            matrix = joint_counts(one_pred, one_target, classes, ignore_index)
            tp, in_target, predicted = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
            parts.append(torch.stack([tp, predicted - tp, in_target - tp])[:, None].cpu())
        self._parts.extend(parts)  # all pictures or, if one has a bad label, none
        return self

    def merge(self, other: PerImage) -> PerImage:
        """Append another object's pictures to these; return the object itself."""
        self.settings.same_as(other.settings)
        self._parts.append(other.counts)
        return self

    def __add__(self, other: PerImage) -> PerImage:
        if not isinstance(other, PerImage):
            return NotImplemented
        return self._like(self.counts).merge(other)

    def synced(self, group: ProcessGroup | None = None) -> PerImage:
        """Return a new object with the pictures of all processes, in the order of their ranks.

        Every process has to call it. A picture that two processes were given counts twice.
        """
        return self._like(torch.cat(gathered(self.counts, group), dim=1))

    def reset(self) -> None:
        """Forget all pictures."""
        nothing = torch.zeros(3, 0, self.settings.num_classes, dtype=torch.int64)
        self._parts = [nothing]

    def state_dict(self) -> dict[str, Any]:
        """Return counts and settings as tensors and plain values, for `torch.save`."""
        return {"counts": self.counts.clone(), **self.settings.as_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over counts that were saved under the same settings."""
        self.settings.same_as(Settings.from_dict(state))
        self._parts = [state["counts"].cpu().clone()]

    @property
    def counts(self) -> Tensor:
        """True positives, false positives and false negatives, (3, images, C), int64."""
        if len(self._parts) > 1:  # joined when asked for, not once a batch
            self._parts = [torch.cat(self._parts, dim=1)]
        return self._parts[0]

    @property
    def tp(self) -> Tensor:
        """True positives, (images, C)."""
        return self.counts[0]

    @property
    def fp(self) -> Tensor:
        """False positives, (images, C)."""
        return self.counts[1]

    @property
    def fn(self) -> Tensor:
        """False negatives, (images, C)."""
        return self.counts[2]

    def __len__(self) -> int:
        return self.counts.shape[1]

    def iou(self) -> Tensor:
        """IoU of each class in each picture, (images, C); NaN for a class in neither map."""
        return fraction(self.tp, self.counts.sum(0))

    def dice(self) -> Tensor:
        """Dice of each class in each picture, (images, C); NaN for a class in neither map."""
        return fraction(2 * self.tp, self.tp + self.counts.sum(0))

    def mean_iou(
        self,
        absent: str = "skip",
        first: str = "classes",
        classes: Sequence[int] | None = None,
    ) -> float:
        """Mean of `iou` over classes and pictures.

        Args:
            absent: What becomes of a class that is in neither map of a picture: "skip" leaves
                it out of that picture, "zero" and "one" count it as 0 or 1. "target" averages
                over the classes of the picture's target alone.
            first: What is averaged first. "classes": a mean for each picture, then their mean.
                "images": a mean for each class over its pictures, then their mean.
            classes: The classes to average over, such as all but the background.

        Returns:
            The mean; NaN if nothing takes part.
        """
        return self._mean(self.iou(), absent, first, classes)

    def mean_dice(
        self,
        absent: str = "skip",
        first: str = "classes",
        classes: Sequence[int] | None = None,
    ) -> float:
        """Mean of `dice` over classes and pictures; arguments as for `mean_iou`."""
        return self._mean(self.dice(), absent, first, classes)

    def micro_iou(self) -> float:
        """Mean over the pictures of each picture's IoU with all its classes summed."""
        return fraction(self.tp.sum(1), self.counts.sum((0, 2))).nanmean().item()

    def __repr__(self) -> str:
        score = f", mean IoU {self.mean_iou():.4f}" if self.counts.any() else ""
        return f"PerImage({self.settings.num_classes} classes, {len(self):,} images{score})"

    def _like(self, counts: Tensor) -> PerImage:
        made = PerImage(**self.settings.as_dict())
        made._parts = [counts.clone()]
        return made

    def _mean(
        self, scores: Tensor, absent: str, first: str, classes: Sequence[int] | None
    ) -> float:
        if first not in ("classes", "images"):
            raise ValueError(f'first={first!r} has to be "classes" or "images"')
        filled, takes_part = to_average(scores, self.counts, absent, classes)
        return mean_over(filled, takes_part, dim=1 if first == "classes" else 0).nanmean().item()
