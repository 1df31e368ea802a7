"""Hand a classifier's weights to SegNet's encoder, tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def encoder_from_vgg(encoder, vgg):
    """Both are state dicts: names and tensors, in the order of the layers.

    Returns a state dict for the encoder: its names, VGG's tensors. The
    layers are the same in the same order; the names are not. VGG's last
    layers, whose names begin with "classifier.", are not for us.
    """
    raise NotImplementedError
'''


def encoder_from_vgg():
    """The order of the layers decides; batch norm's running statistics come along."""

    def fill(encoder, vgg):
        theirs = [value for name, value in vgg.items() if not name.startswith("classifier.")]
        for (name, ours), value in zip(encoder.items(), theirs, strict=True):
            if ours.shape != value.shape:
                raise ValueError(f"{name}: {tuple(ours.shape)} is not {tuple(value.shape)}")
        return dict(zip(encoder, theirs, strict=True))

    return fill


WIDTHS = (2, 3, 3, 3, 3)  # more than ten modules, so that "10" comes before "2" in the alphabet


def _layers(seed: int) -> list[nn.Module]:
    """Convolutions, batch norms and ReLUs, filled with random numbers."""
    layers: list[nn.Module] = []
    for before, after in pairwise(WIDTHS):
        layers += [nn.Conv2d(before, after, 1), nn.BatchNorm2d(after), nn.ReLU()]
    generator = torch.Generator().manual_seed(seed)
    for number, value in enumerate(v for m in layers for v in m.state_dict().values()):
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.1)
        else:
            value.fill_(100 * seed + number)
    return layers


def _states() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Our encoder in stages of two layers, and VGG with its classifier."""
    layers = _layers(1)
    ours = nn.ModuleList(nn.Sequential(*layers[k : k + 6]) for k in (0, 6))
    theirs = nn.Module()
    theirs.features = nn.Sequential(*_layers(2))
    theirs.classifier = nn.Linear(3, 5)
    return dict(ours.state_dict()), dict(theirs.state_dict())


def _right() -> dict[str, Tensor]:
    encoder, vgg = _states()
    return encoder_from_vgg()(encoder, vgg)


def _not_callable(fill):
    if callable(fill):
        return None
    return f"A function is asked for; this is of type `{type(fill).__name__}`."


def _run(fill: Callable) -> dict[str, Tensor]:
    return fill(*_states())


def _names(fill):
    out, right = _run(fill), _right()
    if not isinstance(out, dict):
        return f"Return a state dict: names and tensors. This is of type `{type(out).__name__}`."
    if missing := [name for name in right if name not in out]:
        return (
            f"The encoder's `{missing[0]}` is not in what you return. Its names are the encoder's, "
            "all of them; VGG's own names fit nothing here."
        )
    if more := [name for name in out if name not in right]:
        return f"`{more[0]}` is no name of the encoder: `load_state_dict` would refuse it."
    return None


def _from_vgg(fill):
    out, (encoder, _) = _run(fill), _states()
    same = [name for name, value in out.items() if torch.equal(value, encoder[name])]
    if not same:
        return None
    if all("running" in name or "batches" in name for name in same):
        return (
            f"`{same[0]}` is still the encoder's own. The running statistics of batch norm are "
            "buffers, no parameters; without them the weights meet numbers of another scale."
        )
    return f"`{same[0]}` is still the encoder's own tensor, not VGG's."


def _shapes(fill):
    out, (encoder, _) = _run(fill), _states()
    for name, value in out.items():
        if value.shape != encoder[name].shape:
            return (
                f"`{name}` has shape {tuple(encoder[name].shape)}, and you give it "
                f"{tuple(value.shape)}. Somewhere the two lists fell out of step."
            )
    return None


def _values(fill):
    out, right = _run(fill), _right()
    wrong = [name for name in right if not torch.equal(out[name], right[name])]
    if not wrong:
        return None
    return (
        f"`{wrong[0]}` has the right shape and holds another layer's numbers. Many layers have one "
        "shape, so shape alone does not tell them apart; and in the alphabet `features.10` comes "
        "before `features.3`. Go by the order of the layers."
    )


def _refuses(fill):
    encoder, vgg = _states()
    name = next(iter(encoder))
    encoder[name] = torch.zeros(9, 9, 1, 1)
    try:
        fill(encoder, vgg)
    except Exception:
        return None
    return (
        "Given an encoder whose first convolution has another shape than VGG's, you say nothing. "
        "Going by order is a guess: check every shape, and raise an error that names the tensor."
    )


def _lists(encoder, vgg):
    return list(vgg.values())


def _parameters_only(encoder, vgg):
    right = encoder_from_vgg()(encoder, vgg)
    skipped = ("running_mean", "running_var", "num_batches_tracked")
    return {n: encoder[n] if n.endswith(skipped) else v for n, v in right.items()}


def _backwards(encoder, vgg):
    kept = [v for n, v in vgg.items() if not n.startswith("classifier.")]
    return dict(zip(encoder, reversed(kept), strict=True))


def _sorted(encoder, vgg):
    features = sorted(n for n in vgg if n.startswith("features."))
    kinds = {
        kind: [n for n in features if n.endswith("." + kind)]
        for kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    out = {}
    for name, value in encoder.items():
        same = [n for n in kinds[name.rsplit(".", 1)[1]] if vgg[n].shape == value.shape]
        out[name] = vgg[same[0]]
    return out  # fmt: skip


def _trusting(encoder, vgg):
    theirs = [value for name, value in vgg.items() if not name.startswith("classifier.")]
    return dict(zip(encoder, theirs, strict=True))


exercise = Exercise(
    name="encoder_from_vgg",
    kind="open",
    minutes=15,
    difficulty=3,
    stub=STUB,
    hints=(
        "A state dict is a dict, and remembers the order in which its layers were made. Which "
        "entries of `vgg` do you leave out? Are there then as many as in `encoder`?",
        "`dict(zip(names, tensors, strict=True))` pairs the k-th name with the k-th tensor, and "
        "complains if one list is longer. Before that, compare the shapes, pair by pair.",
    ),
    solution=encoder_from_vgg,
    why=(
        "The paper starts from VGG16's thirteen convolutions, trained to classify, and leaves its "
        "fully connected layers out. Only the order of the layers says which tensor is which: "
        "names differ between any two codes, and many tensors have one shape. So the order is "
        "taken, the shapes are checked, and the proof is that both compute the same maps."
    ),
    requirements=(
        Requirement("vgg.callable", "is a function", _not_callable, example=lambda: 3),
        Requirement(
            "vgg.names", "returns the encoder's names, all of them", _names, example=lambda: _lists
        ),
        Requirement(
            "vgg.buffers",
            "takes every tensor from VGG, running statistics too",
            _from_vgg,
            example=lambda: _parameters_only,
        ),
        Requirement("vgg.shapes", "keeps every shape", _shapes, example=lambda: _backwards),
        Requirement(
            "vgg.order", "gives every layer its own numbers", _values, example=lambda: _sorted
        ),
        Requirement(
            "vgg.refuses", "refuses what does not fit", _refuses, example=lambda: _trusting
        ),
    ),
)
