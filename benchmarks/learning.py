"""How long Streets-1 takes to learn: `python -m benchmarks.learning` (`make learn`), an hour.

Each row trains on the 800 scenes until the 200 validation scenes are segmented with a mean IoU of
0.80, with three seeds, and writes the book's page. What is compared is the processor time of
training alone, on one thread, without evaluation: unlike the time on the clock, it hardly
changes with what else the machine does.

- *Our recipe* is a schedule of a fixed length; what counts is the shortest, in whole epochs,
  that reaches the goal with every seed.
- *The library's recipe* is that of its documented example for several classes: Adam at 2e-4, a
  cosine of 50 steps, Dice, batches of 32, up to 50 epochs. It may stop after any epoch that
  reaches the goal, and is stopped when it has had more time than the comparison needs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.learning_page import write
from segtutor.data import InMemory, streets_1
from segtutor.losses import combined, cross_entropy, lovasz_softmax
from segtutor.models import UNet
from segtutor.training import evaluate, fit

TARGET, CLASSES, VOID = 0.80, 8, 255
SEEDS = (0, 1, 2)
LATEST = 5.5  # the library's recipe is stopped after so many times our time
# Cars count twice, people and poles five times: they are few. (Streets-1, training split.)
WEIGHT = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 5.0, 5.0])


@dataclass
class Run:
    """One way of learning Streets-1.

    Attributes:
        name: What it is, in a few words.
        seconds: Processor time of training, a number for each seed.
        scores: Mean IoU on the validation scenes when it stopped, for each seed.
        epochs: After how many epochs, for each seed.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)

    @property
    def arrived(self) -> bool:
        """Whether every seed reached the goal."""
        return min(self.scores) >= TARGET

    def add(self, seconds: float, score: float, epochs: int) -> None:
        """Note what one seed did, and say so."""
        self.seconds.append(seconds)
        self.scores.append(score)
        self.epochs.append(epochs)
        print(f"{self.name:44} {epochs:3} epochs {seconds:6.1f} s   mIoU {score:.3f}", flush=True)


def ours() -> nn.Module:
    """The book's network: 0.48 million parameters."""
    return UNet(CLASSES, width=16, depth=3)


def theirs() -> nn.Module:
    """The library's U-Net on an untrained ResNet-18: 14.3 million parameters."""
    return smp.Unet("resnet18", encoder_weights=None, classes=CLASSES)


def our_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Weighted cross-entropy for a start, Lovász for the mean IoU itself."""
    terms = [(1.0, partial(cross_entropy, weight=WEIGHT)), (1.0, lovasz_softmax)]
    return combined(logits, labels, terms)


def our_recipe(
    name: str, network: Callable[[], nn.Module], train: Dataset, val: Dataset,
    *, learning_rate: float, first: int,
) -> Run:  # fmt: skip
    """Train with the shortest schedule that reaches the goal with every seed.

    Args:
        name: What the row is called.
        network: Makes the network.
        train: What to learn from.
        val: What is judged.
        learning_rate: The peak of the one-cycle schedule.
        first: How many epochs to try first.
    """
    for epochs in range(first, first + 8):
        run = Run(name)
        for seed in SEEDS:
            torch.manual_seed(seed)
            model = network()
            begun = time.process_time()
            fit(model, train, epochs=epochs, batch_size=8, learning_rate=learning_rate,
                loss=our_loss, channels_last=True, seed=seed, progress=False)  # fmt: skip
            seconds = time.process_time() - begun
            run.add(seconds, evaluate(model, val).mean_iou(), epochs)
            if run.scores[-1] < TARGET:
                break
        if run.arrived and len(run.scores) == len(SEEDS):
            return run
    raise SystemExit(f"{name}: no schedule of up to {first + 7} epochs reached {TARGET}")


def library_recipe(
    name: str, network: Callable[[], nn.Module], train: Dataset, val: Dataset, *, limit: float
) -> Run:
    """Train as the library's documented example does, until the goal or the limit.

    Args:
        name: What the row is called.
        network: Makes the network.
        train: What to learn from.
        val: What is judged.
        limit: Processor seconds after which it is stopped.
    """
    # What `smp.encoders.get_preprocessing_params` gives for ResNets, once it has asked the network.
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    class Normalized(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            return self.model((x - mean) / std)

    run = Run(name)
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = Normalized(network())
        loss = smp.losses.DiceLoss("multiclass", from_logits=True, ignore_index=VOID)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=1e-5)
        seconds, score, epochs = 0.0, 0.0, 0
        while epochs < 50 and score < TARGET and seconds < limit:
            model.train()
            begun = time.process_time()
            for images, labels in DataLoader(train, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss(model(images), labels).backward()
                optimizer.step()
                schedule.step()
            seconds, epochs = seconds + time.process_time() - begun, epochs + 1
            score = evaluate(model, val).mean_iou()
        run.add(seconds, score, epochs)
    return run


def main() -> int:
    """Run everything, write the page, and say whether both goals are reached."""
    torch.set_num_threads(1)
    begun = time.process_time()
    train, val = InMemory(streets_1("train")), InMemory(streets_1("val"))
    print(f"drawing 1,000 scenes: {time.process_time() - begun:.1f} s")
    best = our_recipe("our network, our recipe", ours, train, val, learning_rate=6e-3, first=2)
    limit = LATEST * max(best.seconds)
    network = our_recipe("the library's network, our recipe", theirs, train, val,
                         learning_rate=3e-3, first=2)  # fmt: skip
    both = library_recipe("the library's network and recipe", theirs, train, val, limit=limit)
    path = our_recipe("ours, every scene drawn anew", ours, streets_1("train"), val,
                      learning_rate=6e-3, first=best.epochs[0])  # fmt: skip
    recipe = library_recipe("our network, the library's recipe", ours, train, val, limit=limit)
    runs = [best, path, network, recipe, both]
    return write(runs, TARGET)


if __name__ == "__main__":
    sys.exit(main())
