"""The bench of FCN: a coarse grid, filled from the answer in two ways."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor.exercises.fcn.block_vote import block_vote
from segtutor.labs import fcn
from segtutor.labs.fcn import C, block_labels, fitted_scores


def test_blocks_hold_the_majority() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(C, (3, 8, 12), generator=generator)
    labels[torch.rand(3, 8, 12, generator=generator) < 0.3] = 255
    voted = block_labels(labels, 4)
    for one, answer in zip(voted, labels, strict=True):
        assert torch.equal(one, block_vote(answer, 4, C))


def test_fitted_scores_find_a_border_inside_a_cell() -> None:
    """Six columns of one class in two cells of eight: no label can say it, scores can."""
    labels = torch.full((1, 8, 16), 2)
    labels[..., 6:] = 5
    said = F.interpolate(fitted_scores(labels, 8), (8, 16), mode="bilinear").argmax(1)
    assert torch.equal(said, labels)
    assert not torch.equal(block_labels(labels, 8), labels)


def test_void_is_not_judged() -> None:
    labels = torch.full((1, 8, 16), 3)
    labels[..., 8:] = 255
    assert (fitted_scores(labels, 8)[:, :, 0].argmax(1) == 3).all()
    assert fitted_scores(labels, 8).isfinite().all()


@pytest.mark.parametrize("stride", ["1/32", "1/8"])
def test_scores_say_more_than_labels(stride: str) -> None:
    bench = fcn()
    bench.stride.value = stride
    assert bench.scores.mean_iou() > bench.labels.mean_iou() + 0.05


def test_widgets_draw_again_and_always_the_same() -> None:
    bench = fcn()
    first = bench.view.value
    bench.size.value = "128 × 192"
    assert "4×6 labels" in bench.view.value
    assert bench.view.value != first
    bench.size.value = "64 × 96"
    assert bench.view.value == first
    assert "2×3 score vectors" in first
