"""What tests of networks share."""

from __future__ import annotations

import pytest
from torch import nn

LARGE = 1_000_000


@pytest.fixture
def no_heads(monkeypatch):
    """Leave large fully connected layers as memory was: a backbone drops them, unread.

    VGG's have 120 million numbers, and drawing them takes longer than most tests.
    """
    reset, normal = nn.Linear.reset_parameters, nn.init.normal_

    def without(self):
        if self.weight.numel() < LARGE:
            reset(self)

    def small_normal(tensor, *settings, **more):
        return tensor if tensor.numel() > LARGE else normal(tensor, *settings, **more)

    monkeypatch.setattr(nn.Linear, "reset_parameters", without)
    monkeypatch.setattr(nn.init, "normal_", small_normal)
