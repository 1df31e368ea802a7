"""Gaussian sums: exact ones, and those of the permutohedral lattice."""

from __future__ import annotations

import pytest
import torch

from segtutor.inference.lattice import ExactFilter, LatticeFilter, _simplices


def points(count: int, dims: int, extent: float) -> torch.Tensor:
    return extent * torch.rand(count, dims, generator=torch.Generator().manual_seed(dims))


@pytest.mark.parametrize("dims", [1, 2, 3, 5])
def test_exact_sums_are_those_over_all_pairs(dims):
    f = points(70, dims, 3.0) + 100  # far from the origin: squares must not eat the digits
    v = torch.randn(70, 4)
    expected = (-0.5 * (f[:, None] - f[None]).double().square().sum(-1)).exp() @ v.double()
    for rows in (1, 32, 1000):
        torch.testing.assert_close(
            ExactFilter(f, rows=rows)(v).double(), expected, atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("dims", [1, 2, 3, 4, 5])
def test_every_point_lies_in_its_simplex(dims):
    f = points(500, dims, 20.0) - 10
    base, rank, weights = _simplices(f)
    assert weights.min() >= -1e-5
    torch.testing.assert_close(weights.sum(1), torch.ones(500))
    assert torch.equal(rank.sort(1).values, torch.arange(dims + 1).expand(500, -1))
    # The corners, weighed, give the point back.
    base = torch.cat([base, -base.sum(1, keepdim=True)], dim=1)
    corners = [k - (dims + 1) * (rank > dims - k).long() for k in range(dims + 1)]
    center = sum(w[:, None] * (base + c) for w, c in zip(weights.T, corners, strict=True))
    gram = (center[:, None] - center[None]).square().sum(-1)
    stretch = 2 / 3 * (dims + 1) ** 2  # the lift keeps angles and stretches
    expected = stretch * (f[:, None] - f[None]).square().sum(-1)
    torch.testing.assert_close(gram, expected, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize(("dims", "count"), [(1, 500), (2, 3000), (3, 8000)])
def test_on_the_lattice_nearly_the_same(dims, count):
    f = points(count, dims, 6.0)
    v = 1 + torch.rand(count, 2, generator=torch.Generator().manual_seed(0))
    inside = ((f > 1.5) & (f < 4.5)).all(1)  # at the rim, neighbors on the lattice are missing
    ratio = (LatticeFilter(f)(v) / ExactFilter(f)(v))[inside]
    assert abs(ratio.mean() - 1) < 0.02
    assert ratio.std() < 0.06


@pytest.mark.parametrize("kind", [ExactFilter, LatticeFilter])
def test_normalized_sums(kind):
    f, v = points(300, 3, 2.0), torch.rand(300, 2)
    plain = kind(f)
    root = plain(torch.ones(300, 1)).sqrt()
    torch.testing.assert_close(kind(f, normalized=True)(v), plain(v / root) / root)


@pytest.mark.parametrize("kind", [ExactFilter, LatticeFilter])
def test_the_sums_are_linear_and_symmetric(kind):
    f = points(200, 3, 2.0)
    total = kind(f)
    a, b = torch.rand(200, 1), torch.rand(200, 1)
    torch.testing.assert_close(total(2 * a + b), 2 * total(a) + total(b))
    if kind is ExactFilter:  # the lattice blurs axis by axis, which is symmetric only inside
        torch.testing.assert_close((a * total(b)).sum(), (b * total(a)).sum())


def test_all_points_in_one_place():
    f = torch.full((50, 5), 0.25)
    v = torch.rand(50, 3)
    torch.testing.assert_close(ExactFilter(f)(v), v.sum(0).expand(50, -1))
    sums = LatticeFilter(f)(v)
    torch.testing.assert_close(sums, sums[:1].expand(50, -1))
