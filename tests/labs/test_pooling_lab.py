from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import labs, ops
from segtutor.labs.pooling import AVERAGE, AVERAGE_INSIDE, MAX


@pytest.fixture
def bench():
    return labs.pooling()


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("k", "s", "p"), [(4, 4, 0), (3, 2, 1), (5, 7, 2), (1, 8, 0), (8, 3, 4)])
def test_settings_reach_the_pooling(bench, k, s, p, ceil_mode):
    bench.padding.value = 0
    bench.kernel.value, bench.stride.value, bench.padding.value = k, s, p
    bench.ceil_mode.value = ceil_mode
    settings = {"kernel_size": k, "stride": s, "padding": p, "ceil_mode": ceil_mode}
    assert torch.equal(bench.pooled, F.max_pool2d(bench.picture, **settings))
    rows, columns = (ops.pooled_size(n, k, s, p, ceil_mode=ceil_mode) for n in (120, 180))
    assert f"{rows} × {columns} = <b>{rows * columns:,}</b> numbers" in bench.view.value
    bench.operation.value = AVERAGE
    assert torch.equal(bench.pooled, F.avg_pool2d(bench.picture, **settings))
    bench.operation.value = AVERAGE_INSIDE
    inside = F.avg_pool2d(bench.picture, **settings, count_include_pad=False)
    assert torch.equal(bench.pooled, inside)


def test_the_maxima_return_to_their_pixels(bench):
    assert bench.operation.value == MAX
    kept = bench.back != 0
    assert torch.equal(bench.back[kept], bench.picture[kept])
    assert torch.equal(F.max_pool2d(bench.back, 4), bench.pooled)
    bench.operation.value = AVERAGE
    assert bench.back is None
    assert bench.view.value.count("<img") == 2


def test_a_shift_moves_the_street_and_says_what_changed(bench):
    still, first = bench.pooled, bench.picture
    assert bench.changed == 0
    assert "Shifted" not in bench.view.value
    bench.shift.value = 1
    assert torch.equal(bench.picture[..., :-1], first[..., 1:])
    changed = (bench.pooled != still).float().mean().item()
    assert bench.changed == changed > 0
    assert f"<b>{100 * changed:.2f}".rstrip("0") in bench.view.value
    bench.shift.value = 4  # as far as a window is wide: the windows see what they saw, one further
    assert torch.equal(bench.pooled[..., :-1], still[..., 1:])


def test_too_much_padding_is_explained_and_nothing_breaks(bench):
    bench.kernel.value, bench.padding.value = 2, 4
    assert "at most 1" in bench.view.value
    bench.padding.value = 1
    assert "<img" in bench.view.value


def test_it_is_the_same_at_every_run(bench):
    assert labs.pooling().view.value == bench.view.value
    assert repr(bench).startswith("Lab: max and average pooling")
