"""Every fault that an inspection looks for, planted; and clean data left in peace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from segtutor.data import Streets, inspect
from segtutor.data.formats import VOC, Folder, Polygons
from segtutor.data.inspection_checks import VOC_GRAYS, fingerprint
from segtutor.data.inspection_report import PALETTE, Report
from segtutor.figures.palette import PALETTE as BOOKS
from tests.data.formats import trees


def scenes(root: Path, count: int = 6, seed: int = 0) -> Path:
    """images and masks of different scenes, without any fault."""
    data = Streets(count, seed=seed)
    for i in range(count):
        scene = data.scene(i)
        trees.save(root / "images" / f"{i}.png", scene.image.permute(1, 2, 0).numpy())
        trees.save(root / "masks" / f"{i}.png", scene.labels.numpy())
    return root


def only_problem(report: Report) -> tuple[str, str, str]:
    assert len(report.problems) == 1, str(report)
    file, what, cure = report.problems[0]
    return Path(file).name, what, cure


# ---- clean data


def test_clean_splits_have_no_problem(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "val")):
        scenes(tmp_path / split, seed=seed)
    report = inspect(tmp_path, classes=Streets(1).classes)
    assert report.problems == []
    assert {name: split.pairs for name, split in report.splits.items()} == {"train": 6, "val": 6}
    assert report.splits["train"].sizes == {(64, 96): 6}
    assert "label maps of train that look black in a viewer, and are fine: 6" in str(report)


def test_shares_leave_void_out(tmp_path: Path) -> None:
    trees.folder(tmp_path, count=1)
    report = inspect(tmp_path)
    assert torch.allclose(report.shares, torch.full((3,), 1 / 3, dtype=torch.float64))
    assert report.void == 0.25
    assert report.shares.sum() == pytest.approx(1)


def test_files_data_sets_and_tensors_count_the_same(tmp_path: Path) -> None:
    scenes(tmp_path)
    data = Folder(tmp_path / "images", tmp_path / "masks", Streets(1).classes)
    tensors = [data[i] for i in range(len(data))]
    reports = [inspect(tmp_path), inspect(tmp_path / "images", tmp_path / "masks")]
    reports += [inspect(data), inspect(tensors)]
    assert len({tuple(sorted(report.pixels.items())) for report in reports}) == 1
    assert all(report.problems == [] for report in reports)
    assert reports[2].classes == Streets(1).classes


def test_splits_below_images(tmp_path: Path) -> None:
    for split in ("train", "val"):
        trees.save(tmp_path / "images" / split / "0.png", trees.picture(len(split)))
        trees.save(tmp_path / "masks" / split / "0.png", trees.label_map(0, 1))
    assert list(inspect(tmp_path).splits) == ["train", "val"]


def test_splits_by_name(tmp_path: Path) -> None:
    folders = {split: scenes(tmp_path / split, 2, seed) for seed, split in enumerate("ab")}
    report = inspect(folders | {"c": (tmp_path / "a/images", tmp_path / "a/masks")})
    assert list(report.splits) == ["a", "b", "c"]
    assert len(report.problems) == 2  # c is a again
    assert all("is in a too, as" in problem.what for problem in report.problems)


def test_voc_is_inspected_through_its_reader(tmp_path: Path) -> None:
    trees.voc(tmp_path)
    report = inspect({split: VOC(tmp_path, split) for split in ("train", "val")})
    assert report.problems == []
    assert report.named(15) == "15 person"
    assert "val has no 1 aeroplane" in str(report)


def test_the_wrong_folder_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "stuff").mkdir()
    with pytest.raises(ValueError, match=r"has no images or .*this one has stuff"):
        inspect(tmp_path)
    with pytest.raises(TypeError, match="masks goes with a folder"):
        inspect([], masks=tmp_path)


# ---- single files


def test_broken_files_do_not_stop_the_inspection(tmp_path: Path) -> None:
    scenes(tmp_path)
    (tmp_path / "images/0.png").write_bytes((tmp_path / "images/0.png").read_bytes()[:900])
    (tmp_path / "images/1.png").write_bytes(b"")
    (tmp_path / "masks/2.png").write_bytes(b"<html>")
    report = inspect(tmp_path)
    found = {Path(file).name: what for file, what, _ in report.problems}
    assert len(report.problems) == 3
    assert "truncated" in found["0.png"]
    assert found["1.png"] == "is empty (0 bytes)"
    assert "cannot be read" in found["2.png"]
    assert report.splits["all"].maps[0] == 3


@pytest.mark.parametrize(("folder", "lacks"), [("masks", "label map"), ("images", "picture")])
def test_files_without_partner(tmp_path: Path, folder: str, lacks: str) -> None:
    (scenes(tmp_path) / folder / "4.png").unlink()
    file, what, _ = only_problem(inspect(tmp_path))
    assert (file, what) == ("4.png", f"has no {lacks}")


def test_a_size_that_does_not_fit(tmp_path: Path) -> None:
    path = scenes(tmp_path) / "masks/3.png"
    Image.open(path).resize((48, 32), Image.Resampling.NEAREST).save(path)
    file, what, cure = only_problem(inspect(tmp_path))
    assert (file, what[:25]) == ("3.png", "is 32 by 48 pixels, but 3")
    assert "nearest" in cure


def test_labels_out_of_range_are_listed(tmp_path: Path) -> None:
    path = scenes(tmp_path) / "masks/3.png"
    values = np.array(Image.open(path))
    values[0, :2] = 8, 254
    trees.save(path, values)
    file, what, _ = only_problem(inspect(tmp_path, classes=8))
    assert file == "3.png"
    assert "labels 8, 254, but with 8 classes" in what


def test_one_file_in_gray_and_one_from_1_are_told_apart(tmp_path: Path) -> None:
    scenes(tmp_path)
    palette = Image.open(tmp_path / "masks/1.png")
    palette.putpalette(trees.voc_palette().ravel().tolist())
    palette.convert("L").save(tmp_path / "masks/1.png")
    values = np.array(Image.open(tmp_path / "masks/2.png"))
    trees.save(tmp_path / "masks/2.png", np.where(values == 255, values, values + 1))
    values = np.array(Image.open(tmp_path / "masks/3.png"))
    trees.save(tmp_path / "masks/3.png", np.where(values == 6, 99, values))
    cures = {Path(file).name: cure for file, _, cure in inspect(tmp_path, classes=8).problems}
    assert list(cures) == ["1.png", "2.png", "3.png"]
    assert "grays of Pascal VOC's palette: read" in cures["1.png"]
    assert "does it count from 1? Folder(…, values={1: 0, …, 8: 7})" in cures["2.png"]
    assert cures["3.png"].startswith("map them")


def test_a_jpeg_and_what_was_one(tmp_path: Path) -> None:
    disk = (np.hypot(*np.mgrid[-32:32, -32:32]) < 17).astype(np.uint8) * 3
    for i in range(3):
        trees.save(tmp_path / f"images/{i}.png", trees.picture(i, (64, 64)))
        trees.save(tmp_path / f"masks/{i}.png", disk)
    trees.save(tmp_path / "masks/1.png", disk * 85, format="JPEG")
    smeared = np.asarray(Image.open(tmp_path / "masks/1.png"))
    trees.save(tmp_path / "masks/2.png", smeared)
    report = inspect(tmp_path)
    first, second = report.problems
    assert first.what.startswith("is a JPEG")
    assert f"has {len(np.unique(smeared))} values" in second.what
    assert set(report.pixels) == {0, 3}  # what is no label is not counted


def test_many_true_classes_are_no_jpeg(tmp_path: Path) -> None:
    for i in range(2):
        trees.save(tmp_path / f"images/{i}.png", trees.picture(i, (64, 64)))
        labels = trees.label_map(*np.arange(0, 150).repeat(20), size=(64, 64))
        trees.save(tmp_path / f"masks/{i}.png", labels)
    assert inspect(tmp_path).problems == []


def test_colors_are_counted_and_shown(tmp_path: Path) -> None:
    path = scenes(tmp_path) / "masks/3.png"
    colors = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], dtype=np.uint8)
    trees.save(path, colors[trees.label_map(0, 1, 2, size=(64, 96))])
    _, what, cure = only_problem(inspect(tmp_path))
    assert what == "is in 3 colors, such as (0, 0, 0), (0, 128, 0), (128, 0, 0)"
    assert "colors=" in cure


def test_an_exif_orientation_is_noted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    path = scenes(tmp_path) / "images/3.png"
    Image.open(path).save(path, exif=exif)
    report = inspect(tmp_path)
    assert report.problems == []
    assert "pictures of all with an EXIF orientation: 1" in str(report)


# ---- all label maps together


def save_all(root: Path, *values: int, mode: str | None = None) -> Path:
    for i in range(3):
        trees.save(root / f"images/{i}.png", trees.picture(i))
        trees.save(root / f"masks/{i}.png", trees.label_map(*values), mode)
    return root


def test_black_and_white(tmp_path: Path) -> None:
    file, what, cure = only_problem(inspect(save_all(tmp_path, 0, 255)))
    assert (file, what) == ("all", "label maps hold 0 and 255 alone")
    assert "values={0: 0, 255: 1}" in cure
    assert inspect(tmp_path, classes=1).problems == []  # one class, and void


def test_a_palette_read_as_gray(tmp_path: Path) -> None:
    save_all(tmp_path, 0, 1, 12, 15, 255, mode="P")
    assert inspect(tmp_path).problems == []
    for path in (tmp_path / "masks").iterdir():
        Image.open(path).convert("L").save(path)
    _, what, cure = only_problem(inspect(tmp_path))
    assert what == "label maps hold the grays of Pascal VOC's palette, not indices"
    assert "without convert" in cure


def test_the_grays_are_those_of_the_palette() -> None:
    colors = trees.voc_palette()[[*range(1, 21), 255]]
    assert set(np.asarray(Image.fromarray(colors[None]).convert("L")).ravel().tolist()) == VOC_GRAYS


def test_labels_from_1(tmp_path: Path) -> None:
    _, what, cure = only_problem(inspect(save_all(tmp_path, 1, 2, 3, 255)))
    assert what == "label maps hold 1 to 3, and never 0"
    assert "{1: 0, …, 3: 2}" in cure


def test_a_class_that_never_occurs(tmp_path: Path) -> None:
    classes = ("ground", "road", "pole", "car")
    _, what, _ = only_problem(inspect(save_all(tmp_path, 0, 1, 3), classes=classes))
    assert what == "label maps never have pole"


def test_a_class_that_one_split_lacks(tmp_path: Path) -> None:
    for i, (split, values) in enumerate({"train": (0, 1, 2), "val": (0, 1)}.items()):
        trees.save(tmp_path / split / "images/0.png", trees.picture(i))
        trees.save(tmp_path / split / "masks/0.png", trees.label_map(*values))
    assert "val has no 2, but other splits have" in inspect(tmp_path).notes


# ---- between splits


def test_the_same_picture_in_two_splits(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "val")):
        scenes(tmp_path / split, seed=seed)
    image = Image.open(tmp_path / "train/images/2.png")
    image.save(tmp_path / "val/images/5.png", compress_level=0)  # other bytes, the same pixels
    file, what, cure = only_problem(inspect(tmp_path))
    assert file == "5.png"
    assert what.startswith("is in train too, as")
    assert what.endswith("2.png")
    assert "one split" in cure


@pytest.mark.parametrize("how", ["jpeg", "smaller", "brighter"])
def test_nearly_the_same_picture_in_two_splits(tmp_path: Path, how: str) -> None:
    for seed, split in enumerate(("train", "val")):
        scenes(tmp_path / split, seed=seed)
    image, path = Image.open(tmp_path / "train/images/2.png"), tmp_path / "val/images/5.png"
    if how == "jpeg":
        image.save(path, format="JPEG", quality=60)
    elif how == "brighter":
        image.point(lambda value: value * 0.8 + 30).save(path)
    else:
        image.resize((72, 48)).save(path)
        trees.save(tmp_path / "val/masks/5.png", trees.label_map(0, 1, size=(48, 72)))
    file, what, _ = only_problem(inspect(tmp_path))
    assert file == "5.png"
    assert re.fullmatch(r"is nearly .*2\.png in train", what)


def test_different_scenes_are_not_near() -> None:
    data = Streets(60, seed=3)
    small = torch.stack([fingerprint(data[i][0])[1] for i in range(len(data))])
    near = (small @ small.T).fill_diagonal_(0)
    assert near.max() < 0.95


def test_flat_pictures_are_near_nothing() -> None:
    flat = [fingerprint(torch.full((3, 20, 20), gray))[1] for gray in (0.2, 0.7)]
    assert flat[0] @ flat[1] < 0.5


def test_a_picture_twice_in_one_split_is_noted(tmp_path: Path) -> None:
    image = Image.open(scenes(tmp_path) / "images/1.png")
    image.save(tmp_path / "images/2.png")
    assert "pictures that all has more than once: 1" in inspect(tmp_path).notes


# ---- foreign data sets


def test_labels_that_totensor_scaled(tmp_path: Path) -> None:
    labels = torch.from_numpy(trees.label_map(0, 1, 20)) / 255
    _, what, cure = only_problem(inspect([(torch.rand(3, 6, 8), labels)]))
    assert what == "has numbers of kind float32, 0 to 0.07843"
    assert "ToTensor" in cure


def test_labels_with_a_channel(tmp_path: Path) -> None:
    sample = torch.rand(3, 6, 8), torch.zeros(1, 6, 8, dtype=torch.int64)
    _, what, cure = only_problem(inspect([sample]))
    assert what == "has the shape (1, 6, 8)"
    assert "squeeze" in cure


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_of_any_channels(channels: int) -> None:
    report = inspect([(torch.rand(channels, 6, 8), torch.zeros(6, 8, dtype=torch.uint8))])
    assert report.problems == []
    assert "data:image" in report._repr_html_()


def test_a_picture_without_channels_is_named() -> None:
    flat = torch.rand(6, 8), torch.zeros(6, 8, dtype=torch.uint8)
    assert "shape (6, 8), not (3, H, W)" in only_problem(inspect([flat]))[1]


def test_torchvisions_own_readers(tmp_path: Path) -> None:
    trees.voc(tmp_path)
    theirs = datasets.VOCSegmentation(tmp_path, image_set="trainval")
    report, ours = inspect(theirs, classes=21), inspect(VOC(tmp_path, "trainval"))
    assert report.problems == []
    assert report.pixels == ours.pixels
    prints = [split.splits["all"].prints.values() for split in (report, ours)]
    assert [digest for digest, _ in prints[0]] == [digest for digest, _ in prints[1]]


def test_polygons(tmp_path: Path) -> None:
    trees.save(tmp_path / "a.jpg", trees.picture())
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 6, "width": 8}],
        "categories": [{"id": 1, "name": "leaf"}, {"id": 2, "name": "stem"}],
        "annotations": [
            {
                "image_id": 1,
                "category_id": 1,
                "area": 16,
                "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]],
            }
        ],
    }
    (tmp_path / "all.json").write_text(json.dumps(content))
    report = inspect(Polygons(tmp_path, tmp_path / "all.json"))
    assert only_problem(report)[1] == "label maps never have stem"
    assert report.shares[:2].tolist() == [32 / 48, 16 / 48]


def test_a_data_set_that_fails_goes_on() -> None:
    class Fails:
        classes = ("a",)

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
            if index == 1:
                raise KeyError("lost")
            return torch.rand(3, 4, 4), torch.zeros(4, 4, dtype=torch.uint8)

    report = inspect(Fails())
    file, what, _ = only_problem(report)
    assert (file, what) == ("[1]", "cannot be read (KeyError: 'lost')")
    assert report.splits["all"].maps[0] == 2


def test_labels_of_any_size_take_no_memory() -> None:
    sample = torch.rand(3, 2, 2), torch.tensor([[0, 1], [2, 10**12]])
    report = inspect([sample], classes=3)
    assert "labels 1000000000000" in only_problem(report)[1]


def test_pixels_that_are_no_numbers_are_named() -> None:
    image = torch.full((3, 2, 2), torch.nan)
    what = only_problem(inspect([(image, torch.zeros(2, 2, dtype=torch.uint8))]))[1]
    assert what == "has pixels that are no numbers (NaN, inf)"
    empty = torch.rand(3, 0, 2), torch.zeros(0, 2, dtype=torch.uint8)
    assert "shape (3, 0, 2)" in only_problem(inspect([empty]))[1]


@pytest.mark.parametrize("data", [None, [], iter(()), 5])
def test_what_is_no_data_set_is_named(data: object) -> None:
    with pytest.raises(TypeError, match=r"give a folder, or a data set of \(image, labels\)"):
        inspect(data)


# ---- the report


def test_the_text_names_files_below_the_folder_and_groups_kinds(tmp_path: Path) -> None:
    scenes(tmp_path)
    for i in (1, 2, 4):
        Image.open(tmp_path / f"masks/{i}.png").save(tmp_path / f"masks/{i}.png", format="JPEG")
    text = str(inspect(tmp_path))
    assert "- masks/1.png (and 2 more) is a JPEG" in text
    assert "3 problems" in text
    assert str(tmp_path) not in text


def test_the_page_shows_pictures_and_escapes_names(tmp_path: Path) -> None:
    scenes(tmp_path)
    (tmp_path / "images/0.png").rename(tmp_path / "images/<b>.png")
    for place in ("images", "masks"):
        (tmp_path / place / "1.png").rename(tmp_path / place / "1<u>.png")
    report = inspect(tmp_path, classes=("<i>", *Streets(1).classes[1:]))
    page = report._repr_html_()
    assert page == inspect(tmp_path, classes=report.classes)._repr_html_()
    assert page.count("data:image/bmp;base64,") == 2 * 4
    assert "&lt;b&gt;.png has no label map" in page.replace("</code>", "")
    assert "1&lt;u&gt;.png</figcaption>" in page
    assert not {"<b>.", "<u>", "<i>"} & set(re.findall("<.>[.]?", page))
    assert "&lt;i&gt;" in page
    assert all(alt for alt in re.findall(r'alt="([^"]*)"', page))
    assert "http" not in page
    assert len(page) < 400_000


def test_the_colors_are_the_books() -> None:
    assert [f"#{color}" for color in PALETTE] == list(BOOKS)


def test_nothing_is_drawn_with_before_a_page_is_asked_for() -> None:
    code = "import segtutor.data.inspection, segtutor.data.formats, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "matplotlib" not in done.stdout
