"""Progress: one line that overwrites itself, and in a notebook a text that is always the same."""

from __future__ import annotations

import io
import re
import sys

import pytest

from segtutor.training import fit
from segtutor.training import progress as module
from segtutor.training.progress import Progress
from tests.training.cases import Spots, net

ROW = {"epoch": 1, "train_loss": 0.5, "val_loss": 0.25, "mean_iou": 0.125, "seconds": 61.2}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, every: float = 0.0) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(module, "EVERY", every)
    with Progress(2, 3) as bar:
        for epoch in (1, 2):
            for step in (1, 2, 3):
                bar.step(epoch, step, 0.75)
            bar.epoch(ROW | {"epoch": epoch})
    return stream.getvalue()


def test_a_terminal_keeps_a_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    written = run(monkeypatch, Screen())
    assert written.count("step 2/3") == 2
    drawn = [line.rpartition("\r\x1b[K")[2] for line in written.split("\n")]
    assert drawn == [
        "epoch 1/2  loss 0.500  val loss 0.250  mean IoU 0.125  1:01",
        "epoch 2/2  loss 0.500  val loss 0.250  mean IoU 0.125  1:01",
        "",
    ]
    bars = re.findall(r"[━·]+ step \d", written)
    assert [bar.count("━") for bar in bars] == [8, 16, 24, 8, 16, 24]
    assert {bar.count("━") + bar.count("·") for bar in bars} == {24}
    assert max(len(part) for part in re.split(r"\r\x1b\[K|\n", written)) < 80


def test_a_terminal_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "step" not in run(monkeypatch, Screen(), every=60.0)


def test_a_file_gets_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    written = run(monkeypatch, io.StringIO())
    assert len(written.splitlines()) == 2
    assert "\r" not in written
    assert "step" not in written


def test_silence(capfd: pytest.CaptureFixture[str]) -> None:
    fit(net(), Spots(4), Spots(3), epochs=2, progress=False, device="cpu")
    assert capfd.readouterr() == ("", "")
    fit(net(), Spots(4), Spots(3), epochs=2, device="cpu")
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2


CELL = """
import torch
from segtutor.training import fit, progress
progress.EVERY = 0.0
x, y = torch.rand(8, 3, 8, 8), torch.zeros(8, 8, 8, dtype=torch.int64)
fit(torch.nn.Conv2d(3, 3, 1), list(zip(x, y)), epochs=3, batch_size=2, device="cpu");
"""
FAULTY = CELL.replace("\nfit", "\ny[5] = 9\nfit")


@pytest.mark.slow
def test_a_notebook_stores_the_plan_alone() -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in (CELL, FAULTY)]
    updates = []
    client = NotebookClient(notebook, allow_errors=True, kernel_name="python3")
    handle = client.process_message

    def watched(msg: dict, *others: object) -> object:
        if msg["msg_type"] in ("display_data", "update_display_data", "stream"):
            updates.append(msg)
        return handle(msg, *others)

    client.process_message = watched
    client.execute()
    stored = {"text/plain": "3 epochs of 4 steps"}
    whole, stopped = (cell.outputs for cell in notebook.cells)
    assert [each["data"] for each in whole] == [stored]
    assert stopped[0]["data"] == stored
    assert [each["output_type"] for each in stopped[1:]] == ["error"]
    assert updates[0]["content"]["data"] == stored  # what nbval compares with
    kinds = [msg["msg_type"] for msg in updates]
    assert kinds.count("display_data") == 2
    assert set(kinds) == {"display_data", "update_display_data"}
    assert "epoch 1/3" in updates[1]["content"]["data"]["text/plain"]
