"""Take the first window that no class fills."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

VOID = 255

STUB = '''
def first_balanced(labels, corners, size, max_share=0.75):
    """labels (H, W), corners [(top, left), …], size (h, w) -> a number.

    The first window in which the most frequent class fills at most
    max_share of the pixels that are not void (255). If none is, the last.
    """
    raise NotImplementedError
'''


def first_balanced(labels, corners, size, max_share=0.75):
    """Count the classes of each window, without void, until one keeps the rule."""
    height, width = size
    for number, (top, left) in enumerate(corners):
        window = labels[top : top + height, left : left + width]
        counts = torch.bincount(window[window != VOID])
        if len(counts) and counts.max() <= max_share * counts.sum():
            return number
    return len(corners) - 1


# Windows of 2 by 8 pixels. A letter is a class, v is void.
FULL, NEARLY, NINE = "a" * 16, "a" * 15 + "b", "a" * 14 + "bc"
LIMIT, MOST, HALF, THIRD = "a" * 12 + "bbcd", "a" * 10 + "bbbcdd", "aabb" * 4, "aabbcd" * 2 + "abcd"
VOID_ALL, ALONE, FEW, PAIR = "v" * 16, "a" * 6 + "v" * 10, "bb" + "v" * 14, "aab" + "v" * 13


def _strip(windows: tuple[str, ...], generator: torch.Generator) -> torch.Tensor:
    """The windows side by side; which class a letter stands for is drawn."""
    table = dict(zip("abcd", torch.randperm(9, generator=generator).tolist(), strict=False))
    rows = [[table.get(c, VOID) for w in windows for c in w[8 * y : 8 * y + 8]] for y in (0, 1)]
    return torch.tensor(rows)


def cases(generator: torch.Generator) -> list[Case]:
    """Return windows at the limit, without a judged pixel, of one class beside void, and none."""

    def case(*windows: str, **kwargs: float) -> Case:
        corners = [(0, 8 * i) for i in range(len(windows))]
        return Case((_strip(windows, generator), corners, (2, 8)), kwargs)

    noise = torch.randint(0, 3, (9, 14), generator=generator)
    noise[:, :6], noise[3:, 6:8] = 1, VOID
    return [
        case(LIMIT, HALF),
        case(FULL, NINE, NEARLY),
        case(FULL, MOST, THIRD, LIMIT),
        case(FULL, VOID_ALL, FEW, HALF, THIRD),
        case(NEARLY, ALONE, PAIR, HALF),
        case(MOST, HALF, THIRD, max_share=0.5),
        Case((noise, [(0, 0), (5, 0), (2, 1), (4, 8), (3, 8)], (3, 6))),
    ]


def _shares(labels, corners, size):
    """For each window the share of its most frequent class; not a number where all is void."""
    found = []
    for top, left in corners:
        window = labels[top : top + size[0], left : left + size[1]]
        counts = torch.bincount(window[window != VOID], minlength=1).double()
        found.append(float(counts.max() / counts.sum()))
    return found


def _first(good, otherwise):
    return next((i for i, ok in enumerate(good) if ok), otherwise)


def _strictly_below(labels, corners, size, max_share=0.75):
    good = [share < max_share for share in _shares(labels, corners, size)]
    return _first(good, len(corners) - 1)


def _void_in_the_total(labels, corners, size, max_share=0.75):
    good = []
    for top, left in corners:
        window = labels[top : top + size[0], left : left + size[1]]
        counts = torch.bincount(window[window != VOID], minlength=1)
        good.append(bool(0 < counts.max() <= max_share * window.numel()))
    return _first(good, len(corners) - 1)


def _void_as_a_class(labels, corners, size, max_share=0.75):
    good = []
    for top, left in corners:
        counts = torch.bincount(labels[top : top + size[0], left : left + size[1]].flatten())
        good.append(bool(counts.max() <= max_share * counts.sum()))
    return _first(good, len(corners) - 1)


def _all_void_passes(labels, corners, size, max_share=0.75):
    good = [not share > max_share for share in _shares(labels, corners, size)]
    return _first(good, len(corners) - 1)


def _first_if_none(labels, corners, size, max_share=0.75):
    good = [share <= max_share for share in _shares(labels, corners, size)]
    return _first(good, 0)


def _minus_one_if_none(labels, corners, size, max_share=0.75):
    good = [share <= max_share for share in _shares(labels, corners, size)]
    return _first(good, -1)


def _the_best(labels, corners, size, max_share=0.75):
    shares = [2.0 if share != share else share for share in _shares(labels, corners, size)]
    return shares.index(min(shares))


def _the_last(labels, corners, size, max_share=0.75):
    good = [share <= max_share for share in _shares(labels, corners, size)]
    return max((i for i, ok in enumerate(good) if ok), default=len(corners) - 1)


def _two_classes(labels, corners, size, max_share=0.75):
    return _first([share < 1 for share in _shares(labels, corners, size)], len(corners) - 1)


def _share_ignored(labels, corners, size, max_share=0.75):
    return first_balanced(labels, corners, size)


def _unbalanced(labels, corners, size, max_share=0.75):
    good = [share > max_share for share in _shares(labels, corners, size)]
    return _first(good, len(corners) - 1)


exercise = Exercise(
    name="first_balanced",
    kind="function",
    minutes=20,
    difficulty=2,
    stub=STUB,
    hints=(
        "For one window: `window[window != 255]` are its judged labels, and `torch.bincount` "
        "counts how often each occurs. Compare the largest count with `max_share` times their sum.",
        "A window without any judged pixel has no counts; it teaches nothing, so it does not pass. "
        "Return inside the loop as soon as a window passes, and after it the last number.",
    ),
    solution=first_balanced,
    why=(
        "A crop that is all road teaches road, once more. DeepLab-style pipelines draw up to ten "
        "windows and take the first in which no class fills more than three quarters. Void is left "
        "out of both counts, or a window of one class beside a large void would pass for a varied "
        "one. The last is taken if none passes, so that a picture of nothing but sky costs ten "
        "looks and no error."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "aug.strictly_below",
            _strictly_below,
            "A window at exactly the limit fails with you. *At most* max_share: `<=`.",
        ),
        Mistake(
            "aug.void_in_total",
            _void_in_the_total,
            "You divide by all pixels of the window. Only those that are not void count: beside "
            "much void, a window of a single class looks balanced to you.",
        ),
        Mistake(
            "aug.void_class",
            _void_as_a_class,
            "You counted void as a class. It fills nothing: leave label 255 out before you count.",
        ),
        Mistake(
            "aug.all_void",
            _all_void_passes,
            "You took a window in which everything is void. Without a judged pixel it teaches "
            "nothing: it does not pass. (0 / 0 is not a number; no comparison with it is true.)",
        ),
        Mistake(
            "aug.none_first",
            _first_if_none,
            "If no window passes, the *last* is asked for; you return the first.",
        ),
        Mistake(
            "aug.none_minus_one",
            _minus_one_if_none,
            "If no window passes, the number of the last is asked for, not −1.",
        ),
        Mistake(
            "aug.best_window",
            _the_best,
            "You look for the best window. The first that is good enough is asked for: that is "
            "quick, and the draw stays a draw.",
        ),
        Mistake(
            "aug.last_window",
            _the_last,
            "You return the last window that passes. Stop at the first.",
        ),
        Mistake(
            "aug.two_classes",
            _two_classes,
            "Any window with two classes passes with you. A single pixel of another class is not "
            "enough: compare the largest share with max_share.",
        ),
        Mistake(
            "aug.share_ignored",
            _share_ignored,
            "It is right for 0.75. The limit is an argument: use `max_share`.",
        ),
        Mistake(
            "aug.unbalanced",
            _unbalanced,
            "You return the first window that breaks the rule. Look at your comparison.",
        ),
    ),
)
