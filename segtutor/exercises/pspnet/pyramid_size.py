"""Channels and parameters of pyramid pooling."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def pyramid_size(channels, bins):
    """Channels that come out, and parameters -> two whole numbers.

    Each grid's 1×1 convolution (no bias) goes from `channels` to its share,
    channels // len(bins), and has a batch norm of its own behind it.
    """
    raise NotImplementedError
'''


def pyramid_size(channels, bins):
    """Every grid: C · S weights and two numbers for each of S channels."""
    share = channels // len(bins)
    return channels + len(bins) * share, len(bins) * (channels * share + 2 * share)


def cases(generator: torch.Generator) -> list[Case]:
    """Return PSPNet's own, other grids, and channels that they do not divide."""
    fixed = [(2048, (1, 2, 3, 6)), (16, (1,)), (30, (1, 2)), (65, (2, 4, 8)), (512, (3, 6))]
    drawn = torch.randint(8, 200, (2,), generator=generator).tolist()
    return [*map(Case, fixed), Case((drawn[0], (1, 5))), Case((drawn[1], (6, 3, 2, 1)))]


def _each(channels, bins, out, parameters):
    share = channels // len(bins)
    return out(channels, share, len(bins)), parameters(channels, share, len(bins))


def _out(c, s, n):
    return c + n * s


def _parameters(c, s, n):
    return n * (c * s + 2 * s)


def _without_input(channels, bins):
    return _each(channels, bins, lambda c, s, n: n * s, _parameters)


def _with_bias(channels, bins):
    return _each(channels, bins, _out, lambda c, s, n: n * (c * s + 3 * s))


def _without_norm(channels, bins):
    return _each(channels, bins, _out, lambda c, s, n: n * c * s)


def _statistics_too(channels, bins):
    return _each(channels, bins, _out, lambda c, s, n: n * (c * s + 4 * s))


def _not_reduced(channels, bins):
    c, n = channels, len(bins)
    return c + n * c, n * (c * c + 2 * c)


def _one_for_every_bin(channels, bins):
    share, regions = channels // len(bins), sum(size**2 for size in bins)
    return channels + len(bins) * share, regions * (channels * share + 2 * share)


def _one_grid(channels, bins):
    return _each(channels, bins, _out, lambda c, s, n: c * s + 2 * s)


def _always_four(channels, bins):
    share = channels // 4
    return channels + len(bins) * share, len(bins) * (channels * share + 2 * share)


def _kernels_of_nine(channels, bins):
    return _each(channels, bins, _out, lambda c, s, n: n * (9 * c * s + 2 * s))


def _twice(channels, bins):
    return _each(channels, bins, lambda c, s, n: 2 * c, _parameters)


exercise = Exercise(
    name="pyramid_size",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Pooling and enlarging have no parameters. What is left of a grid is a 1×1 convolution and "
        "a batch norm. How many weights has a 1×1 convolution from C to S channels?",
        "A batch norm learns a scale and a shift for each of its S channels. (Its running mean and "
        "variance are not learned.) The result is x and all shares, side by side.",
    ),
    solution=pyramid_size,
    why=(
        "2048 channels and four grids: a share of 512 each, 2048 + 4 · 512 = 4096 channels come "
        "out, and 4 · (2048 · 512 + 2 · 512) = 4,198,400 parameters. How fine a grid is costs "
        "nothing: its weights are the same for all of its regions. Where the grids do not divide "
        "the channels, a few fewer than 2C come out."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "pyramid.without_input",
            _without_input,
            "The parameters are right. Of the channels those of the map itself are missing: it is "
            "joined with the grids.",
        ),
        Mistake(
            "pyramid.bias",
            _with_bias,
            "You gave the convolutions a bias. Batch norm subtracts the mean, so it would be dead; "
            "the module has none.",
        ),
        Mistake(
            "pyramid.without_norm",
            _without_norm,
            "Batch norm is missing: it learns a scale and a shift for each channel.",
        ),
        Mistake(
            "pyramid.statistics",
            _statistics_too,
            "You counted the running mean and variance. They are kept with the weights, but no "
            "gradient moves them: two numbers a channel, not four.",
        ),
        Mistake(
            "pyramid.not_reduced",
            _not_reduced,
            "Your grids keep all channels. Each has its share only, or context would outnumber the "
            "map itself.",
        ),
        Mistake(
            "pyramid.own_weights",
            _one_for_every_bin,
            "Each of your regions has weights of its own. A 1×1 convolution has the same ones for "
            "all places of its grid.",
        ),
        Mistake(
            "pyramid.one_grid",
            _one_grid,
            "These are the parameters of one grid. Each grid has its own convolution and norm.",
        ),
        Mistake(
            "pyramid.always_four",
            _always_four,
            "Your share is a quarter, however many grids there are. Divide by their number.",
        ),
        Mistake(
            "pyramid.kernel_3",
            _kernels_of_nine,
            "You counted 3×3 kernels. The convolutions behind the pooling are 1×1.",
        ),
        Mistake(
            "pyramid.twice",
            _twice,
            "2C channels come out only where the number of grids divides C. Count the shares as "
            "they are, rounded down.",
        ),
    ),
)
