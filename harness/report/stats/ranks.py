"""Average ranks over tasks, Friedman's test, Nemenyi's critical difference.

As Demsar 2006 recommends them, https://jmlr.org/papers/v7/demsar06a.html.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc
from scipy.stats import rankdata, studentized_range

from harness.report.stats.check import finite, share


@dataclass(frozen=True)
class Friedman:
    ranks: np.ndarray
    """Average ranks (methods,), 1 for the best."""
    statistic: float
    """Friedman's chi-squared, corrected for ties."""
    p: float
    f: float
    """Iman and Davenport's F, less conservative; infinite where all tasks rank alike."""
    f_p: float


def average_ranks(scores: ArrayLike) -> np.ndarray:
    """Scores (tasks, methods) -> (methods,): the highest score of a task has rank 1, ties share their mean rank."""
    return _ranks(scores).mean(axis=0)


def _ranks(scores: ArrayLike) -> np.ndarray:
    return rankdata(-np.round(finite(scores, "The array of scores (tasks x methods)", 2), 12), axis=1)


def friedman(scores: ArrayLike) -> Friedman:
    """Whether methods differ at all, from scores (tasks, methods). Source: Friedman 1937, Iman and Davenport 1980.

    Raises ValueError for fewer than three methods or two tasks; two methods are for `paired.signed_rank`.
    """
    ranks = _ranks(scores)
    tasks, methods = ranks.shape
    if methods < 3 or tasks < 2:
        raise ValueError(
            f"Friedman's test needs at least 3 methods and 2 tasks, not {methods} and {tasks}; "
            "compare two methods by Wilcoxon's signed-rank test."
        )
    average = ranks.mean(axis=0)
    between = tasks * float(((average - (methods + 1) / 2) ** 2).sum())
    within = float(((ranks - (methods + 1) / 2) ** 2).sum()) / (tasks * (methods - 1))
    statistic = between / within if within else 0.0
    rest = tasks * (methods - 1) - statistic
    f = (tasks - 1) * statistic / rest if rest > 1e-9 else float("inf")
    freedom = methods - 1, (methods - 1) * (tasks - 1)
    return Friedman(average, statistic, float(chdtrc(methods - 1, statistic)), f, float(fdtrc(*freedom, f)))


def critical_difference(methods: int, tasks: int, alpha: float = 0.05) -> float:
    """Nemenyi's: two average ranks that lie further apart differ at `alpha`, all pairs considered.

    q sqrt(k (k + 1) / (6 N)), q the studentised range of k means at infinite df, divided by sqrt(2). Whether a pair
    differs depends on the other methods too (Benavoli et al. 2016, https://jmlr.org/papers/v17/benavoli16a.html).
    Raises ValueError for fewer than two methods or one task.
    """
    if methods < 2 or tasks < 1:
        raise ValueError(f"A critical difference needs at least 2 methods and 1 task, not {methods} and {tasks}.")
    q = float(studentized_range.ppf(1 - share(alpha, "alpha"), methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * tasks)))


def cliques(ranks: ArrayLike, difference: float) -> list[tuple[int, ...]]:
    """The bars of a critical-difference diagram: largest runs of at least two methods within `difference`.

    Average ranks (methods,) -> indices, best first. Where one run lies within another it is not listed.
    """
    values = finite(ranks, "The average ranks", 1)
    order = np.argsort(values, kind="stable")
    found: list[tuple[int, ...]] = []
    end = 0
    for start in range(len(order)):
        last = max(at for at in range(start, len(order)) if values[order[at]] - values[order[start]] <= difference)
        if last > start and last + 1 > end:
            found.append(tuple(int(at) for at in order[start : last + 1]))
            end = last + 1
    return found
