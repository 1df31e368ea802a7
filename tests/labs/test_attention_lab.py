"""The bench for attention: real weights, sharp or dull, over the right axis or the wrong one."""

from __future__ import annotations

import pytest
import torch
from IPython.core.formatters import format_display_data

from segtutor import labs
from segtutor.labs.attention import COLUMNS, ROWS


@pytest.fixture
def bench():
    return labs.attention()


@pytest.mark.parametrize("likeness", ["color", "color and place", "place"])
def test_each_place_shares_one_out(bench, likeness):
    bench.likeness.value = likeness
    for sharpness in (0, 3, 10):
        bench.sharpness.value = sharpness
        assert torch.allclose(bench.weights.sum(1), torch.ones(ROWS * COLUMNS), atol=1e-4)
    # Of length one, a key is most like itself.
    assert torch.equal(bench.weights.argmax(1), torch.arange(ROWS * COLUMNS))


def test_the_wrong_axis_sums_to_one_the_other_way(bench):
    bench.wrong.value = True
    assert torch.allclose(bench.weights.sum(0), torch.ones(ROWS * COLUMNS), atol=1e-4)
    assert not torch.allclose(bench.weights.sum(1), torch.ones(ROWS * COLUMNS), atol=0.1)


def test_sharper_looks_lie_in_fewer_places(bench):
    largest = []
    for sharpness in range(11):
        bench.sharpness.value = sharpness
        largest.append(float(bench.weights.max(1).values.mean()))
    assert largest == sorted(largest)
    assert largest[0] == pytest.approx(1 / (ROWS * COLUMNS))
    assert largest[-1] > 0.2


def test_at_no_sharpness_every_place_finds_the_mean(bench):
    bench.sharpness.value = 0
    mean = bench.found.mean((1, 2), keepdim=True)
    assert torch.allclose(bench.found, mean.expand_as(bench.found), atol=1e-5)
    assert "half lies in 192 of 384 places" in bench.view.value


def test_every_place_can_be_picked(bench):
    shown = set()
    for row, column in ((1, 1), (1, COLUMNS), (ROWS, 1), (ROWS, COLUMNS), (8, 12)):
        bench.row.value, bench.column.value = row, column
        shown.add(bench.view.value)
    assert len(shown) == 5


def test_the_stored_output_is_still_and_the_same_every_time():
    def shown() -> str:
        data, _ = format_display_data(labs.attention())
        return str(data) + labs.attention().view.value

    assert shown() == shown()
    assert repr(labs.attention()).startswith("Lab: ")
