"""How results, hints and solutions show themselves."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import torch
import torch.nn.functional as F

import segtutor
from segtutor.exercises import check, find, hint, names, solution
from segtutor.exercises.engine import Result
from segtutor.exercises.engine.values import describe

VOID_TAGS = {"br", "hr"}


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def shown():
    wrong = check("conv2d", lambda x, weight, **k: x)
    yield wrong
    yield check("conv2d", None)
    yield check("conv2d", lambda x, weight, **k: 1 / 0)
    yield from (hint("conv2d", 1), *(solution(name) for name in names))


def test_html_is_balanced_plain_and_repeatable():
    for one, again in zip(shown(), shown(), strict=True):
        html = one._repr_html_()
        parser = Balanced()
        parser.feed(html)
        assert parser.open == []
        assert "<script" not in html
        assert "http" not in html
        assert html == again._repr_html_()
        assert repr(one) == repr(again)


def test_the_message_stands_before_the_folded_details():
    result = check("conv2d", lambda x, weight, **k: F.conv2d(x, weight, **k) * 3 + 1)
    html = result._repr_html_()
    message = html.index("Not right yet.")
    fold = html.index("<details><summary>Details")
    assert message < fold < html.index("Expected") < html.index("</details>")
    assert " open" not in html[fold : fold + 20]
    assert repr(result).index("Not right yet.") < repr(result).index("Expected")


def test_a_result_without_details_has_no_fold():
    assert "<details" not in check("conv2d", None)._repr_html_()


def test_text_of_the_learner_is_escaped():
    def crashes(layers):
        raise ValueError("<script>alert('x')</script> & `code`")

    result = check("receptive_field", crashes)
    html = result._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<code>code</code>" in html
    odd = Result("n", "wrong", "m", details={"<b>": "<i>"})._repr_html_()
    assert "<b>" not in odd
    assert "<i>" not in odd


def test_an_outcome_is_told_by_a_sign_and_a_word_too():
    for outcome, sign in zip(("not attempted", "crashed", "wrong", "right"), "○!✗✓", strict=True):
        result = Result("n", outcome, "m")
        assert repr(result).startswith(f"{sign} n: {outcome}")
        assert outcome in result._repr_html_()
        assert sign in result._repr_html_()


def test_hints_come_one_after_the_other_and_the_last_repeats():
    given = find("same_padding").hints
    first = hint("same_padding", 1)
    assert first.title == "same_padding: hint 1 of 2"
    assert [hint("same_padding").message for _ in range(3)] == [given[1], given[1], given[1]]
    hint("same_padding", 1)
    assert hint("same_padding").title == "same_padding: hint 2 of 2"
    for number in (0, 3, -1):
        with pytest.raises(ValueError, match=f"number is {number}.*hints 1 to 2"):
            hint("same_padding", number)


def test_the_first_hint_comes_first(monkeypatch):
    monkeypatch.setattr(segtutor.exercises, "_hints_given", segtutor.exercises.Counter())
    assert hint("conv2d").title == "conv2d: hint 1 of 2"
    assert hint("conv2d").title == "conv2d: hint 2 of 2"
    assert hint("output_size").title == "output_size: hint 1 of 2"


def test_a_solution_shows_code_before_the_reason():
    shown = solution("conv2d")
    text, html = repr(shown), shown._repr_html_()
    assert text.index("def conv2d(") < text.index(shown.message[:30])
    assert "F.pad" in re.sub(r"<[^>]+>", "", html)
    assert html.index("einsum") < html.index("A kernel of 3×3 has nine taps")


def test_arrays_are_described_in_a_few_lines():
    assert describe(torch.tensor([[1.0, -2.5]])) == "(1, 2)\n[[ 1. , -2.5]]"
    assert describe(torch.tensor(1.5)) == "1.5"
    assert describe(torch.zeros(2, 3, 50, 60)).count("\n") < 30
    assert describe((1, 2)) == "(1, 2)"
    assert describe("x" * 999).endswith("…")
