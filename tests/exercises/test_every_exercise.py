"""Every exercise, tried by its own known mistakes. A new exercise needs nothing here."""

from __future__ import annotations

import inspect
import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import torch

import segtutor.exercises
from segtutor.exercises import CHAPTERS, check, find, hint, names, solution
from segtutor.exercises.convolution import wide_view
from segtutor.exercises.engine.values import clone, compare

EXERCISES = {name: find(name) for name in names}
FUNCTIONS = [name for name, exercise in EXERCISES.items() if exercise.kind == "function"]
SEEDS = range(20)


def answer(exercise, implementation):
    """What a learner who thinks like `implementation` hands in."""
    return implementation if exercise.kind == "function" else implementation()


def wrong_answers(exercise):
    yield from ((mistake.tag, answer(exercise, mistake.function)) for mistake in exercise.mistakes)
    yield from ((demand.tag, demand.example()) for demand in exercise.requirements)


def in_stub(exercise):
    namespace: dict = {}
    exec(exercise.stub, namespace)
    return namespace[exercise.name]


def results(implementation, cases):
    return [implementation(*clone(case.args), **clone(case.kwargs)) for case in cases]


@pytest.mark.parametrize("name", names)
def test_stub_is_not_attempted(name):
    result = check(name, in_stub(EXERCISES[name]))
    assert (result.outcome, result.mistake) == ("not attempted", None)
    assert f'hint("{name}")' in result.message


@pytest.mark.parametrize("name", names)
def test_solution_is_right_at_every_seed(name):
    exercise = EXERCISES[name]
    for seed in SEEDS if exercise.kind == "function" else [0]:
        result = check(name, answer(exercise, exercise.solution), seed=seed)
        assert result.outcome == "right", result
        assert result.mistake is None
        assert "different" not in result.message


@pytest.mark.parametrize("name", names)
def test_each_known_mistake_is_called_by_its_name(name):
    wrong = list(wrong_answers(EXERCISES[name]))
    assert len(wrong) >= 4
    for tag, thing in wrong:
        result = check(name, thing)
        assert (result.outcome, result.mistake) == ("wrong", tag), result


@pytest.mark.parametrize("name", names)
def test_an_accepted_definition_is_right_and_told_so(name):
    exercise = EXERCISES[name]
    for other in exercise.accepted:
        result = check(name, answer(exercise, other.function))
        assert result.outcome == "right"
        assert result.message == f"Accepted, but different. {other.note}"


@pytest.mark.parametrize("name", names)
def test_no_two_implementations_coincide(name):
    exercise = EXERCISES[name]
    known = [exercise.solution, *(a.function for a in exercise.accepted)]
    known += [mistake.function for mistake in exercise.mistakes]
    for seed in SEEDS:
        cases = exercise.cases(torch.Generator().manual_seed(seed))
        outputs = {function.__name__: results(function, cases) for function in known}
        assert len(outputs) == len(known)
        for one, other in combinations(outputs, 2):
            # In both directions: 2 passes for 2.0, but 2.0 does not pass for 2.
            pairs = [*zip(outputs[one], outputs[other], strict=True)]
            pairs += [(b, a) for a, b in pairs]
            assert any(compare(a, b) is not None for a, b in pairs), (one, other, seed)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_hard_coded_answer_is_wrong(name):
    exercise = EXERCISES[name]
    cases = exercise.cases(torch.Generator().manual_seed(0))
    for constant in [*results(exercise.solution, cases), 0, 1, torch.zeros(3, 2)]:
        result = check(name, lambda *args, value=constant, **kwargs: value)
        assert (result.outcome, result.mistake) == ("wrong", None), constant


@pytest.mark.parametrize("name", FUNCTIONS)
def test_zeros_of_the_right_shape_are_wrong(name):
    solve = EXERCISES[name].solution

    def zeros(*args, **kwargs):
        right = solve(*args, **kwargs)
        if isinstance(right, tuple):
            return tuple(type(item)(0) for item in right)
        return right * 0

    result = check(name, zeros)
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "expected" in result.message


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_stub_has_the_signature_of_the_solution(name):
    exercise = EXERCISES[name]
    assert inspect.signature(in_stub(exercise)) == inspect.signature(exercise.solution)
    assert inspect.getdoc(in_stub(exercise))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_has_a_default_is_passed_by_its_name(name):
    exercise = EXERCISES[name]
    required = [
        p for p in inspect.signature(exercise.solution).parameters.values() if p.default is p.empty
    ]
    for case in exercise.cases(torch.Generator().manual_seed(0)):
        assert len(case.args) == len(required)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_cases_are_designed_to_tell_axes_apart(name):
    """Some case has an array whose sizes all differ; and defaults are left to the learner."""
    exercise = EXERCISES[name]
    cases = exercise.cases(torch.Generator().manual_seed(0))
    named = [pair for case in cases for pair in zip(exercise.parameters(), case.args, strict=False)]
    # A confusion matrix is square by nature.
    shapes = [tuple(a.shape) for n, a in named if isinstance(a, torch.Tensor) and n != "matrix"]
    assert not shapes or any(len(set(shape)) == len(shape) for shape in shapes)
    if any(case.kwargs for case in cases):
        assert any(not case.kwargs for case in cases)


@pytest.mark.parametrize("name", names)
def test_hints_and_solution(name):
    exercise = EXERCISES[name]
    assert len(exercise.hints) >= 2
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert inspect.getdoc(exercise.solution)
    assert exercise.solution.__name__ == name
    assert hint(name, 1).message == exercise.hints[0]
    shown = solution(name)
    assert shown.message == exercise.why
    file = Path(inspect.getsourcefile(exercise.solution)).read_text()
    assert shown.listing.code in file
    body = shown.listing.code.split('"""')[-1].strip()
    assert body not in "".join(exercise.hints)


@pytest.mark.parametrize("name", names)
def test_the_file_is_well_kept(name):
    exercise = EXERCISES[name]
    assert exercise.name == name
    assert exercise.minutes > 0
    assert exercise.difficulty in (1, 2, 3, 4)
    tags = [tag for tag, _ in wrong_answers(exercise)]
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch(r"[a-z0-9]+\.[a-z0-9_]+", tag) for tag in tags), tags
    texts = [*exercise.hints, exercise.why, *(m.message for m in exercise.mistakes)]
    texts += [other.note for other in exercise.accepted]
    for text in texts:
        assert not re.search(r"\b(simply|obviously|just)\b|  ", text), text
        assert text.rstrip(")")[-1] in ".?!", text
    messages = [mistake.message for mistake in exercise.mistakes]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("name", names)
def test_the_chapter_says_what_the_exercise_says(name):
    """The stub, the minutes and the hints stand in the book as they stand in the file."""
    exercise = EXERCISES[name]
    chapter = next(chapter for chapter, members in CHAPTERS.items() if name in members)
    (path,) = Path(__file__).parents[2].glob(f"book/*/{chapter}.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    (place,) = [i for i, source in enumerate(sources) if f'check("{name}", {name})' in source]
    assert exercise.stub.strip() in sources[place]
    heads = [i for i in range(place) if sources[i].startswith("### Exercise")]
    text = "\n".join(sources[heads[-1] : place])
    assert f"{exercise.minutes} minutes" in text
    for given in exercise.hints:
        assert given in text
    assert any(f'solution("{name}")' in source for source in sources[place + 1 :])


def test_the_limits_of_wide_view_are_those_of_the_chapter():
    (path,) = Path(__file__).parents[2].glob("book/*/convolution.ipynb")
    text = path.read_text(encoding="utf-8")
    assert f"at most {wide_view.PARAMETERS:,} parameters" in text
    assert f"{wide_view.VIEW} × {wide_view.VIEW} input pixels" in text


def test_the_list_and_the_files_agree():
    root = Path(segtutor.exercises.__file__).parent
    for chapter, members in CHAPTERS.items():
        # What begins with an underscore is no exercise, but helps one.
        files = {path.stem for path in (root / chapter).glob("[!_]*.py")}
        assert files == set(members)
    folders = {path.parent.name for path in root.glob("*/__init__.py")} - {"engine"}
    assert folders == set(CHAPTERS)
    assert len(set(names)) == len(names)
