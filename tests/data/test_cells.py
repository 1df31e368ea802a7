"""Cells touch but never merge; U-Net's weights are large in the seams."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from segtutor.data import Cells, boundary_weights


def test_the_same_again_and_different_with_another_seed() -> None:
    assert torch.equal(Cells(10)[3][0], Cells(500)[3][0])
    assert not torch.equal(Cells(10)[3][0], Cells(10, seed=1)[3][0])
    assert Cells(10)[-1][1].equal(Cells(10)[9][1])


@pytest.mark.parametrize("size", [(128, 128), (33, 64), (97, 65), (256, 192)])
def test_any_size(size: tuple[int, int]) -> None:
    scene = Cells(5, size).scene(2)
    assert scene.image.shape == (1, *size)
    assert scene.labels.shape == scene.instances.shape == size
    assert torch.equal(scene.labels, (scene.instances > 0).byte())
    assert scene.instances.max() >= 3
    image, labels = Cells(5, size)[2]
    assert image.dtype == torch.float32
    assert labels.dtype == torch.int64


def test_no_two_cells_are_neighbors_but_many_nearly_are() -> None:
    near = 0
    for i in range(20):
        numbers = Cells(20).scene(i).instances.numpy()
        for a, b in ((numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])):
            assert not ((a != b) & (a > 0) & (b > 0)).any()
        a, b = numbers[:, 2:], numbers[:, :-2]
        near += ((a != b) & (a > 0) & (b > 0)).sum()
    assert near > 200  # seams one pixel wide: what makes counting hard


def test_cells_are_brighter_than_the_ground() -> None:
    for i in range(10):
        image, labels = Cells(10)[i]
        assert image[0][labels == 1].mean() > image[0][labels == 0].mean() + 0.15


def by_hand(instances: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """The formula, pixel by pixel, with every distance measured."""
    ground = instances == 0
    cells = [np.argwhere(instances == n) for n in np.unique(instances) if n]
    weights = np.empty(instances.shape)
    for place in np.ndindex(*instances.shape):
        share = ground.mean() if ground[place] else 1 - ground.mean()
        weights[place] = 0.5 / share
        if ground[place] and len(cells) > 1:
            d1, d2 = sorted(np.sqrt(((cell - place) ** 2).sum(1)).min() for cell in cells)[:2]
            weights[place] += w0 * math.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    return weights


@pytest.mark.parametrize("seed", range(5))
def test_the_weights_are_the_formulas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers, _ = ndimage.label(rng.random((14, 17)) < 0.25)
    found = boundary_weights(torch.from_numpy(numbers), w0=7.0, sigma=2.0)
    np.testing.assert_allclose(found.numpy(), by_hand(numbers, 7.0, 2.0), rtol=1e-5)


def test_a_cell_in_several_pieces_is_one_cell() -> None:
    numbers = torch.tensor([[3, 0, 3, 0, 0, 5]])
    np.testing.assert_allclose(
        boundary_weights(numbers).numpy(), by_hand(numbers.numpy(), 10.0, 5.0), rtol=1e-5
    )


@pytest.mark.parametrize("numbers", [torch.zeros(4, 5).long(), torch.ones(4, 5).long()])
def test_one_class_alone(numbers: torch.Tensor) -> None:
    assert torch.equal(boundary_weights(numbers), torch.full((4, 5), 0.5))


def test_ground_and_cells_weigh_the_same_in_all() -> None:
    scene = Cells(4).scene(0)
    weights = boundary_weights(scene.instances, w0=0.0)
    ground = scene.instances == 0
    sums = [weights[part].sum().item() for part in (ground, ~ground)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Cells(0), "n=0"),
        (lambda: Cells(2, (16, 64)), "32 or more"),
        (lambda: Cells(2)[2], "picture 2 of 2"),
        (lambda: boundary_weights(torch.zeros(1, 4, 4).long()), r"int64 \(1, 4, 4\)"),
        (lambda: boundary_weights(torch.zeros(4, 4)), "float32"),
        (lambda: boundary_weights(torch.ones(4, 4).long(), sigma=0), "sigma=0 has to be above 0"),
    ],
)
def test_what_is_refused(call, told) -> None:
    with pytest.raises((ValueError, IndexError), match=told):
        call()
