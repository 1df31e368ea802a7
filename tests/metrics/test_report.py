"""What a confusion matrix says of itself: a text, a table, a picture."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from segtutor.figures import use_style
from segtutor.metrics import ConfusionMatrix

COUNTS = [[90, 9, 1], [5, 4, 1], [0, 0, 0]]
NAMES = ["road", "car", "pole"]


@pytest.fixture
def cm() -> ConfusionMatrix:
    return ConfusionMatrix.from_counts(COUNTS, class_names=NAMES)


@pytest.fixture(autouse=True)
def _close() -> Any:
    yield
    plt.close("all")


def test_the_text_holds_the_scores(cm: ConfusionMatrix) -> None:
    assert str(cm) == "\n".join(
        [
            "class  pixels     IoU    Dice  precision  recall",
            "------------------------------------------------",
            "road      100  0.8571  0.9231     0.9474  0.9000",
            "car        10  0.2105  0.3478     0.3077  0.4000",
            "pole        0  0.0000  0.0000     0.0000       –",
            "------------------------------------------------",
            "mean      110  0.3559  0.4236             0.6500",
            "pixel accuracy 0.8545, mean accuracy 0.6500, frequency-weighted IoU 0.7984",
        ]
    )
    assert repr(cm) == "ConfusionMatrix(3 classes, 110 pixels, mean IoU 0.3559)"
    assert repr(ConfusionMatrix(3)) == "ConfusionMatrix(3 classes, 0 pixels)"
    assert "–" in str(ConfusionMatrix(3))


class Cells(HTMLParser):
    """The words of each cell; and a table that is well formed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_the_table_says_what_the_text_says(cm: ConfusionMatrix) -> None:
    table = cm._repr_html_()
    words = re.split(r"\s+|-{2,}", str(cm).rpartition("\n")[0])
    assert [cell for cell in Cells(table).cells if cell] == [word for word in words if word]
    assert "pixel accuracy 0.8545" in table
    assert "<script" not in table


def test_names_cannot_break_the_table() -> None:
    named = ConfusionMatrix(2, class_names=["<b>sky", "a & b"])
    assert Cells(named._repr_html_()).cells[6] == "<b>sky"
    assert "<b>" not in named._repr_html_()


def words_in(ax: Any) -> dict[tuple[int, int], str]:
    """The words of each cell, by (row, column)."""
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in ax.texts
    }


def test_the_picture_holds_shares_or_pixels(cm: ConfusionMatrix) -> None:
    ax = cm.plot()
    assert words_in(ax) == {
        (0, 0): "90", (0, 1): "9", (0, 2): "1", (1, 0): "50", (1, 1): "40", (1, 2): "10",
    }  # fmt: skip
    assert len(ax.lines) == 1  # the row of the class that the target does not have
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
    assert [label.get_text() for label in ax.get_xticklabels()] == NAMES
    assert ax.yaxis_inverted()  # the first class on top
    assert words_in(cm.plot(normalize=False))[0, 1] == "9"
    given = plt.figure().add_subplot()
    assert cm.plot(given) is given


def test_small_and_large_numbers_stay_short() -> None:
    cm = ConfusionMatrix.from_counts([[99_999, 1], [2_500_000, 47_000_000_000]])
    assert words_in(cm.plot()) == {(0, 0): ">99", (0, 1): "<1", (1, 0): "<1", (1, 1): ">99"}
    words = words_in(cm.plot(normalize=False))
    assert words == {(0, 0): "100k", (0, 1): "1", (1, 0): "2.5M", (1, 1): "47G"}
    exact = ConfusionMatrix.from_counts([[10, 0], [0, 7]])
    assert words_in(exact.plot())[0, 0] == "100"
    assert words_in(exact.plot())[0, 1] == "·"


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    def light(color: np.ndarray) -> float:
        linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([light(one), light(other)])
    return (high + 0.05) / (low + 0.05)


def test_every_word_can_be_read_on_white_and_on_black() -> None:
    from matplotlib.colors import to_rgb

    use_style()
    counts = torch.stack([torch.arange(20) * (1 + row) for row in range(20)]) + torch.eye(20).long()
    counts = counts + torch.diag(torch.arange(20) ** 3)
    ax = ConfusionMatrix.from_counts(counts).plot()
    fills = {
        (round(patch.get_y() + 0.46), round(patch.get_x() + 0.46)): patch.get_facecolor()
        for patch in ax.patches
    }
    assert len(fills) == 400
    for text in ax.texts:
        column, row = map(round, text.get_position())
        ink, fill = np.array(to_rgb(text.get_color())), np.array(fills[row, column])
        for page in (np.zeros(3) + 0.07, np.ones(3)):
            ground = fill[:3] * fill[3] + page * (1 - fill[3])
            assert contrast(ink, ground) >= 4, (row, column, text.get_text())


def test_the_ground_is_the_pages_own(cm: ConfusionMatrix) -> None:
    use_style()
    figure = cm.plot().figure
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    assert plt.imread(file)[0, 0, 3] == 0  # the corner is clear


def test_many_classes_are_drawn_without_numbers() -> None:
    ax = ConfusionMatrix.from_counts(torch.eye(25).long()).plot()
    assert not ax.texts
    assert len(ax.patches) == 625
