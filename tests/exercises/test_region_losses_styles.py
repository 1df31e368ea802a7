"""Region losses: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import nn

from segtutor import losses
from segtutor.exercises import check
from segtutor.exercises.region_losses import rare_class as rare

VOID = 255


def dice_in_loops(logits, labels):
    """NumPy, a class at a time, a boolean mask for each."""
    p = torch.softmax(logits, 1).numpy()
    y = labels.numpy()
    scores = []
    for c in np.unique(y[y != VOID]):
        mine = p[:, c][y != VOID]
        scores.append(2 * p[:, c][y == c].sum() / (mine.sum() + (y == c).sum()))
    return 1 - np.mean(scores)


def dice_masked(logits, labels):
    """Void is multiplied away, shapes stay (N, C, H, W)."""
    keep = (labels != VOID).unsqueeze(1)
    y = F.one_hot(labels * keep[:, 0], logits.shape[1]).permute(0, 3, 1, 2) * keep
    p = F.softmax(logits, dim=1) * keep
    dims = (0, 2, 3)
    dice = 2 * (p * y).sum(dims) / (p + y).sum(dims)
    return (1 - dice)[y.sum(dims) > 0].mean()


def dice_smoothed_by_nothing(logits, labels):
    """An epsilon that no digit shows."""
    keep = labels.flatten() != VOID
    p = logits.softmax(1).transpose(0, 1).flatten(1)[:, keep]
    y = torch.stack([labels.flatten()[keep] == c for c in range(len(p))]).to(p)
    dice = (2 * (p * y).sum(1) + 1e-8) / (p.sum(1) + y.sum(1) + 1e-8)
    return torch.mean(1 - dice[y.any(1)])


def tversky_from_sizes(p, y, alpha=0.3, beta=0.7):
    overlap = (p * y).sum()
    return 1 - overlap / (overlap + alpha * (p.sum() - overlap) + beta * (y.sum() - overlap))


def tversky_in_lists(probability, truth, **prices):
    alpha, beta = prices.get("alpha", 0.3), prices.get("beta", 0.7)
    pairs = list(zip(probability.flatten().tolist(), truth.flatten().tolist(), strict=True))
    hit = sum(p for p, y in pairs if y)
    alarms = sum(p for p, y in pairs if not y)
    misses = sum(1 - p for p, y in pairs if y)
    return 1 - hit / (hit + alpha * alarms + beta * misses)


def focal_over_ce(logits, labels, gamma=2.0, weight=None):
    """From cross-entropy, pixel by pixel, in one line each."""
    ce = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none")
    weight = torch.ones(logits.shape[1]) if weight is None else weight
    w = torch.where(labels == VOID, 0.0, weight[labels.clamp(max=logits.shape[1] - 1)])
    return (w * (1 - torch.exp(-ce)) ** gamma * ce).sum() / w.sum()


def focal_one_hot(logits, labels, gamma=2.0, weight=None):
    keep = labels != VOID
    p = logits.softmax(1).movedim(1, -1)[keep]
    y = F.one_hot(labels[keep], p.shape[-1])
    w = torch.ones(p.shape[-1]) if weight is None else weight
    each = -(y * w * (1 - p) ** gamma * p.log()).sum(1)
    return each.sum() / (y * w).sum()


def sigmoid_focal_two_lines(logits, truth, alpha=0.25, gamma=2.0):
    p = torch.sigmoid(logits)
    ones = -alpha * (1 - p) ** gamma * torch.log(p) * truth
    zeros = -(1 - alpha) * p**gamma * torch.log(1 - p) * (1 - truth)
    return (ones + zeros).mean()


def sigmoid_focal_where(logits, truth, alpha=0.25, gamma=2.0):
    z = torch.where(truth == 1, logits, -logits)
    w = torch.where(truth == 1, alpha, 1 - alpha)
    return (w * torch.sigmoid(-z) ** gamma * -F.logsigmoid(z)).mean()


def lovasz_by_sets(probability, truth):
    """The definition, in Python lists."""
    pixels = sorted(
        zip((probability - truth).abs().tolist(), truth.tolist(), strict=True), reverse=True
    )
    ones, loss, before = truth.sum().item(), 0.0, 0.0
    for k, (error, _) in enumerate(pixels, 1):
        missed = sum(y for _, y in pixels[:k])
        now = 1 - (ones - missed) / (ones + k - missed)
        loss, before = loss + error * (now - before), now
    return loss


def lovasz_of_the_authors(probability, truth):
    """Sorted labels, cumulated; the first entry stays, the others become differences."""
    errors, order = torch.sort((truth - probability).abs(), 0, descending=True)
    y = truth[order]
    jaccard = 1 - (y.sum() - y.cumsum(0)) / (y.sum() + (1 - y).cumsum(0))
    jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
    return torch.dot(errors, jaccard)


def distances_by_scipy(inside):
    mask = inside.numpy()
    out = distance_transform_edt(~mask) * ~mask - (distance_transform_edt(mask) - 1) * mask
    return torch.tensor(out, dtype=torch.float32)


def distances_in_loops(inside):
    spots = [(i, j) for i in range(inside.shape[0]) for j in range(inside.shape[1])]

    def nearest(i, j, kind):
        return min(
            ((i - k) ** 2 + (j - m) ** 2) ** 0.5 for k, m in spots if bool(inside[k, m]) is kind
        )

    return [
        [
            1 - nearest(i, j, False) if inside[i, j] else nearest(i, j, True)
            for j in range(inside.shape[1])
        ]
        for i in range(inside.shape[0])
    ]


STYLES = {
    "dice_by_hand": [
        (2.1, 6, 0.3),
        np.array([2.1, 6.0, 1 - 4.2 / 6]),
        torch.tensor([2.1, 6.0, 0.3], dtype=torch.float32),
    ],
    "dice_loss": [
        dice_in_loops,
        dice_masked,
        dice_smoothed_by_nothing,
        losses.dice_loss,
        losses.DiceLoss(),
    ],
    "tversky_loss": [tversky_from_sizes, tversky_in_lists],
    "softmax_focal_loss": [
        focal_over_ce,
        focal_one_hot,
        lambda x, y, gamma=2.0, weight=None: losses.softmax_focal_loss(
            x, y, gamma=gamma, weight=weight
        ),
    ],
    "sigmoid_focal_loss": [sigmoid_focal_two_lines, sigmoid_focal_where],
    "lovasz_loss": [lovasz_by_sets, lovasz_of_the_authors],
    "distance_map": [
        distances_by_scipy,
        distances_in_loops,
        lambda inside: losses.distance_map(inside.long()[None], num_classes=1)[0, 0],
    ],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


# ---- open: losses that find the rare class, and losses that do not


def tversky_of_lines(logits, labels, alpha=0.3, beta=0.7):
    return losses.tversky_loss(logits, labels, alpha=alpha, beta=beta, classes=[1], smooth=1.0)


def late_cross_entropy(logits, labels):
    return losses.cross_entropy(logits, labels) + rare.rare_class()(logits, labels)


class Jaccard(nn.Module):
    def forward(self, logits, labels):
        return losses.jaccard_loss(logits, labels, classes=[1], smooth=1.0)


@pytest.mark.parametrize("loss", [tversky_of_lines, late_cross_entropy, Jaccard()])
def test_losses_that_find_the_rare_class(loss):
    result = check("rare_class", loss)
    assert result.outcome == "right", result


@pytest.mark.parametrize(
    ("loss", "tag"),
    [
        (losses.cross_entropy, "rare.missed"),
        (losses.softmax_focal_loss, "rare.missed"),
        (functools.partial(losses.cross_entropy, weight=[1.0, 50.0]), "rare.false_alarms"),
        (functools.partial(losses.dice_loss, ignore_index=254), "crashed"),
        (F.cross_entropy, "rare.void"),
        (losses.DiceLoss, "rare.not_callable"),
        (lambda logits, labels: None, "rare.no_number"),
        (lambda logits, labels: losses.dice_loss(logits, labels).item(), "rare.no_number"),
        (lambda logits, labels: losses.dice_loss(logits.detach(), labels), "rare.no_gradient"),
    ],
)
def test_losses_that_do_not(loss, tag):
    result = check("rare_class", loss)
    assert tag in (result.mistake, result.outcome), result
    assert result.outcome != "right"


def test_the_limits_of_rare_class_are_those_of_the_chapter(chapter_text):
    assert f"for {rare.STEPS} steps" in chapter_text
    assert f"at least {rare.RECALL:.0%}".replace("%", " %") in chapter_text
    assert f"at least {rare.PRECISION:.0%}".replace("%", " %") in chapter_text


@pytest.fixture
def chapter_text():
    from pathlib import Path

    (path,) = Path(__file__).parents[2].glob("book/*/region_losses.ipynb")
    return path.read_text(encoding="utf-8")


# ---- what earlier learners would really hand in


def dice_without_one_hot_of_void(logits, labels):
    """`one_hot` meets 255."""
    y = F.one_hot(labels, logits.shape[1]).movedim(-1, 1)
    return 1 - 2 * (logits.softmax(1) * y).sum() / (logits.softmax(1) + y).sum()


def dice_for_one_logit(logits, labels):
    """The binary Dice of a tutorial: sigmoid, flatten, class numbers as a mask."""
    p, y = torch.sigmoid(logits).argmax(1).float().flatten(), (labels > 0).float().flatten()
    return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


def focal_torchvision(logits, labels, gamma=2.0, weight=None):
    """`reduction` was left at "none"."""
    ce = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none")
    return (1 - torch.exp(-ce)) ** gamma * ce


def distances_unshifted(inside):
    """SciPy's two maps, subtracted: the usual short form, whose rim is at −1 and 1."""
    mask = inside.numpy()
    return torch.tensor(distance_transform_edt(~mask) - distance_transform_edt(mask)).float()


def test_a_void_label_in_one_hot_ends_in_a_crash_that_shows_the_line():
    result = check("dice_loss", dice_without_one_hot_of_void)
    assert result.outcome == "crashed"
    assert "one_hot" in str(result) or "Class values" in str(result)


def test_a_binary_tutorial_s_dice_is_wrong_without_a_guess():
    result = check("dice_loss", dice_for_one_logit)
    assert (result.outcome, result.mistake) == ("wrong", None)


def test_a_map_instead_of_a_number_is_told_its_shape():
    result = check("softmax_focal_loss", focal_torchvision)
    assert result.outcome == "wrong"
    assert "a single number" in result.message


def test_the_short_form_of_the_distance_map_is_accepted():
    result = check("distance_map", distances_unshifted)
    assert result.outcome == "right"
    assert "different" in result.message


@pytest.mark.parametrize("settings", [{"smooth": 1.0}, {"squared": True}])
def test_other_dice_losses_are_accepted_and_told_so(settings):
    result = check("dice_loss", functools.partial(losses.dice_loss, **settings))
    assert result.outcome == "right"
    assert "different" in result.message


@pytest.mark.parametrize(
    ("settings", "tag"),
    [
        ({"classes": "all"}, "dice.absent_is_0"),
        ({"per_image": True}, "dice.batch"),
        ({"ignore_index": 254}, None),
    ],
)
def test_the_package_s_other_settings_are_named(settings, tag):
    result = check("dice_loss", functools.partial(losses.dice_loss, **settings))
    assert (result.outcome == "crashed") if tag is None else (result.mistake == tag)


def test_a_rounded_answer_by_hand_says_which_number_to_look_at():
    result = check("dice_by_hand", [2.1, 6.0, 0.35])
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "2 of 3" in result.message
