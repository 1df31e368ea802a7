"""Train a network that segments: from two data sets to a history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import Dataset

from segtutor.labels import VOID
from segtutor.losses import cross_entropy
from segtutor.metrics import ConfusionMatrix
from segtutor.training.batches import (
    Order,
    Seeded,
    class_names,
    in_order,
    length,
    loader,
    own_randomness,
)
from segtutor.training.checkpoint import load_checkpoint, make_folder, save_checkpoint
from segtutor.training.ema import averaged
from segtutor.training.evaluation import evaluating, num_classes_of, predict
from segtutor.training.history import History
from segtutor.training.loop import PRECISIONS, Loop
from segtutor.training.optimizers import make_optimizer
from segtutor.training.processes import together
from segtutor.training.progress import Progress
from segtutor.training.schedules import Schedule, factors
from segtutor.training.tensorboard import Writer

__all__ = ["fit"]


def fit(
    model: nn.Module,
    train: Dataset,
    val: Dataset | None = None,
    *,
    num_classes: int | None = None,
    epochs: int = 10,
    batch_size: int = 16,
    loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
    optimizer: str | Optimizer = "adamw",
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-2,
    rates: Mapping[str, float] | None = None,
    schedule: Schedule = "one_cycle",
    warm_up: float = 0.0,
    clip_norm: float | None = None,
    auxiliary: float = 0.4,
    precision: str = "float32",
    compile: bool = False,
    channels_last: bool = False,
    accumulate: int = 1,
    ema: float | None = None,
    patience: int | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    workers: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
    pictures: int = 0,
    tensorboard: bool = False,
    ignore_index: int = VOID,
) -> History:
    """Train a model, in place.

    The same seed gives the same weights: the order of the samples, what random transforms draw
    and dropout follow from it, whatever `workers` is; on a CPU bit for bit. Python's, NumPy's and
    PyTorch's own generators are given back as they were, and so is the mode of the model.
    The initial weights are the caller's: `torch.manual_seed` before the model is made.

    Args:
        model: Returns logits (N, C, H, W); in training also {"out": logits, "aux": logits} or
            (logits, more logits). It is moved to the device.
        train: Pairs of a picture (3, H, W), floating, and labels (H, W), all of one size. They
            are shuffled; an incomplete last batch is left out, unless it is the only one.
        val: Pairs to judge each epoch by, of any size; None does without.
        num_classes: C; None takes it from `train.classes` or the model's output.
        epochs: How many times to go through the training data.
        batch_size: Pictures a step; under `torchrun` of all processes together.
        loss: Takes logits, in float32, and labels. A loss that is not the default needs to be
            told of an `ignore_index` other than 255 by you.
        optimizer: "adamw", "sgd" (momentum 0.9, Nesterov), or an optimizer made already, whose
            groups' own learning rates then count.
        learning_rate: The peak; the schedule multiplies it.
        weight_decay: On weights alone, not on biases or normalization: `parameter_groups`.
        rates: Factors on the learning rate of parts of the model, as in {"encoder": 0.1}.
        schedule: "one_cycle", "poly", "cosine", "constant", "plateau", or a function:
            `learning_rates`.
        warm_up: Share of the steps during which the rate grows first.
        clip_norm: The largest norm of the gradient of all parameters together.
        auxiliary: The weight of the loss of a model's further logits.
        precision: "float32", "bfloat16", or, on a GPU, "float16" with a scaled loss. Weights
            and losses stay in float32.
        compile: Use `torch.compile`.
        channels_last: Keep pictures and weights in the layout (N, H, W, C) of memory.
        accumulate: Pass each batch through the model in so many parts: the same training with
            less memory. Exact for a loss that is a mean over judged pixels and a model without
            batch norm, which sees the parts one by one.
        ema: Decay of an exponential moving average of the weights, such as 0.99, which is then
            judged, saved as the best, and in the end put into the model.
        patience: Stop after so many epochs without a better one.
        folder: Where to keep "last.pt", to resume from, and "best.pt", the weights of the best
            epoch: by mean IoU, without validation by the training loss. An earlier training
            there is written over. `load_checkpoint(f"{folder}/best.pt")["model"]` is for
            `model.load_state_dict`.
        resume: Go on from the folder's "last.pt", if there is one, under the same settings.
        seed: The seed of everything random in here.
        workers: Processes that read the training data; 0 reads in this one.
        device: Where to; None takes a GPU if there is one.
        progress: Whether to say how far it is.
        pictures: How many label maps to keep after each epoch, predicted for the first pictures
            of `val` (or `train`).
        tensorboard: Write curves and pictures for TensorBoard, into the folder or "runs".
        ignore_index: The label of void.

    Returns:
        The history; the model is left with the weights of the last step, or their average.

    Raises:
        ValueError, FloatingPointError, RuntimeError: Something does not fit, or a loss is not a
            number. The message says in which epoch and step, which sample, and what to do; the
            model has the weights of the step before, and the checkpoints are whole.

    Example:
        >>> from segtutor.data import Streets
        >>> from segtutor.models import UNet
        >>> model = UNet(8, width=4, depth=1)
        >>> history = fit(model, Streets(8), Streets(4, seed=1), epochs=2, batch_size=4,
        ...               device="cpu", progress=False)
        >>> len(history["val_loss"]), len(history.steps["learning_rate"])
        (2, 4)
    """
    # NumPy's numbers, as a search over settings brings them, do not go into a checkpoint.
    seed, learning_rate, weight_decay = int(seed), float(learning_rate), float(weight_decay)
    rates = {part: float(factor) for part, factor in (rates or {}).items()}
    samples = length(train, "train")
    judged = 0 if val is None else length(val, "val")
    settings = {"epochs": epochs, "batch_size": batch_size, "loss": _name(loss),
                "optimizer": _name(optimizer), "learning_rate": learning_rate,
                "weight_decay": weight_decay, "rates": rates,
                "schedule": _name(schedule), "warm_up": warm_up, "clip_norm": clip_norm,
                "auxiliary": auxiliary, "precision": precision, "channels_last": channels_last,
                "accumulate": accumulate, "ema": ema, "seed": seed, "samples": samples,
                "ignore_index": ignore_index}  # fmt: skip
    _check(settings, val, patience, folder, resume)
    if not callable(loss) or isinstance(loss, type):
        made = f": {loss.__name__}()" if isinstance(loss, type) else ""
        raise TypeError(f"loss={loss!r} has to be a function, or a module that is made{made}")
    if loss is cross_entropy:
        loss = partial(cross_entropy, ignore_index=ignore_index)

    with together(device) as team, own_randomness(team.device), evaluating(model):
        if precision == "float16" and team.device.type == "cpu":
            raise ValueError('precision="float16" needs a GPU: a CPU has "bfloat16"')
        layout = torch.channels_last if channels_last else torch.preserve_format
        model.to(team.device, memory_format=layout)
        if isinstance(loss, nn.Module):
            loss.to(team.device)
        num_classes = num_classes_of(model, train, num_classes, team.device)
        names = class_names(train)
        read = partial(loader, device=team.device, num_classes=num_classes,
                       ignore_index=ignore_index, seed=seed)  # fmt: skip
        order = Order(team, samples, batch_size, seed)
        training = read(train, order, workers=workers)
        if val is not None:
            validation = read(val, in_order(team, judged, batch_size), workers=workers)
        source = Seeded(train if val is None else val, seed)  # as validation reads them
        shown = [source[0, i][1] for i in range(min(pictures, judged or samples))]

        history = History(names)
        optimizer = make_optimizer(optimizer, model, learning_rate, weight_decay, rates)
        rate = factors(schedule, epochs * len(order), warm_up=warm_up)
        average = None if ema is None else averaged(model, ema)
        loop = Loop(model, team, optimizer, rate, loss, history, average, settings, compile)
        last = None if folder is None else Path(folder) / "last.pt"
        if last is not None and team.first:
            make_folder(last.parent)  # what cannot be written fails now, not after an epoch
        if resume and last.exists():
            loop.load_state_dict(load_checkpoint(last, settings=settings))

        with (
            Progress(epochs, len(order), show=progress and team.first) as bar,
            Writer(folder or "runs", on=tensorboard and team.first) as writer,
        ):
            while len(history) < epochs and not (patience and history.waited >= patience):
                order.epoch = len(history) + 1
                row = loop.epoch(training, partial(bar.step, order.epoch))
                if val is not None:
                    row |= loop.judge(
                        validation, ConfusionMatrix(num_classes, ignore_index=ignore_index)
                    )
                history.add(row)
                if shown:
                    history.pictures.append([predict(loop.judged, x).byte() for x in shown])
                bar.epoch(row)
                writer.epoch(row, history, num_classes)
                if last is not None and team.first:
                    if history.waited == 0:  # first: a kill in between costs nothing
                        save_checkpoint(last.with_name("best.pt"), model=loop.judged.state_dict(),
                                        epoch=row["epoch"], mean_iou=row.get("mean_iou"),
                                        classes=names, settings=settings)  # fmt: skip
                    save_checkpoint(last, **loop.state_dict(), classes=names, settings=settings)
        if ema is not None:
            model.load_state_dict(loop.judged.state_dict())
    return history


def _check(settings: Mapping[str, Any], val: Any, patience: Any, folder: Any, resume: bool) -> None:
    """Refuse settings that cannot be meant, before anything starts."""
    for name in ("epochs", "batch_size", "accumulate"):
        if settings[name] < 1:
            raise ValueError(f"{name}={settings[name]} has to be 1 or more")
    if not settings["learning_rate"] > 0:
        raise ValueError(f"learning_rate={settings['learning_rate']} has to be above 0")
    for name, value in {"weight_decay": settings["weight_decay"], **settings["rates"]}.items():
        if value < 0:
            raise ValueError(f"{name}={value} has to be 0 or more")
    if settings["clip_norm"] is not None and settings["clip_norm"] <= 0:
        raise ValueError(f"clip_norm={settings['clip_norm']} has to be above 0; None clips nothing")
    if patience is not None and patience < 1:
        raise ValueError(f"patience={patience} has to be 1 or more; None never stops early")
    if settings["precision"] not in PRECISIONS:
        raise ValueError(
            f"precision={settings['precision']!r} has to be one of {', '.join(PRECISIONS)}"
        )
    if settings["schedule"] == "plateau" and val is None:
        raise ValueError('schedule="plateau" waits for the validation loss: give val')
    if resume and folder is None:
        raise ValueError("resume=True needs the folder that holds last.pt: give folder")


def _name(thing: Any) -> str:
    return thing if isinstance(thing, str) else getattr(thing, "__name__", type(thing).__name__)
