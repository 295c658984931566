"""What figures are drawn from: a setting's leaderboard with the runs behind it; and what one figure shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

import tasks
from harness.record import RunRecord
from harness.report.caption import scores
from harness.report.cells import Cell, Column, Row, Table
from harness.report.defaults import Defaults
from harness.report.leaderboard import tables
from harness.report.setting import groups, rows
from harness.report.stats.summary import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from harness.report.published import Printed

FEWEST = 3
"""Seeds for an interval: of two, Student's t is so wide that it hides everything else."""


class NothingToShow(Exception):
    """Why a kind of figure has nothing to draw in a setting: one sentence."""


@dataclass(frozen=True)
class Ask:
    """What the user chose; a kind reads what concerns it."""

    cost: str = "trainable"
    baseline: str = ""


@dataclass(frozen=True)
class Scene:
    """One setting."""

    table: Table
    runs: Mapping[str, Sequence[RunRecord]]
    """The records behind each row of the table."""
    printed: Sequence[Printed] = ()
    """What papers print."""
    trials: bool = False
    """Whether the runs are those of a search for settings, scored on a part carved from train."""


@dataclass(frozen=True)
class Shown:
    """All that a figure shows: `frame` is written beside it as CSV."""

    frame: pd.DataFrame
    title: str
    foot: str = ""
    """What the axes cannot say, a sentence or more."""
    names: Mapping[str, str] = field(default_factory=dict)
    """How an axis, a panel or a column is called, where the frame's own words do not do."""


def scenes(
    records: Iterable[RunRecord], trials: Iterable[RunRecord] = (), printed: Sequence[Printed] = ()
) -> list[Scene]:
    """One for each setting, in the leaderboard's order; then those of the trials."""
    found: list[Scene] = []
    for kept, searched in ((list(records), False), (list(trials), True)):
        defaults = Defaults(record.spec for record in kept)
        pairs = zip(tables(kept), groups(kept, defaults), strict=True)
        found += [Scene(table, rows(own, defaults), printed, searched) for table, (_, own) in pairs]
    return found


def task_columns(table: Table) -> list[Column]:
    """The tasks that the suite averages, as the table has them; all where it declares none of them."""
    columns = [column for column in table.columns if column.kind == "task"]
    suite = tasks.suites().get(table.setting.suite)
    declared = set(suite.average) if suite else set()
    for name in list(declared):
        declared |= set(tasks.get(name).members)
    return [column for column in columns if column.name in declared] or columns


def by_seed(scene: Scene, label: str, column: Column) -> dict[int, float]:
    """Seed -> score x100 of a row in a column of a task or of a mean; of a mean only where all its tasks have one."""
    own: dict[str, list[RunRecord]] = {}
    for record in scene.runs.get(label, ()):
        own.setdefault(record.spec.task, []).append(record)
    if column.kind == "mean":
        parts = [_of_task(own, one.name) for one in task_columns(scene.table)]
        shared = set.intersection(*map(set, parts)) if parts else set()
        return {seed: fmean(part[seed] for part in parts) for seed in sorted(shared)}
    return _of_task(own, column.name)


def _of_task(own: Mapping[str, Sequence[RunRecord]], name: str) -> dict[int, float]:
    if name in own:
        return scores(own[name])
    for found in own.values():
        metrics = {f"{record.metric}_{name}" for record in found if record.metric}
        for metric in metrics:
            if seen := scores(found, metric):
                return seen
    return {}


def interval(cell: Cell) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds by Student's t; NaN for fewer than `FEWEST` seeds."""
    if cell.value is None or cell.sd is None or cell.n < FEWEST:
        return float("nan"), float("nan")
    found = Estimate(cell.value, cell.sd / cell.n**0.5, cell.n - 1).interval()
    return (found.low, found.high) if found else (cell.value, cell.value)


def whiskers(cells: Iterable[Cell]) -> str:
    """What the whiskers of a figure are, or why there are none."""
    counts = {cell.n for cell in cells if cell.value is not None}
    if not counts:
        return ""
    if max(counts) < FEWEST:
        many = "One seed" if max(counts) == 1 else "Two seeds"
        return f"{many}: no intervals."
    fewer = f"; none for fewer than {FEWEST} seeds" if min(counts) < FEWEST else ""
    return f"Whiskers: 95 % interval of the mean over seeds (Student's t){fewer}."


def left_out(table: Table, shown: Iterable[str], why: str) -> str:
    """A sentence on the rows that a figure lacks."""
    seen = set(shown)
    hidden = [row.label for row in table.rows if row.label not in seen]
    return f"Not shown ({why}): {', '.join(hidden)}." if hidden else ""


def summary_title(column: Column) -> str:
    """How the axis of the score that ranks is called."""
    return f"{column.title} (x100)" if column.kind == "task" else f"{column.title} score (x100)"


def summaries(table: Table) -> list[tuple[Row, Cell]]:
    """Rows with the score that ranks. Raises NothingToShow if there is none."""
    column = table.summary
    if column is None:
        raise NothingToShow("Several tasks and no score that sums them up.")
    found = [(row, cell) for row in table.rows if (cell := table.cell(row, column)).value is not None]
    if not found:
        raise NothingToShow("No row has a score on all of its tasks.")
    return found
