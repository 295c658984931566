"""Records -> leaderboards, one for each setting: method x task, mean over seeds, average, parameters, memory, speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import tasks
from harness.record import RunRecord
from harness.report.apart import apart
from harness.report.caption import (
    GROUP_MEAN,
    MEMORY,
    budgets,
    caption,
    gaps,
    hardware,
    load,
    machine_note,
    machines,
    scores,
)
from harness.report.cells import Cell, Column, Row, Table
from harness.report.defaults import Defaults
from harness.report.render import print_text, render_csv, render_markdown, render_text
from harness.report.setting import Setting, groups, rows

__all__ = ["Cell", "Column", "Row", "Table", "print_text", "render_csv", "render_markdown", "render_text", "tables"]

SPEED = "train_tokens_per_second"
ByTask = Mapping[str, Sequence[RunRecord]]


def tables(records: Iterable[RunRecord], target: float | None = None) -> list[Table]:
    """One table a setting, in a fixed order; a record of any status has a place in it. `target`: also the time to that
    score x100."""
    found = list(records)
    defaults = Defaults(record.spec for record in found)
    return [_table(one, kept, defaults, target) for one, kept in groups(found, defaults)]


def _ordered_tasks(suite: str, records: Sequence[RunRecord]) -> list[str]:
    """Tasks that have records, in the suite's order."""
    seen = {record.spec.task for record in records}
    declared = tasks.suites()[suite].tasks if suite in tasks.suites() else ()
    return [name for name in declared if name in seen] + sorted(seen - set(declared))


def _cell(values: Sequence[float], n: int, partial: bool) -> Cell:
    if not values:
        return Cell()
    return Cell(fmean(values), stdev(values) if len(values) > 1 else None, n, partial)


def _mean_cell(by_task: Mapping[str, dict[int, float]], names: Sequence[str], seeds: int) -> Cell:
    """The mean over `names`; its sd is over seeds, where all tasks have the same ones. Empty if a task is missing."""
    chosen = [by_task.get(name, {}) for name in names]
    if not names or not all(chosen):
        return Cell()
    n = min(map(len, chosen))
    if all(set(scores) == set(chosen[0]) for scores in chosen):
        values = [fmean(scores[seed] for scores in chosen) for seed in sorted(chosen[0])]
        return _cell(values, n, n < seeds)
    return Cell(fmean(fmean(scores.values()) for scores in chosen), None, n, True)


def memory_counter(record: RunRecord) -> str | None:
    """The field with this run's peak memory of training: the allocator's on CUDA, the resident set on a CPU."""
    for name in reversed(MEMORY):
        if record.costs.get(name) is not None:
            return name
    return None


def seconds_to(record: RunRecord, target: float) -> float | None:
    """Training time until the first evaluation of the reported split at or above `target` (score x100), evaluations
    left out; None if there was none."""
    for point in record.curve:
        score = point.get(f"eval_{record.metric}")
        if score is not None and 100 * score >= target:
            return point.get("train_seconds")
    return None


def _value(record: RunRecord, column: Column) -> float | None:
    if column.target is not None:
        return seconds_to(record, column.target)
    if column.kind == "count":
        return record.parameters.get(column.name)
    if column.kind == "bytes" and memory_counter(record) != column.name:
        return None
    return record.costs.get(column.name)


def _cost_cell(by_task: ByTask, column: Column, complete: bool) -> Cell:
    """Mean over seeds, then over tasks the mean of a rate and the highest of anything else."""
    done = {task: [r for r in found if r.status == "done"] for task, found in by_task.items()}
    if column.kind != "count" and len({hardware(r) for found in done.values() for r in found}) > 1:
        return Cell()
    values = {t: [v for r in found if (v := _value(r, column)) is not None] for t, found in done.items()}
    means = [fmean(found) for found in values.values() if found]
    short = column.kind == "seconds" and any(len(values[task]) < len(found) for task, found in done.items())
    if not means or short:
        return Cell()
    over_tasks = fmean(means) if column.kind == "rate" else max(means)
    return Cell(over_tasks, None, sum(map(len, values.values())), column.kind != "count" and not complete)


def _cost_columns(records: Sequence[RunRecord], target: float | None) -> list[Column]:
    """Those that at least one finished run has a value for."""
    columns = [
        Column("trainable", "Trainable", "count"),
        Column("head", "+head", "count"),
        *(Column(name, title, "bytes") for name, (title, _) in MEMORY.items()),
        Column(SPEED, "Tokens/s", "rate"),
        *([] if target is None else [Column("seconds_to_target", f"s to {target:g}", "seconds", target)]),
    ]
    done = [record for record in records if record.status == "done"]
    return [column for column in columns if any(_value(record, column) is not None for record in done)]


@dataclass(frozen=True)
class Slot:
    """A score column: the task and which of its runs' scores, "" for the main one."""

    column: Column
    task: str
    score: str = ""


def _members(task: str) -> tuple[str, ...]:
    """Of a joint task; none for a task that is not registered here."""
    try:
        return tasks.get(task).members
    except KeyError:
        return ()


def _slots(names: Sequence[str], records: Sequence[RunRecord]) -> list[Slot]:
    """A column a task, or a member of a joint one; then what other rules and the untrained model score, where recorded."""
    slots = []
    for name in names:
        metric = next((r.metric for r in records if r.spec.task == name), "")
        parts = _members(name)
        slots += [Slot(Column(part, part, "task"), name, f"{metric}_{part}") for part in parts]
        slots += [] if parts else [Slot(Column(name, name, "task"), name)]
    for name in names:
        own = [r for r in records if r.spec.task == name and r.status == "done"]
        metric = next((r.metric for r in own), "")
        for score, title in (
            (f"robust_{metric}", "robust"),
            (f"{metric}_norm", "norm"),
            (f"before_{metric}", "untrained"),
        ):
            if any(r.scores.get(score) is not None for r in own):
                where = "" if len(names) == 1 else f"{name} "
                slots.append(Slot(Column(f"{name}/{score}", where + title, "also"), name, score))
    return slots


def _mean_column(suite: str, names: Sequence[str], by_row: Iterable[ByTask]) -> tuple[Column | None, list[str], str]:
    """(column, tasks it is the mean of, note): the suite's average where a row has all its tasks, else the mean
    of those of its tasks that are here, under another name. A joint task's score is a mean already."""
    declared = list(tasks.suites()[suite].average) if suite in tasks.suites() else []
    if len(names) == 1 and _members(names[0]) and names[0] not in declared:
        count = len(_members(names[0]))
        return Column(f"mean_of_{count}", f"Mean of {count}", "mean"), list(names), ""
    several = len(declared) > 1 or any(map(_members, declared))
    if several and any(all(scores(row.get(name, ())) for name in declared) for row in by_row):
        return Column("average", "Average", "mean"), declared, ""
    here = [name for name in names if name in declared or not declared]
    if len(here) < 2:
        return None, [], ""
    column = Column(f"mean_of_{len(here)}", f"Mean of {len(here)}", "mean")
    if not declared:
        return (
            column,
            here,
            f"The suite {suite} is not registered here: {column.title} is the mean of all its tasks above.",
        )
    lacking = [name for name in declared if name not in here]
    what = f"{', '.join(lacking)} not run" if lacking else "no method has a score on all of them"
    return column, here, f"No average of {suite} ({what}); {column.title}: {', '.join(here)}."


def _by_seed(by_task: Mapping[str, dict[int, float]], names: Sequence[str]) -> dict[int, float]:
    """Seed -> the mean over `names`; empty if a task is missing or has other seeds."""
    chosen = [by_task.get(name, {}) for name in names]
    if not names or any(set(found) != set(chosen[0]) for found in chosen):
        return {}
    return {seed: fmean(found[seed] for found in chosen) for seed in chosen[0]}


def _group_cell(by_task: Mapping[str, dict[int, float]], groups: Mapping[str, Sequence[str]], seeds: int) -> Cell:
    """The mean of the groups' means, as `_mean_cell`."""
    means = [
        {seed: fmean(by_task[name][seed] for name in names) for seed in by_task[names[0]]}
        for names in groups.values()
        if all(set(by_task.get(name, ())) == set(by_task.get(names[0], ())) != set() for name in names)
    ]
    if len(means) < len(groups):
        return Cell()
    return _mean_cell({str(at): found for at, found in enumerate(means)}, list(map(str, range(len(means)))), seeds)


def _table(one: Setting, records: list[RunRecord], defaults: Defaults, target: float | None) -> Table:
    by_row: dict[str, dict[str, list[RunRecord]]] = {}
    for name, kept in rows(records, defaults).items():
        by_row[name] = {}
        for record in kept:
            by_row[name].setdefault(record.spec.task, []).append(record)
    names = _ordered_tasks(one.suite, records)
    counts = [len(scores(found)) for by_task in by_row.values() for found in by_task.values()]
    seeds = max(counts, default=0)
    slots = _slots(names, records)
    mean, averaged, note = _mean_column(one.suite, names, by_row.values())
    grouped = tasks.suites()[one.suite].groups if mean and mean.name == "average" else {}
    means = [*([mean] if mean else []), *([Column(GROUP_MEAN, "Group mean", "mean")] if grouped else [])]
    costs = _cost_columns(records, target)
    columns = [*(slot.column for slot in slots), *means, *costs]
    made, by_seed = [], {}
    for name, by_task in by_row.items():
        main = {task: scores(found) for task, found in by_task.items()}
        complete = all(len(main.get(task, ())) == seeds for task in names)
        found = [scores(by_task.get(slot.task, ()), slot.score) for slot in slots]
        cells = [_cell(list(values.values()), len(values), len(values) < seeds) for values in found]
        cells += [_mean_cell(main, averaged, seeds)] if mean else []
        cells += [_group_cell(main, grouped, seeds)] if grouped else []
        cells += [_cost_cell(by_task, column, complete) for column in costs]
        made.append(Row(name, next(iter(by_task.values()))[0].spec.method, tuple(cells)))
        by_seed[name] = _by_seed(main, averaged or (names if len(names) == 1 else ()))
    full = not counts or len(set(counts)) == 1
    many = f"{'' if full else 'up to '}{seeds} seed{'' if seeds == 1 else 's'}"
    joint = [member for name in names for member in _members(name)]
    return Table(
        setting=one,
        title=one.title(records[0].spec.model_source, many),
        caption=caption(records, columns, joint or averaged, grouped),
        notes=tuple(filter(None, [note, *budgets(records), apart(by_seed), *gaps(by_row, names, seeds), *machine_note(by_row)])),
        columns=tuple(columns),
        rows=tuple(sorted(made, key=lambda row: _rank(row, columns))),
        seeds=seeds,
        load=load(records),
        machines=machines(records),
    )


def _rank(row: Row, columns: Sequence[Column]) -> tuple[bool, float, str]:
    """Best average first; then those without one, by the mean of the scores they have."""
    pairs = list(zip(columns, row.cells, strict=True))
    mean = next((cell.value for column, cell in pairs if column.kind == "mean"), None)
    seen = [cell.value for column, cell in pairs if column.kind == "task" and cell.value is not None]
    score = mean if mean is not None else fmean(seen) if seen else float("-inf")
    return (any(column.kind == "mean" for column in columns) and mean is None, -score, row.label)
