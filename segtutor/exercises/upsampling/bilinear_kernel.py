"""Weights that let a transposed convolution begin as bilinear interpolation."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def bilinear_kernel(channels, factor):
    """Weights (C, C, k, k) with k = 2f, or 2f − 1 for an odd factor f."""
    raise NotImplementedError
'''


def bilinear_kernel(channels, factor):
    """A triangle along each axis; their product on the diagonal."""
    k = 2 * factor - factor % 2
    distance = (torch.arange(k) - (k - 1) / 2).abs()  # from the middle
    triangle = 1 - distance / factor
    weight = torch.zeros(channels, channels, k, k)
    for c in range(channels):
        weight[c, c] = triangle[:, None] * triangle
    return weight


def cases(generator: torch.Generator) -> list[Case]:
    """Return even and odd factors, for one channel and for several."""
    return [Case((1, 2)), Case((3, 2)), Case((1, 3)), Case((2, 4)), Case((2, 5)), Case((4, 8))]


def _triangle(factor, k=None, center=None):
    k = 2 * factor - factor % 2 if k is None else k
    center = (k - 1) / 2 if center is None else center
    return 1 - (torch.arange(k) - center).abs() / factor


def _diagonal(channels, kernel):
    weight = torch.zeros(channels, channels, *kernel.shape)
    weight[range(channels), range(channels)] = kernel
    return weight


def _product(triangle):
    return triangle[:, None] * triangle


def _full(channels, factor):
    return _product(_triangle(factor)).repeat(channels, channels, 1, 1)


def _full_mean(channels, factor):
    return _full(channels, factor) / channels


def _for_groups(channels, factor):
    return _product(_triangle(factor)).repeat(channels, 1, 1, 1)


def _adds_to_one(channels, factor):
    kernel = _product(_triangle(factor))
    return _diagonal(channels, kernel / kernel.sum())


def _middle_on_a_tap(channels, factor):
    k = 2 * factor - factor % 2
    return _diagonal(channels, _product(_triangle(factor, center=k // 2)))


def _always_even(channels, factor):
    return _diagonal(channels, _product(_triangle(factor, k=2 * factor)))


def _cone(channels, factor):
    k = 2 * factor - factor % 2
    offset = torch.arange(k) - (k - 1) / 2
    distance = (offset[:, None] ** 2 + offset**2).sqrt()
    return _diagonal(channels, (1 - distance / factor).clamp(min=0))


def _mean_of_two(channels, factor):
    triangle = _triangle(factor)
    return _diagonal(channels, (triangle[:, None] + triangle) / 2)


def _box(channels, factor):
    k = 2 * factor - factor % 2
    middle = (torch.arange(k) - (k - 1) / 2).abs() < factor / 2
    return _diagonal(channels, _product(middle.float()))


def _ends_in_zero(channels, factor):
    k = 2 * factor - factor % 2
    half = (k - 1) / 2
    triangle = 1 - (torch.arange(k) - half).abs() / half
    return _diagonal(channels, _product(triangle))


exercise = Exercise(
    name="bilinear_kernel",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "One axis first. A single bright pixel, upsampled bilinearly by f, becomes a triangle: it "
        "falls off by 1/f with each pixel. For f = 2 its four numbers are ¼, ¾, ¾, ¼; for f = 3 "
        "its five are ⅓, ⅔, 1, ⅔, ⅓. In both, the middle of the kernel is at (k − 1)/2.",
        "The kernel is the triangle times itself: rows times columns. Where does it go? "
        "`weight[i, o]` is what input channel i stamps on output channel o, and a red pixel has "
        "nothing to say to the green channel.",
    ),
    solution=bilinear_kernel,
    why=(
        "A transposed convolution stamps its kernel, so the kernel has to be what bilinear "
        "interpolation makes of a single pixel. At every place the triangles of neighboring "
        "stamps add up to 1, which is why nothing is divided by the sum. Only the diagonal is "
        "filled: all other pairs would mix the channels, and 21 class scores would become 21 "
        "copies of their sum."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _for_groups,
            "You gave one kernel a channel, (C, 1, k, k), which a transposed convolution takes "
            "with `groups=C`. It computes the same with C times fewer weights; but it cannot "
            "learn to mix channels later.",
        ),
    ),
    mistakes=(
        Mistake(
            "tconv.bilinear_full",
            _full,
            "You filled the kernels of all pairs of channels. Then every output channel is the "
            "sum of all input channels, and a color picture turns gray. Fill `weight[c, c]` only.",
        ),
        Mistake(
            "tconv.bilinear_mean",
            _full_mean,
            "You filled the kernels of all pairs of channels and divided by their number: every "
            "output channel is the mean of all input channels. Fill `weight[c, c]` only, with "
            "nothing to divide by.",
        ),
        Mistake(
            "tconv.adds_to_one",
            _adds_to_one,
            "You divided the kernel by its sum, as one does for a blur. Here only one tap in f² "
            "meets a given output pixel from each stamp, and those already add up to 1: your "
            "picture is f² times too dark.",
        ),
        Mistake(
            "tconv.off_center",
            _middle_on_a_tap,
            "For even factors the peak of your triangle stands on a tap. Four taps have their "
            "middle between the second and the third, at 1.5: (k − 1)/2 counts from 0. Your "
            "picture moves by half a pixel.",
        ),
        Mistake(
            "tconv.odd_factor",
            _always_even,
            "For even factors you are right. For odd ones the kernel has 2f − 1 taps and a peak "
            "of 1 on its middle tap; with 2f taps, no padding makes the result f times as large.",
        ),
        Mistake(
            "tconv.cone",
            _cone,
            "Your kernel falls off with the distance from its middle, like a cone. Bilinear is a "
            "product: the triangle for the row times the triangle for the column.",
        ),
        Mistake(
            "tconv.mean_of_two",
            _mean_of_two,
            "You averaged the two triangles. They are multiplied: a row is mixed first, and of "
            "the result a column.",
        ),
        Mistake(
            "tconv.box",
            _box,
            "Your kernel repeats the pixel: that is `nearest`. Bilinear falls off by 1/f with "
            "each pixel away from the middle.",
        ),
        Mistake(
            "tconv.ends_in_zero",
            _ends_in_zero,
            "Your triangle reaches 0 on the last tap. It falls by 1/f with each pixel, so that it "
            "would reach 0 where the neighbor's peak is: for f = 2 it begins with ¼.",
        ),
    ),
)
