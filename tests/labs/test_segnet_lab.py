from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import labs
from segtutor.labs.segnet import PLACES, judged, relearn, scenes, with_places
from segtutor.metrics import BoundaryScores, ConfusionMatrix
from segtutor.models import SegNet


@pytest.fixture(scope="module")
def bench():
    return labs.segnet()


@pytest.fixture
def small():
    torch.manual_seed(0)
    return SegNet(8, width=2, depth=2).eval()


def pooled(*shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    _, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    return indices, shape[-2:]


def test_the_numbers_shown_are_the_network_s(bench):
    bench.places.value, bench.where.value = "its own", "all"
    with torch.no_grad():
        said = bench.net(bench.images).argmax(1)
    assert torch.equal(bench.said, said)
    matrix = ConfusionMatrix(8).update(said, bench.labels)
    assert torch.equal(bench.iou, matrix.iou())
    border = BoundaryScores(8, width=1).update(said, bench.labels).boundary_iou()
    assert torch.equal(bench.border, border)
    assert f"mean IoU <b>{matrix.mean_iou():.2f}".rstrip("0") in bench.view.value


def test_other_places_hurt_and_one_step_hurts_less_than_all(bench):
    def iou(places, where):
        bench.places.value, bench.where.value = places, where
        return bench.iou.mean()

    own = iou("its own", "all")
    for places in list(PLACES)[1:]:
        assert iou(places, "all") < own - 0.2
    assert iou("upper left", "all") < iou("upper left", "step 4 of 4") < own
    assert list(bench.steps) == ["all", *(f"step {k} of 4" for k in range(1, 5))]


@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (3, 2, 7, 5), (2, 2, 1, 9)])
@pytest.mark.parametrize("name", ["upper left", "at random"])
def test_places_stay_in_their_windows(name, shape):
    indices, size = pooled(*shape)
    found = PLACES[name](indices, size)
    rows, columns = found // size[1], found % size[1]
    assert found.shape == indices.shape
    assert (rows < size[0]).all()
    assert torch.equal(rows // 2, torch.arange(indices.shape[2])[:, None].expand_as(rows))
    assert torch.equal(columns // 2, torch.arange(indices.shape[3]).expand_as(columns))
    if name == "upper left":
        assert not (rows % 2).any()
        assert not (columns % 2).any()


def test_places_of_others_are_real_places():
    indices, size = pooled(2, 3, 6, 8)
    channel = PLACES["the next channel's"](indices, size)
    assert torch.equal(channel[:, 1], indices[:, 0])
    assert torch.equal(PLACES["another scene's"](indices, size)[1], indices[0])
    assert torch.equal(PLACES["its own"](indices, size), indices)


def test_the_network_is_given_back_as_it_was(small):
    images = torch.rand(2, 3, 10, 12)
    before = small(images).argmax(1)
    with_places(small, images, PLACES["upper left"])
    assert "upsampled" not in vars(small)
    assert torch.equal(small(images).argmax(1), before)

    def broken(indices, size):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with_places(small, images, broken)
    assert "upsampled" not in vars(small)


def test_only_the_chosen_step_gets_other_places(small):
    asked = []

    def watched(indices, size):
        asked.append(size)
        return indices

    with_places(small, torch.rand(1, 3, 9, 12), watched, levels=(1,))
    assert asked == [(9, 12)]  # the second step up, the last of two


def test_relearning_leaves_the_encoder_alone_and_follows_its_seed():
    images, labels = scenes("train", 8)

    def learned(seed):
        torch.manual_seed(0)
        net = SegNet(8, width=2, depth=2)
        before = {k: v.clone() for k, v in net.encoder.state_dict().items()}
        relearn(net, images, labels, steps=2, seed=seed)
        assert not net.training
        assert all(torch.equal(before[k], v) for k, v in net.encoder.state_dict().items())
        return net.head.weight

    assert torch.equal(learned(0), learned(0))
    assert not torch.equal(learned(0), learned(1))


def test_a_perfect_map_has_perfect_scores():
    _, labels = scenes("test", 12)
    said = labels.where(labels != 255, 0)
    for scores in judged(said, labels):
        assert torch.equal(scores[~scores.isnan()], torch.ones_like(scores[~scores.isnan()]))
