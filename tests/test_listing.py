"""A listing is the text of the file: highlighted where it can be, never altered."""

import inspect
import sys
from html import unescape
from re import sub

import pytest

from segtutor import show
from segtutor.labs.segnet import with_places
from segtutor.ops import ReceptiveField, conv2d, convolution


@pytest.mark.parametrize("thing", [conv2d, ReceptiveField, ReceptiveField.span, convolution])
def test_same_text_as_in_the_file(thing):
    whole = show(thing, docstring=True)
    assert whole.code == inspect.cleandoc("\n" + inspect.getsource(thing)).rstrip("\n")
    assert whole.caption.startswith("segtutor/ops/")
    # Without docstrings every line left is a line of the file, in the file's order.
    lines = iter(whole.code.splitlines())
    assert all(line in lines for line in show(thing).code.splitlines())


def test_beneath_a_decorator_its_own_file_is_named():
    listing = show(with_places)
    assert listing.caption == "segtutor/labs/segnet.py"
    assert listing.code.startswith("@torch.no_grad()")


def test_only_docstrings_are_left_out():
    short, whole = show(conv2d).code, show(conv2d, docstring=True).code
    assert "Cross-correlate with strided windows" in whole
    assert "Cross-correlate with strided windows" not in short
    without = inspect.getsource(conv2d).replace(f'    """{conv2d.__doc__}"""\n', "")
    assert short == without.rstrip("\n")


def test_html_holds_the_same_text_and_asks_for_nothing():
    listing = show(conv2d)
    html = listing._repr_html_()
    body = html[html.index("<pre") : html.index("</pre>")]
    assert unescape(sub(r"<[^>]*>", "", body)).strip("\n") == listing.code
    assert "http" not in html
    assert "<script" not in html
    assert html == show(conv2d)._repr_html_()


def test_plain_in_a_pipe_and_colored_in_a_terminal(monkeypatch):
    plain = repr(show(conv2d))
    assert plain == f"# segtutor/ops/convolution.py\n{show(conv2d).code}"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    colored = repr(show(conv2d))
    assert "\x1b[" in colored
    assert sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_no_gap_is_left_where_a_docstring_was():
    def spaced(n):
        """Followed by an empty line."""

        return n

    assert show(spaced).code == "def spaced(n):\n    return n"


def test_an_undocumented_body_stays_whole():
    def only_a_docstring():
        """Nothing else is in here."""

    assert "Nothing else" in show(only_a_docstring).code


@pytest.mark.parametrize("thing", [3, "conv2d", conv2d.__doc__, len])
def test_what_has_no_source(thing):
    with pytest.raises(TypeError, match="no Python source"):
        show(thing)
