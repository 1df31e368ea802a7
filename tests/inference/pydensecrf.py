"""What pydensecrf answers: `python -m tests.inference.pydensecrf` writes it down again.

The library has to be built from source, so it is in no lock file (`pip install -e '.[crf]'`).
Its answers to a few small cases lie beside this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ANSWERS = Path(__file__).with_name("pydensecrf.npz")
# Weak enough that probabilities stay between 0 and 1, where every mistake shows.
WEAK = {"smoothness": 0.5, "smoothness_reach": 2.0, "appearance": 1.0, "appearance_reach": 6.0,
        "color_reach": 13 / 255}  # fmt: skip
STRONG = {**WEAK, "smoothness": 3.0, "appearance": 10.0, "appearance_reach": 20.0}
CASES = {"weak": (4, 11, 17, WEAK), "strong": (3, 16, 9, STRONG), "two": (2, 8, 8, WEAK)}


def case(classes: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noisy logits (C, H, W) and a picture (3, H, W) of a few colors, in steps of 1/255."""
    random = np.random.default_rng(seed)
    true = np.add.outer(np.arange(height) // 4, np.arange(width) // 5) % classes
    colors = random.integers(0, 256, (classes, 3))
    image = (colors[true] + random.integers(-6, 7, (height, width, 3))).clip(0, 255)
    logits = 1.5 * np.eye(classes)[true] + random.standard_normal((height, width, classes))
    as_tensor = [torch.tensor(x, dtype=torch.float32).permute(2, 0, 1) for x in (logits, image)]
    return as_tensor[0], as_tensor[1] / 255


def answer(logits: Tensor, image: Tensor, settings: dict[str, float], iterations: int) -> Tensor:
    """What the library makes of it: probabilities (C, H, W)."""
    from pydensecrf.densecrf import DenseCRF2D

    classes, height, width = logits.shape
    crf = DenseCRF2D(width, height, classes)
    crf.setUnaryEnergy(np.ascontiguousarray(-logits.log_softmax(0).flatten(1).numpy()))
    crf.addPairwiseGaussian(sxy=settings["smoothness_reach"], compat=settings["smoothness"])
    pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    crf.addPairwiseBilateral(
        sxy=settings["appearance_reach"], srgb=255 * settings["color_reach"],
        rgbim=np.ascontiguousarray(pixels), compat=settings["appearance"],
    )  # fmt: skip
    return torch.tensor(np.array(crf.inference(iterations))).view(logits.shape)


if __name__ == "__main__":
    np.savez_compressed(
        ANSWERS,
        **{
            name: answer(*case(*shape), settings, iterations=5).numpy()
            for name, (*shape, settings) in CASES.items()
        },
    )
