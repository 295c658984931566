"""How a method's score depends on its learning rate, from the records of a search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.record import RunRecord, canonical_json, mean_score

Z = 1.96


@dataclass(frozen=True)
class Curve:
    method: str
    task: str
    points: tuple[tuple[float, float | None], ...]
    """(learning rate, score), by rate; None for a run that failed or diverged"""
    """a trial's mean over its seeds"""
    half_interval: float | None
    """half of the 95 % interval of the best score, from the number of rows it stands on; None for a score that is no
    share of rows"""
    guess: float | None = None
    """the score of always giving the commonest answer, where that is known"""

    @property
    def forgiving(self) -> float | None:
        """Share of the trials within that of the best; None if there is no interval."""
        scores = [score for _, score in self.points if score is not None]
        if self.half_interval is None or not scores:
            return None
        return sum(score >= max(scores) - self.half_interval for score in scores) / len(self.points)

    def end(self, rate: float) -> str:
        """`highest` or `lowest` if no trial had a higher rate, or none a lower one: a better one may lie beyond; else ""."""
        rates = [tried for tried, _ in self.points]
        return "highest" if rate >= max(rates) else "lowest" if rate <= min(rates) else ""


def half_interval(runs: Sequence[RunRecord]) -> float | None:
    """Of the mean of runs that are scored on the same rows, which is why more of them make it no smaller.

    Normal approximation of the sampling error of a share; a share of 0 or 1 is taken one row further in."""
    rows, score = runs[0].data_stats.get("eval_rows"), mean_score(runs)
    if runs[0].metric != "accuracy" or not rows or score is None:
        return None
    share = min(max(score, 1 / rows), 1 - 1 / rows)
    return Z * math.sqrt(share * (1 - share) / rows)


def curves(records: Iterable[RunRecord]) -> list[Curve]:
    """One for each method and task."""
    groups: dict[tuple[str, str], dict[tuple[float, str], list[RunRecord]]] = {}
    for record in records:
        trials = groups.setdefault((record.spec.method, record.spec.task), {})
        point = record.spec.recipe["learning_rate"], canonical_json(record.spec.config)
        trials.setdefault(point, []).append(record)
    found = []
    for (method, task), trials in sorted(groups.items()):
        made = sorted(trials.items(), key=lambda trial: trial[0][0])
        points = tuple((rate, mean_score(runs)) for (rate, _), runs in made)
        best = max((runs for _, runs in made), key=lambda runs: mean_score(runs) or 0.0)
        guess = best[0].data_stats.get("eval_largest_class") if best[0].metric == "accuracy" else None
        found.append(Curve(method, task, points, half_interval(best), guess))
    return found
