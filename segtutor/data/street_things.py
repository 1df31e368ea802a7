"""What stands and moves in a street: trees, poles, cars, people; each a few filled shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segtutor.data.street_canvas import Color, Sheet, View

__all__ = ["CAR", "PERSON", "POLE", "VEGETATION", "Pen", "draw_car", "draw_lamp", "draw_person",
           "draw_sign", "draw_tree"]  # fmt: skip

VEGETATION, CAR, PERSON, POLE = 4, 5, 6, 7  # as in STREET_CLASSES


@dataclass
class Pen:
    """What a thing is drawn with.

    Attributes:
        sheet: Where to.
        view: From where it is seen.
        shaded: The color that a color has so many meters ahead, in this light.
        glowing: The color of something that shines by itself, at night more than by day.
        draw: The next random number from 0 to 1.
        sun: −1 if the light comes from the left, 1 from the right.
        night: 0 by day, 1 at night.
    """

    sheet: Sheet
    view: View
    shaded: Callable[[Color, float], Color]
    glowing: Callable[[Color, Color], Color]
    draw: Callable[[], float]
    sun: int
    night: float


def lighter(color: Color, factor: float) -> Color:
    """The color in more light, or in less."""
    return (color[0] * factor, color[1] * factor, color[2] * factor)


def draw_tree(pen: Pen, right: float, ahead: float, radius: float, green: Color) -> None:
    """A trunk, and a crown of a few tones, the lighter ones toward the sun."""
    sheet, view = pen.sheet, pen.view
    x, meter = view.x(right, ahead), view.focal / ahead
    bark = sheet.material(pen.shaded((92, 70, 56), ahead), VEGETATION)
    half = max(0.13 * meter, 0.3)
    middle = view.y(2.2 + radius, ahead)
    sheet.rectangle(bark, (x - half, x + half), (middle, view.y(0, ahead)))
    r = radius * meter
    lobes = [(-0.62, 0.3, 0.6), (0.6, 0.34, 0.58), (0.0, 0.0, 0.86)]
    for tone, reach in ((0.66, 0.0), (0.9, 0.2), (1.14, 0.34)):
        leaves = sheet.material(pen.shaded(lighter(green, tone), ahead), VEGETATION)
        for across, down, size in lobes:
            lobe = size * (1 - 1.3 * reach) * r
            lean = (across + pen.sun * reach * size + 0.24 * (pen.draw() - 0.5)) * r
            sheet.ellipse(leaves, (x + lean, middle + (down - reach * size) * r),
                          (lobe, 0.9 * lobe))  # fmt: skip


def draw_lamp(pen: Pen, thing: int, label: int, right: float, ahead: float) -> None:
    """A street lamp: a thin pole, an arm over the street, and its light."""
    sheet, view = pen.sheet, pen.view
    x, meter, top = view.x(right, ahead), view.focal / ahead, view.y(5.6, ahead)
    metal = sheet.material(pen.shaded((70, 78, 84), ahead), label, thing)
    half = max(0.075 * meter, 0.5)  # never thinner than a pixel
    sheet.rectangle(metal, (x - half, x + half), (top, view.y(0, ahead)))
    arm = (-1.5 if right > 0 else 1.5) * meter
    thick = max(0.14 * meter, 0.5)
    sheet.rectangle(metal, (min(x, x + arm), max(x, x + arm)), (top, top + thick))
    light = sheet.material(pen.glowing((210, 212, 200), (255, 236, 180)), label, thing)
    tip = x + 0.8 * arm
    wide = max(0.42 * meter, 0.6)
    sheet.rectangle(light, (tip - wide, tip + wide), (top + 0.5 * thick, top + 1.6 * thick))


def draw_sign(pen: Pen, thing: int, label: int, right: float, ahead: float) -> None:
    """A traffic sign on its pole; sign and pole are one class, as in the picture they are one."""
    sheet, view = pen.sheet, pen.view
    x, meter, top = view.x(right, ahead), view.focal / ahead, view.y(2.9, ahead)
    metal = sheet.material(pen.shaded((128, 132, 136), ahead), label, thing)
    half = max(0.06 * meter, 0.5)
    sheet.rectangle(metal, (x - half, x + half), (top, view.y(0, ahead)))
    rim, inside = ((196, 44, 44), (238, 236, 230)) if pen.draw() < 0.5 else (
        (40, 82, 168), (226, 232, 240))  # fmt: skip
    radius = max(0.42 * meter, 0.9)
    for color, share in ((rim, 1.0), (inside, 0.6)):
        face = sheet.material(pen.shaded(color, ahead), label, thing)
        sheet.ellipse(face, (x, top), (share * radius, share * radius))


def draw_person(
    pen: Pen, thing: int, label: int, right: float, ahead: float, height: float, clothes: Color
) -> None:
    """Somebody who walks: two legs, a coat, a head."""
    sheet, view = pen.sheet, pen.view
    x, meter = view.x(right, ahead), view.focal / ahead
    foot, top = view.y(0, ahead), view.y(height, ahead)
    tall = foot - top
    legs = sheet.material(pen.shaded(lighter((62, 58, 74), 0.6 + 0.8 * pen.draw()), ahead),
                          label, thing)  # fmt: skip
    step = (0.06 + 0.12 * pen.draw()) * tall
    waist, width = top + 0.54 * tall, max(0.085 * tall, 0.35)
    sheet.trapezoid(legs, (waist, foot), (x - width, x), (x - step - width, x - step + 0.3 * width))
    sheet.trapezoid(legs, (waist, foot), (x, x + width), (x + step - 0.3 * width, x + step + width))
    wide = max(0.26 * meter * height / 1.75, 0.55)
    coat = sheet.material(pen.shaded(clothes, ahead), label, thing)
    sheet.trapezoid(coat, (top + 0.16 * tall, top + 0.62 * tall),
                    (x - 0.8 * wide, x + 0.8 * wide), (x - wide, x + wide))  # fmt: skip
    skin = sheet.material(pen.shaded((214, 168, 140), ahead), label, thing)
    sheet.ellipse(skin, (x, top + 0.085 * tall), (max(0.075 * tall, 0.4), max(0.09 * tall, 0.5)))


def draw_car(
    pen: Pen, thing: int, label: int, right: float, ahead: float, color: Color, oncoming: bool
) -> None:
    """A car from behind or from ahead, with the side that is turned to the camera."""
    sheet, view = pen.sheet, pen.view
    far, half = ahead + 4.0, 0.88
    y = [view.y(up, ahead) for up in (0.0, 0.3, 0.92, 1.48)]  # ground, sill, bonnet, roof
    yf = [view.y(up, far) for up in (0.0, 0.3, 0.92, 1.48)]
    left, end = view.x(right - half, ahead), view.x(right + half, ahead)
    meter = view.focal / ahead

    def paint(shade: Color) -> int:
        return sheet.material(pen.shaded(shade, ahead), label, thing)

    dark, glass = paint((30, 32, 38)), paint((74, 92, 106))
    body, lit = paint(color), paint(lighter(color, 1.18))
    inner = 1 if right < 0 else -1  # which of its sides looks at the street's middle
    near, away = view.x(right + inner * half, ahead), view.x(right + inner * half, far)
    side = paint(lighter(color, 0.66 if inner == -pen.sun else 0.9))
    slope, cabin = yf[3] - y[3], 0.2 * meter
    for part, fill in ((0.0, side), (0.07, glass)):  # the roof, and the windows under it
        start, stop = near - inner * (1 - 3 * part) * cabin, near + (0.86 - part) * (away - near)
        drop = part * meter
        sheet.slab(fill, (start, stop), (y[3] + drop, y[1]), (y[3] + drop + 0.9 * slope, yf[1]))
    sheet.slab(dark, (near, away), (y[1], y[0] - 0.04 * meter), (yf[1], yf[0]))
    sheet.slab(side, (near, away), (y[2], y[1]), (yf[2], yf[1]))
    wheel = (away - near) / 8
    for place in (0.16, 0.8):
        wx, wy = near + place * (away - near), y[0] + place * (yf[0] - y[0])
        sheet.ellipse(dark, (wx, wy - 0.3 * meter), (max(abs(wheel), 0.4), 0.32 * meter))
    for tire in (left + 0.02 * meter, end - 0.3 * meter):
        sheet.rectangle(dark, (tire, tire + 0.28 * meter), (y[1], y[0]))
    sheet.rectangle(body, (left, end), (y[2], y[1] + 0.12 * meter))
    sheet.trapezoid(body, (y[3], y[2]), (left + cabin, end - cabin), (left, end))
    sheet.trapezoid(glass, (y[3] + 0.09 * meter, y[2] - 0.04 * meter),
                    (left + 1.3 * cabin, end - 1.3 * cabin),
                    (left + 0.5 * cabin, end - 0.5 * cabin))  # fmt: skip
    sheet.rectangle(lit, (left, end), (y[2], y[2] + 0.06 * meter))
    shine = ((236, 236, 222), (255, 250, 226)) if oncoming else ((168, 34, 34), (255, 60, 44))
    lamp = sheet.material(pen.glowing(*shine), label, thing)
    tall = y[2] + 0.16 * meter
    for corner in (left + 0.06 * meter, end - 0.36 * meter):
        sheet.rectangle(lamp, (corner, corner + 0.3 * meter), (tall, tall + 0.18 * meter))
