"""Percentile intervals by resampling: runs within tasks (stratified), or the items of a test set (paired)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.report.stats.aggregate import performance_profile
from harness.report.stats.check import finite, pair, share
from harness.report.stats.summary import Interval

RESAMPLES = 2000
CHUNK = 1_000_000
"""Values that are resampled at once."""
Statistic = Callable[[np.ndarray], np.ndarray]
"""(resamples, runs, tasks) -> (resamples, ...), as the functions of `aggregate`"""


@dataclass(frozen=True)
class Band:
    """An interval at each of several places: arrays of one shape."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float


def _quantiles(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.quantile(draws, [(1 - share(level)) / 2, (1 + level) / 2], axis=0)
    return low, high


def _chunks(resamples: int, size: int) -> list[int]:
    step = max(1, CHUNK // size)
    return [min(step, resamples - start) for start in range(0, resamples, step)]


def _resampled(scores: np.ndarray, count: int, generator: np.random.Generator, tasks: bool) -> np.ndarray:
    runs, columns = scores.shape
    run = generator.integers(runs, size=(count, runs, columns))
    column = generator.integers(columns, size=(count, 1, columns)) if tasks else np.arange(columns)
    return scores[run, column]


def _draws(
    arrays: tuple[np.ndarray, ...],
    statistic: Callable[..., np.ndarray],
    generator: np.random.Generator,
    resamples: int,
    tasks: bool,
) -> np.ndarray:
    sizes = _chunks(resamples, max(array.size for array in arrays))
    made = [statistic(*(_resampled(array, size, generator, tasks) for array in arrays)) for size in sizes]
    return np.concatenate(made)


def stratified(
    scores: ArrayLike,
    statistic: Statistic,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    tasks: bool = False,
) -> Interval:
    """Of a statistic of scores (runs, tasks): each task's runs are drawn anew with replacement, tasks apart
    (Agarwal et al. 2021, https://arxiv.org/abs/2108.13264). With `tasks` the tasks are drawn anew too: then the
    interval speaks of other tasks of their kind as well.

    With few runs the spread within a task comes out too small by the factor (runs - 1) / runs, and one run gives no
    width at all; for three to five seeds `summary.over_runs` and `summary.mean_of` keep their level better.
    """
    array = finite(scores, "The array of scores (runs x tasks)", 2)
    low, high = _quantiles(_draws((array,), statistic, generator, resamples, tasks), level)
    return Interval(float(statistic(array[None])[0]), float(low), float(high), level)


def stratified_pair(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """As `stratified`, of a statistic of two arrays whose runs are drawn independently (probability of improvement).

    (runs of the first, tasks), (runs of the second, tasks).
    """
    arrays = tuple(finite(scores, "An array of scores (runs x tasks)", 2) for scores in (first, second))
    low, high = _quantiles(_draws(arrays, statistic, generator, resamples, False), level)
    value = float(statistic(*(array[None] for array in arrays))[0])
    return Interval(value, float(low), float(high), level)


def profile(
    scores: ArrayLike,
    thresholds: ArrayLike,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Band:
    """A performance profile of scores (runs, tasks) with its pointwise band: arrays (thresholds,)."""
    array = finite(scores, "The array of scores (runs x tasks)", 2)
    draws = _draws((array,), lambda drawn: performance_profile(drawn, thresholds), generator, resamples, False)
    low, high = _quantiles(draws, level)
    return Band(performance_profile(array, thresholds), low, high, level)


def paired(
    a: ArrayLike,
    b: ArrayLike,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """Of mean(a) - mean(b) over the same items: items are drawn anew, each with both its outcomes.

    (items,) or (runs, items), whose mean over runs is then what an item gives: the runs stay as they
    are, so that the interval is one for these trained models (`variance.difference` counts the seeds too).
    Source: Efron and Tibshirani 1993, chapter 8; Koehn 2004, https://aclanthology.org/W04-3250.
    """
    left, right = pair(a, b, "the outcomes")
    differences = (left - right).reshape(-1, left.shape[-1]).mean(axis=0)
    # Which item is which does not matter: how often each value is drawn does.
    values, counts = np.unique(np.round(differences, 12), return_counts=True)
    drawn = generator.multinomial(len(differences), counts / len(differences), size=resamples)
    low, high = _quantiles(drawn @ values / len(differences), level)
    return Interval(float(differences.mean()), float(low), float(high), level)
