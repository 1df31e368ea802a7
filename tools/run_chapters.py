"""Executes chapters in place (`make run`), so that a second execution changes nothing.

Usage: python -m tools.run_chapters [--timings] FILE.ipynb …

With --timings the files stay as they are, and book/reference/timings.md is written.
"""

from __future__ import annotations

import argparse
import datetime
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.normalize import normalize, read, to_text

ROOT = Path(__file__).parents[1]
TIMINGS = ROOT / "book" / "reference" / "timings.md"
BEGIN, END = "<!-- timings: begin (generated) -->", "<!-- timings: end -->"
TIMEOUT = 600  # seconds a cell; the budget of a chapter is a tenth of it


@dataclass
class Run:
    """What the execution of one chapter took."""

    title: str
    path: Path
    seconds: float = 0.0
    cells: dict[int, float] = field(default_factory=dict)  # seconds by number of code cell
    peak: int = 0  # bytes of memory that the kernel held at most


def execute(notebook: NotebookNode, path: Path) -> Run:
    """Run every cell, keep the outputs in the notebook, and measure."""
    run = Run(title=_title(notebook), path=path)
    numbers = {
        index: number
        for number, index in enumerate(
            (i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), start=1
        )
    }
    begun: dict[int, float] = {}
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        # Errors only: newer kernels warn at every start that they listen on this machine.
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.on_cell_execute = lambda cell, cell_index: begun.update({cell_index: time.monotonic()})

    def ended(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        run.cells[numbers[cell_index]] = time.monotonic() - begun[cell_index]

    client.on_cell_executed = ended
    done = threading.Event()
    start = time.monotonic()
    with client.setup_kernel():
        watch = threading.Thread(target=_watch_memory, args=(client, run, done))
        watch.start()
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            reason = getattr(error, "traceback", error)
            raise SystemExit(
                f"{path}: code cell {numbers[index]} (id {cell['id']}) failed.\n{reason}"
            ) from None
        finally:
            done.set()
            watch.join()
    run.seconds = time.monotonic() - start
    return run


def _watch_memory(client: NotebookClient, run: Run, done: threading.Event) -> None:
    """Note the largest memory of the kernel's process, ten times a second."""
    process = psutil.Process(client.km.provisioner.pid)
    while not done.wait(0.1):
        try:
            run.peak = max(run.peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            return


def _title(notebook: NotebookNode) -> str:
    """Return the text of the first heading."""
    for cell in notebook.cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return line[2:].strip()
    return "(no title)"


def timings_page(page: str, runs: list[Run]) -> str:
    """Return the page of running times with the table written again."""
    rows = []
    for run in runs:
        link = Path(os.path.relpath(run.path.resolve(), TIMINGS.parent)).as_posix()
        slowest = max(run.cells, key=run.cells.get) if run.cells else 0
        rows.append(
            f"| [{run.title}]({link}) | {len(run.cells)} | {run.seconds:.0f} s "
            f"| {run.cells.get(slowest, 0):.1f} s (cell {slowest}) | {run.peak / 1e9:.1f} GB |"
        )
    table = [
        f"Measured on {_machine()}, {datetime.date.today():%B %Y}. The time counts the start of",
        "the kernel and of PyTorch.",
        "",
        "| Chapter | Code cells | Time | Slowest cell | Peak memory |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{TIMINGS}: the lines {BEGIN!r} and {END!r} are missing")
    return "\n".join([before + begin, "", *table, "", end + after])


def _machine() -> str:
    """Return a general description of this machine."""
    words = {1: "one CPU core", 2: "two CPU cores", 4: "four CPU cores"}
    cores = os.cpu_count() or 1
    machine = words.get(cores, f"{cores} CPU cores")
    import torch

    return machine if not torch.cuda.is_available() else f"{machine} and a GPU"


def main() -> None:
    """Execute the chapters that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timings", action="store_true", help="write the page of running times")
    parser.add_argument("chapters", nargs="+", type=Path, metavar="FILE.ipynb")
    arguments = parser.parse_args()
    for path in arguments.chapters:
        if path.suffix != ".ipynb" or not path.is_file():
            parser.error(f"{path} is no notebook: name a file such as book/intro.ipynb")

    if arguments.timings:  # a table in the order in which one reads
        contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
        arguments.chapters.sort(key=lambda path: contents.find(path.with_suffix("").as_posix()))

    # A kernel runs as a reader's does, apart from what would differ between two machines.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    runs = []
    for path in arguments.chapters:
        notebook = normalize(read(path))
        runs.append(run := execute(notebook, path))
        print(f"{path}: {len(run.cells)} cells, {run.seconds:.1f} s, {run.peak / 1e9:.2f} GB")
        if not arguments.timings:
            path.write_text(to_text(normalize(notebook)), encoding="utf-8")
    if arguments.timings:
        page = TIMINGS.read_text(encoding="utf-8")
        TIMINGS.write_text(timings_page(page, runs), encoding="utf-8")
        print(f"wrote {TIMINGS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
