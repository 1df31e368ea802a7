"""What others would write is right; what learners really hand in gets a fitting word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.measure import label as skimage_label
from skimage.measure import regionprops
from torchvision.ops import masks_to_boxes

from segtutor.data import Streets, StreetSettings
from segtutor.exercises import check
from segtutor.exercises.first_segmentation import without_learning as rules
from segtutor.exercises.first_segmentation.thing_boxes import thing_boxes


def labels_numpy(logits):
    return np.argmax(logits.numpy(), axis=1)


def labels_by_max(logits):
    return logits.max(dim=1).indices


def labels_after_softmax(logits):
    return torch.softmax(logits, dim=1).argmax(dim=1)


def labels_by_sorting(logits):
    return logits.argsort(dim=1, descending=True)[:, 0]


def labels_loops(logits):
    n, _, h, w = logits.shape
    return [
        [[int(logits[i, :, r, c].argmax()) for c in range(w)] for r in range(h)] for i in range(n)
    ]


def labels_channels_last(logits):
    return logits.permute(0, 2, 3, 1).argmax(-1)


def labels_in_bytes(logits):
    return logits.argmax(1).to(torch.uint8)


def things_set(labels, instances, label):
    return len(set(instances[labels == label].tolist()) - {0})


def things_numpy(labels, instances, label):
    return np.count_nonzero(np.unique(instances.numpy()[labels.numpy() == label]))


def things_bincount(labels, instances, label):
    inside = instances[(labels == label) & (instances > 0)]
    return (torch.bincount(inside.flatten().long()) > 0).sum()


def things_one_by_one(labels, instances, label):
    return sum(
        bool(((instances == number) & (labels == label)).any())
        for number in instances.unique()
        if number > 0
    )


def boxes_torchvision(instances):
    numbers = instances.unique()
    numbers = numbers[numbers != 0]
    return masks_to_boxes(instances == numbers[:, None, None]).long()


def boxes_any(instances):
    out = []
    for number in sorted(set(instances.flatten().tolist()) - {0}):
        mask = instances == number
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        out.append([int(v) for v in (columns[0], rows[0], columns[-1], rows[-1])])
    return out


def boxes_regionprops(instances):
    found = regionprops(instances.numpy())
    return np.array([(x0, y0, x1 - 1, y1 - 1) for y0, x0, y1, x1 in (r.bbox for r in found)])


def panoptic_int32(labels, instances):
    ids = labels.int() * 1000 + instances
    ids[labels == 255] = 255_000
    return ids


def panoptic_where(labels, instances):
    things = torch.where(labels == 255, 0, instances)
    return 1000 * labels.to(torch.int64) + things


def panoptic_numpy(labels, instances):
    labels, instances = labels.numpy().astype(np.int64), instances.numpy()
    return 1000 * labels + np.where(labels == 255, 0, instances)


RIGHT = [
    ("labels_from_logits", labels_numpy),
    ("labels_from_logits", labels_by_max),
    ("labels_from_logits", labels_after_softmax),
    ("labels_from_logits", labels_by_sorting),
    ("labels_from_logits", labels_loops),
    ("labels_from_logits", labels_channels_last),
    ("labels_from_logits", labels_in_bytes),
    ("count_things", things_set),
    ("count_things", things_numpy),
    ("count_things", things_bincount),
    ("count_things", things_one_by_one),
    ("thing_boxes", boxes_torchvision),
    ("thing_boxes", boxes_any),
    ("thing_boxes", boxes_regionprops),
    ("panoptic_ids", panoptic_int32),
    ("panoptic_ids", panoptic_where),
    ("panoptic_ids", panoptic_numpy),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=lambda it: getattr(it, "__name__", it))
def test_other_ways_to_write_it_are_right(name, answer):
    for seed in range(5):
        result = check(name, answer, seed=seed)
        assert result.outcome == "right", result
        assert "different" not in result.message


@pytest.mark.parametrize(
    "answer", [[[0, 1, 2], [1, 0, 1]], np.array([[0, 1, 2], [1, 0, 1]]), ((0, 1, 2), (1.0, 0, 1))]
)
def test_the_map_may_be_written_in_any_way(answer):
    assert check("map_by_hand", answer).outcome == "right"


def boxes_in_slices(instances):
    found = regionprops(instances.numpy())
    return np.array([(x0, y0, x1, y1) for y0, x0, y1, x1 in (r.bbox for r in found)])


def test_boxes_that_end_one_past_are_accepted_and_told_so():
    result = check("thing_boxes", boxes_in_slices)
    assert result.outcome == "right"
    assert "one past the last pixel" in result.message


def test_a_street_without_things_has_no_boxes_and_they_have_four_numbers():
    boxes = thing_boxes(torch.zeros(3, 4, dtype=torch.int32))
    assert boxes.shape == (0, 4)
    assert boxes.dtype == torch.int64


def patches_skimage(labels, instances, label):
    return skimage_label((labels == label).numpy(), connectivity=1).max()


def boxes_bbox_as_it_comes(instances):
    found = regionprops(instances.numpy())
    return np.array([(y0, x0, y1 - 1, x1 - 1) for y0, x0, y1, x1 in (r.bbox for r in found)])


def boxes_first_and_last(instances):
    boxes = []
    for number in instances.unique()[1:]:
        rows, columns = torch.where(instances == number)
        boxes.append([columns[0], rows[0], columns[-1], rows[-1]])
    return torch.tensor(boxes)


def panoptic_one_line(labels, instances):
    return labels * 1000 + instances


ATTEMPTS = [
    ("labels_from_logits", lambda z: z.argmax(-1), "train.argmax_dim"),
    ("labels_from_logits", lambda z: z.max(1).values, "first.the_logit"),
    ("labels_from_logits", lambda z: (z.sigmoid() > 0.5).int().argmax(1), "first.above_zero"),
    ("labels_from_logits", lambda z: z.argmax(1).squeeze(), None),  # the batch of one is gone
    ("count_things", patches_skimage, "things.pieces"),
    ("count_things", lambda m, i, c: len(i[m == c].unique()) - 1, "things.one_less"),
    ("count_things", lambda m, i, c: len(i[i > 0].unique()), "things.all_classes"),
    ("count_things", lambda m, i, c: len(i.unique()) - 1, "things.all_classes_less_one"),
    (
        "count_things",
        lambda m, i, c: len((i * (m == c)).unique()) - 1,
        "things.zero_outside_less_one",
    ),
    ("count_things", lambda m, i, c: len(set(i[m == c])), "things.pixels"),
    ("labels_from_logits", lambda z: torch.max(z, 1), "first.both"),
    ("thing_boxes", boxes_first_and_last, "boxes.first_and_last_pixel"),
    ("thing_boxes", boxes_bbox_as_it_comes, "boxes.rows_first"),
    ("panoptic_ids", panoptic_one_line, "panoptic.wrapped"),
    ("panoptic_ids", lambda m, i: m.long() * 1000 + i, "panoptic.void_keeps_its_thing"),
    ("map_by_hand", [[1, 2, 3], [2, 1, 2]], "map.counted_from_one"),
    ("map_by_hand", [[0, 1, 2], [1, 0, 0]], None),
]


@pytest.mark.parametrize(
    ("name", "attempt", "tag"), ATTEMPTS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(ATTEMPTS)]
)
def test_what_learners_hand_in(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def by_color_numpy(image):
    """Other rules, another style: numpy, and a loop over the rows."""
    red, green, blue = image.numpy()
    height, width = red.shape
    labels = np.ones((height, width), np.int64)
    for row in range(height):
        below = row / height - 0.45
        if below > 0:
            side = np.abs(np.arange(width) / width * 2 - 1)
            labels[row, side < 7 * below] = 3
            labels[row, side < 2.6 * below] = 2
        else:
            middle = np.abs(np.arange(width) / width * 2 - 1) < 0.4
            labels[row, middle & (blue[row] > red[row])] = 0
    labels[(green > 1.06 * red) & (green > 1.1 * blue)] = 4
    return labels


def test_other_rules_are_as_good():
    assert check("without_learning", by_color_numpy).outcome == "right"


@pytest.mark.parametrize(
    ("answer", "tag", "words"),
    [
        (0.35, "rules.no_function", "float"),
        (lambda image: image, "rules.no_map", "whole numbers"),
        (lambda image: image.argmax(0)[:-1], "rules.no_map", r"\(63, 96\)"),
        (lambda image: None, "rules.no_map", "NoneType"),
        (lambda image: image.argmax(0) + 6, "rules.strange_labels", "8"),
        (lambda image: image[:, :64, :48].argmax(0), "rules.no_map", r"\(64, 48\)"),
        (lambda image: torch.full(image.shape[1:], 2), "rules.blind", "Two different streets"),
        (lambda image: image.argmax(0), "rules.too_low", "Class by class"),
    ],
)
def test_what_the_rules_lack_is_said(answer, tag, words):
    result = check("without_learning", answer)
    assert (result.outcome, result.mistake) == ("wrong", tag)
    assert re.search(words, result.message)


def test_the_goal_lies_between_never_looking_and_the_solution():
    seen = torch.stack([labels for _, labels in Streets(100, seed=5)])
    often = torch.stack([(seen == c).sum(0) for c in range(8)]).argmax(0)
    blind = rules.score(lambda image: often).mean_iou()
    assert round(blind, 2) == 0.29  # as the file's comment says
    assert blind < rules.GOAL - 0.04
    assert rules.score(rules.without_learning()).mean_iou() > rules.GOAL + 0.04


def test_what_the_reason_says_of_night():
    def score(settings):
        counts = rules.ConfusionMatrix(8)
        for image, labels in Streets(20, seed=3, settings=settings):
            counts.update(rules.without_learning()(image)[None], labels[None])
        return counts.iou()

    day, night = score(None), score(StreetSettings(night=1.0))
    assert day.argmax() == 4  # vegetation is its best class by day
    assert night[4] < day[4] / 2
    assert not day[6:].any()  # no person, no pole


def test_the_chapter_asks_for_what_is_checked():
    (path,) = Path(__file__).parents[2].glob("book/*/first_segmentation.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (text,) = ("".join(c["source"]) for c in cells if c["id"] == "exercise-6")
    assert f"a mean IoU of {rules.GOAL}" in text
