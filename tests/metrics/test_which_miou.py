"""Eight pixels, one question, many answers: which mean IoU does each library report?

ANSWERS is the table of the page `book/objectives/which_miou.ipynb`: the value, the library's
call, and the call of ours that gives the same number. Every line is run here, and the page
has to hold the same lines.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from segtutor.metrics import ConfusionMatrix, PerImage

PAGE = Path(__file__).parents[2] / "book" / "objectives" / "which_miou.ipynb"

# Two pictures of four pixels each; class 2 is only predicted, class 3 is in neither map.
TARGET = torch.tensor([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
PRED = torch.tensor([[[0, 0, 1, 1]], [[1, 1, 1, 2]]])


class Answer(NamedTuple):
    """One line of the table.

    `call` runs with `pred`, `target` (2, 1, 4), the same as `one_hot` (2, 4, 1, 4) and `flat`
    (8,), and smp's `stats`; `ours` with `cm` and `per_image`.
    """

    value: str
    call: str
    ours: str


ANSWERS = [
    Answer("0.4444", 'torchmetrics MulticlassJaccardIndex(4, average="macro")', "cm.mean_iou()"),
    Answer("0.4444", 'sklearn jaccard_score(average="macro")', "cm.mean_iou()"),
    Answer(
        "0.3333",
        'sklearn jaccard_score(average="macro", labels=range(4), zero_division=0)',
        'cm.mean_iou(absent="zero")',
    ),
    Answer(
        "0.3333",
        'smp iou_score(reduction="macro", zero_division=0)',
        'cm.mean_iou(absent="zero")',
    ),
    Answer("0.5833", 'smp iou_score(reduction="macro")', 'cm.mean_iou(absent="one")'),
    Answer("0.6667", "monai MeanIoU()", 'per_image.mean_iou(absent="target")'),
    Answer("0.6667", "monai MeanIoU() on one row of 8 pixels", 'cm.mean_iou(absent="target")'),
    Answer("0.6667", 'sklearn jaccard_score(average="weighted")', "cm.frequency_weighted_iou()"),
    Answer("0.4792", "torchmetrics.segmentation MeanIoU(4)", "per_image.mean_iou()"),
    Answer(
        "0.7396",
        'smp iou_score(reduction="macro-imagewise")',
        'per_image.mean_iou(absent="one")',
    ),
    Answer("0.7396", "kornia mean_iou().mean()", 'per_image.mean_iou(absent="one")'),
    Answer("0.7396", "monai MeanIoU(ignore_empty=False)", 'per_image.mean_iou(absent="one")'),
    Answer(
        "0.2396",
        'smp iou_score(reduction="macro-imagewise", zero_division=0)',
        'per_image.mean_iou(absent="zero")',
    ),
    Answer("0.6000", 'smp iou_score(reduction="micro")', "cm.micro_iou()"),
    Answer("0.6000", 'torchmetrics MulticlassJaccardIndex(4, average="micro")', "cm.micro_iou()"),
    Answer("0.6000", 'smp iou_score(reduction="micro-imagewise")', "per_image.micro_iou()"),
    # Divides by the number of classes twice: a fault, not a convention.
    Answer(
        "0.1458",
        'smp iou_score(reduction="macro", class_weights=[1, 1, 1, 1])',
        'cm.mean_iou(absent="one") / 4',
    ),
]


def library(call: str) -> float:
    """Run a library as the table names it."""
    if call.startswith("torchmetrics"):
        classification = pytest.importorskip("torchmetrics.classification")
        segmentation = pytest.importorskip("torchmetrics.segmentation")
        if call == "torchmetrics.segmentation MeanIoU(4)":
            metric = segmentation.MeanIoU(num_classes=4, input_format="index")
        else:
            metric = _eval(call, "torchmetrics ", vars(classification))
        return float(metric(PRED, TARGET))
    if call.startswith("sklearn"):
        metrics = pytest.importorskip("sklearn.metrics")
        flat = (TARGET.flatten().numpy(), PRED.flatten().numpy())
        return _eval(call.replace("(", "(*flat, ", 1), "sklearn ", {**vars(metrics), "flat": flat})
    if call.startswith("smp"):
        metrics = pytest.importorskip("segmentation_models_pytorch").metrics
        stats = metrics.get_stats(PRED, TARGET, mode="multiclass", num_classes=4)
        names = {**vars(metrics), "stats": stats}
        return float(_eval(call.replace("(", "(*stats, ", 1), "smp ", names))
    if call.startswith("monai"):
        metrics = pytest.importorskip("monai.metrics")
        call, row, _ = call.partition(" on one row of 8 pixels")
        shape = (1, 1, 8) if row else TARGET.shape
        metric = _eval(call, "monai ", vars(metrics))
        one_hot = torch.nn.functional.one_hot
        metric(*(one_hot(each.reshape(shape), 4).movedim(-1, 1) for each in (PRED, TARGET)))
        return float(metric.aggregate())
    assert call == "kornia mean_iou().mean()"
    kornia = pytest.importorskip("kornia")
    return float(kornia.metrics.mean_iou(PRED, TARGET, 4).mean())


def _eval(call: str, prefix: str, names: dict[str, Any]) -> Any:
    return eval(call.removeprefix(prefix), dict(names))  # a line of the table above


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.call)
@pytest.mark.filterwarnings("ignore")  # what the libraries say about their own zero divisions
def test_a_library_and_a_convention_of_ours_give_the_same_answer(answer: Answer) -> None:
    cm = ConfusionMatrix(4).update(PRED, TARGET)
    per_image = PerImage(4).update(PRED, TARGET)
    ours = eval(answer.ours, {"cm": cm, "per_image": per_image})
    assert f"{library(answer.call):.4f}" == answer.value
    assert f"{ours:.4f}" == answer.value


def test_every_convention_has_a_line() -> None:
    said = {answer.ours for answer in ANSWERS}
    for absent in ("zero", "one", "target"):
        assert f'cm.mean_iou(absent="{absent}")' in said
        assert f'per_image.mean_iou(absent="{absent}")' in said
    assert {"cm.mean_iou()", "per_image.mean_iou()", "cm.micro_iou()"} <= said


def lines_of(page: dict[str, Any]) -> list[tuple[str, ...]]:
    """The lines `| 0.4444 | library call | our call |` of a notebook's Markdown tables."""
    found = []
    for cell in page["cells"]:
        for line in "".join(cell["source"]).splitlines():
            cells = [part.strip().replace("`", "") for part in line.strip().strip("|").split("|")]
            if cell["cell_type"] == "markdown" and re.fullmatch(r"0\.\d{4}", cells[0]):
                found.append(tuple(cells[:3]))
    return found


@pytest.mark.skipif(not PAGE.exists(), reason="the page is not there")
def test_the_page_holds_the_same_table() -> None:
    lines = lines_of(json.loads(PAGE.read_text(encoding="utf-8")))
    assert sorted(lines) == sorted(tuple(answer) for answer in ANSWERS)


def test_the_page_is_read_as_a_reader_reads_it() -> None:
    text = "| 0.4444 | `sklearn jaccard_score()` | `cm.mean_iou()` |\n| --- | --- | --- |"
    page = {"cells": [{"cell_type": "markdown", "source": [text]}]}
    assert lines_of(page) == [("0.4444", "sklearn jaccard_score()", "cm.mean_iou()")]
