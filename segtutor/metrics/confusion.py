"""One table of counts, from which every score of a segmentation follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from segtutor.labels import VOID
from segtutor.metrics import report
from segtutor.metrics.counting import class_maps, joint_counts
from segtutor.metrics.gather import gathered
from segtutor.metrics.scores import fraction, mean_over, to_average
from segtutor.metrics.settings import Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch.distributed import ProcessGroup

__all__ = ["ConfusionMatrix"]


class ConfusionMatrix:
    """How often each class of the label maps met each class of the predictions.

    Add batch after batch, then ask for scores. They are those of all pixels together, however
    these were cut into batches and pictures.

    Scores by class are float64 tensors (C,) on the CPU, NaN where undefined; means are Python
    floats. Where nothing was judged every score is NaN.

    Args:
        num_classes: C; the classes are 0 to C − 1.
        ignore_index: The label of target pixels that are not judged.
        class_names: One name a class, for the table and the picture.

    Attributes:
        matrix: The counts (C, C), int64; row = target, column = prediction.

    Example:
        >>> import torch
        >>> cm = ConfusionMatrix(num_classes=2)
        >>> pred = torch.tensor([[[0, 1, 1, 1]]])
        >>> target = torch.tensor([[[0, 0, 1, 255]]])
        >>> cm.update(pred, target).matrix
        tensor([[1, 1],
                [0, 1]])
        >>> cm.iou(), cm.mean_iou()
        (tensor([0.5000, 0.5000], dtype=torch.float64), 0.5)
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

    @classmethod
    def from_counts(
        cls,
        matrix: Tensor | Sequence[Sequence[int]],
        *,
        ignore_index: int = VOID,
        class_names: Sequence[str] | None = None,
    ) -> ConfusionMatrix:
        """Start from counts (C, C) made elsewhere; row = target, column = prediction.

        Example:
            >>> ConfusionMatrix.from_counts([[90, 0], [10, 0]]).pixel_accuracy()
            0.9
        """
        counts = torch.as_tensor(matrix)
        if counts.dim() != 2 or counts.shape[0] != counts.shape[1] or counts.is_floating_point():
            raise ValueError(
                f"matrix is {counts.dtype} of shape {tuple(counts.shape)}, but has to be whole "
                "numbers (C, C): counts of pixels, row = target, column = prediction"
            )
        if (counts < 0).any():
            raise ValueError(f"matrix contains {counts.min()}: counts of pixels start at 0")
        made = cls(len(counts), ignore_index=ignore_index, class_names=class_names)
        made.matrix = counts.long().clone()
        return made

    def update(self, pred: Tensor, target: Tensor) -> ConfusionMatrix:
        """Count a batch.

        Args:
            pred: Predicted labels (N, H, W), or logits (N, C, H, W), of which the largest
                counts; one channel with num_classes=2 is binary: above 0 is class 1.
            target: Labels (N, H, W); any integer dtype, any device.

        Returns:
            The matrix itself.

        Raises:
            TypeError: The target is not made of integers.
            ValueError: Shapes do not fit, or a label is neither a class nor, in the target, void.
        """
        classes, ignore_index = self.settings.num_classes, self.settings.ignore_index
        pred, target = class_maps(pred, target, classes)
        counts = joint_counts(pred, target, classes, ignore_index)
        self.matrix = self.matrix.to(counts.device) + counts
        return self

    def merge(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Add another matrix's counts to these; return the matrix itself."""
        self.settings.same_as(other.settings)
        self.matrix = self.matrix + other.matrix.to(self.matrix.device)
        return self

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        return self._like(self.matrix).merge(other)

    def synced(self, group: ProcessGroup | None = None) -> ConfusionMatrix:
        """Return a new matrix: the exact sum over all processes, each of which has to call it.

        This matrix stays as it is. A picture that two processes were given counts twice.
        """
        return self._like(sum(gathered(self.matrix, group)))

    def reset(self) -> None:
        """Forget all counts."""
        size = self.settings.num_classes
        self.matrix = torch.zeros(size, size, dtype=torch.int64)

    def state_dict(self) -> dict[str, Any]:
        """Return counts and settings as tensors and plain values, for `torch.save`."""
        return {"matrix": self.matrix.clone(), **self.settings.as_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over counts that were saved under the same settings."""
        self.settings.same_as(Settings.from_dict(state))
        self.matrix = state["matrix"].clone()

    @property
    def tp(self) -> Tensor:
        """True positives of each class (C,): pixels of the class that were found."""
        return self.matrix.diagonal().cpu()

    @property
    def fp(self) -> Tensor:
        """False positives (C,): pixels of other classes that were taken for this one."""
        return self.matrix.sum(0).cpu() - self.tp

    @property
    def fn(self) -> Tensor:
        """False negatives (C,): pixels of the class that were missed."""
        return self.matrix.sum(1).cpu() - self.tp

    @property
    def tn(self) -> Tensor:
        """True negatives (C,): pixels that neither are of the class nor were taken for it."""
        return self.matrix.sum().cpu() - self.tp - self.fp - self.fn

    def iou(self) -> Tensor:
        """Intersection over union of each class, TP / (TP + FP + FN).

        0 for a class that is only predicted, NaN for one in neither map.
        """
        return fraction(self.tp, self.tp + self.fp + self.fn)

    def dice(self) -> Tensor:
        """Dice of each class, 2 TP / (2 TP + FP + FN); undefined where `iou` is."""
        return fraction(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def f1(self) -> Tensor:
        """F1 of each class, the harmonic mean of precision and recall: the same as `dice`."""
        return self.dice()

    def precision(self) -> Tensor:
        """How much of what was taken for a class is of it, TP / (TP + FP); NaN if never."""
        return fraction(self.tp, self.tp + self.fp)

    def recall(self) -> Tensor:
        """How much of a class was found, TP / (TP + FN); NaN if the target has none of it."""
        return fraction(self.tp, self.tp + self.fn)

    def accuracy(self) -> Tensor:
        """Pixel accuracy within each class of the target: the same as `recall`."""
        return self.recall()

    def pixel_accuracy(self) -> float:
        """Share of the judged pixels that have the right class."""
        return fraction(self.tp.sum(), self.matrix.sum().cpu()).item()

    def mean_iou(self, absent: str = "skip", classes: Sequence[int] | None = None) -> float:
        """Mean of `iou` over the classes.

        Args:
            absent: What becomes of classes in neither map: "skip" leaves them out, "zero" and
                "one" count them as 0 or 1. "target" averages over the target's classes alone:
                one that is only predicted, elsewhere a 0, is left out too.
            classes: The classes to average over, such as all but the background.

        Returns:
            The mean; NaN if no class takes part.
        """
        return self._mean(self.iou(), absent, classes)

    def mean_dice(self, absent: str = "skip", classes: Sequence[int] | None = None) -> float:
        """Mean of `dice` over the classes; arguments as for `mean_iou`."""
        return self._mean(self.dice(), absent, classes)

    def mean_accuracy(self, absent: str = "target", classes: Sequence[int] | None = None) -> float:
        """Mean of `accuracy` over the target's classes; other `absent` as in `mean_iou`."""
        return self._mean(self.accuracy(), absent, classes)

    def micro_iou(self) -> float:
        """Sum of all classes' intersections over the sum of their unions; large classes rule."""
        return fraction(self.tp.sum(), (self.tp + self.fp + self.fn).sum()).item()

    def frequency_weighted_iou(self) -> float:
        """Mean of `iou`, each class weighted by its share of the target's judged pixels."""
        support = self.tp + self.fn
        weighted = (support * self.iou().nan_to_num(0.0)).sum()
        return fraction(weighted, support.sum()).item()

    def plot(self, ax: Axes | None = None, *, normalize: bool = True) -> Axes:
        """Draw the matrix, in percent of each row or in pixels; `ax=None` makes a figure."""
        return report.plot(self, ax, normalize)

    def __repr__(self) -> str:
        pixels = int(self.matrix.sum())
        score = f", mean IoU {self.mean_iou():.4f}" if pixels else ""
        return f"ConfusionMatrix({self.settings.num_classes} classes, {pixels:,} pixels{score})"

    def __str__(self) -> str:
        return report.text(self)

    def _repr_html_(self) -> str:
        return report.html(self)

    def _like(self, matrix: Tensor) -> ConfusionMatrix:
        made = ConfusionMatrix(**self.settings.as_dict())
        made.matrix = matrix.clone()
        return made

    def _mean(self, scores: Tensor, absent: str, classes: Sequence[int] | None) -> float:
        counts = torch.stack([self.tp, self.fp, self.fn])
        return mean_over(*to_average(scores, counts, absent, classes), dim=-1).item()
