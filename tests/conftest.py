"""What every test relies on: one thread, one seed, no display, no surprise from hypothesis."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# On a busy machine a slow example is no fault. In CI the examples are the same every time;
# at a desk they are new at each run and go on finding things.
# Explaining a failure line by line can take minutes where tensors are involved.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile("desk", deadline=None, phases=PHASES)
settings.register_profile("ci", deadline=None, phases=PHASES, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Make every test's random numbers the same, alone or after others."""
    import torch

    torch.manual_seed(0)
