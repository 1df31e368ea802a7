"""Pooling by hand against PyTorch's, value, index and gradient, over many random calls."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor import ops

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@st.composite
def calls(draw, dilation: bool = True):
    """Draw a legal call: an input full of ties and negative numbers, and settings that fit it."""
    k = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    given_ = {
        "kernel_size": k,
        "stride": draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4))),
        "padding": tuple(draw(st.integers(0, n // 2)) for n in k),
        "ceil_mode": draw(st.booleans()),
    }
    if dilation:
        given_["dilation"] = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    h, w = draw(st.integers(1, 9)), draw(st.integers(1, 10))
    seed = draw(st.integers(0, 2**31))
    x = torch.randint(-5, 3, (n, c, h, w), generator=torch.Generator().manual_seed(seed))
    return x.double(), given_


def reference(function, x, **given_):
    """PyTorch's answer, or None where it refuses."""
    try:
        return function(x, **given_)
    except RuntimeError:
        return None


@settings(max_examples=300, deadline=None)
@given(calls())
def test_max_pooling_is_pytorchs_in_value_index_and_gradient(call):
    x, given_ = call
    theirs_x, ours_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    theirs = reference(F.max_pool2d, theirs_x, return_indices=True, **given_)
    if theirs is None:
        with pytest.raises(ValueError, match=r"kernel=|padding="):
            ops.max_pool2d(x, **given_)
        return
    ours = ops.max_pool2d(ours_x, return_indices=True, **given_)
    assert torch.equal(ours[0], theirs[0])
    real = ours[1] >= 0  # a dilated window may hold padding alone; PyTorch's index is then no pixel
    assert torch.equal(ours[1][real], theirs[1][real])
    assert torch.equal(real, torch.isfinite(theirs[0]))
    if not real.all():
        return
    weight = torch.arange(1.0, theirs[0].numel() + 1, dtype=torch.float64).view_as(theirs[0])
    (theirs[0] * weight).sum().backward()
    (ours[0] * weight).sum().backward()
    assert torch.equal(ours_x.grad, theirs_x.grad)


@settings(max_examples=300, deadline=None)
@given(calls(dilation=False), st.booleans(), st.none() | st.integers(1, 5))
def test_average_pooling_is_pytorchs_in_value_and_gradient(call, include, divisor):
    x, given_ = call
    given_ |= {"count_include_pad": include, "divisor_override": divisor}
    theirs_x, ours_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    theirs = reference(F.avg_pool2d, theirs_x, **given_)
    if theirs is None:
        with pytest.raises(ValueError, match=r"kernel=|padding="):
            ops.avg_pool2d(x, **given_)
        return
    ours = ops.avg_pool2d(ours_x, **given_)
    assert ours.shape == theirs.shape
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    weight = torch.arange(1.0, theirs.numel() + 1, dtype=torch.float64).view_as(theirs)
    (theirs * weight).sum().backward()
    (ours * weight).sum().backward()
    assert torch.allclose(ours_x.grad, theirs_x.grad, rtol=0, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(calls(dilation=False))
def test_the_loops_take_the_same_maxima(call):
    x, given_ = call
    given_.pop("ceil_mode")
    theirs = reference(F.max_pool2d, x, **given_)
    if theirs is not None:
        assert torch.equal(ops.max_pool2d_loops(x, **given_), theirs)


@settings(max_examples=500, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.integers(0, 3), st.integers(1, 3),
    st.booleans(),
)  # fmt: skip
def test_the_size_is_pytorchs(n, k, s, p, d, ceil_mode):
    x = torch.zeros(1, 1, n)
    theirs = reference(
        F.max_pool1d, x, kernel_size=k, stride=s, padding=p, dilation=d, ceil_mode=ceil_mode
    )
    if theirs is None:
        with pytest.raises(ValueError, match=r"kernel=|padding="):
            ops.pooled_size(n, k, s, p, d, ceil_mode)
    else:
        assert ops.pooled_size(n, k, s, p, d, ceil_mode) == theirs.shape[-1]


@pytest.mark.parametrize(("n", "k", "s", "p"), [(3, 2, 2, 1), (6, 2, 3, 0), (5, 1, 3, 0)])
def test_a_window_that_would_start_outside_is_dropped(n, k, s, p):
    assert ops.pooled_size(n, k, s, p, ceil_mode=True) == 2


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_other_precisions_and_strides_in_memory(device, dtype):
    x = torch.randn(2, 7, 9, 3, device=device).to(dtype).permute(0, 3, 1, 2)  # channels last
    assert torch.equal(ops.max_pool2d(x, 3, 2, 1), F.max_pool2d(x, 3, 2, 1))
    ours, theirs = ops.avg_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1)
    assert ours.dtype == dtype
    tolerance = {torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 1e-6}[dtype]
    assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    for pooled in (ops.adaptive_avg_pool2d(x, (3, 2)), ops.adaptive_max_pool2d(x, (3, 2))):
        assert pooled.dtype == dtype


def test_nan_is_passed_on_and_infinity_too():
    x = torch.tensor([[[[1.0, torch.nan, 3.0, -torch.inf], [0.0, 2.0, torch.inf, -torch.inf]]]])
    ours, theirs = ops.max_pool2d(x, 2), F.max_pool2d(x, 2)
    assert torch.equal(ours.isnan(), theirs.isnan())
    assert torch.equal(ours.nan_to_num(), theirs.nan_to_num())
    empty = torch.full((1, 1, 3, 3), -torch.inf)
    ours = ops.max_pool2d(empty, 3, 1, 1, return_indices=True)
    theirs = F.max_pool2d(empty, 3, 1, 1, return_indices=True)
    assert torch.equal(ours[1], theirs[1])


def test_the_first_nan_is_the_index_and_gets_the_gradient():
    x = torch.tensor([[[[torch.nan, 1.0], [torch.nan, 2.0]]]], requires_grad=True)
    largest, index = ops.max_pool2d(x, 2, return_indices=True)
    assert index.item() == 0  # PyTorch says 2, the last
    largest.sum().backward()
    assert x.grad.flatten().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_sums_do_not_overflow_in_half_precision(device, dtype):
    x = torch.full((1, 2, 64, 64), 300.0, device=device, dtype=dtype)  # adds up to 1,228,800
    x[0, 1] = 1  # and a count of 4,096 ones is exact
    for pooled in (
        ops.avg_pool2d(x, 64),
        ops.avg_pool2d(x, 64, count_include_pad=False),
        ops.adaptive_avg_pool2d(x, 1),
        ops.global_avg_pool2d(x),
    ):
        assert pooled.dtype == dtype
        assert pooled.flatten().tolist() == [300, 1]


def test_an_infinite_pixel_stays_in_its_bin():
    x = torch.zeros(1, 1, 4, 6)
    x[0, 0, 0, 0] = -torch.inf
    assert torch.equal(ops.adaptive_avg_pool2d(x, 2), F.adaptive_avg_pool2d(x, 2))
    assert torch.equal(ops.adaptive_max_pool2d(x, 2), F.adaptive_max_pool2d(x, 2))


@pytest.mark.parametrize("size", [(None, 2), (3, None), (None, None)])
def test_adaptive_pooling_keeps_the_axes_of_none(size):
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    theirs = F.adaptive_avg_pool2d(x, size)
    assert torch.allclose(ops.adaptive_avg_pool2d(x, size), theirs, rtol=0, atol=1e-12)
    assert torch.equal(ops.adaptive_max_pool2d(x, size), F.adaptive_max_pool2d(x, size))


def test_overlapping_windows_add_their_gradients():
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ops.max_pool2d(x, 3, 1), x)
    assert torch.autograd.gradcheck(lambda x: ops.avg_pool2d(x, 3, 2, 1, True), x)


# --- the way back


@settings(max_examples=200, deadline=None)
@given(calls(dilation=False), st.booleans())
def test_unpooling_is_pytorchs_in_value_and_gradient(call, whole):
    x, given_ = call
    x += torch.linspace(0, 0.5, x.numel(), dtype=torch.float64).view_as(x)  # no two alike
    given_["ceil_mode"] = False
    pooled = reference(F.max_pool2d, x, return_indices=True, **given_)
    if pooled is None:
        return
    given_.pop("ceil_mode")
    if whole:
        given_["output_size"] = x.shape
    values, indices = pooled
    # Two windows may share a maximum: both hold the same number, so the order does not matter.
    theirs_v, ours_v = values.clone().requires_grad_(), values.clone().requires_grad_()
    try:
        theirs = F.max_unpool2d(theirs_v, indices, **given_)
    except (RuntimeError, ValueError):
        theirs = torch.zeros(0)
    if not theirs.numel():  # it refused, or has no pixel to return
        with pytest.raises(ValueError, match=r"indices run|output_size"):
            ops.max_unpool2d(values, indices, **given_)
        return
    ours = ops.max_unpool2d(ours_v, indices, **given_)
    assert torch.equal(ours, theirs)
    weight = torch.arange(1.0, theirs.numel() + 1, dtype=torch.float64).view_as(theirs)
    (theirs * weight).sum().backward()
    (ours * weight).sum().backward()
    assert torch.equal(ours_v.grad, theirs_v.grad)


def test_pooling_what_was_unpooled_gives_the_maxima_back():
    x = torch.rand(2, 3, 9, 7) + 1  # above the zeros that unpooling leaves
    values, indices = ops.max_pool2d(x, 2, return_indices=True)
    back = ops.max_unpool2d(values, indices, 2, output_size=x.shape)
    assert back.shape == x.shape
    assert torch.equal(ops.max_pool2d(back, 2), values)
    assert (back != 0).sum() == values.numel()


def test_an_odd_picture_needs_its_size():
    x = torch.zeros(1, 1, 5, 5)
    for number, (row, column) in enumerate([(0, 0), (1, 3), (2, 1), (2, 2)], 1):
        x[0, 0, row, column] = number
    values, indices = ops.max_pool2d(x, 2, return_indices=True)
    assert indices.flatten().tolist() == [0, 8, 11, 12]
    back = ops.max_unpool2d(values, indices, 2, output_size=(5, 5))
    assert torch.equal(back, x)
    tilted = ops.max_unpool2d(values, indices, 2)  # 4 × 4: the same numbers are other places
    assert tilted[0, 0].nonzero().tolist() == [[0, 0], [2, 0], [2, 3], [3, 0]]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"indices": torch.full((1, 1, 2, 2), 16)}, ValueError, "16, but an output of 4 × 4"),
        ({"indices": torch.full((1, 1, 2, 2), -1)}, ValueError, "from -1"),
        ({"indices": torch.zeros(1, 1, 2, 2)}, TypeError, "indices.long"),
        ({"indices": torch.zeros(1, 1, 2, 3).long()}, ValueError, "both have to be"),
        ({"output_size": (6, 4)}, ValueError, "a height of 6, .* come from 3 to 5"),
        ({"output_size": (1, 1, 4, 2)}, ValueError, "a width of 2"),
        ({"output_size": (4,)}, ValueError, r"output_size=\(4,\) has to be"),
        ({"output_size": 4}, ValueError, "output_size=4 has to be"),
        ({"output_size": (1, 1, 1, 4, 4)}, ValueError, "has to be"),
        ({"output_size": (4, 4.0)}, TypeError, "output_size=4.0"),
        ({"stride": 0}, ValueError, "stride=0"),
        ({"padding": -1}, ValueError, "padding=-1"),
        ({"kernel_size": 0}, ValueError, "kernel_size=0"),
        ({"kernel_size": (2, 2, 2)}, ValueError, "kernel_size"),
    ],
)
def test_unpooling_refuses(change, error, words):
    given_ = {"x": torch.ones(1, 1, 2, 2), "indices": torch.tensor([[[[0, 2], [8, 10]]]])}
    given_ |= {"kernel_size": 2, **change}
    with pytest.raises(error, match=words):
        ops.max_unpool2d(**given_)


# --- pooling to a size


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 13), st.integers(1, 8), st.integers(1, 8),
    st.integers(0, 2**31),
)  # fmt: skip
def test_adaptive_pooling_is_pytorchs_in_value_and_gradient(h, w, rows, columns, seed):
    x = torch.randn(2, 2, h, w, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    for ours_f, theirs_f in (
        (ops.adaptive_avg_pool2d, F.adaptive_avg_pool2d),
        (ops.adaptive_max_pool2d, F.adaptive_max_pool2d),
    ):
        ours_x, theirs_x = x.clone().requires_grad_(), x.clone().requires_grad_()
        ours, theirs = ours_f(ours_x, (rows, columns)), theirs_f(theirs_x, (rows, columns))
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
        ours.square().sum().backward()
        theirs.square().sum().backward()
        assert torch.allclose(ours_x.grad, theirs_x.grad, rtol=0, atol=1e-11)


def test_a_pyramid_has_a_level_for_each_number_and_begins_with_the_mean():
    x = torch.randn(2, 3, 13, 18)
    levels = ops.pyramid_pool2d(x)
    assert [level.shape[2:] for level in levels] == [(1, 1), (2, 2), (3, 3), (6, 6)]
    assert torch.allclose(levels[0], ops.global_avg_pool2d(x), atol=1e-6)
    assert torch.allclose(levels[0], x.mean((2, 3), keepdim=True), atol=1e-6)
    for level in levels:
        assert torch.allclose(level, F.adaptive_avg_pool2d(x, level.shape[2:]), atol=1e-6)


@pytest.mark.parametrize("n", [1, 5, 7, 24])
@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_bins_leave_no_pixel_out(n, size):
    bins = ops.adaptive_bins(n, size)
    assert set().union(*(range(first, end) for first, end in bins)) == set(range(n))
    assert len(bins) == size


@pytest.mark.parametrize("pool", [ops.max_pool2d, ops.max_pool2d_loops, ops.avg_pool2d])
@pytest.mark.parametrize(
    ("x", "given_", "error", "words"),
    [
        (torch.zeros(4, 4), {"kernel_size": 2}, ValueError, r"4 axes \(N, C, H, W\)"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 5}, ValueError, "kernel=5"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 0}, ValueError, "kernel=0"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 2.0}, TypeError, "kernel=2.0"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 2, "stride": 0}, ValueError, "stride=0"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 2, "padding": 2}, ValueError, "at most 1"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": 3, "padding": -1}, ValueError, "padding=-1"),
        (torch.zeros(1, 1, 4, 4), {"kernel_size": (2, 2, 2)}, ValueError, "kernel_size"),
        (torch.zeros(1, 1, 4, 4).long(), {"kernel_size": 2}, TypeError, r"x\.float\(\)"),
    ],
)
def test_pooling_refuses(pool, x, given_, error, words):
    with pytest.raises(error, match=words):
        pool(x, **given_)


@pytest.mark.parametrize(
    ("settings_", "error", "words"),
    [
        ({"stride": 0}, ValueError, "stride=0"),
        ({"stride": 1.5}, TypeError, "stride=1.5"),
        ({"padding": -1}, ValueError, "padding=-1"),
        ({"dilation": 0}, ValueError, "dilation=0"),
    ],
)
def test_ceil_mode_refuses_what_rounding_down_refuses(settings_, error, words):
    with pytest.raises(error, match=words):
        ops.pooled_size(4, 2, ceil_mode=True, **settings_)
    with pytest.raises(error, match=words):
        ops.max_pool2d(torch.zeros(1, 1, 4, 4), 2, ceil_mode=True, **settings_)


def test_the_rest_refuses_too():
    x = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="divisor_override=0"):
        ops.avg_pool2d(x, 2, divisor_override=0)
    with pytest.raises(ValueError, match="size=0"):
        ops.adaptive_avg_pool2d(x, 0)
    for pool in (ops.global_avg_pool2d, ops.pyramid_pool2d):
        with pytest.raises(ValueError, match="4 axes"):
            pool(torch.zeros(4, 4))
    with pytest.raises(ValueError, match="4 axes"):
        ops.adaptive_max_pool2d(torch.zeros(4, 4), 2)
    for pool in (ops.adaptive_avg_pool2d, ops.adaptive_max_pool2d):
        with pytest.raises(TypeError, match=r"x\.float\(\)"):
            pool(x.int(), 2)
