"""Records -> leaderboards, one for each setting: method x task, mean over seeds, average, parameters, memory, speed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import tasks
from harness.record import RunRecord
from harness.report.cells import Cell, Column, Row, Table
from harness.report.defaults import Defaults
from harness.report.render import print_text, render_csv, render_markdown, render_text
from harness.report.setting import Setting, groups, rows

__all__ = ["Cell", "Column", "Row", "Table", "print_text", "render_csv", "render_markdown", "render_text", "tables"]

MEMORY = {
    "train_peak_resident_bytes": ("Peak RSS GB", "resident set of the run's own process (VmHWM)"),
    "train_peak_allocated_bytes": ("Peak CUDA allocated GB", "CUDA max_memory_allocated"),
}
SPEED = "train_tokens_per_second"
ByTask = Mapping[str, Sequence[RunRecord]]


def tables(records: Iterable[RunRecord]) -> list[Table]:
    """One table a setting, in a fixed order; a record of any status has a place in it."""
    found = list(records)
    defaults = Defaults(record.spec for record in found)
    return [_table(one, kept, defaults) for one, kept in groups(found, defaults)]


def _ordered_tasks(suite: str, records: Sequence[RunRecord]) -> list[str]:
    """Tasks that have records, in the suite's order."""
    seen = {record.spec.task for record in records}
    declared = tasks.suites()[suite].tasks if suite in tasks.suites() else ()
    return [name for name in declared if name in seen] + sorted(seen - set(declared))


def _scores(records: Sequence[RunRecord]) -> dict[int, float]:
    """Seed -> main score x100, of the runs that have one."""
    return {r.spec.seed: 100 * r.score for r in records if r.status == "done" and r.score is not None}


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


def hardware(record: RunRecord) -> str:
    """The device and, on a CPU, its threads; empty if it was not recorded."""
    found = record.provenance.get("hardware")
    if not isinstance(found, Mapping):
        return ""
    if found.get("device", "cpu") != "cpu":
        return str(found["device"])
    threads = f", {found['threads']} threads" if found.get("threads") else ""
    return f"{found.get('cpu') or 'CPU'}{threads}"


def memory_counter(record: RunRecord) -> str | None:
    """The field with this run's peak memory of training: the allocator's on CUDA, the resident set on a CPU."""
    for name in reversed(MEMORY):
        if record.costs.get(name) is not None:
            return name
    return None


def _value(record: RunRecord, column: Column) -> float | None:
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
    if not means:
        return Cell()
    over_tasks = fmean(means) if column.kind == "rate" else max(means)
    return Cell(over_tasks, None, sum(map(len, values.values())), column.kind != "count" and not complete)


def _cost_columns(records: Sequence[RunRecord]) -> list[Column]:
    """Those that at least one finished run has a value for."""
    columns = [
        Column("trainable", "Trainable", "count"),
        Column("head", "+head", "count"),
        *(Column(name, title, "bytes") for name, (title, _) in MEMORY.items()),
        Column(SPEED, "Tokens/s", "rate"),
    ]
    done = [record for record in records if record.status == "done"]
    return [column for column in columns if any(_value(record, column) is not None for record in done)]


def _mean_column(suite: str, names: Sequence[str], by_row: Iterable[ByTask]) -> tuple[Column | None, list[str], str]:
    """(column, tasks it is the mean of, note): the suite's average where a row has all its tasks, else the mean
    of those of its tasks that are here, under another name."""
    declared = list(tasks.suites()[suite].average) if suite in tasks.suites() else []
    if declared and any(all(_scores(row.get(name, ())) for name in declared) for row in by_row):
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


def _why(found: Sequence[RunRecord]) -> str:
    """Why a cell lacks scores."""
    for status in ("failed", "skipped"):
        for record in found:
            if record.status == status:
                reason = " ".join(record.reason.split())
                return f"{status}: {reason[:100]}" if reason else status
    if any(record.status == "done" and record.score is None for record in found):
        return "score undefined"
    return "not run"


def _counted(reasons: Iterable[str]) -> str:
    return "; ".join(f"{n} {reason}" for reason, n in sorted(Counter(reasons).items(), key=lambda p: (-p[1], p[0])))


def _gaps(by_row: Mapping[str, dict[str, list[RunRecord]]], names: Sequence[str], seeds: int) -> list[str]:
    cells = [by_task.get(name, []) for by_task in by_row.values() for name in names]
    empty = [_why(found) for found in cells if not _scores(found)]
    few = [_why(found) for found in cells if 0 < len(_scores(found)) < seeds]
    notes = [f"· no score: {_counted(empty)}."] if empty else []
    if few:
        notes.append(f"* fewer than {seeds} seeds: {_counted(few)}.")
    if empty or few:
        notes.append("* also marks an average, memory or speed that rests on fewer runs than others.")
    return notes


def _joined(texts: Iterable[Any]) -> str:
    return "/".join(map(str, sorted(set(texts))))


def _load(records: Sequence[RunRecord]) -> str:
    batch = _joined(r.spec.recipe["batch_size"] for r in records if "batch_size" in r.spec.recipe)
    length = _joined(r.spec.recipe["max_length"] for r in records if "max_length" in r.spec.recipe)
    return f"batch {batch}, at most {length} tokens" if batch and length else ""


def _machines(records: Sequence[RunRecord]) -> str:
    return "; ".join(sorted({name for r in records if r.status == "done" and (name := hardware(r))}))


def _caption(records: Sequence[RunRecord], columns: Sequence[Column], averaged: Sequence[str]) -> str:
    metric_of = {record.spec.task: record.metric for record in records if record.metric}
    usual = Counter(metric_of.values()).most_common(1)[0][0] if metric_of else "score"
    others = [f"{task} {metric}" for task, metric in sorted(metric_of.items()) if metric != usual]
    parts = [f"Scores x100, mean ± sd over seeds: {usual}" + (f" ({', '.join(others)})" if others else "") + "."]
    if any(column.name == "average" for column in columns):
        out = [column.name for column in columns if column.kind == "task" and column.name not in averaged]
        parts.append(f"Average: mean of {len(averaged)} tasks" + (f", without {', '.join(out)}." if out else "."))
    kinds = {column.kind for column in columns}
    if "count" in kinds:
        parts.append("Trainable: parameters, task head apart.")
    for column in columns:
        if column.kind == "bytes":
            parts.append(f"{column.title}: {MEMORY[column.name][1]}, peak of training, 10^9 bytes, highest over tasks.")
    if "rate" in kinds:
        load = f"; {_load(records)}" if _load(records) else ""
        parts.append(f"Tokens/s: without padding, step loop only, mean over tasks{load}.")
    if kinds & {"bytes", "rate"} and _machines(records):
        parts.append(f"Hardware: {_machines(records)}.")
    return " ".join(parts)


def _machine_note(by_row: Mapping[str, dict[str, list[RunRecord]]]) -> list[str]:
    machines = [
        {hardware(r) for found in by_task.values() for r in found if r.status == "done"} for by_task in by_row.values()
    ]
    if len(set().union(*machines)) < 2:
        return []
    mixed = " A row made on more than one has neither." if any(len(found) > 1 for found in machines) else ""
    return [f"Memory and speed come from different machines and do not compare across them.{mixed}"]


def _table(one: Setting, records: list[RunRecord], defaults: Defaults) -> Table:
    by_row: dict[str, dict[str, list[RunRecord]]] = {}
    for name, kept in rows(records, defaults).items():
        by_row[name] = {}
        for record in kept:
            by_row[name].setdefault(record.spec.task, []).append(record)
    names = _ordered_tasks(one.suite, records)
    counts = [len(_scores(found)) for by_task in by_row.values() for found in by_task.values()]
    seeds = max(counts, default=0)
    mean, averaged, note = _mean_column(one.suite, names, by_row.values())
    costs = _cost_columns(records)
    columns = [*(Column(name, name, "task") for name in names), *([mean] if mean else []), *costs]
    made = []
    for name, by_task in by_row.items():
        scores = {task: _scores(found) for task, found in by_task.items()}
        complete = all(len(scores.get(task, ())) == seeds for task in names)
        cells = [_cell(list(s.values()), len(s), len(s) < seeds) for s in (scores.get(task, {}) for task in names)]
        cells += [_mean_cell(scores, averaged, seeds)] if mean else []
        cells += [_cost_cell(by_task, column, complete) for column in costs]
        made.append(Row(name, next(iter(by_task.values()))[0].spec.method, tuple(cells)))
    full = not counts or len(set(counts)) == 1
    many = f"{'' if full else 'up to '}{seeds} seed{'' if seeds == 1 else 's'}"
    return Table(
        setting=one,
        title=one.title(records[0].spec.model_source, many),
        caption=_caption(records, columns, averaged),
        notes=tuple(filter(None, [note, *_gaps(by_row, names, seeds), *_machine_note(by_row)])),
        columns=tuple(columns),
        rows=tuple(sorted(made, key=lambda row: _rank(row, columns))),
        seeds=seeds,
        load=_load(records),
        machines=_machines(records),
    )


def _rank(row: Row, columns: Sequence[Column]) -> tuple[bool, float, str]:
    """Best average first; then those without one, by the mean of the scores they have."""
    pairs = list(zip(columns, row.cells, strict=True))
    mean = next((cell.value for column, cell in pairs if column.kind == "mean"), None)
    seen = [cell.value for column, cell in pairs if column.kind == "task" and cell.value is not None]
    score = mean if mean is not None else fmean(seen) if seen else float("-inf")
    return (any(column.kind == "mean" for column in columns) and mean is None, -score, row.label)
