"""Scores by task and their average, with intervals over seeds: grouped bars for few rows, panels for many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.report import style
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, interval, left_out, whiskers
from harness.report.render import short_titles
from harness.report.style import Look, Sheet, Style, fold, head_lines, line_height, width_of

MOST_GROUPED, NARROW_BARS, PANELS_A_LINE = 6, 24, 5
FLOOR_ABOVE = 30.0
"""Bars start at 0 unless all scores lie above this."""


def frame(scene: Scene, ask: Ask) -> Shown:
    """task (or the average's name), variant, method, score, score_sd, seeds, low, high: a row a cell with a score."""
    table = scene.table
    cells = [
        (column, row, table.cell(row, column)) for column in table.columns if column.is_score for row in table.rows
    ]
    rows = [
        (column.name, row.label, row.method, cell.value, cell.sd, cell.n, *interval(cell))
        for column, row, cell in cells
        if cell.value is not None
    ]
    if not rows:
        raise NothingToShow("No run has a score.")
    columns = ["task", "variant", "method", "score", "score_sd", "seeds", "low", "high"]
    made = pd.DataFrame(rows, columns=columns)
    made = made.astype({name: float for name in ("score", "score_sd", "low", "high")})
    foot = [whiskers(cell for *_, cell in cells), left_out(table, made["variant"], "no score")]
    means = [column.name for column in table.columns if column.kind == "mean"]
    names = short_titles(table) | {"means": " ".join(means)}
    return Shown(made, table.title, " ".join(filter(None, foot)), names)


def _floor(rows: pd.DataFrame) -> float:
    """Where bars start: 0, a tens below all whiskers if those lie high, or below 0 if a score does."""
    low = float(rows["low"].fillna(rows["score"]).min())
    if low >= FLOOR_ABOVE:
        return math.floor((low - 2) / 10) * 10
    return 0.0 if float(rows["score"].min()) >= 0 else math.floor(low / 10) * 10


def _bar(ax: Axes, rows: pd.DataFrame, at: Sequence[float], size: float, upright: bool, look: Look) -> None:
    (ax.bar if upright else ax.barh)(at, list(rows["score"]), size, **look.bar)
    for place, row in zip(at, rows.itertuples(), strict=True):
        # So that a score of 0 is seen.
        ends = [place - size / 2, place + size / 2], [row.score] * 2
        ax.plot(*(ends if upright else ends[::-1]), color=look.colour, linewidth=1, solid_capstyle="butt")
        if row.low < row.high:
            point, name = ((place, row.score), "yerr") if upright else ((row.score, place), "xerr")
            reach = {name: [[row.score - row.low], [row.high - row.score]]}
            cap = min(1.5, size * 4)
            ax.errorbar(*point, **reach, color=style.INK, linewidth=0.5, capsize=cap, capthick=0.5)


def _grouped(shown: Shown, look: Style) -> Figure:
    """Tasks along the axis, a bar for each row: for few rows."""
    rows = shown.frame
    tasks, labels = list(dict.fromkeys(rows["task"])), list(dict.fromkeys(rows["variant"]))
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    width = look.column if len(tasks) * len(labels) <= NARROW_BARS else look.page
    titles = [shown.names[task] for task in tasks]
    slot = (width - 0.6) / (len(tasks) + 0.5)
    heads = head_lines(titles, slot - 0.05, style.SMALL)
    widest = max(width_of(title, style.SMALL) for title in titles)
    under = (max(map(len, heads)) * line_height(style.SMALL) if heads else widest) + 0.1
    body = 1.7 + under
    sheet = Sheet(width, body, shown.title, shown.foot, [(name, looks[name], "patch") for name in labels])
    ax = sheet.axes(0.5, under, width - 0.58, 1.65)
    means = set(shown.names["means"].split())
    place = {task: at + (0.3 if task in means else 0.0) for at, task in enumerate(tasks)}
    size = 0.8 / len(labels)
    for nth, name in enumerate(labels):
        own = rows[rows["variant"] == name]
        at = [place[task] + (nth - (len(labels) - 1) / 2) * size for task in own["task"]]
        _bar(ax, own, at, size * 0.92, True, looks[name])
    floor = _floor(rows)
    ax.set_ylim(bottom=floor)
    ax.set_xlim(-0.6, max(place.values()) + 0.6)
    ax.set_ylabel("Score (x100)" + (f", axis from {floor:.0f}" if floor > 0 else ""))
    shown_titles = ["\n".join(lines) for lines in heads] if heads else titles
    ax.set_xticks(list(place.values()), shown_titles, rotation=0 if heads else 90)
    ax.tick_params(axis="x", length=0)
    return sheet.figure


def _panels(shown: Shown, look: Style) -> Figure:
    """A panel for each task with the rows' names at the side: for many rows."""
    rows = shown.frame
    tasks, labels = list(dict.fromkeys(rows["task"])), list(dict.fromkeys(rows["variant"]))
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    side = min(max(width_of(label, style.SMALL) for label in labels), 0.36 * look.page) + 0.1
    names = ["\n".join(fold(label, side - 0.1, style.SMALL)) for label in labels]
    step = max(name.count("\n") + 1 for name in names) * line_height(style.SMALL) + 0.02
    across = min(len(tasks), PANELS_A_LINE)
    lines = math.ceil(len(tasks) / across)
    tall = step * len(labels)
    body = lines * (tall + 0.5)
    foot = " ".join(filter(None, ["Scores x100; axes need not start at 0.", shown.foot]))
    sheet = Sheet(look.page, body, shown.title, foot)
    width = (look.page - side - 0.1) / across
    means = set(shown.names["means"].split())
    for nth, task in enumerate(tasks):
        line, at = divmod(nth, across)
        ax = sheet.axes(side + at * width, (lines - 1 - line) * (tall + 0.5) + 0.22, width - 0.14, tall)
        own = rows[rows["task"] == task]
        for label in own["variant"]:
            _bar(ax, own[own["variant"] == label], [labels.index(label)], 0.75, False, looks[label])
        ax.set_ylim(len(labels) - 0.4, -0.6)
        ax.set_yticks(range(len(labels)), names if at == 0 else [""] * len(labels))
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(2, integer=True))
        ax.set_xlim(left=_floor(own))
        ax.set_title("\n".join(fold(shown.names[task], width - 0.1, style.FONT)), pad=2)
        if task in means:
            ax.title.set_fontweight("bold")
    return sheet.figure


def draw(shown: Shown, look: Style) -> Figure:
    """Bars of `frame`: side by side for few rows, a panel a task for many."""
    pairs = set(zip(shown.frame["variant"], shown.frame["method"], strict=True))
    alike = Counter(method for _, method in pairs).most_common(1)[0][1]
    grouped = len(pairs) <= MOST_GROUPED and alike <= len(style.FILLS)
    return (_grouped if grouped else _panels)(shown, look)
