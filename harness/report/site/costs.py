"""What a row costs, for the plot's axis: one figure for the whole row, and one for each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.record import RunRecord
from harness.report.caption import MEMORY, hardware
from harness.report.cells import Column, Join
from harness.report.costs import SPEED, memory_counter
from harness.report.site.form import quantity
from harness.report.site.gather import Board, Line


@dataclass(frozen=True)
class Cost:
    name: str
    """A field of a record's costs, or of its parameters."""
    title: str
    """Of an axis, with the unit."""
    short: str
    """Of a table's column, whose values have their unit."""
    of_machine: bool = True
    """Whether it compares only between runs on one machine."""
    more_is_better: bool = False
    is_parameter: bool = False

    @property
    def join(self) -> Join:
        """How tasks are joined, as in a leaderboard."""
        return Column(self.name, self.title, "count" if self.is_parameter else "cost").over_tasks

    @property
    def scale(self) -> float:
        return 1e9 if self.name.endswith("_bytes") else 1.0


COSTS = (
    Cost("trainable", "Trainable parameters, head apart", "Trainable", False, is_parameter=True),
    *(Cost(name, f"{title.removesuffix(' GB')}, GB", title.removesuffix(" GB")) for name, (title, _) in MEMORY.items()),
    Cost("accounted_peak_bytes", "Tensors alive at the peak of a step, GB", "Peak tensors", False),
    Cost(SPEED, "Training speed, tokens/s without padding", "Tokens/s", more_is_better=True),
    Cost("train_seconds", "Training time, s a seed", "Train time"),
    Cost("step_flops_per_padded_token", "Operations of a step, FLOP a padded token", "FLOP/token", False),
    Cost("train_gpu_energy_joules", "Energy of the card in training, J a seed", "Energy"),
    Cost("adapter_file_bytes", "Adapter file, GB", "Adapter file", False),
)


def value(record: RunRecord, cost: Cost) -> float | None:
    """Of one run; a memory counter that is not the run's own kind of machine's counts as missing."""
    if cost.is_parameter:
        return record.parameters.get(cost.name)
    if cost.name in MEMORY and memory_counter(record) != cost.name:
        return None
    return record.costs.get(cost.name)


def mean(records: Sequence[RunRecord], cost: Cost) -> float | None:
    """Over the seeds of one task; None if a finished run has no value, or the runs are of several machines."""
    done = [record for record in records if record.status == "done"]
    values = [value(record, cost) for record in done]
    if not values or any(one is None for one in values):
        return None
    if cost.of_machine and len({hardware(record) for record in done}) > 1:
        return None
    return fmean(one for one in values if one is not None)


def over_tasks(board: Board, line: Line, cost: Cost) -> float | None:
    """None unless every task of the board has a value, so that all rows' figures are over the same tasks."""
    means = [mean(line.by_task.get(task, ()), cost) for task in board.tasks]
    known = [one for one in means if one is not None]
    if not known or len(known) < len(means):
        return None
    if cost.of_machine and len({hardware(r) for r in line.records if r.status == "done"}) > 1:
        return None
    return {"mean": fmean, "sum": sum, "highest": max}[cost.join](known)


def shown(board: Board, line: Line, cost: Cost) -> dict[str, tuple[float, str]]:
    """Task, or "" for the whole row -> (value, text); what is missing is left out."""
    found = {task: mean(line.by_task.get(task, ()), cost) for task in board.tasks}
    found[""] = over_tasks(board, line, cost)
    return {task: (one, text(cost, one)) for task, one in found.items() if one is not None}


def text(cost: Cost, one: float) -> str:
    return f"{one:,.0f}" if cost.is_parameter or cost.name == SPEED else quantity(cost.name, one)
