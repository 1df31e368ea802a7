"""Sizes and costs, counted independently."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segtutor.ops import conv_cost, effective_kernel, output_size


@given(
    st.integers(1, 60), st.integers(1, 7), st.integers(1, 4), st.integers(0, 4), st.integers(1, 4)
)
def test_output_size_counts_the_windows(n, kernel, stride, padding, dilation):
    # Slide a window by hand: a position counts if all its taps lie inside the padded axis.
    taps = [dilation * tap for tap in range(kernel)]
    starts = [a for a in range(0, n + 2 * padding, stride) if a + taps[-1] < n + 2 * padding]
    assert effective_kernel(kernel, dilation) == taps[-1] + 1
    if starts:
        assert output_size(n, kernel, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="pad more"):
            output_size(n, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [((32, 3, 1, 1), 32), ((5, 2, 2), 2), ((32, 3, 1, 1, 2), 30), ((32, 3, 1, 2, 2), 32)],
)
def test_output_size_of_famous_cases(arguments, size):
    assert output_size(*arguments) == size


@pytest.mark.parametrize(
    ("c_in", "c_out", "kernel", "groups", "bias"),
    [(3, 8, 3, 1, True), (16, 32, 5, 1, False), (12, 24, 3, 4, True), (16, 16, 7, 16, False)],
)
def test_costs_are_those_of_the_module_and_of_pytorchs_counter(c_in, c_out, kernel, groups, bias):
    module = nn.Conv2d(c_in, c_out, kernel, groups=groups, bias=bias, stride=2, padding=1)
    with FlopCounterMode(display=False) as counter:
        height, width = module(torch.zeros(1, c_in, 33, 20)).shape[2:]
    cost = conv_cost(c_in, c_out, kernel, height, width, groups=groups, bias=bias)
    assert cost.parameters == sum(p.numel() for p in module.parameters())
    assert 2 * cost.multiply_adds == counter.get_total_flops()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 3), "spans 3 pixels"),
        ((8, 0), "kernel=0"),
        ((8, 3, 0), "stride=0"),
        ((8, 3, 1, -1), "padding=-1"),
        ((8, 3, 1, 0, 0), "dilation=0"),
        ((-1, 3), "n=-1"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ValueError, match=words):
        output_size(*arguments)


def test_costs_refuse_groups_that_do_not_divide():
    with pytest.raises(ValueError, match="groups=3 does not divide the 16 input channels"):
        conv_cost(16, 32, 3, 8, 8, groups=3)
    with pytest.raises(TypeError, match="whole number"):
        output_size(8.0, 3)
