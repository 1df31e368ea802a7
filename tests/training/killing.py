"""Trainings killed at random moments and resumed, beside one that nobody killed.

`python -m tests.training.killing 10` tries ten moments and says how many ended identically.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

EPOCHS = 20
TIMES = {"seconds", "waiting"}  # columns of the history that no two trainings share
# Everything random that a training has: shuffling, augmentation, dropout, batch norm, EMA.
TRAINING = """
import sys, torch
from torch import nn
from segtutor.training import fit

class Noisy(torch.utils.data.Dataset):
    def __init__(self, tells=False): self.tells = tells
    def __len__(self): return 24
    def __getitem__(self, i):
        if self.tells and i == 0: print("an epoch is judged", flush=True)
        image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(i))
        labels = (image.sum(0) > 1.5).long()
        if torch.rand(()) < 0.5: image, labels = image.flip(-1), labels.flip(-1)
        return image + 0.1 * torch.randn(3, 16, 16), labels

torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Dropout2d(0.2),
    nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 2, 1),
)
print("ready", flush=True)
fit(model, Noisy(), Noisy(tells=True), num_classes=2, epochs=EPOCHS, batch_size=4, ema=0.9,
    seed=1, workers=int(sys.argv[2]), folder=sys.argv[1], resume=True, progress=False, device="cpu")
torch.save(model.state_dict(), sys.argv[1] + "/done.pt")
""".replace("EPOCHS", str(EPOCHS))


def start(folder: Path, workers: int = 0) -> subprocess.Popen[str]:
    """Start or resume the training in a process of its own; return when it begins."""
    command = [sys.executable, "-c", TRAINING, str(folder), str(workers)]
    training = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    training.stdout.readline()
    return training


def finish(training: subprocess.Popen[str]) -> None:
    _, errors = training.communicate(timeout=300)
    if training.returncode:
        raise RuntimeError(errors)


def result(folder: Path) -> dict:
    """What the training left: the weights, and all that its last checkpoint holds."""
    last = torch.load(folder / "last.pt", weights_only=True)
    return {"weights": torch.load(folder / "done.pt", weights_only=True), "last": last}


def same(a: object, b: object) -> bool:
    """Whether two results are equal bit for bit; times are not results."""
    if isinstance(a, torch.Tensor):
        return (
            a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k not in TIMES)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


def killed_and_resumed(
    folder: Path, epoch: int, after: float, workers: int = 0
) -> tuple[bool, int]:
    """Kill a training some seconds after it began to judge an epoch, then let it finish.

    Returns:
        Whether it was still running when it was killed, and how many epochs it had saved.
    """
    training = start(folder, workers)
    for _ in range(epoch):
        training.stdout.readline()
    time.sleep(after)
    running = training.poll() is None
    training.send_signal(signal.SIGKILL)
    training.communicate()
    saved = 0
    if (folder / "last.pt").exists():
        saved = len(torch.load(folder / "last.pt", weights_only=True)["history"]["rows"])
    finish(start(folder, workers))
    return running, saved


def kill_at_random(moments: int, seed: int = 0, workers: int = 0) -> list[tuple[bool, bool, int]]:
    """Try random moments; return for each: identical, was running, epochs saved before."""
    draw = random.Random(seed)
    found = []
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent) / "whole"
        whole.mkdir()
        finish(start(whole, workers))
        expected = result(whole)
        for moment in range(moments):
            folder = Path(parent) / str(moment)
            folder.mkdir()
            # An epoch takes about 0.1 s on a quiet machine: training, judging and saving.
            running, saved = killed_and_resumed(
                folder, draw.randrange(EPOCHS), draw.uniform(0, 0.15), workers
            )
            found.append((same(result(folder), expected), running, saved))
    return found


if __name__ == "__main__":
    tried = kill_at_random(int(sys.argv[1]), workers=int(sys.argv[2]) if sys.argv[2:] else 0)
    for identical, running, saved in tried:
        state = "identical" if identical else "DIFFERENT"
        print(
            f"killed {'with' if running else 'after the end, with'} {saved} epochs saved: {state}"
        )
    print(f"{sum(identical for identical, *_ in tried)} of {len(tried)} identical")
