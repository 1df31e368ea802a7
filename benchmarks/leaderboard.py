"""Train the small networks of the book alike and compare them: `make leaderboard`.

Each learns Streets-1 with three seeds under one recipe, and is judged on the 200 scenes of the
test split. Scores go into `segtutor/models/weights/leaderboard.json` after every run: stopped, the
command goes on where it was, if no names are given. The weights of the first seed lie beside it,
in half precision, zipped. Then it is measured what each network costs. The page reads it all.

    python -m benchmarks.leaderboard              what is not in the table yet: over an hour for all
    python -m benchmarks.leaderboard unet pspnet  these two anew
    python -m benchmarks.leaderboard --measure    no training: what they cost, in two minutes
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import Dataset
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.alternating import peak_memory, ratios
from segtutor.data import InMemory, streets_1
from segtutor.losses import combined, cross_entropy, lovasz_softmax
from segtutor.metrics import BoundaryScores
from segtutor.models.small_networks import SMALL_NETWORKS, TABLE, small_network
from segtutor.training import evaluate, fit, predict

SEEDS, EPOCHS, BATCH, LEARNING_RATE = (0, 1, 2), 6, 8, 4e-3
# Cars count twice, people and poles five times: they are few. (Streets-1, training split.)
WEIGHT = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 5.0, 5.0])
RECIPE = {
    "epochs": EPOCHS, "batch": BATCH, "learning_rate": LEARNING_RATE, "weight": WEIGHT.tolist(),
}  # fmt: skip
CLASSES, SIZE = len(WEIGHT), (64, 96)
REFERENCE = "unet"  # its time counts as 1
Table = dict[str, dict[str, Any]]


def recipe_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Weighted cross-entropy for a start, Lovász for the mean IoU itself."""
    terms = [(1.0, partial(cross_entropy, weight=WEIGHT)), (1.0, lovasz_softmax)]
    return combined(logits, labels, terms)


def learned(name: str, seed: int, train: Dataset) -> nn.Module:
    """A network after the recipe's training."""
    torch.manual_seed(seed)
    net = small_network(name)
    fit(net, train, epochs=EPOCHS, batch_size=BATCH, learning_rate=LEARNING_RATE,
        loss=recipe_loss, channels_last=True, seed=seed, progress=False)  # fmt: skip
    return net


def scores(net: nn.Module, test: Dataset) -> dict[str, Any]:
    """Mean IoU, and IoU and boundary IoU of every class; the boundary is one pixel wide."""
    matrix = evaluate(net, test, CLASSES)
    bounds = BoundaryScores(num_classes=CLASSES, width=1)
    for image, labels in test:
        bounds.update(predict(net, image[None]), labels[None])
    return {
        "mean_iou": round(matrix.mean_iou(), 4),
        "iou": [round(x, 4) for x in matrix.iou().tolist()],
        "boundary_iou": [round(x, 4) for x in bounds.boundary_iou().tolist()],
    }


def save(net: nn.Module, path: Path) -> None:
    """Write the weights in half precision, zipped; counters stay integers."""
    state = net.state_dict().items()
    half = {key: value.half() if value.is_floating_point() else value for key, value in state}
    file = io.BytesIO()
    torch.save(half, file)
    replace(path, gzip.compress(file.getvalue(), mtime=0))


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a stop at any moment leaves the old one or the new one whole."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def multiply_adds(net: nn.Module) -> int:
    """Of convolutions and matrix products, for one picture."""
    # Fused attention is counted by some versions of PyTorch and not by others.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        net.eval()(torch.zeros(1, 3, *SIZE))
    return counter.get_total_flops() // 2


def training_memory(net: nn.Module) -> int:
    """Bytes that forward and backward pass of one batch hold at once, gradients included."""
    net.train()
    images, labels = torch.rand(BATCH, 3, *SIZE), torch.randint(CLASSES, (BATCH, *SIZE))

    def step() -> None:
        recipe_loss(net(images), labels).backward()
        net.zero_grad()

    return peak_memory(step)


def times(names: list[str]) -> dict[str, float]:
    """The time to predict eight pictures, in turn, as a multiple of the reference's."""
    images = torch.rand(BATCH, 3, *SIZE)
    nets = {name: small_network(name).eval() for name in names}
    with torch.no_grad():
        found = ratios({name: partial(nets[name], images) for name in names}, REFERENCE)
    return {name: round(ratio, 2) for name, ratio in found.items()}


def costs() -> Table:
    """What each network costs, whatever it has learned."""
    time = times(list(SMALL_NETWORKS))
    return {
        name: {
            "parameters": sum(p.numel() for p in small_network(name).parameters()),
            "multiply_adds": multiply_adds(small_network(name)),
            "memory": training_memory(small_network(name)),
            "time": time[name],
        }
        for name in SMALL_NETWORKS
    }


def read() -> Table:
    """The table as far as it is."""
    return json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}


def write(table: Table) -> None:
    """Write the table in the order of the networks."""
    ordered = {name: table[name] for name in SMALL_NETWORKS if name in table}
    replace(TABLE, (json.dumps(ordered, indent=1) + "\n").encode())


def train(names: list[str]) -> None:
    """Train and judge what is not in the table by this recipe, or the networks that are named."""
    table = {name: row for name, row in read().items()
             if name not in names and row["recipe"] == RECIPE}  # fmt: skip
    todo = [(name, seed) for name in names or SMALL_NETWORKS
            for seed in SEEDS[len(table.get(name, {}).get("seeds", [])):]]  # fmt: skip
    if not todo:
        return
    scenes, test = InMemory(streets_1("train")), InMemory(streets_1("test"))
    for name, seed in dict.fromkeys(todo):
        net = learned(name, seed, scenes)
        seeds = table.setdefault(name, {"recipe": RECIPE, "seeds": []})["seeds"]
        seeds.append(scores(net, test))
        print(f"{name:28} seed {seed}   mIoU {seeds[-1]['mean_iou']:.3f}", flush=True)
        if seed == SEEDS[0]:
            save(net, TABLE.with_name(f"{name}.pt.gz"))  # before the table says that it is there
        write(table)


def measure() -> None:
    """Note in the table what each of its networks costs."""
    table = read()
    for name, cost in costs().items():
        if name in table:
            table[name] |= cost
            print(f"{name:28} {cost['parameters']:8,} parameters "
                  f"{cost['multiply_adds'] / 1e6:6.1f} M multiply-adds "
                  f"{cost['memory'] / 1e6:6.1f} MB {cost['time']:5.2f} ×")  # fmt: skip
    write(table)


def main() -> int:
    """Train, judge and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="train these anew")
    parser.add_argument("--measure", action="store_true", help="train nothing")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SMALL_NETWORKS):
        parser.error(f"{unknown.pop()!r} is none of {', '.join(SMALL_NETWORKS)}")
    if asked.measure and asked.names:
        parser.error("--measure measures all: name none")
    torch.set_num_threads(1)
    if not asked.measure:
        train(asked.names)
    measure()
    return 0


if __name__ == "__main__":
    # Comparable everywhere: one thread of a processor, also where there is a GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    sys.exit(main())
