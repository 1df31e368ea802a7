"""The house in order: one version, imports that run one way, small files."""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest
import yaml

import segtutor

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MODULES = sorted((ROOT / "segtutor").rglob("*.py"))
LONGEST_FILE, LONGEST_TEST_FILE = 250, 500  # lines
# Lines of code, without documentation, that each floor of the core may have. Data is the largest:
# nine real formats, their inspection, and the painters of Streets and Cells; then models, one file
# an architecture.
LARGEST = {
    "ops": 1_000,
    "losses": 1_000,
    "metrics": 1_000,
    "data": 2_750,
    "models": 2_000,
    "training": 1_700,
    "inference": 700,
}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}

# Which floors of the package a floor may import from. None imports the book or the tests.
BELOW = {
    "ops": set(),
    "labels": set(),
    "losses": {"labels"},
    "metrics": {"labels"},
    "data": set(),
    "models": {"ops"},
    "training": {"labels", "losses", "metrics", "models", "data", "ops"},
    "inference": {"models", "metrics", "ops"},
    "figures": {"ops", "losses", "metrics", "data", "models", "training", "inference"},
    "exercises": {"ops", "losses", "metrics", "data", "models", "training", "listing", "claims"},
    "labs": {"ops", "losses", "metrics", "data", "models", "training", "inference", "figures"},
    "claims": set(),
    "listing": set(),
}


def imported(source: str, package: str) -> set[str]:
    """Return every module that a source imports, wherever in it; package is its own."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*parents, *filter(None, [node.module])]) if node.level else node.module
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def climbs(floor: str, modules: set[str]) -> set[str]:
    """Return the imports that a floor of the package may not make."""
    upper = set()
    for module in modules:
        top, _, rest = module.partition(".")
        other = rest.partition(".")[0]
        outside = top in {"book", "tests", "tools", "benchmarks"}
        above = top == "segtutor" and other in BELOW and other not in BELOW[floor] | {floor}
        if outside or above:
            upper.add(module)
    return upper


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    floor = path.relative_to(ROOT / "segtutor").parts[0].removesuffix(".py")
    if floor == "__init__":
        return  # loads the floors when they are asked for: measured below
    assert floor in BELOW, f"say in BELOW what {floor} may import"
    package = ".".join(path.relative_to(ROOT).parent.parts)
    assert not climbs(floor, imported(path.read_text(encoding="utf-8"), package))


@pytest.mark.parametrize(
    "source",
    [
        "import segtutor.figures",
        "from segtutor import figures",
        "def f():\n    from segtutor.exercises import check",
        "from ..labs import convolution",
        "from .. import figures",
        "import tests.book.guards",
    ],
)
def test_an_import_upward_is_noticed(source: str) -> None:
    assert climbs("ops", imported(source, "segtutor.ops"))


def test_the_floors_have_no_circle() -> None:
    left = dict(BELOW)
    while left:
        lowest = {floor for floor, below in left.items() if not below & set(left)}
        assert lowest, f"a circle among {sorted(left)}"
        left = {floor: below for floor, below in left.items() if floor not in lowest}


def test_files_stay_small() -> None:
    read = [*MODULES, *(ROOT / "tools").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    read += (ROOT / "book" / "_ext").glob("*.py")
    limits = dict.fromkeys(read, LONGEST_FILE)
    limits |= dict.fromkeys((ROOT / "tests").rglob("*.py"), LONGEST_TEST_FILE)
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in limits}
    assert {str(path): length for path, length in lengths.items() if length > limits[path]} == {}


def lines_of_code(source: str) -> int:
    """Count the lines that Python runs: docstrings, comments and blank lines are for people."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            code -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(code)


@pytest.mark.parametrize("floor", LARGEST)
def test_the_core_stays_small(floor: str) -> None:
    paths = (ROOT / "segtutor" / floor).rglob("*.py")
    assert sum(lines_of_code(path.read_text("utf-8")) for path in paths) < LARGEST[floor]


def test_documentation_is_no_code() -> None:
    source = '"""What it is.\n\nAnd why."""\n\nx = """two\nlines"""  # said\n# a remark\n'
    assert lines_of_code(source) == 2
    assert (
        lines_of_code(source + "\ndef f():\n    '''Said.'''\n    return [\n        1,\n    ]\n")
        == 6
    )


def seconds_of(statement: str) -> float:
    """Return how long a fresh interpreter takes for a statement, without its own start."""
    code = f"from time import perf_counter as t; b = t(); {statement}; print(t() - b)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


@pytest.mark.slow
def test_import_costs_next_to_nothing_beyond_torch() -> None:
    seconds_of("import segtutor, torch")  # from now on the files are in memory
    # In turn, so that a busy machine slows both alike.
    pairs = [(seconds_of("import torch, segtutor"), seconds_of("import torch")) for _ in range(5)]
    beyond = [ours - theirs for ours, theirs in pairs]
    assert statistics.median(beyond) < 0.3, beyond


def test_import_loads_no_drawing_and_no_widgets() -> None:
    code = "import segtutor, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"matplotlib", "ipywidgets", "IPython", "pygments"} & set(done.stdout.split())


def test_the_version_stands_once() -> None:
    version = re.search(r'^version = "(.+)"$', PROJECT, re.M).group(1)
    assert segtutor.__version__ == version
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
