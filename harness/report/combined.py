"""Scores and costs in one: membership of the Pareto front, the hypervolume, PEFT-Bench's PSCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from harness.record import RunRecord, UserError
from harness.report.caption import MEMORY, hardware
from harness.report.cells import Cell, Column
from harness.report.costs import memory_counter
from harness.report.scores import ByTask, Filled

PARETO = Column("pareto", "Pareto", "mark")
PSCP = Column("pscp", "PSCP", "index")
UNADAPTED = ("full-ft", "last-layer")
"""Methods whose model computes what the base model does."""
PARAMETERS, TERAFLOPS, GIGABYTES = 5e8, 10.0, 94.0
"""PEFT-Bench's reference constants: 0.5 billion parameters, 10 TFLOPs more, the memory of an H100 NVL."""
BETA = 1.0
MARGIN = 1.1
"""The usual reference point: a tenth beyond the table's highest cost."""
PSCP_NOTE = (
    f"PSCP (PEFT-Bench, Belanec et al. 2025, https://arxiv.org/abs/2511.21285): score x (1 + Mp / {PARAMETERS:.0e})^-b x "
    f"(1 + Mf / {TERAFLOPS:g})^-b x (1 + Mm / {GIGABYTES:g})^-b, b = {BETA:g}; Mp: trainable parameters, task head apart; Mf: "
    "TFLOPs of a row's forward pass beyond the base model's, adapters not merged; Mm: peak memory of training, GB "
    "({counter}); Mf and Mm are means over runs and tasks."
)


def pscp(score: float, trainable: float, teraflops: float, gigabytes: float, beta: float = BETA) -> float:
    """PEFT-Bench's Soft Cost Penalties, equation 3: the score, less for parameters, for TFLOPs of inference beyond the
    base model's and for GB of memory in training."""
    costs = trainable / PARAMETERS, teraflops / TERAFLOPS, gigabytes / GIGABYTES
    penalty = 1.0
    for cost in costs:
        penalty *= (1 + cost) ** -beta
    return score * penalty


def _forward_teraflops(record: RunRecord) -> float | None:
    """Of one row in the step that was counted; None if it was not."""
    names = ("forward_flops_per_padded_token", "counted_step_flops", "step_flops_per_padded_token")
    forward, step, by_token = (record.costs.get(name) for name in names)
    rows = record.spec.recipe.get("batch_size")
    if not (forward and step and by_token and rows):
        return None
    return forward * (step / by_token) / rows / 1e12


def _done(by_task: ByTask) -> list[RunRecord]:
    return [record for found in by_task.values() for record in found if record.status == "done"]


def _more_teraflops(by_task: ByTask, base: Mapping[tuple[str, int], float]) -> float | None:
    """Beyond the base model's on the same rows, mean over seeds, then tasks; None unless every run has both."""
    means = []
    for task, found in by_task.items():
        own = [(_forward_teraflops(r), base.get((task, r.spec.seed))) for r in found if r.status == "done"]
        pairs = [(ours, theirs) for ours, theirs in own if ours is not None and theirs is not None]
        if not own or len(pairs) < len(own):
            return None
        means.append(fmean(max(0.0, ours - theirs) for ours, theirs in pairs))
    return fmean(means) if means else None


def _gigabytes(by_task: ByTask) -> float | None:
    """Mean over seeds, then tasks; None unless every run has it, by one counter on one machine."""
    runs = _done(by_task)
    if len({hardware(r) for r in runs}) != 1 or len({memory_counter(r) for r in runs}) != 1:
        return None
    counter = memory_counter(runs[0])
    if counter is None:
        return None
    by_own = [[float(r.costs[counter] or 0) for r in found if r.status == "done"] for found in by_task.values()]
    return fmean(fmean(values) for values in by_own if values) / 1e9


def pscp_column(scores: Sequence[Cell], by_row: Mapping[str, ByTask]) -> tuple[Filled, list[str]]:
    """The column and what is to be said of it; a row that lacks a part has none."""
    base = {
        (task, record.spec.seed): flops
        for by_task in by_row.values()
        for task, found in by_task.items()
        for record in found
        if record.spec.method in UNADAPTED and record.status == "done" and (flops := _forward_teraflops(record))
    }
    cells, lacking, counters = [], {}, set()
    for score, (label, by_task) in zip(scores, by_row.items(), strict=True):
        trainable = [r.parameters.get("trainable") for r in _done(by_task)]
        known = [count for count in trainable if count is not None]
        flops, memory = _more_teraflops(by_task, base), _gigabytes(by_task)
        parts = {"score": score.value, "trainable": max(known, default=None), "Mf": flops, "Mm": memory}
        missing = [name for name, part in parts.items() if part is None]
        if score.value is None or missing:
            lacking[label] = missing
            cells.append(Cell())
            continue
        counters |= {memory_counter(r) for r in _done(by_task)}
        cells.append(Cell(pscp(score.value, max(known), flops or 0.0, memory or 0.0), None, score.n, score.partial))
    counter = ", ".join(sorted(MEMORY[name][1] for name in counters if name)) or "not measured"
    notes = [PSCP_NOTE.format(counter=counter)]
    if any("Mf" in missing for missing in lacking.values()):
        notes.append(
            f"Mf needs the base model's own forward pass: run {' or '.join(UNADAPTED)} with the same tasks and seeds."
        )
    if lacking:
        rows = "; ".join(f"{label}: no {', '.join(missing)}" for label, missing in lacking.items())
        notes.append(f"No PSCP where a part was not measured ({rows}).")
    return (PSCP, cells), notes


def _price(column: Column, cell: Cell) -> float | None:
    """Lower is better: a rate as the time of one."""
    if cell.value is None or not _is_rate(column):
        return cell.value
    return 1 / cell.value if cell.value > 0 else None


def _is_rate(column: Column) -> bool:
    return column.name.endswith("_per_second")


def _points(scores: Sequence[Cell], costs: Sequence[Filled]) -> dict[int, tuple[float, ...]]:
    """Row -> (minus its score, its costs), all better when lower; rows that lack one are left out."""
    found = {}
    for at, score in enumerate(scores):
        prices = [_price(column, cells[at]) for column, cells in costs]
        known = [price for price in prices if price is not None]
        if score.value is not None and len(known) == len(prices):
            found[at] = (-score.value, *known)
    return found


def pareto_column(summary: Column, scores: Sequence[Cell], costs: Sequence[Filled]) -> tuple[Filled, list[str]]:
    """Which rows no other one beats in the score and all `costs`; empty for a row that lacks one of them."""
    from harness.report.stats.front import non_dominated

    points = _points(scores, costs)
    front = dict(zip(points, non_dominated(list(points.values())), strict=True)) if points else {}
    cells = [Cell(text=("yes" if front[at] else "no") if at in front else "") for at in range(len(scores))]
    titles = ", ".join(column.title for column, _ in costs)
    return (PARETO, cells), [
        f"Pareto: no other row is as good in {summary.title} and {titles} and better in one of them."
    ]


def hypervolume_note(
    summary: Column, scores: Sequence[Cell], costs: Sequence[Filled], reference: Sequence[float]
) -> list[str]:
    """A sentence with the volume that the rows dominate, as a share of the box from the reference point to a score of 100
    at no cost; none where no row has all values.

    `reference`: a score and a value for each cost (of a rate the rate itself), in the units of the records; empty: 0 and
    a tenth beyond the highest cost. Raises UserError if it has another number of values or they cannot be.
    """
    from harness.report.stats.front import hypervolume

    points, columns = list(_points(scores, costs).values()), [column for column, _ in costs]
    if not points:
        return []
    if len(costs) > 2:
        return ["No hypervolume: it is computed for one or two costs (--against)."]
    low, ends = _reference(columns, points, reference)
    share = hypervolume(points, [-low, *ends])
    for length in (100 - low, *ends):
        share /= length
    shown = [
        f"{column.name} {1 / end if _is_rate(column) else end:.4g}" for column, end in zip(columns, ends, strict=True)
    ]
    return [
        f"Hypervolume: {share:.4f} of the box from the reference point (score {low:g}, {', '.join(shown)}) to a score of 100 "
        f"at no cost, {summary.title} against {', '.join(column.title for column in columns)}."
    ]


def _reference(
    columns: Sequence[Column], points: Sequence[Sequence[float]], reference: Sequence[float]
) -> tuple[float, list[float]]:
    """(score, costs), lower is better."""
    if not reference:
        return 0.0, [MARGIN * max(point[at] for point in points) or 1.0 for at in range(1, 1 + len(columns))]
    if len(reference) != 1 + len(columns):
        raise UserError(
            f"--reference needs {1 + len(columns)} numbers, the score and {', '.join(c.name for c in columns)}; "
            f"{len(reference)} given."
        )
    if not reference[0] < 100 or not all(value > 0 for value in reference[1:]):
        raise UserError("--reference: the score x100 must be below 100 and every cost above 0.")
    return reference[0], [1 / v if _is_rate(c) else v for c, v in zip(columns, reference[1:], strict=True)]
