"""SegNet: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segtutor.exercises import check


def codes_by_divmod(indices, width):
    out = torch.zeros_like(indices)
    for place in np.ndindex(*indices.shape):
        row, column = divmod(int(indices[place]), width)
        out[place] = row % 2 * 2 + column % 2
    return out


def codes_by_bits(indices, width):
    row = torch.div(indices, width, rounding_mode="floor")
    return ((row & 1) << 1) | ((indices - row * width) & 1)


def codes_from_the_corner(indices, width):
    rows = torch.arange(indices.shape[2])[:, None]
    columns = torch.arange(indices.shape[3])
    rest = indices - 2 * rows * width - 2 * columns
    return torch.where(rest >= width, rest - width + 2, rest)


def unpool_by_indices(values, codes, height, width):
    n, c, h, w = values.shape
    rows = 2 * torch.arange(h)[:, None] + codes // 2
    columns = 2 * torch.arange(w) + codes % 2
    out = torch.zeros(n, c, height * width)
    out.scatter_(2, (rows * width + columns).flatten(2), values.flatten(2))
    return out.reshape(n, c, height, width)


def unpool_by_shuffle(values, codes, height, width):
    four = F.one_hot(codes, 4) * values[..., None]
    return F.pixel_shuffle(four.movedim(-1, 2).flatten(1, 2), 2)[..., :height, :width]


def unpool_by_loops(values, codes, height, width):
    out = torch.zeros(*values.shape[:2], height, width)
    for n, c, i, j in np.ndindex(*values.shape):
        down, right = divmod(int(codes[n, c, i, j]), 2)
        out[n, c, 2 * i + down, 2 * j + right] = values[n, c, i, j]
    return out


def seen_by_convolution(indices, height, width):
    ones = torch.ones(indices.shape)
    there = F.max_unpool2d(ones, indices, 2, output_size=(height, width))
    c = indices.shape[1]
    return F.conv2d(there, torch.ones(c, 1, 3, 3), padding=1, groups=c)


def seen_by_shifts(indices, height, width):
    there = torch.zeros(*indices.shape[:2], height * width)
    there.scatter_(2, indices.flatten(2), 1.0)
    there = F.pad(there.view(*indices.shape[:2], height, width), (1, 1, 1, 1))
    parts = [there[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.stack(parts).sum(0)


def vgg_by_loop(encoder, vgg):
    kept = [name for name in vgg if "classifier" not in name]
    assert len(kept) == len(encoder)
    out = {}
    for mine, theirs in zip(encoder, kept, strict=True):
        assert encoder[mine].shape == vgg[theirs].shape, mine
        out[mine] = vgg[theirs].clone()
    return out


def vgg_by_kind(encoder, vgg):
    """The k-th weight for the k-th weight, the k-th bias for the k-th bias."""
    out = {}
    for kind in {name.rsplit(".", 1)[1] for name in encoder}:
        mine = [n for n in encoder if n.endswith("." + kind)]
        theirs = [n for n in vgg if n.startswith("features.") and n.endswith("." + kind)]
        for a, b in zip(mine, theirs, strict=True):
            if encoder[a].shape != vgg[b].shape:
                raise ValueError(a)
            out[a] = vgg[b]
    return out


def fill_by_box(sparse, known):
    """The plain mean of what is known among the nine."""
    total, many = (F.avg_pool2d(x, 3, 1, 1, divisor_override=1) for x in (sparse, known))
    return known * sparse + (1 - known) * total / many


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("segnet_sizes", (23, 12, 6, 3, 6, 12, 23, 45)),
        ("segnet_sizes", torch.tensor([23, 12, 6, 3, 6, 12, 23, 45])),
        ("index_memory", [4 * 64 * 180 * 240, 172_800, 8 * 64 * 90 * 120, 64]),
        ("index_memory", np.array([11059200, 172800, 5529600, 64])),
        ("window_codes", codes_by_divmod),
        ("window_codes", codes_by_bits),
        ("window_codes", codes_from_the_corner),
        ("unpool_codes", unpool_by_indices),
        ("unpool_codes", unpool_by_shuffle),
        ("unpool_codes", unpool_by_loops),
        ("numbers_seen", seen_by_convolution),
        ("numbers_seen", seen_by_shifts),
        ("encoder_from_vgg", vgg_by_loop),
        ("encoder_from_vgg", vgg_by_kind),
        ("fill_in", fill_by_box),
    ],
)
def test_other_styles_are_right(name, answer):
    assert check(name, answer).outcome == "right", check(name, answer)


def torch_guesses_the_size(values, codes, height, width):
    h, w = values.shape[2:]
    rows = 2 * torch.arange(h)[:, None] + codes // 2
    columns = 2 * torch.arange(w) + codes % 2
    return F.max_unpool2d(values, rows * 2 * w + columns, 2)


def scattered_as_indices(values, codes, height, width):
    out = torch.zeros(*values.shape[:2], height * width)
    for n, c, i, j in np.ndindex(*values.shape):
        out[n, c, codes[n, c, i, j]] = values[n, c, i, j]
    return out.view(*values.shape[:2], height, width)


def interpolated(values, codes, height, width):
    return F.interpolate(values, scale_factor=2.0)[:, :, :height, :width]


def counted_by_mean(indices, height, width):
    ones = torch.ones(indices.shape)
    there = F.max_unpool2d(ones, indices, 2, output_size=(height, width))
    return F.avg_pool2d(there, 3, stride=1, padding=1)


def zip_with_the_classifier(encoder, vgg):
    return dict(zip(encoder, vgg.values(), strict=False))


def by_equal_names(encoder, vgg):
    return {name: vgg[name] for name in encoder if name in vgg}


def first_that_fits(encoder, vgg):
    return {
        name: next(v for n, v in vgg.items() if v.shape == value.shape)
        for name, value in encoder.items()
    }


def bilinear_over_the_holes(sparse, known):
    return F.interpolate(F.max_pool2d(sparse, 2), scale_factor=2, mode="bilinear")


@pytest.mark.parametrize(
    ("name", "answer", "tag"),
    [
        ("segnet_sizes", [22, 11, 5, 2, 4, 8, 16, 32], "segnet.floor_doubled"),
        ("unpool_codes", torch_guesses_the_size, "unpool.size"),
        ("unpool_codes", scattered_as_indices, "unpool.local_idx"),
        ("unpool_codes", interpolated, "unpool.nearest"),
        ("numbers_seen", counted_by_mean, "seen.mean"),
        ("encoder_from_vgg", zip_with_the_classifier, "vgg.refuses"),
        ("encoder_from_vgg", by_equal_names, "vgg.names"),
        ("encoder_from_vgg", first_that_fits, "vgg.order"),
        ("fill_in", bilinear_over_the_holes, "fill.keeps"),
    ],
)
def test_what_people_write_gets_its_word(name, answer, tag):
    result = check(name, answer)
    assert (result.outcome, result.mistake) == ("wrong", tag), result
