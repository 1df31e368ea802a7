"""Where a point of the street lies in the picture, and what color the air leaves it."""

from __future__ import annotations

from segtutor.data.canvas import Color, Point

WIDTH, HEIGHT = 288.0, 192.0  # the units in which the picture is composed
CENTER, HORIZON = 139.0, 92.0  # where all lines of the street meet
FOCAL, EYE = 232.0, 1.5  # focal length in those units, height of the camera in meters
HAZE: Color = (250, 216, 182)
SHADE: Color = (38, 40, 74)


def project(*points: tuple[float, float, float]) -> list[Point]:
    """Meters to the right, up and ahead -> where they are in the picture."""
    return [(CENTER + FOCAL * x / z, HORIZON - FOCAL * (y - EYE) / z) for x, y, z in points]


def mix(color: Color, other: Color, share: float) -> Color:
    """The color on the way from one to another."""
    return tuple(c + share * (o - c) for c, o in zip(color, other, strict=True))


def far(color: Color, z: float) -> Color:
    """The color as it looks through z meters of evening air."""
    return mix(color, HAZE, 1 - 0.5 ** (z / 75))


def flat(x0: float, x1: float, z0: float, z1: float, y: float = 0.0) -> list[Point]:
    """A rectangle that lies on the ground."""
    return project((x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1))


def wall(x: float, z0: float, z1: float, y0: float, y1: float) -> list[Point]:
    """A rectangle that stands along the street."""
    return project((x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1))


def front(x0: float, x1: float, y0: float, y1: float, z: float) -> list[Point]:
    """A rectangle that stands across the street."""
    return project((x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z))
