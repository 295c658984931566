"""A method's page: what it is, and everything that it was measured to do."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import methods
from harness.record import RunRecord
from harness.report.cells import Cell
from harness.report.defaults import config_defaults
from harness.report.site.board import interval_text, tuned
from harness.report.site.chart import Chart, chart, of_curve
from harness.report.site.costs import COSTS, Cost, shown
from harness.report.site.form import plain
from harness.report.site.gather import Board, Line, cause, cell_of
from methods import Entry

HOME = Path(methods.__file__).parent


@dataclass(frozen=True)
class TaskRuns:
    """What a row of a table has on one task."""

    task: str
    metric: str
    cell: Cell
    interval: str
    runs: tuple[RunRecord, ...]
    place: str
    """Anchor on the method's page."""
    why: str
    rates: str
    """The learning rates of these runs."""
    rate: float | None
    """The one that they share."""
    loss: Chart | None
    eval: Chart | None


@dataclass(frozen=True)
class ShownLine:
    line: Line
    tuned: str
    config: str
    """The fields that this row sets, as JSON; empty where they differ from run to run."""
    tasks: tuple[TaskRuns, ...]
    costs: tuple[Cost, ...]
    cost_rows: tuple[tuple[str, tuple[str, ...]], ...]
    """(task, the costs as text); the last is that of the whole row"""
    counts: tuple[str, ...]
    """Kinds of parameters."""
    count_rows: tuple[tuple[str, tuple[str, ...]], ...]
    """(task, their numbers)"""


@dataclass(frozen=True)
class MethodPage:
    name: str
    entry: Entry | None
    """None for a method that is not registered here."""
    about: str
    fields: tuple[tuple[str, str, str], ...]
    """(field of the config, its default, the values of these runs)"""
    editions: tuple[str, ...]
    parts: tuple[tuple[Board, tuple[ShownLine, ...]], ...]
    records: tuple[RunRecord, ...]


def about(entry: Entry | None) -> str:
    """The first paragraph of the docstring of a method of ours, without running its file."""
    if entry is None or not entry.module.startswith("methods."):
        return ""
    path = HOME.joinpath(*entry.module.split(".")[1:]).with_suffix(".py")
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    except (OSError, SyntaxError, ValueError):
        return ""
    return " ".join(text.partition("\n\n")[0].split())


def task_runs(board: Board, line: Line, task: str, curves: bool = False) -> TaskRuns:
    """`curves`: drawn too."""
    runs = line.by_task.get(task, [])
    cell = cell_of(runs, board.table.seeds)
    metric = next((record.metric for record in runs if record.metric), "")
    lacking = [record for record in runs if record.score is None or record.status != "done"]
    why = cause(lacking)[0] if cell.value is None or cell.partial else ""
    rates = {record.spec.recipe["learning_rate"] for record in runs if "learning_rate" in record.spec.recipe}
    losses = [(f"seed {record.spec.seed}", of_curve(record.curve, "loss")) for record in runs if curves]
    evals = [(f"seed {record.spec.seed}", of_curve(record.curve, f"eval_{metric}", 100.0)) for record in runs if curves]
    return TaskRuns(
        task, metric, cell, interval_text(cell), tuple(runs), line.place(task), why,
        ", ".join(f"{rate:g}" if isinstance(rate, int | float) else str(rate) for rate in sorted(rates, key=str)),
        next(iter(rates)) if len(rates) == 1 else None,
        chart(losses, "step", "training loss"),
        chart(evals, "step", f"{metric} x100"),
    )  # fmt: skip


def show_line(board: Board, line: Line) -> ShownLine:
    found = {cost: shown(board, line, cost) for cost in COSTS}
    costs = tuple(cost for cost, values in found.items() if values)
    names = [task for task in board.tasks if task in line.by_task]
    rows = [(task, tuple(found[cost][task][1] if task in found[cost] else "–" for cost in costs)) for task in names]
    if len(board.tasks) > 1:
        rows.append(("", tuple(found[cost][""][1] if "" in found[cost] else "–" for cost in costs)))
    configs = {plain(dict(record.spec.config)) for record in line.records}
    return ShownLine(
        line,
        tuned(line.records),
        configs.pop() if len(configs) == 1 else "",
        tuple(task_runs(board, line, task, curves=True) for task in board.tasks),
        costs,
        tuple(rows),
        *_counts({task: line.by_task[task] for task in names}),
    )


Counts = tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]


def _counts(by_task: Mapping[str, Sequence[RunRecord]]) -> Counts:
    """(kinds of parameters, (task, numbers) of each task); where seeds differ, all of their numbers."""
    kinds = tuple(dict.fromkeys(kind for found in by_task.values() for r in found for kind in r.parameters))
    rows = []
    for task, found in by_task.items():
        seen = [sorted({r.parameters.get(kind) for r in found} - {None}) for kind in kinds]  # type: ignore[type-var]
        rows.append((task, tuple(", ".join(f"{value:,}" for value in values) or "–" for values in seen)))
    return kinds, tuple(rows) if kinds else ()


def _natural(text: str) -> tuple[int, str]:
    return len(text), text


def _fields(name: str, records: Sequence[RunRecord]) -> tuple[tuple[str, str, str], ...]:
    defaults = config_defaults(name)
    used: dict[str, set[str]] = {}
    for record in records:
        for field, value in record.spec.config.items():
            used.setdefault(field, set()).add(plain(value))
    order = [*defaults, *sorted(set(used) - set(defaults))]
    return tuple(
        (
            field,
            plain(defaults[field]) if field in defaults else "",
            "; ".join(sorted(used.get(field, ()), key=_natural)),
        )
        for field in order
    )


def method_pages(boards: Sequence[Board], records: Sequence[RunRecord]) -> list[MethodPage]:
    """One for each method that has a record, by name."""
    found = []
    for name in sorted({record.spec.method for record in records}):
        own = tuple(record for record in records if record.spec.method == name)
        entry = methods.entries().get(name)
        parts = []
        for board in boards:
            lines = tuple(show_line(board, line) for line in board.lines if line.row.method == name)
            parts += [(board, lines)] if lines else []
        editions = tuple(sorted({record.spec.method_sha256 for record in own} - {""}))
        found.append(MethodPage(name, entry, about(entry), _fields(name, own), editions, tuple(parts), own))
    return found
