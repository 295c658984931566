"""Exact paired tests, two-sided, and Holm's correction.

All are sign-flip tests: under the hypothesis that both methods are equal, each difference could as well have the
other sign. The distribution over all 2^n signs is computed, not drawn and not approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, gammaln

from harness.report.stats.check import finite, pair


@dataclass(frozen=True)
class McNemar:
    only_a: int
    """Items that only the first has right."""
    only_b: int
    p: float


@dataclass(frozen=True)
class SignedRank:
    positive: float
    """Rank sum of the differences above 0."""
    negative: float
    n: int
    """Differences that are not 0."""
    p: float


def _flips(magnitudes: np.ndarray, observed: int) -> float:
    """P(|sum of s_i m_i| >= |observed|) for independent fair signs s_i and whole numbers m_i > 0.

    Equal magnitudes are taken together: c of size m add m (2 J - c), J binomial; what remains is a convolution.
    """
    law = np.ones(1)
    for size, count in zip(*np.unique(magnitudes, return_counts=True), strict=True):
        heads = np.arange(count + 1)
        weights = gammaln(count + 1) - gammaln(heads + 1) - gammaln(count - heads + 1) - count * np.log(2)
        wider = np.zeros(len(law) + int(size) * int(count))
        for at, weight in enumerate(np.exp(weights)):
            wider[at * size : at * size + len(law)] += weight * law
        law = wider
    sums = 2 * np.arange(len(law)) - (len(law) - 1)
    return float(min(1.0, law[np.abs(sums) >= abs(observed)].sum()))


def mcnemar(a: ArrayLike, b: ArrayLike) -> McNemar:
    """Of correctness (items,), exact: the items that only one has right are split as fair coins would.

    Source: McNemar 1947; the exact form is the binomial test of the discordant pairs. Raises ValueError
    if the shapes differ or a value is neither 0 nor 1.
    """
    left, right = _correctness(a, b, 1)
    only_a, only_b = int((left > right).sum()), int((left < right).sum())
    p = min(1.0, float(2 * bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
    return McNemar(only_a, only_b, p)


def _correctness(a: ArrayLike, b: ArrayLike, dims: int) -> tuple[np.ndarray, np.ndarray]:
    left, right = pair(a, b, "the outcomes")
    if left.ndim != dims:
        raise ValueError(f"The outcomes have {left.ndim} axes, but {dims} are needed.")
    if not (np.isin(left, (0, 1)).all() and np.isin(right, (0, 1)).all()):
        raise ValueError("McNemar's test needs outcomes that are right or wrong, 1 or 0; use `bootstrap.paired`.")
    return left, right


def mcnemar_runs(a: ArrayLike, b: ArrayLike) -> float:
    """The p of correctness (runs, items), runs matched: an item's outcomes of all runs change sides together.

    With one run it is exact McNemar. Runs share their items, so that pooling items x runs as if they were independent
    would count each item `runs` times. Speaks of these trained models on other items, not of other seeds. The
    sign-flip form of McNemar's test for clustered pairs (Obuchowski 1998, Statistics in Medicine 17; Yang et al. 2010).
    """
    left, right = _correctness(a, b, 2)
    sums = (left - right).sum(axis=0).astype(int)
    return _flips(np.abs(sums[sums != 0]), int(sums.sum()))


def signed_rank(differences: ArrayLike) -> SignedRank:
    """Wilcoxon's test of differences (n,); zeros are left out, ties share their mean rank; exact with ties too.

    Source: Wilcoxon 1945; for methods over data sets Demsar 2006, https://jmlr.org/papers/v7/demsar06a.html.
    All zeros give p = 1.
    """
    # 0.3 - 0.2 and 0.2 - 0.1 are a tie, whatever their last bits say.
    values = np.round(finite(differences, "The differences", 1), 12)
    values = values[values != 0]
    if not len(values):
        return SignedRank(0.0, 0.0, 0, 1.0)
    # Slow to import, and a leaderboard needs only Holm's correction of this module.
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(values))
    positive, negative = float(ranks[values > 0].sum()), float(ranks[values < 0].sum())
    # Twice a mean rank is whole.
    p = _flips(np.rint(2 * ranks).astype(int), round(2 * (positive - negative)))
    return SignedRank(positive, negative, len(values), p)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjusted p-values (n,) in the given order: at most alpha where Holm's procedure rejects at alpha.

    Source: Holm 1979, https://www.jstor.org/stable/4615733. Raises ValueError for values outside 0..1.
    """
    p = finite(p_values, "The p-values", 1)
    if p.min() < 0 or p.max() > 1:
        raise ValueError("A p-value lies outside 0..1.")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def pairwise(scores: ArrayLike) -> np.ndarray:
    """Symmetric (methods, methods) p-values of all pairs, Wilcoxon with Holm's correction; 1 on the diagonal.

    Scores (units, methods). Units are what the claim generalises over: tasks, each the mean of its seeds
    (Demsar 2006), or the seeds of one task. Tasks x seeds as units would ask only about these very tasks.
    """
    table = finite(scores, "The array of scores (units x methods)", 2)
    count = table.shape[1]
    result = np.ones((count, count))
    if count < 2:
        return result
    rows, columns = np.triu_indices(count, 1)
    p = holm([signed_rank(table[:, i] - table[:, j]).p for i, j in zip(rows, columns, strict=True)])
    result[rows, columns] = result[columns, rows] = p
    return result
