"""Transfer: right answers in other people's styles, and wrong ones that get their word."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d
from torchvision.transforms import v2

from segtutor.exercises import check


def normalize_by_torchvision(pictures, mean, std):
    steps = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean.tolist(), std.tolist())]
    return v2.Compose(steps)(pictures)


def normalize_by_numpy(pictures, mean, std):
    x = pictures.numpy().astype(np.float32).transpose(0, 2, 3, 1) / 255.0
    return torch.from_numpy(((x - mean.numpy()) / std.numpy()).transpose(0, 3, 1, 2))


def normalize_by_channel(pictures, mean, std):
    out = torch.empty(pictures.shape)
    for c in range(3):
        out[:, c] = (pictures[:, c].float() / 255.0 - mean[c]) / std[c]
    return out


def normalize_in_bytes(pictures, mean, std):
    return (pictures - 255 * mean.view(1, 3, 1, 1)) / (255 * std.view(1, 3, 1, 1))


def head_by_mask(weight, bias, source):
    index = torch.tensor(source)
    known = (index >= 0).to(weight.dtype)
    index = index.clamp(min=0)
    return weight[index] * known[:, None, None, None], bias[index] * known


def head_by_stacking(weight, bias, source):
    rows = [weight[s] if s != -1 else torch.zeros_like(weight[0]) for s in source]
    return torch.stack(rows), torch.tensor([bias[s].item() if s != -1 else 0.0 for s in source])


def head_with_a_row_of_zeros(weight, bias, source):
    """−1 as an index is welcome here: the last row is a new one, of zeros."""
    weight = torch.cat([weight, torch.zeros_like(weight[:1])])
    return [weight[source], torch.cat([bias, torch.zeros(1)])[source]]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("normalize_for_weights", normalize_by_torchvision),
        ("normalize_for_weights", normalize_by_numpy),
        ("normalize_for_weights", normalize_by_channel),
        ("normalize_for_weights", normalize_in_bytes),
        ("new_head", head_by_mask),
        ("new_head", head_by_stacking),
        ("new_head", head_with_a_row_of_zeros),
        ("what_still_moves", torch.tensor([36, 232, 17])),
        ("what_still_moves", (36.0, 232.0, 17.0)),
    ],
)
def test_other_styles_are_right(name, answer):
    assert check(name, answer).outcome == "right", check(name, answer)


def freeze_by_hook(encoder):
    """Just before each forward pass, back into evaluation mode."""
    for p in encoder.parameters():
        p.requires_grad = False
    for m in encoder.modules():
        if "BatchNorm" in type(m).__name__:
            m.eval()
            m.register_forward_pre_hook(lambda module, inputs: module.eval() and None)


def freeze_by_method(encoder):
    encoder.requires_grad_(False)
    encoder.eval()
    encoder.train = types.MethodType(lambda self, mode=True: self, encoder)
    return encoder


def freeze_by_replacing(encoder):
    encoder.requires_grad_(False)

    def replace(parent):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                frozen = FrozenBatchNorm2d(child.num_features, eps=child.eps)
                frozen.load_state_dict(child.state_dict())
                setattr(parent, name, frozen)
            else:
                replace(child)

    replace(encoder)
    return encoder


class FrozenEncoder(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.layers = encoder.requires_grad_(False).eval()

    def train(self, mode=True):
        return super().train(False)

    def forward(self, x):
        with torch.no_grad():
            return self.layers(x)


def freeze_by_a_forward_of_its_own(encoder):
    encoder.requires_grad_(False)
    for m in encoder.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.forward = lambda x, m=m: nn.functional.batch_norm(
                x, m.running_mean, m.running_var, m.weight, m.bias, False, 0, m.eps
            )


def freeze_by_folding(encoder):
    """Batch norm becomes part of the convolution before it."""

    def folded(parts):
        made = []
        for part in parts.eval():
            if isinstance(part, nn.BatchNorm2d):
                part = nn.utils.fusion.fuse_conv_bn_eval(made.pop(), part)
            made.append(folded(part) if isinstance(part, nn.Sequential) else part)
        return nn.Sequential(*made)

    return folded(encoder).requires_grad_(False)


@pytest.mark.parametrize(
    "freeze",
    [
        freeze_by_a_forward_of_its_own,
        freeze_by_folding,
        freeze_by_hook,
        freeze_by_method,
        freeze_by_replacing,
    ],
)
def test_every_way_to_freeze_is_right(freeze):
    result = check("freeze_batch_norm", freeze)
    assert result.outcome == "right", result


def test_a_wrapper_that_is_returned_is_right():
    def freeze(encoder):
        return FrozenEncoder(encoder)

    assert check("freeze_batch_norm", freeze).outcome == "right"


def freeze_in_no_grad(encoder):
    with torch.no_grad():
        encoder.eval()


def freeze_gradients_of_weights(encoder):
    for name, p in encoder.named_parameters():
        if "weight" in name:
            p.requires_grad = False


def freeze_children_only(encoder):
    """Looks at the first level: batch norm further inside is not found."""
    encoder.requires_grad_(False)
    for child in encoder.children():
        if isinstance(child, nn.BatchNorm2d):
            child.eval()
            child.train = lambda mode=True, child=child: child


def freeze_without_tracking(encoder):
    encoder.requires_grad_(False)
    for m in encoder.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.track_running_stats = False


@pytest.mark.parametrize(
    ("freeze", "tag"),
    [
        (freeze_in_no_grad, "frozen.gradients"),
        (freeze_gradients_of_weights, "frozen.gradients"),
        (freeze_children_only, "bn.freeze_grad"),
        (freeze_without_tracking, "bn.momentum"),
    ],
)
def test_what_learners_try_to_freeze_with(freeze, tag):
    assert check("freeze_batch_norm", freeze).mistake == tag


def load_in_place(network, state):
    not_loaded = []
    for name, tensor in network.state_dict().items():
        found = state.get(name, state.get("module." + name))
        if found is None or found.shape != tensor.shape:
            not_loaded.append(name)
        else:
            tensor.copy_(found)
    return not_loaded


def load_by_update(network, state):
    if all(name.startswith("module.") for name in state):
        state = {name[7:]: value for name, value in state.items()}
    own = network.state_dict()
    good = {k: v for k, v in state.items() if k in own and v.size() == own[k].size()}
    own.update(good)
    network.load_state_dict(own)
    return sorted(set(own) - set(good))


def load_by_answer_of_torch(network, state):
    state = {k.removeprefix("module."): v for k, v in state.items()}
    own = network.state_dict()
    fits = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    return network.load_state_dict(fits, strict=False).missing_keys


@pytest.mark.parametrize("load", [load_in_place, load_by_update, load_by_answer_of_torch])
def test_every_way_to_load_is_right(load):
    result = check("load_what_fits", load)
    assert result.outcome == "right", result


def load_a_copy(network, state):
    own = dict(network.state_dict())
    for name in own:
        if name in state:
            own[name] = state[name]
    return []


def load_always_seven(network, state):
    """Cuts seven letters off every name, prefix or not."""
    network.load_state_dict({k[7:]: v for k, v in state.items()}, strict=False)
    return []


def load_and_return_the_unexpected(network, state):
    state = {k.removeprefix("module."): v for k, v in state.items()}
    own = network.state_dict()
    fits = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fits, strict=False)
    return [k for k in state if k not in fits] + [k for k in own if k not in state]


def load_stripping_letters(network, state):
    state = {name.lstrip("module."): value for name, value in state.items()}
    return load_by_answer_of_torch(network, state)


def load_by_order(network, state):
    own = network.state_dict()
    with torch.no_grad():
        for mine, theirs in zip(own.values(), state.values(), strict=False):
            if mine.shape == theirs.shape:
                mine.copy_(theirs)
    return []


@pytest.mark.parametrize(
    ("load", "tag"),
    [
        (load_a_copy, "load.nothing"),
        (load_always_seven, "load.nothing"),
        (load_and_return_the_unexpected, "load.report"),
        (load_by_order, "load.by_shape"),
        (load_stripping_letters, "ckpt.replace"),
    ],
)
def test_what_learners_try_to_load_with(load, tag):
    assert check("load_what_fits", load).mistake == tag


def groups_by_parameter(network, learning_rate, factors):
    return [
        {"params": p, "lr": learning_rate * factors.get(name.split(".")[0], 1)}
        for name, p in network.named_parameters()
    ]


def groups_with_a_rest(network, learning_rate, factors):
    groups, rest = [], []
    for name, child in network.named_children():
        if name in factors:
            groups.append({"params": child.parameters(), "lr": factors[name] * learning_rate})
        else:
            rest += child.parameters()
    return [*groups, {"params": rest}]  # an optimizer's own rate is the full one


def groups_of_an_optimizer(network, learning_rate, factors):
    groups = groups_with_a_rest(network, learning_rate, factors)
    return torch.optim.SGD(groups, lr=learning_rate).param_groups


@pytest.mark.parametrize("make", [groups_by_parameter, groups_with_a_rest, groups_of_an_optimizer])
def test_every_way_to_group_is_right(make):
    result = check("rate_groups", make)
    assert result.outcome == "right", result


def groups_by_substring(network, learning_rate, factors):
    return [
        {"params": [p], "lr": learning_rate * (factors["encoder"] if "encoder" in n else 1)}
        for n, p in network.named_parameters()
    ]


def groups_upside_down(network, learning_rate, factors):
    return [
        {"params": c.parameters(), "lr": learning_rate / factors.get(n, 1)}
        for n, c in network.named_children()
    ]


@pytest.mark.parametrize(
    ("make", "tag"),
    [(groups_by_substring, "groups.prefix"), (groups_upside_down, "groups.absolute"),
     (lambda network, learning_rate, factors: network.parameters(), "groups.no_groups")],
)  # fmt: skip
def test_what_learners_try_to_group_with(make, tag):
    assert check("rate_groups", make).mistake == tag


def groups_by_looking_up(network, learning_rate, factors):
    return [{"params": c.parameters(), "lr": learning_rate * factors[n]}
            for n, c in network.named_children()]  # fmt: skip


def groups_looked_up_one_by_one(network, learning_rate, factors):
    for name, child in network.named_children():
        yield {"params": child.parameters(), "lr": learning_rate * factors[name]}


@pytest.mark.parametrize("make", [groups_by_looking_up, groups_looked_up_one_by_one])
def test_a_name_that_is_not_there_is_said_to_be_the_crash(make):
    result = check("rate_groups", make)
    assert result.outcome == "crashed", result
    assert "KeyError" in str(result)


def head_if_true(weight, bias, source):
    """0 is false, −1 is true."""
    made = weight.new_zeros(len(source), *weight.shape[1:]), bias.new_zeros(len(source))
    for new, old in enumerate(source):
        if old:
            made[0][new], made[1][new] = weight[old], bias[old]
    return made


def normalize_as_imagenet(pictures, mean, std):
    return v2.functional.normalize(pictures / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    ("name", "answer", "tag"),
    [
        ("new_head", head_if_true, "head.truthy"),
        ("normalize_for_weights", normalize_as_imagenet, "norm.imagenet"),
    ],
)
def test_slips_that_get_their_word(name, answer, tag):
    assert check(name, answer).mistake == tag
