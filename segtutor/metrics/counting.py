"""From a prediction and a label map to a table of counts: the one pass over the pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.labels import NARROW, judged_pixels

__all__ = ["class_maps", "joint_counts"]

SHOWN = 8  # values that an error message lists
NEARBY = 1024  # a void label this close above the classes gets bins of its own


def class_maps(pred: Tensor, target: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Check what was predicted against its label map; return both as integer maps.

    Args:
        pred: Labels of any shape, or logits (N, C, H, W). Logits of one channel are a binary
            task: above 0 (sigmoid above ½) is class 1.
        target: Labels, in the shape of predicted labels, or (N, H, W) under logits.
        num_classes: C.

    Returns:
        Predicted classes and target, equal in shape. Their values are not looked at yet.
    """
    for name, value in (("pred", pred), ("target", target)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name} is {type(value).__name__}, but has to be a tensor: torch.as_tensor({name})"
            )
    if target.is_floating_point() or target.is_complex():
        swapped = target.dim() == pred.dim() + 1
        cure = (
            "the two look swapped: update(pred, target) takes the prediction first"
            if swapped
            else "a resized or normalized label map has to be made anew; whole numbers: .long()"
        )
        raise TypeError(f"target is {target.dtype}, but labels are whole numbers: {cure}")
    if pred.is_floating_point() or pred.is_complex():
        pred = _decided(pred, target, num_classes)
    if pred.shape != target.shape:
        raise ValueError(
            f"pred has shape {tuple(pred.shape)}, but target {tuple(target.shape)}: labels need "
            f"equal shapes, logits (N, C, H, W) go with labels (N, H, W){_hint(pred, target)}"
        )
    if pred.device != target.device:
        raise ValueError(
            f"pred is on {pred.device}, but target on {target.device}: bring both to one device, "
            "as in target.to(pred.device)"
        )
    return _integers(pred), _integers(target)


def joint_counts(pred: Tensor, target: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """Count how often each class of the target met each class of the prediction.

    Void pixels are not picked out, which would copy both maps: they are counted into rows of
    their own, which are cut off afterwards. The same rows show labels that should not be.

    Args:
        pred: Predicted classes, integers.
        target: Labels in the same shape.
        num_classes: C.
        ignore_index: The label of pixels that are not judged.

    Returns:
        Counts (C, C), int64; row = target, column = prediction.

    Example:
        >>> import torch
        >>> pred, target = torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 255])
        >>> joint_counts(pred, target, num_classes=2, ignore_index=255)
        tensor([[1, 1],
                [0, 1]])
    """
    if not target.numel():
        return torch.zeros(num_classes, num_classes, dtype=torch.int64, device=target.device)
    labels, void = target, ignore_index
    if not 0 <= void < num_classes + NEARBY:  # -100, say: give it the row after the classes
        target = labels.long()
        if (target == num_classes).any():  # would be taken for void there
            _refuse_target(labels, num_classes, ignore_index)
        void = num_classes
        target = target.masked_fill(target == ignore_index, void)
    # One wait for a GPU, not four.
    bounds = torch.stack([bound.long() for bound in (*pred.aminmax(), *target.aminmax())])
    pred_low, pred_high, low, high = bounds.tolist()
    if pred_low < 0 or pred_high >= num_classes:
        _refuse_pred(pred, num_classes, ignore_index)
    rows = max(void + 1, num_classes)
    if low < 0 or high >= rows:
        _refuse_target(labels, num_classes, ignore_index)

    narrow = torch.int32 if rows * num_classes < 2**31 else torch.int64  # half the memory traffic
    cells = torch.add(pred.to(narrow), target.to(narrow), alpha=num_classes).flatten()
    counts = torch.bincount(cells, minlength=rows * num_classes).reshape(rows, num_classes)
    if high >= num_classes and counts[num_classes:void].any():
        _refuse_target(labels, num_classes, ignore_index)
    counts = counts[:num_classes]
    if void < num_classes:
        counts[void] = 0  # a class that is declared void is not judged either
    return counts.clone()


def _decided(logits: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """The class of the largest logit at every pixel."""
    if logits.dim() != target.dim() + 1:
        raise ValueError(
            f"pred is {logits.dtype} of shape {tuple(logits.shape)} beside a target of shape "
            f"{tuple(target.shape)}: logits need one axis more, (N, C, H, W) beside (N, H, W); "
            f"predicted labels have to be integers{_hint(logits, target)}"
        )
    channels = logits.shape[1] if logits.dim() > 1 else 0
    if channels == 1 and num_classes == 2:
        return logits[:, 0] > 0
    if channels != num_classes:
        binary = " (one channel is a binary task: num_classes=2)" if channels == 1 else ""
        raise ValueError(
            f"pred has shape {tuple(logits.shape)}, so {channels} channels, but num_classes is "
            f"{num_classes}: logits are (N, {num_classes}, H, W){binary}"
        )
    return logits.argmax(dim=1)


def _hint(pred: Tensor, target: Tensor) -> str:
    """One more word for the shapes that people really have."""
    if target.dim() == 4 and target.shape[1] == 1:
        return "; target.squeeze(1) takes the axis of size 1 away"
    if pred.dim() == 3 and target.dim() == 3 and pred.is_floating_point():
        return "; a single picture needs pred[None] and target[None]"
    if target.dim() == pred.dim() + 1:
        return "; the two look swapped: update(pred, target) takes the prediction first"
    if pred.dim() == target.dim() + 1 and not pred.is_floating_point():
        return "; pred.argmax(dim=1) turns one-hot maps into labels"
    return ""


def _integers(labels: Tensor) -> Tensor:
    """A dtype in which PyTorch can compare and count."""
    if labels.dtype in NARROW:
        return labels
    return labels.to(torch.uint8 if labels.dtype == torch.bool else torch.int64)


def _strange(labels: Tensor, num_classes: int) -> str:
    """The values of labels that are no class."""
    found = labels.long().unique()  # a narrow dtype could not be compared with every number
    strange = found[(found < 0) | (found >= num_classes)].tolist()
    return ", ".join(map(str, strange[:SHOWN])) + (" …" if len(strange) > SHOWN else "")


def _refuse_pred(pred: Tensor, num_classes: int, ignore_index: int) -> None:
    void = ""
    if not judged_pixels(pred, ignore_index).all():
        void = f" {ignore_index} is void, which is for the target alone;"
    raise ValueError(
        f"pred contains {_strange(pred, num_classes)}:{void} a prediction chooses one of the "
        f"classes 0 to {num_classes - 1} at every pixel, void pixels included"
    )


def _refuse_target(target: Tensor, num_classes: int, ignore_index: int) -> None:
    strange = _strange(target[judged_pixels(target, ignore_index)], num_classes)
    binary = "; a task of object or not has num_classes=2" if num_classes == 1 else ""
    raise ValueError(
        f"target contains {strange}, but with {num_classes} classes labels have to be 0 to "
        f"{num_classes - 1}, or {ignore_index} for void: map the values of your files to classes "
        f"first, or say which value is void with ignore_index{binary}"
    )
