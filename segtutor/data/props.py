"""The things that stand and move in a street: trees, lamps, cars, people."""

from __future__ import annotations

import numpy as np

from segtutor.data.canvas import Canvas, Color, Point, ellipse
from segtutor.data.perspective import FOCAL, SHADE, far, flat, front, mix, project

VEGETATION, CAR, PERSON, POLE = 4, 5, 6, 7  # as in segtutor.data.STREET_CLASSES
RED_LIGHT, WHITE_LIGHT = (232, 60, 44), (255, 244, 214)


def draw_tree(canvas: Canvas, rng: np.random.Generator, x: float, z: float, size: float) -> None:
    """A tree `x` meters to the right and `z` ahead, its crown `size` meters in radius."""
    lit = 1.0 if x > 0 else 0.62
    canvas.fill(_spot(x, z, 1.5 * size, 0.9), SHADE, alpha=0.3)
    trunk = far(mix((104, 78, 66), SHADE, 1 - lit), z)
    canvas.fill(front(x - 0.14, x + 0.14, 0, 3.2, z), trunk, VEGETATION)
    (cx, cy), radius = project((x, 2.6 + size, z))[0], size * FOCAL / z
    tones = ((52, 84, 58), (84, 122, 66), (138, 160, 76), (196, 196, 104))
    for depth, tone in enumerate(tones):
        color = far(mix(tone, SHADE, (1 - lit) * 0.8), z * 0.8)
        for _ in range((26, 34, 34, 22)[depth]):  # lighter leaves later, higher, toward the sun
            angle = 2 * np.pi * rng.random()
            reach = (0.92, 0.8, 0.7, 0.6)[depth] * rng.random() ** 0.5
            px = cx + radius * (reach * np.cos(angle) - 0.1 * depth)
            py = cy + radius * (1.08 * reach * np.sin(angle) - 0.13 * depth)
            leaf = radius * (0.26, 0.18, 0.13, 0.08)[depth] * (0.7 + 0.6 * rng.random())
            canvas.fill(ellipse(px, py, leaf, 0.8 * leaf, 9), color, VEGETATION)


def draw_lamp(canvas: Canvas, x: float, z: float) -> None:
    """A street lamp: a thin pole and an arm over the street. Never thinner than a pixel."""
    inward = -1 if x > 0 else 1
    half = max(0.055, 0.51 * z / (FOCAL * canvas.unit))
    color = far((58, 62, 72), 0.5 * z)
    canvas.fill(front(x - half, x + half, 0, 5.6, z), color, POLE)
    canvas.fill(front(x - 1.7 * half, x + 1.7 * half, 0, 0.7, z), color, POLE)
    arm = [(x, 5.5), (x + 0.5 * inward, 6.0), (x + 1.7 * inward, 6.15)]
    upper = project(*((a, b + half, z) for a, b in arm))
    canvas.fill([*upper, *project(*((a, b - half, z) for a, b in arm))[::-1]], color, POLE)
    head = [(1.3, 6.2), (2.2, 6.2), (2.1, 5.98), (1.4, 5.98)]
    canvas.fill(project(*((x + a * inward, b, z) for a, b in head)), color, POLE)
    glow = front(x + 1.45 * inward, x + 2.05 * inward, 5.9, 5.99, z)
    canvas.fill(glow, (255, 230, 160), POLE)
    if x > 0:
        canvas.fill(front(x - half, x, 0.7, 5.6, z), (255, 224, 180), alpha=0.35)


def draw_car(canvas: Canvas, x: float, z: float, color: Color, *, oncoming: bool) -> None:
    """A car whose end that faces us is `z` meters ahead."""
    shade = 0.3 if x < 0 else 0.0
    body = far(mix(color, SHADE, shade), 0.6 * z)
    light, dark = mix(body, (255, 246, 232), 0.38), mix(body, (16, 16, 30), 0.45)
    glass, tire = far((56, 66, 88), 0.5 * z), far((28, 28, 36), 0.5 * z)
    left, right, length = x - 0.88, x + 0.88, 4.1
    near = right if x < 0 else left  # the flank that we see
    roof = x + (0.64 if x < 0 else -0.64)  # above the belt line, cars are narrower
    canvas.fill(flat(left - 0.25, right + 0.12, z - 0.2, z + length), (18, 18, 34), alpha=0.55)
    for axle in (0.75, 3.3):
        wheel = [(0, axle - 0.3), (0, axle + 0.3), (0.5, axle + 0.3), (0.5, axle - 0.3)]
        canvas.fill(project(*((near, b, z + a) for b, a in wheel)), tire, CAR)
    flank = [(0, 0.26), (0, 0.98), (4.1, 0.9), (4.1, 0.26)]
    canvas.fill(project(*((near, b, z + a) for a, b in flank)), mix(body, dark, 0.45), CAR)
    pillar = [(0.3, 0.95), (0.7, 1.46), (2.5, 1.46), (3.2, 0.95)]
    shape = [(roof if b > 1 else near, b, z + a) for a, b in pillar]
    canvas.fill(project(*shape), mix(body, dark, 0.3), CAR)
    window = [(0.62, 1.02), (0.9, 1.36), (2.4, 1.36), (2.9, 1.02)]
    canvas.fill(project(*((roof if b > 1.2 else near, b, z + a) for a, b in window)), glass)
    for wheel in (left + 0.05, right - 0.3):
        canvas.fill(front(wheel, wheel + 0.25, 0, 0.45, z), tire, CAR)
    cabin = [(-0.78, 0.95), (-0.62, 1.4), (-0.5, 1.48), (0.5, 1.48), (0.62, 1.4), (0.78, 0.95)]
    canvas.fill(project(*((x + a, b, z + 0.5) for a, b in cabin)), body, CAR)
    pane = [(-0.66, 0.98), (-0.54, 1.38), (0.54, 1.38), (0.66, 0.98)]
    canvas.fill(project(*((x + a, b, z + 0.45) for a, b in pane)), mix(glass, (255, 222, 184), 0.5),
                below=glass)  # fmt: skip
    hull = [(-0.88, 0.4), (-0.9, 0.72), (-0.84, 0.95), (-0.7, 1.02), (0.7, 1.02), (0.84, 0.95),
            (0.9, 0.72), (0.88, 0.4), (0.8, 0.24), (-0.8, 0.24)]  # fmt: skip
    canvas.fill(project(*((x + a, b, z) for a, b in hull)), light, CAR, below=body)
    canvas.fill(front(left + 0.02, right - 0.02, 0.26, 0.44, z), dark)
    canvas.fill(front(x - 0.26, x + 0.26, 0.48, 0.6, z), (244, 240, 228))
    for a in (-0.84, 0.54):
        lamp = front(x + a, x + a + 0.3, 0.7, 0.86, z)
        canvas.fill(lamp, WHITE_LIGHT if oncoming else RED_LIGHT)
    if oncoming:
        canvas.fill(front(x - 0.46, x + 0.46, 0.66, 0.82, z), dark)


def draw_person(canvas: Canvas, x: float, z: float, coat: Color, legs: Color) -> None:
    """Someone who walks along the sidewalk."""
    lit = 0.0 if x > 0 else 0.28
    canvas.fill(_spot(x, z, 0.5, 0.35), SHADE, alpha=0.4)

    def part(points: list[Point], color: Color) -> None:
        shape = project(*((x + a, b, z) for a, b in points))
        canvas.fill(shape, far(mix(color, SHADE, lit), 0.5 * z), PERSON)

    part([(-0.1, 0.9), (-0.3, 0.05), (-0.36, 0.0), (-0.16, 0.0), (0.08, 0.86)],
         mix(legs, SHADE, 0.4))  # fmt: skip
    part([(-0.12, 0.9), (0.12, 0.42), (0.16, 0.0), (0.38, 0.0), (0.3, 0.06), (0.26, 0.46),
          (0.17, 0.9)], legs)  # fmt: skip
    part([(-0.2, 1.42), (-0.32, 1.1), (-0.38, 0.84), (-0.28, 0.84), (-0.16, 1.14)],
         mix(coat, SHADE, 0.35))  # fmt: skip
    part([(-0.22, 1.36), (-0.12, 1.47), (0.12, 1.47), (0.22, 1.36), (0.22, 0.82),
          (-0.22, 0.82)], coat)  # fmt: skip
    part([(0.14, 1.42), (0.24, 1.36), (0.32, 1.08), (0.44, 0.92), (0.36, 0.86), (0.2, 1.04)],
         mix(coat, (255, 240, 214), 0.2))  # fmt: skip
    part([(-0.05, 1.42), (-0.05, 1.55), (0.06, 1.55), (0.06, 1.42)], (190, 136, 108))
    (cx, cy), scale = project((x + 0.01, 1.63, z))[0], FOCAL / z
    skin, hair = ((206, 152, 122), (58, 42, 40))
    for dx, dy, rx, ry, color in ((0, 0, 0.105, 0.135, skin), (-0.015, -0.065, 0.11, 0.08, hair)):
        canvas.fill(ellipse(cx + dx * scale, cy + dy * scale, rx * scale, ry * scale, 14),
                    far(mix(color, SHADE, lit), 0.5 * z), PERSON)  # fmt: skip


def _spot(x: float, z: float, radius: float, depth: float) -> list[Point]:
    """A round shadow on the ground."""
    turn = np.arange(0, 2 * np.pi, 0.3)
    return project(*((x + radius * np.cos(t), 0, z + depth * np.sin(t)) for t in turn))
