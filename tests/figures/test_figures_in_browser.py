"""The moving figures, moved: by mouse, by keyboard, by finger, and compared with PyTorch."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
import torch.nn.functional as F

from segtutor import figures
from segtutor.data import STREET_CLASSES, street_scene

pytestmark = pytest.mark.browser


def street_wipe():
    return figures.wipe(*street_scene((96, 144)), names=STREET_CLASSES)


def window(**settings):
    pixels = torch.arange(64).reshape(8, 8) % 10
    return figures.sliding_window(pixels, [[1, 0, -1], [2, 0, -2], [1, 3, -1]], **settings)


FIGURES = {
    "window": window,
    "field": lambda: figures.receptive_field([3, (3, 2), (3, 1, 2)]),
    "wipe": street_wipe,
}


def numbers(locator) -> list[float]:
    return [float(text.replace("−", "-")) for text in locator.all_text_contents()]


def output(figure) -> list[float]:
    return numbers(figure.locator(".result g text"))


def picture(figure, size: int) -> torch.Tensor:
    """The painted pixels of an unpadded picture, read from what the figure shows."""
    cells = figure.locator(".paint rect.cell + text")
    return torch.tensor(numbers(cells)).reshape(1, 1, size, size)


def weights(figure) -> torch.Tensor:
    values = [
        float(i.input_value().replace("−", "-")) for i in figure.locator("input.weight").all()
    ]
    side = round(len(values) ** 0.5)
    return torch.tensor(values).reshape(1, 1, side, side)


def step(figure, name: str, times: int) -> None:
    button = figure.get_by_role("button", name=f"{name}: {'more' if times > 0 else 'less'}")
    for _ in range(abs(times)):
        button.click()


def cell_center(page, figure, grid: str, row: int, column: int) -> tuple[float, float]:
    box = figure.locator(grid).bounding_box()
    _, _, width, _ = map(float, figure.locator(grid).get_attribute("viewBox").split())
    unit = box["width"] / width
    return box["x"] + (2 + 40 * column + 20) * unit, box["y"] + (2 + 40 * row + 20) * unit


# --- the sliding window


def test_many_windows_on_one_page_agree_with_pytorch(open_page):
    cases, made = [], []
    for index in range(12):
        generator = torch.Generator().manual_seed(index)
        pick = lambda low, high: int(torch.randint(low, high + 1, (1,), generator=generator))  # noqa: B023, E731
        side, settings = pick(1, 3), {"stride": pick(1, 3), "padding": pick(0, 2)}
        settings["dilation"] = pick(1, 3)
        pixels = torch.randint(0, 10, (pick(7, 10), pick(7, 10)), generator=generator)
        kernel = torch.randint(-3, 4, (side, side), generator=generator)
        cases.append(F.conv2d(pixels[None, None].float(), kernel[None, None].float(), **settings))
        made.append(figures.sliding_window(pixels, kernel, **settings))
    page = open_page(*made)
    for index, expected in enumerate(cases):
        figure = page.locator("seg-sliding-window").nth(index)
        assert output(figure) == expected.flatten().tolist()


def test_fractions_are_shown_with_two_decimals(open_page):
    pixels = torch.rand(6, 6)
    page = open_page(figures.sliding_window(pixels, torch.full((3, 3), 0.25)))
    expected = F.conv2d(pixels[None, None], torch.full((1, 1, 3, 3), 0.25)).flatten()
    shown = torch.tensor(output(page.locator("seg-sliding-window")))
    torch.testing.assert_close(shown, expected, atol=0.00501, rtol=0)


def test_buttons_change_stride_padding_and_dilation(open_page):
    page = open_page(window())
    figure = page.locator("seg-sliding-window")
    pixels, kernel = picture(figure, 8), weights(figure)
    for name, times, settings in [
        ("stride", 1, {"stride": 2}),
        ("padding", 2, {"stride": 2, "padding": 2}),
        ("dilation", 1, {"stride": 2, "padding": 2, "dilation": 2}),
        ("stride", -1, {"padding": 2, "dilation": 2}),
        ("dilation", 1, {"padding": 2, "dilation": 3}),
    ]:
        step(figure, name, times)
        assert output(figure) == F.conv2d(pixels, kernel, **settings).flatten().tolist()
    assert "⌊(8 + 2·2 − 3·(3 − 1) − 1) / 1⌋ + 1 = 6" in figure.locator(".size").text_content()


def test_a_kernel_that_does_not_fit_says_what_to_do(open_page):
    page = open_page(figures.sliding_window(torch.ones(5, 5), torch.ones(3, 3)))
    figure = page.locator("seg-sliding-window")
    step(figure, "dilation", 2)
    note = figure.locator(".note")
    assert note.is_visible()
    assert "spans 7 pixels, but the padded picture has only 5" in note.text_content()
    step(figure, "padding", 1)
    assert not note.is_visible()
    ones = torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3)
    assert output(figure) == F.conv2d(*ones, padding=1, dilation=3).flatten().tolist()


def test_the_mouse_paints(open_page):
    page = open_page(figures.sliding_window(torch.zeros(6, 6), torch.ones(3, 3)))
    figure = page.locator("seg-sliding-window")
    step(figure, "paint with", 5)
    brush = float(figure.locator('[data-step="brush"] output').text_content())
    page.mouse.move(*cell_center(page, figure, ".paint", 1, 1))
    page.mouse.down()
    page.mouse.move(*cell_center(page, figure, ".paint", 1, 4), steps=8)
    page.mouse.up()
    expected = torch.zeros(1, 1, 6, 6)
    expected[..., 1, 1:5] = brush
    assert brush == 6
    assert torch.equal(picture(figure, 6), expected)
    assert output(figure) == F.conv2d(expected, torch.ones(1, 1, 3, 3)).flatten().tolist()
    page.mouse.click(*cell_center(page, figure, ".paint", 1, 2))  # painting twice wipes
    assert picture(figure, 6)[0, 0, 1].tolist() == [0, 6, 0, 6, 6, 0]
    figure.get_by_role("button", name="start over").click()
    assert picture(figure, 6).abs().sum() == 0


def test_the_keyboard_paints_and_keeps_its_keys_to_itself(open_page):
    page = open_page(figures.sliding_window(torch.zeros(4, 4), torch.ones(2, 2)))
    page.evaluate("document.addEventListener('keydown', (e) => { window.leaked = e.key; })")
    figure = page.locator("seg-sliding-window")
    figure.locator(".paint").focus()
    for key in ["ArrowDown", "ArrowRight", "7", "ArrowRight", "2", "-", "-", "-", "ArrowDown", "+"]:
        page.keyboard.press(key)
    expected = torch.zeros(1, 1, 4, 4)
    expected[0, 0, 1, 1], expected[0, 0, 1, 2], expected[0, 0, 2, 2] = 7, -1, 1
    assert torch.equal(picture(figure, 4), expected)
    assert output(figure) == F.conv2d(expected, torch.ones(1, 1, 2, 2)).flatten().tolist()
    assert page.evaluate("window.leaked") is None


def test_the_kernel_can_be_edited_and_chosen(open_page):
    page = open_page(window())
    figure = page.locator("seg-sliding-window")
    pixels = picture(figure, 8)
    figure.locator("input.weight").nth(4).fill("-5")
    assert figure.locator("select").input_value() == "your own"
    kernel = torch.tensor([[1, 0, -1], [2, -5, -2], [1, 3, -1]]).float()[None, None]
    assert output(figure) == F.conv2d(pixels, kernel).flatten().tolist()
    figure.locator("input.weight").nth(4).fill("nonsense")
    assert figure.locator("input.weight").nth(4).get_attribute("aria-invalid") == "true"
    assert output(figure) == F.conv2d(pixels, kernel).flatten().tolist()
    figure.locator("select").select_option("blur")
    blurred = F.conv2d(pixels, torch.full((1, 1, 3, 3), 1 / 9)).flatten()
    torch.testing.assert_close(torch.tensor(output(figure)), blurred, atol=0.00501, rtol=0)
    figure.locator("select").select_option("sharpen")
    kernel = torch.tensor([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]).float()[None, None]
    assert output(figure) == F.conv2d(pixels, kernel).flatten().tolist()


def test_the_sum_is_written_out(open_page):
    page = open_page(window())
    figure = page.locator("seg-sliding-window")
    page.mouse.move(*cell_center(page, figure, ".result", 2, 3))
    patch = picture(figure, 8)[0, 0, 2:5, 3:6]
    expected = (patch * weights(figure)[0, 0]).sum().item()
    text = figure.locator(".sum").text_content()
    assert "row 2, column 3" in text
    terms = re.findall(r"(\d+)·\(?(−?\d+)\)?", text)
    assert [float(p) for p, _ in terms] == patch.flatten().tolist()
    assert sum(int(p) * int(w.replace("−", "-")) for p, w in terms) == expected
    assert text.rstrip().endswith(f"= {expected:.0f}".replace("-", "−"))
    assert "row 2, column 3" in figure.locator(".live").text_content()


def test_the_window_is_drawn_where_it_reads(open_page):
    page = open_page(window(stride=2, padding=1, dilation=2))
    figure = page.locator("seg-sliding-window")
    figure.locator(".scrub").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")  # second position: two pixels to the right
    taps = figure.locator(".paint .tap")
    places = [
        (float(t.get_attribute("x")) - 2, float(t.get_attribute("y")) - 2) for t in taps.all()
    ]
    assert places == [(40 * (2 + 2 * j), 40 * 2 * i) for i in range(3) for j in range(3)]


def test_play_runs_to_the_end_and_stops(open_page):
    page = open_page(figures.sliding_window(torch.ones(3, 3), torch.ones(2, 2)))
    figure = page.locator("seg-sliding-window")
    figure.get_by_role("button", name="first position").click()
    figure.get_by_role("button", name="play").click()
    page.wait_for_function(
        "document.querySelector('seg-sliding-window').shadowRoot.querySelector('.toggle')"
        ".getAttribute('aria-label') === 'play'",
        timeout=10_000,
    )
    assert figure.locator(".scrub").input_value() == "3"
    figure.get_by_role("button", name="step back").click()
    assert figure.locator(".scrub").input_value() == "2"
    figure.locator(".result").focus()
    page.keyboard.press("ArrowUp")
    assert figure.locator(".scrub").input_value() == "0"


# --- the receptive field


def seen_from(layers, cell: int) -> Counter:
    """Brute force: follow every path from a cell of the top layer down to the input."""
    cells = Counter([cell])
    for kernel, stride, dilation in reversed(layers):
        below = Counter()
        for position, count in cells.items():
            for tap in range(kernel):
                below[position * stride + tap * dilation] += count
        cells = below
    return cells


STACKS = [
    [(3, 1, 1), (3, 1, 1), (3, 1, 1)],
    [(3, 2, 1), (3, 1, 1), (3, 1, 1)],
    [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    [(3, 1, 2), (3, 1, 2), (3, 1, 2)],
    [(5, 3, 1), (2, 1, 3)],
    [(1, 1, 1)],
    [(2, 2, 1), (3, 1, 1), (2, 2, 1), (3, 1, 1)],
]


@pytest.mark.parametrize("layers", STACKS, ids=str)
def test_the_cone_is_the_one_that_brute_force_finds(open_page, layers):
    page = open_page(figures.receptive_field(layers))
    figure = page.locator("seg-receptive-field")
    top = figure.locator(f'rect[data-row="{len(layers)}"]')
    assert top.count() >= 3
    for cell in (0, top.count() - 1):
        top.nth(cell).hover(force=True)
        seen = seen_from(layers, cell)
        paths = figure.locator('rect[data-row="0"]')
        shown = [int(p.get_attribute("data-paths")) for p in paths.all()]
        assert shown == [seen[i] for i in range(len(shown))]
        first, last = min(seen), max(seen)
        words = figure.locator(".read").text_content()
        assert f"sees {last - first + 1} input pixel" in words
        assert (f"pixels {first} to {last}." in words) or first == last
        holes = last - first + 1 - len(seen)
        assert (f"{holes} of them" in words) == (holes > 0)
        assert figure.locator(".hole").count() == holes
    assert int(figure.locator("b.r").first.text_content()) == last - first + 1
    jump = min(seen_from(layers, 1)) - min(seen_from(layers, 0))
    assert int(figure.locator("b.j").first.text_content()) == jump


def test_layers_can_be_added_edited_and_removed(open_page):
    page = open_page(figures.receptive_field([3]))
    figure = page.locator("seg-receptive-field")

    def size():
        return int(figure.locator("b.r").first.text_content())

    assert size() == 3
    figure.get_by_role("button", name="add a layer").click()
    assert size() == 5
    figure.locator('[data-step="dilation-1"]').get_by_role("button", name="more").click()
    assert size() == 7
    page.keyboard.press("Enter")  # the pressed button has kept the focus
    assert size() == 9
    figure.locator('[data-step="stride-0"]').get_by_role("button", name="more").click()
    assert size() == 15
    figure.get_by_role("button", name="remove layer 1").click()
    assert size() == 7
    figure.locator("select").select_option("dilations 1, 2, 4")
    assert size() == 15


def test_a_field_too_wide_to_draw_still_has_its_numbers(open_page):
    page = open_page(figures.receptive_field([(7, 3, 8)] * 5))
    figure = page.locator("seg-receptive-field")
    size = 1 + sum(6 * 8 * 3**i for i in range(5))
    assert f"spans {size} pixels: too wide to draw" in figure.locator(".read").text_content()
    assert figure.locator("b.r").first.text_content() == str(size)


def test_the_keyboard_walks_through_the_layers(open_page):
    page = open_page(figures.receptive_field([3, 3]))
    figure = page.locator("seg-receptive-field")
    figure.locator("svg[tabindex]").focus()
    before = figure.locator(".read").text_content()
    page.keyboard.press("ArrowRight")
    moved = figure.locator(".read").text_content()
    page.keyboard.press("ArrowDown")
    below = figure.locator(".read").text_content()
    assert before.startswith("Layer 2")
    assert moved.startswith("Layer 2")
    assert moved != before
    assert below.startswith("Layer 1")
    assert "sees 3 input pixels" in below


# --- the wipe


def test_the_wipe_reads_the_class_under_the_pointer(open_page):
    _, labels = street_scene((96, 144))
    page = open_page(street_wipe())
    figure = page.locator("seg-wipe")
    box = figure.locator(".picture").bounding_box()
    generator = torch.Generator().manual_seed(1)
    for _ in range(40):
        y, x = (int(torch.randint(n, (1,), generator=generator)) for n in labels.shape)
        page.mouse.move(
            box["x"] + (x + 0.5) / 144 * box["width"], box["y"] + (y + 0.5) / 96 * box["height"]
        )
        label = int(labels[y, x])
        name = "void" if label == 255 else STREET_CLASSES[label]
        share = 100 * (labels == label).double().mean().item()
        words = figure.locator(".read").text_content()
        assert words.startswith(f"{label} {name}")
        assert f"{share:.1f} % of all pixels; here row {y}, column {x}" in words


def test_the_wipe_follows_mouse_and_keyboard(open_page):
    page = open_page(street_wipe())
    figure = page.locator("seg-wipe")
    clip = "document.querySelector('seg-wipe').shadowRoot.querySelector('canvas').style.clipPath"
    box = figure.locator(".picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.up()
    assert "25%" in page.evaluate(clip)
    figure.locator("input").focus()
    page.keyboard.press("ArrowRight")
    assert "26%" in page.evaluate(clip)
    before = figure.locator(".read").text_content()
    figure.locator(".picture").focus()
    page.keyboard.press("Shift+ArrowDown")
    assert figure.locator(".read").text_content() != before


def test_the_label_map_is_painted_in_its_colors_with_outlines(open_page):
    _, labels = street_scene((96, 144))
    page = open_page(street_wipe())
    shown = page.evaluate(
        "(() => { const c = document.querySelector('seg-wipe').shadowRoot.querySelector('canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; })()"
    )
    shown = torch.tensor(shown, dtype=torch.uint8).reshape(96 * 3, 144 * 3, 4)
    painted = torch.from_numpy(figures.colorize(labels))
    assert torch.equal(shown[1::3, 1::3, :3], painted)  # the middle of each pixel
    edges = labels[:, 1:] != labels[:, :-1]
    rims = shown[1::3, 2:-3:3, :3][edges].float().mean(1)  # the last column before the change
    assert (rims < 60).all()


def test_a_class_can_be_seen_alone(open_page):
    page = open_page(street_wipe())
    figure = page.locator("seg-wipe")
    button = figure.get_by_role("button", name="5 car")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


# --- all of them


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_no_page_becomes_wider_than_its_screen(open_page, kind, width):
    page = open_page(FIGURES[kind](), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", FIGURES)
def test_fingers_find_every_button(open_page, kind):
    page = open_page(FIGURES[kind](), width=360, touch=True)
    for control in page.locator("button:visible, select:visible, input:visible").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 36, control.evaluate("e => e.outerHTML")


@pytest.mark.parametrize("kind", FIGURES)
def test_every_control_has_a_name(open_page, kind):
    page = open_page(FIGURES[kind]())
    for control in page.locator("button, select, input, [tabindex]").all():
        name = control.evaluate("e => e.getAttribute('aria-label') || e.textContent.trim()")
        assert name, control.evaluate("e => e.outerHTML")


@pytest.mark.parametrize("kind", FIGURES)
def test_it_turns_dark_with_the_page(open_page, kind):
    page = open_page(FIGURES[kind](), dark=True)
    figure = page.locator("figure > :first-child")
    assert figure.get_attribute("dark") == ""
    page.evaluate(
        "document.body.style.color = '#222'; document.documentElement.dataset.theme = 'light'"
    )
    page.wait_for_function("!document.querySelector('figure > :first-child').hasAttribute('dark')")


def test_a_figure_run_twice_is_no_mistake(open_page):
    page = open_page(window(), window(), street_wipe(), street_wipe())
    first, second = page.locator("seg-sliding-window").all()
    step(first, "stride", 1)
    assert len(output(first)) == 9
    assert len(output(second)) == 36
