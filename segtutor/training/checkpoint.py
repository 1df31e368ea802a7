"""Checkpoints that a crash cannot spoil: tensors and plain values, whole or not there at all."""

from __future__ import annotations

import io
import os
import pickle
import secrets
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["load_checkpoint", "make_folder", "save_checkpoint"]

KIND = "segtutor_checkpoint"  # the key that says that the file is one of ours, and of which version
VERSION = 1
PLAIN = (bool, int, float, str, bytes, type(None))
UNFINISHED = ".partial"


def save_checkpoint(path: str | Path, **values: Any) -> None:
    """Write values to a file that is at every moment the old one or the new one, never a part.

    They go to a file beside it, which is flushed to the disk and then renamed: a rename happens
    wholly or not at all, so that a kill or a power cut costs the newest checkpoint at most.

    Args:
        path: The file; its folder is made if need be.
        **values: What to keep: tensors, numbers, strings, None, and lists, tuples and
            dictionaries of them, such as a `state_dict()`.

    Raises:
        TypeError: A value is something else, which `load_checkpoint` would refuse.
        OSError: The file could not be written, for example because the disk is full. The
            checkpoint that was there before is as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/last.pt", epoch=3, weight=torch.ones(2))
        ...     load_checkpoint(f"{folder}/last.pt")
        {'epoch': 3, 'weight': tensor([1., 1.])}
    """
    path = Path(path)
    for name, value in values.items():
        _check_plain(value, name)
    content = io.BytesIO()
    torch.save({KIND: VERSION, **values}, content)
    # A name of its own: two trainings in one folder must not write into one file.
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(path)
        with open(beside, "wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _flush_folder(path.parent)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} could not be written ({error.strerror}; it needs "
            f"{content.getbuffer().nbytes / 1e6:.1f} MB): make room or choose another folder, "
            "then resume. A checkpoint that was there before is whole",
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder if need be, and find out whether it can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(
            error.errno,
            f"folder={folder} cannot be written to ({error.strerror}): choose another one",
        ) from error


def load_checkpoint(
    path: str | Path, *, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, onto the CPU; no code of the file is ever run.

    Args:
        path: The file.
        settings: What the training is to be continued with. If given, the file's own
            "settings" have to be the same.

    Returns:
        The values by their names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or no checkpoint of this package, or was trained with
            other settings.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {path}: give the file that an earlier training wrote, or "
            "start afresh"
        )
    try:
        # PyTorch itself does not compare the checksums of what it reads.
        spoiled = zipfile.ZipFile(path).testzip()
        values = {} if spoiled else torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds more than tensors and plain values, and reading it could run code: "
            "save the state_dict() of a model, not the model"
        ) from error
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        spoiled = str(error)
    if spoiled:
        raise ValueError(
            f"{path} is damaged ({spoiled.splitlines()[0]}): delete it and start again from "
            "another checkpoint, or afresh"
        )
    if not isinstance(values, dict) or KIND not in values:
        raise ValueError(
            f"{path} is no checkpoint of segtutor: weights from elsewhere are loaded by "
            "model.load_state_dict(torch.load(path, weights_only=True))"
        )
    if values.pop(KIND) > VERSION:
        raise ValueError(f"{path} was written by a newer segtutor: update the package to read it")
    if settings is not None:
        _check_settings(path, values.get("settings", {}), settings)
    return values


def _check_plain(value: Any, name: str) -> None:
    """Raise unless a value can be read back without running code; name is where it stands."""
    if isinstance(value, Tensor) or type(value) in PLAIN:
        return
    if type(value) in (list, tuple):
        for i, item in enumerate(value):
            _check_plain(item, f"{name}[{i}]")
    elif type(value) in (dict, OrderedDict):
        for key, item in value.items():
            _check_plain(key, f"a key of {name}")
            _check_plain(item, f"{name}[{key!r}]")
    else:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(
            f"{name} is {kind}, but a checkpoint holds tensors and plain values alone: turn it "
            "into one, such as float(x), str(x) or x.state_dict()"
        )


def _check_settings(path: Path, saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differing = [
        f"{name} was {saved.get(name)!r}, now {now.get(name)!r}"
        for name in sorted({*saved, *now})
        if saved.get(name) != now.get(name)
    ]
    if differing:
        raise ValueError(
            f"{path} was trained with other settings ({'; '.join(differing)}): resume with the "
            "same ones, or start afresh in another folder"
        )


def _remove_unfinished(path: Path) -> None:
    """Remove what a killed process left of this file."""
    for other in path.parent.iterdir():
        if other.name.startswith(f"{path.name}.") and other.name.endswith(UNFINISHED):
            other.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power cut; only POSIX lets a folder be flushed."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
