"""Train every small network of the book alike: `python -m benchmarks.leaderboard`.

Each learns Streets-1 with three seeds under one recipe, and is judged on the 200 scenes of the
test split. Scores go into `segtutor/models/weights/leaderboard.json` after every run, so that it
can be stopped and goes on where it was; the weights of the first seed lie beside it, in half
precision. The book's page reads both. Two hours on one core; `NAME …` trains only these again.
"""

from __future__ import annotations

import json
import sys
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from segtutor.data import InMemory, streets_1
from segtutor.losses import combined, cross_entropy, lovasz_softmax
from segtutor.metrics import BoundaryScores
from segtutor.models.trained import FOLDER, SMALL_NETWORKS, small_network
from segtutor.training import evaluate, fit, predict

SEEDS, EPOCHS, BATCH, LEARNING_RATE = (0, 1, 2), 6, 8, 4e-3
# Cars count twice, people and poles five times: they are few. (Streets-1, training split.)
WEIGHT = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 5.0, 5.0])
TABLE = FOLDER / "leaderboard.json"


def recipe_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Weighted cross-entropy for a start, Lovász for the mean IoU itself."""
    terms = [(1.0, partial(cross_entropy, weight=WEIGHT)), (1.0, lovasz_softmax)]
    return combined(logits, labels, terms)


def scores(net: nn.Module, dataset: Dataset) -> dict[str, object]:
    """Mean IoU, IoU and boundary IoU of every class, on a data set."""
    matrix = evaluate(net, dataset, 8)
    bounds = BoundaryScores(num_classes=8, width=1)
    for image, labels in dataset:
        bounds.update(predict(net, image[None]), labels[None])
    return {
        "mean_iou": round(matrix.mean_iou(), 4),
        "iou": [round(x, 4) for x in matrix.iou().tolist()],
        "boundary_iou": [round(x, 4) for x in bounds.boundary_iou().tolist()],
    }


def main() -> int:
    """Train what is not in the table yet, or the networks that are named."""
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    table = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}
    wanted = sys.argv[1:] or [name for name in SMALL_NETWORKS if len(table.get(name, [])) < 3]
    train, test = InMemory(streets_1("train")), InMemory(streets_1("test"))
    for name in wanted:
        table[name] = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            net = small_network(name)
            fit(net, train, epochs=EPOCHS, batch_size=BATCH, learning_rate=LEARNING_RATE,
                loss=recipe_loss, channels_last=True, seed=seed, progress=False)  # fmt: skip
            table[name].append(scores(net, test))
            print(f"{name:28} seed {seed}   mIoU {table[name][-1]['mean_iou']:.3f}", flush=True)
            if seed == SEEDS[0]:
                half = {
                    key: value.half() if value.is_floating_point() else value
                    for key, value in net.state_dict().items()
                }
                torch.save(half, FOLDER / f"{name}.pt")
            TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
