"""The scores of outlines over a whole data set."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from segtutor.labels import VOID
from segtutor.metrics.boundary import (
    band_counts,
    check_band,
    check_percentile,
    check_tolerance,
    f1_of,
    farthest,
    near_and_all,
)
from segtutor.metrics.gather import gathered
from segtutor.metrics.scores import fraction
from segtutor.metrics.settings import Settings
from segtutor.metrics.surfaces import regions, surface_distances

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

__all__ = ["BoundaryScores"]

SCORES = ("boundary_iou", "boundary_f1", "surface_dice", "hausdorff", "hausdorff_percentile")


class BoundaryScores:
    """Boundary IoU, boundary F1, surface Dice and Hausdorff distances, batch after batch.

    The first three pool the pixels of all pictures seen, as a `ConfusionMatrix` does. A
    distance has no pixels to pool: it is averaged over the pictures in which either map has
    an outline of the class, and is infinite if one of them lacks it in a single picture.

    Args:
        num_classes: C; the classes are 0 to C − 1.
        tolerance: Of boundary F1 and surface Dice, in pixels.
        ratio: Width of boundary IoU's band as a part of the picture's diagonal.
        width: Width of the band in pixels, instead of `ratio`.
        percentile: Of `hausdorff_percentile`.
        ignore_index: The label of target pixels that are not judged.

    Example:
        >>> import torch
        >>> target = torch.zeros(1, 12, 12, dtype=torch.long)
        >>> target[:, 3:9, 3:9] = 1
        >>> scores = BoundaryScores(num_classes=2).update(target.roll(2, dims=2), target)
        >>> scores.hausdorff()
        tensor([2., 2.], dtype=torch.float64)
    """

    def __init__(
        self,
        num_classes: int,
        *,
        tolerance: float = 1.0,
        ratio: float = 0.02,
        width: int | None = None,
        percentile: float = 95.0,
        ignore_index: int = VOID,
    ) -> None:
        check_tolerance(tolerance)
        check_band(ratio, width)
        check_percentile(percentile)
        checked = Settings(num_classes, ignore_index)
        self.settings: dict[str, Any] = {
            "num_classes": checked.num_classes,
            "tolerance": tolerance,
            "ratio": ratio,
            "width": width,
            "percentile": percentile,
            "ignore_index": checked.ignore_index,
        }
        self.reset()

    def update(self, pred: Tensor, target: Tensor) -> BoundaryScores:
        """Measure a batch: predicted labels (N, H, W) or logits (N, C, H, W), and labels.

        Returns:
            The scores themselves.
        """
        classes, tolerance = self.settings["num_classes"], self.settings["tolerance"]
        maps = regions(pred, target, classes, self.settings["ignore_index"])
        images = len(maps[0])
        self._bands = self._bands + band_counts(
            *maps, classes, self.settings["ratio"], self.settings["width"]
        ).sum(0)
        near = torch.zeros(classes, 4, dtype=torch.int64)
        parted = torch.full((2, images, classes), math.nan, dtype=torch.float64)
        for image, index, *both in surface_distances(*maps, classes):
            near[index] += near_and_all(both, tolerance)
            for kind, percentile in enumerate((100.0, self.settings["percentile"])):
                parted[kind, image, index] = max(farthest(d, percentile) for d in both)
        self._near = self._near + near
        self._parted = torch.cat([self._parted, parted], dim=1)
        return self

    def merge(self, other: BoundaryScores) -> BoundaryScores:
        """Add what another object measured; return the object itself."""
        self._same(other.settings)
        return self._take(
            self._bands + other._bands,
            self._near + other._near,
            torch.cat([self._parted, other._parted], dim=1),
        )

    def __add__(self, other: BoundaryScores) -> BoundaryScores:
        if not isinstance(other, BoundaryScores):
            return NotImplemented
        return BoundaryScores(**self.settings).merge(self).merge(other)

    def synced(self, group: ProcessGroup | None = None) -> BoundaryScores:
        """Return a new object with what all processes measured; each of them has to call it."""
        return BoundaryScores(**self.settings)._take(
            sum(gathered(self._bands, group)),
            sum(gathered(self._near, group)),
            torch.cat(gathered(self._parted, group), dim=1),
        )

    def reset(self) -> None:
        """Forget everything measured."""
        classes = self.settings["num_classes"]
        self._bands = torch.zeros(classes, 2, dtype=torch.int64)  # intersection, union
        self._near = torch.zeros(classes, 4, dtype=torch.int64)  # near and all, both edges
        self._parted = torch.zeros(2, 0, classes, dtype=torch.float64)  # distances by image

    def state_dict(self) -> dict[str, Any]:
        """Return measurements and settings as tensors and plain values, for `torch.save`."""
        measured = {"bands": self._bands, "near": self._near, "parted": self._parted}
        return {**{name: value.clone() for name, value in measured.items()}, **self.settings}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over measurements that were saved under the same settings."""
        self._same({name: state[name] for name in self.settings})
        self._take(*(state[name].cpu().clone() for name in ("bands", "near", "parted")))

    def boundary_iou(self) -> Tensor:
        """Boundary IoU of each class (C,), over the pixels of all pictures."""
        return fraction(self._bands[:, 0], self._bands[:, 1])

    def boundary_f1(self) -> Tensor:
        """Boundary F1 of each class (C,), over the edge pixels of all pictures."""
        return f1_of(self._near)

    def surface_dice(self) -> Tensor:
        """Surface Dice of each class (C,), over the edge pixels of all pictures."""
        near = self._near
        return fraction(near[:, 0] + near[:, 2], near[:, 1] + near[:, 3])

    def hausdorff(self) -> Tensor:
        """Hausdorff distance of each class (C,), in pixels, mean over the pictures."""
        return self._parted[0].nanmean(0)

    def hausdorff_percentile(self) -> Tensor:
        """The same at the percentile that was chosen, 95 unless told."""
        return self._parted[1].nanmean(0)

    def mean(self, score: str) -> float:
        """Mean over the classes that have an outline; `score` is the name of a method above."""
        if score not in SCORES:
            raise ValueError(f"score={score!r} has to be one of {', '.join(SCORES)}")
        return getattr(self, score)().nanmean().item()

    def _same(self, settings: dict[str, Any]) -> None:
        for name, mine in self.settings.items():
            if mine != settings[name]:
                raise ValueError(
                    f"{name} is {mine} here, but {settings[name]} in the other scores: they "
                    "measure different things and cannot be joined"
                )

    def _take(self, bands: Tensor, near: Tensor, parted: Tensor) -> BoundaryScores:
        self._bands, self._near, self._parted = bands, near, parted
        return self
