"""Attention that looks around: each position becomes a weighted mean of all, by likeness.

A query is compared with every key; a softmax over the keys turns likeness into weights that sum
to one; the weights mix the values. `scaled_dot_product_attention` is that sentence, and every
block here is a choice of queries, keys and values. The blocks call PyTorch's function, which need
not store the weights where it has a fused kernel; their `maps` compute them by the sentence.

Papers: Vaswani and others, "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762 (equal to
`nn.MultiheadAttention`). Wang, Girshick, Gupta and He, "Non-local Neural Networks", CVPR 2018,
arXiv:1711.07971 (equal to timm's block; but for its three biases that cancel). Fu and others,
"Dual Attention Network for Scene Segmentation", CVPR 2019, arXiv:1809.02983 (the authors' design
in github.com/junfu1115/DANet; 328,321 parameters for the positions at 512 channels, one for the
channels).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtutor.models.attention import fewer
from segtutor.models.checks import refuse_single

__all__ = ["ChannelAttention", "DualAttention", "NonLocal", "PositionAttention", "SelfAttention",
           "attention_weights", "scaled_dot_product_attention"]  # fmt: skip


def attention_weights(query: Tensor, key: Tensor, *, scale: float | None = None) -> Tensor:
    """How much each query takes from each key: every row of the result sums to one.

    Args:
        query: (…, L, d).
        key: (…, S, d).
        scale: What the dot products are multiplied by; None: 1/√d, so that their size does not
            grow with d and the softmax does not saturate.

    Returns:
        Weights (…, L, S).

    Example:
        >>> attention_weights(torch.zeros(1, 2), torch.zeros(4, 2))
        tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    likeness = query @ key.transpose(-2, -1) * scale  # (…, L, S)
    return likeness.softmax(dim=-1)  # over the keys, not over the queries


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, *, scale: float | None = None
) -> Tensor:
    """Mix the values by how like their keys are to each query; PyTorch's function, written out.

    Args:
        query: (…, L, d).
        key: (…, S, d).
        value: (…, S, e).
        scale: What the dot products are multiplied by; None: 1/√d.

    Returns:
        One mean of the values for each query, (…, L, e).

    Example:
        >>> query, key, value = torch.randn(3, 2, 5, 4).unbind()
        >>> ours = scaled_dot_product_attention(query, key, value)
        >>> torch.allclose(ours, F.scaled_dot_product_attention(query, key, value), atol=1e-6)
        True
    """
    return attention_weights(query, key, scale=scale) @ value


class SelfAttention(nn.Module):
    """Multi-head self-attention between the positions of a map, added to it.

    Args:
        channels: Channels of the map, C.
        heads: Parts into which the channels are cut; each looks around by itself.

    Example:
        >>> block = SelfAttention(16, heads=2)
        >>> x = torch.randn(1, 16, 3, 5)
        >>> block(x).shape, block.maps(x).shape
        (torch.Size([1, 16, 3, 5]), torch.Size([1, 2, 3, 5, 3, 5]))
    """

    def __init__(self, channels: int, *, heads: int = 4) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise ValueError(f"heads={heads}: {channels} channels cannot be cut into that many")
        self.heads = heads
        self.inputs = nn.Conv2d(channels, 3 * channels, kernel_size=1)
        self.output = nn.Conv2d(channels, channels, kernel_size=1)

    def maps(self, x: Tensor) -> Tensor:
        """Return where each position looks, (N, heads, H, W, H, W): [n, h, y, x] sums to one."""
        query, key, _ = self.inputs(x).chunk(3, dim=1)
        return _weights(query, key, heads=self.heads)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map and what was found around, (N, C, H, W)."""
        query, key, value = (_tokens(part, self.heads) for part in self.inputs(x).chunk(3, dim=1))
        found = F.scaled_dot_product_attention(query, key, value)  # (N, heads, H·W, C/heads)
        return x + self.output(_as_map(found, x))


class NonLocal(nn.Module):
    """The non-local block, embedded Gaussian: it begins as the identity.

    Batch norm's factor begins at zero, so that a trained network can take the block in. Biases that
    cancel are left out: the key's in the softmax, the value's and the output's in batch norm.

    Args:
        channels: Channels of the map, C.
        reduction: How many times fewer channels queries, keys and values have.

    Example:
        >>> x = torch.randn(2, 16, 3, 5)
        >>> torch.equal(NonLocal(16)(x), x)
        True
    """

    def __init__(self, channels: int, *, reduction: int = 2) -> None:
        super().__init__()
        hidden = fewer(channels, reduction)
        self.query = nn.Conv2d(channels, hidden, kernel_size=1)
        self.key = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)
        self.value = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)
        self.output = nn.Conv2d(hidden, channels, kernel_size=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def maps(self, x: Tensor) -> Tensor:
        """Return where each position looks, (N, H, W, H, W): [n, y, x] sums to one."""
        return _weights(self.query(x), self.key(x), scale=1.0)[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Return the map and what was found around, (N, C, H, W)."""
        if x.shape[-2:] == (1, 1):
            refuse_single(x, self.norm, "a map of 1×1")
        query, key, value = (_tokens(part(x)) for part in (self.query, self.key, self.value))
        found = F.scaled_dot_product_attention(query, key, value, scale=1.0)  # (N, 1, H·W, C/2)
        return x + self.norm(self.output(_as_map(found, x)))


class PositionAttention(nn.Module):
    """DANet's attention between positions: it begins as the identity, for its gain begins at zero.

    Args:
        channels: Channels of the map, C.
        reduction: How many times fewer channels queries and keys have.

    Example:
        >>> block = PositionAttention(16)
        >>> block.maps(torch.randn(1, 16, 3, 5)).shape
        torch.Size([1, 3, 5, 3, 5])
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        hidden = fewer(channels, reduction)
        self.query = nn.Conv2d(channels, hidden, kernel_size=1)
        self.key = nn.Conv2d(channels, hidden, kernel_size=1)  # its bias, as there, cancels
        self.value = nn.Conv2d(channels, channels, kernel_size=1)
        self.gain = nn.Parameter(torch.zeros(1))

    def maps(self, x: Tensor) -> Tensor:
        """Return where each position looks, (N, H, W, H, W): [n, y, x] sums to one."""
        return _weights(self.query(x), self.key(x), scale=1.0)[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Return the map and, by the gain, what was found around, (N, C, H, W)."""
        query, key, value = (_tokens(part(x)) for part in (self.query, self.key, self.value))
        found = F.scaled_dot_product_attention(query, key, value, scale=1.0)  # (N, 1, H·W, C)
        return torch.addcmul(x, self.gain, _as_map(found, x))


class ChannelAttention(nn.Module):
    """DANet's attention between channels: each takes from those that are least like it.

    The authors subtract each row of dot products from its maximum before the softmax. A softmax
    does not see what is added to a whole row, so that is a scale of −1.

    Args:
        channels: Channels of the map, C.

    Example:
        >>> ChannelAttention(16).maps(torch.randn(1, 16, 3, 5)).shape
        torch.Size([1, 16, 16])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gain = nn.Parameter(torch.zeros(1))

    def maps(self, x: Tensor) -> Tensor:
        """Return what each channel takes from each, (N, C, C): every row sums to one."""
        return attention_weights(x.flatten(2), x.flatten(2), scale=-1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map and, by the gain, the mixed channels, (N, C, H, W)."""
        if x.shape[1] != self.channels:
            raise ValueError(f"a map of {x.shape[1]} channels: this block has {self.channels}")
        rows = x.flatten(2)  # (N, C, H·W)
        if x.is_cpu and x.dtype.itemsize > 2 and not torch.is_autocast_enabled("cpu"):
            weights = attention_weights(rows, rows, scale=-1.0)  # few: stored, not computed twice
            return torch.baddbmm(rows, self.gain * weights, rows).view_as(x)
        rows = rows[:, None]  # in half precision the sums need PyTorch's float32
        found = F.scaled_dot_product_attention(-rows, rows, rows, scale=1.0)
        return x + self.gain * found.view_as(x)


class DualAttention(nn.Module):
    """Position and channel attention side by side: `position` and `channel`, summed.

    Args:
        channels: Channels of the map, C.

    Example:
        >>> x = torch.randn(2, 16, 3, 5)
        >>> torch.equal(DualAttention(16)(x), x)
        True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.position = PositionAttention(channels)
        self.channel = ChannelAttention(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map and what both found, (N, C, H, W)."""
        return self.position(x) + self.channel(x) - x  # x stands in both


def _tokens(x: Tensor, heads: int = 1) -> Tensor:
    """(N, C, H, W) as a row for each position, (N, heads, H·W, C/heads), fit for fused kernels."""
    return x.flatten(2).unflatten(1, (heads, -1)).transpose(2, 3).contiguous()


def _as_map(tokens: Tensor, like: Tensor) -> Tensor:
    """(N, heads, H·W, C/heads) as (N, C, H, W) again."""
    return tokens.transpose(2, 3).flatten(1, 2).unflatten(2, like.shape[-2:])


def _weights(query: Tensor, key: Tensor, *, heads: int = 1, scale: float | None = None) -> Tensor:
    """Who looks where, from maps of queries and keys: (N, heads, H, W, H, W)."""
    size = query.shape[-2:]
    weights = attention_weights(_tokens(query, heads), _tokens(key, heads), scale=scale)
    return weights.unflatten(3, size).unflatten(2, size)
