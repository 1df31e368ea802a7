"""Parameter groups for discriminative learning rates, each parameter in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from segtutor.exercises.engine import Exercise, Requirement

STUB = '''
def rate_groups(network, learning_rate, factors):
    """Parameter groups for an optimizer: a list of {"params": …, "lr": …}.

    factors: {"encoder": 0.1} gives everything in network.encoder a tenth
    of learning_rate. Children that are not named there get all of it.
    """
    raise NotImplementedError
'''


def rate_groups():
    """One group for each child of the network, with its factor or 1."""

    def groups(network, learning_rate, factors):
        return [
            {"params": list(child.parameters()), "lr": learning_rate * factors.get(name, 1.0)}
            for name, child in network.named_children()
        ]

    return groups


class _Network(nn.Module):
    """Children whose names begin alike, and one that holds a child named like another."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.encoder_bridge = nn.Conv2d(4, 4, 1)
        self.decoder = nn.ModuleDict({"encoder": nn.Conv2d(4, 2, 1), "head": nn.Conv2d(2, 3, 1)})


RATE, FACTORS = 0.02, {"encoder": 0.1}


def _wanted(network: nn.Module, rate: float, factors: dict[str, float]) -> dict[str, float]:
    return {n: rate * factors.get(n.split(".")[0], 1.0) for n, _ in network.named_parameters()}


def _rates(make: Callable, factors: dict[str, float] = FACTORS) -> tuple[nn.Module, dict]:
    """The network, and the rates that each parameter, by its name, got from the groups."""
    network = _Network()
    names = {id(p): n for n, p in network.named_parameters()}
    found: dict[str, list[float]] = {n: [] for n in names.values()}
    for group in _listed(make(network, RATE, factors)):
        for parameter in _members(group):
            found[names[id(parameter)]].append(group.get("lr", RATE))
    return network, found


def _listed(groups: Any) -> list[dict[str, Any]]:
    return [dict(group) for group in groups]


def _members(group: dict[str, Any]) -> list[nn.Parameter]:
    members = group["params"]
    return [members] if isinstance(members, torch.Tensor) else list(members)


def _not_callable(make):
    if callable(make):
        return None
    return f"A function is asked for; this is of type `{type(make).__name__}`."


def _no_groups(make):
    network = _Network()
    own = {id(p) for p in network.parameters()}
    groups = make(network, RATE, FACTORS)  # its own errors are its own
    if isinstance(groups, Iterator):
        groups = list(groups)
    try:
        groups = _listed(groups)
        right = all(id(p) in own for group in groups for p in _members(group))
        right = right and any("lr" in group for group in groups)
    except (KeyError, TypeError, ValueError):
        right = False
    if right:
        return None
    return (
        'An optimizer takes a list of dicts, each with "params", the parameters themselves, and '
        '"lr", a number. Yours is something else; names are not parameters.'
    )


def _twice(make):
    _, found = _rates(make)
    if name := next((n for n, rates in found.items() if len(rates) > 1), None):
        return (
            f"`{name}` is in {len(found[name])} groups. An optimizer refuses that: "
            "`network.parameters()` is everything, not the rest."
        )
    return None


def _missing(make):
    _, found = _rates(make)
    if name := next((n for n, rates in found.items() if not rates), None):
        return (
            f"`{name}` is in no group, so it will never learn, and nothing will tell you. What is "
            "not named in `factors` gets the full rate."
        )
    return None


def _absolute(make):
    _, found = _rates(make)
    rate = found["encoder.0.weight"][0]
    if abs(rate - RATE * FACTORS["encoder"]) < 1e-9:
        return None
    if abs(rate - FACTORS["encoder"]) < 1e-9:
        return (
            f"With a factor of 0.1 the encoder got a learning rate of {rate:g}: that is the "
            "factor itself. It multiplies `learning_rate`."
        )
    return (
        f"With learning_rate={RATE} and a factor of 0.1, the encoder should learn at "
        f"{RATE * FACTORS['encoder']:g}; you gave it {rate:g}."
    )


def _same_letters(make):
    network, found = _rates(make)
    for name, right in _wanted(network, RATE, FACTORS).items():
        if abs(found[name][0] - right) > 1e-9:
            return (
                f"`{name}` got {found[name][0]:g} instead of {right:g}. Only the child `encoder` "
                "was meant: a name may begin with the same letters or hold them further inside."
            )
    return None


def _several(make):
    for factors in ({"decoder": 0.5, "encoder": 0.01, "encoder_bridge": 0.1}, {}):
        network, found = _rates(make, factors)
        for name, right in _wanted(network, RATE, factors).items():
            if len(found[name]) != 1 or abs(found[name][0] - right) > 1e-9:
                return (
                    f"With factors={factors}, `{name}` should learn at {right:g}, once; yours: "
                    f"{', '.join(f'{rate:g}' for rate in found[name]) or 'in no group'}. Any "
                    "child may be named, or none."
                )
    return None


def _names(network, learning_rate, factors):
    return [{"params": [name], "lr": learning_rate} for name, _ in network.named_parameters()]


def _all_again(network, learning_rate, factors):
    named = [
        {"params": getattr(network, name).parameters(), "lr": learning_rate * factor}
        for name, factor in factors.items()
    ]
    return [*named, {"params": network.parameters(), "lr": learning_rate}]


def _named_only(network, learning_rate, factors):
    return _all_again(network, learning_rate, factors)[:-1]


def _by_prefix(network, learning_rate, factors):
    return [
        {"params": [p], "lr": learning_rate * next(
            (f for prefix, f in factors.items() if name.startswith(prefix)), 1.0)}
        for name, p in network.named_parameters()
    ]  # fmt: skip


def _factor_is_rate(network, learning_rate, factors):
    return [
        {"params": child.parameters(), "lr": factors.get(name, learning_rate)}
        for name, child in network.named_children()
    ]


def _first_factor(network, learning_rate, factors):
    """Right for the one child that is named; written for one child."""
    slow = list(network.encoder.parameters())
    rest = [p for p in network.parameters() if all(p is not q for q in slow)]
    return [
        {"params": slow, "lr": learning_rate * factors.get("encoder", 1.0)},
        {"params": rest, "lr": learning_rate},
    ]


exercise = Exercise(
    name="rate_groups",
    kind="open",
    minutes=15,
    difficulty=2,
    stub=STUB,
    hints=(
        "`network.named_children()` yields each child with its name, and `child.parameters()` all "
        "that is inside. One group a child is enough.",
        "`factors.get(name, 1.0)` is the factor of a child, or 1 if it is not named. Compare "
        "whole names: `encoder_bridge` begins with `encoder` and is another child.",
    ),
    solution=rate_groups,
    why=(
        "Going child by child, every parameter comes up once, so none can be forgotten and none "
        "is there twice. The two mistakes are not equally loud: a parameter in two groups is "
        "refused by the optimizer, a parameter in none stays at its first value without a word."
    ),
    requirements=(
        Requirement("groups.not_callable", "is a function", _not_callable, lambda: []),
        Requirement("groups.no_groups", "makes parameter groups", _no_groups, lambda: _names),
        Requirement("groups.twice", "takes no parameter twice", _twice, lambda: _all_again),
        Requirement("groups.missing", "forgets no parameter", _missing, lambda: _named_only),
        Requirement("groups.absolute", "multiplies", _absolute, lambda: _factor_is_rate),
        Requirement("groups.prefix", "means whole names", _same_letters, lambda: _by_prefix),
        Requirement("groups.one_child", "serves any child", _several, lambda: _first_factor),
    ),
)
