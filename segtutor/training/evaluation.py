"""What a trained model says of pictures, and how well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from segtutor.labels import VOID
from segtutor.metrics import ConfusionMatrix
from segtutor.training.batches import (
    Batch,
    Seeded,
    class_names,
    in_order,
    length,
    loader,
    named,
    own_randomness,
    sample_fault,
    told,
)
from segtutor.training.processes import together

__all__ = ["evaluate", "evaluating", "judge", "labels_of", "logits_of", "num_classes_of", "predict"]


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    num_classes: int | None = None,
    *,
    batch_size: int = 16,
    device: str | torch.device | None = None,
    workers: int = 0,
    ignore_index: int = VOID,
) -> ConfusionMatrix:
    """Predict a whole data set, in evaluation mode, and count.

    Args:
        model: Returns logits (N, C, H, W). Its mode is put back afterwards.
        dataset: Pairs of a picture (3, H, W) and labels (H, W). Sizes may differ: such a batch
            goes through the model one by one.
        num_classes: C; None takes it from `dataset.classes` or the model's output.
        batch_size: Pictures at a time, in each process.
        device: Where to; None stays where the model is.
        workers: Processes that read the data set; 0 reads in this one.
        ignore_index: The label of void.

    Returns:
        The counts of all pixels; under `torchrun` those of all processes, in each of them.

    Example:
        >>> from segtutor.data import Streets
        >>> from segtutor.models import UNet
        >>> model = UNet(8, width=4, depth=1)
        >>> evaluate(model, Streets(4)).matrix.shape
        torch.Size([8, 8])
    """
    samples = length(dataset, "dataset")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} has to be 1 or more")
    with together(device or _device_of(model)) as team, own_randomness(team.device):
        model.to(team.device)
        num_classes = num_classes_of(model, dataset, num_classes, team.device)
        names = class_names(dataset)
        names = names if names and len(names) == num_classes else None
        matrix = ConfusionMatrix(num_classes, ignore_index=ignore_index, class_names=names)
        batches = in_order(team, samples, batch_size)
        read = loader(dataset, batches, team.device, num_classes=num_classes,
                      ignore_index=ignore_index, seed=0, workers=workers)  # fmt: skip
        judge(model, read, matrix, team.device)
        return matrix.synced() if team.count > 1 else matrix


def predict(model: nn.Module, images: Tensor, *, batch_size: int = 16) -> Tensor:
    """Return the labels that a model gives to pictures, in evaluation mode.

    Args:
        model: Returns logits (N, C, H, W); of one channel, above 0 is class 1. Its mode is put
            back afterwards.
        images: (N, 3, H, W), or one picture (3, H, W); on any device.
        batch_size: Pictures at a time.

    Returns:
        Labels (N, H, W), or (H, W) for one picture; int64, on the pictures' device.

    Example:
        >>> from segtutor.models import UNet
        >>> predict(UNet(8, width=4, depth=1), torch.zeros(2, 3, 16, 24)).shape
        torch.Size([2, 16, 24])
    """
    if images.dim() == 3:
        return predict(model, images[None])[0]
    if images.dim() != 4 or not images.is_floating_point():
        raise ValueError(
            f"images are {images.dtype} {tuple(images.shape)}, but have to be floating "
            "(N, 3, H, W), or one picture (3, H, W)"
        )
    device = _device_of(model)
    with evaluating(model), torch.no_grad():
        found = [labels_of(logits_of(model(part.to(device)))).to(images.device)
                 for part in images.split(batch_size)]  # fmt: skip
    return torch.cat(found) if found else images.new_zeros((0, *images.shape[2:])).long()


def judge(
    model: nn.Module,
    batches: Iterable[tuple[Any, ...]],
    matrix: ConfusionMatrix,
    device: torch.device,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[float, float]:
    """Count the predictions of all batches into a matrix.

    Returns:
        The sum of the loss over all judged pixels, and their number; zeros without a loss.
    """
    total = torch.zeros(2, dtype=torch.float64)  # on the CPU: not every GPU has doubles
    with evaluating(model), _saying_so():
        for found in batches:
            batch = Batch(*found)
            if batch.fault:
                raise ValueError(batch.fault)
            for images, labels in batch.pieces():
                images, labels = images.to(device), labels.to(device)
                with torch.inference_mode():
                    logits = logits_of(model(images))
                    if loss is not None:
                        pixels = (labels != matrix.settings.ignore_index).sum().cpu().double()
                        value = loss(logits, labels.long()).cpu().double()
                        # Nothing judged costs nothing, also for losses that are NaN there.
                        total += torch.stack([value.where(pixels > 0, 0) * pixels, pixels])
                    pred = labels_of(logits)
                matrix.update(pred, labels)
    mean_times_pixels, pixels = total.tolist()
    return mean_times_pixels, pixels


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and every part of it back into its own afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _saying_so() -> Iterator[None]:
    """Say of errors that they came up while evaluating, and what helps."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else RuntimeError
        raise kind(f"while evaluating: {told(error)}") from error


def logits_of(output: Any) -> Tensor:
    """Return the logits among what a model returned: a tensor, {"out": …} or (logits, …)."""
    if isinstance(output, Mapping):
        found = output.get("out")
    else:
        found = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(found, Tensor):
        names = f" with {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
        raise TypeError(
            f"the model returns a {type(output).__name__}{names}, but has to return logits, "
            '{"out": logits, …} or (logits, …)'
        )
    return found


def labels_of(logits: Tensor) -> Tensor:
    """Return labels (N, H, W) for logits (N, C, H, W); one channel is class 1 above 0."""
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)


def num_classes_of(
    model: nn.Module, dataset: Dataset, num_classes: int | None, device: torch.device
) -> int:
    """Return how many classes there are, after a look at what the model makes of a picture."""
    _, image, labels = Seeded(dataset, 0)[0, 0]
    if fault := sample_fault(image, labels, None, VOID):
        raise ValueError(f"{named(dataset, 0)}: {fault}")
    try:
        with evaluating(model), torch.no_grad():
            logits = logits_of(model(image[None].to(device)))
    except RuntimeError as error:
        raise ValueError(
            f"the model cannot take a picture {tuple(image.shape)}: {told(error)}"
        ) from error
    channels = logits.shape[1] if logits.dim() == 4 else 0
    if logits.shape != (1, channels, *image.shape[1:]):
        raise ValueError(
            f"the model returns {tuple(logits.shape)} for a picture {tuple(image.shape)}, but "
            "has to return logits (1, C, H, W) of the picture's size: F.interpolate them"
        )
    names = class_names(dataset)
    if num_classes is None:
        num_classes = len(names) if names else max(channels, 2)
    if channels != num_classes and (channels, num_classes) != (1, 2):
        raise ValueError(
            f"the model tells {channels} classes apart, but the data set has {num_classes}: make "
            f"the model with num_classes={num_classes}, or say which is right by num_classes"
        )
    return num_classes


def _device_of(model: nn.Module) -> torch.device:
    return next((each.device for each in model.parameters()), torch.device("cpu"))
