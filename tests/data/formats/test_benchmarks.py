"""ADE20K, CamVid, COCO-Stuff and Pets from their true layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

from segtutor.data.formats import (
    ADE20K,
    CAMVID_CLASSES,
    CamVid,
    Cityscapes,
    COCOStuff,
    FileError,
    Folder,
    Pets,
    color_table,
)
from tests.data.formats import trees


def test_ade20k_makes_other_void_and_counts_from_0(tmp_path: Path) -> None:
    data = ADE20K(trees.ade20k(tmp_path), "val")
    assert (len(data), len(data.classes), len(set(data.classes))) == (2, 150, 150)
    assert data[1][1].flatten()[:151].tolist() == [255, *range(150)]
    assert data.pairs == ADE20K(tmp_path, "validation").pairs
    assert data.paths(0)[1].name == "ADE_val_00000001.png"
    # Names that people know by number.
    assert {0: "wall", 12: "person", 20: "car", 126: "animal", 149: "flag"}.items() <= dict(
        enumerate(data.classes)
    ).items()


def test_ade20k_refuses_labels_reduced_twice(tmp_path: Path) -> None:
    data = ADE20K(trees.ade20k(tmp_path))
    trees.save(data.paths(0)[1], trees.label_map(0, 149, 254, size=(12, 16)))
    with pytest.raises(FileError, match=r"ADE_train_00000001\.png has the values 254"):
        data[0]


def test_ade20k_has_no_test_labels(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"has no images/testing.*images has training, validation"):
        ADE20K(trees.ade20k(tmp_path), "testing")


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_camvid_finds_files_of_another_machines_lists(tmp_path: Path, split: str) -> None:
    data = CamVid(trees.camvid(tmp_path), split)
    assert data.paths(1)[0] == tmp_path / split / "0001TP_006720.png"
    assert data[0][1].flatten()[:12].tolist() == [*range(11), 255]
    assert data.classes == CAMVID_CLASSES


def test_camvid_names_a_line_that_is_no_pair(tmp_path: Path) -> None:
    (trees.camvid(tmp_path) / "val.txt").write_text("val/0001TP_006690.png\n")
    with pytest.raises(FileError, match=r"val\.txt has the line 'val/0001TP_006690\.png'"):
        CamVid(tmp_path, "val")
    (tmp_path / "val.txt").write_text("\n")
    with pytest.raises(FileError, match="has no lines"):
        CamVid(tmp_path, "val")


def test_camvid_in_colors_is_a_folder_with_a_table(tmp_path: Path) -> None:
    table = "64 128 64\tAnimal\n192 0 128\tArchway\n0 0 0\t\tVoid\n0 128 192\tBicyclist\n"
    (tmp_path / "label_colors.txt").write_text(table)
    colors, classes = color_table(tmp_path / "label_colors.txt")
    assert colors == {(64, 128, 64): 0, (192, 0, 128): 1, (0, 0, 0): 255, (0, 128, 192): 2}
    assert classes == ["Animal", "Archway", "Bicyclist"]
    pixels = np.array([[[64, 128, 64], [0, 0, 0], [0, 128, 192]]] * 2, dtype="uint8")
    trees.save(tmp_path / "701_StillsRaw_full/0001TP_006690.png", trees.picture(0, (2, 3)))
    trees.save(tmp_path / "LabeledApproved_full/0001TP_006690_L.png", pixels)
    places = tmp_path / "701_StillsRaw_full", tmp_path / "LabeledApproved_full"
    assert Folder(*places, classes, colors=colors)[0][1].tolist() == [[0, 255, 2]] * 2
    (tmp_path / "label_colors.txt").write_text("Animal 64 128 64\n")
    with pytest.raises(FileError, match="has the line 'Animal 64 128 64'"):
        color_table(tmp_path / "label_colors.txt")


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_coco_stuff_has_171_classes(tmp_path: Path, split: str) -> None:
    data = COCOStuff(trees.coco_stuff(tmp_path), split)
    assert len(data.classes) == len(set(data.classes)) == 171
    assert data[0][1].flatten()[:172].tolist() == [*range(171), 255]


def test_coco_stuffs_things_are_those_of_torchvision(tmp_path: Path) -> None:
    data = COCOStuff(trees.coco_stuff(tmp_path))
    known = MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]  # by id, "N/A" if not drawn
    things = {label - 1: name for label, name in enumerate(known) if label and name != "N/A"}
    assert {
        value: data.classes[label] for value, label in data.table.items() if value < 91
    } == things
    assert len(things) == 80
    assert (data.classes[80], data.table[91], data.classes[-1]) == ("banner", 80, "wood")


def test_coco_stuff_is_found_where_others_unpack_it(tmp_path: Path) -> None:
    trees.coco_stuff(tmp_path)
    (tmp_path / "images/val2017").rename(tmp_path / "val2017")
    (tmp_path / "annotations").rename(tmp_path / "stuffthingmaps")
    assert len(COCOStuff(tmp_path, "val2017")) == 1


def test_coco_stuff_refuses_an_id_that_was_never_drawn(tmp_path: Path) -> None:
    data = COCOStuff(trees.coco_stuff(tmp_path))
    trees.save(data.paths(0)[1], trees.label_map(0, 11, size=(12, 16)))
    with pytest.raises(FileError, match="has the values 11"):
        data[0]


@pytest.mark.parametrize(("border", "third"), [("void", 255), ("pet", 1), ("background", 0)])
def test_pets_counts_from_0(tmp_path: Path, border: str, third: int) -> None:
    data = Pets(trees.pets(tmp_path), "test", border=border)
    assert data[0][1].flatten()[:3].tolist() == [1, 0, third]
    assert data.classes == ("background", "pet")


def test_pets_pairs_as_torchvision_does(tmp_path: Path) -> None:
    trees.pets(tmp_path / "oxford-iiit-pet")
    theirs = datasets.OxfordIIITPet(tmp_path, target_types="segmentation")
    ours = Pets(tmp_path)
    assert ours.pairs == list(zip(theirs._images, theirs._segs, strict=True))
    trimap = torch.from_numpy(np.array(theirs[0][1])).long()
    assert torch.equal(ours[0][1], torch.tensor([-1, 1, 0, 255])[trimap])


def test_pets_knows_three_borders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="border='edge' is none of void, pet, background"):
        Pets(trees.pets(tmp_path), border="edge")


def test_pets_refuses_a_list_without_its_trimap(tmp_path: Path) -> None:
    (trees.pets(tmp_path) / "annotations/trimaps/Abyssinian_100.png").unlink()
    with pytest.raises(FileError, match=r"Abyssinian_100\.png is not there: unpack"):
        Pets(tmp_path)


@pytest.mark.parametrize(
    ("tree", "read", "place"),
    [
        (trees.ade20k, lambda root: ADE20K(root, "val"), "images/validation"),
        (trees.coco_stuff, lambda root: COCOStuff(root, "val2017"), "images/val2017"),
        (trees.cityscapes, lambda root: Cityscapes(root, "val"), "leftImg8bit/val/lindau"),
    ],
)
def test_a_label_map_without_picture_is_named_and_hidden_files_are_not(
    tmp_path: Path, tree: Callable, read: Callable, place: str
) -> None:
    picture = min((tree(tmp_path) / place).iterdir())
    count = len(read(tmp_path))
    (picture.parent / f"._{picture.name}").write_bytes(b"\0\5\x16\7")
    trees.save(picture.parent / f"9{picture.name}", trees.picture())
    with pytest.raises(FileError, match=r"/9.*\.png is not there"):
        read(tmp_path)
    (picture.parent / f"9{picture.name}").unlink()
    assert len(read(tmp_path)) == count
    trees.save(picture.with_name(picture.name.replace("0", "1")), trees.picture())
    picture.rename(picture.with_suffix(picture.suffix.upper()))
    with pytest.raises(FileError, match=r"is not there"):
        read(tmp_path)


def test_lists_of_windows_and_lists_that_are_no_text(tmp_path: Path) -> None:
    listing = trees.pets(tmp_path) / "annotations/trainval.txt"
    listing.write_bytes("\ufeffAbyssinian_100 1 1 1\r\n".encode())
    assert len(Pets(tmp_path)) == 1
    listing.write_bytes("Abyssinian_100 1 1 1\n".encode("utf-16"))
    with pytest.raises(FileError, match=r"trainval\.txt cannot be read .*save it as text in UTF-8"):
        Pets(tmp_path)


def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"annotations has test\.txt, trainval\.txt, trimaps"):
        Pets(trees.pets(tmp_path), "train")


def test_a_color_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "label_colors.txt"
    path.write_text("1 2 3 A\n1 2 3 B\n")
    with pytest.raises(FileError, match=r"has the color 1 2 3 twice"):
        color_table(path)
