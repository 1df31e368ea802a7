"""A data set kept in memory gives back what it read."""

from __future__ import annotations

import pytest
import torch

from segtutor.data import InMemory, Streets


class Listed:
    def __init__(self, *samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


PICTURE, LABELS = torch.rand(3, 4, 5), torch.randint(0, 8, (4, 5))


def test_it_gives_back_what_it_read() -> None:
    streets = Streets(6, seed=2)
    kept = InMemory(streets)
    assert kept.classes == streets.classes
    for i in range(6):
        for a, b in zip(kept[i], streets[i], strict=True):
            assert torch.equal(a, b)
            assert a.dtype == b.dtype


def test_all_256_values_of_a_byte_survive() -> None:
    values = torch.arange(256).reshape(1, 16, 16)
    kept = InMemory(Listed((values.float() / 255, values[0])))
    image, labels = kept[0]
    assert torch.equal((image * 255).round().long(), values)
    assert torch.equal(labels, values[0])


def test_the_transform_draws_anew_each_time() -> None:
    kept = InMemory(Streets(2), transform=lambda x, y: (x + torch.rand(()), y))
    assert not torch.equal(kept[0][0], kept[0][0])


def test_it_reads_once() -> None:
    read = []

    class Counting(Listed):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

    kept = InMemory(Counting((PICTURE, LABELS), (PICTURE, LABELS)))
    assert set(read) == {0, 1}
    before = len(read)
    _ = [kept[0], kept[1], kept[0]]
    assert len(read) == before


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([], "one sample or more"),
        ([(PICTURE, LABELS), (PICTURE[:, :3], LABELS[:3])], "sample 1 .* transform .* one size"),
        ([(PICTURE * 255, LABELS)], r"sample 0 is torch.float32 from .* normalize"),
        ([(PICTURE - 0.5, LABELS)], r"from -0\.\d+ to"),
        ([(PICTURE, LABELS), (PICTURE, LABELS - 300)], r"labels of sample 1 run from -\d+"),
        ([(PICTURE, LABELS + 254)], "a byte holds 0 to 255"),
    ],
)
def test_what_cannot_be_kept(samples, told) -> None:
    with pytest.raises(ValueError, match=told):
        InMemory(Listed(*samples))
