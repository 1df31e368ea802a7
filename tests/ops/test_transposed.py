"""Transposed convolution by hand: PyTorch's, and the transpose of a convolution."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segtutor.ops import (
    conv2d,
    conv_transpose2d,
    conv_transpose2d_loops,
    conv_transpose_size,
    convolution_matrix,
    output_size,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # float64: the order of a sum is all that may differ


@st.composite
def stampings(draw):
    """Any legal call of conv_transpose2d, float64: (x, weight, bias, arguments)."""
    groups = draw(st.integers(1, 3))
    seen, each = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    extra = tuple(
        draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
    )
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    padding = []
    for n, k, s, d, o in zip(size, kernel, stride, dilation, extra, strict=True):
        stamped = (n - 1) * s + d * (k - 1) + 1 + o
        padding.append(draw(st.integers(0, min(3, (stamped - 1) // 2))))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x = random(draw(st.integers(1, 3)), groups * seen, *size)
    weight = random(groups * seen, each, *kernel)
    bias = random(groups * each) if draw(st.booleans()) else None
    arguments = {
        "stride": stride,
        "padding": tuple(padding),
        "output_padding": extra,
        "groups": groups,
        "dilation": dilation,
    }
    return x, weight, bias, arguments


@settings(max_examples=400, deadline=None)
@given(stampings())
def test_vectorized_equals_pytorch(case):
    x, weight, bias, arguments = case
    expected = F.conv_transpose2d(x, weight, bias, **arguments)
    torch.testing.assert_close(conv_transpose2d(x, weight, bias, **arguments), expected, **EXACT)


@settings(max_examples=25, deadline=None)
@given(stampings())
def test_loops_equal_vectorized(case):
    x, weight, bias, arguments = case
    x = x[:1]  # one picture: the loops are slow
    expected = conv_transpose2d(x, weight, bias, **arguments)
    ours = conv_transpose2d_loops(x, weight, bias, **arguments)
    torch.testing.assert_close(ours, expected, **EXACT)


@settings(max_examples=100, deadline=None)
@given(stampings())
def test_gradients_equal_pytorch(case):
    x, weight, bias, arguments = case
    leaves = [t.requires_grad_() for t in (x, weight, bias) if t is not None]
    ours = conv_transpose2d(x, weight, bias, **arguments)
    theirs = F.conv_transpose2d(x, weight, bias, **arguments)
    upstream = torch.randn_like(theirs)
    for mine, reference in zip(
        torch.autograd.grad(ours, leaves, upstream),
        torch.autograd.grad(theirs, leaves, upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, **EXACT)


@pytest.mark.parametrize("function", [conv_transpose2d, conv_transpose2d_loops])
def test_gradcheck(function):
    torch.manual_seed(0)
    x = torch.randn(1, 4, 3, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 1, 3, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    more = {"stride": (3, 2), "padding": 1, "output_padding": 1, "groups": 2, "dilation": (1, 2)}
    assert torch.autograd.gradcheck(lambda *t: function(*t, **more), (x, weight, bias))


@settings(max_examples=200, deadline=None)
@given(stampings())
def test_it_is_the_adjoint_of_convolution(case):
    """⟨Ax, y⟩ = ⟨x, Aᵀy⟩ for the convolution A with the same weight, stride and padding."""
    y, weight, _, arguments = case
    extra = zip(arguments["output_padding"], arguments["stride"], strict=True)
    assume(all(o < s for o, s in extra))  # else the dilation allows more than convolution drops
    stamped = conv_transpose2d(y, weight, **arguments)
    del arguments["output_padding"]
    x = torch.randn_like(stamped)
    seen = conv2d(x, weight, **arguments)
    assert seen.shape == y.shape
    torch.testing.assert_close((seen * y).sum(), (x * stamped).sum(), **EXACT)


@settings(max_examples=200, deadline=None)
@given(stampings())
def test_the_size_is_pytorchs_and_convolution_leads_back(case):
    x, weight, _, arguments = case
    shape = F.conv_transpose2d(x, weight, **arguments).shape[2:]
    settings_ = [arguments[key] for key in ("stride", "padding", "output_padding", "dilation")]
    for n, k, s, p, o, d, size in zip(
        x.shape[2:], weight.shape[2:], *settings_, shape, strict=True
    ):
        assert conv_transpose_size(n, k, s, p, o, d) == size
        if o < s:
            assert output_size(size, k, s, p, d) == n


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2)
)
def test_the_matrix_is_the_convolution_and_its_transpose_the_stamps(c_out, c_in, k, stride, pad):
    generator = torch.Generator().manual_seed(k)
    weight = torch.randn(c_out, c_in, k, 2, generator=generator, dtype=torch.float64)
    height, width = 6, 5
    matrix = convolution_matrix(weight, height, width, stride, pad)
    x = torch.randn(1, c_in, height, width, generator=generator, dtype=torch.float64)
    expected = F.conv2d(x, weight, stride=stride, padding=pad)
    assert matrix.shape == (expected.numel(), x.numel())
    torch.testing.assert_close(matrix @ x.flatten(), expected.flatten(), **EXACT)

    y = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    extra = [
        n - conv_transpose_size(m, t, stride, pad)
        for n, m, t in zip((height, width), y.shape[2:], (k, 2), strict=True)
    ]
    stamped = F.conv_transpose2d(y, weight, None, stride, pad, tuple(extra))
    torch.testing.assert_close(matrix.T @ y.flatten(), stamped.flatten(), **EXACT)


def test_the_numbers_that_people_expect_otherwise():
    assert conv_transpose_size(16, 3, 2, 1) == 31
    assert conv_transpose_size(16, 3, 2, 1, output_padding=1) == 32
    assert conv_transpose_size(16, 2, 2) == conv_transpose_size(16, 4, 2, 1) == 32
    ones = torch.ones(1, 1, 4, 4)
    out = conv_transpose2d(ones, torch.ones(1, 1, 3, 3), stride=2, padding=1, output_padding=1)
    assert out[0, 0, -1].tolist() == [1, 2, 1, 2, 1, 2, 1, 1]  # computed, not zeros


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64])
def test_floating_dtypes(dtype):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 4, 5, 3, dtype=dtype), torch.randn(4, 3, 3, 3, dtype=dtype)
    ours = conv_transpose2d(x, weight, stride=2, padding=1, groups=2)
    assert ours.dtype == dtype
    wide = (t.to(torch.complex128) for t in (x, weight))
    exact = F.conv_transpose2d(*wide, stride=2, padding=1, groups=2)
    tolerance = 4 * torch.finfo(dtype).eps * exact.abs().max().item()
    assert (ours.to(torch.complex128) - exact).abs().max() <= tolerance


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_integers_are_exact(dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-4, 5, (2, 3, 4, 5), generator=generator, dtype=dtype)
    weight = torch.randint(-3, 4, (3, 2, 3, 3), generator=generator, dtype=dtype)
    ours = conv_transpose2d(x, weight, stride=2, padding=1)
    assert ours.dtype == dtype
    expected = F.conv_transpose2d(x.double(), weight.double(), stride=2, padding=1)
    assert torch.equal(ours.double(), expected)
    assert torch.equal(conv_transpose2d_loops(x, weight, stride=2, padding=1), ours)


def test_views_empty_batches_and_inputs_left_alone():
    x = torch.randn(5, 7, 2, 3).permute(2, 3, 0, 1)  # a channels-last view, not contiguous
    weight = torch.randn(4, 3, 2, 4).transpose(0, 1).flip(0)
    copies = [x.clone(), weight.clone()]
    expected = F.conv_transpose2d(x, weight, stride=2)
    torch.testing.assert_close(conv_transpose2d(x, weight, stride=2), expected)
    expanded = torch.randn(1, 3, 1, 7).expand(2, 3, 5, 7)
    expected = F.conv_transpose2d(expanded, weight)
    torch.testing.assert_close(conv_transpose2d(expanded, weight), expected)
    assert conv_transpose2d(x[:0], weight).shape == (0, 4, 6, 10)
    assert torch.equal(x, copies[0])
    assert torch.equal(weight, copies[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu():
    x, weight = torch.randn(2, 4, 9, 7), torch.randn(4, 3, 3, 3)
    ours = conv_transpose2d(x.cuda(), weight.cuda(), stride=2, padding=1, groups=2)
    assert ours.is_cuda
    expected = F.conv_transpose2d(x.double(), weight.double(), stride=2, padding=1, groups=2)
    torch.testing.assert_close(ours.cpu().double(), expected, rtol=1e-2, atol=1e-2)  # TF32
    assert convolution_matrix(weight.cuda(), 4, 4).is_cuda


X, W = torch.zeros(2, 4, 8, 8), torch.zeros(4, 3, 3, 3)


@pytest.mark.parametrize("function", [conv_transpose2d, conv_transpose2d_loops])
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((X[0], W), ValueError, ["x has shape (4, 8, 8)", "N, C_in, H, W", "x[None]"]),
        ((X, W[0]), ValueError, ["weight has shape (3, 3, 3)", "weight[None]"]),
        ((X, W.transpose(0, 1)), ValueError, ["x has 4", "stamps 3", "transpose(0, 1)"]),
        ((X, W, torch.zeros(4)), ValueError, ["bias has shape (4,)", "needs (3,)"]),
        ((X, W, None, 1, 0, 0, 3), ValueError, ["groups=3", "4 input channels", "divisor"]),
        ((X, W, None, 0), ValueError, ["stride=0", "at least 1"]),
        ((X, W, None, 1, -1), ValueError, ["padding=-1", "at least 0"]),
        ((X, W, None, 1, 5), ValueError, ["padding=5", "an output of 10", "pad less"]),
        ((X, W, None, 2, 0, 2), ValueError, ["output_padding=2", "stride=2", "dilation=1"]),
        ((X, W, None, 2, 0, (0, -1)), ValueError, ["output_padding=-1", "at least 0"]),
        ((X, W, None, (1, 2, 3)), ValueError, ["stride=(1, 2, 3)", "(vertical, horizontal)"]),
        ((X, W, None, 1, 0, 0, 1, 0), ValueError, ["dilation=0", "at least 1"]),
        ((X, W, None, 1.5), TypeError, ["stride=1.5", "whole number"]),
        ((X[:, :, :0], W), ValueError, ["n=0", "nothing is stamped"]),
        ((X.double(), W), TypeError, ["float64", "float32", "x.to(weight.dtype)"]),
    ],
)
def test_refusals_name_the_argument_and_the_cure(function, arguments, error, words):
    with pytest.raises(error) as caught:
        function(*arguments)
    for word in words:
        assert word in str(caught.value)
