"""Training curves: the loss of every step, or the scores after epochs, as means over seeds with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from harness.record import RunRecord
from harness.report.figures.panels import grid
from harness.report.figures.scene import NothingToShow, Scene, Shown
from harness.report.render import short_titles
from harness.report.style import Look, Style

COLUMNS = ["task", "variant", "method", "step", "value", "low", "high", "seeds"]
BINS = 40
"""Stretches of steps whose losses are averaged: single steps are too noisy to be told apart."""
MOST_BANDS = 6
BANDS = "Bands: lowest to highest seed."


def _points(run: RunRecord, name: str) -> dict[int, float]:
    """step -> value of the points that have one."""
    found = {}
    for point in run.curve:
        step, value = point.get("step"), point.get(name)
        if isinstance(step, int) and value is not None and np.isfinite(value):
            found[step] = float(value)
    return found


def binned(points: Mapping[int, float], last: int) -> dict[int, float]:
    """Means over `BINS` equal stretches of the steps 1..last, under each stretch's last step; the points as they are
    where there are no more than stretches."""
    if len(points) <= BINS:
        return dict(points)
    width = last / BINS
    stretches: dict[int, list[float]] = {}
    for step, value in points.items():
        stretches.setdefault(min(BINS - 1, int((step - 1) / width)), []).append(value)
    return {round((at + 1) * width): float(np.mean(values)) for at, values in sorted(stretches.items())}


def _rows(scene: Scene, points_of) -> list[tuple]:
    """Over the seeds of a row and task, at the steps that all its seeds have. `points_of(run)`: step -> value."""
    rows = []
    for row in scene.table.rows:
        by_task: dict[str, list[RunRecord]] = {}
        for run in scene.runs[row.label]:
            if run.status == "done":
                by_task.setdefault(run.spec.task, []).append(run)
        for task, own in by_task.items():
            curves = [points for run in own if (points := points_of(run))]
            shared = sorted(set.intersection(*map(set, curves))) if curves else []
            for step in shared:
                values = [points[step] for points in curves]
                reach = (min(values), max(values)) if len(values) > 1 else (np.nan, np.nan)
                rows.append((task, row.label, row.method, step, float(np.mean(values)), *reach, len(values)))
    return rows


def shown_curves(scene: Scene, points_of, why: str, foot: Sequence[str], name: str) -> Shown:
    """task, variant, method, step, value, low, high, seeds. Raises NothingToShow with `why`."""
    made = pd.DataFrame(_rows(scene, points_of), columns=COLUMNS)
    if made.empty:
        raise NothingToShow(why)
    order = [task for task in dict.fromkeys(column.name for column in scene.table.columns) if task in set(made["task"])]
    order += sorted(set(made["task"]) - set(order))
    made = made.sort_values("task", key=lambda tasks: tasks.map(order.index), kind="stable", ignore_index=True)
    bands = made["low"].notna().any() and made["variant"].nunique() <= MOST_BANDS
    names = {task: task for task in order} | short_titles(scene.table) | {"value": name}
    return Shown(made, scene.table.title, " ".join(filter(None, [*foot, BANDS if bands else ""])), names)


def losses(scene: Scene) -> Shown:
    """Training losses."""
    lasts: dict[str, int] = {}
    for own in scene.runs.values():
        for run in own:
            lasts[run.spec.task] = max(lasts.get(run.spec.task, 0), *_points(run, "loss"), 0)

    def points(run: RunRecord) -> dict[int, float]:
        return binned(_points(run, "loss"), lasts[run.spec.task])

    foot = [f"Mean over seeds and over a {BINS}th of the steps."]
    return shown_curves(scene, points, "No record holds the loss of its steps.", foot, "Training loss")


def evaluations(scene: Scene) -> Shown:
    """Scores x100 on the reported split, or on the validation part where only that was scored on the way."""
    kinds = {
        prefix
        for own in scene.runs.values()
        for run in own
        for prefix in ("eval", "validation")
        if len(_points(run, f"{prefix}_{run.metric}")) > 1
    }
    prefix = "eval" if "eval" in kinds else "validation"

    def points(run: RunRecord) -> dict[int, float]:
        found = {step: 100 * value for step, value in _points(run, f"{prefix}_{run.metric}").items()}
        return found if len(found) > 1 else {}

    split = "reported split" if prefix == "eval" else "validation part"
    why = "No run was scored on its way, as --eval-every-epoch and --select best do."
    return shown_curves(scene, points, why, [f"Scores on the {split}, mean over seeds."], "Score (x100)")


def _line(ax: Axes, own: pd.DataFrame, look: Look, every: tuple[int, int], band: bool) -> None:
    style = look.curve | {"linewidth": 0.9, "markersize": 3, "markeredgewidth": 0.6, "markevery": every}
    ax.plot(own["step"], own["value"], **style)
    if band and own["low"].notna().any():
        ax.fill_between(own["step"], own["low"], own["high"], color=look.colour, alpha=0.15, linewidth=0)


def draw(shown: Shown, look: Style) -> Figure:
    """A panel a task of `losses` or `evaluations`, a line a row."""
    rows = shown.frame
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    tasks = list(dict.fromkeys(rows["task"]))
    titles = [shown.names[task] for task in tasks]
    figure, made = grid(shown, look, titles, looks, "line", ("Step", shown.names["value"]))
    for ax, task in zip(made, tasks, strict=True):
        here = rows[rows["task"] == task]
        for nth, (label, own) in enumerate(here.groupby("variant", sort=False)):
            gap = max(1, len(own) // 5)
            _line(ax, own, looks[label], (nth * gap // len(looks), gap), len(looks) <= MOST_BANDS)
        ax.set_xlim(0, here["step"].max() * 1.03)
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    return figure
