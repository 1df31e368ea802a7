"""One scene of Streets: what stands where, and in which weather."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segtutor.data.street_backdrop import BUILDING, Air, Row, Street, mixed
from segtutor.data.street_canvas import Sheet, View
from segtutor.data.street_exposure import exposed
from segtutor.data.street_settings import WEATHERS, StreetSettings
from segtutor.data.street_things import (
    CAR,
    PERSON,
    POLE,
    VEGETATION,
    Pen,
    draw_car,
    draw_lamp,
    draw_person,
    draw_sign,
    draw_tree,
)

__all__ = ["draw_street"]

VOID, MISSED = 255, 254  # MISSED: a thing the annotator overlooked; what is behind it is labeled
HOUSES = ((196, 178, 152), (176, 128, 104), (206, 196, 180), (150, 138, 130), (188, 154, 112),
          (168, 100, 84), (214, 206, 196), (134, 144, 152), (202, 168, 128),
          (160, 160, 140))  # fmt: skip
PAINTS = ((186, 42, 40), (44, 84, 150), (222, 222, 220), (52, 56, 62), (150, 156, 160),
          (36, 98, 84), (218, 170, 62), (96, 40, 60))  # fmt: skip
COATS = ((204, 70, 54), (56, 96, 168), (226, 178, 66), (72, 66, 84), (228, 224, 216),
         (60, 128, 96), (150, 84, 140), (40, 44, 58))  # fmt: skip
TRAITS = 512  # random numbers that one scene may need


def draw_street(
    key: tuple[int, ...], size: tuple[int, int], settings: StreetSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a scene: picture (3, H, W) uint8, labels (H, W) uint8, instances (H, W) int32."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
    traits = iter(rng.random(TRAITS).tolist())
    draw = traits.__next__
    height, width = size
    view = View(
        center=width * (0.36 + 0.28 * draw()),
        horizon=height * (0.36 + 0.12 * draw()),
        focal=height * (1.05 + 0.35 * draw()),
        eye=1.35 + 0.5 * draw(),
    )
    sun = 1 if draw() < 0.5 else -1
    air = _air(draw, settings, sun)
    street = _street(draw, settings)
    sheet = Sheet(size)
    (_, fine, x2, y2), (_, coarse, x, y) = sheet.grids
    pen = Pen(sheet, view, air.shaded, air.glowing, draw, sun, settings.night)
    glows, misnamed = _things(pen, street, settings)
    _hood(sheet, air, draw)

    labels = street.labels(view, x, y)
    classes, things = np.array(sheet.classes, np.uint8), np.array(sheet.things, np.int32)
    truth = np.where(coarse > 0, classes[coarse], labels)
    for thing, label in misnamed.items():
        classes[things == thing] = label
    drawn, instances = classes[coarse], things[coarse]
    np.copyto(labels, drawn, where=(coarse > 0) & (drawn != MISSED))
    instances[drawn == MISSED] = 0

    paint = street.paint(view, air, sun, x2, y2)
    covered = np.flatnonzero(fine)
    colors = np.array(sheet.colors, np.float32).T
    paint.reshape(3, -1)[:, covered] = colors[:, fine.ravel()[covered]]
    picture = exposed(paint, truth, air, glows, settings, rng)
    return picture, labels, instances


def _air(draw: Callable[[], float], settings: StreetSettings, sun: int) -> Air:
    pick = draw()
    weather = WEATHERS[int(4 * pick)] if settings.weather == "mixed" else settings.weather
    warm, depth = draw(), draw()
    clouds = tuple((draw(), 0.28 * draw(), 0.08 + 0.16 * draw(), 0.03 + 0.05 * draw())
                   for _ in range(3))  # fmt: skip
    if weather == "clear":
        zenith = mixed((76, 132, 204), (104, 156, 214), depth)
        haze, sight, shadow, light = mixed((206, 222, 232), (248, 214, 172), warm), 150, 0.62, 1.0
    elif weather == "overcast":
        zenith, haze = mixed((150, 162, 176), (178, 186, 194), depth), (206, 210, 214)
        sight, shadow, light = 110, 1.0, 0.9
    elif weather == "fog":
        zenith, haze = (196, 200, 204), (206, 208, 210)
        sight, shadow, light, clouds = 22 + 24 * depth, 1.0, 0.95, ()
    else:
        zenith, haze = mixed((104, 114, 128), (132, 140, 150), depth), (164, 172, 180)
        sight, shadow, light, clouds = 70, 1.0, 0.74, ()
    tone = (light, light, light) if warm < 0.5 else (light, 0.97 * light, 0.92 * light)
    if settings.night:
        tone = mixed(tone, (0.2, 0.22, 0.34), settings.night)
        zenith = mixed(zenith, (70, 80, 130), settings.night)
        haze = mixed(haze, (120, 124, 150), settings.night)
        shadow += (1 - shadow) * settings.night
    return Air(zenith, haze, sight, shadow, tone, weather == "rain", clouds)


def _street(draw: Callable[[], float], settings: StreetSettings) -> Street:
    half = 2.9 + 1.8 * draw()
    middle = -half * (0.25 + 0.3 * draw())
    sidewalk = 1.8 + 2.2 * draw()
    asphalt, paving = draw(), draw()
    road = mixed((78, 80, 86), (118, 114, 112), asphalt)
    usual = mixed((156, 150, 144), (186, 168, 150), paving)
    # In the same range as the road, though not the same: color alone tells nothing then.
    alike = mixed((78, 80, 86), (118, 114, 112), draw())
    pavement = mixed(usual, alike, settings.context)
    curb = mixed((204, 200, 192), pavement, settings.context)
    crossing = 7 + 12 * draw() if draw() < 0.35 else 0.0
    marked = float(settings.context < 0.5)
    rows = [_row(draw, away) for away in (half + sidewalk - middle, half + sidewalk + middle)]
    return Street(middle, half, sidewalk, road, pavement, curb, marked, crossing, *rows)


def _row(draw: Callable[[], float], away: float) -> Row:
    ends, heights, kinds, colors, windows = [], [], [], [], []
    ahead = 3.0 + 6 * draw()
    for _ in range(6):
        ends.append(ahead)
        ahead += 7 + 15 * draw()
        pick = draw()
        if pick < 0.78:
            kinds.append(BUILDING)
            heights.append(6.5 + 12 * draw())
            colors.append(mixed(HOUSES[int(10 * draw())], (180, 170, 160), 0.35 * draw()))
        else:
            kinds.append(VEGETATION)
            heights.append(2.2 + 5 * draw())
            colors.append(mixed((62, 98, 54), (104, 124, 60), draw()))
        windows.append(2.0 + 1.2 * draw())
    closing = draw() < 0.5
    kinds.append(BUILDING if closing else VEGETATION)
    heights.append(9 + 8 * draw() if closing else 5 + 5 * draw())
    colors.append((158, 150, 146) if closing else (84, 110, 74))
    windows.append(3.0)
    return Row(away, tuple(ends), tuple(heights), tuple(kinds), tuple(colors), tuple(windows))


def _things(
    pen: Pen, street: Street, settings: StreetSettings
) -> tuple[list[tuple[float, float, float]], dict[int, int]]:
    """Draw them from far to near.

    Returns:
        Where lamps shine and how far, in pixels; and what the annotator called which thing.
    """
    draw, height = pen.draw, pen.sheet.size[0]
    near, far = settings.nearest, settings.farthest
    scene: list[tuple[float, Callable[[int, int], None], int]] = []

    def ahead() -> float:  # as many near as far on the paper: even in 1/z
        return 1 / (1 / far + draw() * (1 / near - 1 / far))

    def add(z: float, label: int, paint: Callable[[int, int], None]) -> None:
        scene.append((z, paint, label))

    def count(usual: float) -> int:
        return int(usual + draw())

    glows = []
    green = mixed((70, 110, 52), (122, 142, 58), draw())
    outer = street.half + 0.5 * street.sidewalk
    for _ in range(count(1.2)):
        z, side, radius = max(ahead(), 9.0), _side(draw()), 1.0 + 0.9 * draw()
        right = street.middle + side * (street.half + 0.8 * street.sidewalk)
        tint = mixed(green, (60, 96, 60), draw())
        add(z, VEGETATION, lambda thing, label, a=(right, z, radius, tint): draw_tree(pen, *a))
    for _ in range(count(1.1 * settings.rarity)):
        z, right = ahead(), street.middle + _side(draw()) * (street.half + 0.45)
        lamp = draw() < 0.6
        paint = draw_lamp if lamp else draw_sign
        add(z, POLE, lambda thing, label, p=paint, a=(right, z): p(pen, thing, label, *a))
        if lamp:
            x = pen.view.x(right - (1.2 if right > 0 else -1.2), z)
            glows.append((x, pen.view.y(5.4, z), 3 * pen.view.focal / z))
    for _ in range(count(1.3)):
        z, color = max(ahead(), 7.0), PAINTS[int(8 * draw())]
        place = draw()
        if place < 0.3:
            right, oncoming = street.middle - 0.5 * street.half, True
        elif place < 0.55:
            right, oncoming = street.middle + 0.5 * street.half, False
            z = max(z, 9.0)
        else:
            side = _side(draw())
            right, oncoming = street.middle + side * (street.half - 0.95), side < 0
        add(z, CAR, lambda thing, label, a=(right, z, color, oncoming):
            draw_car(pen, thing, label, *a))  # fmt: skip
    for _ in range(count(1.7 * settings.rarity)):
        z, side = ahead(), _side(draw())
        right = street.middle + side * (outer + (draw() - 0.5) * street.sidewalk)
        if street.crossing and draw() < 0.3:
            z, right = street.crossing + 1.5, street.middle + (2 * draw() - 1) * street.half
        tall, coat = 1.5 + 0.35 * draw(), COATS[int(8 * draw())]
        add(z, PERSON, lambda thing, label, a=(right, z, tall, coat):
            draw_person(pen, thing, label, *a))  # fmt: skip

    scene.sort(key=lambda item: -item[0])
    number, misnamed = 0, {}
    for z, paint, label in scene:
        if label == VEGETATION:
            paint(0, label)
            continue
        number += 1
        small = 1.6 * pen.view.focal / z < max(3, 0.05 * height)
        wrong, other = draw() < settings.label_noise, draw()
        if wrong and not small:
            misnamed[number] = MISSED if other < 0.5 else (CAR, PERSON, POLE)[(label - CAR + 1) % 3]
        paint(0 if small else number, VOID if small else label)  # too far to decide: void
    return glows, misnamed


def _side(pick: float) -> int:
    return 1 if pick < 0.5 else -1


def _hood(sheet: Sheet, air: Air, draw: Callable[[], float]) -> None:
    """The hood of our own car: in every picture of a real data set, and in no class."""
    height, width = sheet.size
    top, color = 0.9 + 0.08 * draw(), PAINTS[int(8 * draw())]
    for share, sink in ((1.3, 0.0), (0.75, 0.018)):
        metal = sheet.material(mixed(color, air.haze, 0.45 if share > 1 else 0.2), VOID)
        sheet.ellipse(metal, (width / 2, height * (top + 0.5 + sink)), (0.62 * width, 0.5 * height))
