"""The machine code that PyTorch's compiler makes of a network gives its numbers and gradients."""

from __future__ import annotations

import copy
import shutil

import pytest
import torch

from segtutor import models

NETS = {
    "UNet": lambda: models.UNet(5, width=4, depth=1),
    "DeepLabV3": lambda: models.DeepLabV3(
        5, backbone=models.SmallBackbone(width=4, stages=2, output_stride=2), rates=(1, 2), width=8,
        dropout=0.0, attention=models.ChannelAttention,
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))), reason="no C++ compiler here"
)
@pytest.mark.parametrize("name", NETS)
def test_the_compiled_network_is_the_network(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # compiled here, not found
    torch.manual_seed(0)
    # Not an odd size for the U-Net: PyTorch 2.15's compiler fails at the gradient of a padding
    # that replicates, between maps whose channels it has put last.
    plain, x = NETS[name](), torch.rand(2, 3, 48 if name == "UNet" else 45, 64)
    for parameter in plain.parameters():
        if not parameter.any():
            parameter.data.fill_(0.5)  # a gain that begins at 0 hides its block
    compiled = copy.deepcopy(plain)
    torch.compiler.reset()
    run = torch.compile(compiled, fullgraph=True)
    expected, found = plain(x), run(x)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    probe = torch.randn_like(expected) / expected.numel() ** 0.5
    for logits in (expected, found):
        (logits * probe).sum().backward()
    for (key, mine), other in zip(compiled.named_parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine.grad, other.grad, atol=1e-4, rtol=1e-4), key
        assert other.grad.any(), key
