"""The knobs of Streets."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WEATHERS", "StreetSettings"]

WEATHERS = ("clear", "overcast", "fog", "rain")


@dataclass(frozen=True)
class StreetSettings:
    """The knobs of Streets: each makes one thing harder, and the others stay.

    Attributes:
        nearest, farthest: Meters between which things stand; the range of their sizes.
        rarity: 1 for the usual number of people and poles, 0.2 for a fifth of it.
        context: From 0 to 1, how far sidewalk and road may look alike; at 1 only their place
            tells them apart.
        softness: By how many pixels the lens blurs.
        label_noise: Share of the things that the annotator overlooked or called by a wrong name.
        night: From 0, day, to 1, night.
        weather: "clear", "overcast", "fog", "rain", or "mixed" for any of them.
        noise: The sensor's noise, 1 for the usual.
    """

    nearest: float = 5.0
    farthest: float = 40.0
    rarity: float = 1.0
    context: float = 0.0
    softness: int = 0
    label_noise: float = 0.0
    night: float = 0.0
    weather: str = "mixed"
    noise: float = 1.0

    def __post_init__(self) -> None:
        if not 3 <= self.nearest < self.farthest:
            raise ValueError(
                f"nearest={self.nearest} and farthest={self.farthest} have to be meters with "
                "3 ≤ nearest < farthest"
            )
        for name in ("context", "label_noise", "night"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} has to lie between 0 and 1")
        for name in ("rarity", "noise"):
            if not 0 <= getattr(self, name) <= 4:
                raise ValueError(f"{name}={getattr(self, name)} has to lie between 0 and 4")
        if self.softness not in range(9):
            raise ValueError(f"softness={self.softness} has to be whole pixels from 0 to 8")
        if self.weather not in (*WEATHERS, "mixed"):
            raise ValueError(
                f"weather={self.weather!r} is unknown: take one of {', '.join(WEATHERS)}, or mixed"
            )
