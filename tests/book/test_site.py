"""What the built pages refer to, and what the build refuses."""

from __future__ import annotations

import importlib.util
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
URLS = dict(re.findall(r'^(Repository|Documentation) = "(.+)"$', PROJECT, re.MULTILINE))


def pages_in_toc() -> list[str]:
    """The pages that the table of contents names, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *files]


class Page(HTMLParser):
    """Collects what one built page loads, links to, and can be linked at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.images: list[dict[str, str | None]] = []
        self.metas: dict[str, str] = {}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for value in (given.get("id"), given.get("name")) if value}
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag == "link" and given.get("rel") != "canonical":
            self.assets.append(given.get("href") or "")
        elif tag == "img":
            self.images.append(given)
        elif tag == "meta" and given.get("property"):
            self.metas[str(given["property"])] = given.get("content") or ""
        if tag not in ("a", "link", "meta"):
            self.assets += [
                given[name] or "" for name in ("src", "srcset", "data") if name in given
            ]


@pytest.fixture(scope="module")
def pages(html: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in html.rglob("*.html")}


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    pytest.importorskip("sphinx")
    path = ROOT / "book/_ext/segtutor_book.py"
    spec = importlib.util.spec_from_file_location("segtutor_book", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_table_of_contents() -> None:
    sources = {*ROOT.glob("book/**/*.ipynb"), *ROOT.glob("book/**/*.md")}
    written = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in sources
        if not any(part.startswith((".", "_")) for part in path.relative_to(ROOT).parts)
    }
    assert written == set(pages_in_toc())


def test_the_cover_says_what_is_here() -> None:
    cover = (ROOT / "book/intro.ipynb").read_text("utf-8")
    chapters = {name for name in pages_in_toc() if (ROOT / f"{name}.ipynb").exists()}
    rows = re.findall(r"\| \[[^]]+\]\(([^)]+)\.ipynb\) \|.*\| (?:(\d+), about .+|–) \|", cover)
    assert {f"book/{name}" for name, _ in rows} == chapters - {"book/intro"}
    for name, exercises in rows:
        chapter = (ROOT / f"book/{name}.ipynb").read_text("utf-8")
        assert int(exercises or 0) == len(re.findall(r'"#+ Exercise \d', chapter))


def test_every_page_was_built(html: Path) -> None:
    assert not [name for name in pages_in_toc() if not (html / f"{name}.html").is_file()]


def test_no_page_loads_anything_from_another_host(pages: dict[Path, Page]) -> None:
    foreign = re.compile(r"(https?:)?//")
    found = [(path.name, url) for path, page in pages.items() for url in page.assets
             if foreign.match(url)]  # fmt: skip
    assert not found


def test_no_stylesheet_loads_anything_from_another_host(html: Path) -> None:
    loads = re.compile(r"""(?:url\(|@import\s)\s*["']?(?:https?:)?//""")
    assert not [path.name for path in html.rglob("*.css") if loads.search(path.read_text("utf-8"))]


def test_every_asset_and_every_internal_link_leads_somewhere(
    html: Path, pages: dict[Path, Page]
) -> None:
    lost = []
    anchors = {path.resolve(): page.anchors for path, page in pages.items()}
    for path, page in pages.items():
        for url in page.assets + page.links:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            found = target.exists()
            if found and parts.fragment:
                found = unquote(parts.fragment) in anchors.get(target, ())
            if not found:
                lost.append(f"{path.relative_to(html)}: {url}")
    assert not lost


def test_every_picture_has_alternative_text(pages: dict[Path, Page]) -> None:
    assert not [(path.name, image.get("src")) for path, page in pages.items()
                for image in page.images if not (image.get("alt") or "").strip()]  # fmt: skip


def test_every_drawn_picture_has_its_size(pages: dict[Path, Page]) -> None:
    drawn = [image for page in pages.values() for image in page.images
             if "_images/" in (image.get("src") or "")]  # fmt: skip
    assert not [image["src"] for image in drawn if not (image.get("width") and image.get("height"))]


@pytest.mark.parametrize("name", pages_in_toc())
def test_a_shared_link_has_a_title_a_text_and_a_picture(html: Path, name: str) -> None:
    metas = Page(html / f"{name}.html").metas
    assert metas["og:title"]
    assert 20 <= len(metas["og:description"]) <= 200
    assert metas["og:url"] == f"{URLS['Documentation']}/{name}.html"
    assert metas["og:image"].startswith(URLS["Documentation"] + "/")
    picture = html / metas["og:image"].removeprefix(URLS["Documentation"] + "/")
    width, height = (int.from_bytes(picture.read_bytes()[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == (1200, 630)


@pytest.mark.parametrize("name", pages_in_toc())
def test_a_notebook_links_to_itself_in_colab_and_as_a_file(html: Path, name: str) -> None:
    page = Page(html / f"{name}.html")
    colab = [link for link in page.links if link.startswith("https://colab.")]
    if not (ROOT / f"{name}.ipynb").exists():
        assert not colab
        return
    repository = urlsplit(URLS["Repository"]).path
    assert colab == [f"https://colab.research.google.com/github{repository}/blob/main/{name}.ipynb"]
    files = [link for link in page.links if link.endswith(f"_sources/{name}.ipynb")]
    assert len(files) == 1
    source = (ROOT / f"{name}.ipynb").read_bytes()
    assert (html / f"{name}.html").parent.joinpath(files[0]).read_bytes() == source


def test_no_icon_font_is_left(html: Path, pages: dict[Path, Page]) -> None:
    assert not [url for page in pages.values() for url in page.assets if "fontawesome" in url]
    assert not list(html.rglob("fontawesome.js"))


def notebook(*cells: dict) -> list[str]:
    return [json.dumps({"cells": [{"metadata": {}, **cell} for cell in cells]})]


TITLE = {"cell_type": "markdown", "source": ["# A title\n", "\n", "```python\n", "# no title\n```"]}
RUN = {"cell_type": "code", "source": ["1"], "execution_count": 1, "outputs": []}
ERROR = {**RUN, "outputs": [{"output_type": "error"}]}


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([TITLE, RUN], None),
        ([TITLE, {**ERROR, "metadata": {"tags": ["raises-exception"]}}], None),
        ([TITLE, {**RUN, "execution_count": None}], "never run"),
        ([TITLE, ERROR], "ended in an error"),
        ([TITLE, TITLE], "2 titles"),
        ([RUN], "0 titles"),
    ],
)
def test_the_build_refuses_a_notebook_that_was_not_run_to_its_end(
    extension: ModuleType, monkeypatch: pytest.MonkeyPatch, cells: list, complaint: str | None
) -> None:
    said: list[str] = []
    warn = SimpleNamespace(warning=lambda text, *values, location: said.append(text % values))
    monkeypatch.setattr(extension, "logger", warn)
    app = SimpleNamespace(env=SimpleNamespace(doc2path=lambda name: f"{name}.ipynb"))
    extension.check_notebook(app, "page", notebook(*cells))
    assert bool(said) == bool(complaint)
    assert all(complaint in text for text in said)


def test_the_build_refuses_a_picture_that_is_missing(extension: ModuleType, tmp_path: Path) -> None:
    app = SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=tmp_path)
    (tmp_path / "there.png").touch()
    (tmp_path / "page.html").write_text('<img alt="a" src="there.png"><img src="data:,">')
    extension.finish_site(app, None)
    (tmp_path / "page.html").write_text('<img alt="a" src="there.png"><img alt="b" src="lost.png">')
    with pytest.raises(extension.SphinxError, match=r"page\.html: lost\.png"):
        extension.finish_site(app, None)
