"""How much of a score's uncertainty is the seed's and how much the test set's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.report.stats.check import finite, pair
from harness.report.stats.summary import Estimate, spread, total


@dataclass(frozen=True)
class Components:
    """Variances of one outcome, of the model  outcome = mean + run + item + rest."""

    mean: float
    run: float
    """Between seeds, beyond what the items' chance explains."""
    item: float
    """Between items: some are hard for all seeds."""
    rest: float
    """Which items a seed gets right."""
    runs: int
    items: int

    @property
    def seed_sd(self) -> float:
        """Standard deviation of the score over seeds on this test set: what a table's +- shows."""
        return float(np.sqrt(self.run + self.rest / self.items))

    @property
    def test_set_se(self) -> float:
        """What another test set of this size would add, however many seeds are run."""
        return float(np.sqrt(self.item / self.items))

    @property
    def mean_se(self) -> float:
        """Of the mean over these runs, as an estimate over all seeds and all items."""
        n = self.runs * self.items
        return float(np.sqrt(self.run / self.runs + self.item / self.items + self.rest / n))


def _squares(table: np.ndarray) -> tuple[float, float, float]:
    """Mean squares of runs, items and rest of (runs, items)."""
    runs, items = table.shape
    by_run, by_item, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    rest = table - by_run[:, None] - by_item + mean
    return items * spread(by_run), runs * spread(by_item), float((rest**2).sum()) / ((runs - 1) * (items - 1))


def components(outcomes: ArrayLike) -> Components:
    """Of outcomes (runs, items), as correctness 0/1 of several seeds on one test set.

    The analysis-of-variance estimator of a two-way crossed random design without replication: with mean squares MS,
    rest = MS_rest, run = (MS_run - MS_rest) / items, item = (MS_item - MS_rest) / runs; what comes out
    below 0 is 0. Source: Searle, Casella and McCulloch 1992, Variance Components, chapter 4; Brennan 2001,
    Generalizability Theory, chapter 3. That both parts count for a benchmark: Bouthillier et al. 2021,
    https://arxiv.org/abs/2103.03098; Miller 2024, https://arxiv.org/abs/2411.00640.
    Raises ValueError for fewer than two runs or items.
    """
    table = finite(outcomes, "The array of outcomes (runs x items)", 2)
    runs, items = table.shape
    if runs < 2 or items < 2:
        raise ValueError(f"{runs} runs of {items} items cannot be told apart; at least two of each are needed.")
    run, item, rest = _squares(table)
    return Components(
        float(table.mean()), max(0.0, run - rest) / items, max(0.0, item - rest) / runs, rest, runs, items
    )


def binomial_se(score: float, items: int) -> float:
    """Sampling error of one run's share of right items, sqrt(p (1 - p) / n), where no outcome of an item is stored.

    It is the item and rest parts of `components` together. Raises ValueError for a score outside 0..1.
    """
    if not 0 <= score <= 1 or items < 1:
        raise ValueError(f"A share of right items lies in 0..1 and has items, unlike {score} of {items}.")
    return float(np.sqrt(score * (1 - score) / items))


def difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """mean(a) - mean(b) of outcomes (runs, items), runs matched by seed, with the error of both seeds and items.

    The variance of the mean of a crossed design (see `components`), as the sum of two parts: seeds with their share of
    the rest, MS_run / (runs items), and items without it, (MS_item - MS_rest) / (runs items); degrees of freedom after
    Satterthwaite 1946. It is the quasi-F of Clark 1973 (Journal of Verbal Learning and Verbal Behavior 12), which
    generalises over both. In simulation (tests/test_stats.py) a 95% interval covers in 93 to 96% of cases with three to
    ten runs, in about 90% with two. With one run only the items' error is there: it then speaks of these two models.
    Raises ValueError for fewer than two items.
    """
    left, right = pair(a, b, "the outcomes")
    table = finite(left - right, "The array of outcomes (runs x items)", 2)
    runs, items = table.shape
    if items < 2:
        raise ValueError("One item shows no spread; at least two are needed.")
    value = float(table.mean())
    if runs == 1:
        return Estimate(value, float(np.sqrt(spread(table[0]) / items)), items - 1)
    run, item, rest = _squares(table)
    seeds = Estimate(value, float(np.sqrt(run / table.size)), runs - 1)
    return total([seeds, Estimate(0.0, float(np.sqrt(max(0.0, item - rest) / table.size)), items - 1)])
