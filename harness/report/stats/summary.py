"""Mean, standard deviation, number; estimates with their standard error, and the intervals and p-values that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from harness.report.stats.check import finite, share


@dataclass(frozen=True)
class Summary:
    mean: float
    sd: float | None
    """With n - 1; None for one value."""
    n: int


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class Estimate:
    """A value whose error is that of a t distribution with `df` degrees of freedom, which need not be whole."""

    value: float
    se: float
    df: float

    def interval(self, level: float = 0.95) -> Interval | None:
        """None where the spread is 0: equal values measure no noise, they do not show that there is none."""
        if not self.se:
            return None
        reach = float(stdtrit(self.df, (1 + share(level)) / 2)) * self.se
        return Interval(self.value, self.value - reach, self.value + reach, level)

    @property
    def p(self) -> float | None:
        """Two-sided, of the hypothesis that the true value is 0; None where `interval` is."""
        return float(2 * stdtr(self.df, -abs(self.value) / self.se)) if self.se else None

    def scaled(self, factor: float) -> Estimate:
        return Estimate(self.value * factor, self.se * abs(factor), self.df)


def summarise(values: ArrayLike) -> Summary:
    """Of an array (n,). Raises ValueError if a value is not finite or there is none."""
    array = finite(values, "The scores", 1)
    return Summary(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None, len(array))


def spread(array: np.ndarray) -> float:
    """The variance with n - 1; exactly 0 where all values are the same to 12 digits of the largest."""
    scale = float(np.abs(array).max())
    return 0.0 if np.ptp(array) <= 1e-12 * scale else float(array.var(ddof=1))


def over_runs(values: ArrayLike) -> Estimate:
    """The mean of independent runs (n,), with Student's t. Raises ValueError for fewer than two."""
    array = finite(values, "The scores", 1)
    if len(array) < 2:
        raise ValueError("One run shows no spread; at least two seeds are needed for an interval.")
    return Estimate(float(array.mean()), float(np.sqrt(spread(array) / len(array))), len(array) - 1)


def mean_of(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates, as of the tasks of a suite, which stay the same; df after Satterthwaite 1946.

    Raises ValueError if there is none.
    """
    if not estimates:
        raise ValueError("There is no estimate to take the mean of.")
    return total([one.scaled(1 / len(estimates)) for one in estimates])


def total(estimates: Sequence[Estimate]) -> Estimate:
    """The sum of independent estimates: variances add, df = (sum of V)^2 / sum of (V^2 / df)."""
    variances = np.array([one.se**2 for one in estimates])
    weight = float((variances**2 / np.array([one.df for one in estimates])).sum())
    df = float(variances.sum()) ** 2 / weight if weight else min(one.df for one in estimates)
    return Estimate(sum(one.value for one in estimates), float(np.sqrt(variances.sum())), df)
