"""Your own folder: pairs by name, values and colors by a table, every fault named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segtutor.data import inspect
from segtutor.data.formats import FileError, Folder
from segtutor.data.formats.base import decode
from tests.data.formats import trees


def own(root: Path, **settings: object) -> Folder:
    return Folder(root / "images", root / "masks", settings.pop("classes", 3), **settings)


def fill(root: Path, labels: np.ndarray, mode: str | None = None) -> Path:
    trees.folder(root, count=1)
    return trees.save(root / "masks" / "000.png", labels, mode)


# ---- pairs


ENDINGS = ["", "_mask", "_label", "_labels", "_gt", "_seg", "_segmentation", "_L"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_usual_endings_are_found(tmp_path: Path, ending: str) -> None:
    data = own(trees.folder(tmp_path, ending=ending), classes=("a", "b", "c"))
    assert [(i.name, m.name) for i, m in data.pairs] == [
        (f"{n:03}.jpg", f"{n:03}{ending}.png") for n in range(3)
    ]
    assert repr(data) == "Folder(3 pictures, 3 classes)"
    assert data.classes == ("a", "b", "c")


def test_another_ending_is_said(tmp_path: Path) -> None:
    trees.folder(tmp_path, ending=".truth")
    with pytest.raises(
        FileError, match=r"000\.jpg has no label map: .* say endings=.*2 more files|"
    ):
        own(tmp_path)
    assert len(own(tmp_path, endings=("", ".truth"))) == 3


def test_one_folder_for_both(tmp_path: Path) -> None:
    for i in range(2):
        trees.save(tmp_path / f"{i}_image.png", trees.picture(i))
        trees.save(tmp_path / f"{i}_mask.png", trees.label_map(0, 1))
    data = Folder(tmp_path, tmp_path, 2)
    assert [m.name for _, m in data.pairs] == ["0_mask.png", "1_mask.png"]


def test_masks_below_the_pictures_and_folders_within(tmp_path: Path) -> None:
    for city in ("aachen", "zurich"):  # the same name in both
        trees.save(tmp_path / city / "0.JPG", trees.picture())
        trees.save(tmp_path / "masks" / city / "0.png", trees.label_map(0, 1))
    data = Folder(tmp_path, tmp_path / "masks", 2)
    assert [[p.parent.name for p in pair] for pair in data.pairs] == [
        ["aachen"] * 2,
        ["zurich"] * 2,
    ]


def test_hidden_files_and_texts_do_not_count(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    for name in (".DS_Store", "._000.jpg", "Thumbs.db", "notes.txt"):
        (tmp_path / "images" / name).write_bytes(b"?")
    assert len(own(tmp_path)) == 3


@pytest.mark.parametrize(
    ("folder", "gone", "message"),
    [
        ("masks", "001.png", r"001\.jpg has no label map: .*masks has 000, 002"),
        ("images", "001.jpg", r"001\.png has no picture: .*images has 000, 002"),
    ],
)
def test_a_file_without_partner_is_named(
    tmp_path: Path, folder: str, gone: str, message: str
) -> None:
    (trees.folder(tmp_path) / folder / gone).unlink()
    with pytest.raises(FileError, match=message):
        own(tmp_path)


def test_a_file_with_another_ending_is_named_or_left_out_on_request(tmp_path: Path) -> None:
    trees.folder(tmp_path, ending="_mask")
    trees.save(tmp_path / "masks" / "000_color.png", trees.picture())
    with pytest.raises(FileError, match=r"000_color\.png has another ending than the rest"):
        own(tmp_path)
    assert len(own(tmp_path, endings=("", "_mask"))) == 3


def test_two_pictures_of_one_name_are_named(tmp_path: Path) -> None:
    trees.save(trees.folder(tmp_path) / "images" / "000.png", trees.picture())
    with pytest.raises(FileError, match=r"000\.png has the name of 000\.jpg: rename one"):
        own(tmp_path)


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(FileError, match=r"none has no pictures: it has nothing; known endings"):
        Folder(tmp_path / "images", tmp_path / "none", 3)
    with pytest.raises(FileError, match=r"pics is no folder: .* has images, masks, none"):
        Folder(tmp_path / "pics", tmp_path / "masks", 3)


def test_only_some_names_are_a_split(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    train, val = own(tmp_path, only=["002", "000"]), own(tmp_path, only=["001"])
    assert [i.stem for i, _ in train.pairs] == ["002", "000"]
    assert not set(train.pairs) & set(val.pairs)
    with pytest.raises(FileError, match=r"has no pair '7': it has 000, 001, 002"):
        own(tmp_path, only=["7"])


# ---- values and colors


def test_a_palette_picture_gives_indices(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(0, 1, 2, 255), "P")
    assert own(tmp_path)[0][1].unique().tolist() == [0, 1, 2, 255]


def test_black_and_white_has_to_be_explained(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(0, 255))
    with pytest.raises(FileError, match=r"hold 0 and 255 alone: .*values=\{0: 0, 255: 1\}"):
        own(tmp_path, classes=2)
    assert own(tmp_path, classes=2, values={0: 0, 255: 1})[0][1].unique().tolist() == [0, 1]
    assert own(tmp_path, classes=1, values={0: 0, 255: 255})[0][1].unique().tolist() == [0, 255]
    trees.save(tmp_path / "images" / "001.jpg", trees.picture())
    trees.save(tmp_path / "masks" / "001.png", trees.label_map(0, 1, 255))
    assert len(own(tmp_path, classes=2)) == 2  # here 255 is void indeed


def test_numbers_from_1_are_noticed_and_mapped(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(1, 2, 3))
    with pytest.raises(FileError, match=r"000\.png has the values 3: only 0 to 2 and 255"):
        own(tmp_path)[0]
    data = own(tmp_path, values={1: 0, 2: 1, 3: 2})
    assert data[0][1].flatten()[:3].tolist() == [0, 1, 2]


def test_large_ids_of_sixteen_bits_are_mapped(tmp_path: Path) -> None:
    fill(tmp_path, np.resize(np.array([7, 40_000], dtype=np.uint16), trees.SIZE))
    assert own(tmp_path, values={7: 1, 40_000: 255})[0][1].unique().tolist() == [1, 255]


@pytest.mark.parametrize("strange", [-1, 3, 2**31 - 1])
def test_numbers_of_any_size_are_noticed(strange: int) -> None:
    values = np.array([[0, 1], [2, strange]], dtype=np.int32)
    with pytest.raises(FileError, match=rf"has the values {strange}: only 0 to 2"):
        decode(values, {0: 0, 1: 1, 2: 2, 255: 255}, Path("a.tif"))


def test_colors_by_a_table(tmp_path: Path) -> None:
    # Two of these colors differ in blue alone: as numbers they look like gray.
    table = {(0, 0, 0): 0, (0, 0, 200): 1, (128, 64, 128): 2, (255, 255, 255): 255}
    colors = np.array(list(table), dtype=np.uint8)
    fill(tmp_path, colors[trees.label_map(0, 1, 2, 3)])
    expected = torch.tensor([0, 1, 2, 255])[torch.from_numpy(trees.label_map(0, 1, 2, 3)).long()]
    assert torch.equal(own(tmp_path, colors=table)[0][1], expected)
    image = Image.open(tmp_path / "masks" / "000.png")
    image.convert("RGBA").save(tmp_path / "masks" / "000.png")
    assert torch.equal(own(tmp_path, colors=table)[0][1], expected)
    image.quantize(4).save(tmp_path / "masks" / "000.png")  # the same colors, by a palette
    assert torch.equal(own(tmp_path, colors=table)[0][1], expected)


def test_colors_without_a_table_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, np.array([[[0, 0, 0], [128, 0, 0]]], dtype=np.uint8).repeat(6, 0).repeat(4, 1))
    with pytest.raises(FileError, match=r"has the colors \(0, 0, 0\), \(128, 0, 0\): say which"):
        own(tmp_path)[0]


def test_a_color_that_the_table_lacks_is_listed(tmp_path: Path) -> None:
    fill(tmp_path, trees.picture(3))
    with pytest.raises(FileError, match=r"000\.png has the colors \(.* …: add them to colors"):
        own(tmp_path, colors={(0, 0, 0): 0})[0]


def test_gray_in_three_channels_is_gray(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(0, 1, 2)[..., None].repeat(3, axis=2))
    assert own(tmp_path)[0][1].unique().tolist() == [0, 1, 2]


@pytest.mark.parametrize("table", [{"values": {0: 0, 1: 3}}, {"colors": {(0, 0, 0): -1}}])
def test_a_table_leads_to_classes(tmp_path: Path, table: dict) -> None:
    with pytest.raises(ValueError, match="with 3 classes these are 0 to 2, and 255 for void"):
        own(trees.folder(tmp_path), **table)
    with pytest.raises(ValueError, match="exclude each other"):
        own(tmp_path, values={0: 0}, colors={(0, 0, 0): 0})


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.integers(0, 65_535), st.sampled_from([*range(19), 255]), min_size=1),
    st.randoms(use_true_random=False),
)
def test_every_value_goes_where_the_table_says(table: dict[int, int], random: object) -> None:
    values = np.array(random.choices(list(table), k=35)).reshape(5, 7)
    labels = decode(values, table, Path("a.png"))
    assert labels.tolist() == [[table[value] for value in row] for row in values.tolist()]
    colors = {(value >> 8, value & 255, value % 7): label for value, label in table.items()}
    painted = np.stack([values >> 8, values & 255, values % 7], axis=-1).astype(np.uint8)
    assert torch.equal(decode(painted, colors, Path("a.png")), labels)
    strange = next(value for value in range(65_536) if value not in table)
    values[2, 3] = strange
    with pytest.raises(FileError, match=rf"has the values {strange}:"):
        decode(values, table, Path("a.png"))


# ---- sizes


def test_a_label_map_of_another_size_is_named(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(0, 1, size=(3, 4)))
    message = r"000\.png is 3 by 4 pixels, but 000\.jpg 6 by 8 .*: export it again"
    with pytest.raises(FileError, match=message):
        own(tmp_path)[0]


def test_a_label_map_on_its_side_speaks_of_exif(tmp_path: Path) -> None:
    fill(tmp_path, trees.label_map(0, 1))
    exif = Image.Exif()
    exif[0x0112] = 6
    trees.save(tmp_path / "images" / "000.jpg", trees.picture(), exif=exif)
    with pytest.raises(FileError, match=r"lies on its side.*EXIF orientation"):
        own(tmp_path)[0]
    trees.save(tmp_path / "masks" / "000.png", trees.label_map(0, 1, size=(8, 6)))
    assert own(tmp_path)[0][0].shape == (3, 8, 6)


# ---- messy folders


def test_links_are_followed_and_broken_ones_named(tmp_path: Path) -> None:
    own_root, other = trees.folder(tmp_path / "own"), trees.folder(tmp_path / "other", count=2)
    for place in ("images", "masks"):
        (own_root / place / "more").symlink_to(other / place)
        (own_root / place / "circle").symlink_to(own_root / place)
    assert len(own(own_root)) == 5
    for place in ("images", "masks"):
        (own_root / place / "lost.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(FileError, match=r"lost\.png is not there, and 1 more"):
        own(own_root)
    found = {p.what for p in inspect(own_root).problems}
    assert found == {f"is a link to {tmp_path / 'nowhere.png'}, which is not there"}


def test_hidden_folders_do_not_count(tmp_path: Path) -> None:
    hidden = trees.folder(tmp_path) / "images" / ".ipynb_checkpoints"
    trees.save(hidden / "000-checkpoint.jpg", trees.picture())
    assert len(own(tmp_path)) == 3


def test_accents_of_one_character_or_two_are_one_name(tmp_path: Path) -> None:
    trees.save(tmp_path / "images" / "\u00e9t\u00e9.jpg", trees.picture())
    trees.save(tmp_path / "masks" / "e\u0301te\u0301.png", trees.label_map(0, 1, 2))
    for name in ("\u00e9t\u00e9", "e\u0301te\u0301"):
        assert len(own(tmp_path, only=[name])) == 1


def test_white_that_is_rare_and_white_alone_have_to_be_explained(tmp_path: Path) -> None:
    trees.folder(tmp_path, count=40)
    for path in (tmp_path / "masks").iterdir():
        trees.save(path, trees.label_map(0, 255) if path.stem == "033" else trees.label_map(0))
    with pytest.raises(FileError, match="hold 0 and 255 alone"):
        own(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        trees.save(path, trees.label_map(255))
    with pytest.raises(FileError, match="hold 255 alone"):
        own(tmp_path)
    assert inspect(tmp_path).problems[0].what == "label maps hold 255 alone"


def test_values_below_0_have_their_class_and_others_none(tmp_path: Path) -> None:
    table = {-1: 255, 0: 0, 1: 1}
    values = np.array([[-1, 0, 1]], dtype=np.int32)
    assert decode(values, table, Path("a.tif")).tolist() == [[255, 0, 1]]
    for strange in (-2, 2, 10**6):
        with pytest.raises(FileError, match=rf"has the values {strange}"):
            decode(values.clip(max=0) * 0 + np.int32(strange), table, Path("a.tif"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"classes": 300}, "300 classes: 255 is void"),
        ({"classes": "road"}, "classes='road': give their names"),
        ({"classes": 0}, "classes=0"),
        ({"endings": "_mask"}, "endings='_mask': give two"),
        ({"only": []}, "only is empty"),
        ({"colors": {(0, 0): 1}}, r"colors has \(0, 0\): a color is \(r, g, b\)"),
        ({"colors": {(0, 0, 256): 1}}, r"each from 0 to 255"),
        ({"values": {"0": 1}}, "values has .* whole numbers"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, settings: dict, told: str) -> None:
    trees.folder(tmp_path)
    with pytest.raises(ValueError, match=told):
        own(tmp_path, **settings)
