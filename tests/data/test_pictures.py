from __future__ import annotations

import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from segtutor.data.formats.polygons import Polygons, filled
from segtutor.data.pictures import REAL_PICTURES, real_picture, real_polygons

FOLDER = Path(str(resources.files("segtutor.data"))) / "pictures"
pictures = pytest.mark.parametrize("name", REAL_PICTURES)


def drawn(name: str) -> torch.Tensor:
    """The label map as its polygons say, without the void along the contours."""
    content = real_polygons(name)
    (image,) = content["images"]
    size = image["height"], image["width"]
    labels = torch.full(size, 255)
    for thing in content["annotations"]:
        label = 255 if thing["iscrowd"] else thing["category_id"] - 1
        (polygon,) = thing["segmentation"]
        labels[torch.from_numpy(filled(polygon, size))] = label
    return labels


@pictures
def test_picture_and_label_map_fit(name):
    image, labels = real_picture(name)
    assert image.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert image.shape == (3, *labels.shape)
    assert 0 <= image.min() < 0.1
    assert 0.8 < image.max() <= 1
    assert set(labels.unique().tolist()) == {*range(len(REAL_PICTURES[name])), 255}
    assert real_picture(name)[1].equal(labels)


@pictures
def test_the_label_map_is_its_polygons_with_void_contours(name):
    plain = drawn(name)
    values = plain[None].double()
    contour = F.max_pool2d(values, 3, 1, 1) != -F.max_pool2d(-values, 3, 1, 1)
    assert real_picture(name)[1].equal(plain.masked_fill(contour[0], 255))


@pictures
def test_the_reader_of_coco_polygons_reads_them_too(name):
    data = Polygons(FOLDER, FOLDER / f"{name}.json")
    assert data.classes == ("background", *REAL_PICTURES[name])
    image, labels = data[0]
    judged = labels != 255
    assert torch.equal(labels[judged] - 1, drawn(name)[judged])
    assert torch.allclose(image, real_picture(name)[0])


@pictures
def test_boxes_and_areas_are_those_of_the_polygons(name):
    content = real_polygons(name)
    areas = [thing["area"] for thing in content["annotations"]]
    assert areas == sorted(areas, reverse=True)
    for thing in content["annotations"]:
        x, y = np.reshape(thing["segmentation"][0], (-1, 2)).T
        shoelace = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert thing["area"] == pytest.approx(shoelace, abs=0.06)
        assert thing["bbox"] == pytest.approx([x.min(), y.min(), np.ptp(x), np.ptp(y)])


@pictures
def test_contours_lie_where_the_picture_changes(name):
    """Colors change more along the contours than elsewhere: the map belongs to its picture."""
    image, _ = real_picture(name)
    plain = drawn(name)
    contour = (plain[:, 1:] != plain[:, :-1]) & (plain[:, 1:] < 255) & (plain[:, :-1] < 255)

    def change(image):
        """How much the colors left and right of each edge between two columns differ."""
        means = F.avg_pool2d(image, 5, 1, 2)
        return (means[:, :, 6:] - means[:, :, 1:-5]).abs().sum(0)

    inner = contour[:, 3:-2]
    fitting = change(image)[inner].mean()
    assert fitting > 1.8 * change(image)[~inner].mean()
    # And more than under a contour that belongs somewhere else.
    for moved in (image.flip(2), image.roll(6, dims=2), image.roll(-6, dims=2)):
        assert fitting > 1.1 * change(moved)[inner].mean()


@pictures
def test_label_files_are_palette_pictures(name):
    with Image.open(FOLDER / f"{name}.png") as file:
        assert file.mode == "P"


def test_every_file_has_a_line_of_provenance():
    text = (FOLDER / "README.md").read_text()
    names = {path.stem for path in FOLDER.iterdir()} - {"README"}
    assert names == set(REAL_PICTURES)
    for name in names:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert "CC" in line or "public domain" in line
        assert sum(path.stem == name for path in FOLDER.iterdir()) == 3
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 400_000


def test_an_unknown_name():
    for read in (real_picture, real_polygons):
        with pytest.raises(ValueError, match="temple, mountain, coffee, astronaut, cat"):
            read("dog")


@pytest.mark.slow
def test_the_pictures_are_in_the_wheel(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(iter(WheelBuilder(str(FOLDER.parents[2])).build(directory=str(tmp_path))))
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(n).name for n in archive.namelist() if "/data/pictures/" in n}
    assert packed == {path.name for path in FOLDER.iterdir()}
