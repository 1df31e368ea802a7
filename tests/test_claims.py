"""A claim prints one line or raises with its evidence, and never passes by accident."""

import numpy as np
import pytest
import torch

from segtutor import claim, claims
from segtutor.claims import ClaimError


@pytest.mark.parametrize(
    "true", [True, np.bool_(True), np.array([True]), torch.tensor(True), torch.tensor([[True]])]
)
def test_one_line_with_a_tick(true, capsys):
    claim("water is wet", true)
    assert capsys.readouterr().out == "✓ water is wet\n"


@pytest.mark.parametrize("false", [False, np.bool_(False), torch.tensor(False)])
def test_failure_shows_the_evidence(false):
    with pytest.raises(ClaimError) as caught:
        claim("one is two", false, left=1, right=2)
    assert str(caught.value) == "✗ one is two\n    left: 1\n    right: 2"
    assert isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(
    "vague",
    [1, 0.5, "yes", None, [True], torch.tensor([True, True]), np.ones(1), torch.ones(1), len],
)
def test_only_one_boolean_will_do(vague):
    with pytest.raises(TypeError, match="needs one boolean"):
        claim("something", vague)


def test_general_statements_count_their_cases(capsys):
    claim("n² ≥ n", lambda n: n * n >= n, cases=range(1500))
    claim("sums commute", lambda a, b: a + b == b + a, cases=[(1, 2)])
    assert capsys.readouterr().out == "✓ n² ≥ n · 1,500 cases\n✓ sums commute · 1 case\n"


def test_general_statements_show_the_first_counterexample(capsys):
    with pytest.raises(ClaimError, match="fails for: 3"):
        claim("all are small", lambda n: n < 3, cases=range(10))
    assert capsys.readouterr().out == ""


def test_no_cases_prove_nothing():
    with pytest.raises(ValueError, match="tried on nothing"):
        claim("vacuous", lambda n: False, cases=[])
    with pytest.raises(TypeError, match="called on each case"):
        claim("not a function", True, cases=[1])
    with pytest.raises(TypeError, match="needs one boolean"):
        claim("vague inside", lambda n: n, cases=[1])


def test_what_was_proved_is_listed_once_and_in_order(monkeypatch, capsys):
    monkeypatch.setattr(claims, "_proven", {})
    claim("first", True)
    claim("second", lambda n: n < 9, cases=range(3))
    claim("first", True)  # a cell that is run twice proves nothing new
    with pytest.raises(ClaimError):
        claim("false", False)
    capsys.readouterr()
    claims.proven()
    assert capsys.readouterr().out == "✓ first\n✓ second · 3 cases\n"
