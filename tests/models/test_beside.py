"""What `benchmarks.models` times side by side does the same work on both sides."""

from __future__ import annotations

import pytest
import torch

benchmark = pytest.importorskip("benchmarks.models", exc_type=ImportError)  # needs the libraries
CASES = [(pair, 3, 1) for pair in benchmark.networks()]  # with channels and number of inputs
CASES += [(pair, benchmark.CHANNELS, 1) for pair in benchmark.blocks()] + [
    (benchmark.gate(), benchmark.CHANNELS, 2)
]


@pytest.mark.parametrize(
    ("pair", "channels", "inputs"), CASES, ids=[f"{pair[0]}, {pair[2]}" for pair, *_ in CASES]
)
def test_both_sides_have_one_size(pair, channels: int, inputs: int) -> None:
    """A block that works in an eighth of the channels is no peer of one that takes half."""
    _, ours, _, theirs = pair
    with torch.device("meta"):  # shapes without numbers
        nets, x = (ours(), theirs()), torch.zeros(2, channels, 64, 64)
        shapes = [benchmark.last(net(*[x] * inputs)).shape for net in nets]
    assert shapes[0] == shapes[1]
    # Biases that cancel, in front of batch norm and in keys, are not on both sides.
    count, other = (sum(p.numel() for p in net.parameters() if p.dim() > 1) for net in nets)
    assert count == other
