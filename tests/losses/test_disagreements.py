"""Where libraries answer the same question differently, and which answer is ours.

Not comparisons but records: if a library changes its mind, a test here says so.
"""

from __future__ import annotations

import kornia
import monai.losses
import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F

from segtutor import losses

# What older ones answered is not on record here.
pytestmark = pytest.mark.skipif(
    tuple(map(int, kornia.__version__.split(".")[:2])) < (0, 9), reason="kornia before 0.9"
)
VOID = 255
VOID_ONLY = torch.full((1, 1, 2), VOID)
TWO_PIXELS = torch.tensor([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]).log().T[None, :, None]  # (1, 3, 1, 2)


def sure(prediction: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Logits that say nothing but the prediction."""
    return 200.0 * F.one_hot(prediction, num_classes).movedim(-1, 1).float()


def answer(value: float):
    return pytest.approx(value, abs=5e-5)


def test_dice_of_a_batch_with_an_absent_and_an_only_predicted_class():
    labels = torch.tensor([[[0, 0, 1, 1]]])
    x = sure(torch.tensor([[[0, 0, 1, 2]]]), 4)  # class 2 is a false alarm, 3 is nowhere
    # Of the two that occur: (0 + 1/3) / 2.
    assert losses.dice_loss(x, labels).item() == answer(0.1667)
    assert kornia.losses.dice_loss(x, labels, average="macro").item() == answer(0.1667)
    # A false alarm alone costs 0, and all four classes are in the mean.
    assert smp.losses.DiceLoss("multiclass")(x, labels).item() == answer(0.0833)
    # All pixels in one pot.
    assert kornia.losses.dice_loss(x, labels).item() == answer(0.25)
    # A false alarm costs 1, and what is neither predicted nor there costs 0.
    m_dice = monai.losses.DiceLoss(softmax=True, to_onehot_y=True, batch=True)
    assert m_dice(x, labels[:, None]).item() == answer(0.3333)
    assert losses.dice_loss(x, labels, classes="all").item() == answer(0.3333)


def test_dice_of_an_empty_image_that_is_predicted_full():
    x, labels = torch.full((1, 1, 2, 2), 100.0), torch.zeros(1, 2, 2, dtype=torch.int64)
    assert smp.losses.DiceLoss("binary")(x, labels[:, None].float()).item() == 0
    assert losses.dice_loss(x, labels).item() == 0  # class 1 does not occur
    assert losses.dice_loss(x, labels, classes="all").item() == 1
    assert monai.losses.DiceLoss(sigmoid=True)(x, labels[:, None]).item() == answer(1.0)


def test_focal_loss_has_three_meanings():
    labels = torch.tensor([[[0, 1]]])
    ours = losses.softmax_focal_loss(TWO_PIXELS, labels, gamma=2.0).item()
    assert ours == answer(0.1027)
    # A mean over pixels *and* classes: a third of ours.
    m_focal = monai.losses.FocalLoss(use_softmax=True, to_onehot_y=True)
    assert m_focal(TWO_PIXELS, labels[:, None]).item() == answer(ours / 3)
    k_focal = kornia.losses.focal_loss(TWO_PIXELS, labels, None, 2.0, "mean").item()
    assert k_focal == answer(ours / 3)
    # A sigmoid for each class against the rest.
    s_focal = smp.losses.FocalLoss("multiclass")(TWO_PIXELS, labels).item()
    rest = [
        losses.sigmoid_focal_loss(TWO_PIXELS[:, c : c + 1], (labels == c).long(), alpha=None)
        for c in range(3)
    ]
    assert s_focal == answer(sum(rest).item() / 3)
    assert s_focal == answer(0.1367)


def test_cross_entropy_divides_by_the_judged_pixels():
    x, labels = torch.zeros(1, 4, 1, 8), torch.tensor([[[0, 1, 2, 3, 0, 1, 2, VOID]]])
    assert losses.cross_entropy(x, labels).item() == answer(1.3863)
    assert F.cross_entropy(x, labels, ignore_index=VOID).item() == answer(1.3863)
    s_cross = smp.losses.SoftCrossEntropyLoss(smooth_factor=0.0, ignore_index=VOID)
    assert s_cross(x, labels).item() == answer(1.3863 * 7 / 8)


def test_nothing_but_void():
    x = TWO_PIXELS
    assert F.cross_entropy(x, VOID_ONLY, ignore_index=VOID).isnan()
    assert smp.losses.FocalLoss("multiclass", ignore_index=VOID)(x, VOID_ONLY).isnan()
    s_lovasz = smp.losses.LovaszLoss("multiclass", ignore_index=VOID)(x, VOID_ONLY)
    assert s_lovasz.shape == (0, 3)  # no number at all
    assert smp.losses.DiceLoss("multiclass", ignore_index=VOID)(x, VOID_ONLY) == 0
    for ours in (losses.cross_entropy, losses.softmax_focal_loss, losses.dice_loss):
        assert ours(x, VOID_ONLY) == 0


def test_dice_over_the_batch_is_not_dice_of_each_image():
    labels = torch.tensor([[[1] * 8], [[1] + [0] * 7]])
    x = sure(torch.tensor([[[1] * 8], [[0] * 8]]), 2)[:, 1:] - 100  # one logit: right, then missed
    assert losses.dice_loss(x, labels).item() == answer(1 - 16 / 17)
    assert losses.dice_loss(x, labels, per_image=True).item() == answer(0.5)
    one_hot = labels[:, None].float()
    assert smp.losses.DiceLoss("binary")(x, one_hot).item() == answer(1 - 16 / 17)
    assert monai.losses.DiceLoss(sigmoid=True)(x, one_hot).item() == answer(0.5)
