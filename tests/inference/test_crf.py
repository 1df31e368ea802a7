"""The dense CRF beside a loop over all pairs, and beside pydensecrf."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from segtutor.inference import dense_crf
from tests.inference.pydensecrf import ANSWERS, CASES, STRONG, WEAK, answer, case


def by_hand(logits, image, *, iterations, **s):
    """Mean field as the paper writes it: pixel by pixel, pair by pair, in double precision."""
    classes, height, width = logits.shape
    pixels = list(itertools.product(range(height), range(width)))
    count = len(pixels)
    near, similar = np.zeros((count, count)), np.zeros((count, count))
    for (i, (a, b)), (j, (c, d)) in itertools.product(enumerate(pixels), repeat=2):
        distance = (a - c) ** 2 + (b - d) ** 2
        color = float((image[:, a, b].double() - image[:, c, d].double()).square().sum())
        near[i, j] = math.exp(-distance / (2 * s["smoothness_reach"] ** 2))
        similar[i, j] = math.exp(
            -distance / (2 * s["appearance_reach"] ** 2) - color / (2 * s["color_reach"] ** 2)
        )
    for kernel in (near, similar):
        root = np.sqrt(kernel.sum(1))
        kernel /= np.outer(root, root)
    scores = logits.double().log_softmax(0).flatten(1).T.numpy()
    beliefs = np.exp(scores)
    for _ in range(iterations):
        energy = -scores
        for weight, kernel in ((s["smoothness"], near), (s["appearance"], similar)):
            # A label's energy: the beliefs of all others in other labels, times their nearness.
            energy = energy + weight * (kernel @ (1 - beliefs))
        beliefs = np.exp(-energy + energy.min(1, keepdims=True))
        beliefs /= beliefs.sum(1, keepdims=True)
    return torch.tensor(beliefs.T).view(classes, height, width)


def same(mine, theirs):
    """Equal in single precision, but where a pixel falls on a border between two simplices."""
    assert (mine - theirs).abs().max() < 1e-2
    assert (mine - theirs).abs().mean() < 1e-4


@pytest.mark.parametrize("settings", [WEAK, STRONG], ids=["weak", "strong"])
@pytest.mark.parametrize("iterations", [0, 1, 5])
def test_exactly_the_sum_over_all_pairs(settings, iterations):
    logits, image = case(3, 7, 9, seed=iterations)
    mine = dense_crf(logits[None], image[None], iterations=iterations, exact=True, **settings)[0]
    expected = by_hand(logits, image, iterations=iterations, **settings)
    torch.testing.assert_close(mine.double(), expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", CASES)
def test_on_the_lattice_it_is_pydensecrf(name):
    *shape, settings = CASES[name]
    logits, image = case(*shape)
    mine = dense_crf(logits[None], image[None], **settings)[0]
    expected = torch.tensor(np.load(ANSWERS)[name])
    same(mine, expected)
    # The answers are worth comparing with: neither the input nor one label everywhere.
    assert (expected - logits.softmax(0)).abs().max() > 0.2
    assert len(expected.argmax(0).unique()) > 1


@pytest.mark.parametrize("seed", range(4))
def test_pydensecrf_itself(seed):
    pytest.importorskip("pydensecrf", reason="pip install -e '.[crf]' builds it")
    logits, image = case(2 + seed, 20 + 7 * seed, 31, seed=seed)
    if seed == 3:
        image[:] = 0.5  # one color: every tie that a lattice can have
    mine = dense_crf(logits[None], image[None], **WEAK)[0]
    same(mine, answer(logits, image, WEAK, 5))


def test_lattice_and_all_pairs_nearly_agree():
    logits, image = case(4, 24, 30)
    exact, fast = (dense_crf(logits[None], image[None], exact=e, **WEAK) for e in (True, False))
    assert (exact - fast).abs().mean() < 0.005
    assert (exact.argmax(1) == fast.argmax(1)).float().mean() > 0.99
    assert (exact - logits.softmax(0)).abs().mean() > 0.05


@pytest.mark.parametrize("exact", [True, False])
def test_it_follows_edges_and_removes_specks(exact):
    image = torch.zeros(1, 3, 16, 20)
    image[..., 8:] = 0.8
    true = image[0, 0].bool().long()
    wrong = torch.rand(16, 20, generator=torch.Generator().manual_seed(0)) < 0.15
    said = torch.where(wrong, 1 - true, true)
    logits = torch.nn.functional.one_hot(said, 2).permute(2, 0, 1)[None].float()
    refined = dense_crf(logits, image, exact=exact).argmax(1)[0]
    assert wrong.sum() > 30
    assert torch.equal(refined, true)


@pytest.mark.parametrize("exact", [True, False])
def test_classes_and_pictures_may_change_places(exact):
    pairs = [case(4, 9, 13, seed=s) for s in range(3)]
    logits, images = (torch.stack(x) for x in zip(*pairs, strict=True))
    refined = dense_crf(logits, images, exact=exact)
    torch.testing.assert_close(refined.sum(1), torch.ones(3, 9, 13))
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(dense_crf(logits[:, order], images, exact=exact), refined[:, order])
    for k in range(3):
        alone = dense_crf(logits[k : k + 1], images[k : k + 1], exact=exact)
        torch.testing.assert_close(alone[0], refined[k])


def test_without_iterations_or_weights_it_is_softmax():
    logits, image = case(4, 9, 13)
    for settings in ({"iterations": 0}, {"smoothness": 0.0, "appearance": 0.0}):
        refined = dense_crf(logits[None], image[None], **settings)[0]
        torch.testing.assert_close(refined, logits.softmax(0))


def test_without_appearance_the_colors_do_not_matter():
    logits, image = case(4, 9, 13)
    refined = [dense_crf(logits[None], x[None], appearance=0.0) for x in (image, 1 - image, image)]
    torch.testing.assert_close(refined[0], refined[1])


def test_one_pixel_and_half_precision():
    logits, image = case(3, 1, 1)
    refined = dense_crf(logits[None].half(), image[None].half(), **WEAK)
    assert refined.dtype == torch.float16
    # A pixel counts itself among its neighbors, so that even alone it grows more certain.
    expected = by_hand(logits, image, iterations=5, **WEAK)
    torch.testing.assert_close(refined[0].double(), expected, atol=2e-3, rtol=0)


L, X = torch.zeros(1, 3, 4, 6), torch.zeros(1, 3, 4, 6)


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "words"),
    [
        ((L[0], X), {}, ValueError, r"x\[None\]"),
        ((L, X[..., :5]), {}, ValueError, "enlarge the logits"),
        ((L, X.expand(2, -1, -1, -1)), {}, ValueError, "as many pictures"),
        ((L, X.to(torch.uint8)), {}, TypeError, "divide by 255"),
        ((L, X + 200), {}, ValueError, "divide by 255"),
        ((torch.log(L), X), {}, ValueError, r"clamp\(min=1e-8\)"),
        ((L, X), {"color_reach": 0}, ValueError, "color_reach=0"),
        ((L, X), {"smoothness_reach": -1.0}, ValueError, "smoothness_reach=-1"),
        ((L, X), {"appearance_reach": float("nan")}, ValueError, "appearance_reach=nan"),
        ((L, X), {"iterations": -1}, ValueError, "iterations=-1"),
    ],
)
def test_what_cannot_be_is_said(arguments, settings, error, words):
    with pytest.raises(error, match=words):
        dense_crf(*arguments, **settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_says_the_same():
    logits, image = (x[None] for x in case(4, 24, 30))
    mine = dense_crf(logits.cuda(), image.cuda(), **WEAK)
    torch.testing.assert_close(mine.cpu(), dense_crf(logits, image, **WEAK), atol=1e-4, rtol=0)
