"""Every kind of picture read as it is meant, and every fault named."""

from __future__ import annotations

import contextlib
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from segtutor.data.formats import Folder
from segtutor.data.formats.files import FileError, read_image, read_values
from tests.data.formats import trees


def png(rows: list[bytes], width: int, depth: int, color: int = 0) -> bytes:
    """A PNG of any bit depth; color 0 is gray, 2 is red, green, blue."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, len(rows), depth, color, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# ---- pictures


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm"])
def test_a_picture_comes_as_it_is(tmp_path: Path, suffix: str) -> None:
    pixels = trees.picture()
    path = trees.save(tmp_path / f"a.{suffix}", pixels, lossless=True)
    image = read_image(path)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels.astype(np.float32) / 255)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK"])
def test_other_kinds_become_three_channels(tmp_path: Path, mode: str) -> None:
    gray = Image.fromarray(trees.label_map(0, 255))
    suffix = "tif" if mode == "CMYK" else "png"
    gray.convert("RGB" if mode == "P" else mode).convert(mode).save(tmp_path / f"a.{suffix}")
    image = read_image(tmp_path / f"a.{suffix}")
    assert np.array_equal(image * 255, np.broadcast_to(trees.label_map(0, 255), (3, *trees.SIZE)))


@pytest.mark.filterwarnings("error")  # Pillow warns of such files when they become RGB at once
def test_transparency_in_a_palette_changes_no_color(tmp_path: Path) -> None:
    image = Image.fromarray(trees.label_map(0, 1))
    image.putpalette([9, 8, 7, 60, 50, 40])
    image.save(tmp_path / "a.png", transparency=b"\0\x80")
    assert (read_image(tmp_path / "a.png") * 255).flatten(1).unique(dim=1).tolist() == [
        [9, 60],
        [8, 50],
        [7, 40],
    ]


def test_sixteen_bits_of_gray_keep_their_depth(tmp_path: Path) -> None:
    gray = np.array([[0, 255, 256, 65535]], dtype=np.uint16)
    trees.save(tmp_path / "a.png", gray)
    assert np.allclose(read_image(tmp_path / "a.png")[1], gray / 65535, atol=1e-7)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_range_that_nobody_knows_is_refused(tmp_path: Path, kind: type) -> None:
    path = trees.save(tmp_path / "a.tif", np.full((2, 2), 3, dtype=kind))
    with pytest.raises(FileError, match=r"32-bit numbers.*scale it to 8 or 16 bits"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_picture_upright(tmp_path: Path, orientation: int) -> None:
    upright = trees.picture()
    # What a camera stores: the inverse of the turn that the tag asks for.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = trees.save(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif)
    assert np.array_equal(read_image(path).permute(1, 2, 0) * 255, upright)


@pytest.mark.parametrize("suffix", ["gif", "tif"])
def test_only_one_page_is_read(tmp_path: Path, suffix: str) -> None:
    pages = [Image.fromarray(trees.label_map(value)) for value in (0, 1, 2)]
    pages[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=pages[1:])
    for read in (read_image, read_values):
        with pytest.raises(FileError, match=rf"a\.{suffix} has 3 pages: save each"):
            read(tmp_path / f"a.{suffix}")


def test_a_phones_mpo_is_one_picture(tmp_path: Path) -> None:
    first, preview = (Image.fromarray(trees.picture(seed)) for seed in (0, 1))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[preview])
    first.save(tmp_path / "b.jpg")
    assert torch.equal(read_image(tmp_path / "a.jpg"), read_image(tmp_path / "b.jpg"))
    with pytest.raises(FileError, match="is a JPEG"):
        read_values(tmp_path / "a.jpg")


# ---- label maps


def test_a_palette_gives_indices_never_gray(tmp_path: Path) -> None:
    labels = trees.label_map(0, 1, 2, 3, 255)
    path = trees.save(tmp_path / "a.png", labels, "P")
    assert np.array_equal(read_values(path), labels)
    grays = np.unique(np.asarray(Image.open(path).convert("L"))).tolist()
    assert grays == [0, 38, 75, 113, 220]  # what convert("L") would have made of them


@pytest.mark.parametrize(("mode", "suffix"), [("L", "png"), ("LA", "png"), ("L", "tif")])
def test_gray_gives_its_numbers(tmp_path: Path, mode: str, suffix: str) -> None:
    labels = trees.label_map(0, 7, 255)
    Image.fromarray(labels).convert(mode).save(tmp_path / f"a.{suffix}")
    assert np.array_equal(read_values(tmp_path / f"a.{suffix}"), labels)


def test_one_bit_gives_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(trees.label_map(0, 255)).convert("1").save(tmp_path / "a.png")
    values = read_values(tmp_path / "a.png")
    assert np.array_equal(values, trees.label_map(0, 1))
    assert values.dtype == np.uint8


@pytest.mark.parametrize(("depth", "row"), [(2, b"\x1b"), (4, b"\x01\x23")])
def test_two_and_four_bits_of_gray_are_not_spread(tmp_path: Path, depth: int, row: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png([row], width=4, depth=depth))
    assert read_values(tmp_path / "a.png").tolist() == [[0, 1, 2, 3]]
    assert np.asarray(Image.open(tmp_path / "a.png")).max() > 3  # as Pillow hands them out


def test_sixteen_bits_hold_large_ids(tmp_path: Path) -> None:
    path = trees.save(tmp_path / "a.png", np.array([[0, 24_003, 65_535]], dtype=np.uint16))
    assert read_values(path).tolist() == [[0, 24_003, 65_535]]


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_jpeg_is_refused_whatever_its_name(tmp_path: Path, name: str) -> None:
    labels = (np.hypot(*np.mgrid[-32:32, -32:32]) < 17).astype(np.uint8) * 255
    trees.save(tmp_path / name, labels, format="JPEG")
    assert len(np.unique(np.asarray(Image.open(tmp_path / name)))) > 2  # two values went in
    with pytest.raises(FileError, match="is a JPEG, whose compression changes labels"):
        read_values(tmp_path / name)


def test_a_kind_that_holds_no_labels_is_refused(tmp_path: Path) -> None:
    path = trees.save(tmp_path / "a.tif", np.zeros((2, 2), dtype=np.float32))
    with pytest.raises(FileError, match=r"a\.tif is in mode F: save the labels as whole numbers"):
        read_values(path)


# ---- broken files


def broken(path: Path) -> dict[str, bytes]:
    whole = path.read_bytes()
    middle = len(whole) // 2
    return {
        "empty": b"",
        "no picture": b"hello, world" * 40,
        "cut in the header": whole[:20],
        "cut in the middle": whole[:middle],
        "a page of a web server": b"<html><body>404 Not Found</body></html>",
    }


@pytest.mark.parametrize("fault", list(broken(Path(__file__))))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_broken_file_is_named(tmp_path: Path, fault: str, suffix: str) -> None:
    path = trees.save(tmp_path / f"street 7.{suffix}", trees.picture(0, (64, 64)))
    path.write_bytes(broken(path)[fault])
    what = "is empty" if fault == "empty" else "cannot be read"
    with pytest.raises(FileError, match=rf"street 7\.{suffix} {what} .*again"):
        read_image(path)


def test_a_changed_byte_in_a_png_is_noticed(tmp_path: Path) -> None:
    path = trees.save(tmp_path / "a.png", trees.picture(0, (64, 64)))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(FileError, match=r"a\.png cannot be read"):
        read_values(path)


def test_a_missing_file_says_what_its_folder_has(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    with pytest.raises(FileError, match=r"a\.png is not there: its folder has b\.png"):
        read_image(tmp_path / "a.png")
    with pytest.raises(FileError, match="is not there: no such folder"):
        read_image(tmp_path / "c" / "a.png")


def test_a_huge_picture_is_named_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trees.save(tmp_path / "a.png", trees.picture(0, (64, 64)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(FileError, match=r"a\.png is huge.*4096 pixels.*cut it into tiles"):
        read_image(path)


def test_an_error_keeps_its_words_on_the_way_from_a_worker(tmp_path: Path) -> None:
    trees.folder(tmp_path, count=2)
    data = Folder(tmp_path / "images", tmp_path / "masks", 3)
    data.paths(1)[0].write_bytes(b"no picture")
    with pytest.raises(FileError, match=r"001\.jpg cannot be read"):
        list(DataLoader(data, num_workers=1))
    error = FileError("a.png", "is empty", "copy it again")
    assert str(error) == "a.png is empty: copy it again"
    assert error.problem == ("a.png", "is empty", "copy it again")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("size", [40, None])
def test_a_file_is_closed_after_reading(tmp_path: Path, size: int | None) -> None:
    path = trees.save(tmp_path / "a.png", trees.picture())
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FileError) if size else contextlib.nullcontext():
        read_image(path)
    assert str(path) not in [file.path for file in psutil.Process().open_files()]


def test_a_label_map_is_turned_as_its_picture_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    values = trees.label_map(*range(48))
    path = trees.save(tmp_path / "a.png", values, exif=exif)
    assert read_values(path).tolist() == np.rot90(values, -1).tolist()
    assert read_image(path).shape == (3, 8, 6)
