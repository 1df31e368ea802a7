"""Several processes that train one model: started by `torchrun`, noticed here."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from segtutor.training.transfer import THAWED

__all__ = ["Processes", "together"]

SEEDS_APART = 1_000_003  # so that no epoch of one seed is an epoch of the next
PATIENCE = timedelta(minutes=30)  # the longest that one process waits for the others
# How the two backends say that the connection to another process broke.
LOST = ("Connection closed by peer", "Connection reset", "Broken pipe", "NCCL", "gloo", "Timed out")


@dataclass(frozen=True)
class Processes:
    """The processes that train together, seen from one of them.

    Attributes:
        device: Where this process computes.
        rank: The number of this process, from 0.
        count: How many there are.

    Example:
        >>> alone = Processes(torch.device("cpu"))
        >>> alone.first, alone.share(5), alone.total(2.5, 1)
        (True, range(0, 5), [2.5, 1.0])
        >>> pair = [Processes(torch.device("cpu"), rank, count=2) for rank in (0, 1)]
        >>> [process.batches(samples=6, batch_size=4, seed=0, epoch=1) for process in pair]
        [[[1, 2], [3]], [[5, 0], [4]]]
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one process that prints and writes files."""
        return self.rank == 0

    def batches(
        self, samples: int, batch_size: int, *, seed: int, epoch: int, drop_last: bool = False
    ) -> list[list[int]]:
        """Shuffle the samples for an epoch; return this process's share of each batch.

        The batches of all processes together are those that one process would see, and follow
        from seed and epoch alone: an epoch can be repeated, on any number of processes.

        Args:
            samples: How many samples the data set has.
            batch_size: Samples a step, of all processes together.
            seed: The seed of the training.
            epoch: The number of the epoch.
            drop_last: Leave out a last batch that is smaller. One that is too small to give
                each process a sample is always left out.

        Returns:
            A list of sample numbers for each step: a `batch_sampler` for a `DataLoader`.
        """
        if batch_size < self.count:
            raise ValueError(
                f"batch_size is {batch_size}, but each of {self.count} processes needs a sample "
                "a step: it counts the samples of all processes together"
            )
        generator = torch.Generator().manual_seed(SEEDS_APART * seed + epoch)
        order = torch.randperm(samples, generator=generator)
        needed = batch_size if drop_last else self.count
        return [
            batch[self.rank :: self.count].tolist()
            for batch in order.split(batch_size)
            if len(batch) >= needed
        ]

    def share(self, samples: int) -> range:
        """Return the samples that this process judges: each is one process's, and only one's."""
        return range(self.rank, samples, self.count)

    def weight(self, pixels: Tensor | int) -> Tensor | float:
        """Return what to multiply this process's mean loss by, given its judged pixels.

        `DistributedDataParallel` averages the gradients of the processes. If a process judged
        fewer pixels than another, that mean of means is not the mean over all pixels; with
        this weight it is, for every loss that is a mean over the judged pixels.
        """
        if self.count == 1:
            return 1.0
        mine = torch.as_tensor(pixels, dtype=torch.float64, device=self.device)
        total = mine.clone()
        dist.all_reduce(total)
        return (mine * self.count / total.clamp(min=1)).float()

    def total(self, *numbers: float) -> list[float]:
        """Sum numbers over the processes, each of which has to call this."""
        if self.count == 1:
            return [float(number) for number in numbers]
        sums = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return sums.tolist()

    def wrap(self, model: nn.Module, *, sync_batch_norm: bool = False) -> nn.Module:
        """Return a module whose gradients are averaged over the processes; alone, the model.

        The model shares its weights: save and judge that one.

        Args:
            model: The model, on the device of this process.
            sync_batch_norm: Let batch norm see the batch of all processes, in the model itself,
                under the same names. What is frozen stays frozen. On GPUs alone.
        """
        if self.count == 1:
            return model
        if sync_batch_norm:
            if self.device.type != "cuda":
                raise ValueError(
                    f"sync_batch_norm needs GPUs, but the processes compute on "
                    f"{self.device.type}: leave it out, or take a larger batch a process"
                )
            frozen = [(name, p) for name, p in model.named_modules() if type(p) in THAWED]
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
            for name, part in frozen:
                model.set_submodule(name, part)
        devices = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    def agree(self, model: nn.Module) -> None:
        """Give every process the first one's running statistics of batch norm.

        Each process gathers its own from its share of the batches. Called before the model is
        judged or saved.
        """
        if self.count > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)


@contextmanager
def together(device: str | torch.device | None = None) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, until the program ends; without it, be one.

    Args:
        device: Where to compute; None takes a GPU if there is one, each process its own.

    Raises:
        RuntimeError: Another process failed; that one says what happened.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    count = int(os.environ.get("WORLD_SIZE", 1)) if dist.is_torchelastic_launched() else 1
    joined = dist.is_initialized()
    if not joined and count == 1:
        yield Processes(device)
        return
    if device.type == "cuda":
        device = _own_gpu(int(os.environ.get("LOCAL_RANK", 0)))
    if not joined:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        # Not here but when the program ends: its processes could not meet a second time.
        atexit.register(dist.destroy_process_group)
    rank, count = dist.get_rank(), dist.get_world_size()
    try:
        yield Processes(device, rank, count)
    except BaseException as error:
        if device.type == "cuda":  # NCCL would wait for those who are gone
            atexit.unregister(dist.destroy_process_group)
        if not (isinstance(error, RuntimeError) and any(sign in str(error) for sign in LOST)):
            raise
        raise RuntimeError(
            f"process {rank} of {count} stopped because it lost the others: the message of "
            "another process says why"
        ) from error


def _own_gpu(local_rank: int) -> torch.device:
    """Return the GPU of this process, and make it the current one."""
    gpus = torch.cuda.device_count()
    if local_rank >= gpus:
        raise ValueError(
            f"torchrun started more than {gpus} processes on a machine with {gpus} GPUs: "
            f"take --nproc_per_node={gpus}, or device='cpu'"
        )
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)
