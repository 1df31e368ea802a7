"""A browser for the moving figures, in a thread of its own.

Playwright allows one synchronous driver for each thread, and the tests of the built book have
theirs in the main thread. So tests marked `browser` in this folder run in a second one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if pyfuncitem.get_closest_marker("browser") is None:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    WORKER.submit(pyfuncitem.obj, **arguments).result(timeout=120)
    return True


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

    def start() -> tuple[Any, Any]:
        driver = sync_api.sync_playwright().start()
        return driver, driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

    driver, browser = WORKER.submit(start).result(timeout=120)
    yield browser
    WORKER.submit(browser.close).result(timeout=60)
    WORKER.submit(driver.stop).result(timeout=60)


@pytest.fixture
def open_page(_browser: Any) -> Iterator[Any]:
    """Open figures on a bare page. To be called by the test, not by a fixture."""
    contexts, said = [], []

    def open_(*figures: Any, width: int = 1000, dark: bool = False, touch: bool = False) -> Any:
        context = _browser.new_context(
            viewport={"width": width, "height": 1000}, offline=True, has_touch=touch
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        colors = "background:#121212;color:#ddd" if dark else "background:#fff;color:#222"
        page.set_content(
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<body style="margin:16px;{colors}">{"".join(f.html for f in figures)}'
        )
        return page

    yield open_
    for context in contexts:
        WORKER.submit(context.close).result(timeout=60)
    assert said == [], f"the page complained: {said}"
