"""The inside of `fit`: a step, an epoch, and what has to be kept to go on later."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from segtutor.metrics import ConfusionMatrix
from segtutor.training.batches import Batch, mixed, told
from segtutor.training.evaluation import judge, logits_of
from segtutor.training.history import History
from segtutor.training.processes import Processes
from segtutor.training.schedules import plateau_factor

__all__ = ["PRECISIONS", "Loop"]

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Loop:
    """A training between two steps: the model and all that changes along with it."""

    def __init__(
        self,
        model: nn.Module,
        team: Processes,
        optimizer: Optimizer,
        factors: list[float],
        loss: Callable[[Tensor, Tensor], Tensor],
        history: History,
        average: AveragedModel | None,
        settings: Mapping[str, Any],
        compile: bool,
    ) -> None:
        self.model, self.team, self.optimizer, self.factors = model, team, optimizer, factors
        self.loss, self.history, self.average, self.settings = loss, history, average, settings
        precision = settings["precision"]
        self.dtype = PRECISIONS[precision]
        self.layout = (torch.channels_last if settings["channels_last"]
                       else torch.contiguous_format)  # fmt: skip
        self.scaler = torch.amp.GradScaler(team.device.type, enabled=precision == "float16")
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.network = team.wrap(model)  # shares the model's weights, as does its compiled form
        if compile:
            self.network = torch.compile(self.network)

    @property
    def steps_done(self) -> int:
        """Steps since the start of the training, resumed or not."""
        return len(self.history.steps["loss"])

    def epoch(
        self, batches: DataLoader, after_step: Callable[[int, float], None]
    ) -> dict[str, Any]:
        """Train on every batch once; return the epoch's row of the history."""
        self.model.train()
        buffers = [buffer.clone() for buffer in self.model.buffers()]
        begun, waiting, first = perf_counter(), 0.0, self.steps_done
        reading, step = iter(batches), 0
        while True:
            asked, step = perf_counter(), step + 1
            try:
                found = next(reading, None)
                waiting += perf_counter() - asked
                if found is None:
                    break
                batch = Batch(*found)
                self._refuse(batch)
                self.step(batch)
            except Exception as error:  # also those of the caller's model and loss
                self._stop(error, buffers, f"epoch {len(self.history) + 1}, step {step}")
            after_step(step, self.history.steps["loss"][-1])
        self.team.agree(self.model)
        if self.average is not None:
            self.team.agree(self.average)
        kept = {name: values[first:] for name, values in self.history.steps.items()}
        loss, steps = self.team.total(sum(kept["loss"]), len(kept["loss"]))
        return {
            "epoch": len(self.history) + 1,
            "train_loss": loss / steps,
            "learning_rate": kept["learning_rate"][-1],
            "gradient_norm": sum(kept["gradient_norm"]) / len(kept["gradient_norm"]),
            "seconds": perf_counter() - begun,
            "waiting": waiting,
        }

    def step(self, batch: Batch) -> None:
        """Train on one batch: forward, backward, clip, update."""
        # For dropout.
        torch.manual_seed(mixed(self.settings["seed"], self.steps_done, self.team.rank))
        factor = self.factors[self.steps_done]
        if self.settings["schedule"] == "plateau" and len(self.history):
            factor *= plateau_factor(self.history["val_loss"])
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

        device, total = self.team.device, torch.zeros((), device=self.team.device)
        for images, labels, share, last in self._parts(batch):
            alone = nullcontext() if last or self.team.count == 1 else self.network.no_sync()
            with alone:
                mixed_precision = self.dtype != torch.float32
                with torch.autocast(device.type, self.dtype, enabled=mixed_precision):
                    output = self.network(images)
                loss = self._cost(output, labels) * share
                self.scaler.scale(loss).backward()
            total += loss.detach()

        self.scaler.unscale_(self.optimizer)  # first: the norm is that of the true gradient
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = get_total_norm(gradients)
        if self.settings["clip_norm"] is not None:
            clip_grads_with_norm_(self.model.parameters(), self.settings["clip_norm"], norm)
        value, length = torch.stack([total, norm]).tolist()  # the one wait for a GPU
        self._check_finite(value, length, batch)
        self.scaler.step(self.optimizer)  # leaves out a step that overflowed in float16
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update_parameters(self.model)
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        for name, number in zip(self.history.steps, (value, rate, length), strict=True):
            self.history.steps[name].append(number)

    def judge(self, batches: DataLoader, matrix: ConfusionMatrix) -> dict[str, Any]:
        """Score the model, or its average, on validation data; return columns of the row."""
        cost, pixels = judge(self.judged, batches, matrix, self.team.device, loss=self.loss)
        if self.team.count > 1:
            cost, pixels = self.team.total(cost, pixels)
            matrix = matrix.synced()
        loss = cost / pixels if pixels else math.nan
        return {"val_loss": loss, "mean_iou": matrix.mean_iou(), "iou": matrix.iou().tolist()}

    @property
    def judged(self) -> nn.Module:
        """The model that is scored and kept: the average if there is one."""
        return self.model if self.average is None else self.average.module

    def state_dict(self) -> dict[str, Any]:
        """Return all that the steps to come depend on; the rest follows from the settings."""
        return {
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history.state_dict(),
            "loss": self.loss.state_dict() if isinstance(self.loss, nn.Module) else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        mine, saved = ({name: value.shape for name, value in each.items()}
                       for each in (self.model.state_dict(), state["model"]))  # fmt: skip
        if odd := [name for name in mine | saved if mine.get(name) != saved.get(name)]:
            more = f" and {len(odd) - 1} more" * (len(odd) > 1)
            raise ValueError(f"last.pt holds another model ({odd[0]}{more} differ): build the one "
                             "that was trained, or start afresh in another folder")  # fmt: skip
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.history.load_state_dict(state["history"])
        if isinstance(self.loss, nn.Module):
            self.loss.load_state_dict(state["loss"])

    def _parts(self, batch: Batch) -> Iterator[tuple[Tensor, Tensor, Tensor | float, bool]]:
        """Cut a batch into parts; yield images, labels, share of the loss, and which is last.

        The loss of a part is a mean over its judged pixels. Weighted by how many of the whole
        batch's these are, the parts add up to the mean over the whole batch.
        """
        device = self.team.device
        images = batch.images.to(device, non_blocking=True, memory_format=self.layout)
        labels = batch.labels.to(device, torch.int64, non_blocking=True)
        if self.settings["accumulate"] == 1 and self.team.count == 1:
            yield images, labels, 1.0, True
            return
        number = self.settings["accumulate"]
        parts = list(zip(images.chunk(number), labels.chunk(number), strict=True))
        counts = [(each != self.settings["ignore_index"]).sum() for _, each in parts]
        all_judged = torch.stack(counts).sum()
        weight = self.team.weight(all_judged)
        for i, (part, each) in enumerate(parts):
            share = counts[i] / all_judged.clamp(min=1) * weight
            yield part, each, share, i == len(parts) - 1

    def _cost(self, output: Any, labels: Tensor) -> Tensor:
        """The loss of the logits, and of what the model adds while it trains."""
        logits = [logits_of(output)]
        if isinstance(output, Mapping):
            logits += [more for name, more in output.items() if name != "out"]
        elif isinstance(output, (tuple, list)):
            logits += output[1:]
        # At least float32: the sums of a loss would overflow.
        logits = [each.to(torch.promote_types(each.dtype, torch.float32)) for each in logits]
        loss = self.loss(logits[0], labels)
        if not isinstance(loss, Tensor) or loss.dim():
            what = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise TypeError(f"the loss returns {what}, but has to return one number, a tensor ()")
        for more in logits[1:]:
            loss = loss + self.settings["auxiliary"] * self.loss(more, labels)
        return loss

    def _refuse(self, batch: Batch) -> None:
        if batch.fault:
            raise ValueError(batch.fault)
        if isinstance(batch.images, list):
            shapes = [tuple(image.shape) for image in batch.images]
            first = {shape: batch.indices[shapes.index(shape)] for shape in shapes}
            some = ", ".join(f"sample {i} {shape}" for shape, i in list(first.items())[:4])
            raise ValueError(f"the pictures of a batch differ in size ({some}): crop or resize "
                             "them in the data set's transform, or take batch_size=1")  # fmt: skip

    def _check_finite(self, loss: float, norm: float, batch: Batch) -> None:
        overflows = self.scaler.is_enabled() and self.scaler.get_scale() >= 1
        if math.isfinite(loss) and (math.isfinite(norm) or overflows):
            return
        guilty = [index for index, image in zip(batch.indices, batch.images, strict=True)
                  if not image.isfinite().all()]  # fmt: skip
        broken = f"the gradient's norm is {norm}" if math.isfinite(loss) else f"the loss is {loss}"
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        cure = (
            f"the picture of sample {guilty[0]} is not finite, look at its file"
            if guilty
            else f"the pictures are finite: lower the learning rate (now {rate:.1e}), or set "
            "clip_norm=1.0 or a warm-up"
        )
        raise FloatingPointError(f"{broken}; {cure}. The weights are those before this step")

    def _stop(self, error: Exception, buffers: list[Tensor], where: str) -> None:
        """Leave the model usable; raise an error that says where, and what to do."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            for buffer, before in zip(self.model.buffers(), buffers, strict=True):
                if buffer.is_floating_point() and not buffer.isfinite().all():
                    buffer.copy_(before)  # the running statistics of a broken batch
        kinds = (FloatingPointError, TypeError, ValueError)
        kind = type(error) if type(error) in kinds else RuntimeError
        raise kind(f"{where}: {told(error)}") from error
