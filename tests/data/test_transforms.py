"""Transforms: labels that stay labels, one draw for both, seeds, batches, and what is refused."""

from __future__ import annotations

import pickle
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from segtutor.data import (
    BalancedCrop,
    Blur,
    ColorJitter,
    Compose,
    Elastic,
    GridDistortion,
    HorizontalFlip,
    Normalize,
    PadToMultiple,
    RandomAffine,
    RandomCrop,
    RandomRotation,
    Resize,
    ScaleJitter,
    Sometimes,
    Transform,
    VerticalFlip,
)

VOID = 255
# Every transform, with settings that change something.
EVERY: dict[str, Transform] = {
    "flip": HorizontalFlip(1.0),
    "upside down": VerticalFlip(1.0),
    "resize": Resize((13, 22)),
    "scale": ScaleJitter((0.5, 2.0)),
    "crop": RandomCrop((11, 18)),
    "balanced": BalancedCrop((9, 14), range(8)),
    "pad": PadToMultiple(8),
    "affine": RandomAffine(40, shift=0.3, scale=(0.5, 2.0), shear=20),
    "rotate": RandomRotation(180),
    "elastic": Elastic(3.0),
    "fine elastic": Elastic(2.0, nodes=6),
    "grid": GridDistortion(0.9, cells=4),
    "color": ColorJitter(0.5, 0.5, 0.5, 0.1),
    "blur": Blur((0.5, 2.0)),
    "normalize": Normalize([0.5] * 3, [0.2] * 3),
    "sometimes": Sometimes(RandomRotation(90)),
}
EVERY["all"] = Compose(list(EVERY.values()))
COLORS = ("color", "blur", "normalize")


def sample(height: int = 17, width: int = 26, dtype: torch.dtype = torch.int64) -> Any:
    labels = torch.randint(0, 8, (height, width))
    labels[torch.rand(height, width) < 0.05] = VOID
    return torch.rand(3, height, width), labels.to(dtype)


def strangers(transform: Callable[..., Any], image: Tensor, labels: Tensor) -> set[int]:
    """The labels that come out and neither went in nor are void."""
    return set(transform(image, labels)[1].unique().tolist()) - {*labels.unique().tolist(), VOID}


@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(EVERY)),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    labels_as=st.sampled_from([torch.int64, torch.uint8, torch.int32]),
    image_as=st.sampled_from([torch.float32, torch.float64, torch.uint8]),
    seed=st.integers(0, 2**31),
)
def test_no_label_is_invented_and_types_stay(
    name: str, height: int, width: int, labels_as: torch.dtype, image_as: torch.dtype, seed: int
) -> None:
    torch.manual_seed(seed)
    image, _ = sample(height, width)
    labels = torch.tensor([0, 7, 23, 200])[torch.randint(0, 4, (height, width))].to(labels_as)
    image = (255 * image).to(image_as) if image_as == torch.uint8 else image.to(image_as)
    if image_as == torch.uint8 and name in ("normalize", "all"):
        return  # normalizing bytes is refused: tested below
    before = image.clone(), labels.clone()
    made, moved = EVERY[name](image, labels)
    assert set(moved.unique().tolist()) <= {*labels.unique().tolist(), VOID}
    assert made.dtype == image_as
    assert moved.dtype == labels_as
    assert type(made) is Tensor
    assert type(moved) is Tensor
    assert made.shape == (3, *moved.shape)
    assert torch.equal(image, before[0])
    assert torch.equal(labels, before[1])


def test_interpolated_labels_would_be_noticed() -> None:
    image, labels = torch.rand(3, 16, 16), torch.full((16, 16), 7)
    labels[:, 8:] = 23

    def careless(image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return image, F.resize(labels[None].float(), [11, 11])[0].long()

    assert strangers(careless, image, labels)
    assert not strangers(Resize(11), image, labels)


@pytest.mark.parametrize(
    "nothing",
    [
        HorizontalFlip(0.0),
        VerticalFlip(0.0),
        Sometimes(VerticalFlip(1.0), 0.0),
        Resize((17, 26)),
        ScaleJitter((1.0, 1.0)),
        RandomCrop((17, 26)),
        BalancedCrop((17, 26), range(8)),
        PadToMultiple(1),
        RandomAffine(),
        RandomRotation(0),
        Elastic(0.0),
        GridDistortion(0.0),
        ColorJitter(0, 0, 0, 0),
        Blur((1e-3, 1e-3)),
        Normalize([0.0] * 3, [1.0] * 3),
        Compose([]),
    ],
    ids=repr,
)
def test_no_strength_is_no_change(nothing: Transform) -> None:
    image, labels = sample()
    made, same = nothing(image, labels)
    assert torch.equal(same, labels)
    torch.testing.assert_close(made, image, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", COLORS)
def test_colors_change_the_picture_alone(name: str) -> None:
    image, labels = sample()
    made, same = EVERY[name](image, labels)
    assert torch.equal(same, labels)
    assert not torch.equal(made, image)
    if name != "normalize":
        assert made.min() >= 0
        assert made.max() <= 1


def test_normalize_is_the_formula() -> None:
    image, labels = sample()
    made, _ = Normalize([0.1, 0.2, 0.3], [0.5, 1.0, 2.0])(image, labels)
    mean, std = torch.tensor([[0.1, 0.2, 0.3], [0.5, 1.0, 2.0]])[..., None, None]
    torch.testing.assert_close(made, (image - mean) / std)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_the_seed_repeats_it_and_so_does_a_copy(name: str) -> None:
    image, labels = sample()
    copy = pickle.loads(pickle.dumps(EVERY[name]))
    assert repr(copy) == repr(EVERY[name])
    for transform in (EVERY[name], copy):
        torch.manual_seed(3)
        made, moved = transform(image, labels)
        torch.manual_seed(3)
        again = EVERY[name](image, labels)
        assert torch.equal(made, again[0])
        assert torch.equal(moved, again[1])


def test_each_sample_of_a_batch_has_a_draw_of_its_own() -> None:
    image, labels = sample()
    images, maps = image.expand(6, -1, -1, -1), labels.expand(6, -1, -1)
    augment = Compose([RandomRotation(30), RandomCrop(12)])
    torch.manual_seed(1)
    made, moved = augment(images, maps)
    assert made.shape == (6, 3, 12, 12)
    assert moved.shape == (6, 12, 12)
    assert len({tuple(one.flatten().tolist()) for one in moved}) == 6
    torch.manual_seed(1)
    for one, other in zip(made, moved, strict=True):
        alone = augment(image, labels)
        assert torch.equal(alone[0], one)
        assert torch.equal(alone[1], other)
    with pytest.raises(ValueError, match=r"in sizes .*: end with RandomCrop"):
        ScaleJitter()(images, maps)


class Pairs(torch.utils.data.Dataset):
    def __init__(self, transform: Transform) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.transform(*sample())


@pytest.mark.slow
def test_workers_can_use_it() -> None:
    augment = Compose([ScaleJitter(), RandomCrop(16), Elastic(2.0), ColorJitter()])
    batches = list(DataLoader(Pairs(augment), batch_size=4, num_workers=2))
    assert [labels.shape for _, labels in batches] == [(4, 16, 16)] * 2


def test_torchvisions_own_transforms_stand_between_ours() -> None:
    fill = {tv_tensors.Image: 0.0, tv_tensors.Mask: VOID}
    image, labels = sample(30, 30)
    augment = Compose([Sometimes(v2.RandomPerspective(0.6, p=1.0, fill=fill), 1.0), Blur()])
    for _ in range(10):
        assert not strangers(augment, image, labels)
        assert type(augment(image, labels)[1]) is Tensor


@pytest.mark.parametrize(
    ("image", "labels", "error", "words"),
    [
        (torch.rand(3, 4, 5), torch.rand(4, 5), TypeError, r"float32.*labels\.long\(\)"),
        (torch.rand(3, 4, 5), torch.ones(4, 5) > 0, TypeError, r"torch\.bool.*labels\.long\(\)"),
        (torch.rand(3, 4, 5) * 255, torch.ones(4, 5).long(), ValueError, "divide by 255"),
        (torch.rand(3, 4, 5), torch.ones(5, 4).long(), ValueError, r"\(H, W\) have to be alike"),
        (torch.rand(3, 4, 5), torch.ones(1, 4, 5).long(), ValueError, r"squeeze\(0\)"),
        (torch.rand(2, 3, 4, 5), torch.ones(2, 1, 4, 5).long(), ValueError, r"squeeze\(1\)"),
        (torch.rand(2, 3, 4, 5), torch.ones(4, 5).long(), ValueError, "have to be alike"),
        (torch.rand(4, 5, 3), torch.ones(4, 5).long(), ValueError, r"permute\(2, 0, 1\)"),
        (torch.rand(2, 4, 5, 3), torch.ones(2, 4, 5).long(), ValueError, r"0, 3, 1, 2"),
        (torch.rand(4, 5), torch.ones(4, 5).long(), ValueError, r"has to be \(C, H, W\)"),
        (torch.rand(3, 4, 5), torch.ones(4, 5, dtype=torch.uint16), TypeError, "PyTorch computes"),
        (torch.rand(3, 0, 5), torch.ones(0, 5).long(), ValueError, "not empty"),
        (torch.rand(3, 4, 5), torch.full((4, 5), -1), ValueError, r"contain -1.*where"),
        (torch.ones(3, 4, 5).long(), torch.ones(4, 5).long(), TypeError, "image is torch.int64"),
        (
            torch.rand(3, 4, 5),
            torch.ones(4, 5, dtype=torch.int8),
            TypeError,
            "that holds void, 255",
        ),
        (np.zeros((3, 4, 5)), torch.ones(4, 5).long(), TypeError, "image is ndarray"),
        (torch.rand(3, 4, 5), [[0]], TypeError, "labels is list"),
    ],
)
def test_bad_pairs_are_named(image: Any, labels: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        HorizontalFlip()(image, labels)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomCrop((0, 4)), r"size=(0, 4): give (height, width)"),
        (lambda: RandomCrop(2.5), "size=2.5"),
        (lambda: Resize((3, 4, 5)), "size=(3, 4, 5)"),
        (lambda: PadToMultiple(0), "multiple=0"),
        (lambda: HorizontalFlip(1.5), "p=1.5: give a number from 0 to 1"),
        (lambda: ScaleJitter((2.0, 0.5)), "scale=(2.0, 0.5)"),
        (lambda: ScaleJitter(2.0), "scale=2.0"),
        (lambda: Blur((0.0, 1.0)), "sigma=(0.0, 1.0)"),
        (lambda: ColorJitter(hue=0.7), "hue=0.7: give a number from 0 to 0.5"),
        (lambda: ColorJitter(brightness=-1), "brightness=-1"),
        (lambda: RandomRotation(-10), "degrees=-10"),
        (lambda: BalancedCrop(4, max_share=0.0), "max_share=0.0"),
        (lambda: BalancedCrop(4, []), "classes=[]"),
        (lambda: GridDistortion(1.0), "strength=1.0"),
        (lambda: Elastic(-1.0), "strength=-1.0"),
        (lambda: Normalize([0.5], [0.0]), "deviations above 0"),
        (lambda: Normalize([0.5], [0.2])(*sample()), "a mean for each channel"),
        (
            lambda: Compose([Normalize([0.5] * 3, [0.2] * 3), ColorJitter()])(*sample()),
            "put ColorJitter before Normalize",
        ),
        (lambda: Compose([HorizontalFlip(), 3]), "transforms contain 3"),
        (lambda: Compose([HorizontalFlip]), "give transforms, such as HorizontalFlip()"),
        (lambda: Compose(HorizontalFlip()), "give a list of transforms"),
        (lambda: RandomRotation((-5, 5)), "degrees=(-5, 5): give a number"),
        (lambda: BalancedCrop(4, 3), "classes=3: give a list"),
    ],
)
def test_bad_settings_are_named(make: Callable[[], Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        make()


@pytest.mark.slow
def test_a_training_step_hardly_notices() -> None:
    from segtutor.models import UNet

    net = UNet(8, width=16, depth=3)
    images, labels = torch.rand(16, 3, 64, 96), torch.randint(0, 8, (16, 64, 96))
    augment = Compose([HorizontalFlip(), ScaleJitter(), RandomCrop((64, 96)), ColorJitter()])

    def seconds(work: Callable[[], Any]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    def step() -> None:
        torch.nn.functional.cross_entropy(net(images), labels).backward()

    augment(images, labels), step()
    shares = [seconds(lambda: augment(images, labels)) / seconds(step) for _ in range(5)]
    assert sorted(shares)[2] < 0.1, shares


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_gpu_gives_the_same(name: str) -> None:
    image, labels = sample()
    torch.manual_seed(5)
    made, moved = EVERY[name](image, labels)
    torch.manual_seed(5)
    there = EVERY[name](image.cuda(), labels.cuda())
    assert there[0].is_cuda
    assert there[1].is_cuda
    assert (there[1].cpu() == moved).float().mean() > 0.97  # ties of nearest neighbor
    if name != "all":
        torch.testing.assert_close(there[0].cpu(), made, atol=1e-3, rtol=0)
