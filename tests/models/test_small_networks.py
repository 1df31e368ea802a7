from __future__ import annotations

import gzip
import json
import zipfile
from functools import cache
from pathlib import Path

import pytest
import torch

import segtutor.models
from segtutor.data import InMemory, streets_1
from segtutor.models import SMALL_NETWORKS, small_network, trained
from segtutor.models.small_networks import FOLDER, TABLE
from segtutor.training import evaluate

ROOT = Path(__file__).parents[2]
each = pytest.mark.parametrize("name", SMALL_NETWORKS)


@cache
def scenes() -> InMemory:
    return InMemory(streets_1("test"))


def saved(name: str) -> dict[str, torch.Tensor]:
    with gzip.open(FOLDER / f"{name}.pt.gz") as file:
        return torch.load(file, weights_only=True)


def test_every_network_has_its_weights_and_no_other_file_is_there():
    assert {path.name for path in FOLDER.iterdir()} == {
        *(f"{name}.pt.gz" for name in SMALL_NETWORKS),
        TABLE.name,
    }


@each
def test_weights_are_finite_in_half_precision_and_less_than_a_megabyte(name):
    assert (FOLDER / f"{name}.pt.gz").stat().st_size < 1_000_000
    state = saved(name)
    counters = {key for key in state if key.endswith("num_batches_tracked")}
    assert {value.dtype for key, value in state.items() if key not in counters} == {torch.float16}
    assert all(value.isfinite().all() for value in state.values())


@each
def test_a_trained_network_is_the_untrained_one_with_these_weights(name):
    net = trained(name)
    assert not net.training
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    half = saved(name)
    state = net.state_dict()
    assert list(half) == list(state)
    assert all(torch.equal(state[key], value.to(state[key].dtype)) for key, value in half.items())
    assert net(torch.zeros(2, 3, 64, 96)).shape == (2, 8, 64, 96)


@each
def test_half_precision_scores_what_the_table_says_of_the_first_seed(name):
    first, *others = json.loads(TABLE.read_text("utf-8"))[name]["seeds"]
    matrix = evaluate(trained(name), scenes())
    assert matrix.mean_iou() == pytest.approx(first["mean_iou"], abs=0.003)
    near = 0.002  # for each class; other seeds, and so other weights, are farther away
    assert matrix.iou().tolist() == pytest.approx(first["iou"], abs=near)
    assert all(matrix.iou().tolist() != pytest.approx(row["iou"], abs=near) for row in others)


@pytest.mark.parametrize("function", [small_network, trained])
def test_an_unknown_name_is_told_the_names(function):
    with pytest.raises(ValueError, match=r"name='vnet'.*fcn32s, .*, dilated_fcn_pointwise"):
        function("vnet")


def test_the_function_is_not_hidden_by_a_module_of_its_name():
    for _ in range(2):  # importing a submodule binds its name in the package
        assert callable(segtutor.models.trained)
        assert segtutor.models.trained("unet_added_skips")


@pytest.mark.slow
def test_the_weights_are_in_the_wheel(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(iter(WheelBuilder(str(ROOT)).build(directory=str(tmp_path))))
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(n).name for n in archive.namelist() if "/models/weights/" in n}
    assert packed == {path.name for path in FOLDER.iterdir()}
