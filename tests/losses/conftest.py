"""Tests of losses run on every device that is there."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(params=["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def device(request) -> str:
    return request.param
