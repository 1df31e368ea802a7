"""Choose rates for ASPP that fit a small map."""

from __future__ import annotations

from collections.abc import Sequence

from segtutor.exercises.deeplab.taps_inside import taps_inside as inside
from segtutor.exercises.engine import Exercise, Requirement

HEIGHT, WIDTH = 12, 20  # of the map
TAPS, SPAN = 4.5, 13

STUB = """
fitting_rates = None  # the dilations of the branches, as in [6, 12, 18]
"""


def fitting_rates():
    """Small, middle and as large as the map allows: more only for a loss."""
    return [2, 4, 6]


def _not_rates(rates):
    rates = rates.tolist() if hasattr(rates, "tolist") else rates
    if not isinstance(rates, Sequence) or isinstance(rates, str):
        return f"A list of dilations is asked for; this is of type `{type(rates).__name__}`."
    whole = [isinstance(rate, (int, float)) and rate == int(rate) for rate in rates]
    if not rates or not all(whole) or min(rates) < 1:
        return "Dilations are whole numbers from 1 on, and there is at least one."
    return None


def _too_few(rates):
    different = len({int(rate) for rate in rates})
    if different >= 3 and different == len(rates):
        return None
    return (
        f"{different} different rates in {len(rates)} branches; at least three are asked for, no "
        "two of them alike: ASPP lives on reading one map at several scales."
    )


def _beyond_the_map(rates):
    for rate in map(int, rates):
        taps = inside(HEIGHT, WIDTH, rate)
        if taps < TAPS:
            return (
                f"With rate {rate} only {taps:.2f} of the nine taps lie in a map of "
                f"{HEIGHT}×{WIDTH} on average; {TAPS:g} are asked for. The rest multiplies zeros."
            )
    return None


def _too_near(rates):
    span = 2 * max(map(int, rates)) + 1
    if span >= SPAN:
        return None
    return (
        f"Your widest branch spans {span} places; {SPAN} are asked for. The map has room for a "
        "larger rate."
    )


exercise = Exercise(
    name="fitting_rates",
    kind="open",
    minutes=10,
    difficulty=4,
    stub=STUB,
    hints=(
        "Ask `taps_inside(12, 20, rate)` of the exercise before for rates 1, 2, 3, … Where does it "
        "fall below 4.5? A 3×3 kernel of rate r spans 2·r + 1 places.",
        "The widest branch has to have rate 6 or more, and the taps allow 6 and no more. Two "
        "others below it, spread out, make it a pyramid.",
    ),
    solution=fitting_rates,
    why=(
        "Rate 6 spans 13 of 20 columns and keeps 4.8 taps in the map; rate 7 keeps 4.2. Below it "
        "anything that differs will do. The paper's 6, 12, 18 were made for maps of 33×33 (513 "
        "pixels at output stride 16): scale them with your map, not with your ambition. What is "
        "farther away belongs to image pooling."
    ),
    requirements=(
        Requirement("rates.not_rates", "is a list of dilations", _not_rates, lambda: "6, 12, 18"),
        Requirement("rates.too_few", "has three scales", _too_few, lambda: [2, 2, 4]),
        Requirement("rates.beyond", "keeps the taps in", _beyond_the_map, lambda: [6, 12, 18]),
        Requirement("rates.near", "looks far enough", _too_near, lambda: [1, 2, 3]),
    ),
)
