"""Score against a cost: a point a row, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.report import style
from harness.report.figures.costs import COSTS, log_axis, values
from harness.report.figures.place import Box, put_names
from harness.report.figures.scene import Ask, Scene, Shown, interval, left_out, summaries, summary_title, whiskers
from harness.report.style import Entry, Sheet, Style

LEAST_SPREAD = 0.5
"""Points of score that the vertical axis shows at least, so that it never magnifies nothing."""
FEW, CROWD = 10, 12
"""Names are larger up to the one, and the figure is as wide as a page beyond the other."""
LONG_NAME = 1.25
"""Inches; where a name is longer, numbers stand beside the points, and the names below."""


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, score, score_sd, seeds, low, high, the cost under its field's name, on_front."""
    found = summaries(scene.table)
    counter, costs = values(scene, ask.cost)
    rows = [
        (row.label, row.method, cell.value, cell.sd, cell.n, *interval(cell), costs[row.label])
        for row, cell in found
        if row.label in costs
    ]
    names = ["variant", "method", "score", "score_sd", "seeds", "low", "high", counter.field]
    made = pd.DataFrame(rows, columns=names)
    sign = -1 if COSTS[ask.cost].more_is_better else 1
    made["on_front"] = [
        not any(
            (other >= score and sign * price <= sign * value) and (other > score or sign * price < sign * value)
            for other, price in zip(made["score"], made[counter.field], strict=True)
        )
        for score, value in zip(made["score"], made[counter.field], strict=True)
    ]
    foot = [
        whiskers(cell for _, cell in found),
        "" if counter.parameters else "; ".join(filter(None, [scene.table.load, scene.table.machines])),
        left_out(scene.table, made["variant"], "no score or cost"),
    ]
    assert scene.table.summary is not None
    return Shown(
        made.astype({name: float for name in ("score", "score_sd", "low", "high", counter.field)}),
        scene.table.title,
        "\n".join(filter(None, foot)),
        {"score": summary_title(scene.table.summary), "cost": counter.title, "unit": str(counter.unit)},
    )


def _front(ax: Axes, xs: Sequence[float], ys: Sequence[float], more_is_better: bool) -> list[Box]:
    """The step line that no method passes; returns the pixels that it covers."""
    order = sorted(zip(xs, ys, strict=True), reverse=more_is_better)
    edge = ax.get_xlim()[0 if more_is_better else 1]
    line = [*order, (edge, order[-1][1])]
    ax.plot(*zip(*line, strict=True), drawstyle="steps-post", color=style.GREY, linewidth=0.8, zorder=1)
    pixels = [tuple(point) for point in ax.transData.transform(line)]
    covered = []
    for (x, y), (next_x, next_y) in pairwise(pixels):
        covered.append((min(x, next_x), y - 1, max(x, next_x), y + 1))
        covered.append((next_x - 1, min(y, next_y), next_x + 1, max(y, next_y)))
    return covered


def _whisker(ax: Axes, x: float, low: float, high: float, colour: str) -> Box:
    """From low to high; returns the pixels that it covers."""
    middle = (low + high) / 2
    ax.errorbar(x, middle, yerr=high - middle, color=colour, linewidth=0.6, capsize=1.2, capthick=0.6, zorder=2)
    (left, under), (_, over) = ax.transData.transform([(x, low), (x, high)])
    return left - 1, under, left + 1, over


def score_axis(ax: Axes, lows: Sequence[float], highs: Sequence[float]) -> None:
    """The vertical axis from the lowest to the highest whisker, with room for names."""
    low, high = min(lows), max(highs)
    spread, middle = max(high - low, LEAST_SPREAD), (high + low) / 2
    ax.set_ylim(middle - 0.6 * spread, middle + 0.62 * spread)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def draw(shown: Shown, look: Style) -> Figure:
    """A point a row of `frame`, whiskers, the front, a name beside each point."""
    rows = shown.frame
    cost = rows.columns[rows.columns.get_loc("on_front") - 1]
    more_is_better = any(c.more_is_better and cost in {k.field for k in c.counters} for c in COSTS.values())
    width = look.column if len(rows) <= CROWD else look.page
    font = style.SMALL if len(rows) <= FEW else style.TINY
    names = list(rows["variant"])
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    legend: list[Entry] = []
    if max(style.width_of(name, font) for name in names) > LONG_NAME:
        legend = [(f"{at}  {name}", looks[name], "marker") for at, name in enumerate(names, 1)]
        names = [str(at) for at in range(1, len(names) + 1)]
    body = 2.1 + (0.05 if width == look.column else 0.035) * max(0, len(rows) - 6)
    sheet = Sheet(width, body, shown.title, shown.foot, legend)
    ax = sheet.axes(0.5, 0.42, width - 0.58, body - 0.46)
    ax.set_ylabel(shown.names["score"])
    ax.set_xlabel(shown.names["cost"])
    xs = log_axis(ax, [value / float(shown.names["unit"]) for value in rows[cost]], more=1.4)
    ys = list(rows["score"])
    score_axis(ax, list(rows["low"].fillna(rows["score"])), list(rows["high"].fillna(rows["score"])))
    front = [at for at, on in enumerate(rows["on_front"]) if on]
    covered = _front(ax, [xs[at] for at in front], [ys[at] for at in front], more_is_better)
    for x, row in zip(xs, rows.itertuples(), strict=True):
        own = looks[row.variant]
        ax.plot(x, row.score, markersize=4.5, markeredgewidth=0.7, zorder=3, **own.point)
        if row.low < row.high:
            covered.append(_whisker(ax, x, row.low, row.high, own.colour))
    put_names(ax, xs, ys, names, font, covered)
    return sheet.figure
