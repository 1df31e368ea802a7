"""The built book, built once: fresh, strictly, and without the libraries that it may not need."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

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
def chromium() -> Iterator[object]:
    """A headless Chromium with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        # Playwright gives each launch a fresh --user-data-dir.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
