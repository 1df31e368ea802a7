"""The page of speeds says what was measured."""

from __future__ import annotations

import re
import time

import pytest

from benchmarks import learning_page, page
from benchmarks.alternating import Row, line, ratios
from benchmarks.learning import Run

FAST = Row("forward", "ops.ours", "library.theirs", faster=8.0, goal=5.0, memory=0.5)
SLOW = Row("forward", "ops.ours", "F.builtin", faster=0.25, goal=0.5)
SHOWN = Row("backward", "ops.ours", "other.call(a < b)", faster=1.5)


@pytest.mark.parametrize(("row", "reached"), [(FAST, True), (SLOW, False), (SHOWN, True)])
def test_a_goal_is_reached_or_missed(row: Row, reached: bool) -> None:
    assert row.reached is reached
    assert ("NO" in line(row)) is not reached


def test_ratios_are_those_of_the_same_round() -> None:
    measured = ratios(
        {"short": lambda: time.sleep(0.002), "long": lambda: time.sleep(0.02)}, "short", rounds=5
    )
    assert measured["short"] == 1
    assert 3 < measured["long"] < 12


def test_the_page_says_every_number_and_which_goal_was_missed() -> None:
    text = page.written(
        f"before\n{page.BEGIN}\nold\n{page.END}\nafter", {"losses": [FAST, SLOW, SHOWN]}
    )
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "old" not in text
    assert "| `ops.ours`: forward | `library.theirs` | 8.00 × | 0.50 × | 5 × ✓ |" in text
    assert "| `ops.ours`: forward | `F.builtin` | 0.25 × |  | 0.5 × missed |" in text
    assert page.written(text, {"losses": [FAST, SLOW, SHOWN]}) == text


def test_a_page_without_its_marks_is_not_overwritten() -> None:
    with pytest.raises(SystemExit, match="missing"):
        page.written("no marks", {})


def test_bars_begin_at_one_and_end_at_their_ratio() -> None:
    svg = page.picture("losses", [FAST, SLOW, SHOWN])
    one = float(re.search(r'class="one" d="M([\d.]+) ', svg).group(1))
    bars = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)
    (fast, slow, shown) = [(float(x), float(x) + float(width)) for x, width in bars]
    assert fast[0] == shown[0] == slow[1] == one
    # Logarithmic: 8 is 3 doublings to the right, 1/4 is 2 to the left.
    assert (fast[1] - one) / (one - slow[0]) == pytest.approx(3 / 2, abs=0.02)
    assert svg.count("forward") == 2  # what was timed stands beside each bar
    assert "a &lt; b" in svg
    assert "a < b" not in svg


def test_every_benchmark_is_on_the_page() -> None:
    written = {path.stem for path in page.PAGE.parents[2].glob("benchmarks/*.py")}
    assert set(page.MODULES) <= written
    assert written - set(page.MODULES) <= {
        "alternating",
        "leaderboard",
        "learning",
        "learning_page",
        "page",
        "__init__",
    }


@pytest.fixture
def learned(tmp_path, monkeypatch):
    """Five runs as `benchmarks.learning` has them: the last never arrives."""
    path = tmp_path / "learning.md"
    path.write_text(f"before\n{learning_page.BEGIN}\nold\n{learning_page.END}\nafter", "utf-8")
    monkeypatch.setattr(learning_page, "PAGE", path)
    seconds = ([10, 12, 11], [13, 13, 13], [30, 36, 22], [80, 85, 90], [88, 96, 88])
    scores = (0.81, 0.82, 0.83, 0.80, 0.71)
    names = ("ours", "drawn anew", "their network", "their recipe", "both < theirs")
    return path, [
        Run(name, list(map(float, s)), [score] * 3, [2, 2, 3])
        for name, s, score in zip(names, seconds, scores, strict=True)
    ]


def test_the_page_of_learning_says_what_was_measured(learned) -> None:
    path, runs = learned
    assert learning_page.write(runs, 0.8) == 0
    text = path.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "old" not in text
    assert "| ours | 2 to 3 | 1.0 | 0.81 |  |" in text
    assert "| their network | 2 to 3 | 3.0 | 0.83 | at least 2 ✓ |" in text
    assert "| both < theirs | 2 to 3 | more than 8.0 | 0.71 | at least 5 ✓ |" in text
    assert "both &lt; theirs" in text
    assert learning_page.write(runs, 0.8) == 0
    assert path.read_text("utf-8") == text


def test_a_missed_goal_of_learning_is_said(learned, capsys) -> None:
    path, runs = learned
    runs[2].seconds = [15.0, 18.0, 16.0]
    assert learning_page.write(runs, 0.8) == 1
    assert "at least 2 missed" in path.read_text("utf-8")
    assert "missed: their network" in capsys.readouterr().out
