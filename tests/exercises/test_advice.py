"""What is said to those who are nearly there."""

import re

from segtutor import check


def test_missing_defaults_are_shown():
    def without(n, kernel, stride, padding, dilation):
        return n

    result = check("output_size", without)
    assert result.mistake == "signature"
    assert "`output_size(n, kernel, stride=1, padding=0, dilation=1)`" in result.message


def test_a_changed_list_gets_the_advice_of_lists():
    def pops(layers):
        size, jump = 1, 1
        while layers:
            kernel, stride, dilation = layers.pop(0)
            size, jump = size + dilation * (kernel - 1) * jump, jump * stride
        return size

    result = check("receptive_field", pops)
    assert result.mistake == "mutated-input"
    assert "`list(…)`" in result.message
    assert "clone" not in result.message


def test_differences_of_bytes_do_not_wrap_around():
    def shuffled(picture):
        height, width, channels = picture.shape
        return picture.permute(2, 1, 0).flip(0).reshape(channels, height, width)

    result = check("channels_first", shuffled)
    assert result.outcome == "wrong"
    numbers = [int(n) for n in re.findall(r"-?\d+", result.details["Difference"].split("\n", 1)[1])]
    assert min(numbers) < 0


def test_shapes_alone_are_shown_where_shapes_differ():
    result = check("conv2d", lambda x, weight, bias=None, stride=1, padding=0: x)
    assert "shape" in result.message
    assert "Yours" not in result.details


def test_an_error_without_words_ends_in_a_full_stop():
    def silent(kernel, dilation=1):
        raise ValueError

    message = check("same_padding", silent).message
    assert "ValueError on `same_padding(" in message
    assert ": \n" not in message
