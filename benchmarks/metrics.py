"""The confusion matrix beside other libraries': `python -m benchmarks.metrics`.

The goal, with void, at 8×512×512 and 19 classes on one thread: five times as fast as
torchmetrics' default and fifteen times as fast as scikit-learn. Exits with 1 if it is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import segmentation_models_pytorch as smp
import sklearn.metrics
import torch
from torchmetrics.classification import MulticlassConfusionMatrix

from benchmarks.alternating import Row, line, ratios
from segtutor.metrics import ConfusionMatrix

CLASSES, SHAPE, VOID = 19, (8, 512, 512), 0.1
TORCHMETRICS = "torchmetrics MulticlassConfusionMatrix"
SKLEARN = "sklearn confusion_matrix"
GOALS = {TORCHMETRICS: 5.0, SKLEARN: 15.0}


def rows() -> list[Row]:
    """Measure an update from labels of 64 bits and of 8, beside the peers."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        what = f"with void, {'×'.join(map(str, SHAPE))}, {CLASSES} classes, {{}} labels"
        measured = []
        for bits, dtype in (("int64", torch.int64), ("uint8", torch.uint8)):
            pred, target = (each.to(dtype) for each in maps())
            peers = functions(pred, target)
            found = ratios(peers, reference="ours", rounds=10)
            goals = GOALS if dtype == torch.int64 else {}
            measured += [
                Row(what.format(bits), "ConfusionMatrix.update", peer, ratio, goals.get(peer))
                for peer, ratio in found.items()
                if peer != "ours"
            ]
        return measured
    finally:
        torch.set_num_threads(threads)


def maps() -> tuple[torch.Tensor, torch.Tensor]:
    """A target of patches with a tenth of it void, and a prediction that is mostly right."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    patches = torch.randint(0, CLASSES, (SHAPE[0], 32, 32), device=device)
    target = patches.repeat_interleave(16, 1).repeat_interleave(16, 2)
    wrong = torch.rand(SHAPE, device=device) < 0.2
    pred = torch.where(wrong, torch.randint(0, CLASSES, SHAPE, device=device), target)
    target[torch.rand(SHAPE, device=device) < VOID] = 255
    return pred, target


def functions(pred: torch.Tensor, target: torch.Tensor) -> dict[str, Callable[[], object]]:
    """Ours and the peers' ways to the same counts; raises if they differ."""
    cm = ConfusionMatrix(CLASSES)
    theirs = MulticlassConfusionMatrix(CLASSES, ignore_index=255).to(pred.device)
    unchecked = MulticlassConfusionMatrix(CLASSES, ignore_index=255, validate_args=False)
    unchecked = unchecked.to(pred.device)

    def sklearns() -> object:
        keep = target != 255
        maps = target[keep].cpu().numpy(), pred[keep].cpu().numpy()
        return sklearn.metrics.confusion_matrix(*maps, labels=range(CLASSES))

    def smps() -> object:  # true positives and so on, a class and picture
        return smp.metrics.get_stats(
            pred.long(), target.long(), mode="multiclass", num_classes=CLASSES, ignore_index=255
        )

    expected = ConfusionMatrix(CLASSES).update(pred, target).matrix.cpu()
    for peer in (theirs(pred, target).cpu(), torch.as_tensor(sklearns())):
        if not torch.equal(peer, expected):
            raise RuntimeError("the libraries count differently: the speeds cannot be compared")
    return {
        "ours": lambda: cm.update(pred, target),
        TORCHMETRICS: lambda: theirs.update(pred, target),
        f"{TORCHMETRICS}(validate_args=False)": lambda: unchecked.update(pred, target),
        SKLEARN: sklearns,
        "smp get_stats": smps,
    }


def main() -> int:
    """Measure, print, and say whether the goals are reached."""
    measured = rows()
    print(*map(line, measured), sep="\n")
    return 0 if all(row.reached for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
