"""When to stop, and which epoch to keep."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def stop_early(scores, patience):
    """(the last epoch that is trained, the epoch that is kept), from 1.

    scores: mean IoU of each epoch, higher is better, as a list.
    Training stops after `patience` epochs in a row without one that is better
    than the best so far; as good is not better.
    """
    raise NotImplementedError
'''


def stop_early(scores, patience):
    """The best so far, and how long ago it was."""
    best = 1
    for epoch, score in enumerate(scores, start=1):
        if score > scores[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(scores), best


def cases(generator: torch.Generator) -> list[Case]:
    """Return trainings that stop, that do not, with ties, dips and late recoveries."""
    designed = [
        ([0.10, 0.30, 0.28, 0.29, 0.50, 0.60], 2),  # a better epoch comes too late
        ([0.10, 0.30, 0.28, 0.29, 0.50, 0.60], 3),  # and in time
        ([0.20, 0.40, 0.40, 0.40, 0.45], 2),  # as good is not better
        ([0.50, 0.40, 0.42, 0.44, 0.46, 0.48, 0.55], 4),  # each better than the one before
        ([0.20, 0.19, 0.30, 0.29, 0.35, 0.34, 0.36, 0.35], 2),  # one bad epoch now and then
        ([0.70, 0.60, 0.50], 1),
        ([0.30, 0.20, 0.25, 0.10], 5),  # patience is never used up
    ]
    made = [Case((scores, patience)) for scores, patience in designed]
    for length in (9, 12):
        scores = [round(s, 2) for s in torch.rand(length, generator=generator).tolist()]
        made.append(Case((scores, 3)))
    return made


def _walk(scores, patience, *, late=0, ties=False, reset=True, previous=False, sign=1):
    best, waited = 1, 0
    for epoch, score in enumerate(scores, start=1):
        rival = scores[max(epoch - 2, 0)] if previous else scores[best - 1]
        gain = sign * (score - rival)
        if epoch == 1 or gain > 0 or (ties and gain == 0):
            best = epoch if not previous or score > scores[best - 1] else best
            waited = 0 if reset else waited
        else:
            waited += 1
        if waited >= patience + late:
            return epoch, best
    return len(scores), best


def _one_more(scores, patience):
    return _walk(scores, patience, late=1)


def _one_less(scores, patience):
    return _walk(scores, patience, late=-1) if patience > 1 else (1, 1)


def _ties(scores, patience):
    return _walk(scores, patience, ties=True)


def _not_in_a_row(scores, patience):
    return _walk(scores, patience, reset=False)


def _previous(scores, patience):
    return _walk(scores, patience, previous=True)


def _lower(scores, patience):
    return _walk(scores, patience, sign=-1)


def _from_zero(scores, patience):
    last, best = stop_early(scores, patience)
    return last - 1, best - 1


def _keeps_the_last(scores, patience):
    last, _ = stop_early(scores, patience)
    return last, last


def _looks_ahead(scores, patience):
    last, _ = stop_early(scores, patience)
    return last, scores.index(max(scores)) + 1


def _swapped(scores, patience):
    last, best = stop_early(scores, patience)
    return best, last


exercise = Exercise(
    name="stop_early",
    kind="function",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "Two numbers are enough to remember: which epoch was the best so far, and which epoch it "
        "is now. Their difference is how long nothing better has come.",
        "In each epoch first look whether the score is better than the best, then whether the "
        "difference has reached `patience`. If the loop ends without that, the last epoch is the "
        "number of scores.",
    ),
    solution=stop_early,
    why=(
        "The best epoch and the present one are all there is to know. Both answers matter: "
        "stopping saves time, and keeping the best is what you have from it. The weights of the "
        "last epoch are by definition not the best ones. `fit` has both: `patience` and "
        '"best.pt".'
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "patience.one_more",
            _one_more,
            "You stop one epoch too late: with a patience of 2, two epochs without a better one "
            "are enough. Is it `>` where `>=` is meant?",
        ),
        Mistake(
            "patience.one_less",
            _one_less,
            "You stop one epoch too early: the best epoch itself is no epoch of waiting.",
        ),
        Mistake(
            "patience.ties",
            _ties,
            "An epoch that is as good as the best starts your waiting anew. Only a better one "
            "does.",
        ),
        Mistake(
            "patience.not_in_a_row",
            _not_in_a_row,
            "You count all epochs without a gain together. A better epoch has to set the count "
            "back to 0.",
        ),
        Mistake(
            "patience.previous",
            _previous,
            "You compare each epoch with the one before. A long climb back from a dip then looks "
            "like progress: compare with the best so far.",
        ),
        Mistake(
            "patience.lower",
            _lower,
            "You take the lowest score for the best. That is right for a loss; mean IoU is better "
            "when it is higher.",
        ),
        Mistake(
            "patience.from_zero",
            _from_zero,
            "Your epochs count from 0; here the first one is epoch 1.",
        ),
        Mistake(
            "patience.keeps_the_last",
            _keeps_the_last,
            "You keep the weights of the last epoch. It is the best one only if nobody had to "
            "wait: return the best epoch.",
        ),
        Mistake(
            "patience.looks_ahead",
            _looks_ahead,
            "The best epoch that you return lies after the stop: it was never trained. Look only "
            "at the epochs up to the last one.",
        ),
        Mistake(
            "patience.swapped",
            _swapped,
            "Both numbers are right, in the wrong order: first the last epoch, then the best.",
        ),
    ),
)
