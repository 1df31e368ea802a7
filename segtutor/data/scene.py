"""One drawn street in the evening sun: the picture that the book keeps coming back to."""

from __future__ import annotations

import numpy as np
import torch

from segtutor.data.canvas import Canvas, Color, ellipse
from segtutor.data.perspective import (
    HEIGHT,
    HORIZON,
    SHADE,
    WIDTH,
    far,
    flat,
    front,
    mix,
    project,
    wall,
)
from segtutor.data.props import draw_car, draw_lamp, draw_person, draw_tree

STREET_CLASSES = ("sky", "building", "road", "sidewalk", "vegetation", "car", "person", "pole")
SKY, BUILDING, ROAD, SIDEWALK, VEGETATION, CAR, PERSON, POLE = range(8)
VOID = 255


def street_scene(size: tuple[int, int] = (192, 288)) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a street, with exact labels. Always the same street, at any size.

    Args:
        size: Height and width in pixels, at least 48 by 72. The composition has sides of
            2 to 3; other proportions stretch it.

    Returns:
        The picture, float32 of shape (3, H, W) in [0, 1], and its label map, int64 of shape
        (H, W), with the classes of `STREET_CLASSES` and 255 for void: the hood of the car that
        carries the camera, which no annotator would count as traffic.

    Example:
        >>> image, labels = street_scene()
        >>> image.shape, labels.shape
        (torch.Size([3, 192, 288]), torch.Size([192, 288]))
        >>> sorted(set(labels.unique().tolist()))
        [0, 1, 2, 3, 4, 5, 6, 7, 255]
    """
    height, width = size
    if height < 48 or width < 72:
        raise ValueError(f"size={tuple(size)} is too small to draw a street: take (48, 72) or more")
    rng = np.random.Generator(np.random.PCG64(7))
    canvas = Canvas((height, width), (WIDTH, HEIGHT), SKY)
    _draw_sky(canvas)
    _draw_ground(canvas)
    _draw_buildings(canvas, rng)
    _draw_street_life(canvas, rng)
    _draw_hood(canvas)
    picture = canvas.picture()
    # A light that falls off toward the corners, and the grain of a sensor.
    y, x = np.mgrid[0:height, 0:width]
    off = (x / width - 0.5) ** 2 + (y / height - 0.45) ** 2
    picture *= (1.04 - 0.42 * off)[..., None]
    picture += rng.integers(-5, 6, (height, width, 1)) + rng.integers(-2, 3, (height, width, 3))
    pixels = np.rint(picture.clip(0, 255)).astype(np.uint8)
    image = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)
    return image, torch.from_numpy(canvas.labels)


def _draw_sky(canvas: Canvas) -> None:
    whole = [(0, 0), (WIDTH, 0), (WIDTH, 52), (0, 52)]
    canvas.fill(whole, (92, 150, 205), SKY, below=(190, 211, 218))
    low = [(0, 52), (WIDTH, 52), (WIDTH, HORIZON + 4), (0, HORIZON + 4)]
    canvas.fill(low, (190, 211, 218), SKY, below=(255, 220, 170))
    for radius in range(60, 0, -4):  # the glow of the sun at the end of the street
        canvas.fill(ellipse(150, 82, radius, radius * 0.8), (255, 232, 188), alpha=0.05)
    clouds = ((84, 24, 34, 3.2), (104, 20, 22, 3.4), (62, 27, 20, 2.2), (176, 40, 30, 2.2),
              (196, 37, 18, 2.4), (128, 52, 20, 1.5))  # fmt: skip
    for x, y, rx, ry in clouds:
        for grow in (1.0, 0.8, 0.55):
            canvas.fill(ellipse(x, y - ry * (1 - grow), rx * grow, ry * grow), (255, 240, 224),
                        alpha=0.32)  # fmt: skip


def _draw_ground(canvas: Canvas) -> None:
    horizon = 140.0
    for z, x, width in ((130, -22, 30), (120, 4, 26), (110, -40, 34), (105, 26, 30)):
        (left, base), (right, _) = project((x, 0, z), (x + width, 0, z))
        hill = ellipse((left + right) / 2, base, (right - left) / 2, 11)
        canvas.fill(hill, far((88, 110, 80), z), VEGETATION)
    canvas.fill(flat(-60, 60, 1.5, horizon), (176, 160, 148), SIDEWALK, below=(170, 158, 152))
    for z in np.arange(4.0, 60, 1.5):  # slabs
        for x0, x1 in ((-7.2, -3.7), (3.7, 7.2)):
            canvas.fill(flat(x0, x1, z, z + 0.07), SHADE, alpha=0.18)
    for side in (-1, 1):
        canvas.fill(flat(5.4 * side, 5.46 * side, 3, 60), SHADE, alpha=0.15)
    canvas.fill(flat(-3.4, 3.4, 1.5, horizon), (168, 146, 138), ROAD, below=(84, 82, 94))
    for side in (-1, 1):  # curbs: a bright top, a dark gutter
        canvas.fill(flat(3.4 * side, 3.62 * side, 1.5, horizon), (206, 192, 178), SIDEWALK)
        canvas.fill(flat(3.28 * side, 3.4 * side, 1.5, horizon), SHADE, alpha=0.35)
        canvas.fill(flat(2.98 * side, 3.08 * side, 1.5, horizon), (226, 214, 200), alpha=0.55)
    for z in np.arange(12.5, 100, 5.0):
        canvas.fill(flat(-0.08, 0.08, z, z + 2.6), (240, 228, 210), alpha=0.85)
    for x in np.arange(-2.75, 2.9, 0.95):
        canvas.fill(flat(x - 0.24, x + 0.24, 7.0, 9.6), (240, 232, 220), alpha=0.9)
    # The row of houses on the left throws its shadow over the street.
    shadow = [(-60, 0, 1.5), (-0.9, 0, 1.5), (-0.9, 0, 27), (-3.6, 0, 27), (-3.6, 0, 31),
              (-0.2, 0, 31), (-0.2, 0, horizon), (-60, 0, horizon)]  # fmt: skip
    canvas.fill(project(*shadow), SHADE, alpha=0.4)


def _draw_buildings(canvas: Canvas, rng: np.random.Generator) -> None:
    # First and last meter along the street, height, color; from the far end to the near one.
    left = ((62, 110, 13, (150, 120, 110)), (47, 62, 17, (120, 104, 112)),
            (31, 47, 12.5, (160, 118, 96)), (17, 27, 15.5, (126, 100, 98)),
            (4, 17, 11.6, (142, 118, 110)))  # fmt: skip
    right = ((66, 110, 12, (206, 160, 128)), (50, 66, 15, (226, 186, 150)),
             (36, 50, 11, (212, 140, 104)), (21, 36, 14.5, (232, 200, 160)),
             (5, 21, 10.6, (206, 128, 96)))  # fmt: skip
    for side, row in ((-1, left), (1, right)):
        for z0, z1, height, color in row:
            _draw_building(canvas, rng, side, z0, z1, height, color)


def _draw_building(
    canvas: Canvas, rng: np.random.Generator, side: int, z0: float, z1: float, height: float,
    color: Color,
) -> None:  # fmt: skip
    x, middle = 7.2 * side, (z0 + z1) / 2
    lit = side > 0
    brick = far(color if lit else mix(color, SHADE, 0.34), middle * 0.8)
    gable = mix(brick, SHADE, 0.3 if lit else 0.16)
    canvas.fill(front(x, 60 * side, 0, height, z0), gable, BUILDING)
    low = mix(brick, SHADE, 0.12)
    canvas.fill(wall(x, z0, z1, 0, height), mix(brick, (255, 236, 200), 0.1), BUILDING, below=low)
    canvas.fill(wall(x, z0, z1, height - 0.5, height), mix(brick, SHADE, 0.3))
    canvas.fill(wall(x, z0, z1, height - 0.7, height - 0.5), mix(brick, (255, 244, 220), 0.45))
    canvas.fill(wall(x, z0, z1, 3.5, 3.75), mix(brick, (255, 244, 220), 0.4))
    bays = max(2, round((z1 - z0) / 3.2))
    bay = (z1 - z0) / bays
    glass = far((92, 112, 140) if lit else (58, 66, 96), middle * 0.7)
    frame = mix(brick, (255, 246, 230), 0.5)
    for floor in np.arange(4.4, height - 2.3, 3.0):
        for k in range(bays):
            a, b = z0 + (k + 0.28) * bay, z0 + (k + 0.72) * bay
            warm = rng.random() < (0.16 if lit else 0.36)
            canvas.fill(wall(x, a - 0.14, b + 0.14, floor - 0.14, floor + 1.84), frame)
            pane = far((255, 206, 120), middle * 0.4) if warm else glass
            canvas.fill(wall(x, a, b, floor, floor + 1.7), mix(pane, (255, 255, 255), 0.2),
                        below=pane)  # fmt: skip
            canvas.fill(wall(x, (a + b) / 2 - 0.05, (a + b) / 2 + 0.05, floor, floor + 1.7), frame)
    awnings = ((196, 70, 58), (38, 112, 110), (214, 158, 60), (92, 84, 140))
    for k in range(bays):  # shops
        a, b = z0 + (k + 0.12) * bay, z0 + (k + 0.88) * bay
        top, bottom = ((255, 226, 160), (238, 172, 104)) if k % 2 else ((92, 98, 124), (58, 56, 80))
        haze = middle * 0.5
        canvas.fill(wall(x, a, b, 0.35, 2.8), far(top, haze), below=far(bottom, haze))
        for post in (a, a + (b - a) / 3, a + 2 * (b - a) / 3, b):
            canvas.fill(wall(x, post - 0.04, post + 0.04, 0.35, 2.8), mix(brick, SHADE, 0.35))
        canvas.fill(wall(x, a, b, 0.35, 0.7), mix(brick, SHADE, 0.25))
        cloth = far(awnings[int(rng.integers(4))], middle * 0.6)
        cloth = cloth if lit else mix(cloth, SHADE, 0.25)
        edge = 6.1 * side
        canvas.fill(project((x, 3.3, a), (x, 3.3, b), (edge, 2.75, b), (edge, 2.75, a)), cloth,
                    BUILDING)  # fmt: skip
        canvas.fill(wall(edge, a, b, 2.5, 2.76), mix(cloth, (255, 250, 240), 0.35), BUILDING)


def _draw_street_life(canvas: Canvas, rng: np.random.Generator) -> None:
    """Trees, lamps, cars and people, the farthest first."""
    scene = [
        (52, lambda: draw_tree(canvas, rng, -5.6, 52, 1.9)),
        (58, lambda: draw_tree(canvas, rng, 5.6, 58, 2.0)),
        (41, lambda: draw_tree(canvas, rng, 5.6, 41, 1.9)),
        (30, lambda: draw_tree(canvas, rng, -5.6, 30, 1.9)),
        (28, lambda: draw_tree(canvas, rng, 5.5, 28, 1.9)),
        (16, lambda: draw_tree(canvas, rng, -6.0, 16, 1.8)),
        (48, lambda: draw_lamp(canvas, -3.9, 48)),
        (34, lambda: draw_lamp(canvas, 3.9, 34)),
        (26, lambda: draw_lamp(canvas, -3.9, 26)),
        (18, lambda: draw_lamp(canvas, 3.9, 18)),
        (13.4, lambda: draw_lamp(canvas, -3.9, 13.4)),
        (44, lambda: draw_car(canvas, -1.7, 44, (170, 60, 58), oncoming=True)),
        (24, lambda: draw_car(canvas, -1.75, 24, (214, 206, 196), oncoming=True)),
        (13.6, lambda: draw_car(canvas, 2.2, 13.6, (38, 104, 118), oncoming=False)),
        (25, lambda: draw_person(canvas, 6.0, 25, (80, 110, 160), (50, 50, 66))),
        (18.6, lambda: draw_person(canvas, -4.95, 18.6, (206, 150, 60), (58, 54, 76))),
        (18.2, lambda: draw_person(canvas, -4.3, 18.2, (150, 60, 84), (44, 46, 60))),
        (9.2, lambda: draw_person(canvas, 4.25, 9.2, (222, 88, 62), (46, 54, 86))),
    ]
    for _, draw in sorted(scene, key=lambda thing: -thing[0]):
        draw()


def _draw_hood(canvas: Canvas) -> None:
    """The hood of our own car: in every picture of a real data set, and in no class."""
    x = np.linspace(0, WIDTH, 40)
    rim = 181.5 + 9.5 * ((x - WIDTH / 2) / (WIDTH / 2)) ** 2
    hood = [*zip(x.tolist(), rim.tolist(), strict=True), (WIDTH, HEIGHT), (0, HEIGHT)]
    canvas.fill(hood, (96, 108, 126), VOID, below=(34, 38, 52))
    edge = [*zip(x, rim, strict=True), *zip(x[::-1], rim[::-1] + 0.9, strict=True)]
    canvas.fill(edge, (238, 226, 214), alpha=0.75)
    for sink in (2.2, 3.2, 4.4):  # the sky in the varnish
        sheen = [
            *zip(x[8:33], rim[8:33] + sink, strict=True),
            *zip(x[31:9:-1], rim[31:9:-1] + sink + 1.6, strict=True),
        ]
        canvas.fill(sheen, (196, 206, 214), alpha=0.14)
