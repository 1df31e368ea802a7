"""What the sensor makes of a street: light, rain, blur, grain."""

from __future__ import annotations

import numpy as np

from segtutor.data.street_backdrop import Air
from segtutor.data.street_canvas import FINE
from segtutor.data.street_settings import StreetSettings

__all__ = ["exposed"]

# How rough each class looks: sky, building, road, sidewalk, vegetation, car, person, pole.
ROUGH = (0.25, 0.7, 0.8, 0.9, 2.2, 0.5, 0.8, 0.5)


def exposed(
    paint: np.ndarray,
    labels: np.ndarray,
    air: Air,
    glows: list[tuple[float, float, float]],
    settings: StreetSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """What the sensor makes of it: (3, H, W) uint8."""
    height, width = labels.shape
    np.rint(paint, out=paint)  # whole numbers: their sum is exact on every machine
    rows = paint[:, 0::FINE] + paint[:, 1::FINE]
    picture = (rows[..., 0::FINE] + rows[..., 1::FINE]) / np.float32(FINE**2)
    light = np.array(air.light, np.float32)[:, None, None]
    if settings.night:
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        beam = ((x - width / 2) / (0.3 * width)) ** 2 + ((y - 0.8 * height) / (0.22 * height)) ** 2
        light = light + np.float32(0.55 * settings.night) / (1 + beam)
        picture *= light
        for gx, gy, radius in glows:
            near = ((x - gx) ** 2 + (y - gy) ** 2) / np.float32(radius * radius)
            glow = np.float32(90 * settings.night) / (1 + 4 * near)
            picture += glow * np.array((1.0, 0.85, 0.55), np.float32)[:, None, None]
    else:
        picture *= light
    if air.wet:
        n = height * width // 90
        where = rng.random((2, n))
        top, column = (where[0] * (height - 3)).astype(int), (where[1] * width).astype(int)
        for step in range(3):
            picture[:, top + step, column] += 16
    for _ in range(settings.softness):
        picture = _blurred(picture)
    grain = np.frombuffer(rng.bytes(4 * height * width), np.int8).reshape(4, height, width)
    # Twice float32: before NumPy 2, a plain number beside one would make all that follows float64.
    strength = np.float32(settings.noise / 128) * np.float32(1 + settings.night)
    table = np.zeros(256, np.float32)  # void is smooth
    table[: len(ROUGH)] = ROUGH
    rough = table[labels] * np.float32(8) + 3  # texture, and the sensor
    picture += (strength * rough) * grain[0] + (strength * np.float32(5)) * grain[1:]
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _blurred(picture: np.ndarray) -> np.ndarray:
    """A blur of 1, 2, 1 along both axes."""
    for axis in (1, 2):
        padded = np.pad(picture, [(int(a == axis),) * 2 for a in range(3)], mode="edge")
        first, middle, last = (padded.take(range(i, i + picture.shape[axis]), axis)
                               for i in range(3))  # fmt: skip
        picture = (first + 2 * middle + last) / np.float32(4)
    return picture
