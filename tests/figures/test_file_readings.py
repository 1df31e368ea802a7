"""A label file, written and read: the figure's numbers are those of the libraries."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms import ToTensor

from segtutor import figures
from segtutor.figures import PALETTE
from segtutor.figures.palette import rgb

LABELS = torch.tensor(
    [
        [0, 0, 0, 0, 7, 0],
        [0, 1, 255, 4, 7, 2],
        [3, 1, 5, 5, 255, 2],
        [255, 2, 5, 6, 2, 2],
    ]
)
COLORS = np.zeros((256, 3), dtype=np.uint8)
COLORS[[*range(8), 255]] = [rgb(color) for color in PALETTE]


def in_a_file(written: str) -> Image.Image:
    labels = LABELS.numpy().astype(np.uint8)
    picture = Image.fromarray(COLORS[labels] if written == "colors" else labels)
    if written == "palette":
        picture.putpalette(COLORS.ravel().tolist())
    file = io.BytesIO()
    picture.save(file, "PNG")
    return Image.open(file)


def expected(written: str, reading: str, resized: str) -> torch.Tensor:
    file = in_a_file(written)
    stored = torch.from_numpy(np.array(file))
    values = {
        "stored": stored if stored.ndim == 2 else stored[..., 0],
        "gray": torch.from_numpy(np.array(file.convert("L"))),
        "red": torch.from_numpy(np.array(file.convert("RGB"))[..., 0]),
        "tensor": ToTensor()(file)[0].long(),
        "named": LABELS,
    }[reading].float()
    if resized == "whole":
        return values.long()
    mode = {"mode": "nearest-exact"} if resized == "nearest" else {"mode": "bilinear"}
    return F.interpolate(values[None, None], scale_factor=0.5, **mode)[0, 0].long()


@pytest.mark.browser
def test_every_setting_agrees_with_the_libraries(open_page):
    page = open_page(figures.file_readings(LABELS))
    figure = page.locator("seg-file-readings")
    for written in ("palette", "index", "colors"):
        figure.locator(".written").select_option(written)
        for reading in ("stored", "gray", "red", "tensor", "named"):
            figure.locator(".reading").select_option(reading)
            for resized in ("whole", "nearest", "bilinear"):
                figure.locator(".resized").select_option(resized)
                right = expected(written, reading, resized)
                shown = figure.locator(".found rect[data-value]").evaluate_all(
                    "all => all.map(r => +r.dataset.value)"
                )
                setting = written, reading, resized
                assert torch.tensor(shown).reshape(right.shape).equal(right), setting
                target = expected("index", "stored", "whole" if resized == "whole" else "nearest")
                judged = target != 255
                hits = int((right == target)[judged].sum())
                said = figure.locator(".read").inner_text()
                assert f"{hits} of {int(judged.sum())} judged" in said, setting
                values = re.search(r"values ([\d ]+);", said).group(1)
                assert [int(v) for v in values.split()] == right.unique().tolist()
                wrong = int((right != target).sum())
                assert figure.locator(".found rect.wrong").count() == wrong
                assert ("three planes" in said) == (
                    written == "colors" and reading in ("stored", "tensor")
                )


@pytest.mark.browser
def test_it_is_worked_by_keyboard_and_fits_a_phone(open_page):
    page = open_page(figures.file_readings(LABELS), width=360, touch=True)
    figure = page.locator("seg-file-readings")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for control in figure.locator("select").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 36
        assert control.get_attribute("aria-label")
    before = figure.locator(".read").inner_text()
    figure.locator(".reading").focus()
    page.keyboard.press("ArrowDown")
    assert figure.locator(".read").inner_text() != before
    assert figure.locator(".found").get_attribute("aria-label").count(";") == 3


def test_what_it_refuses():
    with pytest.raises(ValueError, match="5 by 4"):
        figures.file_readings(torch.zeros(5, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="contain 9"):
        figures.file_readings(torch.full((4, 4), 9))
    with pytest.raises(TypeError, match="integers"):
        figures.file_readings(torch.zeros(4, 4))


def test_the_still_picture_shows_the_numbers():
    light = figures.file_readings(LABELS).html.split("<script>")[0]
    assert light.count("<td") == LABELS.numel()
