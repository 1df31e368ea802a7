"""Mean and standard deviation of each channel, over a whole data set."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def channel_statistics(images):
    """images: a list of pictures (3, H, W), of any sizes.

    Returns (2, 3): the mean of each channel over all pixels of all pictures,
    and below it the standard deviation (divide by the number of pixels).
    """
    raise NotImplementedError
'''
STDS_AVERAGED = (
    "You averaged the standard deviations of the pictures. That forgets how different the pictures "
    "are from each other. Take it over all pixels at once."
)
BOTH_AVERAGED = (
    "You took mean and standard deviation of each picture and averaged them. A small picture then "
    "weighs as much as a large one, and how the pictures differ from each other is forgotten."
)
ONE_LESS_PIXEL = " (And your `std` divides by one less than the number of pixels.)"


def channel_statistics(images):
    """Sums and sums of squares can be added from picture to picture."""
    pixels = sum(image[0].numel() for image in images)
    total = sum(image.double().sum((1, 2)) for image in images)
    squares = sum(image.double().square().sum((1, 2)) for image in images)
    mean = total / pixels
    std = (squares / pixels - mean.square()).sqrt()
    return torch.stack([mean, std])


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures of unequal sizes, each with a brightness of its own in each channel."""

    def some(*sizes: tuple[int, int]) -> list[torch.Tensor]:
        made = []
        for size in sizes:
            low = 0.7 * torch.rand(3, 1, 1, generator=generator)
            made.append(low + 0.3 * torch.rand(3, *size, generator=generator))
        return made

    ramp = torch.arange(6.0).reshape(1, 2, 3) * torch.tensor([0.1, 0.05, 0.02]).reshape(3, 1, 1)
    return [
        Case(([ramp],)),
        Case(([ramp, 1 - ramp[:, :1]],)),
        Case((some((4, 5), (7, 2), (5, 9)),)),
        Case((some((6, 4), (2, 5)),)),
    ]


def _flat(images):
    return torch.cat([image.double().flatten(1) for image in images], dim=1)


def _sample(images):
    flat = _flat(images)
    return torch.stack([flat.mean(1), flat.std(1)])


def _each(images, of):
    return torch.stack([of(image.double().flatten(1)) for image in images])


def _mean_of_stds(images):
    stds = _each(images, lambda x: x.std(1, unbiased=False)).mean(0)
    return torch.stack([_flat(images).mean(1), stds])


def _mean_of_sample_stds(images):
    return torch.stack([_flat(images).mean(1), _each(images, lambda x: x.std(1)).mean(0)])


def _means_of_both_sample(images):
    return _each(images, lambda x: torch.stack([x.mean(1), x.std(1)])).mean(0)


def _means_of_both(images):
    stds = _each(images, lambda x: x.std(1, unbiased=False)).mean(0)
    return torch.stack([_each(images, lambda x: x.mean(1)).mean(0), stds])


def _pictures_alike(images):
    means = _each(images, lambda x: x.mean(1)).mean(0)
    squares = _each(images, lambda x: x.square().mean(1)).mean(0)
    return torch.stack([means, (squares - means.square()).sqrt()])


def _within_alone(images):
    inner = _each(images, lambda x: x.var(1, unbiased=False)).mean(0).sqrt()
    return torch.stack([_flat(images).mean(1), inner])


def _between_alone(images):
    means = _each(images, lambda x: x.mean(1))
    return torch.stack([_flat(images).mean(1), means.std(0, unbiased=False)])


def _one_for_all(images):
    flat = _flat(images).flatten()
    return torch.stack([flat.mean(), flat.std(unbiased=False)])[:, None].expand(2, 3).clone()


def _two_numbers(images):
    return _one_for_all(images)[:, 0]


def _variance(images):
    mean, std = channel_statistics(images)
    return torch.stack([mean, std.square()])


def _of_bytes(images):
    return 255 * channel_statistics(images)


def _exchanged(images):
    return channel_statistics(images).flip(0)


def _transposed(images):
    return channel_statistics(images).T.contiguous()


exercise = Exercise(
    name="channel_statistics",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "If all pictures fitted into memory: flatten each to (3, pixels), put them side by side "
        "with `torch.cat(…, dim=1)`, and take mean and standard deviation of each row. That is "
        "right, and a good start.",
        "For pictures that come one by one, keep three things: the number of pixels, the sum and "
        "the sum of squares of each channel. At the end, the variance is the mean of the squares "
        "less the square of the mean. `std(unbiased=False)` divides by the number of pixels.",
    ),
    solution=channel_statistics,
    why=(
        "The spread of a data set has two parts: within the pictures, and between them, since some "
        "are dark and some are bright. The mean of the pictures' standard deviations forgets the "
        "second, and lets a small picture count as much as a large one. Sums and sums of "
        "squares forget nothing and can be added in any order. In float32 the difference of two "
        "large numbers loses digits: add in float64."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _sample,
            "You divided by one less than the number of pixels. Over the millions of pixels of a "
            "data set nobody sees the difference.",
        ),
    ),
    mistakes=(
        Mistake("statistics.mean_of_stds", _mean_of_stds, STDS_AVERAGED),
        Mistake(
            "statistics.mean_of_sample_stds", _mean_of_sample_stds, STDS_AVERAGED + ONE_LESS_PIXEL
        ),
        Mistake("statistics.means_of_both", _means_of_both, BOTH_AVERAGED),
        Mistake(
            "statistics.means_of_both_sample", _means_of_both_sample, BOTH_AVERAGED + ONE_LESS_PIXEL
        ),
        Mistake(
            "statistics.pictures_alike",
            _pictures_alike,
            "You averaged picture by picture, so that a pixel of a small picture counts more than "
            "one of a large picture. Add sums, and divide by the number of all pixels.",
        ),
        Mistake(
            "statistics.within_alone",
            _within_alone,
            "You averaged the pictures' variances. That is the spread within pictures; how their "
            "means differ is missing.",
        ),
        Mistake(
            "statistics.between_alone",
            _between_alone,
            "You took the standard deviation of the pictures' means. That is the spread between "
            "pictures; the one within them is missing.",
        ),
        Mistake(
            "statistics.one_for_all",
            _one_for_all,
            "You have one mean and one spread for all channels together. Red, green and blue each "
            "have their own.",
        ),
        Mistake(
            "statistics.two_numbers",
            _two_numbers,
            "You returned one mean and one standard deviation. Each of the three channels has its "
            "own: (2, 3) numbers.",
        ),
        Mistake(
            "statistics.variance",
            _variance,
            "The second row is the variance. Its square root is the standard deviation.",
        ),
        Mistake(
            "statistics.bytes",
            _of_bytes,
            "Your numbers are 255 times as large: they belong to pictures of 0 to 255. These run "
            "from 0 to 1.",
        ),
        Mistake(
            "statistics.exchanged",
            _exchanged,
            "The two rows are exchanged: the means come first.",
        ),
        Mistake(
            "statistics.transposed",
            _transposed,
            "Your result is (3, 2), a row for each channel. Asked for is (2, 3): the means, and "
            "below them the standard deviations.",
        ),
    ),
)
