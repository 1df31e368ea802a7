from __future__ import annotations

import json
import re
import subprocess
import sys
from html import unescape

import pytest
import torch

from segtutor import figures
from segtutor.data import STREET_CLASSES, street_scene


def all_figures():
    image, labels = street_scene((96, 144))
    return {
        "sliding-window": figures.sliding_window(torch.eye(8), torch.ones(3, 3)),
        "receptive-field": figures.receptive_field([3, (3, 2), (3, 1, 2)]),
        "wipe": figures.wipe(image, labels, names=STREET_CLASSES),
    }


@pytest.mark.parametrize("kind", ["sliding-window", "receptive-field", "wipe"])
class TestEveryMovingFigure:
    def test_it_asks_no_one_for_anything(self, kind):
        html = all_figures()[kind].html.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//cdn|@import|url\(|\bfetch\(|XMLHttpRequest", html)

    def test_it_has_no_ids_that_two_figures_could_share(self, kind):
        assert not re.search(r"\sid=", all_figures()[kind].html)

    def test_it_carries_a_still_picture_for_pages_without_scripts(self, kind):
        light = all_figures()[kind].html.split("<script>")[0]
        assert re.search(r"<(table|svg|img)", light)
        assert "moves where its script may run" in light

    def test_its_settings_are_readable(self, kind):
        html = all_figures()[kind].html
        assert json.loads(unescape(re.search(r'data-figure="([^"]*)"', html)[1]))

    def test_there_is_one_script_and_it_ends_where_it_should(self, kind):
        html = all_figures()[kind].html
        assert html.count("</script>") == html.count("<script>") == 1
        assert f'customElements.get("seg-{kind}")' in html


def test_the_text_is_the_same_at_every_run():
    code = (
        "import hashlib, torch; from segtutor import figures; from segtutor.data import *\n"
        "x, y = street_scene((96, 144))\n"
        "f = [figures.sliding_window(torch.eye(8), torch.ones(3, 3)), "
        "figures.receptive_field([3, 3]), figures.wipe(x, y, names=STREET_CLASSES)]\n"
        "print([hashlib.sha256(g.html.encode()).hexdigest() for g in f])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_the_wipe_of_the_street_stays_small():
    image, labels = street_scene()
    assert len(figures.wipe(image, labels, names=STREET_CLASSES).html) < 150_000


def test_plain_text_says_what_it_is():
    texts = [repr(figure) for figure in all_figures().values()]
    assert texts == [
        "Moving figure: a 3×3 window over an 8×8 picture (open the page to move it)",
        "Moving figure: the receptive field of 3 layers (open the page to move it)",
        "Moving figure: a 96×144 picture over its label map (open the page to move it)",
    ]


def test_captions_and_names_cannot_break_the_page():
    figure = figures.sliding_window(torch.eye(3), [[1]], caption='<b>&"', alt='a <i>"b"')
    assert "&lt;b&gt;&amp;&quot;" in figure.html
    assert 'aria-label="a &lt;i&gt;&quot;b&quot;"' in figure.html
    assert figure._repr_html_() == figure.html


IMAGE, LABELS = torch.zeros(3, 4, 6), torch.zeros(4, 6, dtype=torch.int64)
EYE, KERNEL = torch.eye(5), torch.ones(3, 3)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: figures.sliding_window(torch.eye(13), KERNEL), ValueError, "12 by 12"),
        (lambda: figures.sliding_window(EYE, torch.ones(3, 2)), ValueError, "square"),
        (lambda: figures.sliding_window(EYE, KERNEL, stride=4), ValueError, "stride=4"),
        (lambda: figures.sliding_window(EYE, KERNEL, padding=-1), ValueError, "padding=-1"),
        (lambda: figures.sliding_window(EYE, KERNEL, dilation=1.5), TypeError, "dilation=1.5"),
        (lambda: figures.sliding_window(EYE, KERNEL, dilation=3), ValueError, "spans 7 pixels"),
        (lambda: figures.sliding_window(EYE * torch.nan, KERNEL), ValueError, "nan"),
        (lambda: figures.sliding_window(EYE, KERNEL, alt=" "), ValueError, "alt is empty"),
        (lambda: figures.sliding_window(EYE, KERNEL, caption=3), TypeError, "caption"),
        (lambda: figures.receptive_field([]), ValueError, "0 entries"),
        (lambda: figures.receptive_field([(3, 1, 1, 1)]), ValueError, "without padding"),
        (lambda: figures.receptive_field([(3, 5)]), ValueError, r"layers\[0\].stride=5"),
        (lambda: figures.receptive_field(["3"]), TypeError, r"layers\[0\].kernel"),
        (lambda: figures.wipe(IMAGE[0], LABELS, names="a"), ValueError, "colors has 9"),
        (lambda: figures.wipe(IMAGE[0], LABELS, names=STREET_CLASSES), ValueError, r"\(3, H, W\)"),
        (lambda: figures.wipe(IMAGE + 9, LABELS, names=STREET_CLASSES), ValueError, r"\[0, 1\]"),
        (lambda: figures.wipe(IMAGE, LABELS[1:], names=STREET_CLASSES), ValueError, "one size"),
        (lambda: figures.wipe(IMAGE, LABELS + 9, names=STREET_CLASSES), ValueError, "contain 9"),
    ],
)
def test_bad_input_is_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
