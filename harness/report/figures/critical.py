"""Critical-difference diagram: average ranks over tasks; bars join rows that Nemenyi's test cannot tell apart.

Demsar 2006, https://jmlr.org/papers/v7/demsar06a.html.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.report import style
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, left_out, task_columns
from harness.report.stats.ranks import cliques, critical_difference, friedman
from harness.report.style import Sheet, Style, fold, line_height, width_of

ALPHA = 0.05
NARROW_ROWS = 12
LABEL_SHARE = 0.32


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, average_rank, cliques (numbers of the bars that the row is in), critical_difference, friedman_p,
    tasks; best rank first. Of the rows with a score on every task."""
    table, columns = scene.table, task_columns(scene.table)
    full = [row for row in table.rows if all(table.cell(row, column).value is not None for column in columns)]
    if len(full) < 3 or len(columns) < 2:
        raise NothingToShow(
            f"3 rows with a score on each of 2 or more tasks are needed; here are {len(full)} on each of {len(columns)}."
        )
    scores = np.array([[table.cell(row, column).value for row in full] for column in columns])
    found = friedman(scores)
    difference = critical_difference(len(full), len(columns), ALPHA)
    bars = cliques(found.ranks, difference)
    order = np.argsort(found.ranks, kind="stable")
    rows = [
        (
            full[at].label, full[at].method, float(found.ranks[at]),
            " ".join(str(nth) for nth, bar in enumerate(bars, 1) if at in bar), difference, found.p, len(columns),
        )
        for at in order
    ]  # fmt: skip
    names = ["variant", "method", "average_rank", "cliques", "critical_difference", "friedman_p", "tasks"]
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    verdict = "" if found.p <= ALPHA else ": the ranks as a whole show no difference"
    foot = [
        f"Average rank over {len(columns)} tasks, 1 the best. Friedman {p}{verdict}. "
        f"Bars: within the critical difference (CD, Nemenyi, {ALPHA:g}).",
        left_out(table, [row.label for row in full], "no score on all of these tasks"),
    ]
    return Shown(pd.DataFrame(rows, columns=names), table.title, " ".join(filter(None, foot)))


def _bars(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """(best, worst) rank of each clique."""
    groups: dict[str, list[float]] = {}
    for rank, names in zip(rows["average_rank"], rows["cliques"], strict=True):
        for name in names.split():
            groups.setdefault(name, []).append(rank)
    return [(min(ranks), max(ranks)) for ranks in groups.values()]


def _levels(bars: list[tuple[float, float]]) -> list[int]:
    """A line for each bar, such that bars that overlap lie on different ones."""
    ends: list[float] = []
    found = []
    for low, high in bars:
        level = next((at for at, end in enumerate(ends) if end < low), len(ends))
        ends[level:] = [high, *ends[level + 1 :]]
        found.append(level)
    return found


def _lines(heights: list[float], left_half: int) -> tuple[list[float], float]:
    """How far below the bars each name stands, the left ones best first, the right ones worst first; and the depth."""
    count = len(heights)
    found = [0.0] * count
    deepest = 0.0
    for order in (range(left_half), range(count - 1, left_half - 1, -1)):
        depth = 0.0
        for nth in order:
            found[nth] = depth + heights[nth] / 2
            depth += heights[nth]
        deepest = max(deepest, depth)
    return found, deepest


def draw(shown: Shown, look: Style) -> Figure:
    """The diagram of `frame`: the better half named at the left, the others at the right."""
    rows = shown.frame
    count = len(rows)
    left_half = math.ceil(count / 2)
    widest = max(width_of(label, style.SMALL) for label in rows["variant"])
    width = look.column if count <= NARROW_ROWS and widest < LABEL_SHARE * look.column else look.page
    side = min(widest, LABEL_SHARE * width) + 0.05
    names = [fold(label, side - 0.05, style.SMALL) for label in rows["variant"]]
    places, tall = _lines([len(lines) * line_height(style.SMALL) + 0.03 for lines in names], left_half)
    bars = _bars(rows)
    levels = _levels(bars)
    depth = 0.07 * (max(levels, default=-1) + 1) + 0.08
    under = depth + tall
    body = under + 0.62
    sheet = Sheet(width, body, shown.title, shown.foot)
    ax = sheet.axes(0, 0, width, body)
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(0, body)
    start, end = side + 0.2, width - side - 0.2

    def at(rank: float) -> float:
        return start + (rank - 1) / (count - 1) * (end - start)

    _axis(ax, at, under, count, float(rows["critical_difference"].iloc[0]), end)
    for (low, high), level in zip(bars, levels, strict=True):
        y = under - 0.07 * (level + 1)
        ax.plot([at(low) - 0.03, at(high) + 0.03], [y, y], color=style.INK, linewidth=2.2, solid_capstyle="butt")
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    for nth, (row, lines) in enumerate(zip(rows.itertuples(), names, strict=True)):
        is_left = nth < left_half
        y, x = under - depth - places[nth], at(row.average_rank)
        own = looks[row.variant]
        edge = side + 0.02 if is_left else width - side - 0.02
        ax.plot([x, x, edge], [under, y, y], color=own.colour, linewidth=0.7, zorder=1)
        ax.plot(x, under, markersize=4.5, markeredgewidth=0.7, zorder=3, clip_on=False, **own.point)
        place, side_of = (edge - 0.03, "right") if is_left else (edge + 0.03, "left")
        ax.text(place, y, "\n".join(lines), fontsize=style.SMALL, ha=side_of, va="center")
    return sheet.figure


def _axis(ax, at, y: float, count: int, difference: float, end: float) -> None:
    """Ranks along a line, and the critical difference above it."""
    ax.plot([at(1), at(count)], [y, y], color=style.INK, linewidth=0.8, zorder=2)
    every = max(1, math.ceil(count / 12))
    for rank in range(1, count + 1):
        ax.plot([at(rank)] * 2, [y, y + 0.05], color=style.INK, linewidth=0.6)
        if (rank - 1) % every == 0:
            ax.text(at(rank), y + 0.09, str(rank), fontsize=style.SMALL, ha="center", va="bottom")
    length = at(1 + difference) - at(1)
    top = y + 0.33
    last = min(at(1) + length, end)
    ax.plot([at(1), last], [top, top], color=style.INK, linewidth=0.8)
    for x in (at(1), last) if last < end else (at(1),):
        ax.plot([x, x], [top - 0.03, top + 0.03], color=style.INK, linewidth=0.8)
    ax.text(at(1), top + 0.05, f"CD = {difference:.2f}", fontsize=style.SMALL, ha="left", va="bottom")
