"""The built book, built once: fresh, strictly, and without the libraries that it may not need."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
# A machine that builds the book has none of these; importing one here raises.
NOT_NEEDED = ("torch", "torchvision", "matplotlib", "ipywidgets", "numpy")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of built pages."""
    if importlib.util.find_spec("jupyter_book") is None:
        pytest.skip("jupyter-book is not installed (pip install -e '.[book]')")
    folder = tmp_path_factory.mktemp("book")
    for name in NOT_NEEDED:
        stub = folder / "absent" / name / "__init__.py"
        stub.parent.mkdir(parents=True)
        stub.write_text(f"raise ImportError('building the book must not need {name}')\n")
    main = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", main, "build", "-W", "--keep-going", "-n"]
    done = subprocess.run(
        [*command, "--path-output", str(folder), str(ROOT)],
        env={**os.environ, "PYTHONPATH": str(folder / "absent"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"the book does not build:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """The address of the built pages, served from this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        # Playwright gives each launch a fresh --user-data-dir.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One opened page and everything that happened while it loaded."""

    page: Any
    said: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)


@pytest.fixture
def visit(chromium: Any, site: str) -> Iterator[Callable[..., Visit]]:
    """Open a page of the book in a fresh browser context; contexts are closed at the end."""
    contexts = []

    def open_page(name: str, size: tuple[int, int] = (1280, 800), scheme: str = "light") -> Visit:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            has_touch=size[0] < 768,
        )
        contexts.append(context)
        visit = Visit(context.new_page())

        def arrived(response: Any) -> None:
            if response.status >= 400:
                visit.failed.append(f"{response.status} {response.url}")
            elif response.url.startswith(site):
                visit.files.add(unquote(urlsplit(response.url).path).lstrip("/"))

        def asked(request: Any) -> None:
            if not request.url.startswith((site, "data:", "blob:")):
                visit.foreign.append(request.url)

        def said(message: Any) -> None:
            if message.type in ("error", "warning"):
                visit.said.append(message.text)

        visit.page.on("response", arrived)
        visit.page.on("request", asked)
        visit.page.on("console", said)
        visit.page.on("pageerror", lambda error: visit.said.append(str(error)))
        visit.page.goto(site + name, wait_until="load")
        visit.page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")
        return visit

    yield open_page
    for context in contexts:
        context.close()
