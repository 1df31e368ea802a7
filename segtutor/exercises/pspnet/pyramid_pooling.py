"""The pyramid pooling module, without its norm."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def pyramid_pooling(x, weights, bins):
    """x (N, C, H, W) -> (N, C + S * len(bins), H, W).

    bins has a number for each grid, weights a tensor (S, C) for each. A grid
    is the means of size × size regions, a 1×1 convolution with its weights,
    ReLU, enlarged to (H, W) bilinearly with align_corners=True. x comes
    first, then the grids in the order of bins. (Batch norm is left out.)
    """
    raise NotImplementedError
'''


def _mix(y, weight):
    return F.conv2d(y, weight[:, :, None, None])


def _enlarge(y, x, mode="bilinear", align=True):
    return F.interpolate(y, x.shape[2:], mode=mode, align_corners=align)


def pyramid_pooling(x, weights, bins):
    """Pool, mix, bend, enlarge; then x and all of them side by side."""
    levels = [x]
    for weight, size in zip(weights, bins, strict=True):
        y = F.adaptive_avg_pool2d(x, size)  # (N, C, size, size)
        y = F.conv2d(y, weight[:, :, None, None]).relu()  # (N, S, size, size)
        y = F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True)
        levels.append(y)
    return torch.cat(levels, dim=1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps of which no two sides are alike, that the grids do and do not divide."""

    def draw(n: int, c: int, h: int, w: int, share: int, bins: tuple[int, ...]) -> Case:
        x = torch.randint(-6, 9, (n, c, h, w), generator=generator).float()
        weights = [torch.randint(-3, 4, (share, c), generator=generator).float() for _ in bins]
        return Case((x, weights, bins))

    return [
        draw(1, 2, 6, 12, 3, (1,)),
        draw(2, 3, 4, 6, 1, (2,)),
        draw(2, 4, 7, 10, 3, (1, 2, 3, 6)),
        draw(3, 2, 5, 8, 4, (3, 2)),
        draw(1, 5, 9, 11, 2, (2, 4)),
    ]


def _built(x, weights, bins, pool=F.adaptive_avg_pool2d, bend=torch.relu, enlarge=_enlarge):
    levels = [
        enlarge(bend(_mix(pool(x, size), weight)), x)
        for weight, size in zip(weights, bins, strict=True)
    ]
    return torch.cat([x, *levels], dim=1)


def _kernel_for_bins(x, weights, bins):
    return _built(x, weights, bins, pool=F.avg_pool2d)


def _divided_kernel(x, weights, bins):
    def pool(y, size):
        return F.avg_pool2d(y, (y.shape[2] // size, y.shape[3] // size))

    return _built(x, weights, bins, pool=pool)


def _without_x(x, weights, bins):
    return pyramid_pooling(x, weights, bins)[:, x.shape[1] :]


def _x_last(x, weights, bins):
    return pyramid_pooling(x, weights, bins).roll(-x.shape[1], 1)


def _half_pixel(x, weights, bins):
    return _built(x, weights, bins, enlarge=lambda y, like: _enlarge(y, like, align=False))


def _nearest(x, weights, bins):
    return _built(x, weights, bins, enlarge=lambda y, like: _enlarge(y, like, "nearest", None))


def _maximum(x, weights, bins):
    return _built(x, weights, bins, pool=F.adaptive_max_pool2d)


def _without_relu(x, weights, bins):
    return _built(x, weights, bins, bend=lambda y: y)


def _late_relu(x, weights, bins):
    return _built(
        x, weights, bins, bend=lambda y: y, enlarge=lambda y, like: _enlarge(y, like).relu()
    )


def _x_bent_too(x, weights, bins):
    return pyramid_pooling(x, weights, bins).relu()


def _cascade(x, weights, bins):
    levels, pooled = [x], x
    for weight, size in zip(weights, bins, strict=True):
        pooled = F.adaptive_avg_pool2d(pooled, size)
        levels.append(_enlarge(_mix(pooled, weight).relu(), x))
    return torch.cat(levels, dim=1)


def _whole_batch(x, weights, bins):
    def pool(y, size):
        return F.adaptive_avg_pool2d(y, size).mean(0, keepdim=True).expand(len(y), -1, -1, -1)

    return _built(x, weights, bins, pool=pool)


exercise = Exercise(
    name="pyramid_pooling",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "`F.adaptive_avg_pool2d(x, size)` makes a grid of size × size means, whatever x's sides. "
        "The weights of a 1×1 convolution are (S, C, 1, 1): add the two axes with "
        "`weight[:, :, None, None]`.",
        "Every grid pools x itself, not the grid before. Begin a list with x, append each grid "
        'after `F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True)`, and end with '
        "`torch.cat(levels, dim=1)`.",
    ),
    solution=pyramid_pooling,
    why=(
        "Without x itself a pixel would only know its surroundings and not itself: the joined map "
        "keeps both, and the convolution behind it decides how much of which. The ReLU stands "
        "on the small grid, where it is cheap; behind the enlargement it would give other numbers, "
        "since a mixture of a negative and a positive number is not the mixture of their ReLUs."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pyramid.kernel",
            _kernel_for_bins,
            "You took the number of bins for the side of a pooling window: `avg_pool2d(x, 6)` "
            "averages 6×6 pixels, however many windows that makes. Name the size of the *result*: "
            "`adaptive_avg_pool2d`.",
        ),
        Mistake(
            "pyramid.divided_kernel",
            _divided_kernel,
            "You computed a window by dividing the sides by the bins. Where that leaves a rest, "
            "you get other windows, and even more of them than bins. Adaptive pooling cuts where "
            "the fractions lie.",
        ),
        Mistake(
            "pyramid.without_input",
            _without_x,
            "The grids are right, but x itself is missing: a pixel would know its surroundings and "
            "no longer itself.",
        ),
        Mistake(
            "pyramid.input_last",
            _x_last,
            "All channels are there, and x stands last. It comes first; weights that were trained "
            "one way do not fit the other.",
        ),
        Mistake(
            "interpolate.align",
            _half_pixel,
            "You enlarged with align_corners=False. PSPNet's author puts corner on corner: True.",
        ),
        Mistake(
            "pyramid.nearest",
            _nearest,
            "You enlarged with the nearest pixel, so the bins show as blocks. Asked is bilinear.",
        ),
        Mistake("pool.max", _maximum, "You took the maximum of each bin; asked is the mean."),
        Mistake(
            "pyramid.no_relu", _without_relu, "The ReLU behind the 1×1 convolution is missing."
        ),
        Mistake(
            "pyramid.late_relu",
            _late_relu,
            "Your ReLU stands behind the enlargement. Bilinear mixing of a negative and a positive "
            "number is not the mixing of their ReLUs: bend first, then enlarge.",
        ),
        Mistake(
            "pyramid.relu_on_all",
            _x_bent_too,
            "Your ReLU goes over everything, x included. Only the grids have one.",
        ),
        Mistake(
            "pyramid.cascade",
            _cascade,
            "Each of your grids pools the grid before it. After a grid of one bin there is nothing "
            "left to tell apart: pool x each time.",
        ),
        Mistake(
            "pyramid.batch_mean",
            _whole_batch,
            "You averaged over the batch too, so the pictures answer for one another.",
        ),
    ),
)
