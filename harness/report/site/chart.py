"""Curves as inline SVG: numbers in, the coordinates of lines, dots and ticks out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]
NUMBERS = {int, float}
MOST = 50
"""Points of a drawn line; a longer one is drawn as means of consecutive points."""
LEFT, RIGHT, TOP, BOTTOM = 40.0, 10.0, 8.0, 24.0


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Series:
    label: str
    path: str
    """The `points` of a polyline."""
    dots: tuple[tuple[float, float], ...]
    """The points one by one, where they are few."""
    end: str
    """The last value as text."""


@dataclass(frozen=True)
class Chart:
    width: float
    height: float
    series: tuple[Series, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_title: str
    y_title: str
    binned: int
    """How many recorded points a drawn one is the mean of, at most."""

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom of the plotted part"""
        return LEFT, TOP, self.width - RIGHT, self.height - BOTTOM


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers within low..high."""
    if not high > low:
        return [low]
    rough = (high - low) / max(count, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(m * size for m in (1, 2, 5, 10) if m * size >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [at * step for at in range(first, math.floor(high / step + 1e-9) + 1)]


def binned(points: Points, most: int = MOST) -> tuple[list[tuple[float, float]], int]:
    """(means of consecutive points, how many go into one), so that no more than `most` are left."""
    size = -(-len(points) // most) or 1
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts], size


def _words(value: float) -> str:
    text = f"{value:.6g}"
    return "0" if text == "-0" else text


def chart(
    found: Sequence[tuple[str, Points]], x_title: str, y_title: str, width: float = 320.0, height: float = 170.0
) -> Chart | None:
    """One line for each (label, points (x, y)); None if there is no finite point."""
    kept = [(label, [(x, y) for x, y in line if math.isfinite(x) and math.isfinite(y)]) for label, line in found]
    lines = [(label, *binned(line)) for label, line in kept if line]
    if not lines:
        return None
    xs = [x for _, line, _ in lines for x, _ in line]
    ys = [y for _, line, _ in lines for _, y in line]
    low, high = min(ys), max(ys)
    room = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    low, high = low - room, high + room
    left, right = min(xs), max(xs)
    across, up = (right - left) or 1.0, high - low

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            round(LEFT + (x - left) / across * (width - LEFT - RIGHT), 1),
            round(height - BOTTOM - (y - low) / up * (height - TOP - BOTTOM), 1),
        )

    series = []
    for label, line, _ in lines:
        placed = [place(x, y) for x, y in line]
        dots = tuple(placed) if len(placed) <= 12 else ()
        series.append(Series(label, " ".join(f"{x:g},{y:g}" for x, y in placed), dots, f"{line[-1][1]:.4g}"))
    return Chart(
        width,
        height,
        tuple(series),
        tuple(Tick(place(x, low)[0], _words(x)) for x in ticks(left, right, 4)),
        tuple(Tick(place(left, y)[1], _words(y)) for y in ticks(low, high, 4)),
        x_title,
        y_title,
        max(size for _, _, size in lines),
    )


def of_curve(curve: Sequence[Mapping[str, float | int | None]], name: str, factor: float = 1.0) -> Points:
    """(step, value) of the points that have both as numbers."""
    pairs = [(point.get("step"), point.get(name)) for point in curve]
    return [(float(x), factor * y) for x, y in pairs if type(x) in NUMBERS and type(y) in NUMBERS]  # type: ignore[arg-type,operator]
