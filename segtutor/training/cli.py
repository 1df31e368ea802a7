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
from segtutor.metrics import ConfusionMatrix
from segtutor.models import UNet
from segtutor.training.checkpoint import load_checkpoint
from segtutor.training.evaluation import predict
from segtutor.training.fit import fit
from segtutor.training.history import History
from segtutor.training.own_folder import Split, look_through, own_folder, streets
from segtutor.training.processes import Processes, together

__all__ = ["main", "parser"]

FEW_STEPS = 300
HINT = """

On the command line values={0: 0, 255: 1} is --values 0:0 255:1, and colors={…} a file for
--classes with a line "r g b name" for each color."""
WHAT = """\
Train a U-Net on your own pictures, and keep the weights that judged best.

FOLDER holds images/ and masks/: a picture and its label map have the same name, apart from the
ending, and the pixels of the label map, a PNG, are the numbers of their classes: 0, 1, 2 …, and
255 for void. Or FOLDER holds train/ and val/, each with images/ and masks/. Without them a
fifth of the pictures is set aside for validation, chosen by their names: always the same ones.
"""
AFTER = """\
examples:
  python -m segtutor.training --streets 200 --epochs 5      without any data: drawn streets
  python -m segtutor.training --data leaves --classes 3
  python -m segtutor.training --data leaves --classes names.txt --size 256 384 --epochs 60
  python -m segtutor.training --data scans --classes 2 --values 0:0 255:1
  python -m segtutor.training --data leaves --classes 3 --resume
  torchrun --nproc_per_node=2 -m segtutor.training --data leaves --classes 3

The folder of --out then has best.pt and last.pt (checkpoints), history.json (the numbers of
every epoch) and predictions/ (a label map, in color, for each picture of validation).
"""


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line, whose help is the manual."""
    made = argparse.ArgumentParser(
        prog="python -m segtutor.training",
        description=WHAT,
        epilog=AFTER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pictures = made.add_argument_group("pictures")
    source = pictures.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FOLDER", help="your pictures, see above")
    source.add_argument("--streets", type=_positive, metavar="N", help="N drawn streets instead")
    size = {"type": _positive, "nargs": 2, "metavar": ("H", "W")}
    for name, given in {
        "--classes": {"metavar": "C", "help": "how many classes; or a text file with a name on "
                      "each line, or, for label maps in color, with r g b name"},
        "--values": {"nargs": "+", "type": _value, "metavar": "V:C", "help": "what the numbers "
                     "in the label maps mean if they are no classes, as in 0:0 255:1"},
        "--size": size | {"help": "bring each picture to this height and width"},
        "--crop": size | {"help": "train on random windows of this size; validation sees the "
                          "whole pictures"},
        "--no-flip": {"action": "store_true", "help": "do not mirror pictures: for those where "
                      "left and right differ in meaning"},
        "--anyway": {"action": "store_true", "help": "train although the inspection found "
                     "problems"},
        "--val": {"type": float, "default": 0.2, "metavar": "SHARE", "help": "how much to set "
                  "aside if there is no val/ (default: 0.2)"},
    }.items():  # fmt: skip
        pictures.add_argument(name, **given)
    loop = made.add_argument_group("training")
    for name, kind, default, words in (
        ("--epochs", _positive, 20, "times to go through the pictures"),
        ("--batch", _positive, 16, "pictures a step, of all processes together"),
        ("--learning-rate", float, 3e-3, "its highest value"),
        ("--width", _positive, 16, "channels of the U-Net at full size"),
        ("--depth", _positive, 3, "how often the U-Net halves the size"),
        ("--seed", int, 0, "of first weights, order and mirroring"),
        ("--workers", int, 0, "further processes that read pictures"),
    ):
        loop.add_argument(name, type=kind, default=default, metavar="X" if kind is float else "N",
                          help=f"{words} (default: {default})")  # fmt: skip
    loop.add_argument(
        "--precision", choices=("float32", "bfloat16", "float16"), default="float32",
        help="the shorter ones save time and memory on a GPU (default: float32)",
    )  # fmt: skip
    loop.add_argument("--device", help="cpu, cuda or mps (default: a GPU if there is one)")
    kept = made.add_argument_group("what is kept")
    kept.add_argument("--out", type=Path, default=Path("run"), help="the folder (default: run)")
    kept.add_argument("--resume", action="store_true", help="go on after an interruption")
    return made


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
    team.total(0)
    if not team.first:
        pictures = _pictures(options)
    classes = pictures.classes
    torch.manual_seed(options.seed)
    model = UNet(len(classes), width=options.width, depth=options.depth)
    history = fit(
        model, pictures.train, pictures.val, num_classes=len(classes), epochs=options.epochs,
        batch_size=options.batch, learning_rate=options.learning_rate,
        precision=options.precision, folder=out, resume=options.resume, seed=options.seed,
        workers=options.workers, device=options.device,
    )  # fmt: skip
    team.total(0)  # best.pt is written
    model.load_state_dict(load_checkpoint(best)["model"])
    scores = _judge(model, pictures, team, out / "predictions")
    if team.first:
        _write_down(history, options, classes, out / "history.json")
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


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} has to be 1 or more")
    return number


def _value(text: str) -> tuple[int, int]:
    value, colon, label = text.partition(":")
    if not (colon and value.isdigit() and label.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} has to be a number, a colon and a class: 255:1")
    return int(value), int(label)
