"""Convolution by hand against PyTorch and SciPy: values, gradients, and refusals."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from segtutor.ops import (
    conv2d,
    conv2d_loops,
    depthwise_separable_conv2d,
    output_size,
    true_conv2d,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # float64: the order of a sum is all that may differ


@st.composite
def convolutions(draw):
    """Any legal call of conv2d, float64: (x, weight, bias, settings), unequal in all axes."""
    groups = draw(st.integers(1, 3))
    seen, per_group = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 7))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    ]
    n = draw(st.integers(1, 3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x = random(n, groups * seen, *size)
    weight = random(groups * per_group, seen, *kernel)
    bias = random(groups * per_group) if draw(st.booleans()) else None
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return x, weight, bias, arguments


@settings(max_examples=400, deadline=None)
@given(convolutions())
def test_vectorized_equals_pytorch(case):
    x, weight, bias, arguments = case
    expected = F.conv2d(x, weight, bias, **arguments)
    torch.testing.assert_close(conv2d(x, weight, bias, **arguments), expected, **EXACT)


@settings(max_examples=25, deadline=None)
@given(convolutions())
def test_loops_equal_vectorized(case):
    x, weight, bias, arguments = case
    x = x[:1]  # one picture: the loops are slow
    expected = conv2d(x, weight, bias, **arguments)
    torch.testing.assert_close(conv2d_loops(x, weight, bias, **arguments), expected, **EXACT)


@settings(max_examples=100, deadline=None)
@given(convolutions())
def test_gradients_equal_pytorch(case):
    x, weight, bias, arguments = case
    leaves = [t.requires_grad_() for t in (x, weight, bias) if t is not None]
    ours = conv2d(x, weight, bias, **arguments)
    theirs = F.conv2d(x, weight, bias, **arguments)
    upstream = torch.randn_like(theirs)
    for mine, reference in zip(
        torch.autograd.grad(ours, leaves, upstream),
        torch.autograd.grad(theirs, leaves, upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, **EXACT)


@pytest.mark.parametrize("function", [conv2d, conv2d_loops, true_conv2d])
def test_gradcheck(function):
    torch.manual_seed(0)
    x = torch.randn(1, 4, 5, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda *tensors: function(*tensors, stride=2, padding=1, dilation=(1, 2), groups=2),
        (x, weight, bias),
    )


@settings(max_examples=100, deadline=None)
@given(convolutions())
def test_output_size_is_pytorchs(case):
    x, weight, bias, arguments = case
    height, width = F.conv2d(x, weight, bias, **arguments).shape[2:]
    by_axis = zip(arguments["stride"], arguments["padding"], arguments["dilation"], strict=True)
    sizes = [
        output_size(n, k, s, p, d)
        for n, k, (s, p, d) in zip(x.shape[2:], weight.shape[2:], by_axis, strict=True)
    ]
    assert sizes == [height, width]


def test_true_convolution_is_scipys_and_cross_correlation_too():
    rng = np.random.default_rng(0)
    for height, width, k_h, k_w in [(5, 7, 3, 3), (9, 6, 2, 4), (4, 4, 4, 1), (11, 3, 5, 3)]:
        x, kernel = rng.normal(size=(height, width)), rng.normal(size=(k_h, k_w))
        x4, kernel4 = torch.from_numpy(x)[None, None], torch.from_numpy(kernel)[None, None]
        np.testing.assert_allclose(conv2d(x4, kernel4)[0, 0], correlate2d(x, kernel, "valid"))
        np.testing.assert_allclose(true_conv2d(x4, kernel4)[0, 0], convolve2d(x, kernel, "valid"))
        full = true_conv2d(x4, kernel4, padding=(k_h - 1, k_w - 1))[0, 0]
        np.testing.assert_allclose(full, convolve2d(x, kernel, "full"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64])
def test_floating_dtypes(dtype):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 4, 7, 5, dtype=dtype), torch.randn(6, 2, 3, 3, dtype=dtype)
    ours = conv2d(x, weight, padding=1, groups=2)
    assert ours.dtype == dtype
    exact = F.conv2d(*(t.to(torch.complex128) for t in (x, weight)), padding=1, groups=2)
    tolerance = 4 * torch.finfo(dtype).eps * exact.abs().max().item()
    assert (ours.to(torch.complex128) - exact).abs().max() <= tolerance


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_integers_are_exact(dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 4, (2, 3, 6, 5), generator=generator, dtype=dtype)
    weight = torch.randint(0, 3, (4, 3, 3, 3), generator=generator, dtype=dtype)
    ours = conv2d(x, weight, stride=2, padding=1)
    assert ours.dtype == dtype
    assert torch.equal(ours.double(), F.conv2d(x.double(), weight.double(), stride=2, padding=1))
    assert torch.equal(conv2d_loops(x, weight, stride=2, padding=1), ours)


def test_views_and_empty_batches():
    x = torch.randn(5, 7, 2, 3).permute(2, 3, 0, 1)  # a channels-last view, not contiguous
    weight = torch.randn(3, 3, 2, 4).transpose(0, 1).contiguous().flip(0)
    torch.testing.assert_close(conv2d(x, weight), F.conv2d(x, weight))
    expanded = torch.randn(1, 3, 1, 7).expand(2, 3, 5, 7)
    torch.testing.assert_close(conv2d(expanded, weight), F.conv2d(expanded, weight))
    assert conv2d(x[:0], weight).shape == (0, 3, 4, 4)


def test_inputs_are_left_alone():
    x, weight, bias = torch.randn(2, 3, 5, 4), torch.randn(4, 3, 3, 3), torch.randn(4)
    copies = [t.clone() for t in (x, weight, bias)]
    for function in (conv2d, conv2d_loops, true_conv2d):
        function(x, weight, bias, padding=1)
        assert all(torch.equal(t, copy) for t, copy in zip((x, weight, bias), copies, strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu():
    x, weight = torch.randn(2, 4, 9, 7).cuda(), torch.randn(6, 2, 3, 3).cuda()
    ours = conv2d(x, weight, stride=2, padding=1, groups=2)
    assert ours.is_cuda
    expected = F.conv2d(x.cpu().double(), weight.cpu().double(), stride=2, padding=1, groups=2)
    torch.testing.assert_close(ours.cpu().double(), expected, rtol=1e-2, atol=1e-2)  # TF32


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)
)
def test_depthwise_separable_is_two_convolutions(c_in, c_out, stride, padding, dilation):
    generator = torch.Generator().manual_seed(c_in + 10 * c_out)
    x = torch.randn(2, c_in, 8, 7, generator=generator, dtype=torch.float64)
    depthwise = torch.randn(c_in, 1, 3, 3, generator=generator, dtype=torch.float64)
    pointwise = torch.randn(c_out, c_in, 1, 1, generator=generator, dtype=torch.float64)
    ours = depthwise_separable_conv2d(
        x, depthwise, pointwise, stride=stride, padding=padding, dilation=dilation
    )
    # The same map is one full convolution with filters of rank one in (channel, place).
    full = pointwise * depthwise[:, 0]  # (C_out, C_in, k, k)
    expected = F.conv2d(x, full, stride=stride, padding=padding, dilation=dilation)
    torch.testing.assert_close(ours, expected, **EXACT)


X, W = torch.zeros(2, 4, 8, 8), torch.zeros(6, 4, 3, 3)


@pytest.mark.parametrize("function", [conv2d, conv2d_loops, true_conv2d])
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((X[0], W), ValueError, ["x has shape (4, 8, 8)", "N, C_in, H, W", "x[None]"]),
        ((X, W[0]), ValueError, ["weight has shape (4, 3, 3)", "weight[None]"]),
        ((X[:, :3], W), ValueError, ["x has 3 channels", "reads 4", "has to be 3"]),
        ((X, W[:, :3]), ValueError, ["x has 4 channels", "reads 3", "has to be 4"]),
        ((X, W, None, 1, 0, 1, 3), ValueError, ["groups=3", "4 input channels", "divisor"]),
        ((X, W[:5, :2], None, 1, 0, 1, 2), ValueError, ["groups=2", "5 output channels"]),
        ((X, W, None, 1, 0, 1, 2), ValueError, ["4 × 2 = 8", "has to be 2"]),
        ((X, W, None, 1, 0, 1, 0), ValueError, ["groups=0", "at least 1"]),
        ((X, W, torch.zeros(5)), ValueError, ["bias has shape (5,)", "needs (6,)"]),
        ((X, W, None, 0), ValueError, ["stride=0", "at least 1"]),
        ((X, W, None, 1, -1), ValueError, ["padding=-1", "at least 0", "slice the input"]),
        ((X, W, None, 1, (0, -2)), ValueError, ["padding=-2"]),
        ((X, W, None, 1, 0, 0), ValueError, ["dilation=0", "at least 1"]),
        ((X, W, None, 1, 0, 4), ValueError, ["spans 9 pixels", "has 8", "pad more"]),
        ((X, W, None, 1.5), TypeError, ["stride=1.5", "whole number"]),
        ((X, W, None, (1, 2, 3)), ValueError, ["stride=(1, 2, 3)", "(vertical, horizontal)"]),
        ((X, W, None, 1, "same"), TypeError, ["padding='same'", "d·(k − 1) // 2"]),
        ((X.double(), W), TypeError, ["float64", "float32", "x.to(weight.dtype)"]),
    ],
)
def test_refusals_name_the_argument_and_the_cure(function, arguments, error, words):
    with pytest.raises(error) as caught:
        function(*arguments)
    for word in words:
        assert word in str(caught.value)


def test_pointwise_filters_have_to_be_one_by_one():
    with pytest.raises(ValueError, match="mixes channels only"):
        depthwise_separable_conv2d(X, torch.zeros(4, 1, 3, 3), torch.zeros(6, 4, 3, 3))
