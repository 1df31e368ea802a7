"""Leave the process as it was found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch


@contextmanager
def preserved(seed: int) -> Iterator[None]:
    """Run a block with seeded generators, gradients on and CPU defaults; then put all back."""
    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    gpus = torch.cuda.get_rng_state_all() if cuda else []
    dtype = torch.get_default_dtype()
    # A learner who made the GPU or float64 the default still gets the cases as designed. (The
    # device context is entered only then: it slows down every call of PyTorch.)
    elsewhere = torch.get_default_device().type != "cpu"
    device = torch.device("cpu") if elsewhere else nullcontext()
    try:
        with torch.inference_mode(False), torch.enable_grad(), device:
            torch.set_default_dtype(torch.float32)
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_default_dtype(dtype)
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(gpus)
