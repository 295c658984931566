"""Radar of a suite whose tasks stand in groups, as VTAB's: a spoke a task, the groups as sectors."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from matplotlib.ticker import MaxNLocator

import tasks
from harness.report import style
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown
from harness.report.render import short_titles
from harness.report.style import Entry, Sheet, Style, fold, line_height, width_of

MOST = 6
"""Rows; more would cover each other."""
FEWEST_SPOKES = 3
TINTS = ("#FBF0CF", "#DCEBF7", "#EBDFF0")
"""Grounds of the groups."""


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, group, task, score, score_sd, seeds: the best rows by the score that ranks, tasks by group."""
    table = scene.table
    suite = tasks.suites().get(table.setting.suite)
    groups = suite.groups if suite else {}
    if not groups:
        raise NothingToShow(f"The suite {table.setting.suite} has no groups of tasks.")
    by_name = {column.name: column for column in table.columns if column.kind == "task"}
    spokes = [(group, by_name[name]) for group, names in groups.items() for name in names if name in by_name]
    if len(spokes) < FEWEST_SPOKES:
        raise NothingToShow(f"{len(spokes)} of its tasks were run; a radar needs {FEWEST_SPOKES}.")
    full = [row for row in table.rows if all(table.cell(row, column).value is not None for _, column in spokes)]
    if not full:
        raise NothingToShow("No row has a score on all of its tasks.")
    rows = [
        (row.label, row.method, group, column.name, cell.value, cell.sd, cell.n)
        for row in full[:MOST]
        for group, column in spokes
        if (cell := table.cell(row, column)).value is not None
    ]
    made = pd.DataFrame(rows, columns=["variant", "method", "group", "task", "score", "score_sd", "seeds"])
    hidden = [row.label for row in table.rows if row not in full[:MOST]]
    why = f"beyond the best {MOST}, or without a score on a task"
    foot = ["Scores x100, means over seeds."] + ([f"Not shown ({why}): {', '.join(hidden)}."] if hidden else [])
    return Shown(made.astype({"score_sd": float}), table.title, " ".join(foot), short_titles(table))


def _angles(spokes: pd.DataFrame) -> np.ndarray:
    """Of each spoke, clockwise from the top, with half a spoke more between groups."""
    jumps = np.array(
        [0.0] + [0.5 if a != b else 0.0 for a, b in zip(spokes["group"], spokes["group"][1:], strict=False)]
    )
    last = 0.5 if spokes["group"].nunique() > 1 else 0.0
    places = np.arange(len(spokes)) + np.cumsum(jumps)
    return 2 * math.pi * places / (len(spokes) + jumps.sum() + last)


def draw(shown: Shown, look: Style) -> Figure:
    """A closed line a row of `frame`; the radial axis is the same for all spokes and need not start at 0."""
    rows = shown.frame
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    spokes = rows.drop_duplicates("task")
    names = ["\n".join(fold(shown.names[task], 0.75, style.SMALL)) for task in spokes["task"]]
    widest = max(width_of(line, style.SMALL) for name in names for line in name.split("\n"))
    highest = max(name.count("\n") + 1 for name in names) * line_height(style.SMALL)
    width = look.column
    round_ = min(2.6, width - 2 * (widest + 0.12))
    above = highest + 0.14
    legend: list[Entry] = [(name, own, "line") for name, own in looks.items()]
    legend += [(str(name), TINTS[at % len(TINTS)], "patch") for at, name in enumerate(spokes["group"].unique())]
    sheet = Sheet(width, round_ + 2 * above, shown.title, shown.foot, legend)
    place = sheet.box((width - round_) / 2, above, round_, round_)
    ax = sheet.figure.add_axes(place, projection="polar")
    assert isinstance(ax, PolarAxes)
    ax.set_theta_offset(math.pi / 2)
    ax.set_theta_direction(-1)
    low, high = float(rows["score"].min()), float(rows["score"].max())
    floor = max(0.0, math.floor((low - 0.15 * (high - low)) / 10) * 10) if low >= 0 else math.floor(low / 10) * 10
    ax.set_ylim(floor, min(100.0, math.ceil((high + 1) / 10) * 10) if high <= 100 else high)
    angles = _angles(spokes)
    _sectors(ax, spokes, angles)
    for label, own in rows.groupby("variant", sort=False):
        values = list(own["score"])
        drawn = looks[label].curve | {"linewidth": 1, "markersize": 3, "markeredgewidth": 0.6}
        ax.plot([*angles, angles[0]], [*values, values[0]], clip_on=False, **drawn)
    ax.set_xticks(angles, [""] * len(angles))
    for angle, name in zip(angles, names, strict=True):
        x, y = math.sin(angle), math.cos(angle)
        ha = "center" if abs(x) < 0.2 else "left" if x > 0 else "right"
        va = "center" if abs(y) < 0.35 else "bottom" if y > 0 else "top"
        ax.annotate(
            name,
            (angle, ax.get_ylim()[1]),
            (4 * x, 4 * y),
            textcoords="offset points",
            ha=ha,
            va=va,
            fontsize=style.SMALL,
        )
    low, high = ax.get_ylim()
    ticks = [tick for tick in MaxNLocator(3).tick_values(low, high) if low < tick <= high]
    ax.set_rgrids(ticks, [f"{tick:.0f}" for tick in ticks], angle=_free(angles), fontsize=style.TINY, color=style.GREY)
    ax.grid(color=style.PALE, linewidth=0.5)
    ax.spines["polar"].set_color(style.PALE)
    return sheet.figure


def _free(angles: np.ndarray) -> float:
    """The middle of the widest gap between spokes, in degrees."""
    ends = np.append(angles, angles[0] + 2 * math.pi)
    widest = int(np.argmax(np.diff(ends)))
    return math.degrees((ends[widest] + ends[widest + 1]) / 2)


def _sectors(ax: PolarAxes, spokes: pd.DataFrame, angles: np.ndarray) -> None:
    """A pale ground behind each group."""
    low, high = ax.get_ylim()
    step = 2 * math.pi / (len(spokes) + 0.5 * spokes["group"].nunique())
    for nth, (_, own) in enumerate(spokes.groupby("group", sort=False)):
        places = angles[[list(spokes.index).index(at) for at in own.index]]
        start, end = places[0] - step / 2, places[-1] + step / 2
        ax.fill_between([*np.linspace(start, end, 40)], low, high, color=TINTS[nth % len(TINTS)], linewidth=0, zorder=0)
