"""Tiles that fit together: what comes out piece by piece is what comes out at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segtutor.inference import tiled
from segtutor.models import UNet


def seen(net: nn.Module, images: torch.Tensor, **settings: int) -> torch.Tensor:
    with torch.no_grad():
        return tiled(net.eval(), images, **settings)


@pytest.mark.parametrize("size", [(64, 64), (61, 83), (40, 129)])
def test_inside_the_picture_it_is_the_whole_at_once(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(*(nn.Conv2d(c, 4, 3, padding=1) for c in (3, 4, 4))).double()  # sees 7×7
    x = torch.rand(2, 3, *size, dtype=torch.float64)
    whole = net(x)
    inside = (..., slice(3, -3), slice(3, -3))  # at the rim one sees zeros, the other a mirror
    for tile, margin in ((16, 3), (16, 8), (32, 4), (200, 3)):
        pieces = seen(net, x, tile=tile, margin=margin)
        assert pieces.shape == whole.shape
        torch.testing.assert_close(pieces[inside], whole[inside])
    # A margin narrower than what the network sees leaves seams.
    assert (seen(net, x, tile=16, margin=1)[inside] - whole[inside]).abs().max() > 1e-3


def test_an_unpadded_u_net_is_tiled_exactly() -> None:
    torch.manual_seed(0)
    net = UNet(2, in_channels=1, width=4, depth=2, padded=False, normalized=False).double().eval()
    cut = (92 - net.output_size(92)) // 2
    x = torch.rand(1, 1, 52, 76, dtype=torch.float64)
    mirrored = nn.functional.pad(x, (cut,) * 4, mode="reflect")
    mirrored = nn.functional.pad(mirrored, (0, -76 % 52, 0, 0), mode="replicate")
    with torch.no_grad():
        whole = net(mirrored[..., : 52 + 2 * cut])
    for tile in (52, 12):
        pieces = seen(net, x, tile=tile, margin=cut)
        torch.testing.assert_close(pieces[..., :52], whole)


def test_a_plain_picture_stays_plain() -> None:
    torch.manual_seed(0)
    net = UNet(3, width=4, depth=2).eval()
    logits = seen(net, torch.full((1, 3, 90, 70), 0.5), tile=32, margin=32)
    spread = logits.flatten(2).std(dim=2)
    whole = seen(net, torch.full((1, 3, 96, 96), 0.5), tile=96, margin=32)
    middle = whole[..., 40:41, 40:41]
    torch.testing.assert_close(logits[..., 16:17, 16:17], middle, atol=1e-4, rtol=0)
    assert spread.max() < logits.abs().max()


@pytest.mark.parametrize(
    ("shape", "settings", "words"),
    [
        ((3, 8, 8), {}, r"x\[None\]"),
        ((1, 3, 8, 8), {"tile": 0}, "tile=0"),
        ((1, 3, 8, 8), {"margin": -1}, "margin=-1"),
        ((1, 3, 8, 40), {"margin": 8}, "cannot be mirrored so far"),
    ],
)
def test_what_cannot_be_is_said(shape: tuple, settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tiled(nn.Identity(), torch.zeros(shape), **settings)


def test_a_network_that_cuts_off_more_than_the_margin() -> None:
    with pytest.raises(ValueError, match="take a wider margin"):
        tiled(nn.Conv2d(3, 1, 9), torch.zeros(1, 3, 32, 32), tile=16, margin=3)
