"""What the command line of `python -m segtutor.training` can say: its manual."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["parser"]

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
  python -m segtutor.training --data leaves --classes names.txt --size 256 384 --balanced
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
        "--balanced", action="store_true",
        help="a loss that weighs rare classes more: cross-entropy and Lovász-softmax",
    )  # fmt: skip
    loop.add_argument(
        "--precision", choices=("float32", "bfloat16", "float16"), default="float32",
        help="the shorter ones save time and memory on a GPU (default: float32)",
    )  # fmt: skip
    loop.add_argument("--device", help="cpu, cuda or mps (default: a GPU if there is one)")
    kept = made.add_argument_group("what is kept")
    kept.add_argument("--out", type=Path, default=Path("run"), help="the folder (default: run)")
    kept.add_argument("--resume", action="store_true", help="go on after an interruption")
    return made


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
