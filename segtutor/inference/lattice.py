"""Gaussian filtering in many dimensions: exactly, and on a permutohedral lattice.

Both filters compute, for N points with features f, the sums Σⱼ exp(−½‖fᵢ − fⱼ‖²) vⱼ. The exact one
looks at all N² pairs. The lattice spreads the values over the corners of the simplices that the
points lie in, blurs along the lattice's axes and reads the sums off again: a number of steps that
grows with N. Paper: Adams, Baek and Davis, "Fast High-Dimensional Filtering Using the
Permutohedral Lattice", Eurographics 2010. Like the authors' own, this lattice blurs each axis once
with (½, 1, ½) and is therefore a few percent off.
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["ExactFilter", "LatticeFilter"]


class ExactFilter:
    """Sums over all pairs of points.

    Args:
        features: (N, D), in units of the Gaussian's standard deviation.
        normalized: Divide each term of a sum by the root of both points' numbers of neighbors,
            that is of what the filter makes of ones.
        rows: How many rows of the N×N matrix are in memory at a time.

    Example:
        >>> near = ExactFilter(torch.tensor([[0.0], [1.0]]))
        >>> near(torch.tensor([[1.0], [0.0]]))
        tensor([[1.0000],
                [0.6065]])
    """

    def __init__(self, features: Tensor, *, normalized: bool = False, rows: int = 1024) -> None:
        self.rows = rows
        # ‖f − g‖² = ‖f‖² − 2f·g + ‖g‖² is a matrix product; near 0 it wants small numbers.
        self.centered = features - features.mean(dim=0)
        self.squares = self.centered.square().sum(dim=1)
        self.root = features.new_ones(len(features), 1)
        if normalized:
            self.root = self(self.root).rsqrt()

    def __call__(self, values: Tensor) -> Tensor:
        """Return the sums (N, C) of values (N, C)."""
        blocks = zip(self.centered.split(self.rows), self.squares.split(self.rows), strict=True)
        values = self.root * values
        sums = []
        for block, squares in blocks:
            exponent = torch.addmm(-0.5 * self.squares, block, self.centered.T)  # (rows, N)
            sums.append((exponent - 0.5 * squares[:, None]).clamp(max=0).exp() @ values)
        return self.root * torch.cat(sums)  # (N, C)


class LatticeFilter:
    """The same sums on a permutohedral lattice, for many points.

    Args:
        features: (N, D), in units of the Gaussian's standard deviation.
        normalized: Divide each term of a sum by the root of both points' numbers of neighbors,
            that is of what the filter makes of ones.

    Example:
        >>> line = torch.arange(100.0)[:, None] / 10
        >>> exact, fast = (kind(line)(torch.ones(100, 1)) for kind in (ExactFilter, LatticeFilter))
        >>> bool((fast / exact - 1).abs().max() < 0.1)
        True
    """

    def __init__(self, features: Tensor, *, normalized: bool = False) -> None:
        points, dims = features.shape
        base, rank, weights = _simplices(features)  # (N, D), (N, D + 1), (N, D + 1)
        # A lattice point's D coordinates become one number, so that a step adds a constant. Room
        # on all sides: a neighbor outside must not be taken for a point inside.
        lowest = base.amin(dim=0) - 2 * (dims + 1)
        sides = base.amax(dim=0) + 2 * (dims + 1) + 1 - lowest
        radix = base.new_zeros(dims + 1)  # the last coordinate follows from the others
        radix[0] = 1
        radix[1:dims] = sides[:-1].cumprod(0)
        # Each corner is one step further along all axes, but D back along that of the next rank.
        step = radix.sum() - (dims + 1) * torch.zeros_like(rank).scatter_(
            1, rank, radix.expand_as(rank)
        ).flip(1)  # (N, D + 1)
        first = ((base - lowest) * radix[:dims]).sum(dim=1, keepdim=True)
        corners = first + torch.cat([torch.zeros_like(first), step[:, :-1].cumsum(1)], dim=1)
        codes, found = torch.unique(corners, return_inverse=True)  # found (N, D + 1)
        # One row for each lattice point that is near data.
        self.size = len(codes)
        axes = radix.sum() - (dims + 1) * radix
        self.blurs = [_blur(codes, axis) for axis in axes]
        self.corners = found
        # The same table read the other way: the points around each corner.
        order = found.flatten().argsort(stable=True)
        self.around, self.shares = order // (dims + 1), weights.flatten()[order]
        self.starts = torch.bincount(found.flatten(), minlength=self.size).cumsum(0).roll(1)
        self.starts[0] = 0
        # The integral of the Gaussian over that of what the lattice does to a single point.
        scale = (4 * math.pi / 3) ** (dims / 2) * math.sqrt(dims + 1) / 2 ** (dims + 1)
        self.weights = scale * weights
        if normalized:  # once, in the weights, and not at every call
            root = self(features.new_ones(points, 1)).clamp(min=1e-20).rsqrt()
            self.weights, self.shares = root * self.weights, root[self.around, 0] * self.shares

    def __call__(self, values: Tensor) -> Tensor:
        """Return the sums (N, C) of values (N, C)."""
        total = partial(F.embedding_bag, mode="sum")  # weighted sums of chosen rows
        grid = total(self.around, values, self.starts, per_sample_weights=self.shares)  # (size, C)
        for near, shares in self.blurs:
            grid = total(near, grid, per_sample_weights=shares.to(grid.dtype))
        return total(self.corners, grid, per_sample_weights=self.weights)  # (N, C)


def _simplices(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the points lie: D coordinates of the first corner, ranks of the axes, weights."""
    dims = features.shape[1]
    # Lift the points into the plane of D + 1 coordinates whose sum is 0, where the lattice lies.
    # The blur along all axes has the variance 2(D + 1)²/3: the features are stretched to it.
    axis = torch.arange(1, dims + 1, dtype=features.dtype, device=features.device)
    stretched = features * (math.sqrt(2 / 3) * (dims + 1)) / (axis * (axis + 1)).sqrt()
    tails = stretched.flip(1).cumsum(1).flip(1)  # sum of this and all later coordinates
    zero = torch.zeros_like(tails[:, :1])
    lifted = torch.cat([tails, zero], 1) - torch.cat([zero, axis * stretched], 1)  # (N, D + 1)
    # The nearest point all of whose coordinates are multiples of D + 1 …
    nearest = (lifted / (dims + 1)).round()
    excess = nearest.sum(1, keepdim=True).long()  # … need not lie in the plane:
    distance = lifted - nearest * (dims + 1)
    columns = distance.T.contiguous()  # (D + 1, N)
    ahead = columns[None] > columns[:, None]
    ties = (columns[None] == columns[:, None]) & torch.ones_like(ahead[..., 0]).tril(-1)[..., None]
    rank = (ahead | ties).sum(dim=1).T + excess  # (N, D + 1), 0 for the largest distance
    low, high = rank < 0, rank > dims  # step on where the distance is largest, or back
    shift = low.long() - high.long()
    rank = rank + shift * (dims + 1)
    nearest, distance = nearest + shift, distance / (dims + 1) - shift
    # Barycentric coordinates are the gaps between the sorted distances.
    ordered = torch.empty_like(distance).scatter_(1, rank, distance)  # from large to small
    last = 1 + ordered[:, -1:] - ordered[:, :1]
    weights = torch.cat([last, (ordered[:, :-1] - ordered[:, 1:]).flip(1)], dim=1)
    return (nearest[:, :dims] * (dims + 1)).long(), rank, weights


def _blur(codes: Tensor, axis: Tensor) -> tuple[Tensor, Tensor]:
    """Each lattice point, sorted by its code, and its two neighbors along an axis, with shares."""
    near, shares = [torch.arange(len(codes), device=codes.device)], [torch.ones_like(codes)]
    for wanted in (codes - axis, codes + axis):
        place = torch.searchsorted(codes, wanted).clamp(max=len(codes) - 1)
        near.append(place)
        shares.append(0.5 * (codes[place] == wanted))  # a neighbor far from all data is 0
    return torch.stack(near, dim=1), torch.stack(shares, dim=1)  # (size, 3) each
