"""Leaderboards -> figures: score against a cost, and scores by task. Each is written with the data that it shows."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.record import RunRecord, UserError
from harness.report import style
from harness.report.cells import Column, Table
from harness.report.leaderboard import MEMORY, tables
from harness.report.place import put_names
from harness.report.render import short_number, short_titles
from harness.store import make_folder, replacing

COSTS = {"trainable": "count", "memory": "bytes", "speed": "rate"}
FORMATS = ("pdf", "svg", "png")
PNG_DPI = 300
TITLE_CHARACTERS_PER_INCH = 24
MOST_GROUPED, NARROW_BARS, PANELS_A_LINE = 6, 24, 5
FLOOR_ABOVE = 30.0
"""Bars start at 0 unless all scores lie above this."""


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


def bars_frame(table: Table) -> pd.DataFrame:
    """task (or the average's name), variant, method, score, score_sd, seeds: a row for each cell with a score."""
    rows = [
        (column.name, row.label, row.method, cell.value, cell.sd, cell.n)
        for column in table.columns
        if column.is_score
        for row in table.rows
        if (cell := table.cell(row, column)).value is not None
    ]
    frame = pd.DataFrame(rows, columns=["task", "variant", "method", "score", "score_sd", "seeds"])
    return frame.astype({"score": float, "score_sd": float, "seeds": int})


def _figure(width: float, height: float, title: str) -> tuple[Figure, float]:
    """A figure with the setting above; (figure, inches that the title takes)."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    lines = textwrap.wrap(title, int(width * TITLE_CHARACTERS_PER_INCH))
    figure.text(
        0.02 * style.COLUMN_INCHES / width,
        1 - 0.03 / height,
        "\n".join(lines),
        va="top",
        fontsize=style.TINY,
        color=style.GREY,
    )
    return figure, 0.05 + len(lines) * style.TINY * 1.25 / 72


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


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
    room = max(1.6, (high / left) ** 0.1)
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
        counter = MEMORY[column.name][1] if column else ""
        ax.set_xlabel(f"Peak memory of training, GB\n({counter})")
        shown = [value / 1e9 for value in values]
    else:
        ax.set_xlabel("Training speed, tokens/s without padding")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        shown = list(values)
    spread = (max(shown) - min(shown)) or abs(max(shown)) or 1.0
    ax.set_xlim(min(shown) - 0.1 * spread, max(shown) + 0.15 * spread)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return shown


def _front(ax: Axes, xs: Sequence[float], ys: Sequence[float], more_is_better: bool) -> None:
    """The step line that no method passes."""
    order = sorted(zip(xs, ys, strict=True), reverse=more_is_better)
    edge = ax.get_xlim()[0 if more_is_better else 1]
    line_x, line_y = zip(*order, (edge, order[-1][1]), strict=True)
    ax.plot(line_x, line_y, drawstyle="steps-post", color=style.GREY, linewidth=0.8, zorder=1)


def pareto(table: Table, cost: str) -> tuple[Figure, pd.DataFrame]:
    """Score against `cost`, a point a variant, with the Pareto front. The frame must not be empty."""
    frame = pareto_frame(table, cost)
    height = 2.4 + 0.05 * max(0, len(frame) - 6)
    figure, top = _figure(style.COLUMN_INCHES, height, table.title)
    hidden = [row.label for row in table.rows if row.label not in set(frame["variant"])]
    foot = 0.12 if hidden else 0.0
    if hidden:
        text = textwrap.shorten(f"Not shown, no score or cost: {', '.join(hidden)}", 80, placeholder=" ...")
        figure.text(0.02, 0.02, text, fontsize=style.TINY, color=style.GREY)
    bottom = (0.55 if cost == "memory" else 0.42) + foot
    ax = _axes(figure, 0.45, bottom, style.COLUMN_INCHES - 0.53, height - bottom - top - 0.05)
    ax.set_ylabel(_score_title(table))
    xs = _cost_axis(ax, table, cost, list(frame.iloc[:, 5]))
    ys, sds = list(frame["score"]), [0.0 if math.isnan(sd) else sd for sd in frame["score_sd"]]
    low = min(y - sd for y, sd in zip(ys, sds, strict=True))
    high = max(y + sd for y, sd in zip(ys, sds, strict=True))
    spread = (high - low) or 1.0
    ax.set_ylim(low - 0.1 * spread, high + 0.12 * spread)
    looks = style.looks(list(zip(frame["variant"], frame["method"], strict=True)))
    front = [at for at, on in enumerate(frame["on_front"]) if on]
    _front(ax, [xs[at] for at in front], [ys[at] for at in front], cost == "speed")
    whiskers = []
    for x, y, sd, variant in zip(xs, ys, sds, frame["variant"], strict=True):
        ax.plot(x, y, linestyle="none", markersize=4.5, markeredgewidth=0.7, zorder=3, **looks[variant])
        if sd:
            ax.errorbar(
                x, y, yerr=sd, color=looks[variant]["color"], linewidth=0.6, capsize=1.2, capthick=0.6, zorder=2
            )
        (left, under), (_, over) = ax.transData.transform([(x, y - sd), (x, y + sd)])
        whiskers.append((left - 1, under, left + 1, over))
    put_names(ax, xs, ys, list(frame["variant"]), style.SMALL if len(frame) <= 10 else style.TINY + 0.5, whiskers)
    return figure, frame


def _floor(frame: pd.DataFrame) -> float:
    """Where bars start: 0, a tens below all whiskers if those lie high, or below 0 if a score does."""
    low = float((frame["score"] - frame["score_sd"].fillna(0)).min())
    if low >= FLOOR_ABOVE:
        return math.floor((low - 2) / 10) * 10
    return 0.0 if low >= 0 else math.floor(low / 10) * 10


def _bar(ax: Axes, frame: pd.DataFrame, at: Sequence[float], size: float, upright: bool, **look: Any) -> None:
    scores, sds = list(frame["score"]), [None if math.isnan(sd) else sd for sd in frame["score_sd"]]
    (ax.bar if upright else ax.barh)(at, scores, size, linewidth=0, **look)
    for place, score, sd in zip(at, scores, sds, strict=True):
        if sd is not None:
            point, error = ((place, score), {"yerr": sd}) if upright else ((score, place), {"xerr": sd})
            ax.errorbar(*point, **error, color="#333333", linewidth=0.5, capsize=min(1.5, size * 4), capthick=0.5)


def _grouped(table: Table, frame: pd.DataFrame) -> Figure:
    """Tasks along the axis, a bar for each variant: for few variants."""
    columns, labels = [c for c in table.columns if c.is_score], [row.label for row in table.rows]
    width = style.COLUMN_INCHES if len(columns) * len(labels) <= NARROW_BARS else style.PAGE_INCHES
    titles, short = short_titles(table), width == style.COLUMN_INCHES and len(columns) > 6
    lines = math.ceil(len(labels) / max(1, int(width / (0.35 + 0.055 * max(map(len, labels))))))
    figure, top = _figure(width, 2.1 + 0.12 * lines, table.title)
    bottom = 0.22 + (0.22 if short else 0.0) + 0.14 * lines
    ax = _axes(figure, 0.42, bottom, width - 0.5, 2.1 + 0.12 * lines - bottom - top - 0.05)
    looks = style.looks([(row.label, row.method) for row in table.rows])
    place = {column.name: at + (0.3 if column.kind == "mean" else 0.0) for at, column in enumerate(columns)}
    size = 0.8 / len(labels)
    for nth, name in enumerate(labels):
        own = frame[frame["variant"] == name]
        hatch = "" if looks[name]["markerfacecolor"] == looks[name]["color"] else "////"
        at = [place[task] + (nth - (len(labels) - 1) / 2) * size for task in own["task"]]
        _bar(ax, own, at, size * 0.92, True, color=looks[name]["color"], hatch=hatch, label=name, edgecolor="white")
    floor = _floor(frame)
    ax.set_ylim(bottom=floor)
    ax.set_ylabel("Score (x100)" + (f", axis from {floor:.0f}" if floor > 0 else ""))
    ax.set_xticks(
        list(place.values()),
        [titles[column.name] for column in columns],
        rotation=35 if short else 0,
        ha="right" if short else "center",
    )
    ax.tick_params(axis="x", length=0)
    figure.legend(
        loc="lower center",
        ncols=math.ceil(len(labels) / lines),
        frameon=False,
        handlelength=1,
        columnspacing=1,
        borderpad=0.1,
    )
    return figure


def _panels(table: Table, frame: pd.DataFrame) -> Figure:
    """A panel for each task with the variants' names at the side: for many variants."""
    columns, labels = [c for c in table.columns if c.is_score], [row.label for row in table.rows]
    across = min(len(columns), PANELS_A_LINE)
    lines = math.ceil(len(columns) / across)
    side = 0.15 + 0.045 * max(map(len, labels))
    tall = 0.11 * len(labels)
    figure, top = _figure(style.PAGE_INCHES, 0.1 + lines * (tall + 0.5) + 0.25, table.title)
    width = (style.PAGE_INCHES - side - 0.1) / across
    titles, looks = short_titles(table), style.looks([(row.label, row.method) for row in table.rows])
    for nth, column in enumerate(columns):
        line, place = divmod(nth, across)
        ax = _axes(figure, side + place * width, 0.1 + (lines - 1 - line) * (tall + 0.5) + 0.2, width - 0.12, tall)
        own = frame[frame["task"] == column.name]
        for label in own["variant"]:
            one = own[own["variant"] == label]
            _bar(ax, one, [labels.index(label)], 0.75, False, color=looks[label]["color"])
        ax.set_ylim(len(labels) - 0.4, -0.6)
        ax.set_yticks(range(len(labels)), labels if place == 0 else [""] * len(labels))
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        if len(own):
            ax.set_xlim(left=_floor(own))
        ax.set_title(titles[column.name] + " (x100)", pad=2, fontweight="bold" if column.kind == "mean" else "normal")
    return figure


def bars(table: Table) -> tuple[Figure, pd.DataFrame]:
    """Scores by task and their average, with whiskers of one sd over seeds. The frame must not be empty."""
    frame = bars_frame(table)
    return (_grouped if len(table.rows) <= MOST_GROUPED else _panels)(table, frame), frame


def draw(kind: str, records: Iterable[RunRecord], folder: Path, cost: str = "trainable") -> list[Path]:
    """Writes PDF, SVG, PNG and CSV for each setting that has something to show.

    Raises UserError if none has, or if the folder cannot be written to.
    """
    make: Callable[[Table], tuple[Figure, pd.DataFrame]]
    if kind == "pareto":
        name, make, empty = f"pareto-{cost}", lambda t: pareto(t, cost), lambda t: pareto_frame(t, cost).empty
        lack = {"memory": "peak memory", "speed": "speed"}.get(cost, "parameter count")
        why = f"There is no setting whose records have both a score over all its tasks and a {lack}."
    else:
        name, make, empty, why = "bars", bars, lambda t: bars_frame(t).empty, "No record has a score."
    paths: list[Path] = []
    for table in tables(records):
        if empty(table):
            continue
        make_folder(folder)
        with matplotlib.rc_context(style.RC):
            figure, frame = make(table)
            paths += _write(figure, frame, table, folder / f"{name}-{table.setting.slug}")
    if not paths:
        raise UserError(why)
    return paths


def _write(figure: Figure, frame: pd.DataFrame, table: Table, stem: Path) -> list[Path]:
    dates: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in (*FORMATS, "csv")]
    try:
        for path, ending in zip(paths, FORMATS, strict=False):
            with replacing(path) as temporary:
                figure.savefig(temporary, format=ending, dpi=PNG_DPI, metadata={**dates[ending], "Title": table.title})
        with replacing(paths[-1]) as temporary:
            frame.assign(title=table.title).to_csv(temporary, index=False)
    except OSError as error:
        raise UserError(f"{stem}.* cannot be written: {error.strerror or error}.") from None
    return paths
