"""Dense CRF: labels that agree with their neighbors and with the edges of the picture.

Paper: Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge
Potentials", NIPS 2011, arXiv:1210.5644; DeepLab V1 and V2 end with it. Every pair of pixels that
differ in label costs something: much if they are near (smoothness), more if they are near and of
one color (appearance). Mean field approximates the answer by probabilities that are independent
from pixel to pixel: each iteration, a pixel takes over what similar pixels believe. Reference
implementation: lucasb-eyer/pydensecrf with its defaults (symmetric normalization, a pixel
counts itself among its neighbors, Potts penalty).
"""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.inference.lattice import ExactFilter, LatticeFilter

__all__ = ["dense_crf"]


def dense_crf(
    logits: Tensor,
    images: Tensor,
    *,
    iterations: int = 5,
    smoothness: float = 3.0,
    smoothness_reach: float = 3.0,
    appearance: float = 10.0,
    appearance_reach: float = 80.0,
    color_reach: float = 13 / 255,
    exact: bool = False,
) -> Tensor:
    """Refine logits by the picture they were computed from, with the mean field of a dense CRF.

    Args:
        logits: (N, C, H, W): what the network says of each pixel. Not probabilities.
        images: (N, 3, H, W) in [0, 1], at the size of the logits.
        iterations: Mean-field iterations.
        smoothness: What two near pixels of different labels cost.
        smoothness_reach: How near, in pixels: the standard deviation of a Gaussian.
        appearance: What two pixels of different labels cost that are near and of one color.
        appearance_reach: How near, in pixels.
        color_reach: How much of one color: the standard deviation in units of the picture.
        exact: Sum over all pairs of pixels instead of a lattice: the reference for small
            pictures. Time grows with the square of the number of pixels.

    Returns:
        Probabilities (N, C, H, W): `argmax(dim=1)` are the refined labels.

    Raises:
        ValueError: Shapes do not fit, a reach or the number of iterations is impossible, or the
            logits are not finite.

    Example:
        >>> image = torch.zeros(1, 3, 4, 6)
        >>> image[..., 3:] = 1  # black and white; the network is wrong about one pixel
        >>> logits = torch.stack([1 - image[:, 0], image[:, 0]], dim=1) * 2
        >>> logits[0, :, 1, 1] = torch.tensor([0.0, 1.0])
        >>> dense_crf(logits, image, exact=True).argmax(dim=1)[0, 1]
        tensor([0, 0, 0, 1, 1, 1])
    """
    _check(logits, images)
    reaches = {"smoothness_reach": smoothness_reach, "appearance_reach": appearance_reach}
    for name, reach in {**reaches, "color_reach": color_reach}.items():
        if not reach > 0:
            raise ValueError(f"{name}={reach}: a standard deviation is above 0")
    if iterations < 0:
        raise ValueError(f"iterations={iterations}: take 0, which is softmax, or more")
    height, width = logits.shape[2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=logits.device, dtype=torch.float32),
        torch.arange(width, device=logits.device, dtype=torch.float32),
        indexing="ij",
    )
    place = torch.stack([columns, rows], dim=-1).flatten(0, 1)  # (H·W, 2)
    kind = ExactFilter if exact else LatticeFilter
    near = kind(place / smoothness_reach, normalized=True)
    refined = []
    for scores, image in zip(logits.float(), images.float(), strict=True):
        color = image.flatten(1).T / color_reach  # (H·W, 3)
        similar = kind(torch.cat([place / appearance_reach, color], dim=1), normalized=True)
        scores = scores.flatten(1).T.log_softmax(dim=1)  # (H·W, C): the unary term is −log p
        beliefs = scores.exp()
        for _ in range(iterations):
            # Potts: whoever agrees with me lowers my energy.
            support = scores.add(near(beliefs), alpha=smoothness)  # (H·W, C)
            beliefs = support.add_(similar(beliefs), alpha=appearance).softmax(dim=1)
        refined.append(beliefs.T.unflatten(1, (height, width)))
    return torch.stack(refined).to(logits.dtype)  # (N, C, H, W)


def _check(logits: Tensor, images: Tensor) -> None:
    if logits.ndim != 4 or images.ndim != 4:
        raise ValueError(
            f"logits {tuple(logits.shape)}, images {tuple(images.shape)}: batches are needed, "
            "(N, C, H, W) and (N, 3, H, W); one picture becomes a batch with x[None]"
        )
    if len(logits) != len(images) or logits.shape[2:] != images.shape[2:]:
        raise ValueError(
            f"logits {tuple(logits.shape)} do not fit images {tuple(images.shape)}: as many "
            "pictures, of the same height and width; enlarge the logits with F.interpolate first"
        )
    if not images.is_floating_point():
        raise TypeError(f"images are {images.dtype}: divide by 255 to bring them into [0, 1]")
    if images.numel() and images.max() > 2:
        raise ValueError(
            f"images reach {images.max():g}: color_reach is made for pictures in [0, 1]; divide "
            "by 255, and undo a normalization by mean and standard deviation"
        )
    if not logits.isfinite().all():
        raise ValueError(
            "logits are not finite: −log p of a class must be a number. Probabilities of exactly "
            "0 are clipped before their logarithm, p.clamp(min=1e-8).log()"
        )
