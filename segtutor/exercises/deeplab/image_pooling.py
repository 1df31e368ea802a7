"""The branch of ASPP that sees the whole picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def image_pooling(x, weight):
    """x (N, C, H, W), weight (O, C) -> (N, O, H, W).

    Average each channel of a picture over all its pixels, mix the averages
    with the weights of a 1x1 convolution (no bias), and put the answer at
    every pixel. (Batch norm and ReLU are left out here.)
    """
    raise NotImplementedError
'''


def image_pooling(x, weight):
    """A mean, a matrix, and the answer laid out over the map."""
    mean = x.mean((2, 3))  # (N, C)
    mixed = mean @ weight.T  # (N, O)
    return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])


def cases(generator: torch.Generator) -> list[Case]:
    """Return maps of which no two sides are alike, with negative means too."""

    def draw(n: int, c: int, h: int, w: int, o: int) -> Case:
        x = torch.randint(-6, 9, (n, c, h, w), generator=generator).float()
        return Case((x, torch.randint(-3, 4, (o, c), generator=generator).float()))

    ramp = torch.arange(6.0).reshape(1, 1, 2, 3)
    return [
        Case((ramp, torch.tensor([[1.0], [-2.0]]))),
        draw(2, 3, 4, 5, 2),
        draw(3, 2, 5, 7, 4),
        draw(1, 4, 3, 2, 3),
        draw(2, 5, 1, 4, 3),
        draw(4, 3, 6, 2, 3),
    ]


def _put(mixed, x):
    return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])


def _maximum(x, weight):
    return _put(x.amax((2, 3)) @ weight.T, x)


def _sum(x, weight):
    return _put(x.sum((2, 3)) @ weight.T, x)


def _batch_too(x, weight):
    return _put(x.mean((0, 2, 3))[None].expand(len(x), -1) @ weight.T, x)


def _not_enlarged(x, weight):
    return (x.mean((2, 3)) @ weight.T)[:, :, None, None]


def _rows_only(x, weight):
    return torch.einsum("oc,nchw->nohw", weight, x.mean(2, keepdim=True).expand_as(x))


def _columns_only(x, weight):
    return torch.einsum("oc,nchw->nohw", weight, x.mean(3, keepdim=True).expand_as(x))


def _no_pooling(x, weight):
    return F.conv2d(x, weight[:, :, None, None])


def _relu(x, weight):
    return image_pooling(x, weight).relu()


def _channels_last_axis(x, weight):
    """Enlarged to a square, or with height and width exchanged."""
    mixed = x.mean((2, 3)) @ weight.T
    return mixed[:, :, None, None].expand(-1, -1, x.shape[3], x.shape[2])


def _only_one_place(x, weight):
    """Enlarged with zeros: the answer stands in one corner."""
    out = torch.zeros(len(x), len(weight), *x.shape[2:])
    out[:, :, 0, 0] = x.mean((2, 3)) @ weight.T
    return out


exercise = Exercise(
    name="image_pooling",
    kind="function",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "`x.mean((2, 3))` has shape (N, C): one number for each channel of each picture. A 1×1 "
        "convolution on a map of one pixel is a matrix product; which way round does `weight` go?",
        "Give the answer two axes of length 1, `[:, :, None, None]`, and `expand` them to the "
        "height and width of x: every pixel shows the same number.",
    ),
    solution=image_pooling,
    why=(
        "A 1×1 convolution is linear, so it does not matter whether you mix the averages or "
        "average the mixtures. What does matter is that the mean is taken per picture: a mean over "
        "the batch would let one scene answer for another. `expand` copies nothing; bilinear "
        "enlargement of a single pixel, as most listings have it, gives the same numbers."
    ),
    cases=cases,
    mistakes=(
        Mistake("pool.max", _maximum, "You took the maximum of each channel; asked is the mean."),
        Mistake("pool.sum", _sum, "You summed over the pixels and did not divide by their number."),
        Mistake(
            "aspp.batch_mean",
            _batch_too,
            "You averaged over the batch too, so the pictures answer for one another. Keep the "
            "first axis.",
        ),
        Mistake(
            "aspp.not_enlarged",
            _not_enlarged,
            "The numbers are right and stand in a map of one pixel. The other branches are (H, W), "
            "and only maps of one size can be joined: lay the answer out over all pixels.",
        ),
        Mistake(
            "aspp.one_axis",
            _rows_only,
            "You averaged over the rows only. The whole picture has two axes.",
        ),
        Mistake(
            "aspp.other_axis",
            _columns_only,
            "You averaged over the columns only. The whole picture has two axes.",
        ),
        Mistake(
            "aspp.no_pooling",
            _no_pooling,
            "This is the 1×1 branch: each pixel answers for itself. Average over the picture "
            "first.",
        ),
        Mistake(
            "aspp.relu",
            _relu,
            "There is a ReLU in your answer; it was left out here, so negative numbers stay.",
        ),
        Mistake(
            "aspp.sides_exchanged",
            _channels_last_axis,
            "Height and width are exchanged in your result.",
        ),
        Mistake(
            "aspp.one_corner",
            _only_one_place,
            "The answer stands in one corner and all else is 0. Every pixel gets it.",
        ),
    ),
)
