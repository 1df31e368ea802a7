from __future__ import annotations

import pytest
import torch

from segtutor.labels import check_labels, judged_pixels


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_void_is_not_judged_and_every_class_is(dtype: torch.dtype) -> None:
    labels = torch.tensor([[0, 1, 2], [255, 2, 255]], dtype=dtype)
    judged = check_labels(labels, 3)
    assert judged.tolist() == [[True, True, True], [False, True, False]]


def test_another_void_may_be_named() -> None:
    labels = torch.tensor([-1, 0, 1])
    assert check_labels(labels, 2, ignore_index=-1).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="contain -1"):
        check_labels(labels, 2)


@pytest.mark.parametrize("strange", [3, 4, 254, -1, -100])
def test_one_strange_label_among_many_is_named(strange: int) -> None:
    labels = torch.full((2, 40, 30), 255)
    labels[1, :20] = 2
    labels[1, 39, 29] = strange
    with pytest.raises(ValueError, match=rf"contain {strange}, .* 0 to 2, or 255"):
        check_labels(labels, 3)


def test_many_strange_labels_are_not_all_listed() -> None:
    with pytest.raises(ValueError, match="contain 3, 4, 5, 6, 7, 8, 9, 10 …, but"):
        check_labels(torch.arange(200), 3)


def test_a_file_of_zeros_and_255_without_void_is_refused() -> None:
    with pytest.raises(ValueError, match="contain 255"):
        check_labels(torch.tensor([0, 255]), 2, ignore_index=-100)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex64])
def test_labels_that_are_not_whole_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match="whole number"):
        check_labels(torch.zeros(2, 2, dtype=dtype), 2)


def test_no_label_at_all_is_fine() -> None:
    assert check_labels(torch.zeros(0, 4, 4, dtype=torch.int64), 2).shape == (0, 4, 4)
    assert not check_labels(torch.full((3, 3), 255), 2).any()


@pytest.mark.parametrize(
    ("dtype", "value", "void"),
    [(torch.uint8, 156, -100), (torch.uint8, 44, 300), (torch.int8, -1, 255)],
    ids=str,
)
def test_a_label_that_only_wraps_around_to_void_is_judged(
    dtype: torch.dtype, value: int, void: int
) -> None:
    labels = torch.tensor([0, value], dtype=dtype)
    assert (labels == void).tolist() == [False, True]  # what PyTorch answers
    assert judged_pixels(labels, void).tolist() == [True, True]
    with pytest.raises(ValueError, match=f"contain {value}, "):
        check_labels(labels, 2, ignore_index=void)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32])
def test_wide_unsigned_labels_are_checked(dtype: torch.dtype) -> None:
    labels = torch.tensor([0, 2, 255]).to(dtype)
    assert check_labels(labels, 3).tolist() == [True, True, False]
    with pytest.raises(ValueError, match="contain 2, "):
        check_labels(labels, 2)


def test_void_has_to_move_where_255_is_a_class() -> None:
    labels = torch.tensor([0, 255, 299])
    with pytest.raises(ValueError, match=r"with 300 classes 255 is a class.*ignore_index=-1"):
        check_labels(labels, 300)
    assert check_labels(labels, 300, ignore_index=-1).all()
    assert check_labels(torch.tensor([0, 255]), 255).tolist() == [True, False]


def test_labels_that_are_no_tensor_are_refused() -> None:
    with pytest.raises(TypeError, match=r"list, .* torch.as_tensor\(labels\)"):
        check_labels([0, 1], 2)
