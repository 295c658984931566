"""Refuses what would make a silent wrong number: NaN, empty arrays, wrong shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def finite(values: ArrayLike, what: str, dims: int | None = None) -> np.ndarray:
    """`values` as float64. Raises ValueError if one is not finite, there is none, or the axes are not `dims`."""
    array = np.asarray(values, dtype=np.float64)
    if dims is not None and array.ndim != dims:
        raise ValueError(f"{what} has {array.ndim} axes, but {dims} are needed.")
    if not array.size:
        raise ValueError(f"{what} is empty; at least one score is needed.")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(
            f"{what} holds {bad} values that are not finite; leave out runs without a score, and with them the tasks "
            "or seeds that are then not complete."
        )
    return array


def pair(a: ArrayLike, b: ArrayLike, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Both finite and of one shape. Raises ValueError if not."""
    left, right = finite(a, f"The first of {what}"), finite(b, f"The second of {what}")
    if left.shape != right.shape:
        raise ValueError(f"{what} have the shapes {left.shape} and {right.shape}; only matched values can be paired.")
    return left, right


def share(level: float, name: str = "level") -> float:
    """Raises ValueError if it is not between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"{name} {level} is not between 0 and 1; 0.95 and 0.05 are the usual ones.")
    return level
