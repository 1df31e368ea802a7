"""The leaderboard holds every network, and is made by the command that says so."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import leaderboard
from segtutor.data import streets_1
from segtutor.models import SMALL_NETWORKS, small_network

PAGE = Path(__file__).parents[1] / "book" / "architectures" / "leaderboard.ipynb"
ROW = {"recipe", "seeds", "parameters", "multiply_adds", "memory", "time"}


def test_the_table_has_exactly_the_networks_with_all_seeds_and_costs():
    table = leaderboard.read()
    assert list(table) == list(SMALL_NETWORKS)
    for name, row in table.items():
        assert set(row) == ROW, name
        assert row["recipe"] == leaderboard.RECIPE, name
        assert len(row["seeds"]) == len(leaderboard.SEEDS), name
        assert row["memory"] > 1_000_000, name
        assert row["time"] > 0.01, name
    assert table[leaderboard.REFERENCE]["time"] == 1


def test_seeds_are_runs_of_their_own_and_their_mean_is_that_of_the_classes():
    for name, row in leaderboard.read().items():
        assert len({tuple(seed["iou"]) for seed in row["seeds"]}) == len(row["seeds"]), name
        for seed in row["seeds"]:
            assert len(seed["iou"]) == len(seed["boundary_iou"]) == leaderboard.CLASSES
            assert sum(seed["iou"]) / 8 == pytest.approx(seed["mean_iou"], abs=1e-4)
            assert all(0 <= x <= 1 for x in seed["iou"] + seed["boundary_iou"])


@pytest.mark.parametrize("name", SMALL_NETWORKS)
def test_parameters_and_multiply_adds_are_those_of_the_networks(name):
    row, net = leaderboard.read()[name], small_network(name)
    assert row["parameters"] == sum(p.numel() for p in net.parameters())
    assert row["multiply_adds"] == leaderboard.multiply_adds(net)


@pytest.mark.parametrize("name", ["danet", "segnet"])
def test_memory_is_that_of_the_network_now(name):
    noted = leaderboard.read()[name]["memory"]
    assert leaderboard.training_memory(small_network(name)) == pytest.approx(noted, rel=0.1)


def test_the_control_of_the_blocks_costs_about_what_the_dearest_do():
    table = leaderboard.read()
    control = table["dilated_fcn_pointwise"]
    for name in ("dilated_fcn_non_local", "dilated_fcn_dual_attention"):
        assert table[name]["parameters"] < control["parameters"]
    for name in ("dilated_fcn_self_attention", "dilated_fcn_dual_attention"):
        assert abs(table[name]["multiply_adds"] / control["multiply_adds"] - 1) < 0.06


class Pointwise(nn.Module):
    """Sees one pixel at a time: 27 multiply-adds a pixel and no more."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        return self.norm(self.conv(x))


@pytest.fixture
def small_world(tmp_path, monkeypatch):
    """Two networks of a line each, twelve scenes, one epoch, a table of its own."""
    nets = {"unet": Pointwise, "other": Pointwise}
    monkeypatch.setattr(leaderboard, "SMALL_NETWORKS", nets)
    monkeypatch.setattr(leaderboard, "small_network", lambda name: nets[name]())
    monkeypatch.setattr(leaderboard, "TABLE", tmp_path / "weights" / "leaderboard.json")
    monkeypatch.setattr(leaderboard, "EPOCHS", 1)
    few = {name: torch.utils.data.Subset(streets_1(name), range(12)) for name in ("train", "test")}
    monkeypatch.setattr(leaderboard, "streets_1", few.get)
    return tmp_path / "weights"


def run(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["leaderboard", *arguments])
    assert leaderboard.main() == 0


def test_the_command_trains_what_is_missing_and_nothing_else(small_world, monkeypatch):
    seen = []
    learn = leaderboard.learned
    monkeypatch.setattr(leaderboard, "learned", lambda *a: seen.append(a[:2]) or learn(*a))
    run(monkeypatch)
    assert seen == [(name, seed) for name in ("unet", "other") for seed in (0, 1, 2)]
    first = (small_world / "leaderboard.json").read_text()
    table = json.loads(first)
    assert set(table["other"]) == ROW
    assert table["other"]["multiply_adds"] == 3 * 8 * 64 * 96
    assert table["other"]["parameters"] == 24 + 8 + 16
    # A run that was stopped after the second network's first seed goes on with its second.
    table["other"]["seeds"] = table["other"]["seeds"][:1]
    (small_world / "leaderboard.json").write_text(json.dumps(table))
    seen.clear()
    run(monkeypatch)
    assert seen == [("other", 1), ("other", 2)]
    again = json.loads((small_world / "leaderboard.json").read_text())
    assert again["other"]["seeds"] == json.loads(first)["other"]["seeds"]
    # What another recipe trained is trained anew.
    again["other"]["recipe"]["epochs"] += 1
    (small_world / "leaderboard.json").write_text(json.dumps(again))
    seen.clear()
    run(monkeypatch)
    assert seen == [("other", 0), ("other", 1), ("other", 2)]
    seen.clear()
    run(monkeypatch, "unet", "unet")
    assert seen == [("unet", 0), ("unet", 1), ("unet", 2)]
    assert list(json.loads((small_world / "leaderboard.json").read_text())) == ["unet", "other"]
    seen.clear()
    run(monkeypatch, "--measure")
    assert seen == []


def test_weights_of_the_first_seed_are_written_in_half_precision(small_world, monkeypatch):
    nets = {}
    learn = leaderboard.learned

    def noted(name, seed, scenes):
        nets[name, seed] = learn(name, seed, scenes)
        return nets[name, seed]

    monkeypatch.setattr(leaderboard, "learned", noted)
    run(monkeypatch)
    with gzip.open(small_world / "other.pt.gz") as file:
        saved = torch.load(file, weights_only=True)
    for key, value in nets["other", 0].state_dict().items():
        assert saved[key].dtype == (torch.float16 if value.is_floating_point() else torch.int64)
        torch.testing.assert_close(saved[key].to(value.dtype), value, rtol=1e-3, atol=1e-6)
    assert not torch.equal(saved["conv.weight"], nets["other", 1].conv.weight.half())


def test_a_name_that_is_none_is_refused_before_anything_is_trained(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["leaderboard", "vnet"])
    monkeypatch.setattr(leaderboard, "train", lambda names: pytest.fail("trained"))
    with pytest.raises(SystemExit):
        leaderboard.main()
    assert "'vnet' is none of fcn32s" in capsys.readouterr().err


def test_measuring_measures_all(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["leaderboard", "--measure", "unet"])
    with pytest.raises(SystemExit):
        leaderboard.main()
    assert "--measure measures all: name none" in capsys.readouterr().err


@pytest.fixture(scope="module")
def page():
    return json.loads(PAGE.read_text(encoding="utf-8"))["cells"]


def test_the_page_tells_the_recipe_that_the_command_trains_with(page):
    prose = "\n".join("".join(cell["source"]) for cell in page if cell["cell_type"] == "markdown")
    rate = f"{leaderboard.LEARNING_RATE:.0e}".replace("e-0", "e-")
    assert f"{leaderboard.EPOCHS} times in batches of {leaderboard.BATCH}" in prose
    assert f"a peak of {rate}" in prose
    assert "the seeds 0, 1 and 2" in prose
    assert leaderboard.SEEDS == (0, 1, 2)


def test_the_page_shows_the_table_as_it_is(page):
    """Who measures or trains again has to run the page again."""
    shown = {
        cell["id"]: re.findall("<tr>(.*)</tr>", "".join(output["data"]["text/html"]))
        for cell in page
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    }
    scores, costs = (shown[name][1:] for name in ("table", "costs-table"))
    ranked = sorted(
        leaderboard.read().values(),
        key=lambda row: -sum(seed["mean_iou"] for seed in row["seeds"]),
    )
    assert len(scores) == len(costs) == len(ranked)
    for row, score, cost in zip(ranked, scores, costs, strict=True):
        assert f">{sum(seed['mean_iou'] for seed in row['seeds']) / 3:.3f} ±" in score
        assert f">{row['multiply_adds'] / 1e6:.0f}<" in cost
        assert f">{row['memory'] / 1e6:.0f}<" in cost
        assert f">{row['time']:.2f}<" in cost
