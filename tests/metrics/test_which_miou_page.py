"""What the page `Which mIoU is this?` says in Markdown, where no cell can check it."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "book" / "objectives" / "which_miou.ipynb"
PACKAGES = ("torchmetrics", "scikit-learn", "segmentation-models-pytorch", "MONAI", "kornia")


@pytest.fixture(scope="module")
def prose() -> str:
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


@pytest.mark.parametrize("name", PACKAGES)
def test_versions_are_those_that_the_tests_run(prose: str, name: str) -> None:
    said = re.search(rf"{name} ([\d.]+\d)", prose).group(1)
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(rf"^{name.lower()}=={re.escape(said)}\b", lock, re.M)
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    if installed != said:
        pytest.skip(f"{name} {installed} is installed instead of the locked {said}")


def test_every_number_by_hand_is_right(prose: str) -> None:
    lines = re.findall(r"^\| ([^|`]*/[^|`]*) \| (0\.\d{4}) \| ", prose, re.M)
    assert len(lines) == 9
    for sum_by_hand, value in lines:
        assert f"{eval(sum_by_hand):.4f}" == value  # fractions of a table, nothing else
    assert len({value for _, value in lines}) == 9


def test_the_title_counts_and_spans_the_numbers(prose: str) -> None:
    values = sorted(set(re.findall(r"^\| (0\.\d{4}) \| ", prose, re.M)), key=float)
    assert len(values) == 9
    assert "nine different numbers" in prose
    assert f"from {float(values[0]):.2f} to {float(values[-1]):.2f}" in prose
