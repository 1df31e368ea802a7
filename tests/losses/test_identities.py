"""What has to hold for any input: identities, bounds, symmetries, and exact gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor import losses
from tests.losses.cases import BOTH, EVERY, SOFTMAX, VOID, batch, batches, value_and_gradient

EXACT = {"rtol": 1e-10, "atol": 1e-12}


def same(ours, theirs, x) -> None:
    value, gradient = value_and_gradient(ours, x)
    expected, expected_gradient = value_and_gradient(theirs, x)
    torch.testing.assert_close(value, expected, **EXACT)
    torch.testing.assert_close(gradient, expected_gradient, **EXACT)


@given(batches(), st.booleans())
def test_focal_without_focus_is_cross_entropy(case, weighted):
    x, y = case
    weight = torch.linspace(0.5, 3, x.shape[1]) if weighted else None
    same(
        lambda x: losses.softmax_focal_loss(x, y, gamma=0, weight=weight),
        lambda x: losses.cross_entropy(x, y, weight=weight),
        x,
    )


@given(batches(most=1))
def test_sigmoid_focal_without_focus_is_half_of_cross_entropy(case):
    x, y = case
    same(
        lambda x: losses.sigmoid_focal_loss(x, y, gamma=0, alpha=0.5),
        lambda x: losses.binary_cross_entropy(x, y) / 2,
        x,
    )


@given(batches(most=1))
def test_one_logit_is_two_whose_first_is_zero(case):
    x, y = case

    def two(x):
        return torch.cat([torch.zeros_like(x), x], 1)

    same(lambda x: losses.binary_cross_entropy(x, y), lambda x: losses.cross_entropy(two(x), y), x)
    for loss in BOTH.values():
        same(
            lambda x, loss=loss: loss(x, y, classes="all"),
            lambda x, loss=loss: loss(two(x), y, classes=[1]),
            x,
        )


@given(batches(), st.booleans(), st.sampled_from(["present", "all", [0, 1]]))
def test_tversky_contains_dice_and_jaccard(case, per_image, classes):
    x, y = case
    chosen = {"classes": classes, "per_image": per_image}
    same(
        lambda x: losses.tversky_loss(x, y, smooth=0.5, **chosen),
        lambda x: losses.dice_loss(x, y, smooth=1.0, **chosen),
        x,
    )
    same(
        lambda x: losses.tversky_loss(x, y, alpha=1, beta=1, smooth=0.5, **chosen),
        lambda x: losses.jaccard_loss(x, y, smooth=0.5, **chosen),
        x,
    )
    same(
        lambda x: losses.focal_tversky_loss(x, y, alpha=0.2, beta=0.6, gamma=1, **chosen),
        lambda x: losses.tversky_loss(x, y, alpha=0.2, beta=0.6, **chosen),
        x,
    )


def mean_iou(prediction, labels, num_classes) -> float:
    """Of the classes that occur in the labels, by counting."""
    judged = labels != VOID
    p, t = prediction[judged].numpy(), labels[judged].numpy()
    ious = [
        np.sum((p == c) & (t == c)) / np.sum((p == c) | (t == c))
        for c in range(num_classes)
        if np.any(t == c)
    ]
    return float(np.mean(ious)) if ious else 1.0


@given(batches())
def test_where_the_prediction_is_sure_lovasz_and_jaccard_are_one_minus_mean_iou(case):
    x, y = case
    prediction = x.argmax(1)
    sure = 2000.0 * torch.nn.functional.one_hot(prediction, x.shape[1]).movedim(-1, 1).double()
    expected = pytest.approx(1 - mean_iou(prediction, y, x.shape[1]), abs=1e-9)
    assert losses.lovasz_softmax(sure, y).item() == expected
    assert losses.jaccard_loss(sure, y).item() == expected


@pytest.mark.parametrize(("name", "loss", "c"), EVERY, ids=[name for name, _, _ in EVERY])
@settings(max_examples=40)
@given(data=st.data())
def test_pixels_may_change_places(name, loss, c, data):
    if "boundary" in name:
        return  # places are what it is about
    x, y = data.draw(batches(most=c if c == 1 else 5))
    order = torch.randperm(y.numel(), generator=torch.Generator().manual_seed(1))
    shape = (1, -1, 1)
    moved = x.movedim(1, 0).flatten(1)[:, order].reshape(x.shape[1], *shape).movedim(0, 1)
    torch.testing.assert_close(loss(moved, y.flatten()[order].reshape(shape)), loss(x, y), **EXACT)


@pytest.mark.parametrize("loss", (SOFTMAX | BOTH).values(), ids=SOFTMAX | BOTH)
@settings(max_examples=40)
@given(case=batches(), seed=st.integers(0, 99))
def test_classes_may_change_numbers(loss, case, seed):
    x, y = case
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(seed))
    renamed = torch.where(y == VOID, VOID, order.argsort()[y.clamp(max=x.shape[1] - 1)])
    torch.testing.assert_close(loss(x[:, order], renamed), loss(x, y), **EXACT)


@pytest.mark.parametrize(("name", "loss", "c"), EVERY, ids=[name for name, _, _ in EVERY])
@settings(max_examples=40)
@given(data=st.data())
def test_bounds(name, loss, c, data):
    x, y = data.draw(batches(most=c if c == 1 else 5))
    value = loss(x, y)
    assert value.shape == ()
    if "boundary" in name:
        return
    assert value >= -1e-12
    if not any(part in name for part in ("entropy", "focal_loss", "hinge")):
        assert value <= 1 + 1e-12


@pytest.mark.parametrize(("name", "loss", "c"), EVERY, ids=[name for name, _, _ in EVERY])
def test_void_pixels_do_not_matter(name, loss, c, device):
    x, y = batch(n=3, c=c, device=device)
    value, gradient = value_and_gradient(loss, x, y)
    void = (y == VOID)[:, None].expand_as(x)
    assert void.any()
    assert (gradient[void] == 0).all()
    assert gradient[~void].abs().max() > 0
    other = torch.where(void, 10 * torch.randn_like(x), x)
    torch.testing.assert_close(loss(other, y), value, **EXACT)


def loss_sums():
    return [
        (losses.cross_entropy, 4),
        (losses.softmax_focal_loss, 4),
        (losses.binary_cross_entropy, 1),
        (losses.sigmoid_focal_loss, 1),
    ]


@pytest.mark.parametrize(("loss", "c"), loss_sums())
def test_sums_of_parts_are_the_sum_of_the_whole(loss, c, device):
    x, y = batch(n=5, c=c, device=device)
    parts = [loss(x[i : i + 2], y[i : i + 2], reduction="sum") for i in (0, 2, 4)]
    whole = loss(x, y, reduction="sum")
    torch.testing.assert_close(sum(parts), whole, **EXACT)
    torch.testing.assert_close(loss(x, y, reduction="none").sum(), whole, **EXACT)
    torch.testing.assert_close(loss(x, y) * (y != VOID).sum(), whole, **EXACT)


@pytest.mark.parametrize(("name", "loss", "c"), EVERY, ids=[name for name, _, _ in EVERY])
def test_gradients_are_those_of_small_steps(name, loss, c, device):
    x, y = batch(n=2, c=c, h=3, w=4, device=device)
    for settings_of in [{}] if name not in BOTH else [{}, {"classes": "all"}, {"classes": [0, 2]}]:
        assert torch.autograd.gradcheck(
            lambda x, s=settings_of: loss(x, y, **s), x.requires_grad_(), raise_exception=True
        )


@pytest.mark.parametrize("c", [1, 4])
@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("squared", [False, True])
def test_gradients_of_dice_in_all_its_forms(c, per_image, squared):
    x, y = batch(n=3, c=c, h=3, w=4, absent=(0,) if c > 1 else ())
    settings_of = {"per_image": per_image, "squared": squared, "smooth": 0.3}
    assert torch.autograd.gradcheck(
        lambda x: losses.dice_loss(x, y, **settings_of), x.requires_grad_()
    )


@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 3.0, 0.0]])
def test_gradients_of_cross_entropy_with_weights_and_smoothing(weight):
    x, y = batch(h=3, w=4)
    for loss in (
        lambda x: losses.cross_entropy(x, y, weight=weight, label_smoothing=0.2),
        lambda x: losses.softmax_focal_loss(x, y, weight=weight, gamma=0.7),
    ):
        assert torch.autograd.gradcheck(loss, x.requires_grad_())


def test_per_image_is_the_mean_over_images_with_a_judged_pixel():
    x, y = batch(n=4)
    y[2] = VOID
    for loss in (losses.dice_loss, losses.jaccard_loss, losses.tversky_loss,
                 losses.focal_tversky_loss, losses.lovasz_softmax):  # fmt: skip
        each = [loss(x[i : i + 1], y[i : i + 1]) for i in (0, 1, 3)]
        torch.testing.assert_close(loss(x, y, per_image=True), sum(each) / 3, **EXACT)
        assert loss(x, y, per_image=True) != loss(x, y)


@given(
    st.lists(st.tuples(st.floats(0, 5, width=32), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_steps_are_what_each_pixel_adds(pixels, dtype):
    """Against the definition: count the IoU before and after each pixel goes wrong."""
    errors, truth = zip(*pixels, strict=True)
    steps = losses.jaccard_steps(torch.tensor(errors, dtype=dtype), torch.tensor(truth))
    assert steps.sum().item() == pytest.approx(1, abs=1e-5)
    inside = {i for i, hit in enumerate(truth) if hit}

    def lost(wrong: set[int]) -> float:
        union = inside | wrong
        return len(wrong) / len(union) if union else 0.0

    # Among equal errors any order is right: compare sums over each group of equals.
    wrong: set[int] = set()
    for error in sorted(set(errors), reverse=True):
        equals = {i for i, e in enumerate(errors) if e == error}
        before, wrong = lost(wrong), wrong | equals
        added = sum(steps[i].item() for i in equals)
        assert math.isclose(added, lost(wrong) - before, abs_tol=1e-5)
