"""Two methods, or two folders of results: difference by task, its interval, tests, costs, and one sentence.

Runs are matched by task, setting and seed. Where both sides' items are stored and the score is their mean, the interval
counts seeds and test items (`stats.variance.difference`); else it counts seeds alone. Scores are x100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

import numpy as np

from harness.record import RunRecord, UserError
from harness.report.caption import scores
from harness.report.defaults import Defaults
from harness.report.ratios import Ratio, ratios
from harness.report.setting import Setting, groups, rows
from harness.report.stats.enough import too_few
from harness.report.stats.paired import holm, mcnemar_runs, signed_rank
from harness.report.stats.summary import Estimate, Interval, mean_of, over_runs
from harness.report.stats.variance import difference
from harness.report.verdict import verdict

ALPHA = 0.05
LEVEL = 1 - ALPHA
Basis = Literal["seeds and items", "seeds", "items", "none"]
"""What the interval counts"""
Outcomes = Callable[[RunRecord], "tuple[str, np.ndarray] | None"]
"""A run's stored items: ("correct" or "error", (items,)); None if there are none"""


@dataclass(frozen=True)
class Side:
    label: str
    runs: Sequence[RunRecord]
    outcomes: Outcomes


@dataclass(frozen=True)
class TaskDifference:
    task: str
    metric: str
    seeds: int
    items: int | None
    a: float
    b: float
    estimate: Estimate | None
    """Of a - b; None where one seed without items, or a score that is no mean of items, measures no spread."""
    basis: Basis
    p_holm: float | None = None
    """Corrected over the tasks with at least two seeds."""
    p_items: float | None = None
    """Exact McNemar, an item's runs together: these trained models on other items."""

    @property
    def difference(self) -> float:
        return self.a - self.b

    @property
    def interval(self) -> Interval | None:
        return self.estimate.interval(LEVEL) if self.estimate else None

    @property
    def p(self) -> float | None:
        return self.estimate.p if self.estimate else None

    @property
    def counts_seeds(self) -> bool:
        return self.basis in {"seeds and items", "seeds"} and self.p is not None


@dataclass(frozen=True)
class Comparison:
    setting: Setting
    title: str
    a: str
    b: str
    tasks: tuple[TaskDifference, ...]
    mean: Estimate | None
    """Of a - b over the tasks with at least two seeds; the tasks are taken as given. None for fewer than two tasks."""
    p_tasks: float | None
    """Wilcoxon over tasks, each the mean of its seeds, at least two; None where they are too few."""
    costs: tuple[Ratio, ...]
    notes: tuple[str, ...]
    verdict: str


def _matched(a: Side, b: Side) -> Iterator[tuple[str, list[tuple[RunRecord, RunRecord]], str]]:
    """(task, runs of the same seed, a note on what is left out) for each task that either side has."""
    for task in sorted({run.spec.task for side in (a, b) for run in side.runs}):
        found: list[dict[int, RunRecord]] = []
        for side in (a, b):
            own = [run for run in side.runs if run.spec.task == task and run.status == "done"]
            found.append({run.spec.seed: run for run in own if run.spec.seed in scores([run])})
        shared = sorted(set(found[0]) & set(found[1]))
        lone = [
            f"seed{'s' if len(left) > 1 else ''} {', '.join(map(str, left))} only in {side.label}"
            for side, mine in zip((a, b), found, strict=True)
            if (left := sorted(set(mine) - set(shared)))
        ]
        why = "; ".join(lone) or "neither has a score"
        yield task, [(found[0][s], found[1][s]) for s in shared], f"{task}: {why}." if lone or not shared else ""


def _items(side: Side, runs: Sequence[RunRecord]) -> tuple[str, np.ndarray] | None:
    """(kind, (runs, items)) if all runs have the same number of items of the same kind."""
    found = [side.outcomes(run) for run in runs]
    known = [one for one in found if one is not None and np.isfinite(one[1]).all()]
    if len(known) < len(runs) or len({(kind, len(values)) for kind, values in known}) > 1:
        return None
    return known[0][0], np.stack([values for _, values in known]).astype(float)


def _both_right(
    a: tuple[str, np.ndarray] | None, b: tuple[str, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Both sides' correctness, where both are stored for the same items; a regression's errors are neither."""
    if a is None or b is None or not a[0] == b[0] == "correct" or a[1].shape != b[1].shape or a[1].shape[1] < 2:
        return None
    return a[1], b[1]


def _is_mean(runs: Sequence[RunRecord], outcomes: np.ndarray) -> bool:
    """Whether each run's score is the share of its right items, as accuracy is and F1 is not."""
    return all(abs((run.score or 0.0) - own.mean()) < 1e-6 for run, own in zip(runs, outcomes, strict=True))


def _task(task: str, pairs: Sequence[tuple[RunRecord, RunRecord]], a: Side, b: Side) -> TaskDifference:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    values = [np.array([scores([run])[run.spec.seed] for run in runs]) for runs in (first, second)]
    right = _both_right(_items(a, first), _items(b, second))
    estimate: Estimate | None = None
    basis: Basis = "none"
    if right and _is_mean(first, right[0]) and _is_mean(second, right[1]):
        estimate = difference(*right).scaled(100)
        basis = "seeds and items" if len(pairs) > 1 else "items"
    elif len(pairs) > 1:
        estimate, basis = over_runs(values[0] - values[1]), "seeds"
    return TaskDifference(
        task=task,
        metric=first[0].metric,
        seeds=len(pairs),
        items=right[0].shape[1] if right else None,
        a=float(values[0].mean()),
        b=float(values[1].mean()),
        estimate=estimate,
        basis=basis,
        p_items=mcnemar_runs(*right) if right else None,
    )


def _with_holm(tasks: Sequence[TaskDifference]) -> tuple[TaskDifference, ...]:
    p = [one.p for one in tasks if one.counts_seeds and one.p is not None]
    adjusted = iter(holm(p).tolist() if p else ())
    return tuple(replace(one, p_holm=next(adjusted)) if one.counts_seeds else one for one in tasks)


def _limits(tasks: Sequence[TaskDifference]) -> list[str]:
    """What these runs cannot show."""
    notes = []
    if single := [one.task for one in tasks if one.seeds == 1]:
        notes.append(f"One seed says nothing of other seeds, so no claim rests on it: {', '.join(single)}.")
    fewest = min((one.seeds for one in tasks if one.seeds > 1), default=0)
    if fewest and (sentence := too_few(fewest)):
        hold = " With two seeds a 95% interval holds the truth in about 90% of cases." if fewest == 2 else ""
        notes.append(f"Without taking the noise of seeds for normal, as the intervals do, {sentence}{hold}")
    if equal := [one.task for one in tasks if one.estimate and one.p is None]:
        notes.append(f"No spread to measure, hence no interval: {', '.join(equal)}.")
    if alone := [one.task for one in tasks if one.basis == "seeds"]:
        notes.append(
            f"Interval over seeds alone, without the error of the test set: {', '.join(alone)} "
            "(no stored items on both sides, or a score that is no mean of items)."
        )
    several = sum(one.seeds > 1 for one in tasks)
    if several > 1 and (sentence := too_few(several, "task")):
        notes.append(f"No test across tasks: {sentence}")
    return notes


def _compare(one: Setting, title: str, a: Side, b: Side) -> Comparison | None:
    """None if they share no run."""
    found, left_out = [], []
    shared: dict[str, Sequence[tuple[RunRecord, RunRecord]]] = {}
    for task, pairs, note in _matched(a, b):
        left_out += [f"Left out, {note}"] if note else []
        if pairs:
            shared[task] = pairs
            found.append(_task(task, pairs, a, b))
    if not found:
        return None
    tasks = _with_holm(found)
    sound = [t.estimate for t in tasks if t.counts_seeds and t.estimate]
    # Runs of one seed share their draws over tasks, so that their differences are no independent ones.
    several = [t.difference for t in tasks if t.seeds > 1]
    mean = mean_of(sound) if len(sound) > 1 else None
    return Comparison(
        setting=one,
        title=title,
        a=a.label,
        b=b.label,
        tasks=tasks,
        mean=mean,
        p_tasks=None if too_few(len(several), "task") else signed_rank(several).p,
        costs=tuple(ratios(list(shared.values()))),
        notes=tuple(left_out + _limits(tasks)),
        verdict=verdict(a.label, b.label, tasks, mean, ALPHA),
    )


def _title(one: Setting, runs: Sequence[RunRecord]) -> str:
    return one.title(runs[0].spec.model_source, "matched by seed")


def _pick(word: str, labels: Sequence[str], by_method: Mapping[str, list[str]]) -> str:
    """The label that `word` names. Raises UserError if none, or several do."""
    if word in labels:
        return word
    own = by_method.get(word, [])
    if len(own) == 1:
        return own[0]
    known = ", ".join(f'"{label}"' for label in own or labels)
    why = "names several rows" if own else "is no row of these results"
    raise UserError(f'"{word}" {why}; choose from {known}.')


def compare_methods(records: Sequence[RunRecord], a: str, b: str, outcomes: Outcomes) -> list[Comparison]:
    """Two rows of one folder, as its leaderboard names them (`lora r=16`, or `lora` where that is one row), a
    comparison for each setting. Raises UserError if a name is not there, not one row, or the two share no run."""
    defaults = Defaults(record.spec for record in records)
    tables = [(one, rows(kept, defaults)) for one, kept in groups(records, defaults)]
    labels = sorted({label for _, found in tables for label in found})
    by_method: dict[str, list[str]] = {}
    for label in labels:
        method = next(found[label][0].spec.method for _, found in tables if label in found)
        by_method.setdefault(method, []).append(label)
    first, second = _pick(a, labels, by_method), _pick(b, labels, by_method)
    if first == second:
        raise UserError(f'"{a}" and "{b}" are the same row; name two of {", ".join(labels)}.')
    made = [
        _compare(one, _title(one, found[first]), *(Side(name, found[name], outcomes) for name in (first, second)))
        for one, found in tables
        if first in found and second in found
    ]
    return _shared(made, first, second)


def _shared(made: Sequence[Comparison | None], a: str, b: str) -> list[Comparison]:
    found = [one for one in made if one]
    if not found:
        raise UserError(
            f"{a} and {b} share no finished run of the same task, setting and seed; run both with the same ones."
        )
    return found


def compare_folders(
    a: tuple[str, Sequence[RunRecord], Outcomes], b: tuple[str, Sequence[RunRecord], Outcomes]
) -> list[Comparison]:
    """(name, records, items) of each: a comparison for each setting and each row that both have; where they have no row
    in common and one each, of these two. Raises UserError if they share no run."""
    everything = [*a[1], *b[1]]
    defaults = Defaults(record.spec for record in everything)
    mine = {id(record) for record in a[1]}
    made: list[Comparison | None] = []
    for one, kept in groups(everything, defaults):
        first = rows([r for r in kept if id(r) in mine], defaults)
        second = rows([r for r in kept if id(r) not in mine], defaults)
        pairs = [(label, label) for label in first if label in second]
        if not pairs and len(first) == len(second) == 1:
            pairs = [(next(iter(first)), next(iter(second)))]
        for left, right in pairs:
            sides = Side(f"{a[0]}: {left}", first[left], a[2]), Side(f"{b[0]}: {right}", second[right], b[2])
            made.append(_compare(one, _title(one, first[left]), *sides))
    return _shared(made, a[0], b[0])


def mean_scores(one: Comparison) -> tuple[float, float]:
    """(a, b) over the tasks that `mean` is of."""
    sound = [task for task in one.tasks if task.counts_seeds]
    return fmean(task.a for task in sound), fmean(task.b for task in sound)
