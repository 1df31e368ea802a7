"""Design a way to fill an unpooled map that keeps what came back where it belongs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def fill_in(sparse, known):
    """sparse, known (N, C, H, W) -> a map without holes, (N, C, H, W).

    sparse is an unpooled map. known is 1 where a number came back, and 0
    where the zero of sparse says nothing. Each 2x2 window has one number.
    """
    raise NotImplementedError
'''


def fill_in():
    """Weigh the known neighbors by a small bell, divide by their weights, keep what is known."""

    def fill(sparse, known):
        row = torch.tensor([1.0, 2.0, 1.0], dtype=sparse.dtype)
        bell = torch.outer(row, row).expand(sparse.shape[1], 1, 3, 3)

        def blur(x):
            return F.conv2d(x, bell, padding=1, groups=x.shape[1])

        mean = blur(sparse * known) / blur(known.to(sparse.dtype))
        return torch.where(known > 0, sparse, mean)

    return fill


def _unpooled(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What comes back of a map, where, and its maxima brought back bilinearly."""
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    sparse = F.max_unpool2d(values, indices, 2, output_size=x.shape[-2:])
    known = F.max_unpool2d(torch.ones_like(values), indices, 2, output_size=x.shape[-2:])
    smooth = F.interpolate(values, size=x.shape[-2:], mode="bilinear", align_corners=False)
    return sparse, known, smooth


def _hills(seed: int) -> torch.Tensor:
    """Smooth random maps, about 0, (2, 3, 20, 28)."""
    g = torch.Generator().manual_seed(seed)
    return F.interpolate(torch.randn(2, 3, 5, 7, generator=g), scale_factor=4.0, mode="bicubic")


def _run(fill, sparse, known):
    return fill(sparse.clone(), known.clone())


def _not_callable(fill):
    if callable(fill):
        return None
    return f"A function is asked for; this is of type `{type(fill).__name__}`."


def _shape(fill):
    for x in (_hills(0), torch.randn(1, 2, 6, 10), torch.randn(3, 1, 8, 4)):
        sparse, known, _ = _unpooled(x)
        out = _run(fill, sparse, known)
        if not isinstance(out, torch.Tensor) or out.shape != x.shape:
            found = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            return f"A map of shape {tuple(x.shape)} comes back as {found}: the size has to stay."
    return None


def _keeps(fill):
    sparse, known, _ = _unpooled(_hills(1))
    out = _run(fill, sparse, known)
    off = (out - sparse).abs()[known > 0].max()
    if off < 1e-5:
        return None
    return (
        f"A number that came back was changed, by {off:.2f}. What is known needs no guess: keep "
        "it, and fill the holes alone."
    )


def _constant(fill):
    sparse, known, _ = _unpooled(torch.full((1, 2, 8, 12), -3.0))
    out = _run(fill, sparse, known)
    low, high = float(out.min()), float(out.max())
    if abs(low + 3) < 1e-4 and abs(high + 3) < 1e-4:
        return None
    return (
        f"A map that is −3 everywhere comes back with numbers from {low:.2f} to {high:.2f}. The "
        "zeros of the holes went into your means: count only what is known, and divide by how much "
        "of it there was."
    )


def _near(fill):
    sparse, known, _ = _unpooled(torch.ones(1, 1, 24, 24))
    sparse[..., :12] = 0  # known, and 0: black on the left, white on the right
    out = _run(fill, sparse, known)
    if not out.isfinite().all():
        return (
            "Where known numbers are 0 your map has NaN: you took a zero for a hole. `known` says "
            "which zeros are holes."
        )
    if out[..., :9].abs().max() < 1e-4 and (out[..., 15:] - 1).abs().max() < 1e-4:
        return None
    return (
        "Black on the left, white on the right: three columns away from the edge your map is gray. "
        "Look at the neighbors alone; what is far away has no say."
    )


def _better(fill):
    worst = 0.0
    for seed in range(5):
        x = _hills(seed)
        sparse, known, smooth = _unpooled(x)
        error = (_run(fill, sparse, known) - x).square().mean()
        worst = max(worst, float(error / (smooth - x).square().mean()))
    if worst < 0.7:
        return None
    return (
        f"On smooth maps your squared error is {worst:.2f} of that of bilinear upsampling; below "
        "0.70 is asked for. A window filled with its own number is farther off still; a mean of "
        "the known neighbors, above all of the near ones, is much nearer."
    )


def _blurred(sparse, known):
    return F.avg_pool2d(sparse, 3, 1, 1)


def _holes_stay(sparse, known):
    return torch.where(known > 0, sparse, F.avg_pool2d(sparse, 3, 1, 1))


def _far(sparse, known):
    total = known.sum((2, 3), keepdim=True)
    return torch.where(known > 0, sparse, (sparse * known).sum((2, 3), keepdim=True) / total)


def _window(sparse, known):
    """Fill each window with its own number: nearest-neighbor upsampling."""
    each = 4 * F.avg_pool2d(sparse, 2)
    return each.repeat_interleave(2, 2).repeat_interleave(2, 3)


exercise = Exercise(
    name="fill_in",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "A 3×3 convolution over `sparse` adds up what is known under its window, and the zeros "
        "with it. The same convolution over `known` tells how much was known. What do you get if "
        "you divide one by the other?",
        "Weights of 1, 2, 1 in both directions give a near neighbor more say than one in the "
        "corner. `groups=C` keeps the channels apart. `torch.where(known > 0, sparse, …)` at the "
        "end.",
    ),
    solution=fill_in,
    why=(
        "This is called normalized convolution: a mean of what is known, and of nothing else. "
        "Under every 3×3 window lies one known number at least, so the division never fails. "
        "SegNet's decoder is not told which zeros are holes, and cannot divide by how many there "
        "are: its weights are the same for every window."
    ),
    requirements=(
        Requirement("fill.callable", "is a function", _not_callable, example=lambda: 3),
        Requirement(
            "fill.size",
            "keeps the size",
            _shape,
            example=lambda: lambda sparse, known: F.max_pool2d(sparse, 2),
        ),
        Requirement("fill.keeps", "keeps what is known", _keeps, example=lambda: _blurred),
        Requirement(
            "fill.constant", "keeps a constant map", _constant, example=lambda: _holes_stay
        ),
        Requirement("fill.near", "asks near numbers only", _near, example=lambda: _far),
        Requirement(
            "fill.better", "beats bilinear upsampling on smooth maps", _better,
            example=lambda: _window,
        ),
    ),
)  # fmt: skip
