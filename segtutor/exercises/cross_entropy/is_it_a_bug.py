"""Ten lines of other people's code: which of them are bugs?"""

from __future__ import annotations

from collections.abc import Callable

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
is_it_a_bug = [
    None,  # A: F.cross_entropy(logits.log_softmax(1), labels)
    None,  # B: F.cross_entropy(logits.softmax(1), labels)
    None,  # C: F.cross_entropy(logits + 3, labels)
    None,  # D: weight (10, 90) where the paper has (1, 9), the mean taken
    None,  # E: prediction = logits.argmax(1), no softmax anywhere
    None,  # F: one channel, labels 0 and 1, F.cross_entropy
    None,  # G: F.binary_cross_entropy_with_logits(z.sigmoid(), y)
    None,  # H: z, trained as in G but without sigmoid; class 1 is z > 0.5
    None,  # I: F.cross_entropy(…, ignore_index=255, reduction="none").mean()
    None,  # J: F.cross_entropy(…, reduction="none", …)[labels != 255].mean()
]  # True for a bug, False for what changes neither loss nor prediction
"""


def is_it_a_bug():
    """True where a loss, a gradient or a prediction is not what it should be."""
    answers = {"A": False, "B": True, "C": False, "D": False, "E": False}
    answers |= {"F": True, "G": True, "H": True, "I": True, "J": False}
    return list(answers.values())


def _all_bugs():
    return [True] * 10


def _none():
    return [False] * 10


def _turned_round():
    return [not bug for bug in is_it_a_bug()]


# What somebody says who has one of the ten wrong, by letter.
_ANSWERS_TO = {
    "A": (
        "log_softmax",
        "Nine of ten. A is harmless: log-probabilities are logits too. Their powers add up to 1 "
        "already, so a second log_softmax subtracts ln 1 = 0. It is softmax that must not be "
        "taken twice.",
    ),
    "B": (
        "softmax",
        "Nine of ten. B is a bug: the softmax of probabilities is nearly even, so the loss of a "
        "perfect pixel stays at 0.55 for three classes.",
    ),
    "C": (
        "constant",
        "Nine of ten. C is harmless: the same number added to all logits of a pixel cancels in "
        "the quotient.",
    ),
    "D": (
        "weights",
        "Nine of ten. D is harmless: the mean divides by the sum of the weights, so their scale "
        "cancels.",
    ),
    "E": (
        "argmax",
        "Nine of ten. E is harmless: softmax keeps the order of the logits, so the largest logit "
        "has the largest probability.",
    ),
    "F": (
        "one_channel",
        "Nine of ten. F is a bug: the softmax of a single number is 1. At label 0 the loss is "
        "0 and teaches nothing, and label 1 does not exist.",
    ),
    "G": (
        "sigmoid",
        "Nine of ten. G is a bug: the loss takes the sigmoid itself. Taken twice, it never says "
        "less than 0.5 or more than 0.73.",
    ),
    "H": (
        "threshold",
        "Nine of ten. H is a bug: a probability of one half is a logit of 0. At z > 0.5 all "
        "pixels between 0.50 and 0.62 are lost to class 0.",
    ),
    "I": (
        "mean",
        "Nine of ten. I is a bug: void pixels come out as 0 and are counted by the mean. The more "
        "void, the smaller the loss.",
    ),
    "J": (
        "judged_mean",
        "Nine of ten. J is harmless while some pixel is judged: the mean of the judged pixels is "
        "what ignore_index computes.",
    ),
}


def _wrong_about(letter: str) -> Callable[[], list[bool]]:
    def answers() -> list[bool]:
        pairs = zip("ABCDEFGHIJ", is_it_a_bug(), strict=True)
        return [bug != (item == letter) for item, bug in pairs]

    answers.__name__ = f"_wrong_about_{letter}"
    return answers


exercise = Exercise(
    name="is_it_a_bug",
    kind="value",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Try what you doubt: draw logits, run the line and the right line beside it, and compare "
        "the losses. For a prediction, compare the classes.",
        "Five are bugs. Ask of each: what does the loss expect, logits or probabilities? What does "
        "its mean divide by? What would be the loss of a pixel that is surely right?",
    ),
    solution=is_it_a_bug,
    why=(
        "A, C and E are harmless because softmax looks at differences of logits and keeps their "
        "order; D and J because of what the mean divides by. B and G squeeze twice, F has nothing "
        "to compete with, H reads a logit as a probability, and I counts pixels that were never "
        "judged. None of the five raises an error while its labels are legal."
    ),
    mistakes=(
        *(
            Mistake(f"bug.{tag}", _wrong_about(letter), message)
            for letter, (tag, message) in _ANSWERS_TO.items()
        ),
        Mistake(
            "bug.all",
            _all_bugs,
            "You suspect all ten. Half of them compute what they should: try A beside the plain "
            "loss.",
        ),
        Mistake(
            "bug.none",
            _none,
            "You let all ten pass. Half of them are bugs: what is the loss of B when the logits "
            "are (100, 0, 0) and the label is 0?",
        ),
        Mistake(
            "bug.turned_round",
            _turned_round,
            "Every answer is the wrong way round: True stands for a bug.",
        ),
    ),
)
