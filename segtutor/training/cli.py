"""Training from the command line: `python -m segtutor.training --data FOLDER --classes 3`."""

from __future__ import annotations

import argparse
import colorsys
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.data import Compose, HorizontalFlip, RandomCrop, Resize
from segtutor.losses import cross_entropy
from segtutor.metrics import ConfusionMatrix
from segtutor.models import UNet
from segtutor.training.arguments import parser
from segtutor.training.checkpoint import load_checkpoint
from segtutor.training.evaluation import predict
from segtutor.training.fit import fit
from segtutor.training.history import History
from segtutor.training.own_folder import Split, balanced, look_through, own_folder, streets
from segtutor.training.processes import Processes, together

__all__ = ["main"]

FEW_STEPS = 300
HINT = """

On the command line values={0: 0, 255: 1} is --values 0:0 255:1, and colors={…} a file for
--classes with a line "r g b name" for each color."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says.

    Returns:
        0 when all is well, 1 when something is wrong with pictures or training, which is then
        said in a sentence. Wrong usage ends the program with 2.
    """
    made = parser()
    options = made.parse_args(arguments)
    if options.data and options.classes is None:
        made.error("--data needs --classes: how many there are, or a file with their names")
    if options.out.exists() and not options.out.is_dir():
        made.error(f"--out {options.out} is a file: name a folder, which is made if need be")
    try:
        with together(options.device) as team:
            _train(options, team)
    except KeyboardInterrupt:
        print("\nstopped; the same command with --resume goes on", file=sys.stderr)
        return 1
    except (ArithmeticError, OSError, RuntimeError, ValueError) as error:
        hint = HINT if "values=" in str(error) or "colors=" in str(error) else ""
        print(f"python -m segtutor.training: {error}{hint}", file=sys.stderr)
        return 1
    return 0


def _train(options: argparse.Namespace, team: Processes) -> None:
    """Train, judge the best weights on whole pictures, and write everything down."""
    out, best = options.out, options.out / "best.pt"
    if (out / "last.pt").exists() and not options.resume:
        raise ValueError(f"{out} has a training: --resume goes on with it, --out starts another")
    if team.first:  # the others wait, so that a folder is looked through, and refused, once
        pictures = _pictures(options)
        if options.data:
            any_size = bool(options.size or options.crop)
            look_through(pictures, anyway=options.anyway, any_size=any_size)
        print(f"{len(pictures.train)} pictures to train on, {len(pictures.val)} of validation, "
              f"{len(pictures.classes)} classes", flush=True)  # fmt: skip
        steps = options.epochs * max(len(pictures.train) // options.batch, 1)
        if steps < FEW_STEPS:
            print(f"{steps} steps in all are few: more --epochs, or a smaller --batch, learn more")
        out.mkdir(parents=True, exist_ok=True)  # fails now rather than after an epoch
    team.total(0)
    if not team.first:
        pictures = _pictures(options)
    classes = pictures.classes
    torch.manual_seed(options.seed)  # crops are drawn alike in each process, and at each start
    loss = balanced(pictures.train, len(classes)) if options.balanced else cross_entropy
    model = UNet(len(classes), width=options.width, depth=options.depth)
    history = fit(
        model, pictures.train, pictures.val, num_classes=len(classes), epochs=options.epochs,
        batch_size=options.batch, loss=loss, learning_rate=options.learning_rate,
        precision=options.precision, folder=out, resume=options.resume, seed=options.seed,
        workers=options.workers, device=options.device,
    )  # fmt: skip
    team.total(0)  # best.pt is written
    model.load_state_dict(load_checkpoint(best)["model"])
    scores = _judge(model, pictures, team, out / "predictions")
    if team.first:
        _write_down(history, options, classes, out / "history.json")
        missed = [name for name, found in zip(classes, scores.recall(), strict=True) if found == 0]
        if missed and not options.balanced:
            scores = f"{scores}\n\nNever found: {', '.join(missed)}. Try --balanced"
        print(f"\nBest was epoch {history.best['epoch']} of {len(history)}. On whole pictures of "
              f"validation its weights score\n\n{scores}\n\nTo use them:\n"
              f"  model = UNet({len(classes)}, width={options.width}, depth={options.depth})\n"
              f'  model.load_state_dict(load_checkpoint("{best}")["model"])')  # fmt: skip


def _pictures(options: argparse.Namespace) -> Split:
    """Find the pictures, and say what becomes of them in training and in validation."""
    resize = [Resize(options.size)] if options.size else []
    crop = [RandomCrop(options.crop)] if options.crop else []
    flip = [] if options.no_flip else [HorizontalFlip()]
    augment, fitting = Compose([*resize, *crop, *flip]), Compose(resize)
    if options.streets:
        return streets(options.streets, augment, fitting)
    return own_folder(options.data, options.classes, augment, fitting,
                      values=dict(options.values) if options.values else None,
                      share=options.val)  # fmt: skip


def _judge(model: UNet, pictures: Split, team: Processes, folder: Path) -> ConfusionMatrix:
    """Predict each picture of validation, enlarge that to the file's size, write and count it."""
    matrix = ConfusionMatrix(len(pictures.classes), class_names=pictures.classes)
    for i in team.share(len(pictures.names)):
        labels = pictures.whole[i][1]
        found = predict(model, pictures.val[i][0]).byte()
        found = F.interpolate(found[None, None], tuple(labels.shape), mode="nearest-exact")[0]
        matrix.update(found, labels[None])
        _write_picture(found[0], folder / f"{pictures.names[i]}.png")
    return matrix.synced() if team.count > 1 else matrix


def _write_picture(labels: Tensor, path: Path) -> None:
    """Write a label map as a palette picture: its numbers are the classes, its colors differ."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.numpy())
    hues = ((i * 0.618 % 1, 0.75, 0.95 - 0.35 * (i % 2)) for i in range(1, 256))
    colors = [round(255 * part) for hue in hues for part in colorsys.hsv_to_rgb(*hue)]
    image.putpalette([0, 0, 0, *colors])
    image.save(path)


def _write_down(history: History, options: Any, classes: Sequence[str], path: Path) -> None:
    """Write the numbers of every epoch; JSON has no NaN, so such a score is null."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(each) for each in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    epochs = [{name: plain(value) for name, value in row.items()} for row in history.table()]
    given = {name: str(value) if isinstance(value, Path) else value
             for name, value in vars(options).items()}  # fmt: skip
    told = {"options": given, "classes": list(classes), "epochs": epochs}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
