"""Resizing by hand against PyTorch: values, gradients, and refusals."""

import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segtutor.ops import (
    bilinear_kernel,
    interpolate,
    interpolation_matrix,
    nearest_index,
    pixel_shuffle,
    pixel_unshuffle,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # float64: the order of a sum is all that may differ
MODES = ["nearest", "nearest-exact", "bilinear"]


@st.composite
def resizings(draw, mode=None):
    """Any legal call of interpolate: (x, arguments), float64 where numbers are mixed.

    Float32 for the nearest: PyTorch rounds their places to single precision, on the CPU except
    for float64, so that there a tie between two pixels is decided otherwise.
    """
    mode = draw(st.sampled_from(MODES)) if mode is None else mode
    shape = [draw(st.integers(1, 3)), draw(st.integers(1, 3))]
    shape += [draw(st.integers(1, 13)), draw(st.integers(1, 13))]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    dtype = torch.float64 if mode == "bilinear" else torch.float32
    x = torch.randn(*shape, generator=generator, dtype=dtype)
    arguments = {"mode": mode}
    if draw(st.booleans()):
        arguments["size"] = (draw(st.integers(1, 29)), draw(st.integers(1, 29)))
    else:
        factors = [
            max(1.0 / n + 1e-6, draw(st.floats(0.2, 4.0, allow_nan=False))) for n in shape[2:]
        ]
        arguments["scale_factor"] = tuple(factors)
    if mode == "bilinear":
        arguments["align_corners"] = draw(st.sampled_from([None, False, True]))
        # Where the output is one pixel wide, PyTorch 2.15 repeats the first row under antialias.
        width = F.interpolate(x, **arguments).shape[3]
        arguments["antialias"] = width > 1 and draw(st.booleans())
    return x, arguments


@settings(max_examples=600, deadline=None)
@given(resizings())
def test_interpolate_equals_pytorch(case):
    x, arguments = case
    expected = F.interpolate(x, **arguments)
    torch.testing.assert_close(interpolate(x, **arguments), expected, **EXACT)


@settings(max_examples=150, deadline=None)
@given(resizings())
def test_gradients_equal_pytorch(case):
    x, arguments = case
    x.requires_grad_()
    ours, theirs = interpolate(x, **arguments), F.interpolate(x, **arguments)
    # PyTorch 2.15 under antialias: a side that keeps its length is copied forward, whatever the
    # factor, and weighed with the factor backward. That is no gradient (see the next test).
    kept = any(a == b for a, b in zip(x.shape[2:], theirs.shape[2:], strict=True))
    assume(not (arguments.get("antialias") and "scale_factor" in arguments and kept))
    upstream = torch.randn_like(theirs)
    (mine,), (reference,) = (torch.autograd.grad(y, x, upstream) for y in (ours, theirs))
    torch.testing.assert_close(mine, reference, **(EXACT if x.dtype == torch.float64 else {}))


def test_the_gradient_is_that_of_the_value_where_pytorch_s_is_not():
    x = torch.randn(1, 1, 2, 1, dtype=torch.float64, requires_grad=True)
    arguments = {"mode": "bilinear", "scale_factor": (1.25, 2.0), "antialias": True}
    torch.testing.assert_close(interpolate(x, **arguments), F.interpolate(x, **arguments))
    assert torch.autograd.gradcheck(lambda x: interpolate(x, **arguments), x)


@pytest.mark.parametrize("exact", [False, True])
def test_nearest_picks_pytorchs_pixel_for_every_pair_of_sizes(exact):
    """Every pair, because only few of them show how an edge between two pixels is decided."""
    mode = "nearest-exact" if exact else "nearest"
    for n in range(1, 66):
        x = torch.arange(float(n)).reshape(1, 1, 1, n)
        for size in range(1, 131):
            expected = F.interpolate(x, size=(1, size), mode=mode)[0, 0, 0].long()
            assert torch.equal(nearest_index(n, size, exact=exact), expected), (n, size)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("factor", [0.1, 0.3, 1 / 3, 0.7, 1.0, 1.1, 1.7, 2.0, 2.3, 3.0, 10 / 3])
def test_nearest_stretches_by_the_factor_that_is_given(exact, factor):
    mode = "nearest-exact" if exact else "nearest"
    for n in range(11, 70):
        x = torch.arange(float(n)).reshape(1, 1, 1, n)
        expected = F.interpolate(x, scale_factor=(1.0, factor), mode=mode)
        assert torch.equal(interpolate(x, scale_factor=(1.0, factor), mode=mode), expected), n


def test_a_factor_is_not_the_ratio_of_the_sizes():
    """5 pixels times 1.5 are 7: stretching by 7/5 instead gives other numbers."""
    x = torch.arange(5.0).reshape(1, 1, 1, 5)
    by_factor = interpolate(x, scale_factor=(1, 1.5), mode="bilinear")
    by_size = interpolate(x, size=(1, 7), mode="bilinear")
    assert by_factor.shape == by_size.shape
    assert not torch.allclose(by_factor, by_size)
    torch.testing.assert_close(by_factor, F.interpolate(x, scale_factor=(1, 1.5), mode="bilinear"))


@pytest.mark.parametrize("arguments", [
    {"size": (7, 3)},
    {"size": (3, 9), "mode": "nearest-exact"},
    {"size": (7, 3), "mode": "bilinear"},
    {"size": (9, 2), "mode": "bilinear", "align_corners": True},
    {"size": (2, 3), "mode": "bilinear", "antialias": True},
])  # fmt: skip
def test_gradcheck(arguments):
    torch.manual_seed(0)
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: interpolate(x, **arguments), (x,))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans())
def test_each_row_of_the_matrix_is_a_mean(n, size, align_corners, antialias):
    matrix = interpolation_matrix(n, size, align_corners=align_corners, antialias=antialias)
    assert matrix.shape == (size, n)
    assert (matrix >= 0).all()
    torch.testing.assert_close(matrix.sum(1), torch.ones(size, dtype=torch.float64))
    if not antialias:
        assert (matrix.count_nonzero(1) <= 2).all()


def test_the_numbers_of_the_two_rulers():
    row = torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]])
    half = interpolate(row, size=(1, 8), mode="bilinear")[0, 0, 0]
    assert half.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    aligned = interpolate(row, size=(1, 8), mode="bilinear", align_corners=True)[0, 0, 0]
    torch.testing.assert_close(aligned, torch.arange(8) * 3 / 7)


def test_a_thin_line_survives_antialiasing_only():
    x = torch.zeros(1, 1, 1, 8)
    x[..., 3] = 1
    assert interpolate(x, size=(1, 2), mode="bilinear").eq(0).all()
    kept = interpolate(x, size=(1, 2), mode="bilinear", antialias=True)[0, 0, 0]
    torch.testing.assert_close(kept, torch.tensor([5 / 28, 3 / 28]))


def test_antialiasing_is_the_same_for_columns_as_for_rows():
    """Also where the output is one pixel wide."""
    x = torch.randn(1, 1, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for size in [(4, 1), (4, 3), (1, 4), (13, 1)]:
        tall = interpolate(x, size=size, mode="bilinear", antialias=True)
        lying = interpolate(x.mT, size=size[::-1], mode="bilinear", antialias=True)
        torch.testing.assert_close(tall, lying.mT, **EXACT)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_floating_dtypes(dtype, mode):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 7, 5, dtype=dtype)
    ours = interpolate(x, size=(11, 3), mode=mode)
    assert ours.dtype == dtype
    exact = F.interpolate(x.double(), size=(11, 3), mode=mode)
    torch.testing.assert_close(ours, exact.to(dtype))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_label_maps_keep_their_labels(dtype, mode):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2 if dtype == torch.bool else 256, (2, 1, 7, 5), generator=generator)
    ours = interpolate(labels.to(dtype), size=(11, 3), mode=mode)
    assert ours.dtype == dtype
    assert torch.equal(ours.double(), F.interpolate(labels.double(), size=(11, 3), mode=mode))


@pytest.mark.parametrize("mode", MODES)
def test_views_empty_batches_and_inputs_left_alone(mode):
    x = torch.randn(5, 7, 2, 3).permute(2, 3, 0, 1)  # a channels-last view, not contiguous
    before = x.clone()
    expected = F.interpolate(x, size=(8, 4), mode=mode)
    torch.testing.assert_close(interpolate(x, size=(8, 4), mode=mode), expected)
    assert torch.equal(x, before)
    expanded = torch.randn(1, 3, 1, 7).expand(2, 3, 5, 7)
    expected = F.interpolate(expanded, size=(8, 4), mode=mode)
    torch.testing.assert_close(interpolate(expanded, size=(8, 4), mode=mode), expected)
    assert interpolate(x[:0], size=9, mode=mode).shape == (0, 3, 9, 9)
    assert interpolate(x, scale_factor=2, mode=mode).shape == (2, 3, 10, 14)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("mode", MODES)
def test_on_a_gpu(mode):
    x = torch.randn(2, 4, 9, 7)
    ours = interpolate(x.cuda(), size=(5, 13), mode=mode)
    assert ours.is_cuda
    torch.testing.assert_close(ours.cpu(), F.interpolate(x, size=(5, 13), mode=mode))
    shuffled = pixel_shuffle(x.cuda(), 2)
    assert shuffled.is_cuda
    assert torch.equal(shuffled.cpu(), F.pixel_shuffle(x, 2))


@pytest.mark.parametrize("factor", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_bilinear_kernel_upsamples_bilinearly_inside(factor, channels):
    generator = torch.Generator().manual_seed(factor)
    x = torch.randn(2, channels, 6, 5, generator=generator)
    weight = bilinear_kernel(channels, factor)
    ours = F.conv_transpose2d(x, weight, stride=factor, padding=factor // 2)
    expected = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    assert ours.shape == expected.shape
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    torch.testing.assert_close(ours[inside], expected[inside], rtol=1e-5, atol=1e-5)
    if factor > 1:
        assert not torch.allclose(ours, expected)  # the border is darker


def test_bilinear_kernel_keeps_channels_apart_and_its_corner_is_dark():
    weight = bilinear_kernel(3, 2)
    assert weight.shape == (3, 3, 4, 4)
    off = ~torch.eye(3, dtype=torch.bool)
    assert weight[off].eq(0).all()
    assert weight[~off].gt(0).all()
    white = F.conv_transpose2d(torch.ones(1, 3, 4, 4), weight, stride=2, padding=1)
    assert white[0, :, 0, 0].tolist() == [0.5625] * 3
    assert white[0, :, 1:-1, 1:-1].eq(1).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))
def test_pixel_shuffle_is_pytorchs_and_unshuffle_undoes_it(n, channels, r, height):
    generator = torch.Generator().manual_seed(height)
    x = torch.randn(n, channels * r**2, height, 3, generator=generator)
    if n == 0:
        assert pixel_shuffle(x, r).shape == (0, channels, r * height, r * 3)
        return
    assert torch.equal(pixel_shuffle(x, r), F.pixel_shuffle(x, r))
    large = F.pixel_shuffle(x, r)
    assert torch.equal(pixel_unshuffle(large, r), F.pixel_unshuffle(large, r))
    assert torch.equal(pixel_unshuffle(pixel_shuffle(x, r), r), x)


X, LABELS = torch.zeros(1, 3, 6, 8), torch.zeros(1, 1, 6, 8, dtype=torch.long)


@pytest.mark.parametrize(
    ("x", "arguments", "error", "words"),
    [
        (X[0], {"size": 3}, ValueError, ["x has shape (3, 6, 8)", "N, C, H, W", "x[None]"]),
        (X, {}, ValueError, ["neither given", "size or scale_factor"]),
        (X, {"size": 3, "scale_factor": 2}, ValueError, ["both", "either size or scale_factor"]),
        (X, {"size": (1, 2, 3)}, ValueError, ["size=(1, 2, 3)", "(vertical, horizontal)"]),
        (X, {"size": 0}, ValueError, ["the output's height=0", "at least 1"]),
        (X, {"size": (3, -1)}, ValueError, ["the output's width=-1", "at least 1"]),
        (X, {"size": 2.5}, TypeError, ["2.5", "whole number"]),
        (X, {"scale_factor": 0.1}, ValueError, ["at least 1", "leaves nothing of 6 × 8"]),
        (X, {"scale_factor": -2}, ValueError, ["scale_factor=-2", "above 0"]),
        (X[:, :, :0], {"size": 3}, ValueError, ["the height of x=0", "nothing to resize"]),
        (X, {"size": 3, "mode": "linear"}, ValueError, ["mode='linear'", '"nearest-exact"']),
        (X, {"size": 3, "align_corners": False}, ValueError, ["align_corners=False", "bilinear"]),
        (X, {"size": 3, "antialias": True}, ValueError, ["antialias=True", "no meaning"]),
        (LABELS, {"size": 3, "mode": "bilinear"}, TypeError, ["int64", "nearest-exact", "float()"]),
    ],
)  # fmt: skip
def test_refusals_name_the_argument_and_the_cure(x, arguments, error, words):
    with pytest.raises(error) as caught:
        interpolate(x, **arguments)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (pixel_shuffle, (X, 2), ["x has 3 channels", "2² = 4"]),
        (pixel_shuffle, (X, 0), ["upscale_factor=0", "at least 1"]),
        (pixel_shuffle, (X[0], 1), ["(3, 6, 8)", "x[None]"]),
        (pixel_unshuffle, (X, 4), ["6 × 8", "downscale_factor=4", "crop or pad"]),
        (bilinear_kernel, (3, 0), ["factor=0", "at least 1"]),
        (bilinear_kernel, (0, 2), ["channels=0", "at least 1"]),
    ],
)
def test_other_refusals(function, arguments, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as caught:
        function(*arguments)
    for word in words:
        assert word in str(caught.value)
