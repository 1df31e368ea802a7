"""What a street has of its own: sky, houses, road and sidewalks, in the light of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segtutor.data.street_canvas import Color, View

__all__ = ["BUILDING", "ROAD", "SIDEWALK", "SKY", "Air", "Row", "Street", "mixed"]

SKY, BUILDING, ROAD, SIDEWALK, VEGETATION = 0, 1, 2, 3, 4  # as in STREET_CLASSES
FLOOR = 3.0  # height of a story in meters
Array = np.ndarray


@dataclass(frozen=True)
class Air:
    """Weather and light.

    Attributes:
        zenith: Color of the sky above.
        haze: Color of the sky at the horizon, and of everything far away.
        sight: Meters at which half of a color is haze.
        shadow: What the ground in the houses' shadow keeps of its light; 1 without a sun.
        light: Red, green and blue light, 1 at noon.
        wet: Whether the road mirrors the sky.
        clouds: (column, row, half width, half height) as shares of the picture's size.
    """

    zenith: Color
    haze: Color
    sight: float
    shadow: float
    light: Color
    wet: bool
    clouds: tuple[tuple[float, float, float, float], ...]

    def shaded(self, color: Color, ahead: float) -> Color:
        """The color of something so many meters ahead."""
        return mixed(color, self.haze, ahead / (ahead + self.sight))

    def glowing(self, by_day: Color, by_night: Color) -> Color:
        """The color of something that shines as much as it gets dark."""
        dark = 1 - self.light[1]
        color = mixed(by_day, by_night, dark)
        return tuple(c / max(light, 0.15) for c, light in zip(color, self.light, strict=True))


@dataclass(frozen=True)
class Row:
    """Houses and hedges along one side, from near to far.

    Attributes:
        away: Meters from the camera to their fronts, sideways.
        ends: Meters ahead at which each ends; behind the last the street ends.
        heights: Meters, one more than `ends`: the last is what closes the street.
        kinds: BUILDING or VEGETATION, as many.
        colors: As many.
        windows: Meters from one window to the next, as many.
    """

    away: float
    ends: tuple[float, ...]
    heights: tuple[float, ...]
    kinds: tuple[int, ...]
    colors: tuple[Color, ...]
    windows: tuple[float, ...]


@dataclass(frozen=True)
class Street:
    """The ground and both rows; lengths in meters from the camera to the right."""

    middle: float
    half: float
    sidewalk: float
    road: Color
    pavement: Color
    curb: Color
    marked: float  # 1 with white lines, 0 without
    crossing: float  # meters ahead of the zebra crossing; 0 without one
    left: Row
    right: Row

    def labels(self, view: View, x: Array, y: Array) -> Array:
        """The class of each pixel, (H, W) uint8, for centers x (W,) and y (H, 1)."""
        found = np.full((len(y), len(x)), SKY, np.uint8)
        rows, across, _ = self._ground(view, x, y)
        off = np.abs(across)
        found[rows] = np.where(
            off < self.half, ROAD, np.where(off < self.half + self.sidewalk, SIDEWALK, VEGETATION)
        )
        for row, columns, away in self._sides(view, x):
            kind, _, _, top, bottom = self._fronts(view, row, away)
            front = (y > top) & (y < bottom)
            np.copyto(found[:, columns], kind.astype(np.uint8), where=front)
        return found

    def paint(self, view: View, air: Air, sun: int, x: Array, y: Array) -> Array:
        """The picture of it, (3, H, W) float32 from 0 to 255."""
        down = np.clip(y / view.horizon, 0, 1)
        sky = _column(air.zenith) + (_column(air.haze) - _column(air.zenith)) * (down * down)
        picture = np.empty((3, len(y), len(x)), np.float32)
        picture[:] = sky
        self._clouds(picture, air)
        self._floor(picture, view, air, sun, x, y)
        for row, columns, away in self._sides(view, x):
            self._walls(picture[:, :, columns], row, view, air, away, y, sun)
        return picture

    def _clouds(self, picture: Array, air: Air) -> None:
        _, height, width = picture.shape
        for cx, cy, rx, ry in air.clouds:
            rows = slice(max(int((cy - ry) * height), 0), max(int((cy + ry) * height), 0))
            columns = slice(max(int((cx - rx) * width), 0), max(int((cx + rx) * width), 0))
            patch = picture[:, rows, columns]
            _, h, w = patch.shape
            v = (np.arange(rows.start, rows.start + h, dtype=np.float32) / height - cy) / ry
            u = (np.arange(columns.start, columns.start + w, dtype=np.float32) / width - cx) / rx
            soft = np.clip(1 - v[:, None] ** 2 - u**2, 0, 1)
            patch += np.float32(0.75) * soft * (np.float32(246) - patch)

    def _ground(self, view: View, x: Array, y: Array) -> tuple[slice, Array, Array]:
        """The rows of the ground; meters from the road's middle (h, W); meters ahead (h, 1)."""
        first = int(np.searchsorted(y[:, 0], view.horizon))
        # Meters of a pixel; at the horizon itself they would be endless.
        meters = view.eye / np.maximum(y[first:] - view.horizon, 0.05)
        across = (x - view.center) * meters - self.middle
        return slice(first, None), across, meters * view.focal

    def _floor(self, picture: Array, view: View, air: Air, sun: int, x: Array, y: Array) -> None:
        rows, across, ahead = self._ground(view, x, y)
        off = np.abs(across)
        far = ahead / (ahead + air.sight)  # (h, 1)
        haze = _column(air.haze)

        def tone(color: Color) -> Array:  # (3, h, 1)
            return _column(color) + (haze - _column(color)) * far

        road = tone(self.road)
        if air.wet:
            road = road + np.float32(0.3) * (haze - road)
        patch = picture[:, rows]
        patch[:] = tone((92, 122, 66))
        np.copyto(patch, tone(self.pavement), where=off < self.half + self.sidewalk)
        np.copyto(patch, tone(self.curb), where=off < self.half + 0.2)
        np.copyto(patch, road, where=off < self.half)
        if self.marked:
            lines = (off < 0.08) & ((ahead / 3).astype(np.int32) & 1 == 0)
            lines |= np.abs(off - self.half + 0.35) < 0.06
            if self.crossing:
                zebra = (ahead > self.crossing) & (ahead < self.crossing + 3)
                lines |= (
                    zebra & (np.floor(across * 2).astype(np.int32) & 1 == 0) & (off < self.half)
                )
            np.copyto(patch, tone((226, 224, 214)), where=lines)
        if air.shadow < 1:
            edge = self.half * (0.55 if sun > 0 else 0.1)
            patch *= 1 - np.float32(1 - air.shadow) * (across * sun > edge)

    def _sides(self, view: View, x: Array) -> list[tuple[Row, slice, Array]]:
        split = int(np.searchsorted(x, view.center))
        return [
            (self.left, slice(0, split), view.center - x[:split]),
            (self.right, slice(split, None), x[split:] - view.center),
        ]

    def _fronts(self, view: View, row: Row, away: Array) -> tuple[Array, ...]:
        """Per column: class, number in the row, meters ahead, upper and lower row."""
        slope = np.maximum(away / row.away, view.focal / row.ends[-1])  # pixels a meter
        ahead = view.focal / slope
        number = np.searchsorted(row.ends, ahead)
        number[away / row.away < slope] = len(row.ends)  # what closes the street
        kind = np.array(row.kinds)[number]
        wave = ahead / 3.5
        ragged = np.abs(wave - np.floor(wave) - 0.5) * (kind == VEGETATION)
        height = np.array(row.heights, np.float32)[number] * (1 - 0.5 * ragged)
        top = view.horizon - (height - view.eye) * slope
        return kind, number, ahead, top, view.horizon + view.eye * slope

    def _walls(
        self, picture: Array, row: Row, view: View, air: Air, away: Array, y: Array, sun: int
    ) -> None:
        kind, number, ahead, top, bottom = self._fronts(view, row, away)
        first, last = np.searchsorted(y[:, 0], [top.min(), bottom.max()])
        y, picture = y[first:last], picture[:, first:last]
        front = (y > top) & (y < bottom)
        in_sun = 1.0 if (row is self.left) == (sun > 0) else 0.78
        haze, far = _column(air.haze), ahead / (ahead + air.sight)
        color = np.array(row.colors, np.float32).T[:, None, number]  # (3, 1, W)
        color *= in_sun if air.shadow < 1 else 0.9

        up = view.eye + (view.horizon - y) * (ahead / view.focal)  # meters above the ground
        built = kind == BUILDING
        story = np.floor(up * (1 / FLOOR))
        within = up - FLOOR * story
        place = ahead / np.array(row.windows, np.float32)[number]
        along = place - np.floor(place)
        height = np.array(row.heights, np.float32)[number]
        wide = built & (along > 0.22) & (along < 0.78) & (ahead < 55) & (number < len(row.ends))
        panes = wide & (within > 0.85) & (within < 2.3) & (up < height - 0.6)
        pane = place.astype(np.int16)
        leaves = ~built & (((up * 1.4).astype(np.int16) + pane) & 1 == 0)
        eaves = built & (up > height - 0.45)
        tone = 1 + np.float32(0.18) * eaves - np.float32(0.42) * panes - np.float32(0.14) * leaves
        np.copyto(picture, (color + (haze - color) * far) * tone, where=front)
        lit = panes & front & ((pane * 5 + number + story.astype(np.int16) * 3) & 3 == 0)
        lamp = _column(air.glowing((120, 140, 156), (255, 214, 130)))
        np.copyto(picture, lamp + (haze - lamp) * far, where=lit)


def mixed(color: Color, other: Color, share: float) -> Color:
    """The color on the way from one to another."""
    (r, g, b), (r2, g2, b2) = color, other
    return (r + share * (r2 - r), g + share * (g2 - g), b + share * (b2 - b))


def _column(color: Color) -> Array:
    return np.array(color, np.float32)[:, None, None]
