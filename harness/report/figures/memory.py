"""Memory by category, stacked, at the moment of a step when most is alive: accounted from every tensor operation."""

from __future__ import annotations

from statistics import fmean

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.record import RunRecord
from harness.report import style
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, left_out
from harness.report.style import Sheet, Style, fold, line_height, width_of

PARTS = {
    "weights": ("frozen weights", "#332288"),
    "trainable": ("trainable", "#88CCEE"),
    "gradients": ("gradients", "#DDCC77"),
    "optimizer": ("optimizer state", "#CC6677"),
    "activations": ("activations", "#BBBBBB"),
    "temporaries": ("temporaries", "#EEEEEE"),
}
"""category -> its name and colour: Tol's muted scheme, https://personal.sron.nl/~pault/, which is not the methods'."""
LABEL_SHARE = 0.42
NARROW_ROWS = 12


def _accounted(runs: list[RunRecord]) -> dict[str, float] | None:
    """Means over the runs that have the account; None if none has."""
    names = [f"accounted_{part}_bytes" for part in (*PARTS, "peak")]
    known = [run.costs for run in runs if run.status == "done" and run.costs.get("accounted_peak_bytes") is not None]
    return {name: fmean(costs.get(name) or 0 for costs in known) for name in names} if known else None


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, task, runs, accounted_<category>_bytes and accounted_peak_bytes, their sum: means over the runs
    of that task on which most rows were accounted, of these the one with the highest peak. Least memory first."""
    by_task: dict[str, dict[str, tuple[int, dict[str, float]]]] = {}
    for row in scene.table.rows:
        for task in {run.spec.task for run in scene.runs[row.label]}:
            own = [run for run in scene.runs[row.label] if run.spec.task == task]
            if found := _accounted(own):
                by_task.setdefault(task, {})[row.label] = len(own), found
    if not by_task:
        raise NothingToShow("No run has its memory accounted by category.")

    def size(task: str) -> tuple[int, float, str]:
        return len(by_task[task]), max(found["accounted_peak_bytes"] for _, found in by_task[task].values()), task

    task = max(by_task, key=size)
    methods = {row.label: row.method for row in scene.table.rows}
    rows = [
        {"variant": label, "method": methods[label], "task": task, "runs": runs, **found}
        for label, (runs, found) in by_task[task].items()
    ]
    made = pd.DataFrame(rows).sort_values("accounted_peak_bytes", kind="stable", ignore_index=True)
    foot = [
        f"{task}, mean over runs. At the moment of a training step when most is alive; without what a device's context, "
        f"the allocator's rounding and kernels' workspaces take.",
        scene.table.load,
        left_out(scene.table, made["variant"], "not accounted on this task"),
    ]
    return Shown(made, scene.table.title, " ".join(part if part.endswith(".") else f"{part}." for part in foot if part))


def draw(shown: Shown, look: Style) -> Figure:
    """A bar a row of `frame`, its peak at the end."""
    rows = shown.frame
    widest = max(width_of(label, style.SMALL) for label in rows["variant"])
    width = look.column if len(rows) <= NARROW_ROWS and widest < LABEL_SHARE * look.column else look.page
    side = min(widest, LABEL_SHARE * width) + 0.1
    names = ["\n".join(fold(label, side - 0.1, style.SMALL)) for label in rows["variant"]]
    step = max(name.count("\n") + 1 for name in names) * line_height(style.SMALL) + 0.05
    tall = step * len(rows)
    legend = [(name, colour, "patch") for name, colour in PARTS.values()]
    sheet = Sheet(width, tall + 0.42, shown.title, shown.foot, legend)
    peak = float(rows["accounted_peak_bytes"].max())
    unit, word = (1e9, "GB") if peak >= 1e9 else (1e6, "MB")
    ends = [f"{value / unit:.{2 if peak / unit < 10 else 1}f}" for value in rows["accounted_peak_bytes"]]
    room = max(width_of(text, style.SMALL) for text in ends) + 0.1
    ax = sheet.axes(side, 0.38, width - side - style.EDGE - room, tall)
    left = pd.Series(0.0, index=rows.index)
    for part, (_, colour) in PARTS.items():
        values = rows[f"accounted_{part}_bytes"] / unit
        ax.barh(range(len(rows)), values, 0.72, left=left, color=colour, linewidth=0)
        left += values
    for at, (value, text) in enumerate(zip(rows["accounted_peak_bytes"], ends, strict=True)):
        ax.annotate(
            text,
            (value / unit, at),
            (2, 0),
            textcoords="offset points",
            fontsize=style.SMALL,
            va="center",
            color=style.INK,
        )
    ax.set_xlim(0, peak / unit)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), names)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel(f"Accounted memory, {word}")
    return sheet.figure
