"""The open exercise: what a network is wired to see, whatever it is built of."""

import pytest
import torch
from torch import nn

from segtutor import check


class Wrapped(nn.Module):
    """A right network, and something done to what goes in or comes out."""

    def __init__(self, change):
        super().__init__()
        dilations = (1, 2, 4, 8, 16)
        self.net = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=d, dilation=d) for d in dilations))
        self.change = change

    def forward(self, x):
        return self.change(self.net, x)


@pytest.mark.parametrize(
    "network",
    [
        Wrapped(lambda net, x: net(x)),
        nn.Sequential(*(nn.Conv2d(1, 1, 4, padding="same") for _ in range(20))),  # off center
        nn.Sequential(
            nn.ZeroPad2d((60, 0, 60, 0)), nn.Conv2d(1, 1, (61, 1)), nn.Conv2d(1, 1, (1, 61))
        ),
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), *(nn.MaxPool2d(3, 1, 1) for _ in range(29))),
        nn.Sequential(
            *(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()) for _ in range(30))
        ),
    ],
    ids=["doubling", "even kernels", "two strips", "max pooling", "thirty layers"],
)
def test_networks_that_see_enough(network):
    assert check("wide_view", network).outcome == "right"


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda net, x: net(x)[:1], "wide.channels", "Two pictures went in and 1 came out"),
        (lambda net, x: net(x).reshape(1, 1, -1, 80), "wide.channels", "keeps its N"),
        (lambda net, x: None, "wide.channels", "returns None"),
        (lambda net, x: net(x) * 0, "wide.small", "No gradient reaches"),
        (lambda net, x: net(x).detach(), "wide.small", "No gradient reaches"),
        (lambda net, x: (net(x) > 0).float(), "wide.small", "No gradient reaches"),
        (lambda net, x: torch.zeros_like(x), "wide.small", "No gradient reaches"),
        (lambda net, x: net(x)[..., 1:], "wide.size", "Follow the size through your layers"),
    ],
)
def test_what_is_missing_is_said(change, mistake, words):
    result = check("wide_view", Wrapped(change))
    assert (result.outcome, result.mistake) == ("wrong", mistake)
    assert words in result.message


def test_layers_in_a_plain_list_are_not_seen():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Conv2d(1, 1, 3, padding=1)]

        def forward(self, x):
            return self.layers[0](x)

    assert "nn.ModuleList" in check("wide_view", Listed()).message
