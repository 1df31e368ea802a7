"""The loss of a network with a second head."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def auxiliary_loss(out, aux, labels, weight=0.4):
    """Cross-entropy of both heads -> one number.

    out, aux: logits (N, C, H, W). labels: (N, H, W), 255 is void. The
    auxiliary head's loss counts `weight`, the other's counts 1.
    """
    raise NotImplementedError
'''


def auxiliary_loss(out, aux, labels, weight=0.4):
    """Two losses, the second by its weight."""
    main = F.cross_entropy(out, labels, ignore_index=255)
    extra = F.cross_entropy(aux, labels, ignore_index=255)
    return main + weight * extra


def cases(generator: torch.Generator) -> list[Case]:
    """Return logits of which no two sides are alike, some pixels void, several weights."""

    def draw(n: int, c: int, h: int, w: int, **weight: float) -> Case:
        out, aux = 2 * torch.randn(2, n, c, h, w, generator=generator)
        labels = torch.randint(0, c, (n, h, w), generator=generator)
        labels[torch.rand(n, h, w, generator=generator) < 0.2] = 255
        labels[0, 0, :2] = torch.tensor([255, 0])
        return Case((out, aux, labels), weight)

    return [draw(1, 2, 3, 4), draw(2, 3, 4, 5, weight=0.4), draw(3, 5, 2, 6, weight=0.1),
            draw(2, 4, 6, 3, weight=1.0), draw(1, 6, 5, 2, weight=0.0)]  # fmt: skip


def _ce(logits, labels, **settings):
    return F.cross_entropy(logits, labels, ignore_index=255, **settings)


def _both_full(out, aux, labels, weight=0.4):
    return _ce(out, labels) + _ce(aux, labels)


def _shared_out(out, aux, labels, weight=0.4):
    return (1 - weight) * _ce(out, labels) + weight * _ce(aux, labels)


def _normalized(out, aux, labels, weight=0.4):
    return auxiliary_loss(out, aux, labels, weight) / (1 + weight)


def _exchanged(out, aux, labels, weight=0.4):
    return weight * _ce(out, labels) + _ce(aux, labels)


def _logits_mixed(out, aux, labels, weight=0.4):
    return _ce(out + weight * aux, labels)


def _void_is_class_0(out, aux, labels, weight=0.4):
    known = labels.where(labels != 255, 0)
    return F.cross_entropy(out, known) + weight * F.cross_entropy(aux, known)


def _void_in_the_mean(out, aux, labels, weight=0.4):
    return auxiliary_loss(out, aux, labels, weight) * (labels != 255).float().mean()


def _main_alone(out, aux, labels, weight=0.4):
    return _ce(out, labels)


def _toward_the_main_head(out, aux, labels, weight=0.4):
    return _ce(out, labels) + weight * F.cross_entropy(aux, out.argmax(1))


def _fixed(out, aux, labels, weight=0.4):
    return _ce(out, labels) + 0.4 * _ce(aux, labels)


def _summed(out, aux, labels, weight=0.4):
    return _ce(out, labels, reduction="sum") + weight * _ce(aux, labels, reduction="sum")


exercise = Exercise(
    name="auxiliary_loss",
    kind="function",
    minutes=8,
    difficulty=2,
    stub=STUB,
    hints=(
        "There are two losses, each with the same labels. Compute both as you would compute one: "
        "`F.cross_entropy(logits, labels, ignore_index=255)`.",
        "Add the losses, not the logits. The weight belongs to the auxiliary one alone; the main "
        "loss keeps its full size.",
    ),
    solution=auxiliary_loss,
    why=(
        "The main loss counts fully, because its head is the one that will speak; the auxiliary "
        "loss only helps the stages before it to learn. Mixed logits would be another network, "
        "whose deep half may lean on the shallow one, and would fall when that is taken away."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "auxiliary.unweighted",
            _both_full,
            "Both losses count fully: `weight` is not used.",
        ),
        Mistake(
            "auxiliary.shared",
            _shared_out,
            "You share 1 out between the two, so that the main loss loses what the other gets. The "
            "main loss counts 1.",
        ),
        Mistake(
            "auxiliary.normalized",
            _normalized,
            "You divide by 1 + weight. That is another size of the same sum: the learning rate of "
            "the paper belongs to the sum as it is.",
        ),
        Mistake(
            "auxiliary.exchanged",
            _exchanged,
            "The weight stands at the main loss. It belongs to the auxiliary one, whose head is "
            "thrown away in the end.",
        ),
        Mistake(
            "auxiliary.logits",
            _logits_mixed,
            "You added the logits and took one loss. Then the two heads are one network, and the "
            "deep one may be wrong wherever the other makes up for it. Add the losses.",
        ),
        Mistake(
            "ce.void_class",
            _void_is_class_0,
            "Void pixels count as class 0 in your loss. They are not judged: ignore_index=255.",
        ),
        Mistake(
            "ce.void_mean",
            _void_in_the_mean,
            "You divide by all pixels, void ones too. The mean is over the judged pixels.",
        ),
        Mistake("auxiliary.main_alone", _main_alone, "The auxiliary loss is missing."),
        Mistake(
            "auxiliary.pseudo",
            _toward_the_main_head,
            "Your auxiliary head learns what the main head says, right or wrong. Both learn from "
            "the labels.",
        ),
        Mistake(
            "auxiliary.fixed",
            _fixed,
            "Your weight is 0.4 whatever is handed in. Use the argument.",
        ),
        Mistake(
            "ce.sum",
            _summed,
            "These are sums over the pixels; cross-entropy takes the mean over the judged ones.",
        ),
    ),
)
