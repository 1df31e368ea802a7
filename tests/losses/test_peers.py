"""Every loss against other libraries: values and gradients, with void and absent classes."""

from __future__ import annotations

import kornia
import monai.losses
import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
import torchvision
from segmentation_models_pytorch.losses._functional import softmax_focal_loss_with_logits

from segtutor import losses
from tests.losses.cases import VOID, batch, value_and_gradient, without_void

# Its losses computed something else before.
new_kornia = pytest.mark.skipif(
    tuple(map(int, kornia.__version__.split(".")[:2])) < (0, 9), reason="kornia before 0.9"
)
SHAPES = [{}, {"n": 1}, {"h": 1, "w": 1, "n": 3, "void": 0.0}, {"h": 33, "w": 65, "c": 19}]
EXACT = {"rtol": 1e-10, "atol": 1e-12}
SINGLE = {"rtol": 1e-5, "atol": 1e-6}  # peers that compute in float32


def assert_equal(ours, peer, logits, tolerance=EXACT) -> None:
    """Ours and the peer's functions of the logits agree in value and gradient."""
    value, gradient = value_and_gradient(ours, logits)
    expected, expected_gradient = value_and_gradient(peer, logits)
    torch.testing.assert_close(value, expected, **tolerance, check_dtype=False)
    torch.testing.assert_close(gradient, expected_gradient, **tolerance)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy(shape, smoothing, weighted, reduction, device):
    x, y = batch(**shape, device=device)
    weight = torch.linspace(0.5, 3, x.shape[1], dtype=x.dtype, device=device) if weighted else None
    settings = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}
    map_of_prices = torch.rand_like(y, dtype=x.dtype)  # "none" needs a sum of some kind
    assert_equal(
        lambda x: (losses.cross_entropy(x, y, **settings) * map_of_prices).sum(),
        lambda x: (F.cross_entropy(x, y, ignore_index=VOID, **settings) * map_of_prices).sum(),
        x,
    )


@pytest.mark.parametrize("pos_weight", [1.0, 3.5])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_cross_entropy(pos_weight, reduction, device):
    x, y = batch(c=1, device=device)
    judged = y != VOID
    ours = losses.binary_cross_entropy(x, y, pos_weight=pos_weight, reduction="none")
    assert (ours[~judged] == 0).all()

    def peer(x):
        return F.binary_cross_entropy_with_logits(
            x[:, 0][judged],
            y[judged].double(),
            pos_weight=torch.tensor(pos_weight, device=device),
            reduction=reduction,
        ).sum()

    assert_equal(
        lambda x: losses.binary_cross_entropy(
            x, y, pos_weight=pos_weight, reduction=reduction
        ).sum(),
        peer,
        x,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_softmax_focal(shape, gamma, device):
    x, y = batch(**shape, device=device)
    judged = y != VOID
    assert_equal(
        lambda x: losses.softmax_focal_loss(x, y, gamma=gamma),
        lambda x: softmax_focal_loss_with_logits(x.movedim(1, -1)[judged], y[judged], gamma=gamma),
        x,
    )


@new_kornia
def test_softmax_focal_beside_a_second_library(device):
    x, y = batch(void=0.0, device=device)
    settings = {"alpha": None, "gamma": 2.0, "reduction": "sum"}
    assert_equal(
        lambda x: losses.softmax_focal_loss(x, y, gamma=2.0),
        lambda x: kornia.losses.focal_loss(x, y, **settings) / y.numel(),
        x,
    )


@pytest.mark.parametrize("alpha", [None, 0.25, 0.9])
@pytest.mark.parametrize("gamma", [0.0, 2.0, 3.0])
def test_sigmoid_focal(alpha, gamma, device):
    x, y = batch(c=1, device=device)
    judged = y != VOID

    def peer(x):
        return torchvision.ops.sigmoid_focal_loss(
            x[:, 0][judged],
            y[judged].double(),
            alpha=-1 if alpha is None else alpha,
            gamma=gamma,
            reduction="mean",
        )

    assert_equal(lambda x: losses.sigmoid_focal_loss(x, y, alpha=alpha, gamma=gamma), peer, x)


@pytest.mark.parametrize("shape", [{}, {"n": 1}, {"h": 33, "w": 65, "c": 19}], ids=str)
def test_dice_and_jaccard_where_every_class_occurs(shape, device):
    x, y = batch(**shape, device=device)
    # Where one is absent, this peer gives it loss 0 and still counts it in the mean.
    assert set(range(x.shape[1])) <= set(y.unique().tolist())
    for ours, peer in (
        (losses.dice_loss, smp.losses.DiceLoss("multiclass", ignore_index=VOID)),
        (losses.tversky_loss, smp.losses.TverskyLoss("multiclass", ignore_index=VOID)),
    ):
        assert_equal(lambda x, ours=ours: ours(x, y), lambda x, peer=peer: peer(x, y), x)
    pixels, truth = without_void(x, y)
    assert_equal(
        lambda x: losses.jaccard_loss(x, truth),
        lambda x: smp.losses.JaccardLoss("multiclass")(x, truth),
        pixels,
    )


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("smooth", [1e-5, 0.5, 1.0])
def test_dice_with_absent_classes(per_image, squared, smooth, device):
    x, y = batch(n=3, absent=(1,), void=0.0, device=device)
    peer = monai.losses.DiceLoss(
        softmax=True,
        to_onehot_y=True,
        batch=not per_image,
        squared_pred=squared,
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    settings = {"per_image": per_image, "squared": squared, "smooth": smooth}
    assert_equal(
        lambda x: losses.dice_loss(x, y, classes="all", **settings),
        lambda x: peer(x, y[:, None]),
        x,
        SINGLE,
    )
    foreground = monai.losses.DiceLoss(
        include_background=False,
        softmax=True,
        to_onehot_y=True,
        batch=not per_image,
        squared_pred=squared,
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    assert_equal(
        lambda x: losses.dice_loss(x, y, classes=[1, 2, 3], **settings),
        lambda x: foreground(x, y[:, None]),
        x,
        SINGLE,
    )


@pytest.mark.parametrize("void", [0.0, 0.4])
@pytest.mark.parametrize("prices", [(0.5, 0.5), (0.3, 0.7), (0.9, 0.2), (1.0, 1.0)])
def test_tversky(prices, void, device):
    alpha, beta = prices
    x, y = batch(absent=(2,), void=void, device=device)
    peer = monai.losses.TverskyLoss(
        softmax=True,
        to_onehot_y=True,
        alpha=alpha,
        beta=beta,
        batch=True,
        smooth_nr=0.1,
        smooth_dr=0.1,
    )

    def of_judged(x):
        pixels, truth = without_void(x, y)
        return peer(pixels, truth[:, None])

    settings = {"alpha": alpha, "beta": beta, "smooth": 0.1, "classes": "all"}
    assert_equal(lambda x: losses.tversky_loss(x, y, **settings), of_judged, x, SINGLE)


def test_alpha_is_the_price_of_false_alarms():
    """A row that decides: 4 hits, 2 false alarms and 1 miss give other numbers if swapped."""
    predicted = torch.tensor([1, 1, 1, 1, 1, 1, 0, 0])
    labels = torch.tensor([1, 1, 1, 1, 0, 0, 1, 0])[None, None]
    logits = (200.0 * predicted - 100).reshape(1, 1, 1, 8)
    loss = losses.tversky_loss(logits, labels, alpha=0.9, beta=0.1)
    assert loss.item() == pytest.approx(1 - 4 / (4 + 0.9 * 2 + 0.1 * 1))


@pytest.mark.parametrize("gamma", [1.0, 4 / 3, 2.0])
def test_focal_tversky_is_the_power_of_each_class(gamma, device):
    x, y = batch(device=device)

    def by_hand(x):
        each = [losses.tversky_loss(x, y, alpha=0.3, beta=0.7, classes=[c]) for c in range(4)]
        return torch.stack(each).pow(1 / gamma).mean()

    assert_equal(lambda x: losses.focal_tversky_loss(x, y, gamma=gamma), by_hand, x)


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("absent", [(), (1,), (0, 3)])
def test_lovasz_softmax(per_image, absent, device):
    x, y = batch(n=3, h=13, w=11, absent=absent, dtype=torch.float32, device=device)
    peer = smp.losses.LovaszLoss("multiclass", per_image=per_image, ignore_index=VOID)
    assert_equal(
        lambda x: losses.lovasz_softmax(x, y, per_image=per_image), lambda x: peer(x, y), x, SINGLE
    )


@new_kornia
def test_lovasz_softmax_of_all_classes(device):
    x, y = batch(n=3, h=13, w=11, absent=(1,), void=0.0, device=device)
    assert_equal(
        lambda x: losses.lovasz_softmax(x, y, per_image=True, classes="all"),
        lambda x: kornia.losses.lovasz_softmax_loss(x, y),
        x,
        SINGLE,
    )


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("absent", [(), (0,), (1,)])
def test_lovasz_hinge(per_image, absent, device):
    x, y = batch(n=3, c=1, h=13, w=11, absent=absent, dtype=torch.float32, device=device)
    peer = smp.losses.LovaszLoss("binary", per_image=per_image, ignore_index=VOID)
    assert_equal(
        lambda x: losses.lovasz_hinge(x, y, per_image=per_image), lambda x: peer(x, y), x, SINGLE
    )


@pytest.mark.parametrize("absent", [(), (2,), (0, 1, 3)])  # the last: one class fills the images
def test_boundary(absent, device):
    x, y = batch(n=3, h=13, w=11, absent=absent, void=0.0, device=device)
    peer = monai.losses.BoundaryLoss(softmax=True, to_onehot_y=True)
    value, gradient = value_and_gradient(lambda x: losses.boundary_loss(x, y, classes="all"), x)
    expected, expected_gradient = value_and_gradient(lambda x: peer(x, y[:, None]), x)
    torch.testing.assert_close(value, expected, **SINGLE, check_dtype=False)
    torch.testing.assert_close(gradient, expected_gradient, **SINGLE)


def test_boundary_of_one_logit(device):
    x, y = batch(c=1, n=3, h=13, w=11, void=0.0, device=device)
    peer = monai.losses.BoundaryLoss(sigmoid=True)
    assert_equal(
        lambda x: losses.boundary_loss(x, y), lambda x: peer(x, y[:, None].double()), x, SINGLE
    )


def test_combined(device):
    x, y = batch(void=0.0, device=device)
    peer = monai.losses.DiceCELoss(
        softmax=True, to_onehot_y=True, batch=True, lambda_dice=0.7, lambda_ce=1.3, smooth_nr=0,
        smooth_dr=1e-12,
    )  # fmt: skip
    terms = [(0.7, losses.dice_loss), (1.3, losses.cross_entropy)]
    assert_equal(lambda x: losses.combined(x, y, terms), lambda x: peer(x, y[:, None]), x, SINGLE)
