"""Score against a cost: a point a variant, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.report import style
from harness.report.cells import Column, Table
from harness.report.place import Box, put_names
from harness.report.render import short_number

COSTS = {"trainable": "count", "memory": "bytes", "speed": "rate"}
LEAST_SPREAD = 0.5
"""Points of score that the vertical axis shows at least, so that it never magnifies nothing."""


def cost_column(table: Table, cost: str) -> Column | None:
    """The table's column for trainable, memory or speed: that with most values, or None."""
    kind = COSTS[cost]
    columns = [c for c in table.columns if c.kind == kind and c.name != "head"]
    return max(columns, key=lambda c: sum(table.cell(r, c).value is not None for r in table.rows), default=None)


def pareto_frame(table: Table, cost: str) -> pd.DataFrame:
    """variant, method, score, score_sd, seeds, the cost under its field's name, on_front. Empty if there is no
    score that sums the table up, or no such cost."""
    column, summary = cost_column(table, cost), table.summary
    name = column.name if column else cost
    rows = []
    for row in table.rows if column and summary else ():
        score, value = table.cell(row, summary), table.cell(row, column).value
        if score.value is not None and value is not None:
            rows.append((row.label, row.method, score.value, score.sd, score.n, value))
    frame = pd.DataFrame(rows, columns=["variant", "method", "score", "score_sd", "seeds", name])
    sign = -1 if cost == "speed" else 1
    frame["on_front"] = [
        not any(
            (other >= score and sign * price <= sign * value) and (other > score or sign * price < sign * value)
            for other, price in zip(frame["score"], frame[name], strict=True)
        )
        for score, value in zip(frame["score"], frame[name], strict=True)
    ]
    return frame.astype({"score": float, "score_sd": float, "seeds": int, name: float, "on_front": bool})


def _score_title(table: Table) -> str:
    column = table.summary
    if column is None or column.kind == "task":
        return f"{column.title if column else 'Score'} (x100)"
    return f"{column.title} score (x100)"


def _parameter_axis(ax: Axes, values: Sequence[float]) -> list[float]:
    """A log axis with a place for 0 left of a break; returns where the values stand on it."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive), max(positive)
    zero = low / max(3.0, (high / low) ** 0.15)
    has_zero = any(value <= 0 for value in values)
    left = zero if has_zero else low
    # Wide enough for two of the ticks 1, 2, 5.
    room = max(1.6, (high / left) ** 0.1, math.sqrt(6 * left / high))
    ax.set_xscale("log")
    ax.set_xlim(left / room, high * room)
    steps = (1,) if high / low >= 50 else (1, 2, 5)
    decades = range(math.floor(math.log10(low / room)), math.ceil(math.log10(high * room)) + 1)
    ticks = [m * 10.0**d for d in decades for m in steps if low / math.sqrt(room) <= m * 10.0**d <= high * room]
    if has_zero:
        ax.axvline(math.sqrt(zero * low), color=style.GREY, linewidth=0.5, linestyle=(0, (1, 3)))
        ticks = [zero, *(tick for tick in ticks if tick > math.sqrt(zero * low))]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: "0" if has_zero and x == zero else short_number(x)))
    return [value if value > 0 else zero for value in values]


def _cost_axis(ax: Axes, table: Table, cost: str, values: Sequence[float]) -> list[float]:
    """Scales and names the horizontal axis; returns where the values stand on it."""
    column = cost_column(table, cost)
    if cost == "trainable":
        ax.set_xlabel("Trainable parameters, task head apart")
        return _parameter_axis(ax, values)
    if cost == "memory":
        counter = column.title.removesuffix(" GB") if column else ""
        ax.set_xlabel(f"Memory in training, GB ({counter[:1].lower()}{counter[1:]})")
        shown = [value / 1e9 for value in values]
    else:
        ax.set_xlabel("Training speed, tokens/s without padding")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        shown = list(values)
    spread = (max(shown) - min(shown)) or abs(max(shown)) or 1.0
    ax.set_xlim(min(shown) - 0.1 * spread, max(shown) + 0.15 * spread)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return shown


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


def _whisker(ax: Axes, x: float, y: float, sd: float, colour: str) -> Box:
    """One sd up and down; returns the pixels that it covers."""
    ax.errorbar(x, y, yerr=sd, color=colour, linewidth=0.6, capsize=1.2, capthick=0.6, zorder=2)
    (left, under), (_, over) = ax.transData.transform([(x, y - sd), (x, y + sd)])
    return left - 1, under, left + 1, over


def _foot(table: Table, frame: pd.DataFrame, cost: str) -> str:
    """What the axis cannot say: load and machine, and who is missing."""
    hidden = [row.label for row in table.rows if row.label not in set(frame["variant"])]
    parts = [table.load, table.machines] if cost != "trainable" else []
    parts += [f"not shown (no score or cost): {', '.join(hidden)}"] if hidden else []
    return "; ".join(filter(None, parts))


def pareto(table: Table, frame: pd.DataFrame, cost: str) -> Figure:
    """Draws `pareto_frame(table, cost)`, which must not be empty, under the table's title."""
    height = 2.4 + 0.05 * max(0, len(frame) - 6)
    figure, top, foot = style.canvas(style.COLUMN_INCHES, height, table.title, _foot(table, frame, cost))
    bottom = 0.42 + foot
    ax = style.axes_at(figure, 0.45, bottom, style.COLUMN_INCHES - 0.53, height - bottom - top - 0.05)
    ax.set_ylabel(_score_title(table))
    xs = _cost_axis(ax, table, cost, list(frame.iloc[:, 5]))
    ys, sds = list(frame["score"]), list(frame["score_sd"].fillna(0.0))
    low = min(y - sd for y, sd in zip(ys, sds, strict=True))
    high = max(y + sd for y, sd in zip(ys, sds, strict=True))
    spread, middle = max(high - low, LEAST_SPREAD), (high + low) / 2
    ax.set_ylim(middle - 0.6 * spread, middle + 0.62 * spread)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    looks = style.looks(list(zip(frame["variant"], frame["method"], strict=True)))
    front = [at for at, on in enumerate(frame["on_front"]) if on]
    covered = _front(ax, [xs[at] for at in front], [ys[at] for at in front], cost == "speed")
    for x, y, sd, variant in zip(xs, ys, sds, frame["variant"], strict=True):
        ax.plot(x, y, linestyle="none", markersize=4.5, markeredgewidth=0.7, zorder=3, **looks[variant])
        if sd:
            covered.append(_whisker(ax, x, y, sd, looks[variant]["color"]))
    put_names(ax, xs, ys, list(frame["variant"]), style.SMALL if len(frame) <= 10 else style.TINY + 0.5, covered)
    return figure
