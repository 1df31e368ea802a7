"""Label maps to score, on every device that is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
Maps = Callable[..., tuple[Tensor, Tensor]]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def maps() -> Maps:
    """Make a prediction and a target with void in it; half of the pixels are right."""

    def make(
        classes: int = 5, shape: tuple[int, ...] = (3, 17, 23), void: float = 0.15
    ) -> tuple[Tensor, Tensor]:
        target = torch.randint(0, classes, shape)
        pred = torch.where(torch.rand(shape) < 0.5, target, torch.randint(0, classes, shape))
        target[torch.rand(shape) < void] = 255
        return pred, target

    return make
