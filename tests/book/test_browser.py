"""The built book in a real browser: quiet, self-contained, readable, alive."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(page["file"] for part in TOC["parts"] for page in part["chapters"])]
NOTEBOOKS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]
DESK, LAPTOP, PHONE = (1440, 900), (1280, 800), (390, 844)
FIRST_LOAD = 1_500_000  # bytes, compressed
PACKED = {".png", ".woff", ".woff2"}  # already compressed


def compressed_size(path: Path) -> int:
    """What a server with gzip sends for a file."""
    data = path.read_bytes()
    return len(data if path.suffix in PACKED else gzip.compress(data))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_quietly_asks_no_other_host_and_is_light(visit, html: Path, name: str) -> None:
    opened = visit(f"{name}.html")
    opened.page.wait_for_load_state("networkidle")
    first = set(opened.files)
    # Then the pictures that wait until the reader comes near.
    opened.page.evaluate("""() => Promise.all([...document.images].map(image => {
        image.loading = 'eager';
        return image.decode().catch(() => null);
    }))""")
    assert not opened.said
    assert not opened.foreign
    assert not opened.failed
    assert not opened.page.evaluate("() => document.querySelectorAll('mjx-merror').length")
    broken = "() => [...document.images].filter(i => !i.naturalWidth || !i.alt).map(i => i.src)"
    assert not opened.page.evaluate(broken)
    total = sum(compressed_size(html / file) for file in first)
    later = sum(compressed_size(html / file) for file in opened.files - first)
    print(f"{name}: {total / 1000:,.0f} kB in {len(first)} files, {later / 1000:,.0f} kB later")
    assert total < FIRST_LOAD


def test_the_source_pages_open_quietly(visit, html: Path) -> None:
    listings = sorted(html.glob("_modules/**/*.html"))
    assert listings
    for path in [*listings[:3], html / "search.html"]:
        opened = visit(path.relative_to(html).as_posix(), PHONE)
        assert not opened.said + opened.foreign + opened.failed, path
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], path


WIDE = """width => [...document.querySelectorAll('.bd-article *')].filter(e => {
    if (e.getBoundingClientRect().right <= width + 1 || !e.checkVisibility()) return false;
    for (let box = e; box && !box.matches('.bd-article'); box = box.parentElement)
        if (getComputedStyle(box).overflowX !== 'visible') return false;
    return !e.closest('mjx-assistive-mml');
}).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_of_a_page(visit, name: str) -> None:
    page = visit(f"{name}.html", PHONE).page
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    for width, height in (PHONE, LAPTOP):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not page.evaluate(WIDE, width)


@pytest.mark.parametrize("name", [PAGES[0], NOTEBOOKS[-1]])
def test_the_menu_opens_on_a_phone_and_leads_on(visit, name: str) -> None:
    page = visit(f"{name}.html", PHONE).page
    entry = page.locator("nav.bd-links a", has_text="Glossary")
    assert not entry.is_visible()
    page.locator(".primary-toggle").tap()
    entry.wait_for(state="visible", timeout=3000)
    entry.tap()
    page.wait_for_url("**/glossary.html", timeout=5000)
    assert page.locator("article h1").inner_text().startswith("Glossary")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_moving_figure_greets_the_reader_above_the_fold(visit, size: tuple[int, int]) -> None:
    page = visit(f"{PAGES[0]}.html", size).page
    box = page.locator("seg-wipe .picture").bounding_box()
    seen = min(size[1], box["y"] + box["height"]) - box["y"]
    assert seen / box["height"] > 0.9, box


STATE = """figure => figure.shadowRoot.innerHTML
    + [...figure.shadowRoot.querySelectorAll('input, select')].map(i => i.value).join()"""
FIGURES = "() => [...new Set([...document.querySelectorAll('.bd-article *')].filter(e => e.shadowRoot).map(e => e.localName))]"  # noqa: E501


def touch(page, figure) -> None:
    """Drag over what the figure draws; where nothing is to be dragged, use what else it has."""
    stages = figure.locator("[role=application]:visible")
    if not stages.count():
        control = figure.locator("input[type=range], button:enabled, select").first
        if control.evaluate("control => control.localName") == "select":
            control.select_option(index=1)  # what it drops down is the system's, not the page's
            return
        box = control.bounding_box()
        # Waits until it stands still: pictures above it may still be loading.
        control.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.5})
        return
    box = stages.first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_moving_figure_moves_by_mouse_and_by_keyboard(visit, name: str) -> None:
    page = visit(f"{name}.html").page
    kinds = page.evaluate(FIGURES)
    has_exercises = "check(" in (ROOT / f"{name}.ipynb").read_text(encoding="utf-8")
    assert kinds or not has_exercises, "a chapter has a moving figure"
    assert all(kind.startswith("seg-") for kind in kinds)
    for kind in kinds:
        for figure in page.locator(kind).all():
            figure.scroll_into_view_if_needed()
            before = figure.evaluate(STATE)
            touch(page, figure)
            page.wait_for_timeout(100)
            moved = figure.evaluate(STATE)
            assert moved != before, f"{kind} does not answer to the mouse"

            # Tab into it, as a reader without a mouse does, from a link put right before it.
            figure.evaluate("""figure => {
                const link = document.createElement('a');
                link.href = '#'; link.textContent = '.';
                figure.before(link); link.focus();
            }""")
            answered = False
            for _ in range(8):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.localName") != kind:
                    break  # out at the other end
                for key in ("ArrowRight", "ArrowDown", "Space", "Escape"):
                    page.keyboard.press(key)
                page.wait_for_timeout(100)
                answered = answered or figure.evaluate(STATE) != moved
            assert answered, f"{kind} does not answer to the keyboard"


def test_search_finds_dilation(visit) -> None:
    page = visit("search.html?q=dilation").page
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    found = page.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    assert any("glossary.html" in link for link in found)
    assert any("convolution.html" in link for link in found)


def luminance(color: str) -> float:
    """Relative luminance of a computed color, after WCAG 2."""
    parts = [float(part) for part in re.findall(r"[\d.]+", color)]
    assert color.startswith("rgb"), color
    assert len(parts) == 3 or parts[3] == 1, f"{color} is not opaque"
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (part / 255 for part in parts[:3])]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLORS = """() => [...document.querySelectorAll(
    '.bd-article p, .bd-article h2, .bd-article a, .bd-article summary, .bd-article figcaption, '
  + '.bd-article li, .bd-article td, .bd-article th, .bd-article .highlight span, nav.bd-links a, '
  + '.bd-article pre, .bd-sidebar-secondary a, .bd-footer-content p, .seg-bar a'
)].filter(e => e.checkVisibility() && e.textContent.trim()).map(e => {
    let box = e, back = 'rgba(0, 0, 0, 0)';
    while (box && back === 'rgba(0, 0, 0, 0)') {
        back = getComputedStyle(box).backgroundColor; box = box.parentElement;
    }
    const prose = e.matches('.bd-article p') && !e.closest('.seg-bar, .cell_output, figcaption, details, .rubric');
    return [prose, getComputedStyle(e).color, back, e.outerHTML.slice(0, 90)];
})"""  # noqa: E501


@pytest.mark.parametrize("name", PAGES)
def test_text_stands_out_in_light_and_in_dark(visit, name: str) -> None:
    page = visit(f"{name}.html").page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        page.wait_for_timeout(300)  # the theme's own fading
        pairs = page.evaluate(COLORS)
        assert any(prose for prose, *_ in pairs)
        weak = {
            (round(contrast(ink, back), 2), ink, back, what)
            for prose, ink, back, what in pairs
            if contrast(ink, back) < (7 if prose else 4.5)
        }
        assert not weak, scheme


# A moving figure's own fallback picture is not drawn while the figure lives: it has no style.
PLATES = """() => [...document.querySelectorAll('*')]
    .flatMap(e => e.matches('img') ? [e] : [...(e.shadowRoot?.querySelectorAll('img') ?? [])])
    .filter(image => image.assignedSlot || !image.parentElement.shadowRoot)
    .map(image => getComputedStyle(image)).map(s => `${s.filter} ${s.backgroundColor}`)"""


def test_the_switch_turns_the_page_dark_and_the_page_remembers(visit) -> None:
    page = visit(f"{NOTEBOOKS[-1]}.html").page
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    switch = page.locator(".theme-switch-button").first
    for _ in range(3):  # light, dark, as the system
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
        switch.click()
    dark = page.evaluate(paper)
    assert luminance(light) > 0.8
    assert luminance(dark) < 0.05
    assert set(page.evaluate(PLATES)) == {"none rgba(0, 0, 0, 0)"}, "pictures on plates"
    page.reload()
    assert page.evaluate(paper) == dark


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_colab_link_can_be_seen_at_once(visit, name: str, size: tuple[int, int]) -> None:
    link = visit(f"{name}.html", size).page.get_by_role("link", name="Open in Colab")
    assert link.count() == 1
    box = link.bounding_box()
    assert box["y"] + box["height"] < size[1] / 2
    assert box["height"] >= 36


def test_on_paper_there_are_no_menus(visit) -> None:
    page = visit(f"{PAGES[0]}.html").page
    page.emulate_media(media="print")
    for menu in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".seg-bar"):
        assert not page.locator(menu).first.is_visible(), menu
    assert page.locator("h1").last.is_visible()
