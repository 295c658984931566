"""Score against learning rate: of a search's trials, or of runs with several values of --lr."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.record import RunRecord
from harness.report.cells import Cell
from harness.report.defaults import Defaults
from harness.report.figures.panels import grid
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, interval
from harness.report.render import short_titles
from harness.report.setting import configured
from harness.report.style import Style
from harness.report.tuning import half_interval

ByRate = Mapping[float, Sequence[RunRecord]]


@dataclass(frozen=True)
class Point:
    rate: float
    cell: Cell
    failed: int
    """Runs without a score."""
    low: float
    high: float


def _points(by_rate: ByRate, trials: bool) -> list[Point]:
    """Over seeds; of a search, whose scores come from the same rows, the best alone has an interval: that of its rows."""
    found = []
    for rate, own in sorted(by_rate.items()):
        values = [100 * run.score for run in own if run.status == "done" and run.score is not None]
        cell = Cell.of(values)
        ends = (math.nan, math.nan) if trials else interval(cell)
        found.append(Point(rate, cell, len(own) - len(values), *ends))
    best = max((p for p in found if p.cell.value is not None), key=lambda p: p.cell.value or 0.0, default=None)
    half = half_interval(by_rate[best.rate]) if trials and best else None
    if half is not None and best is not None and best.cell.value is not None:
        reach = best.cell.value - 100 * half, best.cell.value + 100 * half
        found[found.index(best)] = Point(best.rate, best.cell, best.failed, *reach)
    return found


def _curves(scene: Scene) -> dict[tuple[str, str, str], ByRate]:
    """(task, row without its rate, method) -> rate -> runs that are alike but for the seed; two rates at least."""
    records = {record.key: record for own in scene.runs.values() for record in own if not record.spec.tuning}
    defaults = Defaults(record.spec for record in records.values())
    found: dict[tuple[str, str, str], dict[float, list[RunRecord]]] = {}
    for record in records.values():
        rate = record.spec.recipe.get("learning_rate")
        if isinstance(rate, int | float) and record.status != "skipped":
            name = record.spec.task, configured(record.spec, defaults), record.spec.method
            found.setdefault(name, {}).setdefault(float(rate), []).append(record)
    return {name: by_rate for name, by_rate in sorted(found.items()) if len(by_rate) > 1}


def frame(scene: Scene, ask: Ask) -> Shown:
    """task, variant, method, learning_rate, score, score_sd, seeds, failed (runs without a score), low, high."""
    rows = [
        (*name, p.rate, p.cell.value, p.cell.sd, p.cell.n, p.failed, p.low, p.high)
        for name, by_rate in _curves(scene).items()
        for p in _points(by_rate, scene.trials)
    ]
    if not rows and all(record.spec.tuning for own in scene.runs.values() for record in own):
        raise NothingToShow("Each run has the best rate of its search, whose trials stand in a figure of their own.")
    if not rows:
        raise NothingToShow("No method was run with two learning rates on a task, by `peftbench tune` or --lr.")
    columns = ["task", "variant", "method", "learning_rate", "score", "score_sd", "seeds", "failed", "low", "high"]
    made = pd.DataFrame(rows, columns=columns)
    made = made.astype({name: float for name in ("score", "score_sd", "low", "high")})
    known = [record.spec.task for own in scene.runs.values() for record in own]
    order = [column.name for column in scene.table.columns if column.name in set(known)]
    order += sorted(set(known) - set(order))
    made = made.sort_values("task", key=lambda tasks: tasks.map(order.index), kind="stable", ignore_index=True)
    foot = ["Trials of searches, scored on a part carved from train."] if scene.trials else []
    if made["low"].notna().any():
        best = "Whisker of the best: sampling error of that part's rows, 95 %."
        foot.append(best if scene.trials else "Whiskers: 95 % interval of the mean over seeds (Student's t).")
    foot.append("x: failed, diverged, or a score that is undefined." if made["score"].isna().any() else "")
    names = {task: task for task in order} | short_titles(scene.table)
    return Shown(made, scene.table.title, " ".join(filter(None, foot)), names)


def draw(shown: Shown, look: Style) -> Figure:
    """A panel a task of `frame`, a line a row."""
    rows = shown.frame
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    tasks = list(dict.fromkeys(rows["task"]))
    titles = [shown.names[task] for task in tasks]
    figure, made = grid(shown, look, titles, looks, "line", ("Learning rate", "Score (x100)"))
    for ax, task in zip(made, tasks, strict=True):
        here = rows[rows["task"] == task]
        low, high = here["score"].min(), here["score"].max()
        room = 0.1 * ((high - low) or 1.0)
        for label, own in here.groupby("variant", sort=False):
            known = own[own["score"].notna()]
            style = looks[label].curve | {"linewidth": 0.9, "markersize": 3.2, "markeredgewidth": 0.6}
            ax.plot(known["learning_rate"], known["score"], **style)
            for row in known[known["low"] < known["high"]].itertuples():
                reach = {"yerr": [[row.score - row.low], [row.high - row.score]], "color": looks[label].colour}
                ax.errorbar(row.learning_rate, row.score, **reach, linewidth=0.6, capsize=1.2, capthick=0.6)
        lost = here[here["score"].isna()]
        for row in lost.itertuples():
            height = (0.0 if low != low else low) - room
            ax.plot(row.learning_rate, height, marker="x", markersize=3.5, color=looks[row.variant].colour)
        _decades(ax, here["learning_rate"].min() / 1.4, here["learning_rate"].max() * 1.4)
        ax.yaxis.set_major_locator(MaxNLocator(4))
    return figure


def _decades(ax: Axes, low: float, high: float) -> None:
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    steps = (1,) if high / low >= 30 else (1, 3)
    ticks = [m * 10.0**d for d in range(-9, 3) for m in steps if low <= m * 10.0**d <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks[:: 1 + len(ticks) // 5] or [(low * high) ** 0.5]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0e}".replace("e-0", "e-").replace("e+0", "e")))
