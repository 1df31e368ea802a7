"""Design a way to halve a picture that does not flicker when the picture moves by a pixel."""

from __future__ import annotations

import copy

import torch
from torch import nn

from segtutor.exercises.engine import Exercise, Requirement

FLICKER = 0.3  # how much the answer to bars may change when they move by one pixel
POLE = 0.45  # of its brightness, what has to be left of a pole one pixel wide
FILLED = 0.8  # of white, how bright bars may become on the average; half of them is white

STUB = """
steady_shrink = None  # an nn.Module: (N, 1, H, W) -> (N, 1, H/2, W/2)
"""


def steady_shrink():
    """Take maxima everywhere, blur them a little, and only then leave every second one out."""
    blur = nn.Conv2d(1, 1, 3, stride=2, padding=1, padding_mode="replicate", bias=False)
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    blur.weight.data = torch.outer(row, row)[None, None]
    return nn.Sequential(nn.ReplicationPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, stride=1), blur)


def _not_a_module(thing):
    if isinstance(thing, nn.Module):
        return None
    if isinstance(thing, type) and issubclass(thing, nn.Module):
        return f"This is a class. Hand in a module made from it: `{thing.__name__}()`."
    return (
        f"A module is asked for; this is of type `{type(thing).__name__}`. `nn.Sequential(…)` "
        "makes one of a row of layers."
    )


def _halves(module):
    for height, width in ((32, 48), (16, 20), (8, 64)):
        out = _run(module, torch.rand(2, 1, height, width))
        if not isinstance(out, torch.Tensor):
            return "The module returns no tensor: does its `forward` end in `return`?"
        if out.shape != (2, 1, height // 2, width // 2):
            return (
                f"(2, 1, {height}, {width}) comes out as {tuple(out.shape)}; "
                f"(2, 1, {height // 2}, {width // 2}) is asked for. Follow the size through your "
                "layers: which of them has stride 2, and what does the padding do?"
            )
    return None


def _white_stays(module):
    out = _run(module, torch.ones(1, 1, 32, 48))
    low, high = float(out.min()), float(out.max())
    if abs(low - 1) < 0.01 and abs(high - 1) < 0.01:
        return None
    return (
        f"A white picture (1 everywhere) comes out with numbers from {low:.2f} to {high:.2f}. The "
        "weights of a blur add up to 1; and zeros in the padding darken the border."
    )


def _does_not_flicker(module):
    worst = 0.0
    for bars in (_bars(), _bars().transpose(2, 3)):
        across = 3 if bars.shape[3] > bars.shape[2] else 2
        change = _run(module, bars) - _run(module, bars.roll(1, across))
        worst = max(worst, float(change[..., 4:-4, 4:-4].abs().max()))
    if worst <= FLICKER:
        return None
    return (
        f"Bars two pixels wide change by up to {worst:.2f} when they move by one pixel; at most "
        f"{FLICKER} is allowed. Leaving out every second number of a busy map keeps or drops a bar "
        "by luck. What could be done to the map before numbers are left out?"
    )


def _keeps_the_pole(module):
    left = []
    for column in (20, 21):
        picture = torch.zeros(1, 1, 32, 48)
        picture[..., column] = 1
        left.append(float(_run(module, picture)[0, 0, 8].max()))
    if min(left) >= POLE:
        return None
    return (
        f"Of a white pole one pixel wide, {min(left):.2f} of its brightness is left where it "
        f"stands unluckily; at least {POLE} is asked for. A blur alone, or a mean, thins it out. "
        "Which operation keeps the brightest of its neighbors?"
    )


def _bars_stay_bars(module):
    mean = float(_run(module, _bars())[..., 4:-4, 4:-4].mean())
    if mean <= FILLED:
        return None
    return (
        f"Bars that are half white come out {mean:.2f} white; at most {FILLED} is allowed. A large "
        "window of maxima fills the dark gaps: take the smallest that keeps the pole."
    )


def _bars() -> torch.Tensor:
    """Upright bars: two black columns, two white ones, (1, 1, 32, 48)."""
    return torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(12).expand(1, 1, 32, 48)


def _run(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return copy.deepcopy(module).eval().to("cpu", torch.float32)(x)


def _darkened():
    return nn.Sequential(nn.AvgPool2d(3, 2, 1))  # zeros in the padding, counted


def _large_maxima():
    return nn.Sequential(nn.MaxPool2d(3, 2, 1))


exercise = Exercise(
    name="steady_shrink",
    kind="open",
    minutes=20,
    difficulty=4,
    stub=STUB,
    hints=(
        "A max pooling with stride 2 does two things at once: it takes a maximum under each "
        "window, and it leaves out three of four windows. Take the two apart, with stride 1 first.",
        "Between the maxima and the leaving out there is room for a blur, with weights such as "
        "1, 2, 1 in each direction. A convolution with stride 2 can blur and leave out in one go; "
        '`padding_mode="replicate"` keeps the border white.',
    ),
    solution=steady_shrink,
    why=(
        "Taking maxima makes bright things wide enough not to fall through the grid; the blur "
        "lets a bar fade from one place to the next instead of jumping; only then is every second "
        "number left out. This is the anti-aliased pooling of Zhang (2019). The price: dark things "
        "one pixel wide are gone, as they are with every maximum."
    ),
    requirements=(
        Requirement("steady.module", "is a module", _not_a_module, example=lambda: torch.relu),
        Requirement(
            "steady.size",
            "halves height and width",
            _halves,
            example=lambda: nn.AvgPool2d(3, 2),
        ),
        Requirement("steady.white", "keeps a white picture white", _white_stays, example=_darkened),
        Requirement(
            "steady.flicker",
            "does not flicker when the picture moves by a pixel",
            _does_not_flicker,
            example=lambda: nn.MaxPool2d(2),
        ),
        Requirement(
            "steady.pole",
            "keeps a thin pole",
            _keeps_the_pole,
            example=lambda: nn.Sequential(
                nn.ReplicationPad2d((3, 3, 3, 3)), nn.AvgPool2d(8, stride=2)
            ),
        ),
        Requirement(
            "steady.filled", "keeps dark gaps between bars", _bars_stay_bars, example=_large_maxima
        ),
    ),
)
