"""A bench for transfer: a day network, a few night scenes, and what is done with both."""

from __future__ import annotations

from copy import deepcopy

import torch

from segtutor.data import InMemory, Streets, StreetSettings
from segtutor.labs.bench import Bench, choice, figures_in_a_row, number, picture
from segtutor.models import UNet
from segtutor.training import evaluate, fit, freeze, predict

SIZE, SHOWN = (32, 48), 2
WAYS = ["fine-tune all", "freeze the encoder", "only requires_grad=False", "from scratch"]
RATES = {"as the decoder": 1.0, "1/3 of it": 1 / 3, "1/10 of it": 0.1, "1/100 of it": 0.01}
SCENES, STEPS, BATCH = ["8", "4", "16", "64"], ["40", "10", "160"], 4
NIGHT = StreetSettings(night=0.7)


def transfer() -> TransferBench:
    """A bench that takes a small network from day to night, in a way of your choice.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = transfer()
        >>> bench.model.encoder[0][0].weight.requires_grad, len(bench.scores)
        (True, 2)
    """
    return TransferBench()


class TransferBench(Bench):
    """The widgets, the day network, and the network that went on from it.

    Attributes:
        day_net: Trained on day scenes when the bench is made; never changed after.
        model: What the present settings made of it, or of nothing.
        scores: Mean IoU of `model` by night and by day.
        before: Those of `day_net`.
    """

    day_net: UNet
    model: UNet
    scores: tuple[float, float]
    before: tuple[float, float]
    summary = "a network taken from day to night, in a way of your choice"
    runs = "`fit` and `freeze`, the package's own"

    def __init__(self) -> None:
        self.night = InMemory(Streets(64, SIZE, seed=1, settings=NIGHT))
        self.night_test = InMemory(Streets(24, SIZE, seed=2, settings=NIGHT))
        self.day_test = InMemory(Streets(24, SIZE, seed=3))
        self.day_net = _train(_net(0), InMemory(Streets(160, SIZE, seed=4)), 60, 16)
        self.before = self._judge(self.day_net)
        self.way = choice("way", WAYS)
        self.rate = choice("encoder", list(RATES))
        self.scenes = choice("scenes", SCENES)
        self.steps = choice("steps", STEPS)
        self.watch(self.way, self.rate, self.scenes, self.steps)
        self.lay_out([self.way, self.rate], [self.scenes, self.steps])

    def draw(self) -> str:
        """Train, judge by night and by day, and show a prediction."""
        scratch = self.way.value == "from scratch"
        self.model = _net(1) if scratch else deepcopy(self.day_net)
        rates = {"encoder": RATES[self.rate.value]}
        if self.way.value == "freeze the encoder":
            freeze(self.model.encoder)
            rates = {}
        elif self.way.value == "only requires_grad=False":
            self.model.encoder.requires_grad_(False)
            rates = {}
        chosen = torch.utils.data.Subset(self.night, range(int(self.scenes.value)))
        _train(self.model, chosen, int(self.steps.value), BATCH, rates)
        self.scores = self._judge(self.model)
        image, labels = self.night_test[SHOWN]
        pictures = figures_in_a_row(
            (picture(image), "a night that it has not seen"),
            (picture(predict(self.model, image).cpu()), "what it says"),
            (picture(labels), "what is right"),
            sharp=True,
        )
        rows = zip(("by night", "by day"), self.before, self.scores, strict=True)
        lines = "".join(
            f"<tr><td>{when}</td><td>{number(old)}</td><td><b>{number(new)}</b></td></tr>"
            for when, old, new in rows
        )
        note = "" if rates and not scratch else "The encoder's rate plays no part here. "
        if scratch:
            note = "The day network plays no part here. "
        return (
            f'{pictures}<table style="width:auto;margin-top:.8em"><tr><th>mean IoU</th>'
            f"<th>the day network</th><th>now</th></tr>{lines}</table>"
            f"<p>{note}People and poles are too thin for pictures this small.</p>"
        )

    def _judge(self, model: UNet) -> tuple[float, float]:
        """Mean IoU by night and by day."""
        night, day = (evaluate(model, test) for test in (self.night_test, self.day_test))
        return night.mean_iou(), day.mean_iou()


def _net(seed: int) -> UNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return UNet(8, width=8, depth=2)


def _train(
    model: UNet,
    dataset: torch.utils.data.Dataset,
    steps: int,
    batch_size: int,
    rates: dict[str, float] | None = None,
) -> UNet:
    """Train for so many steps at least, with the rate of the chapter."""
    epochs = -(-steps * batch_size // len(dataset))
    fit(model, dataset, num_classes=8, epochs=epochs, batch_size=batch_size, learning_rate=1e-2,
        rates=rates, progress=False)  # fmt: skip
    return model
