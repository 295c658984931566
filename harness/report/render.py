"""A leaderboard as text for a terminal of any width and as markdown."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.cells import Cell, Column, Kind, Table
from harness.report.flat import render_csv as render_csv

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

MISSING, FEWER = "·", "*"
DECIMALS = 1
POINTS = {"task", "mean", "also"}
SUFFIXES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
LIKELIHOOD = "-likelihood"
LABEL_SHARE = 3
"""In a narrow terminal the method's name may take one part in so many of the width before it is folded."""


def short_number(value: float) -> str:
    """Three figures and a suffix: 294912 -> 295k."""
    for size, suffix in SUFFIXES:
        # From here on three figures round up to one of this size.
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.0f}"


def figures(value: float) -> str:
    """At least three figures, never an exponent: 0.0123, 1.23, 1,234."""
    if not value or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}"


def cell_text(cell: Cell, kind: Kind, scale: float = 1.0) -> str:
    """`scale`: the column's, where the kind is cost."""
    if kind == "mark":
        return cell.text
    if cell.value is None:
        return MISSING
    mark = FEWER if cell.partial else ""
    if kind in POINTS:
        spread = "" if cell.sd is None else f"±{cell.sd:.{DECIMALS}f}"
        return f"{cell.value:.{DECIMALS}f}{spread}{mark}"
    if kind == "bytes":
        return f"{cell.value / 1e9:.2f}{mark}"
    if kind == "seconds":
        return f"{cell.value:,.1f}{mark}"
    if kind == "cost":
        return figures(cell.value / scale) + mark
    if kind == "index":
        return f"{cell.value:.2f}{mark}"
    return (short_number(cell.value) if kind == "count" else f"{cell.value:,.0f}") + mark


def places(table: Table, column: Column) -> list[int]:
    """1 for each row with the column's best score, 2 for the next, as shown; 0 for the others and for costs."""
    if not column.is_score or len(table.rows) < 2:
        return [0] * len(table.rows)
    shown = [None if (v := table.cell(row, column).value) is None else round(v, DECIMALS) for row in table.rows]
    best = sorted({value for value in shown if value is not None}, reverse=True)[:2]
    return [best.index(value) + 1 if value in best else 0 for value in shown]


def short_titles(table: Table) -> dict[str, str]:
    """Task names without the suite's name in front and the preset's and the likelihood protocol's at the end, which the
    title line gives."""
    preset, suite = f"-{table.setting.preset}", table.setting.suite
    front = suite.removesuffix(preset) + "-"
    tasks = [column.name for column in table.columns if column.kind == "task"]
    front = front if all(name.startswith(front) for name in tasks) else ""
    endings = (f"{preset}{LIKELIHOOD}", LIKELIHOOD, preset)
    ending = next((one for one in endings if all(name.endswith(one) for name in tasks)), "")
    return {c.name: _short(c, front, ending) for c in table.columns}


def _short(column: Column, front: str, ending: str) -> str:
    """Of "rte-mini untrained" the task's name is the first word."""
    if column.kind not in {"task", "also"}:
        return column.title
    name, space, rest = column.title.partition(" ")
    return name.removeprefix(front).removesuffix(ending) + space + rest


def _label_width(table: Table, width: int) -> int:
    longest = max((len(row.label) for row in (*table.rows, *table.published)), default=0)
    return max(6, min(longest, max(width // LABEL_SHARE, 12)))


def _grid(table: Table, columns: Sequence[Column], width: int) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    titles = short_titles(table)
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    grid.add_column("Method", overflow="fold", max_width=_label_width(table, width))
    styles = ("", "bold", "underline")
    ranks = [places(table, column) for column in columns]
    for column in columns:
        words = re.sub(r" (?=GB$)|(?<=Mean) ", "\n", titles[column.name])
        words = words if column.is_points else words.replace(" ", "\n")
        grid.add_column(Text(words), justify="right", vertical="bottom", overflow="fold")
    for at, row in enumerate(table.rows):
        texts = [
            Text(cell_text(table.cell(row, column), column.kind, column.scale), style=styles[rank[at]])
            for column, rank in zip(columns, ranks, strict=True)
        ]
        grid.add_row(Text(row.label), *texts)
    if table.published:
        grid.add_section()
    for printed in table.published:
        shown = [printed.texts[table.columns.index(column)] for column in columns]
        if any(shown):
            grid.add_row(Text(printed.label, style="dim italic"), *(Text(text, style="dim") for text in shown))
    return grid


def _panels(table: Table, console: Console) -> list[RichTable]:
    """As few grids as fit the console's width, one under the other; the tasks after what sums them up."""

    def grid(columns: Sequence[Column]) -> RichTable:
        return _grid(table, columns, console.width)

    def fits(columns: Sequence[Column]) -> bool:
        return console.measure(grid(columns), options=console.options.update(width=10_000)).maximum <= console.width

    if fits(table.columns):
        return [grid(table.columns)]
    panels: list[list[Column]] = []
    for tasks in (False, True):
        current: list[Column] = []
        for column in (c for c in table.columns if (c.kind == "task") == tasks):
            if current and not fits([*current, column]):
                panels.append(current)
                current = []
            current.append(column)
        if current:
            panels.append(current)
    return [grid(columns) for columns in panels]


def print_text(table: Table, console: Console) -> None:
    """Prints title, grid, caption and notes within the console's width."""
    from rich.text import Text

    console.print(Text(table.title, style="bold"))
    for panel in _panels(table, console):
        console.print()
        console.print(panel)
    console.print()
    for text in (*table.notes, table.caption):
        console.print(Text(text, style="dim"))


def render_text(table: Table, width: int) -> str:
    """Plain text, no line longer than `width` columns."""
    from rich.console import Console

    out = io.StringIO()
    print_text(table, Console(file=out, width=width, highlight=False, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def escape(text: str) -> str:
    """Text that markdown shows as it is, inside a table too."""
    return re.sub(r"([\\|`*_<>\[\]~&#])", r"\\\1", " ".join(text.split()))


def render_markdown(table: Table) -> str:
    """A GitHub table under a heading; the best score of a column bold, the second underlined."""
    wraps = ("{}", "**{}**", "<u>{}</u>")
    ranks = [places(table, column) for column in table.columns]
    lines = [
        f"### {escape(table.title)}",
        "",
        "| " + " | ".join(["Method", *(escape(column.title) for column in table.columns)]) + " |",
        "|---" + "|---:" * len(table.columns) + "|",
    ]
    for at, row in enumerate(table.rows):
        texts = [
            wraps[rank[at]].format(cell_text(cell, column.kind, column.scale).replace("*", "\\*"))
            for column, cell, rank in zip(table.columns, row.cells, ranks, strict=True)
        ]
        lines.append("| " + " | ".join([escape(row.label), *texts]) + " |")
    for printed in table.published:
        lines.append("| " + " | ".join([f"*{escape(printed.label)}*", *map(escape, printed.texts)]) + " |")
    lines += ["", *(f"{escape(text)}  " for text in (*table.notes, table.caption))]
    return "\n".join(lines) + "\n"
