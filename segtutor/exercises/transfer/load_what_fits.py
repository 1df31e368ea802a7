"""Load a state dict by name and shape, and say what was not loaded."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def load_what_fits(network, state):
    """Load every entry of `state` whose name and shape fit, in place.

    A "module." that DataParallel put in front of all names is taken off.
    Returns the names of the network's own state dict that were NOT loaded:
    a list of str.
    """
    raise NotImplementedError
'''


def load_what_fits():
    """Names without their prefix; what fits by name and shape is loaded, the rest returned."""

    def load(network, state):
        own = network.state_dict()  # parameters, and the statistics of batch norm
        state = {name.removeprefix("module."): value for name, value in state.items()}
        fits = {
            name: state[name]
            for name in own
            if name in state and state[name].shape == own[name].shape
        }
        network.load_state_dict(fits, strict=False)
        return [name for name in own if name not in fits]

    return load


PLAIN = ("stem", "bridge", "head")  # names that nothing taken off can harm


class _Network(nn.Module):
    """Names that end in "module" or begin with its letters, and layers of one shape."""

    def __init__(self, seed: int, classes: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6))
        self.submodule = nn.Conv2d(6, 6, 1)
        self.middle = nn.Conv2d(6, 6, 3)
        self.bridge = nn.Conv2d(6, 6, 1)
        self.head = nn.Conv2d(6, classes, 1)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for value in self.state_dict().values():
                if value.is_floating_point():
                    value.copy_(torch.rand(value.shape, generator=generator) + 0.1)


def _run(load: Callable, state: dict[str, Tensor], classes: int = 4) -> tuple[nn.Module, object]:
    network = _Network(seed=2, classes=classes)
    return network, load(network, state)


def _file(prefix: str = "", leave_out: str = " ") -> dict[str, Tensor]:
    state = _Network(seed=1).state_dict()
    return {prefix + n: v.clone() for n, v in state.items() if not n.startswith(leave_out)}


def _unloaded(network: nn.Module, names: str | tuple[str, ...] = "") -> list[str]:
    """The names among some that do not hold what the file holds."""
    right = _Network(seed=1).state_dict()
    own = network.state_dict()
    return [n for n in own if n.startswith(names) and not torch.equal(own[n], right[n])]


def _not_callable(load):
    if callable(load):
        return None
    return f"A function is asked for; this is of type `{type(load).__name__}`."


def _nothing(load):
    network, _ = _run(load, _file())
    left = [n for n in _unloaded(network, PLAIN) if n in dict(network.named_parameters())]
    if not left:
        return None
    return (
        f"The file fits in every name and shape, yet `{left[0]}` still holds its old numbers. "
        "`network.load_state_dict` writes them; a changed copy of the state dict does not."
    )


def _buffers(load):
    network, _ = _run(load, _file())
    if not (left := _unloaded(network, PLAIN)):
        return None
    return (
        f"The parameters are loaded, `{left[0]}` is not. The running statistics of batch norm are "
        "buffers: `state_dict()` has them, `named_parameters()` has not."
    )


def _prefix(load):
    network, _ = _run(load, _file("module."))
    if not (left := _unloaded(network, PLAIN)):
        return None
    return (
        f'All names of the file begin with "module.", and `{left[0]}` was not loaded. This is '
        "what a network in DataParallel saves, and what `strict=False` skips in silence."
    )


def _prefix_inside(load):
    for prefix in ("module.", ""):
        network, _ = _run(load, _file(prefix))
        if left := _unloaded(network, "submodule"):
            return (
                f'`{left[0]}` was not loaded: you took "module." off inside a name as well. '
                "`removeprefix` looks at the front only; `replace` looks everywhere."
            )
        if left := _unloaded(network):
            return (
                f"`{left[0]}` was not loaded: its own letters went off with the prefix. `lstrip` "
                "takes off letters, as many as it finds; `removeprefix` takes off the word."
            )
    return None


def _misfit(load):
    try:
        network, _ = _run(load, _file(), classes=7)
    except RuntimeError:
        return (
            "A head of 7 classes met a file with one of 4, and `load_state_dict` refused. "
            "`strict=False` forgives names, not shapes: leave out what does not fit."
        )
    if network.head.weight.shape[0] == 7:
        return None
    return "A head of 7 classes has become one of 4. Leave alone what has another shape."


def _by_order(load):
    for absent in ("bridge", "submodule"):
        network, _ = _run(load, _file(leave_out=absent))
        before = _Network(seed=2).state_dict()
        for name, value in network.state_dict().items():
            if name.startswith(absent) and not torch.equal(value, before[name]):
                return (
                    f"The file has no `{name}`, and you filled it with something else of the same "
                    "shape. What fits by shape or by order need not fit by meaning: go by the "
                    "name."
                )
    return None


def _report(load):
    network = _Network(seed=2, classes=7)
    state = {**_file("module.", leave_out="bridge"), "module.fc.weight": torch.zeros(2)}
    said = load(network, state)
    right = ["bridge.weight", "bridge.bias", "head.weight", "head.bias"]
    if isinstance(said, str) or not hasattr(said, "__iter__"):
        return (
            "Return the names that were not loaded, in a list. Whoever does not read them trains "
            "on random numbers without knowing."
        )
    if (said := {str(name) for name in said}) == set(right):
        return None
    if left := [name for name in right if name not in said]:
        return (
            f"`{left[0]}` was not loaded, and your list does not say so. Both kinds belong there: "
            "what the file lacks, and what it has in another shape."
        )
    return (
        f"Your list names `{min(said - set(right))}`. Only names of the network that were not "
        "loaded belong there; what the file has too much is another list."
    )


def _does_nothing(network, state):
    return list(network.state_dict())


def _parameters_only(network, state):
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in state:
                parameter.copy_(state[name])


def _strict_false(network, state):
    network.load_state_dict(state, strict=False)


def _replaced(network, state):
    network.load_state_dict({n.replace("module.", ""): v for n, v in state.items()}, strict=False)


def _crashes(network, state):
    network.load_state_dict({n.removeprefix("module."): v for n, v in state.items()}, strict=False)


def _by_shape(network, state):
    left = load_what_fits()(network, state)
    own = network.state_dict()
    with torch.no_grad():
        for name in left:
            twin = next((v for v in state.values() if v.shape == own[name].shape), None)
            if twin is not None:
                own[name].copy_(twin)


def _missing_only(network, state):
    load_what_fits()(network, state)
    bare = {name.removeprefix("module.") for name in state}
    return [name for name in network.state_dict() if name not in bare]


exercise = Exercise(
    name="load_what_fits",
    kind="open",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "`network.state_dict()` gives names and tensors of the network; compare `.shape` name by "
        "name and collect what fits in a dict. `name.removeprefix(…)` takes something off the "
        "front, if it is there.",
        "`network.load_state_dict(fits, strict=False)` writes what you collected and leaves the "
        "rest alone. The list to return is every name of the network that is not in your dict.",
    ),
    solution=load_what_fits,
    why=(
        "A name and a shape have to agree; then the numbers are copied. Everything else stays as "
        "it was, and that has to be said aloud, for a network that is half random trains like any "
        "other. `segtutor.training.load_matching` returns such a report, and refuses a file of "
        "which nothing fits."
    ),
    requirements=(
        Requirement("load.not_callable", "is a function", _not_callable, lambda: {}),
        Requirement("load.nothing", "loads what fits", _nothing, lambda: _does_nothing),
        Requirement("load.buffers", "loads the statistics", _buffers, lambda: _parameters_only),
        Requirement("ckpt.module", 'takes "module." off', _prefix, lambda: _strict_false),
        Requirement("ckpt.replace", "takes off no more", _prefix_inside, lambda: _replaced),
        Requirement("load.misfit", "leaves other shapes alone", _misfit, lambda: _crashes),
        Requirement("load.by_shape", "goes by names", _by_order, lambda: _by_shape),
        Requirement("load.report", "says what was not loaded", _report, lambda: _missing_only),
    ),
)
