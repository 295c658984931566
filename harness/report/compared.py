"""A comparison as text for a terminal, as markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.compare import LEVEL, Comparison, mean_scores
from harness.report.ratios import Ratio
from harness.report.render import escape, short_number
from harness.report.stats.summary import Estimate
from harness.report.verdict import p_text

if TYPE_CHECKING:
    from rich.console import Console

PERCENT = f"{100 * LEVEL:g}%"
CAPTION = (
    f"Scores x100, means of the matched seeds; Diff.: first minus second, with its {PERCENT} interval. p: two-sided t "
    "of the difference over what the interval counts; Holm: corrected over tasks. Same models: exact McNemar "
    "on the stored items, an item's seeds together; it speaks of these trained models, not of other seeds. Ratio: "
    "first over second."
)
COLUMNS = (
    "kind", "title", "setting", "first", "second", "name", "metric", "seeds", "items", "first_value", "second_value",
    "difference", "low", "high", "level", "p", "p_holm", "p_items", "counted", "ratio", "reason",
)  # fmt: skip


def _p(p: float | None) -> str:
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _signed(points: float) -> str:
    # Minus zero would read as a direction.
    return f"{points:+.1f}" if round(points, 1) else "0.0"


def _interval(estimate: Estimate | None) -> str:
    found = estimate.interval(LEVEL) if estimate else None
    return f"[{_signed(found.low)}, {_signed(found.high)}]" if found else ""


def _rows(one: Comparison) -> list[list[str]]:
    found = [
        [
            task.task, f"{task.a:.1f}", f"{task.b:.1f}", _signed(task.difference), _interval(task.estimate),
            _p(task.p if task.counts_seeds else None), _p(task.p_holm), _p(task.p_items), str(task.seeds),
            "" if task.items is None else str(task.items), task.basis,
        ]
        for task in one.tasks
    ]  # fmt: skip
    if one.mean:
        a, b = mean_scores(one)
        count = sum(task.counts_seeds for task in one.tasks)
        end = [_p(one.mean.p), "", "", "", "", ""]
        name = f"Mean of {count}"
        found.append([name, f"{a:.1f}", f"{b:.1f}", _signed(one.mean.value), _interval(one.mean), *end])
    return found


def _heads(one: Comparison) -> list[str]:
    ends = ["Diff.", f"{PERCENT} interval", "p", "Holm", "Same models", "Seeds", "Items", "Counted"]
    return ["Task", one.a, one.b, *ends]


def _cost(ratio: Ratio) -> list[str]:
    if ratio.ratio is None or ratio.a is None or ratio.b is None:
        return [ratio.title, "", "", ratio.reason or "the second is 0"]
    values = [f"{v / 1e9:.2f}" if ratio.name.endswith("_bytes") else short_number(v) for v in (ratio.a, ratio.b)]
    return [ratio.title, *values, f"{ratio.ratio:.3g}"]


def _lines(one: Comparison) -> list[str]:
    several = sum(task.seeds > 1 for task in one.tasks)
    across = [] if one.p_tasks is None else [f"Wilcoxon over the means of {several} tasks: {p_text(one.p_tasks)}."]
    return [*across, *one.notes, CAPTION]


def print_text(one: Comparison, console: Console) -> None:
    """Prints title, verdict, tables and notes within the console's width."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
        made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for at, head in enumerate(heads):
            made.add_column(
                Text(head.replace(" ", "\n") if at else head),
                justify="right" if at else "left",
                vertical="bottom",
                overflow="fold",
            )
        for row in rows:
            made.add_row(*map(Text, row))
        return made

    console.print(Text(one.title, style="bold"))
    console.print()
    console.print(Text(one.verdict))
    rows = _rows(one)
    # What is empty throughout, or the same for every task, takes room in a terminal and tells nothing apart.
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows)]
    counted = {task.basis for task in one.tasks}
    kept = kept[:-1] if len(counted) == 1 else kept
    console.print()
    console.print(grid([_heads(one)[at] for at in kept], [[row[at] for at in kept] for row in rows]))
    console.print()
    console.print(grid(["Cost", one.a, one.b, "Ratio"], [_cost(ratio) for ratio in one.costs]))
    console.print()
    basis = counted.pop() if len(counted) == 1 else "none"
    for line in [*([] if basis == "none" else [f"The intervals count {basis}."]), *_lines(one)]:
        console.print(Text(line, style="dim"))


def render_markdown(one: Comparison) -> str:
    """Two GitHub tables under a heading and the verdict."""

    def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        lines = ["| " + " | ".join(map(escape, heads)) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
        return [*lines, *("| " + " | ".join(map(escape, row)) + " |" for row in rows), ""]

    lines = [f"### {escape(one.title)}", "", escape(one.verdict), ""]
    lines += grid(_heads(one), _rows(one))
    lines += grid(["Cost", one.a, one.b, "Ratio"], [_cost(ratio) for ratio in one.costs])
    return "\n".join([*lines, *(f"{escape(line)}  " for line in _lines(one))]) + "\n"


def render_csv(comparisons: Sequence[Comparison]) -> str:
    """Full precision, one header: rows of kind task, mean, wilcoxon, cost, verdict. Costs in the unit of their name."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in comparisons:
        same = {"title": one.title, "setting": one.setting.id, "first": one.a, "second": one.b}
        for row in _csv_rows(one):
            writer.writerow({name: "" if value is None else value for name, value in (same | row).items()})
    return out.getvalue()


def _bounds(estimate: Estimate | None) -> dict[str, float | None]:
    found = estimate.interval(LEVEL) if estimate else None
    return {"low": found.low, "high": found.high, "level": LEVEL} if found else {}


def _csv_rows(one: Comparison) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {
            "kind": "task", "name": task.task, "metric": task.metric, "seeds": task.seeds, "items": task.items,
            "first_value": task.a, "second_value": task.b, "difference": task.difference, **_bounds(task.estimate),
            "p": task.p if task.counts_seeds else None, "p_holm": task.p_holm, "p_items": task.p_items,
            "counted": task.basis,
        }
        for task in one.tasks
    ]  # fmt: skip
    if one.mean:
        a, b = mean_scores(one)
        values = {"first_value": a, "second_value": b, "difference": one.mean.value, "p": one.mean.p}
        found.append({"kind": "mean", "name": "mean", **values, **_bounds(one.mean)})
    if one.p_tasks is not None:
        found.append({"kind": "wilcoxon", "name": "tasks", "p": one.p_tasks})
    for cost in one.costs:
        values = {"first_value": cost.a, "second_value": cost.b, "ratio": cost.ratio}
        found.append({"kind": "cost", "name": cost.name, "reason": cost.reason, **values})
    return [*found, {"kind": "verdict", "name": "verdict", "reason": one.verdict}]
