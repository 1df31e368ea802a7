"""Receptive fields: theory against brute force, measurement against theory."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segtutor.ops import Layer, layers_of, measured_receptive_field, receptive_field

LAYER = st.builds(Layer, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2))
LAYERS = st.lists(LAYER, max_size=4)


def sees(layers, position):
    """Walk down from one output position and collect every input pixel, one by one."""
    pixels = {position}
    for kernel, stride, dilation, padding in reversed(layers):
        pixels = {q * stride - padding + tap * dilation for q in pixels for tap in range(kernel)}
    return pixels


@given(LAYERS, st.integers(0, 20))
def test_theory_is_brute_force(layers, position):
    field = receptive_field(layers)
    pixels = sees(layers, position)
    assert field.span(position) == (min(pixels), max(pixels))
    assert field.size == max(pixels) - min(pixels) + 1
    assert min(sees(layers, position + 1)) - min(pixels) == field.stride
    assert field.start + position * field.stride == (min(pixels) + max(pixels)) / 2


def reads(layers, n, position):
    """The same walk on an axis of n pixels, where what lies in the padding leads nowhere."""
    sizes = [n]
    for kernel, stride, dilation, padding in layers:
        sizes.append((sizes[-1] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
    pixels = {position}
    for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        below = set().union(*(sees([layer], pixel) for pixel in pixels))
        pixels = {pixel for pixel in below if 0 <= pixel < size}
    return sorted(pixels)


def conv(vertical, horizontal):
    """A convolution with one setting for each axis."""
    pairs = {name: (getattr(vertical, name), getattr(horizontal, name)) for name in Layer._fields}
    return nn.Conv2d(1, 1, pairs.pop("kernel"), **pairs)


@settings(max_examples=60)
@given(st.lists(st.tuples(LAYER, st.integers(1, 3).map(Layer)), max_size=3))
def test_measured_is_brute_force_holes_included(pairs):
    torch.manual_seed(0)
    vertical, horizontal = [v for v, _ in pairs], [h for _, h in pairs]
    # Six pixels more than the field, so that at least one window fits whatever was drawn.
    size = tuple(receptive_field(layers).size + 6 for layers in (vertical, horizontal))
    net = nn.Sequential(*(conv(v, h) for v, h in pairs))
    middle = [n // 2 for n in net(torch.zeros(1, 1, *size)).shape[2:]]
    rows, columns = map(reads, (vertical, horizontal), size, middle)
    if not rows:  # a window that lies in the padding, and in nothing else
        with pytest.raises(ValueError, match="no input pixel influences"):
            measured_receptive_field(net, size, samples=1)
        return
    expected = torch.zeros(size, dtype=torch.bool)
    expected[torch.tensor(rows)[:, None], columns] = True
    assert torch.equal(measured_receptive_field(net, size, samples=2).support, expected)


def test_layers_are_read_off_modules():
    net = nn.Sequential(
        nn.Conv2d(3, 8, (5, 3), stride=(2, 1), padding=(2, 1), bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, dilation=2, padding="same")),
        nn.AvgPool2d(3, stride=1),
        nn.Conv2d(8, 1, 1, padding="valid"),
    )
    assert layers_of(net) == [(5, 2, 1, 2), (2, 2, 1, 0), (3, 1, 2, 2), (3, 1, 1, 0), (1, 1, 1, 0)]
    assert layers_of(net, axis=1)[0] == (3, 1, 1, 1)
    measured = measured_receptive_field(net.requires_grad_(False), (97, 97), channels=3, samples=30)
    sizes = tuple(receptive_field(layers_of(net, axis)).size for axis in (0, 1))
    assert measured.size == sizes
    assert not measured.clipped
    with pytest.raises(TypeError, match="measured_receptive_field"):
        layers_of(nn.Sequential(nn.Conv2d(1, 1, 3), nn.LSTM(3, 3)))


def test_measuring_leaves_the_module_and_the_global_generator_alone():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout2d())
    net[1].eval()  # a frozen batch norm in a network that trains
    before, state = {k: v.clone() for k, v in net.state_dict().items()}, torch.get_rng_state()
    with torch.no_grad():
        field = measured_receptive_field(net, (9, 9))
    assert field.size == (3, 3)
    assert net.training
    assert not net[1].training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_training_mode_batch_norm_is_not_taken_for_a_global_view():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)).train()
    assert measured_receptive_field(net, (17, 17)).size == (3, 3)


def test_position_clipping_and_shape():
    net = nn.Conv2d(2, 3, 5, padding=2, dtype=torch.float64)
    corner = measured_receptive_field(net, (12, 10), channels=2, position=(0, 0))
    assert corner.box == (0, 0, 2, 2)
    assert corner.clipped
    assert corner.heat.shape == (12, 10)


@pytest.mark.parametrize("position", [(0, 4), (11, 4), (5, 0), (5, 9)])
def test_clipped_at_any_of_the_four_borders(position):
    net = nn.Conv2d(1, 1, 3, padding=1)
    assert measured_receptive_field(net, (12, 10), position=position).clipped
    assert not measured_receptive_field(net, (12, 10), position=(5, 4)).clipped


def test_refusals():
    with pytest.raises(TypeError, match=r"layers\[1\]=3 has to be a Layer"):
        receptive_field([(3, 1), 3])
    with pytest.raises(ValueError, match=r"layers\[0\].dilation=0"):
        receptive_field([(3, 1, 0)])
    silent = nn.Conv2d(1, 1, 3)
    nn.init.zeros_(silent.weight)
    with pytest.raises(ValueError, match="are all weights zero"):
        measured_receptive_field(silent, (9, 9))
