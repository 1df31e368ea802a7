"""VOC and Cityscapes from their true layout; tables against other people's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets
from torchvision.models.segmentation import FCN_ResNet50_Weights

from segtutor.data.formats import CITYSCAPES_CLASSES, VOC, VOC_CLASSES, Cityscapes, FileError
from segtutor.data.formats.cityscapes import CITYSCAPES_IDS
from tests.data.formats import trees


def test_voc_gives_indices_and_float_pictures(tmp_path: Path) -> None:
    data = VOC(trees.voc(tmp_path), "train")
    image, labels = data[0]
    assert (image.dtype, image.shape) == (torch.float32, (3, *trees.SIZE))
    assert image.min() >= 0
    assert 0.5 < image.max() <= 1
    assert labels.dtype == torch.int64
    assert torch.equal(labels, torch.from_numpy(trees.label_map(*range(21), 255)).long())
    assert repr(data) == "VOC(1 picture, 21 classes)"


@pytest.mark.parametrize("split", ["train", "val", "trainval"])
def test_voc_pairs_as_torchvision_does(tmp_path: Path, split: str) -> None:
    theirs = datasets.VOCSegmentation(trees.voc(tmp_path), image_set=split)
    ours = VOC(tmp_path, split)
    assert [tuple(map(str, pair)) for pair in ours.pairs] == list(
        zip(theirs.images, theirs.masks, strict=True)
    )
    for i, (image, mask) in enumerate(theirs):
        assert np.array_equal(ours[i][1], np.asarray(mask))
        assert np.array_equal(ours[i][0].permute(1, 2, 0) * 255, np.asarray(image))


def test_voc_is_found_from_every_folder_above(tmp_path: Path) -> None:
    trees.voc(tmp_path)
    places = [tmp_path, tmp_path / "VOCdevkit", tmp_path / "VOCdevkit" / "VOC2012"]
    assert len({VOC(place, "val").paths(0) for place in places}) == 1


@pytest.mark.parametrize("name", ["trainaug", "train_aug"])
def test_voc_augmented_reads_gray_indices(tmp_path: Path, name: str) -> None:
    base = trees.voc(tmp_path) / "VOCdevkit" / "VOC2012"
    trees.save(base / "SegmentationClassAug" / "2007_000032.png", trees.label_map(0, 7, 255))
    (base / "ImageSets" / "Segmentation" / f"{name}.txt").write_text("2007_000032\n")
    assert VOC(tmp_path, "trainaug")[0][1].unique().tolist() == [0, 7, 255]


def test_voc_names_are_torchvisions() -> None:
    theirs = FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"]
    assert list(VOC_CLASSES[1:]) == theirs[1:]


def test_voc_palette_is_that_of_the_development_kit() -> None:
    # The colors of person, television and contour, as every VOC picture shows them.
    colors = trees.voc_palette()[[0, 1, 15, 20, 255]].tolist()
    assert colors == [[0, 0, 0], [128, 0, 0], [192, 128, 128], [0, 64, 128], [224, 224, 192]]


def test_a_wrong_root_says_what_was_looked_for_and_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(FileError, match=r"VOCdevkit/VOC2012/JPEGImages.*this one has pictures"):
        VOC(tmp_path, "train")
    with pytest.raises(FileError, match=r"is no folder: .* has .*pictures"):
        VOC(tmp_path / "VOC", "train")
    trees.voc(tmp_path)
    with pytest.raises(FileError, match=r"has no ImageSets/Segmentation/test\.txt"):
        VOC(tmp_path, "test")


def test_missing_files_are_named_and_counted(tmp_path: Path) -> None:
    trees.voc(tmp_path)
    for name in ("2007_000032", "2007_000039"):
        (tmp_path / f"VOCdevkit/VOC2012/SegmentationClass/{name}.png").unlink()
    with pytest.raises(FileError, match=r"2007_000032\.png is not there, and 1 more are missing"):
        VOC(tmp_path, "trainval")


def test_cityscapes_ids_become_classes_as_in_torchvisions_table(tmp_path: Path) -> None:
    data = Cityscapes(trees.cityscapes(tmp_path), "train")
    assert len(data) == 4
    table = {c.id: c.train_id for c in datasets.Cityscapes.classes}
    assert len(table) == 35
    expected = [table[i] for i in range(34)]
    assert data[0][1].flatten()[:34].tolist() == expected
    names = {c.train_id: c.name for c in datasets.Cityscapes.classes if c.train_id not in (255, -1)}
    assert list(CITYSCAPES_CLASSES) == [names[i] for i in range(19)]
    assert [table[i] for i in CITYSCAPES_IDS] == list(range(19))


def test_cityscapes_pairs_as_torchvision_does(tmp_path: Path) -> None:
    theirs = datasets.Cityscapes(trees.cityscapes(tmp_path), target_type="semantic")
    expected = {(i, t[0]) for i, t in zip(theirs.images, theirs.targets, strict=True)}
    assert {tuple(map(str, pair)) for pair in Cityscapes(tmp_path).pairs} == expected


def test_cityscapes_train_ids_are_read_when_asked_for(tmp_path: Path) -> None:
    trees.cityscapes(tmp_path)
    for path in (tmp_path / "gtFine/val/lindau").glob("*_labelIds.png"):
        name = path.name.replace("labelIds", "labelTrainIds")
        trees.save(path.with_name(name), trees.label_map(0, 18, 255))
    data = Cityscapes(tmp_path, "val", train_ids=True)
    assert data[0][1].unique().tolist() == [0, 18, 255]
    assert data.instances(0).max() > 24_000
    trees.save(data.paths(0)[1], trees.label_map(19))
    with pytest.raises(FileError, match=r"labelTrainIds\.png has the values 19: only 0 to 18"):
        data[0]


def test_cityscapes_instances_leave_groups_out(tmp_path: Path) -> None:
    data = Cityscapes(trees.cityscapes(tmp_path), "val")
    things = data.instances(0)
    ids = things.unique().tolist()
    assert things.dtype == torch.int64
    assert ids == [0, *(1000 * i + 3 for i in (24, 25, 26, 27, 28, 30, 31, 32, 33))]


def test_cityscapes_test_labels_are_withheld(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="withheld"):
        Cityscapes(trees.cityscapes(tmp_path), "test")


def test_an_unknown_id_is_named(tmp_path: Path) -> None:
    data = Cityscapes(trees.cityscapes(tmp_path), "val")
    Image.fromarray(trees.label_map(7, 77, 99)).save(data.paths(1)[1])
    with pytest.raises(FileError, match=r"labelIds\.png has the values 77, 99"):
        data[1]


def test_a_transform_gets_both(tmp_path: Path) -> None:
    data = VOC(
        trees.voc(tmp_path),
        "val",
        transform=lambda image, labels: (image.flip(-1), labels.flip(-1)),
    )
    image, labels = data.read(0)
    assert torch.equal(data[0][0], image.flip(-1))
    assert torch.equal(data[0][1], labels.flip(-1))
