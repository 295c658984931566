"""Trade-offs between several values that are all better when lower: the Pareto front and the volume that it dominates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.report.stats.check import finite


def non_dominated(points: ArrayLike) -> np.ndarray:
    """(points,) booleans of points (points, values): no other point is as low in every value and lower in one."""
    table = finite(points, "The points (points x values)", 2)
    as_low = (table[None, :, :] <= table[:, None, :]).all(axis=2)
    lower = (table[None, :, :] < table[:, None, :]).any(axis=2)
    return ~(as_low & lower).any(axis=1)


def _area(points: np.ndarray, reference: np.ndarray) -> float:
    """Of the union of the rectangles from each point (points, 2) to the reference."""
    total, low = 0.0, float(reference[1])
    for x, y in points[np.argsort(points[:, 0], kind="stable")]:
        if y < low:
            total += float(reference[0] - x) * (low - float(y))
            low = float(y)
    return total


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume of what at least one of `points` (points, 2 or 3) dominates, bounded by `reference` (2 or 3 values);
    exact. A point that is not lower than the reference in every value adds nothing.

    Zitzler and Thiele 1999, https://doi.org/10.1109/4235.797969; in three dimensions as the sum of slices between
    neighbouring third values. Raises ValueError for other dimensions.
    """
    table, bound = finite(points, "The points (points x values)", 2), finite(reference, "The reference point", 1)
    if table.shape[1] != len(bound) or len(bound) not in (2, 3):
        raise ValueError(
            f"An exact hypervolume is of two or three values a point and as many of the reference, not {table.shape[1]} and {len(bound)}."
        )
    inside = table[(table < bound).all(axis=1)]
    if len(bound) == 2:
        return _area(inside, bound)
    levels = np.unique(inside[:, 2])
    thick = np.diff([*levels, bound[2]])
    return float(
        sum(_area(inside[inside[:, 2] <= z][:, :2], bound[:2]) * d for z, d in zip(levels, thick, strict=True))
    )
