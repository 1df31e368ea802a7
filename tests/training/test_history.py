"""The record of a training: as numbers, as a table, as a picture, and back again."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segtutor.training import History, fit, load_checkpoint, predict, save_checkpoint
from tests.training.cases import Spots, net


def record(scores: list[float], validated: bool = True) -> History:
    history = History(["sea", "sand"])
    for epoch, score in enumerate(scores, 1):
        row = {"epoch": epoch, "train_loss": 1 - score, "learning_rate": 0.1, "seconds": 2.0,
               "waiting": 0.5}  # fmt: skip
        if validated:
            row |= {"val_loss": 1.5 - score, "mean_iou": score, "iou": [score, math.nan]}
        history.add(row)
    return history


def test_columns_best_and_share() -> None:
    history = record([0.2, 0.6, 0.4])
    assert history["mean_iou"] == [0.2, 0.6, 0.4]
    assert len(history) == 3
    assert history.best["epoch"] == 2
    assert history.waited == 1
    assert history.data_share == 0.25
    assert record([0.2, 0.6, 0.6]).best["epoch"] == 2  # the first of equals
    assert record([0.1, 0.3, 0.2], validated=False).best["epoch"] == 2
    assert record([math.nan, 0.1]).best["epoch"] == 2
    assert "best: epoch 2" in repr(history)


def test_what_is_not_there() -> None:
    with pytest.raises(KeyError, match="it needs validation data"):
        record([0.1], validated=False)["mean_iou"]
    with pytest.raises(KeyError, match="'accuracy' among epoch, train_loss"):
        record([0.1])["accuracy"]
    with pytest.raises(ValueError, match="no epoch has ended"):
        _ = History().best
    assert History().data_share == 0
    assert (
        " ".join(str(History()).split())
        == "epoch training loss validation loss mean IoU learning rate"
    )


def test_tables_show_every_epoch() -> None:
    history = record([0.2, 0.6, 0.4])
    lines = str(history).splitlines()
    assert len(lines) == 4
    assert lines[2].split() == ["2", "0.400", "0.900", "0.600", "1.0e-01"]
    assert len({len(line) for line in lines}) == 1
    page = history._repr_html_()
    assert page.count("<tr") == 4
    assert page.count("font-weight:600") == 1  # the best
    assert "validation" not in str(record([0.2], validated=False))
    table = history.table()
    table[0]["epoch"] = 99
    assert history["epoch"] == [1, 2, 3]


def test_saved_and_loaded_whole(tmp_path: Path) -> None:
    history = fit(net(), Spots(8), Spots(5), epochs=2, pictures=2, progress=False, device="cpu")
    save_checkpoint(tmp_path / "history.pt", **history.state_dict())
    fresh = History()
    fresh.load_state_dict(load_checkpoint(tmp_path / "history.pt"))
    assert str(fresh) == str(history)
    assert fresh.table() == history.table()
    assert fresh.steps == history.steps
    assert all(torch.equal(a, b) for x, y in zip(fresh.pictures, history.pictures, strict=True)
               for a, b in zip(x, y, strict=True))  # fmt: skip


@pytest.mark.parametrize("validated", [True, False])
def test_the_picture_shows_what_is_in_the_columns(validated: bool) -> None:
    import matplotlib.pyplot as plt

    history = record([0.2, 0.6, 0.4], validated)
    left, right = history.plot()
    assert left.lines[0].get_ydata().tolist() == history["train_loss"]
    assert len(left.lines) == 1 + validated
    if validated:
        assert left.lines[1].get_ydata().tolist() == history["val_loss"]
        assert right.lines[0].get_ydata().tolist() == history["mean_iou"]
    mine = plt.figure().subplots(1, 2)
    assert history.plot(mine) == tuple(mine)
    plt.close("all")


def test_label_maps_after_each_epoch() -> None:
    model, val = net(), Spots(5, 1)
    history = fit(model, Spots(8), val, epochs=3, pictures=2, batch_size=4, progress=False,
                  device="cpu", learning_rate=0.1)  # fmt: skip
    assert [len(each) for each in history.pictures] == [2, 2, 2]
    assert history.pictures[0][0].dtype == torch.uint8
    for i in range(2):
        assert torch.equal(history.pictures[-1][i].long(), predict(model, val.images[i]))
    assert not torch.equal(history.pictures[0][0], history.pictures[-1][0])
    without = fit(net(), Spots(3), epochs=1, pictures=9, progress=False, device="cpu")
    assert [len(each) for each in without.pictures] == [3]


class Slow(Spots):
    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        time.sleep(0.01)
        return super().__getitem__(index)


def test_the_share_of_waiting_for_data() -> None:
    def share(data: Spots) -> float:
        return fit(net(), data, epochs=1, batch_size=4, progress=False, device="cpu").data_share

    assert 0 < share(Spots(8)) < share(Slow(8)) < 1
    assert share(Slow(8)) > 0.5


def test_curves_for_tensorboard(tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fit(net(), Spots(8), Spots(5), epochs=2, pictures=1, tensorboard=True,
                  folder=tmp_path, progress=False, device="cpu")  # fmt: skip
    events = reading.EventAccumulator(str(tmp_path))
    events.Reload()
    for name in ("train_loss", "val_loss", "mean_iou", "learning_rate"):
        values = [event.value for event in events.Scalars(name)]
        assert values == pytest.approx(history[name], rel=1e-5)
        assert [event.step for event in events.Scalars(name)] == [1, 2]
    assert len(events.Images("prediction 0")) == 2


def test_without_tensorboard_a_word_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        fit(net(), Spots(4), tensorboard=True, progress=False, device="cpu")
