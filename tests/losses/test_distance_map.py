"""The signed distance map against pencil, brute force and another library."""

from __future__ import annotations

import monai.losses
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from segtutor.losses import boundary_loss, distance_map
from tests.losses.cases import VOID, batch, batches


def test_a_row_by_pencil(device):
    row = torch.tensor([[[0, 0, 1, 1, 1, 0, 0]]], device=device)
    assert distance_map(row, 1)[0, 0, 0].tolist() == [2, 1, 0, -1, 0, 1, 2]
    both = distance_map(row, 2)[0, :, 0].tolist()
    assert both == [[-1, 0, 1, 2, 1, 0, -1], [2, 1, 0, -1, 0, 1, 2]]


def test_an_edge_to_void_is_no_edge():
    row = torch.tensor([[[0, 0, 1, 1, VOID, VOID]]])
    assert distance_map(row, 1)[0, 0, 0].tolist() == [2, 1, 0, -1, 0, 0]
    between = torch.tensor([[[0, VOID, 1, 1, 1]]])
    assert distance_map(between, 1)[0, 0, 0].tolist() == [2, 0, -1, -2, -3]


@pytest.mark.parametrize("value", [0, 1, VOID])
def test_without_a_boundary_the_map_is_zero(value):
    assert (distance_map(torch.full((1, 3, 4), value), 2) == 0).all()


@given(batches())
def test_brute_force(case):
    """The distance to each pixel of the other side, one by one."""
    x, y = case
    c = x.shape[1]
    rows, columns = torch.meshgrid(
        torch.arange(y.shape[1]), torch.arange(y.shape[2]), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], 1).double()
    apart = torch.cdist(places, places)  # (H·W, H·W)
    for image, phi in zip(y, distance_map(y, c), strict=True):
        flat = image.flatten()
        for k in range(c):
            inside, outside = flat == k, (flat != k) & (flat != VOID)
            expected = torch.zeros(len(flat), dtype=torch.float64)
            if inside.any() and outside.any():
                expected[outside] = apart[outside][:, inside].amin(1)
                expected[inside] = 1 - apart[inside][:, outside].amin(1)
            torch.testing.assert_close(phi[k].flatten().double(), expected, rtol=1e-6, atol=1e-6)


def test_the_map_of_another_library():
    _, y = batch(n=3, c=5, h=17, w=23, void=0.0, absent=(1,))
    one_hot = F.one_hot(y, 5).movedim(-1, 1)
    theirs = monai.losses.BoundaryLoss().compute_distance_map(one_hot)
    torch.testing.assert_close(distance_map(y, 5), theirs)


def test_maps_made_ahead_give_the_same_loss(device):
    x, y = batch(device=device)
    assert boundary_loss(x, y, distances=distance_map(y, 4)) == boundary_loss(x, y)
    assert distance_map(y, 4).device.type == device
    with pytest.raises(ValueError, match=r"distance_map\(labels, num_classes=4\)"):
        boundary_loss(x, y, distances=distance_map(y, 5))


def test_the_loss_falls_as_the_object_is_found():
    labels = torch.zeros(1, 9, 9, dtype=torch.int64)
    labels[0, 3:6, 3:6] = 1
    sure = 20.0 * (2 * labels[:, None] - 1)
    nothing = torch.full_like(sure, -20.0)
    assert boundary_loss(sure, labels) < boundary_loss(nothing, labels)
    assert boundary_loss(sure, labels) == pytest.approx(-1 / 81)  # the one pixel inside the rim


def test_label_maps_without_the_axis_of_the_batch_are_refused():
    with pytest.raises(ValueError, match=r"labels\[None\]"):
        distance_map(torch.zeros(3, 4, dtype=torch.int64), 2)
    with pytest.raises(ValueError, match="labels contain 7"):
        distance_map(torch.full((1, 3, 4), 7), 2)
