"""Names beside points, so that none covers a point, another name or the edge: greedy, nearest free place first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]
"""left, bottom, right, top in pixels"""
ANGLES = tuple(math.radians(a) for a in (0, 45, 315, 180, 135, 225, 90, 270, 20, 340, 160, 200, 65, 115, 245, 295))
RADII = (5.0, 7.5, 11.0, 16.0, 22.0, 29.0, 37.0, 46.0, 56.0, 68.0, 82.0)
LEADER_FROM = 8.0
"""Points; a name further off than this is joined to its point by a line."""


def overlaps(boxes: ArrayLike, others: ArrayLike) -> np.ndarray:
    """Shared areas of boxes (n, 4) with others (m, 4): (n, m)."""
    a, b = np.reshape(boxes, (-1, 1, 4)), np.reshape(others, (1, -1, 4))
    across = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    up = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    return np.maximum(across, 0) * np.maximum(up, 0)


def _beside(x: float, y: float, width: float, height: float, angle: float, radius: float) -> Box:
    """A box whose nearest edge or corner lies `radius` from (x, y) in the direction of `angle`."""
    dx, dy = math.cos(angle), math.sin(angle)
    left = x + radius * dx - width * (0.5 - 0.5 * max(-1.0, min(1.0, 1.6 * dx)))
    bottom = y + radius * dy - height * (0.5 - 0.5 * max(-1.0, min(1.0, 1.6 * dy)))
    return left, bottom, left + width, bottom + height


def _nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    return min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])


def along(x: float, y: float, end: tuple[float, float]) -> list[Box]:
    """Small boxes along a line from a point, which itself stays free."""
    steps = max(2, int(math.hypot(end[0] - x, end[1] - y) / 3))
    return [
        (px - 0.5, py - 0.5, px + 0.5, py + 0.5)
        for px, py in ((x + (end[0] - x) * i / steps, y + (end[1] - y) * i / steps) for i in range(2, steps))
    ]


def places(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    obstacles: Sequence[Box],
    unit: float,
) -> list[Box]:
    """A box of each size beside its point, within `frame`. All in pixels; `unit` is a typographic point in pixels.

    Where no place is free, the one that covers least.
    """
    marker = 3.2 * unit
    taken = [(x - marker, y - marker, x + marker, y + marker) for x, y in points] + list(obstacles)
    crowd = [sum(math.dist(p, q) < 40 * unit for q in points) for p in points]
    leaders: list[Box] = []
    found: dict[int, Box] = {}
    for at in sorted(range(len(points)), key=lambda i: (crowd[i], -points[i][1])):
        others = np.array([*taken[:at], *taken[at + 1 :], *leaders]).reshape(-1, 4)
        best: tuple[float, Box, list[Box]] | None = None
        for radius in RADII:
            price, box, line = _cheapest(points[at], sizes[at], frame, others, radius * unit, unit)
            if best is None or price < best[0]:
                best = price, box, line
            if best[0] <= 0.2 * radius * unit + 1e-6:
                break
        assert best is not None
        found[at] = best[1]
        taken.append(best[1])
        leaders += best[2]
    return [found[at] for at in range(len(points))]


def _cheapest(
    point: tuple[float, float],
    size: tuple[float, float],
    frame: Box,
    others: np.ndarray,
    radius: float,
    unit: float,
) -> tuple[float, Box, list[Box]]:
    """(price, box, the line to it) of the best direction: what is covered or outside, and a little for the distance."""
    boxes = [_beside(*point, *size, angle, radius) for angle in ANGLES]
    prices = 3 * (size[0] * size[1] - overlaps(boxes, [frame])[:, 0]) + overlaps(boxes, others).sum(axis=1)
    lines: list[list[Box]] = [[] for _ in boxes]
    if radius > LEADER_FROM * unit:
        lines = [along(*point, _nearest(box, *point)) for box in boxes]
        prices += [10 * overlaps(line, others).sum() if line else 0.0 for line in lines]
    best = int(np.argmin(prices))
    return float(prices[best]) + 0.2 * radius, boxes[best], lines[best]


def put_names(
    ax: Axes, xs: Sequence[float], ys: Sequence[float], names: Sequence[str], font: float, obstacles: Sequence[Box]
) -> list[Any]:
    """Writes the names; the axes' limits and the figure's size must be final. Returns the texts."""
    figure = ax.figure
    renderer = figure.canvas.get_renderer()
    unit = figure.dpi / 72
    frame = ax.get_window_extent(renderer)
    points = [tuple(point) for point in ax.transData.transform(list(zip(xs, ys, strict=True)))]
    texts = [ax.text(0, 0, name, fontsize=font, transform=None, ha="left", va="baseline") for name in names]
    extents = [text.get_window_extent(renderer) for text in texts]
    sizes = [(extent.width + unit, extent.height + unit) for extent in extents]
    boxes = places(points, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), obstacles, unit)
    back = ax.transData.inverted()
    for text, extent, (x, y), box in zip(texts, extents, points, boxes, strict=True):
        text.set_transform(ax.transData)
        text.set_position(back.transform((box[0] + unit / 2 - extent.x0, box[1] + unit / 2 - extent.y0)))
        end = _nearest(box, x, y)
        if math.dist(end, (x, y)) > LEADER_FROM * unit:
            ax.plot(
                *zip(back.transform((x, y)), back.transform(end), strict=True), color="#999999", linewidth=0.4, zorder=1
            )
    return texts
