"""Draw the cover: the picture that stands beside a shared link, and the small icon.

    python book/_ext/draw_cover.py

It needs the package and a Chromium, and writes `book/_static/social.png` (1200×630) and
`book/_static/favicon.png`. The scene, the colors, the type and the mark are the book's own.
"""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from torch import Tensor

from segtutor.data import street_scene
from segtutor.figures import colorize

STATIC = Path(__file__).parents[1] / "_static"
WIDTH, HEIGHT = 1200, 630
# The picture fills the right side; the label map comes in on a slant.
COVER = """
<style>
  @font-face {{ font-family: BookSans; src: url({sans}); font-weight: 200 900; }}
  @font-face {{ font-family: BookSerif; src: url({serif}); font-weight: 200 900; }}
  body {{ margin: 0; width: {width}px; height: {height}px; background: #12171b; color: #e4e7e6; }}
  img.half {{ position: absolute; right: 0; top: 0; height: 630px; width: 945px; }}
  img.labels {{ clip-path: polygon(64% 0, 100% 0, 100% 100%, 46% 100%); }}
  svg {{ position: absolute; inset: 0; }}
  .fade {{ position: absolute; inset: 0;
           background: linear-gradient(90deg, #12171b 27%, #12171bd0 43%, #12171b00 62%); }}
  .words {{ position: absolute; left: 64px; top: 74px; width: 480px; }}
  .words img {{ width: 300px; }}
  h1 {{ font: 700 60px/1.08 BookSans; letter-spacing: -0.02em; margin: 92px 0 26px; }}
  p {{ font: 400 28px/1.4 BookSerif; margin: 0; color: #cfd5d4; }}
</style>
<img class="half" src="{picture}"><img class="half labels" src="{labels}">
<svg width="{width}" height="{height}">
  <line x1="859.8" y1="0" x2="689.7" y2="630" stroke="#fff" stroke-width="4" /></svg>
<div class="fade"></div>
<div class="words"><img src="{logo}">
  <h1>Segmentation from the pixel up</h1>
  <p>Every picture, number and line of code is run and checked.</p></div>
"""
ICON = '<body style="margin: 0"><img style="display: block; width: 64px" src="{icon}">'


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as an address that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def png(array: Tensor) -> str:
    """A (H, W, 3) uint8 array, three pixels for each of its own, as a data URI."""
    picture, file = Image.fromarray(array), io.BytesIO()
    size = (3 * picture.width, 3 * picture.height)
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "PNG")
    return data_uri(file.getvalue(), "image/png")


def main() -> None:
    """Write the two pictures."""
    image, labels = street_scene((210, 315))
    font = (STATIC / "fonts").joinpath
    cover = COVER.format(
        width=WIDTH,
        height=HEIGHT,
        picture=png((image.permute(1, 2, 0) * 255).round().byte().numpy()),
        labels=png(colorize(labels)),
        logo=data_uri((STATIC / "logo-dark.svg").read_bytes(), "image/svg+xml"),
        sans=data_uri(font("source-sans-3-latin-wght-normal.woff2").read_bytes(), "font/woff2"),
        serif=data_uri(font("source-serif-4-latin-wght-normal.woff2").read_bytes(), "font/woff2"),
    )
    icon = ICON.format(icon=data_uri((STATIC / "favicon.svg").read_bytes(), "image/svg+xml"))
    jobs = [(cover, (WIDTH, HEIGHT), "social.png"), (icon, (64, 64), "favicon.png")]
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for source, (width, height), name in jobs:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_content(source, wait_until="networkidle")
            page.screenshot(path=STATIC / name, omit_background=name == "favicon.png")
            print(f"{name}: {(STATIC / name).stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
