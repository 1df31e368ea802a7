"""From a data set to batches: seeded sample by sample, and looked at before they are used."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from segtutor.labels import check_labels
from segtutor.training.processes import Processes

__all__ = ["Batch", "Order", "Seeded", "class_names", "in_order", "length", "loader", "mixed",
           "named", "own_randomness", "sample_fault"]  # fmt: skip

CURES = {
    "Expected more than 1 value per channel": "batch norm has one value to normalize: take a "
    "larger batch_size, larger pictures, or freeze(model)",
    "DataLoader worker": "a process that read data died, most often for want of memory: take "
    "fewer workers; workers=0 shows its own error",
    "Input type": "pictures and weights differ in precision: `image.float()` in the data set",
    "Target 255 is out": "the loss does not know void: nn.CrossEntropyLoss(ignore_index=255)",
    "does not require grad": "the loss has lost its way to the weights: no `.item()`, `.detach()`, "
    "NumPy or `argmax` in model and loss",
    "out of memory": "take a smaller batch_size, or accumulate=2 or more",
}
Sample = tuple[int, Tensor, Tensor]


@dataclass(frozen=True)
class Batch:
    """What a step sees, or, if that cannot be one tensor, why not.

    Attributes:
        indices: The samples' places in the data set.
        images: (N, C, H, W), or a list of (C, H, W) whose sizes differ.
        labels: (N, H, W), or a list.
        fault: What is wrong with a sample, and with which; empty if nothing is.
    """

    indices: list[int]
    images: Tensor | list[Tensor]
    labels: Tensor | list[Tensor]
    fault: str = ""

    def pieces(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (N, C, H, W) and (N, H, W): all at once, or one by one if their sizes differ."""
        if isinstance(self.images, Tensor):
            yield self.images, self.labels
        else:
            for image, labels in zip(self.images, self.labels, strict=True):
                yield image[None], labels[None]


@dataclass
class Order:
    """The samples of each step of an epoch: what a `DataLoader` calls a batch sampler.

    An incomplete last batch is left out, for the order is another one in each epoch; unless it
    is the only one.
    """

    team: Processes
    samples: int
    batch_size: int
    seed: int
    epoch: int = 1

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        whole = self.samples >= self.batch_size
        batches = self.team.batches(
            self.samples, self.batch_size, seed=self.seed, epoch=self.epoch, drop_last=whole
        )
        return ([(self.epoch, index) for index in batch] for batch in batches)

    def __len__(self) -> int:
        return max(self.samples // self.batch_size, 1)


def in_order(team: Processes, samples: int, batch_size: int) -> list[list[tuple[int, int]]]:
    """Return every sample of this process once, as `Order` gives them, for judging."""
    mine = [(0, index) for index in team.share(samples)]
    return [mine[i : i + batch_size] for i in range(0, len(mine), batch_size)]


@dataclass
class Seeded(Dataset):
    """Reads a sample under a seed of its own: the same in any order, process and worker."""

    dataset: Dataset
    seed: int

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        epoch, index = key
        seed = mixed(self.seed, epoch, index)
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            sample = self.dataset[index]
        except Exception as error:
            raise RuntimeError(f"{named(self.dataset, index)} cannot be read: {error}") from error
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            told = f" of {len(sample)}" if isinstance(sample, (tuple, list)) else ""
            raise TypeError(
                f"{named(self.dataset, index)} is a {type(sample).__name__}{told}, but has to be "
                "a pair, picture and labels: `return image, labels` in the data set"
            )
        return index, *sample


@dataclass
class _Collate:
    """Stacks samples, after a look at them, in the process that read them.

    What it returns goes from process to process: the plain values of a `Batch`.
    """

    dataset: Dataset
    num_classes: int | None
    ignore_index: int

    def __call__(self, samples: Sequence[Sample]) -> tuple[Any, ...]:
        indices, images, labels = map(list, zip(*samples, strict=True))
        for index, image, each in samples:
            if fault := sample_fault(image, each, self.num_classes, self.ignore_index):
                return indices, [], [], f"{named(self.dataset, index)}: {fault}"
        if len({image.shape for image in images}) == 1:
            return indices, torch.stack(images), torch.stack(labels)
        return indices, images, labels


def loader(
    dataset: Dataset,
    batches: Order | list[list[tuple[int, int]]],
    device: torch.device,
    *,
    num_classes: int | None,
    ignore_index: int,
    seed: int,
    workers: int,
) -> DataLoader:
    """Read a data set by other processes, or, with workers=0, by this one."""
    return DataLoader(
        Seeded(dataset, seed),
        batch_sampler=batches,
        collate_fn=_Collate(dataset, num_classes, ignore_index),
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # or each epoch would draw from the global one
    )


def mixed(*numbers: int) -> int:
    """Return a seed made of several numbers, as good as a random one; 63 bits."""
    return int.from_bytes(blake2b(repr(numbers).encode(), digest_size=8).digest(), "big") >> 1


@contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """Give the global random generators back as they were."""
    states = random.getstate(), np.random.get_state()
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def length(dataset: Any, name: str) -> int:
    """Return how many samples there are, of something that `fit` can read."""
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        cure = f": give {name}.dataset, the batches are made here" * hasattr(dataset, "dataset")
        raise TypeError(
            f"{name} is {type(dataset).__name__}, but has to be a data set that knows its length "
            f"and gives each sample by its index, as a torch.utils.data.Dataset does{cure}"
        )
    if len(dataset) == 0:
        raise ValueError(f"{name} is empty: look at the folder and the split that it reads")
    return len(dataset)


def named(dataset: Any, index: int) -> str:
    """Say which sample is meant, with its files if the data set knows them."""
    place = index
    while hasattr(dataset, "dataset") and not hasattr(dataset, "paths"):
        if hasattr(dataset, "indices"):  # a Subset
            place = dataset.indices[place]
        dataset = dataset.dataset
    if not hasattr(dataset, "paths"):
        return f"sample {index}"
    return f"sample {index} ({', '.join(str(path) for path in dataset.paths(place))})"


def told(error: Exception) -> str:
    """Return what an error says, and what helps; a reader's trace is in the chain of causes."""
    text = str(error)
    if text.startswith("Caught "):  # in a worker, followed by all that it printed
        text = text.strip().splitlines()[-1].partition(": ")[2]
    cure = next((f": {cure}" for sign, cure in CURES.items() if sign in text), "")
    return text + cure


def class_names(dataset: Any) -> list[str] | None:
    """Return the names of the classes that a data set knows of."""
    while hasattr(dataset, "dataset") and not hasattr(dataset, "classes"):
        dataset = dataset.dataset
    classes = getattr(dataset, "classes", None)
    return None if classes is None else [str(name) for name in classes]


def sample_fault(image: Any, labels: Any, num_classes: int | None, ignore_index: int) -> str:
    """Say what is wrong with a sample, and what to do; nothing if nothing is."""
    if not isinstance(image, Tensor) or not isinstance(labels, Tensor):
        kinds = f"{type(image).__name__} and {type(labels).__name__}"
        return (
            f"picture and labels are {kinds}, but have to be two tensors: torch.from_numpy, or "
            "v2.functional.to_image of torchvision"
        )
    kind = f"{image.dtype} {tuple(image.shape)}"
    if image.dim() != 3 or not image.is_floating_point():
        cure = ": image.float() / 255" * (image.dtype == torch.uint8)
        return f"the picture is {kind}, but has to be floating (C, H, W){cure}"
    if labels.shape != image.shape[1:]:
        cure = ": labels.squeeze(0)" * (labels.shape == (1, *image.shape[1:]))
        return f"labels {tuple(labels.shape)} do not fit the picture, {kind}{cure}"
    try:
        if num_classes is not None:
            check_labels(labels, num_classes, ignore_index)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""
