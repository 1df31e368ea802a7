"""The public address stands in one place, and one command changes it everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import address

ROOT = Path(__file__).parents[1]

HOST = "https://github.com"  # apart from the names, so that `make address` changes no test

# They explain or test what an address looks like.
SPEAK_OF_OWNERS = {"address.py", "test_address.py"}

in_a_checkout = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not in a git checkout"
)

# A repository on GitHub that is called like ours, or a page of one.
OURS = re.compile(r"https://(?:github\.com/([\w.-]+)|([\w-]+)\.github\.io)/segtutor\b(?!-)")


@in_a_checkout
def test_every_address_agrees_with_pyproject() -> None:
    repository, site = address.current(ROOT)
    owner = repository.split("/")[-2]
    for path in address.tracked(ROOT):
        text = path.read_bytes().decode("utf-8", errors="ignore") if path.is_file() else ""
        if path.name in SPEAK_OF_OWNERS:
            continue
        for found in OURS.finditer(text):
            assert found.group() in (repository, site), f"{path}: {found.group()}"
        for name in re.findall(r"/github/([\w.-]+/segtutor)\b", text):
            assert repository.endswith(f"/{name}"), f"{path}: /github/{name}"
        assert owner == "OWNER" or not re.search(r"\bOWNER[/.]", text), f"{path}: OWNER"


@in_a_checkout
def test_the_address_changes_everywhere_and_back(tmp_path: Path) -> None:
    files = [path for path in address.tracked(ROOT) if path.is_file() and not path.is_symlink()]
    for path in files:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-Af"], cwd=tmp_path, check=True)
    old = address.current(tmp_path)
    # Put together here, so that the way back does not change this line.
    host = "example.org"
    new = f"https://git.{host}/ada/atlas", f"https://atlas.{host}/book"

    changed = {path.relative_to(tmp_path) for path, _ in address.change(tmp_path, new)}
    assert address.current(tmp_path) == new
    assert {Path("pyproject.toml"), Path("_config.yml"), Path("book/intro.ipynb")} <= changed
    for path in address.tracked(tmp_path):
        data = path.read_bytes()
        assert not any(part.encode() in data for part in old), path
        if path.name not in SPEAK_OF_OWNERS:
            assert not re.search(rb"\bOWNER[/.]", data), path

    address.change(tmp_path, old)
    for path in files:
        assert (tmp_path / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path
    assert address.change(tmp_path, old) == []


def test_pages_of_a_repository() -> None:
    assert address.pages(f"{HOST}/ada/atlas") == "https://ada.github.io/atlas"
    assert address.pages(f"{HOST}/ada/ada.github.io") == "https://ada.github.io"


@pytest.mark.parametrize("url", ["", "github.com/ada/atlas", f"{HOST}/ada"])
def test_no_address_is_refused(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.address", url], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "is not of the form https://github.com/OWNER/NAME" in done.stderr
