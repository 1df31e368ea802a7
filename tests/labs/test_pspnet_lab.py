from __future__ import annotations

import pytest
import torch

from segtutor import labs
from segtutor.labs.pspnet import SIDEWALK, drawn, in_windows, near_sighted, train
from segtutor.metrics import ConfusionMatrix


@pytest.fixture(scope="module")
def bench():
    return labs.pspnet()


def test_the_numbers_shown_are_the_network_s(bench):
    images, labels = bench.test
    with torch.no_grad():
        said = bench.net(images).argmax(1)
    assert torch.equal(said, bench.said)
    hit, other = (said == SIDEWALK), (labels == SIDEWALK)
    either = (hit | other) & (labels != 255)
    iou = (hit & other).sum() / either.sum()
    assert bench.counts.iou()[SIDEWALK] == pytest.approx(iou.item())
    assert f"{iou:.2f}".rstrip("0") in bench.view.value


def test_the_widgets_make_the_network_that_they_name(bench):
    bench.bins.value = "none"
    assert bench.net.pyramid.bins == ()
    trained = bench.net
    bench.windows.value = "windows, 48×64"
    assert bench.net is trained  # windows are a question of judging
    images, labels = bench.test
    assert torch.equal(bench.said, in_windows(trained, images, 48, 64).argmax(1))
    cm = ConfusionMatrix(8).update(bench.said, labels)
    assert bench.counts.mean_iou() == cm.mean_iou()
    bench.windows.value, bench.bins.value = "whole picture", "1, 2, 3, 6"
    assert bench.net.pyramid.bins == (1, 2, 3, 6)


def test_windows_are_judged_by_themselves():
    images, _ = drawn(2, 3)
    torch.manual_seed(0)
    pyramid, near = near_sighted((1, 2)).eval(), near_sighted().eval()
    with torch.no_grad():
        whole, corner = pyramid(images), pyramid(images[..., -48:, :64])
        assert torch.equal(in_windows(pyramid, images, 64, 96), whole)
        cut = in_windows(pyramid, images)
        assert cut.shape == (2, 8, 64, 96)
        assert torch.allclose(cut[..., 32:, :48], corner[..., -32:, :48], atol=1e-5)
        assert not torch.allclose(cut, whole, atol=1e-3)
        # Without context only the cuts matter, and they are far enough away.
        assert torch.allclose(in_windows(near, images), near(images), atol=1e-5)
        assert not torch.allclose(in_windows(near, images, 36, 52), near(images), atol=1e-5)


def test_training_follows_its_seed_and_its_steps():
    images, labels = drawn(8, 1)

    def trained(steps=2, seed=0):
        torch.manual_seed(0)
        return train(near_sighted(), images, labels, steps=steps, seed=seed).head[-1].weight

    assert torch.equal(trained(), trained())
    assert not torch.equal(trained(), trained(seed=1))
    assert not torch.equal(trained(), trained(steps=3))


def test_it_says_what_it_is(bench):
    assert repr(bench).startswith("Lab: a near-sighted network")
