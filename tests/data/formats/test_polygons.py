"""COCO's polygons and run lengths against scikit-image and pycocotools' own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from segtutor.data.formats import FileError, Polygons
from segtutor.data.formats.polygons import filled, run_lengths
from tests.data.formats import trees


def coco(root: Path, things: list[dict], **changed: object) -> Path:
    trees.save(root / "images" / "a.jpg", trees.picture())
    content = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 6, "width": 8}],
        "categories": [{"id": 44, "name": "bottle"}, {"id": 3, "name": "car"}],
        "annotations": [{"image_id": 7, "area": 4, "iscrowd": 0} | thing for thing in things],
    }
    path = root / "instances.json"
    path.write_text(json.dumps(content | changed))
    return path


def square(x: float, y: float, side: float) -> list[float]:
    return [x, y, x + side, y, x + side, y + side, x, y + side]


def test_categories_by_id_small_things_on_top_crowds_void(tmp_path: Path) -> None:
    things = [
        {"category_id": 44, "area": 4, "segmentation": [square(1, 1, 2)]},
        {"category_id": 3, "area": 30, "segmentation": [square(0, 0, 5), square(6, 0, 1)]},
        {"category_id": 3, "iscrowd": 1, "segmentation": {"size": [6, 8], "counts": [42, 6]}},
    ]
    data = Polygons(tmp_path / "images", coco(tmp_path, things))
    assert data.classes == ("background", "car", "bottle")
    image, labels = data[0]
    expected = np.zeros((6, 8), dtype=int)
    expected[:5, :5] = expected[0, 6] = 1
    expected[1:3, 1:3] = 2
    expected[:, 7] = 255
    assert labels.tolist() == expected.tolist()
    assert image.shape == (3, 6, 8)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9))
def test_a_polygon_is_scikit_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = tuple(rng.integers(3, 50, 2).tolist())
    # Also corners outside of the picture, and contours that cross themselves.
    corners = rng.uniform(-0.3, 1.3, (rng.integers(3, 9), 2)) * size[::-1]
    ours = filled(corners.ravel().tolist(), size)
    theirs = polygon2mask(size, corners[:, ::-1] - 0.5)
    assert np.array_equal(ours, theirs)


def test_compressed_run_lengths_are_pycocotools() -> None:
    # Written by pycocotools 2.0.11: a square, and one pixel, in 70 rows and 9 columns.
    mask = np.zeros((70, 9), dtype=bool)
    mask[40:50, 2:7] = mask[3, 3] = True
    for counts in ("d5:g0G=9h000000T3", b"d5:g0G=9h000000T3"):
        assert np.array_equal(run_lengths({"size": [70, 9], "counts": counts}), mask)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9))
def test_run_lengths_come_back_plain_and_compressed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 60, 2)) < rng.random() ** 2
    flat = np.r_[False, mask.T.ravel()]
    counts = np.diff(np.r_[0, np.flatnonzero(flat[1:] != flat[:-1]), mask.size]).tolist()
    size = list(mask.shape)
    assert np.array_equal(run_lengths({"size": size, "counts": counts}), mask)
    assert np.array_equal(run_lengths({"size": size, "counts": compressed(counts)}), mask)


def compressed(counts: list[int]) -> str:
    """Write run lengths as COCO's maskApi.c does."""
    text = ""
    for i, count in enumerate(counts):
        value, more = count - (counts[i - 2] if i > 2 else 0), True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return text


def test_run_lengths_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"have 5 pixels, but size=\(2, 3\)"):
        run_lengths({"size": [2, 3], "counts": [1, 4]})


@pytest.mark.parametrize("missing", ["images", "categories", "annotations"])
def test_another_json_is_named(tmp_path: Path, missing: str) -> None:
    path = coco(tmp_path, [], **{missing: [{"name": "x"}]})
    with pytest.raises(FileError, match=r"instances\.json is no COCO JSON of instances"):
        Polygons(tmp_path / "images", path)
    path.write_text("[")
    with pytest.raises(FileError, match=r"instances\.json is no COCO JSON of instances"):
        Polygons(tmp_path / "images", path)


def test_a_category_nobody_declared_is_named(tmp_path: Path) -> None:
    path = coco(tmp_path, [{"category_id": 5, "segmentation": [square(0, 0, 2)]}])
    with pytest.raises(FileError, match=r"image_id 7 and category_id 5, but one is not listed"):
        Polygons(tmp_path / "images", path)


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    path = coco(tmp_path, [])
    trees.save(tmp_path / "images" / "a.jpg", trees.picture(0, (8, 6)))
    with pytest.raises(FileError, match=r"is 6 by 8 pixels, but a\.jpg 8 by 6.*lies on its side"):
        Polygons(tmp_path / "images", path)[0]


@pytest.mark.parametrize(
    ("segmentation", "told"),
    [
        ([], "no polygon with three corners"),
        ([[1, 1, 4, 4]], "no polygon with three corners"),
        ([[1, 1, 4, 4, 1, float("nan")]], "no finite numbers"),
        ([[1, 1, 4, 4, 1, 3, 2]], "cannot reshape"),
        ([["a", 1, 4, 4, 1, 3]], "could not convert"),
        (None, "not iterable"),
        ({"size": [8, 6], "counts": [40, 8]}, r"of size \(8, 6\), but the picture has \(6, 8\)"),
        ({"size": [6, 8], "counts": [40]}, "have 40 pixels"),
        ({"size": [6, 8]}, "counts"),
    ],
)
def test_what_cannot_be_drawn_is_named(tmp_path: Path, segmentation: object, told: str) -> None:
    thing = {"id": 9, "category_id": 3, "segmentation": segmentation}
    data = Polygons(tmp_path / "images", coco(tmp_path, [thing]))
    with pytest.raises(FileError, match=rf"instances\.json has .* id 9 of a\.jpg \(.*{told}"):
        data[0]


def test_an_id_twice_and_a_mark_of_windows(tmp_path: Path) -> None:
    path = coco(tmp_path, [])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(Polygons(tmp_path / "images", path)) == 1
    for twice in ("images", "categories"):
        content = json.loads(coco(tmp_path, []).read_text())
        path = coco(tmp_path, [], **{twice: content[twice] * 2})
        with pytest.raises(FileError, match="the same id"):
            Polygons(tmp_path / "images", path)


def test_corners_outside_the_picture(tmp_path: Path) -> None:
    far = [[-1e9, -1e9, 1e9, -1e9, 1e9, 3, -1e9, 3], [100, 100, 200, 100, 200, 200]]
    path = coco(tmp_path, [{"category_id": 3, "segmentation": far}])
    _, labels = Polygons(tmp_path / "images", path)[0]
    assert labels.tolist() == [[1] * 8] * 3 + [[0] * 8] * 3
