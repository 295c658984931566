"""One number for many runs and tasks, as Agarwal et al. 2021 define them (https://arxiv.org/abs/2108.13264, rliable).

Arrays are (..., runs, tasks): the last two axes are summed up, those before are kept, as for resamples.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from harness.report.stats.check import finite


def _table(scores: ArrayLike) -> np.ndarray:
    array = finite(scores, "The array of scores")
    if array.ndim < 2:
        raise ValueError("The array of scores has one axis, but runs x tasks are needed; one task is a column of them.")
    return array


def mean(scores: ArrayLike) -> np.ndarray:
    """(..., runs, tasks) -> (...)."""
    return _table(scores).mean(axis=(-2, -1))


def median(scores: ArrayLike) -> np.ndarray:
    """The median over tasks of the mean over runs: (..., runs, tasks) -> (...)."""
    return np.median(_table(scores).mean(axis=-2), axis=-1)


def interquartile_mean(scores: ArrayLike) -> np.ndarray:
    """The mean of the middle half of all runs of all tasks: (..., runs, tasks) -> (...).

    A quarter of the number of values, rounded down, is cut off at each end.
    """
    array = _table(scores)
    values = np.sort(array.reshape(*array.shape[:-2], -1), axis=-1)
    cut = values.shape[-1] // 4
    return values[..., cut : values.shape[-1] - cut].mean(axis=-1)


def optimality_gap(scores: ArrayLike, target: float = 1.0) -> np.ndarray:
    """How far runs fall short of `target` on average; more counts as `target`: (..., runs, tasks) -> (...)."""
    return target - np.minimum(_table(scores), target).mean(axis=(-2, -1))


def probability_of_improvement(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """P(a run of the first scores higher than one of the second), a tie counting half, averaged over tasks.

    (..., runs of the first, tasks), (..., runs of the second, tasks) -> (...). Of each task it is the
    Mann-Whitney U divided by the number of pairs. Raises ValueError if the tasks are not equally many.
    """
    a, b = _table(first), _table(second)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"{a.shape[-1]} tasks against {b.shape[-1]}; the columns must be the same tasks.")
    left, right = a[..., :, None, :], b[..., None, :, :]
    return ((left > right) + 0.5 * (left == right)).mean(axis=(-3, -2, -1))


def performance_profile(scores: ArrayLike, thresholds: ArrayLike, of: Literal["runs", "tasks"] = "runs") -> np.ndarray:
    """The share above each threshold, of all runs or of the tasks' means over runs.

    (..., runs, tasks), (thresholds,) -> (..., thresholds).
    """
    array, at = _table(scores), finite(thresholds, "The thresholds", 1)
    values = array.reshape(*array.shape[:-2], -1) if of == "runs" else array.mean(axis=-2)
    ordered = np.sort(values, axis=-1)
    # One threshold at a time: all of them at once would take resamples x thresholds x values of memory.
    return np.stack([(ordered > threshold).mean(axis=-1) for threshold in at], axis=-1)
