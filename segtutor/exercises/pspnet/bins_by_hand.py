"""Three bins of seven numbers, with a pencil."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

ROW = (5, 0, 1, 10, 4, 2, 6)

STUB = """
# The row is 5 0 1 10 4 2 6. Write fractions as such: 1 / 3, not 0.33.
bins_by_hand = [
    None,  # the mean of the first of three bins
    None,  # ... of the second
    None,  # ... of the third
    None,  # the mean of the only bin, if there is one
    None,  # what the three means hand back to the second of the seven places
]
"""


def _mean(first: int, end: int) -> float:
    return sum(ROW[first:end]) / (end - first)


def _answer(*ends: tuple[int, int], last: float | None = None) -> list[float]:
    """The five numbers, for three bins given by their ends."""
    one, two, three = (_mean(*pair) for pair in ends)
    return [one, two, three, _mean(0, 7), one + (two - one) / 3 if last is None else last]


def bins_by_hand():
    """[0, 3), [2, 5) and [4, 7); then a third of the way from the first mean to the second."""
    return _answer((0, 3), (2, 5), (4, 7))


def _kernel_of_two():
    return _answer((0, 2), (2, 4), (4, 6))


def _rest_to_the_last():
    return _answer((0, 2), (2, 4), (4, 7))


def _kernel_of_three():
    return _answer((0, 3), (3, 6), (6, 7))


def _split_without_overlap():
    return _answer((0, 3), (3, 5), (5, 7))


def _rounded():
    return _answer((0, 2), (2, 5), (5, 7))


def _maxima():
    return [5, 10, 6, 10, 5 + 5 / 3]


def _sums():
    return [6, 15, 12, 28, 9]


def _mean_of_means():
    return [2, 5, 4, 11 / 3, 3]


def _nearest():
    return [2, 5, 4, 4, 2]


def _half_pixel():
    return [2, 5, 4, 4, 2 + 3 * (1.5 * 3 / 7 - 0.5)]


exercise = Exercise(
    name="bins_by_hand",
    kind="value",
    minutes=8,
    difficulty=1,
    stub=STUB,
    hints=(
        "Cut the row into thirds: the borders lie at 7/3 and 14/3, inside a pixel each time. Such "
        "a pixel belongs to both neighbors. So the first bin is pixels 0, 1, 2: round its end up, "
        "and the next one's beginning down.",
        "Corner on corner, the first mean lies on place 0, the second on place 3, the third on "
        "place 6. The second of the seven places is place 1: a third of the way.",
    ),
    solution=bins_by_hand,
    why=(
        "The bins are pixels 0 to 2, 2 to 4 and 4 to 6, with the means 2, 5 and 4; pixels 2 and 4 "
        "count twice. The one bin has the mean 28/7 = 4, which is not the mean of the three means: "
        "where bins overlap, some pixels count more than others. Place 1 gets 2 + (5 − 2)/3 = 3."
    ),
    mistakes=(
        Mistake(
            "bins.floor_kernel",
            _kernel_of_two,
            "Your bins are pooling windows of 7 // 3 = 2 pixels, and the last pixel is in none of "
            "them. Adaptive bins leave nothing out: their ends are rounded up.",
        ),
        Mistake(
            "bins.rest_last",
            _rest_to_the_last,
            "You gave the rest to the last bin. The borders lie at 7/3 and 14/3; a pixel that a "
            "border cuts belongs to both neighbors.",
        ),
        Mistake(
            "bins.ceil_kernel",
            _kernel_of_three,
            "Your bins are windows of 3 pixels side by side, so that the last holds a single one. "
            "Adaptive bins are of nearly one size, and overlap for it.",
        ),
        Mistake(
            "bins.split",
            _split_without_overlap,
            "You split the row without overlap, 3 + 2 + 2, as `tensor_split` does. A pixel that a "
            "border cuts belongs to both neighbors here.",
        ),
        Mistake(
            "bins.round",
            _rounded,
            "You rounded the borders 7/3 and 14/3 to the nearest pixel. A bin begins at its border "
            "rounded down and ends at its border rounded up.",
        ),
        Mistake(
            "pool.max", _maxima, "These are the largest numbers; asked is the mean of each bin."
        ),
        Mistake("pool.sum", _sums, "These are sums. Divide by the number of pixels in the bin."),
        Mistake(
            "bins.mean_of_means",
            _mean_of_means,
            "Your one bin is the mean of the three means. Pixels 2 and 4 are in two bins and count "
            "twice in it; take the mean of the seven numbers.",
        ),
        Mistake(
            "bins.nearest",
            _nearest,
            "The means are right. What is handed back is not the nearest mean, but a mixture of "
            "the two that lie on both sides: bilinear, corner on corner.",
        ),
        Mistake(
            "interpolate.align",
            _half_pixel,
            "The means are right. You enlarged by the half-pixel rule; PSPNet's author puts corner "
            "on corner, so the first mean lies exactly on the first place.",
        ),
    ),
)
