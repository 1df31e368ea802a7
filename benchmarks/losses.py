"""Losses beside other libraries', forward and backward: `python -m benchmarks.losses`.

The goal at 4×19×256×256, a tenth of the pixels void, on one thread: as fast as the fastest and
no more memory; Lovász-softmax twice as fast as smp's. Exits with 1 if it is missed. Libraries
that know no void are given labels without: they do less than ours, and get away with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import kornia.losses
import monai.losses
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from benchmarks.alternating import Row, line, peak_memory, ratios
from segtutor import losses

SHAPE, VOID = (4, 19, 256, 256), 255
Loss = Callable[[Tensor], Tensor]  # of the logits
Peers = dict[str, tuple[Loss, float | None]]  # with the goal


def rows() -> list[Row]:
    """Measure every loss beside its peers: time, and memory where PyTorch holds all of it."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*several_logits(), *one_logit()]
    finally:
        torch.set_num_threads(threads)


def several_logits() -> list[Row]:
    """The losses of classes that exclude each other."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    n, c, h, w = SHAPE
    x = torch.randn(SHAPE, device=device, requires_grad=True)
    full = torch.randint(c, (n, h, w), device=device)
    y = torch.where(torch.rand(n, h, w, device=device) < 0.1, VOID, full)
    channel = full[:, None]

    dice, tversky = smp.losses.DiceLoss, smp.losses.TverskyLoss
    soft = {"softmax": True, "to_onehot_y": True}
    m_dice = monai.losses.DiceLoss(batch=True, **soft)
    m_jaccard = monai.losses.DiceLoss(batch=True, jaccard=True, **soft)
    m_tversky = monai.losses.TverskyLoss(batch=True, **soft)
    m_focal = monai.losses.FocalLoss(use_softmax=True, to_onehot_y=True)
    m_boundary = monai.losses.BoundaryLoss(**soft)
    s_cross = smp.losses.SoftCrossEntropyLoss(smooth_factor=0.0, ignore_index=VOID)
    s_dice, s_tversky, s_focal, s_lovasz = (
        loss("multiclass", ignore_index=VOID)
        for loss in (dice, tversky, smp.losses.FocalLoss, smp.losses.LovaszLoss)
    )
    k_focal = {"alpha": None, "gamma": 2.0, "reduction": "mean"}
    return [
        *beside(x, "cross_entropy", lambda x: losses.cross_entropy(x, y), {
            "F.cross_entropy": (lambda x: F.cross_entropy(x, y, ignore_index=VOID), 1.0),
            "smp SoftCrossEntropyLoss": (lambda x: s_cross(x, y), 1.0),
        }),
        *beside(x, "softmax_focal_loss", lambda x: losses.softmax_focal_loss(x, y), {
            "kornia focal_loss": (lambda x: kornia.losses.focal_loss(x, full, **k_focal), 1.0),
            "monai FocalLoss": (lambda x: m_focal(x, channel), 1.0),
            "smp FocalLoss (sigmoid)": (lambda x: s_focal(x, y), 1.0),
        }),
        *beside(x, "dice_loss", lambda x: losses.dice_loss(x, y), {
            "smp DiceLoss": (lambda x: s_dice(x, y), 1.0),
            "monai DiceLoss": (lambda x: m_dice(x, channel), 1.0),
            "kornia dice_loss": (lambda x: kornia.losses.dice_loss(x, full), 1.0),
        }),
        *beside(x, "jaccard_loss", lambda x: losses.jaccard_loss(x, y), {
            "monai DiceLoss(jaccard=True)": (lambda x: m_jaccard(x, channel), 1.0),
        }),
        *beside(x, "tversky_loss", lambda x: losses.tversky_loss(x, y), {
            "smp TverskyLoss": (lambda x: s_tversky(x, y), 1.0),
            "monai TverskyLoss": (lambda x: m_tversky(x, channel), 1.0),
        }),
        *beside(x, "lovasz_softmax", lambda x: losses.lovasz_softmax(x, y), {
            "smp LovaszLoss": (lambda x: s_lovasz(x, y), 2.0),
            "kornia lovasz_softmax_loss": (
                lambda x: kornia.losses.lovasz_softmax_loss(x, full), 1.0
            ),
        }, rounds=5),
        *beside(x, "boundary_loss", lambda x: losses.boundary_loss(x, y), {
            "monai BoundaryLoss": (lambda x: m_boundary(x, channel), 1.0),
        }, rounds=3, memory=False),
    ]  # fmt: skip


def one_logit() -> list[Row]:
    """The losses of binary tasks. A peer that knows no void gets the judged pixels alone."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    n, _, h, w = SHAPE
    x = torch.randn(n, 1, h, w, device=device, requires_grad=True)
    y = torch.randint(2, (n, h, w), device=device)
    y[torch.rand(n, h, w, device=device) < 0.1] = VOID
    s_hinge = smp.losses.LovaszLoss("binary", ignore_index=VOID)

    def entropy(x: Tensor) -> Tensor:
        judged = y != VOID
        return F.binary_cross_entropy_with_logits(x[:, 0][judged], y[judged].float())

    def focal(x: Tensor) -> Tensor:
        judged = y != VOID
        picked = x[:, 0][judged], y[judged].float()
        return torchvision.ops.sigmoid_focal_loss(*picked, reduction="mean")

    return [
        *beside(x, "binary_cross_entropy", lambda x: losses.binary_cross_entropy(x, y), {
            "F.binary_cross_entropy_with_logits": (entropy, 1.0),
        }, rounds=30),
        *beside(x, "sigmoid_focal_loss", lambda x: losses.sigmoid_focal_loss(x, y), {
            "torchvision sigmoid_focal_loss": (focal, 1.0),
        }, rounds=30),
        *beside(x, "lovasz_hinge", lambda x: losses.lovasz_hinge(x, y), {
            "smp LovaszLoss('binary')": (lambda x: s_hinge(x, y), 1.0),
        }, rounds=10),
    ]  # fmt: skip


def beside(
    x: Tensor, name: str, ours: Loss, peers: Peers, rounds: int = 20, memory: bool = True
) -> list[Row]:
    """Rows of one loss, forward and backward."""

    def both(loss: Loss) -> Callable[[], None]:
        def run() -> None:
            loss(x).backward()
            x.grad = None

        return run

    runs = {"ours": both(ours)} | {peer: both(loss) for peer, (loss, _) in peers.items()}
    faster = ratios(runs, reference="ours", rounds=rounds)
    held = {peer: peak_memory(run) for peer, run in runs.items()} if memory else {}
    what = f"forward and backward, {'×'.join(map(str, x.shape))}"
    return [
        Row(
            what, f"losses.{name}", peer, faster[peer], goal,
            held["ours"] / held[peer] if memory else None,
        )
        for peer, (_, goal) in peers.items()
    ]  # fmt: skip


def main() -> int:
    """Measure, print, and say whether the goal is reached."""
    measured = rows()
    print(*map(line, measured), sep="\n")
    return 0 if all(row.reached for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
