"""Judging and predicting: exact, in evaluation mode, and nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, Dataset, Subset

from segtutor.metrics import ConfusionMatrix
from segtutor.training import evaluate, fit, predict
from tests.training.cases import Spots, net, same


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_the_counts_are_those_of_a_loop_by_hand(batch_size: int, workers: int) -> None:
    data, model = Spots(7), net(dropout=0.5)
    expected = ConfusionMatrix(3)
    with torch.no_grad():
        for image, labels in data:
            expected.update(model.eval()(image[None]), labels[None])
    model.train()
    found = evaluate(model, data, batch_size=batch_size, workers=workers)
    assert torch.equal(found.matrix, expected.matrix)
    assert found.matrix.sum() == (data.labels != 255).sum()


def test_pictures_of_all_sizes() -> None:
    sizes = [Spots(3, seed, size) for seed, size in enumerate([(8, 8), (6, 11), (9, 5)])]
    model, mixed = net(), ConcatDataset(sizes)
    each = sum((evaluate(model, data, 3) for data in sizes), start=ConfusionMatrix(3))
    assert torch.equal(evaluate(model, mixed, 3, batch_size=4).matrix, each.matrix)
    history = fit(model, sizes[0], mixed, epochs=1, progress=False, device="cpu")
    assert history["mean_iou"] == [evaluate(model, mixed).mean_iou()]


def test_the_loss_of_validation_is_the_mean_over_all_its_pixels() -> None:
    from segtutor.losses import cross_entropy

    data, model = Spots(7), net(norm=False)
    history = fit(model, Spots(4), data, epochs=1, batch_size=4, progress=False, device="cpu")
    with torch.no_grad():
        expected = cross_entropy(model(data.images), data.labels)
    assert history["val_loss"] == pytest.approx([expected.item()], rel=1e-5)


def test_a_batch_of_void_does_not_spoil_the_loss_of_validation() -> None:
    def bare(logits: Tensor, labels: Tensor) -> Tensor:  # NaN where nothing is judged
        return nn.functional.cross_entropy(logits, labels, ignore_index=255)

    data = Spots(8)
    data.labels[4:] = 255
    train = fit(net(), Spots(4), data, loss=bare, epochs=1, batch_size=4, progress=False,
                device="cpu")  # fmt: skip
    assert 0 < train["val_loss"][0] < 10


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(training: bool) -> None:
    model, before = net(dropout=0.5).train(training), net(dropout=0.5)
    modes = [module.training for module in model.modules()]
    evaluate(model, Spots(4))
    predict(model, Spots(4).images)
    assert [module.training for module in model.modules()] == modes
    assert same(model, before)
    assert all(p.grad is None for p in model.parameters())

    def fails(*_: Any) -> None:
        raise KeyError("inside")

    model.register_forward_hook(fails)
    with pytest.raises(KeyError):
        predict(model, Spots(4).images)
    assert [module.training for module in model.modules()] == modes


def test_predictions_one_by_one_and_together() -> None:
    model, images = net(dropout=0.5), Spots(7).images
    found = predict(model, images, batch_size=3)
    assert found.dtype == torch.int64
    assert torch.equal(found, model.eval()(images).argmax(1))
    assert torch.equal(predict(model, images[2]), found[2])
    found[0] = 255  # an ordinary tensor
    assert predict(model, images[:0]).shape == (0, 10, 14)


def test_one_channel_is_class_one_above_zero() -> None:
    class Sign(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"out": x[:, :1] - 0.5}

    data = Spots(4)
    assert torch.equal(predict(Sign(), data.images), (data.images[:, 0] > 0.5).long())
    data.labels[data.labels == 2] = 1
    assert evaluate(Sign(), data).matrix.shape == (2, 2)


def test_names_of_classes_are_found_through_wrappers() -> None:
    data = Spots(6)
    data.classes = ("sea", "sand", "sky")
    assert evaluate(net(), Subset(data, [1, 3])).settings.names == ("sea", "sand", "sky")
    history = fit(net(), Subset(data, [1, 3]), epochs=1, progress=False, device="cpu")
    assert history.class_names == ["sea", "sand", "sky"]


class Odd(Dataset):
    """A data set of one sample, whatever it is."""

    def __init__(self, image: Any, labels: Any) -> None:
        self.sample = image, labels

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.sample


PICTURE, LABELS = torch.zeros(3, 8, 9), torch.zeros(8, 9, dtype=torch.int64)


@pytest.mark.parametrize(
    ("image", "labels", "said"),
    [
        ("file.png", LABELS, "sample 0: picture and labels are str and Tensor"),
        (PICTURE.byte(), LABELS, r"image.float\(\) / 255"),
        (PICTURE[0], LABELS, r"sample 0: the picture is torch.float32 \(8, 9\)"),
        (PICTURE, LABELS[None], r"labels.squeeze\(0\)"),
        (PICTURE, LABELS[:4], r"labels \(4, 9\) do not fit the picture, torch.float32 \(3, 8, 9\)"),
        (PICTURE, LABELS.float(), "labels are torch.float32"),
        (PICTURE, LABELS + 3, r"sample \d: labels contain 3, but with 3 classes"),
        (PICTURE[:1], LABELS, r"cannot take a picture \(1, 8, 9\)"),
    ],
)
def test_samples_that_are_none(image: Any, labels: Any, said: str) -> None:
    for action in (lambda data: evaluate(net(), data), lambda data: fit(net(), data, device="cpu")):
        with pytest.raises(ValueError, match=said):
            action(Odd(image, labels))


def test_models_that_do_not_fit() -> None:
    small = nn.Sequential(net(), nn.MaxPool2d(2))
    with pytest.raises(ValueError, match=r"returns \(1, 3, 5, 7\) for a picture \(3, 10, 14\)"):
        evaluate(small, Spots(3))
    with pytest.raises(ValueError, match="tells 3 classes apart, but the data set has 5"):
        evaluate(net(), Spots(3), num_classes=5)
    with pytest.raises(ValueError, match="but have to be floating"):
        predict(net(), Spots(3).labels)
