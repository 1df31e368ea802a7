"""What losses take and refuse: dtypes, layouts, void, saturation, shapes that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segtutor import losses
from tests.losses.cases import BOTH, EVERY, SIGMOID, SOFTMAX, VOID, batch, value_and_gradient

each_loss = pytest.mark.parametrize(
    ("name", "loss", "c"), EVERY, ids=[name for name, _, _ in EVERY]
)
HALF = (torch.float16, torch.bfloat16)


@each_loss
@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_half_precision_is_computed_in_float32(name, loss, c, dtype, device):
    x, y = batch(n=3, c=c, h=33, w=17, dtype=dtype, device=device)
    value, gradient = value_and_gradient(loss, x, y)
    expected, expected_gradient = value_and_gradient(loss, x.float(), y)
    assert value.dtype == torch.float32
    assert gradient.dtype == dtype
    torch.testing.assert_close(value, expected, rtol=0, atol=0)
    torch.testing.assert_close(gradient, expected_gradient.to(dtype), rtol=0, atol=0)


@pytest.mark.slow
@each_loss
def test_large_batches_in_half_precision_do_not_overflow(name, loss, c, device):
    given = {"distances": torch.ones(4, c if c == 1 else 19, 512, 512, device=device)}
    settings = given if "boundary" in name else {}  # SciPy takes a minute for maps of this size
    x, y = batch(n=4, c=19 if c > 1 else 1, h=512, w=512, dtype=torch.float16, device=device)
    value, gradient = value_and_gradient(loss, x, y, **settings)
    expected = loss(x.double(), y, **settings)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert gradient.isfinite().all()


@each_loss
def test_the_result_is_in_float64_for_float64(name, loss, c, device):
    x, y = batch(c=c, device=device)
    assert loss(x, y).dtype == torch.float64
    assert loss(x.float(), y).dtype == torch.float32
    assert loss(x.float(), y).item() == pytest.approx(loss(x, y).item(), rel=1e-5, abs=1e-6)


@each_loss
def test_layout_does_not_matter(name, loss, c, device):
    x, y = batch(n=3, c=c, h=9, w=6, device=device)
    expected = value_and_gradient(loss, x, y)
    last = x.to(memory_format=torch.channels_last)
    turned = x.transpose(2, 3).contiguous().transpose(2, 3)
    spread = torch.empty(3, c, 9, 12, dtype=x.dtype, device=device)[..., ::2].copy_(x)
    for other in (last, turned, spread):
        labels = y.transpose(1, 2).contiguous().transpose(1, 2)
        torch.testing.assert_close(value_and_gradient(loss, other, labels), expected)


@each_loss
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.uint16], ids=str)
def test_any_whole_number_is_a_label(name, loss, c, dtype, device):
    x, y = batch(c=c, device=device)
    assert loss(x, y.to(dtype)) == loss(x, y)


@each_loss
def test_another_void(name, loss, c, device):
    x, y = batch(c=c, device=device)
    assert loss(x, torch.where(y == VOID, -100, y), ignore_index=-100) == loss(x, y)


@each_loss
def test_no_pixel_at_all_is_zero(name, loss, c, device):
    for size in ({"n": 0}, {"h": 0}):
        x, y = batch(c=c, device=device, **size)
        value, gradient = value_and_gradient(loss, x, y)
        assert value == 0
        assert gradient.shape == x.shape


@each_loss
def test_a_class_ruled_out_by_its_logit_does_not_spoil_void(name, loss, c, device):
    x, y = batch(c=c, device=device)
    if c > 1:
        y[y == 0] = 1
        x[:, 0] = -torch.inf
    value, gradient = value_and_gradient(loss, x, y)
    assert value.isfinite()
    assert gradient.isfinite().all()


@each_loss
def test_nan_is_not_hidden(name, loss, c, device):
    x, y = batch(c=c, void=0, device=device)
    x[0, :, 0, 0] = torch.nan
    assert loss(x, y).isnan()


@each_loss
def test_nothing_but_void_is_zero_with_zero_gradient(name, loss, c, device):
    x, y = batch(c=c, void=1.0, device=device)
    assert (y == VOID).all()
    calls = [{}]
    calls += [{"classes": "all"}, {"classes": [0]}] if loss in BOTH.values() else []
    calls += [{"per_image": True}] if "dice" in name or "lovasz" in name else []
    for settings in calls:
        value, gradient = value_and_gradient(loss, x, y, **settings)
        assert value == 0
        assert (gradient == 0).all()


@each_loss
@pytest.mark.parametrize("scale", [1e2, 1e4])
@pytest.mark.parametrize("classes", [[0], [1], [0, 1, 2, 3]], ids=str)
def test_saturated_logits_stay_finite(name, loss, c, scale, classes, device):
    """Right, wrong, and where one class fills everything; also with steep exponents."""
    x, y = batch(c=c, dtype=torch.float32, device=device)
    there = torch.tensor(classes, device=device)
    y = torch.where(y == VOID, VOID, there[y % len(classes)])
    y = torch.where(y == VOID, VOID, y % max(c, 2))
    right = torch.zeros_like(x).scatter_(1, y.clamp(max=c - 1)[:, None], 1.0)
    if c == 1:
        right = (y == 1)[:, None].float()
    calls = [{}]
    calls += [{"gamma": 0.5}] if name.endswith(("focal_loss", "focal_loss, binary")) else []
    for settings in calls:
        for sign in (right * 2 - 1, 1 - right * 2, torch.ones_like(x), -torch.ones_like(x)):
            value, gradient = value_and_gradient(loss, scale * sign, y, **settings)
            assert value.isfinite(), settings
            assert gradient.isfinite().all(), settings


def test_saturated_logits_cost_what_they_say():
    wrong = torch.tensor([0.0, 1e4]).reshape(1, 2, 1, 1)
    assert losses.cross_entropy(wrong, torch.tensor([[[0]]])) == 1e4
    assert losses.softmax_focal_loss(wrong, torch.tensor([[[0]]])) == 1e4
    assert losses.binary_cross_entropy(wrong[:, 1:], torch.tensor([[[0]]])) == 1e4
    assert losses.sigmoid_focal_loss(wrong[:, 1:], torch.tensor([[[0]]]), alpha=None) == 1e4
    assert losses.lovasz_hinge(wrong[:, 1:], torch.tensor([[[0]]]), per_image=True) == 1e4 + 1


@pytest.mark.parametrize("loss", SOFTMAX.values(), ids=SOFTMAX)
def test_softmax_of_one_logit_names_the_other_loss(loss):
    with pytest.raises(ValueError, match=r"softmax of one number.*(entropy|focal_loss|hinge)"):
        loss(*batch(c=1))


@pytest.mark.parametrize("loss", SIGMOID.values(), ids=SIGMOID)
def test_sigmoid_of_several_logits_names_the_other_loss(loss):
    with pytest.raises(ValueError, match=r"4 channels.*(entropy|focal_loss|softmax)"):
        loss(*batch(c=4))


@pytest.mark.parametrize(
    ("x", "y", "cure"),
    [
        ((2, 4, 8, 6), (2, 1, 8, 6), r"labels\[:, 0\]"),
        ((2, 8, 6, 4), (2, 8, 6), r"logits\.permute\(0, 3, 1, 2\)"),
        ((2, 4, 8, 6), (2, 4, 8, 6), r"labels\.argmax\(1\)"),
        ((2, 4, 8, 6), (2, 8, 6, 4), r"labels\.argmax\(-1\)"),
        ((2, 4, 4, 3), (2, 8, 6), r"F\.interpolate\(logits, size=\(8, 6\)"),
        ((4, 8, 6), (8, 6), r"logits\[None\]"),
        ((2, 8, 6), (2, 8, 6), r"logits\[:, None\]"),
        ((2, 4, 8, 6), (3, 8, 6), r"Batch, height and width"),
        ((2, 4), (2,), r"2 axes instead of 4"),
    ],
    ids=str,
)
@each_loss
def test_shapes_that_do_not_fit_are_refused_with_the_cure(name, loss, c, x, y, cure):
    with pytest.raises(ValueError, match=cure):
        loss(torch.zeros(x), torch.zeros(y, dtype=torch.int64))


@each_loss
def test_labels_out_of_range_are_shown(name, loss, c, device):
    x, y = batch(c=c, device=device)
    y[0, 0, 0] = 9
    with pytest.raises(ValueError, match="labels contain 9"):
        loss(x, y)
    with pytest.raises(ValueError, match=f"contain 9, {VOID}"):
        loss(x, y, ignore_index=-1)


@each_loss
def test_wrong_kinds_of_numbers_are_refused(name, loss, c):
    x, y = batch(c=c)
    with pytest.raises(TypeError, match=r"labels\.long\(\)"):
        loss(x, y.float())
    with pytest.raises(TypeError, match=r"logits are torch\.int64"):
        loss(x.long(), y)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.softmax_focal_loss])
def test_as_many_weights_as_classes(loss):
    with pytest.raises(ValueError, match=r"\(3,\).*4 classes"):
        loss(*batch(c=4), weight=[1, 2, 3])


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.binary_cross_entropy])
def test_unknown_reductions_are_refused(loss):
    with pytest.raises(ValueError, match='"mean", "sum" or "none"'):
        loss(*batch(c=4 if loss is losses.cross_entropy else 1), reduction="avg")


@pytest.mark.parametrize("loss", [*BOTH.values(), losses.lovasz_softmax])
@pytest.mark.parametrize("classes", ["presnt", [4], [-1], [0, 7]], ids=str)
def test_unknown_classes_are_refused(loss, classes):
    with pytest.raises(ValueError, match="classes="):
        loss(*batch(c=4), classes=classes)


@each_loss
def test_input_is_left_as_it_is(name, loss, c, device):
    x, y = batch(c=c, device=device)
    before = x.clone(), y.clone()
    value_and_gradient(loss, x, y)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])


@each_loss
def test_under_autocast_nothing_is_computed_in_half(name, loss, c, device):
    x, y = batch(c=c, dtype=torch.float32, device=device)
    with torch.autocast(device, dtype=torch.bfloat16):
        value, gradient = value_and_gradient(loss, x, y)
    expected, expected_gradient = value_and_gradient(loss, x, y)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.dice_loss, losses.lovasz_softmax])
def test_losses_can_be_compiled(loss):
    if loss is losses.lovasz_softmax and torch.__version__ < (2, 15):
        pytest.skip("compilers before 2.15 refuse loops whose length depends on the labels")
    x, y = batch(dtype=torch.float32)
    torch.testing.assert_close(
        value_and_gradient(torch.compile(loss, backend="aot_eager"), x, y),
        value_and_gradient(loss, x, y),
    )


@pytest.mark.parametrize(
    ("loss", "wrong", "words"),
    [
        (losses.cross_entropy, {"label_smoothing": 1.5}, "label_smoothing=1.5 .* from 0 to 1"),
        (losses.binary_cross_entropy, {"pos_weight": -1}, "pos_weight=-1 .* 0 or more"),
        (losses.softmax_focal_loss, {"gamma": -1}, "gamma=-1"),
        (losses.sigmoid_focal_loss, {"gamma": -1}, "gamma=-1"),
        (losses.sigmoid_focal_loss, {"alpha": 2}, "alpha=2 .* from 0 to 1"),
        (losses.dice_loss, {"smooth": -1}, "smooth=-1"),
        (losses.jaccard_loss, {"smooth": float("nan")}, "smooth=nan"),
        (losses.tversky_loss, {"alpha": -0.1}, "alpha=-0.1"),
        (losses.tversky_loss, {"alpha": 0, "beta": 0}, "no error would cost anything"),
        (losses.focal_tversky_loss, {"gamma": 0}, "gamma=0 has to be above 0"),
        (losses.dice_loss, {"classes": []}, "at least one"),
        (losses.dice_loss, {"classes": [1, 4]}, r"classes=\[1, 4\] .* from 0 to 3"),
        (losses.dice_loss, {"classes": 1}, "classes=1 .* or a list"),
    ],
)
def test_settings_that_make_no_sense_are_named(loss, wrong, words):
    x, y = batch(c=1 if loss in SIGMOID.values() else 4)
    with pytest.raises(ValueError, match=words):
        loss(x, y, **wrong)


def test_a_setting_that_is_no_number_is_named():
    x, y = batch(c=1)
    with pytest.raises(TypeError, match=r"pos_weight=\[1, 2\] has to be a number"):
        losses.binary_cross_entropy(x, y, pos_weight=[1, 2])


def test_classes_may_be_a_tensor_or_an_array():
    x, y = batch()
    expected = losses.dice_loss(x, y, classes=[1, 2])
    assert losses.dice_loss(x, y, classes=torch.tensor([1, 2])) == expected
    assert losses.dice_loss(x, y, classes=np.array([1, 2])) == expected


@each_loss
def test_arrays_and_exchanged_arguments_are_named(name, loss, c):
    x, y = batch(c=c)
    with pytest.raises(TypeError, match=r"labels are ndarray, .* torch.as_tensor\(labels\)"):
        loss(x, y.numpy())
    with pytest.raises(TypeError, match=r"logits are ndarray"):
        loss(x.numpy(), y)
    with pytest.raises(TypeError, match=r"swapped: loss\(logits, labels\)"):
        loss(y, x)
