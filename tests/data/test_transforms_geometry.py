"""Transforms that move pixels: picture and labels together, and exactly where they should."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from segtutor.data import (
    BalancedCrop,
    Elastic,
    GridDistortion,
    HorizontalFlip,
    PadToMultiple,
    RandomAffine,
    RandomCrop,
    RandomRotation,
    Resize,
    ScaleJitter,
    Transform,
    VerticalFlip,
    warps,
)

VOID = 255
MOVING: dict[str, Transform] = {
    "flip": HorizontalFlip(1.0),
    "upside down": VerticalFlip(1.0),
    "resize": Resize((13, 22)),
    "scale": ScaleJitter((0.5, 2.0)),
    "crop": RandomCrop((11, 18)),
    "balanced": BalancedCrop((9, 14), range(1000, 1200)),
    "pad": PadToMultiple(8),
    "affine": RandomAffine(40, shift=0.3, scale=(0.5, 2.0), shear=20),
    "rotate": RandomRotation(180),
    "elastic": Elastic(3.0),
    "fine elastic": Elastic(2.0, nodes=6),
    "grid": GridDistortion(0.9, cells=4),
}


def sample(height: int = 17, width: int = 26, dtype: torch.dtype = torch.int64) -> Any:
    labels = torch.randint(0, 8, (height, width))
    labels[torch.rand(height, width) < 0.05] = VOID
    return torch.rand(3, height, width), labels.to(dtype)


def places(height: int, width: int) -> tuple[Tensor, Tensor]:
    """A picture that holds the place of its pixels, and a label of its own for every pixel."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    # In [0, 1], and 1 in the third channel: where that is less, black has come in.
    image = torch.stack([y / height, x / width, torch.ones(height, width)]).double()
    labels = (1000 + y * width + x).int()
    return image, labels


def apart(change: Callable[..., Any], height: int, width: int) -> float:
    """How far, in pixels, the place that a label comes from is from the picture's, at worst."""
    image, labels = change(*places(height, width))
    inside = (image[2] > 1 - 1e-9) & (labels != VOID)
    inside[0], inside[-1], inside[:, 0], inside[:, -1] = False, False, False, False
    labels = labels[inside] - 1000
    rows, columns = labels // width, labels % width
    off = torch.stack([image[0][inside] * height - rows, image[1][inside] * width - columns]).abs()
    return float(off.max()) if off.numel() else 0.0


@pytest.mark.parametrize("name", list(MOVING))
def test_labels_come_from_where_the_picture_comes_from(name: str) -> None:
    checked = 0
    for seed in range(20):
        torch.manual_seed(seed)
        height, width = torch.randint(20, 50, (2,)).tolist()
        found = apart(MOVING[name], height, width)
        assert found <= 0.5 + 1e-3, (seed, found)
        checked += found > 0
    # A nearest neighbor is up to half a pixel away, except where pixels map onto pixels.
    assert checked or name in ("flip", "upside down", "crop", "balanced", "pad")


def test_two_draws_and_corner_centered_nearest_would_be_noticed() -> None:
    def two_draws(image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return RandomRotation(40)(image, labels)[0], RandomRotation(40)(image, labels)[1]

    def one_side(image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return image.flip(-1), labels

    def corner_nearest(image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        resized = F.resize(labels[None], [10, 12], interpolation=v2.InterpolationMode.NEAREST)
        return F.resize(image, [10, 12], antialias=True), resized[0]

    for careless in (two_draws, one_side, corner_nearest):
        assert apart(careless, 30, 36) > 0.9


def to_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every draw of a warp the largest one."""
    monkeypatch.setattr(warps, "uniform", lambda low, high: high)


def turned_by_hand(labels: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn clockwise by nearest neighbor, and say where that is a matter of rounding."""
    height, width = labels.shape
    y, x = np.mgrid[:height, :width] + 0.5
    y, x = y - height / 2, x - width / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    source_x = cos * x + sin * y + width / 2
    source_y = -sin * x + cos * y + height / 2
    row, column = np.floor(source_y).astype(int), np.floor(source_x).astype(int)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    made = np.where(inside, labels[row.clip(0, height - 1), column.clip(0, width - 1)], VOID)
    ties = [np.abs(s - np.round(s)) < 1e-3 for s in (source_x, source_y)]
    return made, ties[0] | ties[1]


@pytest.mark.parametrize("degrees", [3, 10, 30, 45, 77, 120, 180])
@pytest.mark.parametrize("size", [(24, 24), (17, 30), (31, 9)])
def test_void_is_where_the_source_lies_outside(
    degrees: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_edge(monkeypatch)
    image, labels = sample(*size, torch.uint8)
    labels[labels == VOID] = 0
    _, turned = RandomRotation(degrees)(image, labels)
    expected, tie = turned_by_hand(labels.numpy(), degrees)
    assert tie.mean() < 0.2
    assert (turned.numpy() == expected)[~tie].all()
    # Pillow turns the other way round.
    pillow = Image.fromarray(labels.numpy()).rotate(-degrees, Image.NEAREST, fillcolor=VOID)
    assert (turned.numpy() == np.asarray(pillow))[~tie].all()


@pytest.mark.parametrize("degrees", [10, 45, 100])
def test_the_picture_is_scipys_its_border_mixed_with_black_once(
    degrees: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_edge(monkeypatch)
    image, labels = torch.rand(3, 15, 22, dtype=torch.float64), torch.zeros(15, 22).long()
    made, _ = RandomRotation(degrees)(image, labels)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix, middle = np.array([[cos, -sin], [sin, cos]]), np.array([7.0, 10.5])
    for one, other in zip(made, image, strict=True):
        expected = scipy.ndimage.affine_transform(
            other.numpy(), matrix, middle - matrix @ middle, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(one.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("side", [7, 8])
def test_a_quarter_turn_maps_pixels_onto_pixels(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_edge(monkeypatch)
    image, labels = sample(side, side)
    made, turned = RandomRotation(90)(image, labels)
    assert torch.equal(turned, labels.rot90(-1))
    torch.testing.assert_close(made, image.rot90(-1, (1, 2)), atol=1e-5, rtol=0)


def test_shift_scale_and_shear_do_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_edge(monkeypatch)
    image, labels = sample(8, 12)
    labels[labels == VOID] = 0
    made, moved = RandomAffine(shift=0.25)(image, labels)
    assert torch.equal(moved[2:, 3:], labels[:-2, :-3])
    torch.testing.assert_close(made[:, 2:, 3:], image[:, :-2, :-3], atol=1e-5, rtol=0)
    assert (moved[:2] == VOID).all()
    assert (moved[:, :3] == VOID).all()
    assert (made[:, :2] == 0).all()
    _, larger = RandomAffine(scale=(1.0, 2.0))(image, labels)
    doubled = labels.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(larger, doubled[4:12, 6:18])
    _, sheared = RandomAffine(shear=45)(image, labels)
    assert (sheared == VOID).sum() == 2 * (0.5 + 1.5 + 2.5 + 3.5)  # a triangle on each side


def test_resized_labels_are_those_of_pillow() -> None:
    compared = 0.0
    for seed in range(60):
        torch.manual_seed(seed)
        (height, width), size = torch.randint(1, 60, (2,)).tolist(), torch.randint(1, 60, (2,))
        image, labels = sample(height, width, torch.uint8)
        made, resized = Resize(size.tolist())(image, labels)
        pillow = Image.fromarray(labels.numpy()).resize(size.tolist()[::-1], Image.NEAREST)
        # Where a pixel's center falls on the line between two pixels, either is nearest.
        tie = [
            (2 * torch.arange(n) + 1) * has % (2 * n) == 0
            for n, has in zip(size.tolist(), (height, width), strict=True)
        ]
        judged = ~(tie[0][:, None] | tie[1]).numpy()
        assert (resized.numpy() == np.asarray(pillow))[judged].all(), (height, width, size)
        compared += judged.mean() / 60
        expected = torch.nn.functional.interpolate(
            image[None], size.tolist(), mode="bilinear", antialias=True
        )[0]
        torch.testing.assert_close(made, expected)
    assert compared > 0.8
    image, labels = sample(5, 7)
    double = labels.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(Resize((10, 14))(image, labels)[1], double)


def test_a_crop_is_a_window_of_both_and_every_window_is_drawn() -> None:
    image, labels = places(5, 7)
    seen = Counter()
    for _ in range(3000):
        made, window = RandomCrop((3, 4))(image, labels)
        top, left = divmod(int(window[0, 0]) - 1000, 7)
        assert torch.equal(window, labels[top : top + 3, left : left + 4])
        assert torch.equal(made, image[:, top : top + 3, left : left + 4])
        seen[top, left] += 1
    assert len(seen) == 3 * 4
    assert min(seen.values()) > 3000 / 12 * 0.7


def test_a_crop_larger_than_the_picture_holds_all_of_it_and_void() -> None:
    image, labels = places(5, 7)
    corners = set()
    for _ in range(200):
        made, window = RandomCrop((8, 4))(image + 0.1, labels)
        assert (window == VOID).sum() == 3 * 4
        assert ((made == 0).all(0) == (window == VOID)).all()
        top, left = (window != VOID).nonzero()[0].tolist()
        assert left == 0
        assert torch.equal(window[top : top + 5] - window[top, 0], labels[:, :4] - 1000)
        corners.add(top)
    assert corners == {0, 1, 2, 3}
    _, padded = PadToMultiple(4)(image, labels)
    assert padded.shape == (8, 8)
    assert torch.equal(padded[:5, :7], labels)
    assert (padded == VOID).sum() == 64 - 35


def test_scales_are_as_often_below_one_as_above() -> None:
    image, labels = sample(20, 30)
    sizes = [ScaleJitter((0.5, 2.0))(image, labels)[1].shape for _ in range(400)]
    assert min(h for h, _ in sizes) < 12
    assert max(h for h, _ in sizes) > 36
    assert 0.4 < sum(h < 20 for h, _ in sizes) / 400 < 0.6
    assert all(abs(w / h - 1.5) < 0.11 for h, w in sizes)


def road_with_a_pole() -> tuple[Tensor, Tensor]:
    labels = torch.full((40, 60), 2)
    labels[:, 30:] = 0
    labels[5:9, 3] = 7
    labels[:, 58:] = VOID
    return torch.rand(3, 40, 60), labels


def test_a_balanced_crop_holds_a_pixel_of_a_wanted_class() -> None:
    image, labels = road_with_a_pole()
    wanted = [BalancedCrop(8, [7, 6], max_share=1.0)(image, labels)[1] for _ in range(60)]
    assert all((window == 7).any() for window in wanted)
    anywhere = [RandomCrop(8)(image, labels)[1] for _ in range(60)]
    assert sum(bool((window == 7).any()) for window in anywhere) < 20  # so the test can fail
    both = [BalancedCrop(4, [7, 0], max_share=1.0)(image, labels)[1] for _ in range(300)]
    assert 0.35 < sum(bool((window == 7).any()) for window in both) / 300 < 0.65
    window = BalancedCrop(8, [6])(image, labels)[1]  # no such class: any window
    assert window.shape == (8, 8)


def test_no_class_fills_a_balanced_crop() -> None:
    def share(window: Tensor) -> float:
        counts = window[window != VOID].bincount()
        return float(counts.max() / counts.sum())

    image, labels = road_with_a_pole()
    kept = [share(BalancedCrop(16, tries=200)(image, labels)[1]) for _ in range(60)]
    assert max(kept) <= 0.75
    assert max(share(RandomCrop(16)(image, labels)[1]) for _ in range(60)) == 1.0
    # Where it cannot be kept, the last window is taken.
    same = torch.full((20, 20), 3)
    assert share(BalancedCrop(8)(torch.rand(3, 20, 20), same)[1]) == 1.0
    # Void fills nothing: beside it, half of the judged pixels are one class.
    labels = torch.full((8, 8), VOID)
    labels[0, 0], labels[0, 1] = 1, 2
    drawn = BalancedCrop((4, 4), max_share=0.5, tries=500)(torch.rand(3, 8, 8), labels)[1]
    assert {1, 2} <= set(drawn.unique().tolist())


def test_elastic_shifts_have_the_standard_deviation_that_is_asked_for() -> None:
    image, labels = places(65, 65)
    image = image * 65
    shifts = []
    for _ in range(300):  # the middle of the picture is the middle node
        made, _ = Elastic(4.0)(image / 65, labels)
        shifts.append(made[:2, 32, 32] * 65 - 32)
    spread = torch.stack(shifts)
    assert spread.std() == pytest.approx(4.0, rel=0.1)
    assert spread.mean().abs() < 0.6


def test_a_grid_distortion_keeps_order_and_border() -> None:
    image, labels = places(40, 60)
    for _ in range(20):
        _, moved = GridDistortion(0.9)(image, labels)
        assert not (moved == VOID).any()
        rows, columns = (moved - 1000) // 60, (moved - 1000) % 60
        assert (rows.diff(dim=0) >= 0).all()
        assert (columns.diff(dim=1) >= 0).all()
        assert (rows == rows[:, :1]).all()
        assert (columns == columns[:1]).all()
        assert rows[0, 0] <= 2
        assert rows[-1, 0] >= 37
    assert (columns[0] != torch.arange(60)).float().mean() > 0.5
