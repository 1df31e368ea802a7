"""One step of the mean field of a dense CRF."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def mean_field(scores, beliefs, kernel):
    """One iteration for P pixels and C classes -> new beliefs (P, C).

    scores (P, C): log p of the network. beliefs (P, C): what each pixel
    believes now; each row sums to 1. kernel (P, P): kernel[i, j] says how
    much pixel i listens to pixel j (0 on the diagonal).
    A class costs pixel i what its neighbors believe of *other* classes,
    and minus its score. Beliefs are the softmax of minus the cost.
    """
    raise NotImplementedError
'''


def mean_field(scores, beliefs, kernel):
    """Potts: the cost of a class is what the neighbors do not believe of it."""
    cost = kernel @ (1 - beliefs) - scores
    return (-cost).softmax(1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return small fields whose kernel is not symmetric and whose beliefs are no softmax."""

    def draw(pixels: int, classes: int, strength: float) -> Case:
        scores = torch.randn(pixels, classes, generator=generator).log_softmax(1)
        beliefs = torch.randn(pixels, classes, generator=generator).softmax(1)
        kernel = strength * torch.rand(pixels, pixels, generator=generator)
        return Case((scores, beliefs, kernel.fill_diagonal_(0)))

    scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).log()
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.5, 1.0, 0.0]])
    return [
        Case((scores, scores.exp(), kernel)),
        draw(4, 3, 1.0),
        draw(6, 2, 2.0),
        draw(5, 4, 0.5),
        draw(7, 3, 3.0),
    ]


def _sign(scores, beliefs, kernel):
    return (kernel @ (1 - beliefs) - scores).softmax(1)


def _repel(scores, beliefs, kernel):
    return (scores - kernel @ beliefs).softmax(1)


def _unary_sign(scores, beliefs, kernel):
    return (kernel @ beliefs - scores).softmax(1)


def _no_scores(scores, beliefs, kernel):
    return (kernel @ beliefs).softmax(1)


def _compounded(scores, beliefs, kernel):
    return (beliefs.log() + kernel @ beliefs).softmax(1)


def _probabilities(scores, beliefs, kernel):
    return (scores.exp() + kernel @ beliefs).softmax(1)


def _over_pixels(scores, beliefs, kernel):
    return (scores + kernel @ beliefs).softmax(0)


def _transposed(scores, beliefs, kernel):
    return (scores + kernel.T @ beliefs).softmax(1)


def _initial(scores, beliefs, kernel):
    return (scores + kernel @ scores.exp()).softmax(1)


def _hard(scores, beliefs, kernel):
    votes = torch.nn.functional.one_hot(beliefs.argmax(1), beliefs.shape[1]).float()
    return (scores + kernel @ votes).softmax(1)


def _not_normalized(scores, beliefs, kernel):
    return scores + kernel @ beliefs


def _averaged(scores, beliefs, kernel):
    return (scores + kernel @ beliefs / kernel.sum(1, keepdim=True)).softmax(1)


exercise = Exercise(
    name="mean_field",
    kind="function",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "`kernel @ beliefs` is (P, C): for each pixel, what all its neighbors believe, added up "
        "with its weights. What do they believe of the *other* classes?",
        "1 − beliefs. So the cost is `kernel @ (1 - beliefs) - scores`, and softmax over the "
        "classes takes minus that. Softmax forgets what is the same for all classes of a pixel, so "
        "`scores + kernel @ beliefs` gives the same.",
    ),
    solution=mean_field,
    why=(
        "Rows of `kernel @ 1` are the same for every class, and softmax does not see what is "
        "added to all classes alike: agreeing neighbors raise a class, and that is all. The "
        "network's scores come in anew at each iteration; what changes is only what the neighbors "
        "say. `dense_crf` does this five times, with kernels over all pairs of pixels."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "crf.cost_sign",
            _sign,
            "You took the softmax of the cost itself, so the most expensive class wins. Take that "
            "of minus the cost.",
        ),
        Mistake(
            "crf.repel",
            _repel,
            "Your neighbors repel: a pixel avoids what similar pixels believe. It is *other* "
            "classes that cost.",
        ),
        Mistake(
            "crf.unary",
            _unary_sign,
            "The neighbors are right and the network is upside down: its likeliest class is your "
            "most expensive one. The cost of a class is minus its log p.",
        ),
        Mistake(
            "crf.no_scores",
            _no_scores,
            "You left the network's scores out. After some iterations, nothing of the picture "
            "would be left.",
        ),
        Mistake(
            "crf.compounded",
            _compounded,
            "You started from log(beliefs) where the network's scores belong. Neighbors would be "
            "counted again at each iteration, until every pixel is certain.",
        ),
        Mistake(
            "crf.probabilities",
            _probabilities,
            "You added probabilities where log p belongs: `scores` are logarithms already.",
        ),
        Mistake(
            "crf.over_pixels",
            _over_pixels,
            "Your softmax runs over the pixels. Each *row* sums to 1: `softmax(1)`.",
        ),
        Mistake(
            "crf.transposed",
            _transposed,
            "You let pixel j listen to pixel i: the kernel is transposed. Row i of it holds what "
            "pixel i listens to.",
        ),
        Mistake(
            "crf.first_beliefs",
            _initial,
            "The neighbors say what the network said of them, not what they believe now. Use "
            "`beliefs`.",
        ),
        Mistake(
            "crf.hard_votes",
            _hard,
            "Your neighbors vote for one class each. A mean field passes on beliefs, doubt "
            "included.",
        ),
        Mistake(
            "crf.no_softmax",
            _not_normalized,
            "These are minus the costs. Beliefs are their softmax: every row sums to 1.",
        ),
        Mistake(
            "crf.averaged",
            _averaged,
            "You divided by what each pixel listens to in all. The kernel is to be taken as it is.",
        ),
    ),
)
