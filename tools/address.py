"""Changes the project's public address wherever it stands (`make address`).

Usage: python -m tools.address URL [--site SITE]

URL is the repository, such as https://github.com/ada/segtutor. SITE is where the book is
published; without it, GitHub's pages of that repository are meant. pyproject.toml says what
the address was; every file that git tracks is searched for it, notebooks too.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]


def current(root: Path) -> tuple[str, str]:
    """Return the addresses of the repository and of the site, from pyproject.toml."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = [
        re.search(rf'^{name} = "(.+)"$', text, re.M) for name in ("Repository", "Documentation")
    ]
    if None in found:
        raise SystemExit("pyproject.toml: [project.urls] lacks Repository or Documentation")
    return found[0].group(1), found[1].group(1)


def pages(repository: str) -> str:
    """Return the address of GitHub's pages of a repository."""
    owner, name = urlsplit(repository).path.strip("/").split("/")
    host = f"{owner}.github.io"
    return f"https://{host}" if name.lower() == host.lower() else f"https://{host}/{name}"


def replacements(old: tuple[str, str], new: tuple[str, str]) -> dict[bytes, bytes]:
    """Return what becomes what: both addresses, and the OWNER/NAME in a link to Colab."""
    pairs = dict(zip(old, new, strict=True))
    names = [urlsplit(repository).path for repository in (old[0], new[0])]
    pairs[f"/github{names[0]}"] = f"/github{names[1]}"
    return {before.encode(): after.encode() for before, after in pairs.items()}


def tracked(root: Path) -> list[Path]:
    """Return the files that git tracks."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True
    ).stdout
    return [root / name.decode() for name in listing.split(b"\0") if name]


def change(root: Path, new: tuple[str, str]) -> list[tuple[Path, int]]:
    """Write the new addresses; return the changed files with the number of places in each."""
    pairs = replacements(current(root), new)
    # Not inside a longer name: /segtutor is not /segtutor-exercises.
    pattern = re.compile(b"(?:%s)(?![\\w-])" % b"|".join(map(re.escape, pairs)))
    changed = []
    for path in tracked(root):
        if not path.is_file() or path.is_symlink():
            continue
        before = path.read_bytes()
        if b"\0" in before:
            continue  # a picture or a font
        after, places = pattern.subn(lambda found: pairs[found.group()], before)
        if after != before:
            path.write_bytes(after)
            changed.append((path, places))
    return changed


def main() -> None:
    """Change the address to the one on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", metavar="URL", help="https://github.com/OWNER/NAME")
    parser.add_argument("--site", metavar="SITE", help="https://… where the book is published")
    arguments = parser.parse_args()
    url = arguments.url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", url):
        parser.error(f"URL={arguments.url!r} is not of the form https://github.com/OWNER/NAME")
    site = (arguments.site or pages(url)).rstrip("/")
    if not re.fullmatch(r"https://[\w./-]+", site):
        parser.error(f"SITE={arguments.site!r} is not of the form https://…")
    if url.startswith(site) or site.startswith(url):
        parser.error(f"URL={url} and SITE={site} must be two addresses, neither within the other")

    changed = change(ROOT, (url, site))
    for path, places in changed:
        print(f"{path.relative_to(ROOT)}: {places}")
    print(f"{sum(count for _, count in changed)} places in {len(changed)} files: {url}, {site}")
    if changed:
        print("Now: make test, and commit.")


if __name__ == "__main__":
    main()
