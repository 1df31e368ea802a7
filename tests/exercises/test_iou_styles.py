"""IoU as other people would write it is right; what learners really hand in gets a fitting word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from sklearn import metrics as peer

from segtutor.exercises import check
from segtutor.exercises.iou import flatter as trick
from segtutor.exercises.iou.possible_table import TABLE
from segtutor.metrics import ConfusionMatrix, boundary_iou

from_counts = ConfusionMatrix.from_counts
NAN = float("nan")


def matrix_loops(prediction, target, num_classes, ignore_index=255):
    table = [[0] * num_classes for _ in range(num_classes)]
    for p, t in zip(prediction.flatten().tolist(), target.flatten().tolist(), strict=True):
        if t != ignore_index:
            table[t][p] += 1
    return table


def matrix_sklearn(pred, true, num_classes, ignore_index=255):
    pred, true = pred.numpy().ravel(), true.numpy().ravel()
    keep = true != ignore_index
    return peer.confusion_matrix(true[keep], pred[keep], labels=range(num_classes))


def matrix_one_hot(prediction, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    is_, called = (F.one_hot(labels[keep], num_classes) for labels in (target, prediction))
    return is_.T @ called


def matrix_numpy_add_at(prediction, target, num_classes, ignore_index=255):
    counts = np.zeros((num_classes, num_classes), dtype=np.int32)
    keep = (target != ignore_index).numpy()
    np.add.at(counts, (target.numpy()[keep], prediction.numpy()[keep]), 1)
    return counts


def matrix_overflow_bin(prediction, target, num_classes, ignore_index=255):
    pairs = torch.where(
        target == ignore_index, num_classes**2, num_classes * target + prediction
    ).flatten()
    counts = torch.bincount(pairs, minlength=num_classes**2 + 1)[:-1]
    return counts.view(num_classes, -1)


def matrix_masks(prediction, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    return torch.stack(
        [
            torch.stack(
                [((target == r) & (prediction == c) & valid).sum() for c in range(num_classes)]
            )
            for r in range(num_classes)
        ]
    )


def iou_loops(matrix):
    table = matrix.tolist()
    out = []
    for k in range(len(table)):
        tp = table[k][k]
        fn = sum(table[k]) - tp
        fp = sum(row[k] for row in table) - tp
        out.append(tp / (tp + fp + fn) if tp + fp + fn else NAN)
    return out


def iou_numpy(m):
    m = m.numpy().astype(np.float64)
    tp = np.diagonal(m)
    with np.errstate(invalid="ignore"):
        return tp / (m.sum(axis=0) + m.sum(axis=1) - tp)


def iou_where(matrix):
    hits = torch.diagonal(matrix).double()
    union = matrix.sum(0) + matrix.sum(1) - hits
    return torch.where(union > 0, hits / union.clamp(min=1), torch.nan)


def miou_by_hits_and_unions(batches, num_classes):
    hits, unions = torch.zeros(num_classes), torch.zeros(num_classes)
    for prediction, target in batches:
        for k in range(num_classes):
            p, t = (prediction == k) & (target != 255), target == k
            hits[k] += (p & t).sum()
            unions[k] += (p | t).sum()
    seen = unions > 0
    return (hits[seen] / unions[seen]).mean().item()


def miou_all_at_once(batches, num_classes):
    prediction = torch.cat([p.flatten() for p, _ in batches])
    target = torch.cat([t.flatten() for _, t in batches])
    return np.nanmean(iou_loops(matrix_one_hot(prediction, target, num_classes)))


def miou_sklearn(batches, num_classes):
    table = sum(matrix_sklearn(p, t, num_classes) for p, t in batches)
    return torch.tensor(iou_numpy(torch.from_numpy(table))).nanmean()


def boundary_scipy(prediction, target, distance):
    def band(mask):
        mask = np.pad(mask.numpy(), 1)
        inner = ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=distance)
        return mask & ~inner

    p, t = band(prediction), band(target)
    return (p & t).sum() / (p | t).sum()


def boundary_chessboard_distance(prediction, target, distance):
    def band(mask):
        depth = ndimage.distance_transform_cdt(np.pad(mask.numpy(), 1), "chessboard")
        return (depth > 0) & (depth <= distance)

    p, t = band(prediction), band(target)
    return float((p & t).sum() / (p | t).sum())


def boundary_unfold(prediction, target, distance):
    def inside(mask):
        padded = F.pad(mask.float(), (distance,) * 4)
        k = 2 * distance + 1
        return padded.unfold(0, k, 1).unfold(1, k, 1).amin((2, 3)).bool()

    p, t = (mask ^ inside(mask) for mask in (prediction, target))
    return torch.logical_and(p, t).sum().double() / torch.logical_or(p, t).sum()


def matrix_of_the_package(prediction, target, num_classes, ignore_index=255):
    return ConfusionMatrix(num_classes, ignore_index=ignore_index).update(prediction, target).matrix


def miou_of_the_package(batches, num_classes):
    cm = ConfusionMatrix(num_classes)
    for prediction, target in batches:
        cm.update(prediction, target)
    return cm.mean_iou()


def boundary_of_the_package(prediction, target, distance):
    return boundary_iou(prediction.long(), target.long(), 2, width=distance)[1]


def every_error_of_the_poles_and_the_car():
    labels = trick.TARGET.clone()
    small = (labels >= 2) | (trick.PREDICTION >= 2)
    labels[small & (labels != trick.PREDICTION)] = 255
    return labels


STYLES = {
    "confusion_by_hand": [
        torch.tensor([[7.0, 1, 2], [1, 4, 0], [0, 1, 2]]),
        np.array([[7, 1, 2], [1, 4, 0], [0, 1, 2]]),
        ((7, 1, 2), (1, 4, 0), (0, 1, 2)),
    ],
    "confusion_matrix": [
        matrix_loops,
        matrix_sklearn,
        matrix_one_hot,
        matrix_numpy_add_at,
        matrix_overflow_bin,
        matrix_masks,
        matrix_of_the_package,
    ],
    "iou_per_class": [iou_loops, iou_numpy, iou_where, lambda m: from_counts(m).iou()],
    "dataset_miou": [
        miou_by_hits_and_unions,
        miou_all_at_once,
        miou_sklearn,
        miou_of_the_package,
    ],
    "dice_and_iou": [
        [0.25, 0.6, 0.425, 0.4375, 0.5625, 0.72],
        [1 / 4, 3 / 5, 17 / 40, 7 / 16, 9 / 16, 18 / 25],
        np.array([0.25, 0.6, 0.425, 0.4375, 0.5625, 0.72], dtype=np.float32),
    ],
    "possible_table": [
        [True, False, True, False, False, True, True, False],
        [1, 0, 1, 0, 0, 1, 1, 0],
        torch.tensor([True, False, True, False, False, True, True, False]),
    ],
    "boundary_iou": [
        boundary_scipy,
        boundary_chessboard_distance,
        boundary_unfold,
        boundary_of_the_package,
    ],
    "flatter": [
        every_error_of_the_poles_and_the_car(),
        every_error_of_the_poles_and_the_car().to(torch.uint8),
        every_error_of_the_poles_and_the_car().numpy(),
        every_error_of_the_poles_and_the_car().tolist(),
    ],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


def counted_with_an_index(prediction, target, num_classes, ignore_index=255):
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    keep = target != ignore_index
    counts[target[keep], prediction[keep]] += 1
    return counts


def sklearn_without_labels(prediction, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    return peer.confusion_matrix(target[keep].numpy(), prediction[keep].numpy())


def histogram_that_keeps_predictions(batches, num_classes):
    """How a well-known recipe counts: void leaves the target and stays in the prediction."""
    hits, pred, true = (torch.zeros(num_classes) for _ in range(3))
    for p, t in batches:
        hits += torch.histc(p[p == t].float(), num_classes, 0, num_classes - 1)
        pred += torch.histc(p.float(), num_classes, 0, num_classes - 1)
        true += torch.histc(t.float(), num_classes, 0, num_classes - 1)
    return (hits / (pred + true - hits)).nanmean()


def mean_of_jaccard_scores(batches, num_classes):
    scores = []
    for p, t in batches:
        keep = t != 255
        y, x = t[keep].numpy(), p[keep].numpy()
        classes = np.union1d(y, x)
        scores.append(peer.jaccard_score(y, x, labels=classes, average="macro"))
    return np.mean(scores)


def divided_by_f1(matrix):
    tp = matrix.diag().double()
    precision, recall = tp / matrix.sum(0), tp / matrix.sum(1)
    return 2 * precision * recall / (precision + recall)


def with_epsilon(matrix):
    tp = matrix.diag()
    return (tp + 1e-6) / (matrix.sum(0) + matrix.sum(1) - tp + 1e-6)


def eroded_without_padding(prediction, target, distance):
    def band(mask):
        shrunken = ndimage.binary_erosion(
            mask.numpy(), np.ones((3, 3)), iterations=distance, border_value=1
        )
        return mask.numpy() & ~shrunken

    p, t = band(prediction), band(target)
    return (p & t).sum() / (p | t).sum()


ATTEMPTS = [
    ("confusion_matrix", counted_with_an_index, "iou.counted_once"),
    ("confusion_matrix", sklearn_without_labels, "iou.only_seen"),
    ("dataset_miou", histogram_that_keeps_predictions, "iou.ignore255"),
    ("dataset_miou", mean_of_jaccard_scores, "iou.batch_means"),
    ("iou_per_class", with_epsilon, "iou.absent1"),
    ("boundary_iou", eroded_without_padding, "boundary.no_border"),
    ("iou_per_class", lambda m: 100 * m.diag() / (m.sum(0) + m.sum(1) - m.diag()), "iou.percent"),
    ("dice_and_iou", [25, 60, 42.5, 43.75, 56.25, 72], "iou.percent"),
    ("possible_table", [False] * 8, None),
    ("dice_and_iou", [0.25, 0.6, 0.425, 0.44, 0.56, 0.72], None),
]


@pytest.mark.parametrize(
    ("name", "attempt", "tag"), ATTEMPTS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(ATTEMPTS)]
)
def test_what_learners_hand_in(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def boundary_straight_distance(prediction, target, distance):
    def band(mask):
        mask = np.pad(mask.numpy(), 1)
        return mask & (ndimage.distance_transform_edt(mask) <= distance)

    p, t = band(prediction), band(target)
    return (p & t).sum() / (p | t).sum()


def boundary_cross(prediction, target, distance):
    def band(mask):
        return mask.numpy() ^ ndimage.binary_erosion(mask.numpy(), iterations=distance)

    p, t = band(prediction), band(target)
    return (p & t).sum() / (p | t).sum()


@pytest.mark.parametrize("other", [boundary_straight_distance, boundary_cross])
def test_other_ways_to_measure_a_band_are_accepted_and_told_so(other):
    for seed in range(5):
        result = check("boundary_iou", other, seed=seed)
        assert result.outcome == "right"
        assert "At inward corners" in result.message


def test_rounded_answers_are_told_where():
    result = check("dice_and_iou", [0.25, 0.6, 0.425, 0.44, 0.56, 0.72])
    assert "4 of 6 numbers are right" in result.message


def test_a_data_set_is_named_by_its_shapes():
    """Not by the numbers of all its label maps."""
    result = check("dataset_miou", lambda batches, num_classes: torch.tensor(0.5))
    assert "`dataset_miou(batches [[(1, 1, 5), (1, 1, 5)]], 2)`" in result.message
    assert result.details["Input batches"].startswith("[((1, 1, 5)\n[[[0, 0, 1, 1, 1]]]")


def test_f1_where_nothing_is_predicted_is_not_taken_for_dice():
    """0/0 in the harmonic mean is NaN where Dice is 0: no known mistake, so none is named."""
    assert check("iou_per_class", divided_by_f1).mistake is None


def test_an_empty_answer_is_not_attempted():
    result = check("possible_table", [True, *[None] * 7])
    assert result.outcome == "not attempted"
    assert "7 of 8" in result.message


@pytest.mark.parametrize(
    ("answer", "tag", "words"),
    [
        (0.93, "flatter.not_a_map", "float"),
        (trick.TARGET.float(), "flatter.not_a_map", "whole numbers"),
        (trick.TARGET[:, :-1], "flatter.not_a_map", r"\(12, 15\)"),
        (trick.TARGET.roll(1, 1), "flatter.relabeled", r"the first at \[2, 4\]"),
        (trick.TARGET, "flatter.untouched", "0.70"),
        (torch.full_like(trick.TARGET, 255), "flatter.budget", "192 pixels"),
        (trick.TARGET.masked_fill(trick.TARGET == 2, 255), "flatter.too_low", "0.90 is asked"),
    ],
)
def test_what_is_missing_in_the_trick_is_said(answer, tag, words):
    result = check("flatter", answer)
    assert (result.outcome, result.mistake) == ("wrong", tag)
    assert re.search(words, result.message)


def test_the_numbers_in_the_reason_of_the_trick():
    def gain(of_pole: bool) -> float:
        wrong = trick.TARGET != trick.PREDICTION
        pole = (trick.TARGET == 2) | (trick.PREDICTION == 2)
        car = (trick.TARGET == 3) | (trick.PREDICTION == 3)
        row, column = (wrong & (pole if of_pole else ~pole & ~car)).nonzero()[0]
        labels = trick.TARGET.clone()
        labels[row, column] = 255
        return trick.score(labels) - trick.score(trick.TARGET)

    assert gain(of_pole=True) > 2 * gain(of_pole=False) > 0
    errors = int((trick.TARGET != trick.PREDICTION).sum())
    assert errors > trick.BUDGET
    assert round(trick.score(trick.TARGET), 2) == 0.70  # as the file's comment says


def test_the_table_of_the_chapter_is_the_one_that_is_checked():
    (path,) = Path(__file__).parents[2].glob("book/*/iou.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells)
    for name, *numbers in TABLE:
        assert f"| {name} | " + " | ".join(f"{n:.2f}" for n in numbers) + " |" in text


def test_a_row_is_possible_if_some_unrounded_numbers_round_to_it():
    """The rule of thumb in the solution agrees with a search through all counts that fit."""
    from segtutor.exercises.iou.possible_table import possible_table

    hits = 400  # all four are ratios: with 400 hits, one error is far less than a rounding
    fp, fn = np.meshgrid(np.arange(1201), np.arange(1201))
    for (_, precision, recall, f1, iou), answer in zip(TABLE, possible_table(), strict=True):
        fits = (
            (np.abs(hits / (hits + fp) - precision) <= 0.005)
            & (np.abs(hits / (hits + fn) - recall) <= 0.005)
            & (np.abs(2 * hits / (2 * hits + fp + fn) - f1) <= 0.005)
            & (np.abs(hits / (hits + fp + fn) - iou) <= 0.005)
        )
        assert fits.any() == answer
