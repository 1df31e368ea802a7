"""A bench for streets: choose a scene, its weather, its difficulties; see what is labeled."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.data import STREET_CLASSES, Streets, StreetSettings
from segtutor.data.streets import Scene
from segtutor.labs.bench import Bench, choice, figures_in_a_row, picture, slider

SIZES = {"64 × 96": (64, 96), "96 × 144": (96, 144), "192 × 288": (192, 288)}
WEATHERS = ("clear", "overcast", "fog", "rain")
SCENES, SEED = 200, 7
VOID = 255


def first_segmentation() -> StreetBench:
    """A bench that draws a street by the settings of your choice, with its labels.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = first_segmentation()
        >>> bench.size.value = "64 × 96"
        >>> bench.drawn.labels.shape
        torch.Size([64, 96])
    """
    return StreetBench()


class StreetBench(Bench):
    """The widgets and the scene that they make.

    Attributes:
        settings: What the widgets say, as `Streets` takes it.
        drawn: The scene: picture, labels and instances.
        shares: The share of the judged pixels that each class has.
    """

    settings: StreetSettings
    drawn: Scene
    shares: torch.Tensor
    summary = "a street of your choice, and its labels"
    runs = "the real segtutor.data.Streets"

    def __init__(self) -> None:
        self.scene = slider("scene", 0, SCENES - 1, 152)
        self.size = choice("pixels", list(SIZES))
        self.size.value = "96 × 144"
        self.weather = choice("weather", list(WEATHERS))
        self.night = slider("night, %", 0, 100, 0)
        self.context = slider("look-alike, %", 0, 100, 0)
        self.blur = slider("blur, pixels", 0, 8, 0)
        self.noise = slider("noise, %", 0, 400, 100)
        self.watch(
            *(self.scene, self.size, self.weather),
            *(self.night, self.context, self.blur, self.noise),
        )
        self.lay_out(
            [self.scene, self.size, self.weather],
            [self.night, self.context],
            [self.blur, self.noise],
        )

    def draw(self) -> str:
        """Draw the scene; show picture, label map, instances and the shares of the classes."""
        self.settings = StreetSettings(
            weather=self.weather.value,
            night=self.night.value / 100,
            context=self.context.value / 100,
            softness=self.blur.value,
            noise=self.noise.value / 100,
        )
        streets = Streets(SCENES, SIZES[self.size.value], SEED, settings=self.settings)
        self.drawn = streets.scene(self.scene.value)
        labels = self.drawn.labels.long()
        counts = torch.bincount(labels[labels != VOID], minlength=len(STREET_CLASSES))
        self.shares = counts / counts.sum()
        things = len(self.drawn.instances.unique()) - 1
        maps = figures_in_a_row(
            (picture(self.drawn.image.float(), 0, 255), "picture"),
            (picture(labels), "label map, void in black"),
            (picture(outlined(self.drawn), 0, 1), f"instances: {things} things, outlined"),
            sharp=True,
        )
        cell = '<td style="padding:.1em .5em;text-align:right">'
        names = "".join(
            f'<th style="padding:.1em .5em;text-align:right">{name}</th>' for name in STREET_CLASSES
        )
        numbers = "".join(f"{cell}{share:.1%}</td>" for share in self.shares.tolist())
        return (
            f'{maps}<div style="overflow-x:auto;margin-top:.8em">'
            '<table style="width:auto;font-size:.9em">'
            f"<tr>{names}</tr><tr>{numbers}</tr></table></div>"
        )


def outlined(scene: Scene) -> torch.Tensor:
    """The picture in pale gray, its things in color with a dark outline; (3, H, W) in [0, 1].

    Example:
        >>> outlined(Streets(1).scene(0)).shape
        torch.Size([3, 64, 96])
    """
    image = scene.image.float() / 255
    pale = 0.6 + 0.35 * image.mean(0, keepdim=True)
    numbers = scene.instances.float()[None]
    high = F.max_pool2d(numbers, 3, 1, 1)
    low = -F.max_pool2d(-numbers, 3, 1, 1)
    shown = torch.where(numbers > 0, image, pale.expand(3, -1, -1))
    return torch.where((high != low) & (numbers > 0), 0.0, shown)
