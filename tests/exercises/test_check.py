"""The engine, beyond known mistakes: crashes, time-outs, mutation, globals, shapes, kinds."""

from __future__ import annotations

import dataclasses
import random
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check, find, hint, names, solution
from segtutor.exercises.engine import Mistake, judge

X = torch.ones(1, 1, 3, 4)
FACTOR = np.ones(1)


def conv2d(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride, padding)


# --- nothing yet


@pytest.mark.parametrize("blank", [None, ..., lambda *args, **kwargs: ...])
def test_a_blank_function_is_not_attempted(blank):
    result = check("conv2d", blank)
    assert (result.outcome, result.mistake) == ("not attempted", None)


@pytest.mark.parametrize("blank", [None, ..., [None, ...], [[None] * 3] * 3])
def test_a_blank_value_is_not_attempted(blank):
    result = check("edge_by_hand", blank)
    assert (result.outcome, result.mistake) == ("not attempted", None)


def test_a_half_filled_value_says_how_much_is_missing():
    result = check("edge_by_hand", [[1, None, 3], [4, 5, ...], [7, 8, 9]])
    assert result.outcome == "not attempted"
    assert "2 of 9" in result.message


def test_a_forgotten_return_is_asked_about():
    def prints(layers):
        size = len(layers)
        print(end=f"{size}"[:0])

    result = check("receptive_field", prints)
    assert (result.outcome, result.mistake) == ("wrong", "no-return")
    assert "`return`" in result.message


def test_a_way_without_return_is_wrong():
    def forgets(n, kernel, stride=1, padding=0, dilation=1):
        if dilation == 1:
            return (n + 2 * padding - kernel) // stride + 1

    result = check("output_size", forgets)
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "returns None" in result.message
    assert "dilation=2" in result.message


def test_a_stub_in_a_module_or_a_helper_is_not_attempted():
    class Stub(nn.Module):
        def forward(self, x, weight, bias=None, stride=1, padding=0):
            return self.convolve(x)

        def convolve(self, x):
            raise NotImplementedError("to do")

    assert check("conv2d", Stub()).outcome == "not attempted"


# --- crashes


def test_a_crash_shows_their_line_and_the_smallest_input():
    def broken(n, kernel, stride=1, padding=0, dilation=1):
        steps = n - kernel
        return steps // (stride - 1) + 1 + (padding - dilation) * 0  # their line

    result = check("output_size", broken)
    assert (result.outcome, result.mistake, result.timed_out) == ("crashed", None, False)
    assert "ZeroDivisionError" in result.message
    assert "by zero" in result.message
    assert "# their line" in result.message
    assert "in broken" in result.message
    assert f"line {broken.__code__.co_firstlineno + 2}" in result.message
    assert "`output_size(5, 3)`" in result.message  # 5 + 3: no smaller one crashes


def test_a_crash_in_a_helper_shows_the_helper_and_inside_torch_their_call():
    assert "return None + width" in check("output_size", calls_a_helper).message

    def in_torch(x, weight, bias=None, stride=1, padding=0):
        return F.pad(x, "four")

    assert 'return F.pad(x, "four")' in check("conv2d", in_torch).message


def _helper(width):
    return None + width


def calls_a_helper(n, kernel, stride=1, padding=0, dilation=1):
    return _helper(n)


def test_a_crash_on_some_inputs_is_reported_on_the_smallest_of_them():
    def broken(layers):
        if len(layers) > 1:
            raise KeyError("two")
        return find("receptive_field").solution(layers)

    result = check("receptive_field", broken)
    assert result.outcome == "crashed"
    assert "[(3, 1, 1), (3, 1, 1)]" in result.message


def test_leaving_the_program_is_a_crash_and_the_stop_button_is_not():
    def leaves(layers):
        raise SystemExit(3)

    def stopped(layers):
        raise KeyboardInterrupt

    assert "SystemExit" in check("receptive_field", leaves).message
    with pytest.raises(KeyboardInterrupt):
        check("receptive_field", stopped)


def test_not_implemented_by_torch_is_a_crash():
    def in_torch(x, weight, bias=None, stride=1, padding=0):
        return x.to("meta").cpu()  # a tensor without numbers has none to copy

    with pytest.raises(NotImplementedError):  # else this test proves nothing
        in_torch(torch.ones(2, 2), None)
    assert check("conv2d", in_torch).outcome == "crashed"


# --- time-outs


def test_an_endless_loop_is_timed_out():
    def endless(layers):
        size = 1
        while True:
            try:  # noqa: SIM105
                size += len(layers)
            except Exception:
                pass

    start = time.monotonic()
    result = check("receptive_field", endless, seconds=0.1)
    assert time.monotonic() - start < 3
    assert (result.outcome, result.timed_out, result.mistake) == ("crashed", True, None)
    assert result.message.startswith("Timed out")
    assert "loop" in result.message


def test_slow_on_every_input_is_timed_out_too():
    start = time.monotonic()
    result = check("output_size", lambda *a, **k: time.sleep(0.08) or 3, seconds=0.1)
    assert result.timed_out
    assert time.monotonic() - start < 2


def test_an_endless_module_is_timed_out():
    class Endless(nn.Conv2d):
        def forward(self, x):
            while True:
                x = x + 1

    result = check("wide_view", Endless(1, 1, 3), seconds=0.1)
    assert (result.outcome, result.timed_out) == ("crashed", True)


# --- mutation, aliasing, globals


def test_mutation_is_noticed_although_the_result_is_right():
    def writes(x, weight, bias=None, stride=1, padding=0):
        out = conv2d(x, weight, bias, stride, padding)
        weight.view(-1)[0] += 1
        return out

    result = check("conv2d", writes)
    assert (result.outcome, result.mistake) == ("wrong", "mutated-input")
    assert "`weight`" in result.message


def test_mutation_of_a_keyword_argument_and_of_a_list():
    def writes(x, weight, bias=None, stride=1, padding=0):
        out = conv2d(x, weight, bias, stride, padding)
        if bias is not None:
            bias.zero_()
        return out

    def pops(layers):
        size = find("receptive_field").solution(layers)
        layers.pop()
        return size

    result = check("conv2d", writes)
    assert result.mistake == "mutated-input"
    assert "`bias`" in result.message
    assert check("receptive_field", pops).mistake == "mutated-input"


def test_returning_the_changed_input_itself_hides_nothing():
    def in_place(picture):
        right = picture.permute(2, 0, 1).clone()
        return picture.resize_(right.shape).copy_(right)

    assert check("channels_first", in_place).mistake == "mutated-input"


def test_one_buffer_for_all_results_is_read_in_time():
    buffer = torch.zeros((), dtype=torch.int64)

    def reuses(layers):
        return buffer.fill_(find("receptive_field").solution(layers))

    assert check("receptive_field", reuses).outcome == "right"


def reads_a_global(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(X, weight)


def reads_through_a_helper(x, weight, bias=None, stride=1, padding=0):
    return _reads_array(x)


def _reads_array(x):
    return (lambda: x * torch.as_tensor(FACTOR))()


def test_a_global_that_spoils_the_result_is_the_diagnosis():
    result = check("conv2d", reads_a_global)
    assert result.mistake == "global-tensor"
    assert result.outcome == "crashed"
    assert "`X`" in result.message
    assert "RuntimeError" in result.details["What happened"]
    result = check("conv2d", reads_through_a_helper)
    assert (result.outcome, result.mistake) == ("wrong", "global-tensor")
    assert "`FACTOR`" in result.message


def test_a_tensor_in_a_closure_is_noticed():
    kernel = torch.ones(1, 1, 2, 2)

    def reads_a_closure(x, weight, bias=None, stride=1, padding=0):
        return x[..., :1] * kernel.sum()

    result = check("conv2d", reads_a_closure)
    assert result.mistake == "global-tensor"
    assert "`kernel`" in result.message


def harmless(x, weight, bias=None, stride=1, padding=0):
    return conv2d(x, weight, bias, stride, padding) * X[0, 0, 0, 0]


def test_a_harmless_global_is_mentioned_and_a_proven_mistake_comes_first():
    result = check("conv2d", harmless)
    assert (result.outcome, result.mistake) == ("right", None)
    assert "`X`" in result.details["Note"]
    result = check("conv2d", lambda x, weight, **k: harmless(x, weight.flip(2, 3), **k))
    assert result.mistake == "conv.flip"
    assert "`X`" in result.details["Note"]


def test_names_that_are_no_tensors_are_not_noticed():
    assert check("conv2d", conv2d).details == {}


# --- what is compared


def test_wrong_in_no_known_way_shows_the_smallest_input():
    def off(x, weight, bias=None, stride=1, padding=0):
        out = conv2d(x, weight, bias, stride, padding).clone()
        out[-1, -1, -1, -1] += 2
        return out

    result = check("conv2d", off)
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "x (1, 1, 3, 4), weight (1, 1, 1, 3)" in result.message
    assert "At [0, 0, 2, 1] you have -15 where -17 is expected." in result.message
    assert set(result.details) >= {"Input x", "Input weight", "Yours", "Expected", "Difference"}
    assert result.details["Inputs"] == "0 of 10 agree"


def test_a_mistake_on_some_inputs_only_is_not_named():
    def flips_large_ones(x, weight, **options):
        return F.conv2d(x, weight.flip(2, 3) if x.shape[0] == 3 else weight, **options)

    assert check("conv2d", flips_large_ones).mistake is None


def test_a_result_that_two_known_mistakes_give_is_not_named():
    exercise = find("same_padding")
    ambiguous = dataclasses.replace(
        exercise,
        mistakes=(*exercise.mistakes, Mistake("pad.twin", exercise.mistakes[0].function, "?")),
    )
    wrong = exercise.mistakes[0].function
    assert judge(exercise, wrong, seed=0, seconds=None).mistake == exercise.mistakes[0].tag
    assert judge(ambiguous, wrong, seed=0, seconds=None).mistake is None


def test_nothing_is_broadcast():
    def one_number_a_channel(x, weight, bias=None, stride=1, padding=0):
        out = torch.ones_like(conv2d(x, weight, bias, stride, padding))
        return out[:, :, :1, :1]

    assert "shape" in check("conv2d", one_number_a_channel).message
    flat = check("conv2d", lambda x, weight, **k: F.conv2d(x, weight, **k)[None])
    assert "(1, 1, 1, 3, 2)" in flat.message
    listed = check("output_size", lambda *a, **k: [find("output_size").solution(*a, **k)])
    assert (listed.outcome, listed.mistake) == ("wrong", None)
    assert "shape (1,); a single number is expected" in listed.message


def test_the_kind_of_number_is_a_message_of_its_own():
    whole = check("conv2d", lambda x, weight, **k: F.conv2d(x, weight, **k).round().long())
    assert (whole.outcome, whole.mistake) == ("wrong", None)
    assert "whole numbers (torch.int64); floating-point numbers (torch.float32)" in whole.message
    real = check("receptive_field", lambda layers: float(find("receptive_field").solution(layers)))
    assert "whole number 1 is expected. The value is right, only its type is not" in real.message
    assert "`int(…)`" in real.message
    half = check("receptive_field", lambda layers: find("receptive_field").solution(layers) + 0.5)
    assert "only its type" not in half.message
    void = find("weighted_mean").solution
    whole = check("weighted_mean", lambda *a, **k: int(v) if (v := void(*a, **k)) == 0 else v)
    assert whole.outcome == "right"
    picture = check("channels_first", lambda picture: picture.permute(2, 0, 1).float())
    assert "end with `.to(torch.uint8)`" in picture.message


def test_precision_follows_the_coarser_type_and_no_further():
    def off_by(relative, dtype):
        return lambda x, weight, **k: (F.conv2d(x, weight, **k).double() * (1 + relative)).to(dtype)

    assert check("conv2d", off_by(1e-6, torch.float32)).outcome == "right"
    assert check("conv2d", off_by(1e-4, torch.float32)).outcome == "wrong"
    assert check("conv2d", off_by(1e-4, torch.float16)).outcome == "right"
    assert check("conv2d", off_by(3e-2, torch.float16)).outcome == "wrong"
    assert check("conv2d", off_by(0, torch.bfloat16)).outcome == "right"


@pytest.mark.parametrize(
    "odd",
    [
        lambda layers: "text",
        lambda layers: {1: 2},
        lambda layers: object(),
        lambda layers: [[1], [2, 3]],
        lambda layers: np.array(["a"]),
        lambda layers: (yield),
    ],
)
def test_what_is_no_number_is_called_so(odd):
    result = check("receptive_field", odd)
    assert (result.outcome, result.mistake) == ("wrong", None)
    assert "a number is expected" in result.message
    assert " at 0x" not in repr(result)


def test_nan_is_wrong_and_prints():
    result = check("conv2d", lambda x, weight, **k: F.conv2d(x, weight, **k) * float("nan"))
    assert "nan" in result.message


def test_several_results():
    solve = find("separable_cost").solution
    one = check("separable_cost", lambda *a: solve(*a)[0])
    assert "2 results" in one.message
    three = check("separable_cost", lambda *a: (*solve(*a), 1))
    assert "3 results" in three.message
    second = check("separable_cost", lambda *a: (solve(*a)[0], solve(*a)[1] + 1))
    assert "Result 2 of 2" in second.message


def test_values_tell_which_place_is_wrong_and_not_what_is_right():
    result = check("edge_by_hand", [[-6, 6, 6], [-1, 70, 3], [2, 4, 20]])
    assert "7 of 9" in result.message
    assert "[1, 1]" in result.message
    assert "7" not in repr(result).replace("7 of 9", "")
    assert "shape (2,)" in check("edge_by_hand", [1, 2]).message


# --- how it is called


def test_a_signature_that_does_not_fit_is_explained():
    result = check("conv2d", lambda x: x)
    assert (result.outcome, result.mistake) == ("wrong", "signature")
    assert "`(x)`" in result.message
    assert "conv2d(x, weight, bias=None, stride=1, padding=0)" in result.message
    renamed = check("conv2d", lambda x, weight, b=None, s=1, p=0: conv2d(x, weight, b, s, p))
    assert renamed.mistake == "signature"


@pytest.mark.parametrize("thing", [3, torch.ones(3), "conv2d", nn.Conv2d])
def test_what_is_no_function_is_explained(thing):
    result = check("conv2d", thing)
    assert (result.outcome, result.mistake) == ("wrong", "not-a-function")
    assert 'check("conv2d", conv2d)' in result.message


def test_an_unknown_name_suggests_the_nearest():
    for function in (lambda n: check(n, 3), hint, solution):
        with pytest.raises(ValueError, match=r"'output_sise'.*'output_size'.*exercises\.names"):
            function("output_sise")
    with pytest.raises(ValueError, match=r"no exercise 'zzzz'\. All of them"):
        check("zzzz", 3)


def test_names_are_in_the_books_order():
    assert names[:2] == ("map_by_hand", "labels_from_logits")  # the first chapter's
    first = names.index("edge_by_hand")
    assert names[first : first + 3] == ("edge_by_hand", "output_size", "conv2d")


# --- what is left as it was


def test_generators_and_modes_are_left_as_they_were():
    def restless(x, weight, bias=None, stride=1, padding=0):
        torch.manual_seed(1)
        np.random.seed(1)
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return conv2d(x, weight, bias, stride, padding)

    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    assert check("conv2d", restless).outcome == "right"
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert before[2] == random.getstate()
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


def test_modes_of_the_caller_do_not_matter():
    net = solution_of_wide_view()
    with torch.no_grad():
        assert check("wide_view", net).outcome == "right"
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        assert check("conv2d", conv2d).outcome == "right"
        assert check("wide_view", net).outcome == "right"
    torch.set_default_dtype(torch.float64)
    try:
        assert check("conv2d", find("conv2d").solution).outcome == "right"
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def solution_of_wide_view():
    return find("wide_view").solution()


def test_a_default_device_elsewhere_does_not_matter():
    with torch.device("meta"):
        assert check("conv2d", find("conv2d").solution).outcome == "right"


def test_the_same_check_twice_says_the_same():
    def noisy(x, weight, bias=None, stride=1, padding=0):
        return conv2d(x, weight, bias, stride, padding) + torch.rand(1)

    assert repr(check("conv2d", noisy)) == repr(check("conv2d", noisy))
    assert repr(check("conv2d", noisy)) != repr(check("conv2d", noisy, seed=1))
