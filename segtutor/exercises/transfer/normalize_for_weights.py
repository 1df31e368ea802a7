"""A picture as the weights expect it."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def normalize_for_weights(pictures, mean, std):
    """Pictures as the weights were trained on them, float32.

    pictures: (N, 3, H, W), uint8, red, green and blue from 0 to 255;
    mean, std: (3,), of pictures in [0, 1].
    """
    raise NotImplementedError
'''


def normalize_for_weights(pictures, mean, std):
    """Pictures as the weights were trained on them, float32."""
    x = pictures / 255  # uint8 becomes float32, in [0, 1]
    return (x - mean[:, None, None]) / std[:, None, None]  # one number for each channel


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches that are no squares, one of them 3 pixels wide, with ImageNet's numbers."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    made = []
    for n, h, w in ((2, 4, 5), (1, 5, 3), (4, 2, 6)):
        pictures = torch.randint(256, (n, 3, h, w), generator=generator).to(torch.uint8)
        made.append(Case((pictures, mean, std)))
        mean, std = mean + 0.1 * torch.rand(3, generator=generator), std * mean
    return made


def _columns(pair):
    return [part[:, None, None] for part in pair]


def _not_scaled(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures.float() - mean) / std


def _scaled_twice(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures / 255 / 255 - mean) / std


def _scale_only(pictures, mean, std):
    return pictures / 255


def _no_std(pictures, mean, std):
    return pictures / 255 - mean[:, None, None]


def _variance(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures / 255 - mean) / std**2


def _times(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures / 255 - mean) * std


def _divide_first(pictures, mean, std):
    mean, std = _columns((mean, std))
    return pictures / 255 / std - mean


def _twice(pictures, mean, std):
    mean, std = _columns((mean, std))
    return ((pictures / 255 - mean) / std - mean) / std


def _bgr(pictures, mean, std):
    return normalize_for_weights(pictures.flip(1), mean, std)


def _numbers_flipped(pictures, mean, std):
    return normalize_for_weights(pictures, mean.flip(0), std.flip(0))


def _exchanged(pictures, mean, std):
    return normalize_for_weights(pictures, std, mean)


def _own_statistics(pictures, mean, std):
    x = pictures / 255
    return (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True)


def _batch_statistics(pictures, mean, std):
    x = pictures / 255
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)


def _imagenet(pictures, mean, std):
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return normalize_for_weights(pictures, mean, std)


def _by_256(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures / 256 - mean) / std


def _by_the_brightest(pictures, mean, std):
    mean, std = _columns((mean, std))
    return (pictures / pictures.max() - mean) / std


def _to_plus_minus_one(pictures, mean, std):
    return pictures / 127.5 - 1


exercise = Exercise(
    name="normalize_for_weights",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Two steps: bring the bytes into [0, 1], then take each channel's mean off and divide by "
        "its standard deviation.",
        "`mean` has shape (3,) and would line up with the last axis, the columns. "
        "`mean[:, None, None]` has shape (3, 1, 1) and lines up with the channels.",
    ),
    solution=normalize_for_weights,
    why=(
        "Mean and standard deviation belong to the weights like the layers do: another pair, and "
        "the first convolution sees colors that it was never trained on. They are given for "
        "pictures in [0, 1], so the division by 255 comes first. Your own pictures' statistics "
        "play no part."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "norm.not_scaled",
            _not_scaled,
            "Your pictures still run to 255, and the mean of about 0.45 is next to nothing for "
            "them. Divide by 255 first.",
        ),
        Mistake(
            "norm.scaled_twice",
            _scaled_twice,
            "You divided by 255 twice: all your pictures are nearly black. Transforms such as "
            "`ToTensor` have done it once already.",
        ),
        Mistake(
            "norm.forgotten",
            _scale_only,
            "Your pictures are in [0, 1], and the weights' mean and standard deviation are not "
            "used. Nothing complains when they are forgotten; the features are wrong all the same.",
        ),
        Mistake(
            "norm.std_forgotten",
            _no_std,
            "You took the mean off and stopped. Divide by the standard deviation too: your "
            "contrasts are a quarter of what the weights know.",
        ),
        Mistake(
            "norm.variance",
            _variance,
            "You divided by the variance. `std` is the standard deviation already: do not square "
            "it.",
        ),
        Mistake(
            "norm.times",
            _times,
            "You multiplied by the standard deviation. Divide by it.",
        ),
        Mistake(
            "norm.order",
            _divide_first,
            "You divided before you took the mean off. The mean is that of pictures in [0, 1], so "
            "it goes first: (x − mean) / std.",
        ),
        Mistake(
            "norm.twice",
            _twice,
            "You normalized twice, as happens when the data set does it and the network as well. "
            "Once is right.",
        ),
        Mistake(
            "norm.bgr",
            _bgr,
            "You turned the channels around. OpenCV reads blue first; these pictures are red, "
            "green, blue already.",
        ),
        Mistake(
            "norm.numbers_flipped",
            _numbers_flipped,
            "Your mean and standard deviation stand in the order blue, green, red. The pictures "
            "begin with red.",
        ),
        Mistake(
            "norm.exchanged",
            _exchanged,
            "You exchanged `mean` and `std`.",
        ),
        Mistake(
            "norm.own_statistics",
            _own_statistics,
            "You normalized each picture by its own statistics. Then a night looks like a day; "
            "the weights want the numbers that they were trained with, for all pictures alike.",
        ),
        Mistake(
            "norm.batch_statistics",
            _batch_statistics,
            "You normalized by the statistics of the batch. The weights want the numbers that "
            "they were trained with, whatever comes along in the same batch.",
        ),
        Mistake(
            "norm.imagenet",
            _imagenet,
            "You wrote ImageNet's numbers into the function. These weights come with a `mean` and "
            "`std` of their own.",
        ),
        Mistake(
            "norm.256",
            _by_256,
            "You divided by 256. The brightest byte is 255, and it becomes 1.",
        ),
        Mistake(
            "norm.brightest",
            _by_the_brightest,
            "You divided by the largest value of the batch. Then the same picture looks different "
            "in another batch; divide by 255, always.",
        ),
        Mistake(
            "norm.plus_minus_one",
            _to_plus_minus_one,
            "You brought the pictures into [−1, 1]. Some weights want that; these come with a "
            "mean and a standard deviation for each channel.",
        ),
    ),
)
