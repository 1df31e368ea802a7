"""Labels read in other styles are right; what learners hand in gets a fitting word."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segtutor.data.formats.polygons import run_lengths
from segtutor.exercises import check
from segtutor.exercises.data import fair_split as split
from segtutor.exercises.data.diagnosis import FILES
from segtutor.exercises.data.runs_by_hand import MASK

RIGHT = [number for _, number in FILES]


def colors_by_code(colors, table):
    weights = torch.tensor([65536, 256, 1])
    codes = (colors.long() * weights).sum(-1)
    lut = torch.full((1 << 24,), 255)
    lut[(torch.tensor(table) * weights).sum(-1)] = torch.arange(len(table))
    return lut[codes]


def colors_loops(colors, table):
    h, w, _ = colors.shape
    out = torch.zeros(h, w, dtype=torch.long)
    for y in range(h):
        for x in range(w):
            rgb = tuple(colors[y, x].tolist())
            out[y, x] = table.index(rgb) if rgb in table else 255
    return out


def colors_numpy(colors, table):
    colors, labels = colors.numpy(), np.full(colors.shape[:2], 255, dtype=np.int64)
    for k, c in enumerate(table):
        labels[np.all(colors == c, axis=-1)] = k
    return labels


def colors_planes(colors, table):
    r, g, b = colors.unbind(-1)
    labels = torch.full(r.shape, 255, dtype=torch.uint8)
    for k, (x, y, z) in enumerate(table):
        labels[(r == x) & (g == y) & (b == z)] = k
    return labels


def colors_argmax(colors, table):
    fits = (colors.long()[..., None, :] == torch.tensor(table)).all(-1)
    return torch.where(fits.any(-1), fits.int().argmax(-1), 255)


def ids_shifted_lut(ids, table):
    lut = torch.full((max(int(ids.max()), *table) + 2,), 255)
    for k, v in table.items():
        lut[k + 1] = v
    return lut[ids + 1]


def ids_dict_get(ids, table):
    return [[table.get(i, 255) for i in row] for row in ids.tolist()]


def ids_numpy_vectorize(ids, table):
    return np.vectorize(lambda i: table.get(int(i), 255))(ids.numpy())


def ids_searchsorted(ids, table):
    keys, order = torch.tensor(list(table)).sort()
    values = torch.tensor(list(table.values()))[order]
    place = torch.searchsorted(keys, ids).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == ids, values[place], 255)


def shares_one_by_one(maps, num_classes):
    total = sum(int((m != 255).sum()) for m in maps)
    return [sum(int((m == k).sum()) for m in maps) / total for k in range(num_classes)]


def shares_concatenated(maps, num_classes):
    flat = torch.cat([m.flatten() for m in maps])
    return torch.bincount(flat, minlength=256)[:num_classes] / (flat != 255).sum()


def shares_numpy(maps, num_classes):
    flat = np.concatenate([m.numpy().ravel() for m in maps])
    counts, _ = np.histogram(flat, bins=num_classes, range=(0, num_classes))
    return counts / counts.sum()


def statistics_flat(images):
    flat = torch.cat([i.reshape(3, -1) for i in images], dim=1)
    return torch.stack([flat.mean(1), flat.std(1, correction=0)])


def statistics_numpy(images):
    flat = np.concatenate([i.numpy().reshape(3, -1) for i in images], axis=1)
    return np.stack([flat.mean(1), flat.std(1)])


def statistics_as_lists(images):
    return statistics_flat(images).tolist()


def statistics_two_passes(images):
    n = sum(i.shape[1] * i.shape[2] for i in images)
    mean = sum(i.sum((1, 2)) for i in images) / n
    var = sum(((i - mean[:, None, None]) ** 2).sum((1, 2)) for i in images) / n
    return torch.stack((mean, var**0.5))


def statistics_within_and_between(images):
    n = torch.tensor([float(i[0].numel()) for i in images])
    share = (n / n.sum())[:, None]
    means = torch.stack([i.mean((1, 2)) for i in images])
    variances = torch.stack([i.var((1, 2), correction=0) for i in images])
    mean = (share * means).sum(0)
    return torch.stack([mean, (share * (variances + (means - mean) ** 2)).sum(0).sqrt()])


STYLES = {
    "runs_by_hand": [
        [0, 2, 3, 2, 1, 3, 7, 2],
        (0, 2, 3, 2, 1, 3, 7, 2),
        np.array([0, 2, 3, 2, 1, 3, 7, 2]),
        torch.tensor([0, 2, 3, 2, 1, 3, 7, 2]),
    ],
    "diagnosis": [RIGHT, tuple(RIGHT), np.array(RIGHT)],
    "colors_to_labels": [
        colors_by_code,
        colors_loops,
        colors_numpy,
        colors_planes,
        colors_argmax,
    ],
    "train_ids": [ids_shifted_lut, ids_dict_get, ids_numpy_vectorize, ids_searchsorted],
    "class_shares": [shares_one_by_one, shares_concatenated, shares_numpy],
    "channel_statistics": [
        statistics_flat,
        statistics_numpy,
        statistics_as_lists,
        statistics_two_passes,
        statistics_within_and_between,
    ],
    "fair_split": [
        split.of_cities("bremen", "aachen"),
        tuple(split.of_cities("aachen", "bremen")),
        set(split.of_cities("aachen", "bremen")),
        split.of_cities("aachen", "bremen")[::-1],
        split.of_cities("aachen", "ulm"),
        split.of_cities("bremen", "trier", "weimar"),
    ],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


def statistics_torch_default(images):
    flat = torch.cat([i.flatten(1) for i in images], 1)
    return torch.stack([flat.mean(1), flat.std(1)])


def test_the_sample_standard_deviation_is_accepted_and_told_so():
    result = check("channel_statistics", statistics_torch_default)
    assert result.outcome == "right"
    assert "one less than the number of pixels" in result.message


def colors_code_in_bytes(colors, table):
    """The code of a color computed in uint8: only blue is left."""
    weights = torch.tensor([65536, 256, 1])
    codes = (colors * weights.to(torch.uint8)).sum(-1).to(torch.uint8)
    labels = torch.full(colors.shape[:2], 255)
    for k, color in enumerate(table):
        labels[codes == color[2]] = k
    return labels


def colors_all_of_the_picture(colors, table):
    labels = torch.full(colors.shape[:2], 255)
    for k, color in enumerate(table):
        labels[(colors == torch.tensor(color)).all()] = k
    return labels


def colors_tensors_in_a_dict(colors, table):
    classes = {color: k for k, color in enumerate(table)}
    return [[classes.get(tuple(pixel), 255) for pixel in row] for row in colors]


def ids_lut_as_seen_in_tutorials(ids, table):
    lut = np.full(max(34, *[k + 1 for k in table]), 255)
    for k, v in table.items():
        lut[k] = v
    return lut[ids.numpy()]


def ids_lut_that_fits(ids, table):
    lut = torch.full((int(ids.max()) + 1,), 255)
    lut[list(table)] = torch.tensor(list(table.values()))
    return lut[ids]


def ids_in_place(ids, table):
    ids = ids.clone()
    for k, v in table.items():
        ids[ids == k] = v
    return ids


def shares_of_numel(maps, num_classes):
    total = sum(m.numel() for m in maps)
    return torch.stack([sum((m == k).sum() for m in maps) for k in range(num_classes)]) / total


def shares_map_by_map(maps, num_classes):
    counts = torch.stack([torch.bincount(m[m != 255], minlength=num_classes) for m in maps])
    return (counts / counts.sum(1, keepdim=True)).mean(0)


def statistics_with_the_default_std(images):
    mean = torch.stack([i.mean((1, 2)) for i in images]).mean(0)
    return torch.stack([mean, torch.stack([i.std((1, 2)) for i in images]).mean(0)])


def statistics_as_often_copied(images):
    mean = torch.stack([i.mean((1, 2)) for i in images]).mean(0)
    std = torch.stack([i.std((1, 2), correction=0) for i in images]).mean(0)
    return torch.stack([mean, std])


ATTEMPTS = [
    ("runs_by_hand", [2, 3, 2, 1, 3, 7, 2], "runs.ones_first"),
    ("runs_by_hand", [2, 2, 3, 2], "runs.only_ones"),
    ("runs_by_hand", [0, 2, 3, 2, 1, 3, 6, 2], None),
    ("diagnosis", [0, 2, 0, 4, 3, 1, 7, 6, 0], "diagnosis.ring"),
    ("diagnosis", [0] * 9, None),
    ("colors_to_labels", colors_code_in_bytes, "colors.blue_alone"),
    ("colors_to_labels", lambda c, t: colors_numpy(c, t) % 255, "colors.unknown_0"),
    ("train_ids", ids_lut_as_seen_in_tutorials, "ids.minus_1_of_34"),
    ("train_ids", ids_lut_that_fits, "ids.minus_1"),
    ("train_ids", ids_in_place, "ids.cascade_and_kept"),
    ("train_ids", lambda i, t: [[t.get(v, 255) for v in row] for row in i], "ids.all_void"),
    ("colors_to_labels", colors_all_of_the_picture, "colors.all_void"),
    ("colors_to_labels", colors_tensors_in_a_dict, "colors.all_void"),
    ("class_shares", shares_map_by_map, "shares.mean_of_shares_nan"),
    ("channel_statistics", statistics_with_the_default_std, "statistics.means_of_both_sample"),
    ("class_shares", shares_of_numel, "shares.of_all_pixels"),
    ("class_shares", lambda m, n: shares_concatenated(m, n) * 100, "shares.percent"),
    ("channel_statistics", statistics_as_often_copied, "statistics.means_of_both"),
    ("channel_statistics", lambda i: statistics_flat(i) * 255, "statistics.bytes"),
    ("fair_split", split.of_cities("trier", "weimar"), "split.without_a_class"),
    ("fair_split", split.of_cities("bremen", "weimar"), "split.copies_apart"),
    ("fair_split", list(split.NAMES[:7]), "split.torn_city"),
    ("fair_split", list(split.NAMES), "split.size"),
    ("fair_split", ["aachen_1"] * 6, "split.not_names"),
    ("fair_split", 0.2, "split.not_names"),
    ("fair_split", [], "split.size"),
    ("fair_split", ["aachen", "bremen"], "split.not_names"),
]


@pytest.mark.parametrize(
    ("name", "attempt", "tag"), ATTEMPTS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(ATTEMPTS)]
)
def test_what_learners_hand_in(name, attempt, tag):
    result = check(name, attempt)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_the_run_lengths_are_those_that_the_reader_of_coco_reads():
    mask = run_lengths({"size": [4, 5], "counts": [0, 2, 3, 2, 1, 3, 7, 2]})
    assert mask.astype(int).tolist() == [list(row) for row in MASK]


def test_every_fair_split_of_whole_cities_by_brute_force():
    """The checker's verdict on all 128 choices of cities, against the rules said once more."""
    cities = list(split.CITIES)
    fair = 0
    for code in range(1 << len(cities)):
        chosen = {city for i, city in enumerate(cities) if code >> i & 1}
        names = split.of_cities(*chosen)
        kinds = [{c for c in cities if kind in split.CITIES[c][1]} for kind in ("tram", "bicycle")]
        expected = (
            6 <= len(names) <= 10
            and all(0 < len(kind & chosen) < len(kind) for kind in kinds)
            and ("trier" in chosen) == ("weimar" in chosen)
        )
        assert (check("fair_split", names).outcome == "right") == expected, chosen
        fair += expected
    assert fair == 3  # an open question has more than one answer
