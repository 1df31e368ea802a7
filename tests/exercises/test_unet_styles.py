"""U-Net: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from segtutor.data import boundary_weights
from segtutor.exercises import check
from segtutor.models import UNet


def size_by_formula(n, depth):
    step = 2**depth
    return max(0, n - 12 * step + 8) if (n + 4) % step == 0 else 0


def size_by_package(n, depth):
    try:
        return UNet(2, width=1, depth=depth, padded=False).output_size(n)
    except ValueError:
        return 0


def join_by_rows(x, skip):
    if skip.shape[2] > x.shape[2]:
        x = torch.cat((x, x[:, :, -1:]), 2)
    if skip.shape[3] > x.shape[3]:
        x = torch.cat((x, x[..., -1:]), 3)
    return torch.cat((skip, x), 1)


def join_into_empty(x, skip):
    c = skip.shape[1]
    out = skip.new_empty(skip.shape[0], 2 * c, *skip.shape[2:])
    out[:, :c] = skip
    out[:, c:] = F.pad(x, (0, 1, 0, 1), "replicate")[..., : skip.shape[2], : skip.shape[3]]
    return out


def seams_by_scipy(instances, w0, sigma):
    numbers = instances.numpy()
    away = [distance_transform_edt(numbers != k) for k in np.unique(numbers) if k]
    near = np.sort(np.stack(away), 0)
    weights = w0 * np.exp(-((near[0] + near[1]) ** 2) / (2 * sigma**2))
    return torch.from_numpy(np.where(numbers == 0, weights, 0)).float()


def seams_by_topk(instances, w0, sigma):
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in instances.shape), indexing="ij")
    away = []
    for k in instances.unique():
        if k > 0:
            y, x = (instances == k).nonzero().T
            away.append(((rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2).amin(-1))
    both = torch.stack(away).double().sqrt().topk(2, dim=0, largest=False).values.sum(0)
    return (w0 * (-both.square() / (2 * sigma**2)).exp()).masked_fill(instances != 0, 0)


def seams_by_package(instances, w0, sigma):
    both = boundary_weights(instances, w0=w0, sigma=sigma)
    return both - boundary_weights(instances, w0=0.0, sigma=sigma)


def merged_by_numpy(blobs, instances):
    blobs, instances = blobs.numpy(), instances.numpy()
    owners = [np.bincount(blobs[instances == k]).argmax() for k in np.unique(instances) if k]
    _, count = np.unique([o for o in owners if o], return_counts=True)
    return int(count[count > 1].sum())


def merged_by_mode(blobs, instances):
    owners = torch.tensor([blobs[instances == k].mode()[0] for k in instances.unique() if k])
    alike = owners[:, None] == owners
    return ((alike.sum(1) > 1) & (owners > 0)).sum()


def starts_by_range(length, tile, step):
    stride = tile - tile % step
    count = 1 + max(0, -(-(length - tile) // stride))
    return [stride * i for i in range(count)]


def twice_by_repeat(weight):
    return weight.repeat(1, 2, 1, 1)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("unet_sizes", (56, 24, 8, 12, 20, 4, 16)),
        ("unet_sizes", torch.tensor([56, 24, 8, 12, 20, 4, 16])),
        ("unpadded_size", size_by_formula),
        ("unpadded_size", size_by_package),
        ("join_skip", join_by_rows),
        ("join_skip", join_into_empty),
        ("sum_as_concatenation", twice_by_repeat),
        ("seam_weights", seams_by_scipy),
        ("seam_weights", seams_by_topk),
        ("seam_weights", seams_by_package),
        ("merged_cells", merged_by_numpy),
        ("merged_cells", merged_by_mode),
        ("tile_starts", starts_by_range),
    ],
)
def test_other_styles_are_right(name, answer):
    assert check(name, answer).outcome == "right", check(name, answer)


def join_without_care(x, skip):
    return torch.cat([skip, x], dim=1)


def join_as_milesial_does(x, skip):
    """Half of what is missing on each side: of one, none in front, one behind; but zeros."""
    down, right = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
    sides = [right // 2, right - right // 2, down // 2, down - down // 2]
    return torch.cat([skip, F.pad(x, sides)], dim=1)


def size_divided(n, depth):
    for _ in range(depth):
        n = (n - 4) / 2
    n -= 4
    for _ in range(depth):
        n = 2 * n - 4
    return n


def side_by_side(length, tile, step):
    return torch.arange(0, length, tile).tolist()


def sizes_after_pooling():
    return [28, 12, 8, 12, 20, 4, 16]


@pytest.mark.parametrize(
    ("name", "answer", "outcome", "mistake"),
    [
        ("join_skip", join_without_care, "crashed", None),
        ("join_skip", join_as_milesial_does, "wrong", "join.zeros"),
        ("unet_sizes", sizes_after_pooling(), "wrong", "unet.skip_after_pooling"),
        ("unpadded_size", size_divided, "wrong", None),
        ("tile_starts", side_by_side, "wrong", "tile.side_by_side"),
    ],
)
def test_wrong_ones_get_their_word(name, answer, outcome, mistake):
    result = check(name, answer)
    assert (result.outcome, result.mistake) == (outcome, mistake), result
