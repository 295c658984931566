"""A leaderboard as its page shows it: cells with links, intervals and causes; and the plot's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import methods
from harness.foreign import IMPORTED
from harness.record import RunRecord, canonical_json
from harness.report.cells import Cell, Column, PublishedRow
from harness.report.render import cell_text, places, short_titles
from harness.report.setting import reach_words, words
from harness.report.site.costs import COSTS, shown
from harness.report.site.form import finite, points
from harness.report.site.gather import COSTS_PLACE, Board, Line, cause, interval
from harness.report.site.names import run_page
from harness.report.style import COLOURS, MARKERS, looks

FILLS = ("full", "open", "grey")
FOREST_WIDTH, FOREST_EDGE = 84.0, 4.0


@dataclass(frozen=True)
class Forest:
    """A score and its interval on the column's common scale, in pixels."""

    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Shown:
    """A cell as it is written."""

    column: Column
    text: str
    spread: str = ""
    interval: str = ""
    sort: float | None = None
    href: str = ""
    place: int = 0
    """1 for the best of its column, 2 for the next"""
    partial: bool = False
    why: str = ""
    """What is missing, and why; what the figure stands on otherwise."""
    forest: Forest | None = None


@dataclass(frozen=True)
class ShownRow:
    line: Line
    family: str
    tuned: str
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class ShownBoard:
    board: Board
    heads: tuple[tuple[Column, str, str], ...]
    """(column, title, direction of its first sorting)"""
    rows: tuple[ShownRow, ...]
    families: tuple[str, ...]
    tunings: tuple[str, ...]
    """the ways in which rows were tuned; a column says which, if there are several"""
    printed: tuple[tuple[PublishedRow, tuple[str, ...]], ...]
    """Published rows with their texts in the order of `heads`."""
    sorted_by: str
    """name of the column that the rows come sorted by"""
    plot: dict[str, Any]

    @property
    def is_imported(self) -> bool:
        return self.board.table.setting.preset == IMPORTED

    @property
    def has_spread(self) -> bool:
        return any(cell.spread for row in self.rows for cell in row.cells)

    @property
    def has_plot(self) -> bool:
        """Whether two rows or more have a score and a cost."""
        rows = self.plot["rows"]
        return sum(any(row["scores"].values()) and any(row["costs"].values()) for row in rows) > 1

    @property
    def missing(self) -> list[tuple[ShownRow, Shown]]:
        """The cells of tasks that have no score, or stand on fewer seeds than others."""
        return [
            (row, cell)
            for row in self.rows
            for cell in row.cells
            if cell.column.kind == "task" and (cell.sort is None or cell.partial)
        ]


def interval_text(cell: Cell) -> str:
    """`[55.9, 58.9]`, or why there is none."""
    if found := interval(cell):
        return f"[{points(found.low)}, {points(found.high)}]"
    if cell.value is None:
        return ""
    return "one seed" if cell.n == 1 else "no spread" if cell.sd is not None else "seeds differ"


def forests(cells: Sequence[Cell]) -> list[Forest | None]:
    """On one scale, which the values decide; intervals may be cut at its ends, so that one of two seeds hides nobody.
    None where there is nothing to compare."""
    values = [cell.value for cell in cells if cell.value is not None]
    if len(values) < 2:
        return [None] * len(cells)
    found = [interval(cell) for cell in cells]
    room = max(max(values) - min(values), 1.0)
    low = max(min([*values, *(one.low for one in found if one)]), min(values) - room)
    high = min(max([*values, *(one.high for one in found if one)]), max(values) + room)
    span = (high - low) or 1.0

    def pixel(value: float) -> float:
        share = (min(max(value, low), high) - low) / span
        return round(FOREST_EDGE + share * (FOREST_WIDTH - 2 * FOREST_EDGE), 1)

    return [
        None if cell.value is None
        else Forest(pixel(cell.value), pixel(one.low) if one else None, pixel(one.high) if one else None)
        for cell, one in zip(cells, found, strict=True)
    ]  # fmt: skip


def tuned(records: Sequence[RunRecord]) -> str:
    """How the settings of these runs were chosen."""
    if any(record.spec.preset == IMPORTED for record in records):
        return "not recorded"
    ways = {canonical_json(record.spec.tuning): record.spec.tuning for record in records}
    return "; ".join(_way(ways[text]) for text in sorted(ways))


def _way(tuning: Any) -> str:
    if not tuning:
        return "not tuned"
    knobs = ", with the method's own settings" if tuning.get("knobs") else ""
    reach = f", rates {reach_words(tuning['reach'])} the declared" if tuning.get("reach") else ""
    seeds = f", each by the mean of {words(tuning['seeds'])} runs" if tuning.get("seeds") else ""
    return f"{tuning.get('trials')} trials ({tuning.get('sampler') or 'sampler not recorded'}){knobs}{reach}{seeds}"


def _score_cell(board: Board, line: Line, column: Column, cell: Cell, place: int, forest: Forest | None) -> Shown:
    task = board.task_of(column) if column.kind in {"task", "also"} else ""
    runs = line.by_task.get(task, []) if task else line.records
    why, key = cause([r for r in runs if board.score_of(column, r) is None] if task else _without_score(runs))
    if cell.value is None:
        href = run_page(key) if key else line.href() if runs else ""
        return Shown(column, "·", href=href, why=why if task else "a task has no score")
    stands = f"{cell.n} seed{'' if cell.n == 1 else 's'}"
    lacks = f"; fewer than others ({why})" if cell.partial else ""
    return Shown(
        column,
        points(cell.value),
        "" if cell.sd is None else f"±{cell.sd:.1f}",
        interval_text(cell),
        cell.value,
        line.href(task if task in line.by_task else ""),
        place,
        cell.partial,
        stands + lacks,
        forest,
    )


def _without_score(runs: Sequence[RunRecord]) -> list[RunRecord]:
    return [record for record in runs if record.status != "done" or record.score is None]


def _cell(board: Board, line: Line, column: Column, place: int, forest: Forest | None) -> Shown:
    cell = board.table.cell(line.row, column)
    if column.is_points:
        return _score_cell(board, line, column, cell, place, forest)
    if column.kind == "mark":
        return Shown(column, cell.text, sort=None)
    text = cell_text(cell, column.kind, column.scale).strip("*·")
    exact = "" if cell.value is None else f"{cell.value:,.0f}" if column.kind == "count" else f"{cell.value:,.6g}"
    href = f"{line.href()}{COSTS_PLACE}" if cell.value is not None else ""
    return Shown(column, text or "–", sort=cell.value, href=href, partial=cell.partial, why=exact or "not measured")


def family(method: str) -> str:
    entry = methods.entries().get(method)
    return entry.family if entry else ""


def _first(column: Column) -> str:
    return "descending" if column.is_points or column.kind == "rate" else "ascending"


def marks(names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Method -> (colour, marker) of its points: those of a set of figures of these methods."""
    found = looks([(name, name) for name in sorted(set(names))])
    return {name: (COLOURS.index(look["color"]), MARKERS.index(look["marker"])) for name, look in found.items()}


def show(board: Board, marks_of: Mapping[str, tuple[int, int]]) -> ShownBoard:
    """Everything that the board's section of the index needs. `marks_of`: see `marks`."""
    table = board.table
    summary = table.summary
    places_of = {column.name: places(table, column) for column in table.columns}
    plots = forests([table.cell(line.row, summary) for line in board.lines]) if summary else []
    # The page scrolls sideways where a terminal folds: what sums up comes first.
    columns = sorted(table.columns, key=lambda column: (column.kind != "mean", column.kind != "mark"))
    rows = []
    for at, line in enumerate(board.lines):
        cells = tuple(
            _cell(board, line, column, places_of[column.name][at], plots[at] if column == summary else None)
            for column in columns
        )
        rows.append(ShownRow(line, family(line.row.method), tuned(line.records), cells))
    titles = short_titles(table)
    return ShownBoard(
        board=board,
        heads=tuple((column, titles[column.name], _first(column)) for column in columns),
        rows=tuple(rows),
        families=tuple(sorted({row.family for row in rows if row.family})),
        tunings=tuple(dict.fromkeys(row.tuned for row in rows)),
        printed=tuple(
            (one, tuple(one.texts[table.columns.index(column)] for column in columns)) for one in table.published
        ),
        sorted_by=summary.name if summary else "",
        plot=plot(board, titles, marks_of),
    )


def plot(board: Board, titles: Mapping[str, str], marks_of: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """The data of the Pareto plot: scores that the vertical axis may show, costs, a row a point. Plain JSON."""
    table = board.table
    scores = [column for column in table.columns if column.is_score]
    if table.summary:
        scores.sort(key=lambda column: column != table.summary)
    labels: dict[str, list[str]] = {}
    for line in sorted(board.lines, key=lambda line: line.row.label):
        labels.setdefault(line.row.method, []).append(line.row.label)
    costs = [cost for cost in COSTS if any(shown(board, line, cost) for line in board.lines)]
    rows = []
    for line in board.lines:
        colour, marker = marks_of[line.row.method]
        nth = labels[line.row.method].index(line.row.label)
        rows.append({
            "id": line.anchor, "label": line.row.label, "href": line.href(),
            "colour": colour, "marker": marker, "fill": FILLS[nth % len(FILLS)],
            "scores": {column.name: _point(table.cell(line.row, column)) for column in scores},
            "costs": {cost.name: shown(board, line, cost) for cost in costs},
        })  # fmt: skip
    machines = {name for name in table.machines.split("; ") if name}
    found = {
        "scores": [
            {"name": c.name, "title": titles[c.name], "task": board.task_of(c) if c.kind == "task" else ""}
            for c in scores
        ],
        "costs": [
            {"name": c.name, "title": c.title, "up": c.more_is_better, "scale": c.scale, "log": c.is_parameter,
             "mixed": c.of_machine and len(machines) > 1}
            for c in costs
        ],
        "rows": rows,
    }  # fmt: skip
    return finite(found)


def _point(cell: Cell) -> list[float | int | None] | None:
    """[value, low, high, seeds]"""
    if cell.value is None:
        return None
    found = interval(cell)
    return [cell.value, found.low if found else None, found.high if found else None, cell.n]
