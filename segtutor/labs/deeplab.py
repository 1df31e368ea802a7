"""A bench for the dense CRF: what it mends on a street, and what it takes away."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import STREET_CLASSES, street_scene
from segtutor.inference import dense_crf
from segtutor.labs.bench import Bench, figures_in_a_row, number, picture, slider
from segtutor.metrics import ConfusionMatrix


def deeplab() -> DeepLabBench:
    """A bench that refines a spoiled label map by the colors of its street, with a dense CRF.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = deeplab()
        >>> bench.iterations.value = 0  # softmax alone changes no label
        >>> torch.equal(bench.refined, bench.said)
        True
    """
    return DeepLabBench()


class DeepLabBench(Bench):
    """The widgets, the street, what was said of it, and what the CRF makes of that.

    Attributes:
        image: The street, (3, 64, 96).
        target: Its label map, (64, 96); void is 255.
        said: The label map with specks and coarse borders, (64, 96).
        refined: What the CRF makes of it, (64, 96).
        before: The counts of `said`.
        after: The counts of `refined`.
    """

    said: torch.Tensor
    refined: torch.Tensor
    before: ConfusionMatrix
    after: ConfusionMatrix
    summary = "a dense CRF refines a label map of a street"
    runs = "the real dense_crf"

    def __init__(self) -> None:
        self.image, self.target = street_scene((64, 96))
        self.specks = slider("specks, %", 0, 30, 10)
        self.coarse = slider("stride of map", 1, 8, 1)
        self.sure = slider("network's say", 1, 6, 2)
        self.iterations = slider("iterations", 0, 10, 5)
        self.smoothness = slider("smoothness", 0, 10, 1)
        self.appearance = slider("appearance", 0, 10, 3)
        self.reach = slider("reach, pixels", 1, 80, 10)
        self.color = slider("color, 1/255", 2, 80, 25)
        spoiling = [self.specks, self.coarse, self.sure, self.iterations]
        pairs = [self.smoothness, self.appearance, self.reach, self.color]
        self.watch(*spoiling, *pairs)
        self.lay_out(spoiling, pairs)

    def draw(self) -> str:
        """Spoil the label map, refine it, and say what became of each class."""
        logits = self._logits()
        refined = dense_crf(
            logits,
            self.image[None],
            iterations=self.iterations.value,
            smoothness=self.smoothness.value,
            smoothness_reach=1.0,
            appearance=self.appearance.value,
            appearance_reach=self.reach.value,
            color_reach=self.color.value / 255,
        )
        self.said, self.refined = logits[0].argmax(0), refined[0].argmax(0)
        self.before, self.after = (
            ConfusionMatrix(len(STREET_CLASSES)).update(labels, self.target)
            for labels in (self.said, self.refined)
        )
        shown = figures_in_a_row(
            (picture(self.image), "street, 64 × 96"),
            (picture(self.said), "what was said"),
            (picture(self.refined), "after the CRF"),
            sharp=True,
        )
        right = [cm.pixel_accuracy() for cm in (self.before, self.after)]
        words = "right pixels: <b>{} → {} %</b>".format(*(number(100 * r) for r in right))
        pole = STREET_CLASSES.index("pole")
        found = [100 * cm.recall()[pole].item() for cm in (self.before, self.after)]
        words += "; of the poles, <b>{} → {} %</b> are found.".format(*map(number, found))
        return f'{shown}<p style="margin-top:.8em">{words}</p>'

    def _logits(self) -> torch.Tensor:
        """(1, 8, 64, 96): sure of the label map at a coarse stride, but for the specks."""
        labels = self.target.masked_fill(self.target == 255, STREET_CLASSES.index("road"))
        generator = torch.Generator().manual_seed(0)
        wrong = 100 * torch.rand(labels.shape, generator=generator) < self.specks.value
        others = torch.randint(0, len(STREET_CLASSES), labels.shape, generator=generator)
        one_hot = F.one_hot(torch.where(wrong, others, labels), len(STREET_CLASSES))
        shares = one_hot.permute(2, 0, 1)[None].float()
        if self.coarse.value > 1:
            small = F.avg_pool2d(shares, self.coarse.value, ceil_mode=True)
            shares = F.interpolate(small, size=labels.shape, mode="bilinear")
        return self.sure.value * shares
