"""What networks refuse before anything breaks, each with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

__all__ = ["attention_block", "check_counts", "check_halvings", "check_numbers", "check_pictures",
           "deepest_channels", "refuse_single"]  # fmt: skip


def check_counts(**counts: int) -> None:
    """Raise unless every argument is a whole number, 1 or more.

    Args:
        counts: The arguments by their names.

    Example:
        >>> check_counts(num_classes=0)
        Traceback (most recent call last):
        ValueError: num_classes=0: at least 1 is needed
    """
    for name, value in counts.items():
        if not hasattr(value, "__index__"):
            raise TypeError(f"{name}={value!r}: a whole number is needed, such as 8")
        if value < 1:
            raise ValueError(f"{name}={value}: at least 1 is needed")


def check_numbers(name: str, numbers: Sequence[int]) -> None:
    """Raise unless an argument is a sequence of whole numbers, each 1 or more; it may be empty.

    Args:
        name: The argument's name.
        numbers: Its value.

    Example:
        >>> check_numbers("rates", (6, 0))
        Traceback (most recent call last):
        ValueError: rates=(6, 0): each is a whole number, at least 1
    """
    if isinstance(numbers, str) or not isinstance(numbers, Sequence):
        raise TypeError(f"{name}={numbers!r}: a sequence is needed, such as (6, 12) or (6,)")
    if any(not hasattr(number, "__index__") or number < 1 for number in numbers):
        raise ValueError(f"{name}={tuple(numbers)}: each is a whole number, at least 1")


def deepest_channels(backbone: nn.Module, count: int = 1) -> list[int]:
    """Channels of a backbone's last maps, the deepest last.

    Args:
        backbone: What has `channels` by name.
        count: How many maps the network reads.

    Raises:
        ValueError: The backbone has fewer.

    Example:
        >>> from segtutor.models import SmallBackbone
        >>> deepest_channels(SmallBackbone(), 2)
        [64, 128]
    """
    channels = list(backbone.channels.values())
    if len(channels) < count:
        raise ValueError(
            f"backbone: this {type(backbone).__name__} has {len(channels)} of the {count} stages "
            "that are read, the deepest and those before it; build it with more, as in "
            f"SmallBackbone(stages={max(count, 4)})"
        )
    return channels[-count:]


def attention_block(attention: Callable[[int], nn.Module] | None, channels: int) -> nn.Module:
    """Make the block for a map of so many channels; None makes one that does nothing.

    Args:
        attention: What makes it: a class such as `SqueezeExcite`, or a function.
        channels: Channels of the map.

    Returns:
        A module from (N, channels, H, W) to the same shape.

    Example:
        >>> attention_block(None, 64)
        Identity()
    """
    if attention is None:
        return nn.Identity()
    if isinstance(attention, nn.Module) or not callable(attention):
        name = type(attention).__name__
        raise TypeError(
            f"attention is a {name}: give what makes the block from a number of channels, the "
            "class itself, attention=SqueezeExcite, or a function, "
            "attention=lambda channels: SqueezeExcite(channels, reduction=4)"
        )
    return attention(channels)


def refuse_single(x: Tensor, norm: nn.Module, place: str) -> None:
    """Raise if a batch norm that sees one number of each picture is to train on one picture.

    Args:
        x: The batch, (N, C, H, W).
        norm: The normalization behind the pooling. `SyncBatchNorm` sees the other processes.
        place: What pools to one number, for the message.

    Example:
        >>> import torch
        >>> refuse_single(torch.zeros(1, 8, 5, 7), nn.BatchNorm2d(8), "image pooling")
        Traceback (most recent call last):
        ValueError: a batch of one picture cannot train here: image pooling leaves one number ...
    """
    if len(x) == 1 and norm.training and isinstance(norm, nn.BatchNorm2d):
        raise ValueError(
            f"a batch of one picture cannot train here: {place} leaves one number a channel, and "
            "batch norm, which subtracts the batch's mean, would make it 0. Take batches of two "
            "or more and leave out an incomplete last one, or call eval() or freeze() first"
        )


def check_pictures(x: Tensor, channels: int = 3) -> None:
    """Raise unless x can be a batch of pictures for a network; what every network asks first.

    Args:
        x: The batch, to be (N, channels, H, W) and floating-point.
        channels: Channels that the network reads.

    Example:
        >>> import torch
        >>> check_pictures(torch.zeros(3, 64, 96))
        Traceback (most recent call last):
        ValueError: pictures have shape (3, 64, 96), but a network takes a batch of them, ...
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"pictures are a {type(x).__name__}: make a tensor of floats (N, C, H, W)")
    if x.dim() != 4:
        raise ValueError(
            f"pictures have shape {tuple(x.shape)}, but a network takes a batch of them, "
            "(N, C, H, W): a single picture becomes one with x[None]"
        )
    if x.shape[1] != channels:
        gray = "; give a gray picture three times with x.expand(-1, 3, -1, -1)"
        raise ValueError(
            f"pictures of {x.shape[1]} channels, but this network reads {channels}"
            + gray * (x.shape[1] == 1 and channels == 3)
        )
    if not x.is_floating_point():
        raise TypeError(f"pictures are {x.dtype}: divide by 255 to bring them into [0, 1]")
    if min(x.shape[-2:]) < 1:
        raise ValueError(f"pictures have shape {tuple(x.shape)}: a side has no pixels")


def check_halvings(x: Tensor, times: int, norm: nn.Module) -> None:
    """Raise unless pictures can be halved so often, rounding down, and trained on.

    Args:
        x: The batch, (N, C, H, W).
        times: How often the height and the width are halved.
        norm: A normalization at the deepest map.

    Example:
        >>> import torch
        >>> check_halvings(torch.zeros(1, 3, 7, 20), 3, nn.BatchNorm2d(8))
        Traceback (most recent call last):
        ValueError: a picture of 7×20 pixels cannot be halved 3 times: pad it to 8×8 or take depth=2
    """
    (height, width), smallest = x.shape[-2:], 2**times
    if min(height, width) < smallest:
        raise ValueError(
            f"a picture of {height}×{width} pixels cannot be halved {times} times: pad it to "
            f"{smallest}×{smallest} or take depth={max(min(height, width).bit_length() - 1, 1)}"
        )
    if max(height, width) < 2 * smallest:
        refuse_single(x, norm, f"halving {height}×{width} pixels {times} times")
