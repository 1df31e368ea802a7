"""A training replayed: each epoch's pictures and numbers are those of the history."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
import torch

from segtutor import figures
from segtutor.metrics import ConfusionMatrix
from segtutor.training import History

NAMES = ["sky", "road", "car"]
COLORS = ["#8fddfa", "#8878b4", "#1c3b90", "#110d19"]
SIZE = (12, 18)
EPOCHS = 5
# Read from a copy: a canvas that is read often draws slower, and Chromium says so.
READ = """canvas => {
  const copy = Object.assign(document.createElement("canvas"), {width: canvas.width,
                                                                height: canvas.height});
  const pen = copy.getContext("2d", {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  return [...pen.getImageData(0, 0, copy.width, copy.height).data];
}"""


def training(epochs=EPOCHS, count=2, val=True):
    """A made-up training whose predictions grow better, and its scenes. No class 2 in the first."""
    g = torch.Generator().manual_seed(0)
    scenes = []
    for i in range(count):
        labels = (torch.arange(SIZE[0])[:, None] > 5).long().expand(SIZE).clone()
        labels[7:10, 2:6] = 2 if i else 1
        labels[-1, -3:] = 255
        scenes.append((torch.rand(3, *SIZE, generator=g), labels))
    history = History(NAMES)
    for epoch in range(1, epochs + 1):
        said = []
        for _, labels in scenes:
            noise = torch.randint(3, SIZE, generator=g)
            wrong = torch.rand(SIZE, generator=g) < 0.6 / epoch
            said.append(noise.where(wrong | (labels == 255), labels).byte())
        history.pictures.append(said)
        row = {"epoch": epoch, "train_loss": 1.5 / epoch, "learning_rate": 0.1}
        matrix = ConfusionMatrix(3)
        for each, (_, labels) in zip(said, scenes, strict=True):
            matrix.update(each.long()[None], labels[None])
        if val:
            row |= {"val_loss": 1.7 / epoch**0.5, "mean_iou": matrix.mean_iou(),
                    "iou": matrix.iou().tolist()}  # fmt: skip
        history.add(row)
    return history, scenes


def replay(**settings):
    history, scenes = training(**settings)
    return figures.training_replay(history, scenes, colors=COLORS), history, scenes


def numbers(figure) -> list[float]:
    words = figure.locator(".read").inner_text()
    return [float(x) for x in re.findall(r"\d+\.\d\d", words)]


def painted(figure, kind: str, index: int) -> torch.Tensor:
    """The colors in the middle of each pixel of a canvas, (H, W, 4)."""
    data = figure.locator(f"canvas.{kind}").nth(index).evaluate(READ)
    shown = torch.tensor(data, dtype=torch.uint8).reshape(SIZE[0] * 3, SIZE[1] * 3, 4)
    return shown[1::3, 1::3]


@pytest.mark.browser
def test_every_epoch_has_its_numbers_and_its_pictures(open_page):
    made, history, scenes = replay()
    page = open_page(made)
    figure = page.locator("seg-training-replay")
    assert figure.locator(".epoch").inner_text() == str(EPOCHS)  # it begins with the result
    figure.get_by_role("button", name="first epoch").click()
    for epoch in range(1, EPOCHS + 1):
        row = history.rows[epoch - 1]
        expected = [row["train_loss"], row["val_loss"], row["mean_iou"]]
        assert numbers(figure) == pytest.approx(expected, abs=0.0051)
        ious = [float(b) for b in figure.locator(".legend b").all_inner_texts()]
        assert ious == pytest.approx(row["iou"], abs=0.0051)
        for i, (_, labels) in enumerate(scenes):
            said = torch.from_numpy(figures.colorize(history.pictures[epoch - 1][i], COLORS))
            assert torch.equal(painted(figure, "said", i)[..., :3], said)
            truth = torch.from_numpy(figures.colorize(labels, COLORS))
            assert torch.equal(painted(figure, "true", i)[..., :3], truth)
        if epoch < EPOCHS:
            figure.get_by_role("button", name="next epoch").click()
    assert figure.get_by_role("button", name="next epoch").is_disabled()


@pytest.mark.browser
def test_the_curves_are_drawn_where_the_numbers_say(open_page):
    made, history, _ = replay()
    page = open_page(made)
    figure = page.locator("seg-training-replay")
    d = figure.locator(".ious path.curve:not(.one)").first.get_attribute("d")
    ys = [float(point.split()[1]) for point in re.split("[ML]", d)[1:]]
    floor, top = 210 - 34, 12 + 14
    expected = [floor - value * (floor - top) for value in history["mean_iou"]]
    assert ys == pytest.approx(expected, abs=0.1)
    assert figure.locator(".ious path.one").count() == 3
    box = figure.locator("svg.losses").bounding_box()
    unit = box["width"] / 340
    for epoch in (1, 4):  # the pointer jumps to an epoch, and the mark follows
        x = 34 + (epoch - 1) / (EPOCHS - 1) * (340 - 34 - 26)
        page.mouse.click(box["x"] + x * unit, box["y"] + 60 * unit)
        assert figure.locator(".epoch").inner_text() == str(epoch)
        assert float(figure.locator(".ious .dot").get_attribute("cx")) == pytest.approx(x)


@pytest.mark.browser
def test_only_what_is_wrong_stays_and_void_is_not_wrong(open_page):
    made, history, scenes = replay()
    page = open_page(made)
    figure = page.locator("seg-training-replay")
    figure.get_by_role("button", name="first epoch").click()
    figure.get_by_role("checkbox").check()
    labels, said = scenes[1][1], history.pictures[0][1].long()
    full = painted(figure, "said", 1)[..., 3] == 255
    assert torch.equal(full, (said != labels) & (labels != 255))
    assert (painted(figure, "true", 1)[..., 3] == 255).all()
    figure.get_by_role("checkbox").uncheck()
    assert (painted(figure, "said", 1)[..., 3] == 255).all()


@pytest.mark.browser
def test_one_class_can_be_followed(open_page):
    made, _, scenes = replay()
    page = open_page(made)
    figure = page.locator("seg-training-replay")
    car = figure.locator('button[data-label="2"]')
    car.click()
    assert car.get_attribute("aria-pressed") == "true"
    assert "IoU of car" in figure.locator(".ious .title").text_content()
    assert figure.locator(".ious path.chosen").count() == 1
    full = painted(figure, "true", 1)[..., 3] == 255
    assert torch.equal(full, scenes[1][1] == 2)
    car.click()
    assert figure.locator(".ious path.chosen").count() == 0


@pytest.mark.browser
def test_the_keyboard_goes_through_the_epochs_and_keeps_its_keys(open_page):
    page = open_page(replay()[0])
    page.evaluate("document.addEventListener('keydown', (e) => { window.leaked = e.key; })")
    figure = page.locator("seg-training-replay")
    figure.locator(".scrub").focus()
    for key, epoch in [("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)]:
        page.keyboard.press(key)
        assert figure.locator(".epoch").inner_text() == str(epoch)
    assert figure.locator(".scrub").get_attribute("aria-valuetext") == "epoch 2 of 5"
    assert page.evaluate("window.leaked") is None


@pytest.mark.browser
def test_it_plays_from_the_beginning_to_the_end_and_stops(open_page):
    page = open_page(replay(epochs=3)[0])
    figure = page.locator("seg-training-replay")
    figure.get_by_role("button", name="play").click()
    assert figure.locator(".epoch").inner_text() == "1"
    page.wait_for_function(
        "document.querySelector('seg-training-replay').shadowRoot.querySelector('.toggle')"
        ".getAttribute('aria-label') === 'play'",
        timeout=10_000,
    )
    assert figure.locator(".epoch").inner_text() == "3"


@pytest.mark.browser
def test_a_training_without_validation_has_losses_and_pictures(open_page):
    page = open_page(replay(val=False)[0])
    figure = page.locator("seg-training-replay")
    assert not figure.locator(".ious").is_visible()
    assert "validation" not in figure.locator(".read").inner_text()
    assert figure.locator(".legend button").first.inner_text().strip() == "0 sky"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_the_screen_and_the_finger(open_page, width, dark):
    page = open_page(replay()[0], width=width, touch=True, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.locator("seg-training-replay").get_attribute("dark") == "") == dark
    for control in page.locator("button:visible, select:visible, input:visible").all():
        box = control.locator("xpath=ancestor-or-self::label | self::*").first.bounding_box()
        assert min(box["width"], box["height"]) >= 36, control.evaluate("e => e.outerHTML")
    for control in page.locator("button, select, input, [tabindex]").all():
        name = control.evaluate("e => e.getAttribute('aria-label') || e.textContent.trim()")
        assert name, control.evaluate("e => e.outerHTML")


def given(figure) -> dict:
    return json.loads(unescape(re.search(r'data-figure="([^"]*)"', figure.html)[1]))


def test_a_class_that_never_occurs_has_no_number_instead_of_nan():
    history, scenes = training()
    for row in history.rows:
        row["iou"][2] = float("nan")
    settings = given(figures.training_replay(history, scenes, colors=COLORS))
    assert all(row[2] is None for row in settings["iou"])


def test_label_maps_are_packed_small_and_whole():
    history, scenes = training()
    settings = given(figures.training_replay(history, scenes, colors=COLORS))
    runs = [run.split("x") for run in settings["scenes"][1]["said"][3].split(" ")]
    flat = [int(label) for label, count in runs for _ in range(int(count))]
    assert torch.tensor(flat).view(SIZE).equal(history.pictures[3][1].long())


def test_what_cannot_be_replayed_is_refused():
    history, scenes = training()
    with pytest.raises(ValueError, match=r"labels has a map \(12, 18\) for a picture \(12, 17\)"):
        figures.training_replay(history, [(scenes[0][0][..., :-1], scenes[0][1])] * 2)
    small = [(image[..., :-1], labels[..., :-1]) for image, labels in scenes]
    with pytest.raises(ValueError, match=r"history.pictures has a map \(12, 18\)"):
        figures.training_replay(history, small)
    with pytest.raises(ValueError, match="colors has 2 entries for 3 names"):
        figures.training_replay(history, scenes, colors=COLORS[:2])
    history.class_names = None
    with pytest.raises(ValueError, match="give their names"):
        figures.training_replay(history, scenes)
    history.pictures = []
    with pytest.raises(ValueError, match=r"fit\(..., pictures=3\)"):
        figures.training_replay(history, scenes)
