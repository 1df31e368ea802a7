from __future__ import annotations

import pytest
import torch

from segtutor import labs
from segtutor.exercises.unet.merged_cells import merged_cells
from segtutor.labs.unet import blobs_of, drawn, merged, train
from segtutor.models import UNet


@pytest.fixture(scope="module")
def bench():
    return labs.unet()


@torch.no_grad()
def said(bench):
    return bench.net(bench.test[0]).argmax(1)


def test_the_numbers_shown_are_the_network_s(bench):
    _, labels, instances = bench.test
    guess = said(bench)
    expected = sum(
        merged_cells(blobs_of(one), cells) for one, cells in zip(guess, instances, strict=True)
    )
    assert bench.merged == expected
    both, either = ((guess == 1) & (labels == 1)).sum(), ((guess == 1) | (labels == 1)).sum()
    assert bench.iou == pytest.approx((both / either).item())
    assert f"<b>{bench.merged} of {bench.cells}</b>" in bench.view.value


def test_the_widgets_make_the_network_that_they_name(bench):
    bench.skips.value, bench.depth.value = "added", "1"
    assert [up.skips for up in bench.net.decoder] == ["add"]
    bench.skips.value, bench.depth.value = "none", "2"
    assert [up.skips for up in bench.net.decoder] == [None, None]
    bench.skips.value = "concatenated"


def test_seams_count_only_when_they_are_weighed(bench):
    before = said(bench)
    bench.seams.value = "w0 = 10"
    after = said(bench)
    assert not torch.equal(before, after)
    bench.seams.value = "w0 = 0"
    assert torch.equal(said(bench), before)  # the same seed, the same network


def test_training_follows_weights_and_seed():
    images, labels, _ = drawn(8, 1)

    def trained(weights, seed=0):
        torch.manual_seed(0)
        net = UNet(2, in_channels=1, width=2, depth=1)
        return train(net, images, labels, weights, steps=3, seed=seed).head.weight

    ones = torch.ones(labels.shape)
    assert torch.equal(trained(None), trained(ones))
    assert not torch.equal(trained(None), trained(ones + 9 * (labels == 0)))
    assert not torch.equal(trained(None), trained(None, seed=1))


def test_perfect_and_painted_over():
    _, labels, instances = drawn(4, 2)
    assert merged(labels, instances) == 0
    everything = merged(torch.ones_like(labels), instances)
    assert everything == sum(len(one.unique()) - 1 for one in instances)
    assert merged(torch.zeros_like(labels), instances) == 0
