"""Published against measured: scores, and gains over a baseline, of the measured methods beside those papers print.

A printed row and a measured one are compared on the tasks that both have. A printed gain is taken within one table of one
paper: a method's mean over those tasks less the highest one that the table prints for the baseline with the same model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from statistics import fmean

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.report import style
from harness.report.cells import Row
from harness.report.figures.difference_map import baseline_row
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, by_seed, task_columns
from harness.report.published import Printed
from harness.report.stats.summary import over_runs
from harness.report.style import Look, Sheet, Style, fold, line_height, width_of

MOST_SOURCES = 6
"""Printed rows a method; the others are counted in the note."""
LABEL_SHARE = 0.42
COLUMNS = [
    "variant", "method", "kind", "label", "source", "model", "tasks", "score", "score_low", "score_high", "seeds",
    "baseline", "gain", "gain_low", "gain_high",
]  # fmt: skip


def _printed_rows(printed: Iterable[Printed], suite: str) -> dict[tuple[str, ...], list[Printed]]:
    rows: dict[tuple[str, ...], list[Printed]] = {}
    for one in printed:
        if one.suite == suite and one.method:
            rows.setdefault(one.row, []).append(one)
    return rows


def _mean(numbers: Iterable[Printed], tasks: Sequence[str]) -> float | None:
    """Over `tasks`; None if one is lacking."""
    known = {one.task: float(one.value) for one in numbers}
    return fmean(known[task] for task in tasks) if all(task in known for task in tasks) else None


def _reach(values: Sequence[float]) -> tuple[float, float]:
    found = over_runs(values).interval() if len(values) > 2 else None
    return (found.low, found.high) if found else (float("nan"), float("nan"))


class _Claims:
    def __init__(self, scene: Scene, baseline: Row | None) -> None:
        self.scene, self.baseline = scene, baseline
        self.columns = task_columns(scene.table)
        self.rows = _printed_rows(scene.printed, scene.table.setting.suite)

    def measured(self, row: Row, tasks: Sequence[str]) -> tuple | None:
        """A line of the frame; None if the row has no seed with all of the tasks."""
        own, base = self._seeds(row, tasks), self._seeds(self.baseline, tasks) if self.baseline else {}
        if not own:
            return None
        shared = sorted(set(own) & set(base)) if row != self.baseline else []
        gains = [own[seed] - base[seed] for seed in shared]
        name = self.baseline.label if gains and self.baseline else ""
        score = [fmean(own.values()), *_reach(list(own.values())), len(own)]
        gain = [fmean(gains), *_reach(gains)] if gains else [float("nan")] * 3
        model = self.scene.table.setting.model
        label = f"{row.label}: measured, {model}"
        return (row.label, row.method, "measured", label, "", model, " ".join(tasks), *score, name, *gain)

    def _seeds(self, row: Row, tasks: Sequence[str]) -> dict[int, float]:
        parts = [by_seed(self.scene, row.label, column) for column in self.columns if column.name in tasks]
        shared = set.intersection(*map(set, parts)) if parts else set()
        return {seed: fmean(part[seed] for part in parts) for seed in sorted(shared)}

    def published(self, row: Row, numbers: Sequence[Printed], tasks: Sequence[str]) -> tuple | None:
        score = _mean(numbers, tasks)
        if score is None:
            return None
        first = numbers[0]
        others = [
            mean
            for kept in self.rows.values()
            if self.baseline and kept[0].method == self.baseline.method != row.method
            if (kept[0].source, kept[0].model) == (first.source, first.model)
            if (mean := _mean(kept, tasks)) is not None
        ]
        gain = score - max(others) if others else float("nan")
        name = self.baseline.method if others and self.baseline else ""
        label = ", ".join(
            filter(None, [" ".join(filter(None, [first.printed_method, first.parameters])), first.model, first.source])
        )
        seeds = int(first.seeds) if first.seeds else 0
        lacking = float("nan")
        return (
            row.label, row.method, "published", label, first.source, first.model, " ".join(tasks), score, lacking, lacking,
            seeds, name, gain, lacking, lacking,
        )  # fmt: skip


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, kind (measured, published), label, source, model, tasks, score (mean over those tasks), score_low,
    score_high, seeds, baseline, gain (over it), gain_low, gain_high."""
    table = scene.table
    try:
        baseline = baseline_row(table, ask.baseline)
    except NothingToShow:
        if ask.baseline:
            raise
        baseline = None
    claims = _Claims(scene, baseline)
    tasks = [column.name for column in claims.columns]
    covered = {name for numbers in claims.rows.values() for name in (one.task for one in numbers)}
    tasks = [name for name in tasks if name in covered]
    if not tasks:
        raise NothingToShow("No paper's table that is kept here has one of these tasks.")
    rows, cut, lines = [], 0, {}
    for row in table.rows:
        own = [numbers for numbers in claims.rows.values() if numbers[0].method == row.method]
        found = [line for numbers in own if (line := claims.published(row, numbers, tasks))]
        measured = claims.measured(row, tasks)
        if found and measured and row.method not in lines:
            lines[row.method] = row.label
            rows += [measured, *found[:MOST_SOURCES]]
            cut += max(0, len(found) - MOST_SOURCES)
        elif found and measured:
            rows.append(measured)
    if not rows:
        raise NothingToShow("No measured method has a printed row with all of the tasks that were run.")
    made = pd.DataFrame(rows, columns=COLUMNS)
    foot = [
        f"Means over {', '.join(tasks)}. Filled: measured here, with the 95 % interval over seeds (Student's t) from three "
        "on; hollow: as printed, with its own model and protocol.",
        f"Gain: over {baseline.label} of the same runs, or over the same paper's best row of it." if baseline else "",
        f"{cut} more printed rows are not shown." if cut else "",
    ]
    names = {"score": f"Mean of {len(tasks)} (x100)" if len(tasks) > 1 else f"{tasks[0]} (x100)"}
    names["gain"] = f"Gain over {baseline.label}" if baseline else ""
    return Shown(made, table.title, " ".join(filter(None, foot)), names)


def _points(ax: Axes, rows: pd.DataFrame, what: str, looks: dict[str, Look], tops: Sequence[float]) -> None:
    """`tops`: the upper edge of each line, and the last one's lower edge."""
    for row, (top, under) in zip(rows.itertuples(), pairwise(tops), strict=True):
        at = (top + under) / 2
        value, low, high = (getattr(row, name) for name in (what, f"{what}_low", f"{what}_high"))
        if value != value:
            continue
        own = looks[row.variant]
        measured = row.kind == "measured"
        fill = own.colour if measured else "white"
        ax.plot(
            value, at, marker=own.marker, markersize=4.2, color=own.colour, markerfacecolor=fill, markeredgewidth=0.7
        )
        if low < high:
            reach = [[value - low], [high - value]]
            ax.errorbar(value, at, xerr=reach, color=own.colour, linewidth=0.7, capsize=1.5, capthick=0.6)
    ax.set_ylim(tops[-1], 0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=style.PALE, linewidth=0.4)
    ax.set_axisbelow(True)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    for at, kind in enumerate(rows["kind"]):
        if kind == "measured" and at:
            ax.axhline(tops[at], color=style.PALE, linewidth=0.5)


def draw(shown: Shown, look: Style) -> Figure:
    """A line a row of `frame`: scores at the left, gains at the right where there are any."""
    rows = shown.frame
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    width = look.page
    side = min(max(width_of(label, style.SMALL) for label in rows["label"]), LABEL_SHARE * width) + 0.1
    names = ["\n".join(fold(label, side - 0.1, style.SMALL)) for label in rows["label"]]
    tops = [0.0, *accumulate((name.count("\n") + 1) * line_height(style.SMALL) + 0.04 for name in names)]
    tall = tops[-1]
    sheet = Sheet(width, tall + 0.42, shown.title, shown.foot)
    panels = ["score", *(["gain"] if rows["gain"].notna().any() else [])]
    across = (width - side - style.EDGE) / len(panels)
    for nth, what in enumerate(panels):
        ax = sheet.axes(side + nth * across, 0.4, across - 0.12, tall)
        _points(ax, rows, what, looks, tops)
        ax.set_xlabel(shown.names[what])
        ax.set_yticks([(a + b) / 2 for a, b in pairwise(tops)], names if nth == 0 else [""] * len(rows))
        if what == "gain":
            ax.axvline(0, color=style.GREY, linewidth=0.6)
    for text, kind in zip(sheet.figure.axes[0].get_yticklabels(), rows["kind"], strict=True):
        text.set_fontweight("bold" if kind == "measured" else "normal")
    return sheet.figure
