"""How a method's score depends on its learning rate, from the records of a search."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.record import RunRecord

Z = 1.96


@dataclass(frozen=True)
class Curve:
    method: str
    task: str
    points: tuple[tuple[float, float | None], ...]
    """(learning rate, score), by rate; None for a run that failed or diverged"""
    half_interval: float | None
    """half of the 95 % interval of the best score, from the number of rows it stands on; None for a score that is no
    share of rows"""

    @property
    def forgiving(self) -> float | None:
        """Share of the trials within that of the best; None if there is no interval."""
        scores = [score for _, score in self.points if score is not None]
        if self.half_interval is None or not scores:
            return None
        return sum(score >= max(scores) - self.half_interval for score in scores) / len(self.points)

    def at_end(self, rate: float) -> bool:
        """Whether no trial had a higher rate, or none a lower one: a better one may
        lie beyond."""
        rates = [tried for tried, _ in self.points]
        return rate <= min(rates) or rate >= max(rates)


def half_interval(record: RunRecord) -> float | None:
    """Normal approximation of the sampling error of a share; a share of 0 or 1 is taken one row further in."""
    rows, score = record.data_stats.get("eval_rows"), record.score
    if record.metric != "accuracy" or not rows or score is None:
        return None
    share = min(max(score, 1 / rows), 1 - 1 / rows)
    return Z * math.sqrt(share * (1 - share) / rows)


def curves(records: Iterable[RunRecord]) -> list[Curve]:
    """One for each method and task."""
    groups: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        groups.setdefault((record.spec.method, record.spec.task), []).append(record)
    found = []
    for (method, task), runs in sorted(groups.items()):
        runs.sort(key=lambda run: run.spec.recipe["learning_rate"])
        ended = [run for run in runs if run.score is not None]
        best = max(ended, key=lambda run: run.score or 0.0, default=None)
        points = tuple((run.spec.recipe["learning_rate"], run.score) for run in runs)
        found.append(Curve(method, task, points, half_interval(best) if best else None))
    return found
