"""A bench for training: a small network, trained anew at every change of its settings."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from segtutor.data import InMemory, Streets
from segtutor.figures.drawing import ACCENT, INK, WARM
from segtutor.labs.bench import Bench, choice, figures_in_a_row, picture, slider
from segtutor.models import UNet
from segtutor.training import History, fit, predict

SIZE, SCENES, SHOWN = (32, 48), 32, 1
RATES = {"0.01": 1e-2, "0.0001": 1e-4, "0.001": 1e-3, "0.1": 1e-1, "1": 1.0}
BATCHES = ["4", "1", "2", "8", "32"]
SCHEDULES = ["one_cycle", "constant", "poly", "cosine"]
WIDTH, HEIGHT = 330, 190


def training() -> TrainingBench:
    """A bench that runs `fit` on 32 small street scenes, under settings of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = training()
        >>> len(bench.history["mean_iou"]), len(bench.history.steps["loss"])
        (6, 48)
    """
    return TrainingBench()


class TrainingBench(Bench):
    """The widgets, and the training that they ask for.

    Attributes:
        history: Of the training with the present settings; None if it ended early.
        before: Of the training before that; None at first.
        model: The network after it.
    """

    history: History | None = None
    before: History | None = None
    model: UNet
    summary = "a small network, trained anew at every change"
    runs = "fit, the package's own loop"

    def __init__(self) -> None:
        self.train = InMemory(Streets(SCENES, size=SIZE, seed=1))
        self.val = InMemory(Streets(12, size=SIZE, seed=2))
        self.rate = choice("peak", list(RATES))
        self.schedule = choice("schedule", SCHEDULES)
        self.optimizer = choice("optimizer", ["adamw", "sgd"])
        self.batch = choice("batch", BATCHES)
        self.epochs = slider("epochs", 1, 20, 6)
        self.epochs.continuous_update = False  # or every stop on the way would be trained
        self.seed = slider("seed", 0, 9)
        self.seed.continuous_update = False
        self.watch(
            self.rate, self.schedule, self.optimizer, self.batch, self.epochs, self.seed
        )  # fmt: skip
        self.lay_out(
            [self.rate, self.schedule, self.optimizer], [self.batch, self.epochs, self.seed]
        )

    def draw(self) -> str:
        """Train, and show curves and a prediction."""
        self.before, self.history = self.history or self.before, None
        with torch.random.fork_rng():
            torch.manual_seed(self.seed.value)
            self.model = UNet(len(self.train.classes), width=8, depth=2)
        try:
            self.history = fit(
                self.model, self.train, self.val, epochs=self.epochs.value,
                batch_size=int(self.batch.value), optimizer=self.optimizer.value,
                learning_rate=RATES[self.rate.value], schedule=self.schedule.value,
                seed=self.seed.value, channels_last=True, progress=False,
            )  # fmt: skip
        except FloatingPointError as error:
            return f"<p><b>It stopped.</b> {error}</p>"
        image, labels = self.val[SHOWN]
        said = predict(self.model, image).cpu()
        pictures = figures_in_a_row(
            (picture(image), "a picture it has not seen"),
            (picture(said), "what it says"),
            (picture(labels), "what is right"),
            sharp=True,
        )
        now, then = self.history, self.before
        losses = [now.steps["loss"]] + ([then.steps["loss"]] if then else [])
        scores = [now["mean_iou"]] + ([then["mean_iou"]] if then else [])
        words = f"mean IoU <b>{now['mean_iou'][-1]:.2f}</b> after {len(now.steps['loss'])} steps"
        if then:
            words += f"; before: {then['mean_iou'][-1]:.2f} after {len(then.steps['loss'])}"
        most = min(4.0, max(max(each) for each in losses))
        return (
            f'<div style="display:flex;flex-wrap:wrap;gap:12px">'
            f"{_curves(losses, most, 'loss, by step')}"
            f"{_curves(scores, 1.0, 'mean IoU on unseen scenes, by epoch')}</div>"
            f'<p style="margin:.6em 0">{words}. Dashed: the training before.</p>{pictures}'
        )


def _curves(lines: Sequence[Sequence[float]], most: float, title: str) -> str:
    """One curve, and dashed the one before it, from 0 to `most`, as an SVG."""
    left, right, top, floor = 34, 8, 26, HEIGHT - 20

    def path(values: Sequence[float]) -> str:
        step = (WIDTH - left - right) / max(len(values) - 1, 1)
        points = [
            f"{left + i * step:.1f} {floor - min(v / most, 1) * (floor - top):.1f}"
            for i, v in enumerate(values)
        ]
        return "M" + "L".join(points if len(points) > 1 else points * 2)

    marks = "".join(
        f'<path d="M{left} {y:.0f}H{WIDTH - right}" stroke="{INK}" stroke-opacity=".4"/>'
        f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{share * most:.1f}</text>'
        for share in (0, 0.5, 1)
        for y in [floor - share * (floor - top)]
    )
    styles = (f'stroke="{ACCENT}"', f'stroke="{WARM}" stroke-dasharray="6 4"')
    drawn = "".join(
        f'<path d="{path(values)}" {style} stroke-width="2" fill="none"/>'
        for values, style in reversed(list(zip(lines, styles, strict=False)))
    )
    return (
        f'<svg role="img" aria-label="{title}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="flex:1 1 280px;max-width:420px" font-size="12" fill="{INK}">'
        f'<text x="{left}" y="12">{title}</text>{marks}{drawn}</svg>'
    )
