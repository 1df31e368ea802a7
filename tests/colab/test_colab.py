"""A stand-in for Colab: each chapter alone in an empty folder, with Colab's versions.

`make colab` runs this. The first cell is the chapter's own: pip really installs the package,
from the last commit of this repository in place of its public address.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.book.guards import FIRST_CELL, repository

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-colab" / "bin" / "python"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-colab: `make colab` makes it"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the kernels "colab" and "reader" for this test alone."""
    # Whoever asks for the public address gets this checkout's last commit.
    redirect = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository(),
    }
    start = [str(PYTHON), str(Path(__file__).with_name("kernel.py")), "-f", "{connection_file}"]
    for name, arguments in {"colab": start, "reader": [*start, "--no-colab"]}.items():
        kernel = tmp_path / "jupyter" / "kernels" / name / "kernel.json"
        kernel.parent.mkdir(parents=True)
        spec = {"argv": arguments, "display_name": name, "language": "python", "env": redirect}
        kernel.write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)


@pytest.fixture
def installed() -> Callable[[], set[str]]:
    """Begin without segtutor; return what lists every other installed version."""

    def versions() -> set[str]:
        listing = pip("list", "--format=freeze", "--exclude=segtutor").splitlines()
        return {line for line in listing if "==" in line}

    pip("uninstall", "--yes", "segtutor")
    return versions


def pip(*arguments: str) -> str:
    """Run pip in Colab's environment and return what it says."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_chapters(folder: Path, kernel: str) -> None:
    """Run each committed chapter, alone in its folder; claims and check marks decide."""
    chapters = subprocess.run(
        ["git", "ls-files", "book/*.ipynb"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert chapters

    def run(chapter: str) -> tuple[str, int, str]:
        alone = folder / Path(chapter).stem
        alone.mkdir()
        committed = subprocess.run(
            ["git", "show", f"HEAD:{chapter}"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        (alone / Path(chapter).name).write_bytes(committed)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--nbval-lax", f"--nbval-kernel-name={kernel}",
             "--nbval-cell-timeout=600", "-p", "no:cacheprovider", "--color=no", "."],
            cwd=alone, capture_output=True, text=True,
            env={**os.environ, "PYTEST_ADDOPTS": "", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return chapter, done.returncode, done.stdout

    # The first one installs the package; the others find it, and share the cores.
    results = [run(chapters[0])]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results += pool.map(run, chapters[1:])
    failed = [chapter for chapter, status, _ in results if status]
    print(*(said for _, _, said in results), sep="\n")
    assert not failed, f"{', '.join(failed)} fail with the kernel {kernel}"


def test_chapters_run_in_colab(
    kernels: None, installed: Callable[[], set[str]], tmp_path: Path
) -> None:
    before = installed()
    run_chapters(tmp_path, "colab")
    assert installed() == before, "a first cell changed Colab's packages"
    assert pip("show", "segtutor")


def test_chapters_run_from_the_wheel_on_a_reader_s_machine(
    kernels: None, installed: Callable[[], set[str]], tmp_path: Path
) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("segtutor-*.whl")
    pip("install", "--no-deps", str(wheel))
    run_chapters(tmp_path, "reader")


def test_the_first_cell_may_run_twice(
    kernels: None, installed: Callable[[], set[str]], tmp_path: Path
) -> None:
    before = installed()
    first = FIRST_CELL.format(repository=repository())
    seen = (
        "import torch\nprint(torch.__version__, segtutor.__file__, 'google.colab' in sys.modules)"
    )
    notebook = new_notebook(cells=[new_code_cell(source) for source in (first, first, seen)])
    here = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="colab", timeout=300, resources=here).execute()
    (output,) = notebook.cells[2].outputs
    version, file, in_colab = output.text.split()
    assert f"torch=={version.partition('+')[0]}" in before
    assert Path(file).is_relative_to(PYTHON.parents[1])
    assert in_colab == "True"
    assert installed() == before
    for cell in notebook.cells[:2]:
        assert "ERROR" not in nbformat.writes(new_notebook(cells=[cell]))
