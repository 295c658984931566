"""A leaderboard as text for a terminal of any width and as markdown."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.report.cells import Cell, Column, Kind, Table
from harness.report.flat import render_csv as render_csv

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

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
    at = table.columns.index(column)
    shown = [None if (v := row.cells[at].value) is None else round(v, DECIMALS) for row in table.rows]
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


@dataclass(frozen=True)
class _Drawn:
    """A column's texts."""

    is_task: bool
    head: Text
    cells: list[Text]
    printed: list[str]
    """Of the published rows."""

    @cached_property
    def width(self) -> int:
        """The columns of a terminal that it takes on one line a cell."""
        return max(map(_width, (self.head, *self.cells, *self.printed)))


def _width(text: Text | str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, (text if isinstance(text, str) else text.plain).splitlines()), default=0)


def _drawn(table: Table) -> list[_Drawn]:
    from rich.text import Text

    titles = short_titles(table)
    styles = ("", "bold", "underline")
    made = []
    for at, column in enumerate(table.columns):
        words = re.sub(r" (?=GB$)|(?<=Mean) ", "\n", titles[column.name])
        words = words if column.is_points else words.replace(" ", "\n")
        cells = [
            Text(cell_text(row.cells[at], column.kind, column.scale), style=styles[rank])
            for row, rank in zip(table.rows, places(table, column), strict=True)
        ]
        printed = [row.texts[at] for row in table.published]
        made.append(_Drawn(column.kind == "task", Text(words), cells, printed))
    return made


def _grid(table: Table, columns: Sequence[_Drawn], width: int) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    grid.add_column("Method", overflow="fold", max_width=_label_width(table, width))
    for column in columns:
        grid.add_column(column.head, justify="right", vertical="bottom", overflow="fold")
    for at, row in enumerate(table.rows):
        grid.add_row(Text(row.label), *(column.cells[at] for column in columns))
    if table.published:
        grid.add_section()
    for at, published in enumerate(table.published):
        shown = [column.printed[at] for column in columns]
        if any(shown):
            grid.add_row(Text(published.label, style="dim italic"), *(Text(text, style="dim") for text in shown))
    return grid


def _whole_width(table: Table, columns: Sequence[_Drawn], width: int) -> int:
    """What Rich would measure of `_grid` on an endless line; between columns stand a space and a divider."""
    shown = [row.label for at, row in enumerate(table.published) if any(column.printed[at] for column in columns)]
    label = max(map(_width, ("Method", *(row.label for row in table.rows), *shown)))
    return min(label, _label_width(table, width)) + sum(column.width + 2 for column in columns)


def _panels(table: Table, console: Console) -> list[RichTable]:
    """As few grids as fit the console's width, one under the other; the tasks after what sums them up."""
    drawn = _drawn(table)

    def fits(columns: Sequence[_Drawn]) -> bool:
        return _whole_width(table, columns, console.width) <= console.width

    if fits(drawn):
        return [_grid(table, drawn, console.width)]
    panels: list[list[_Drawn]] = []
    for tasks in (False, True):
        current: list[_Drawn] = []
        for column in (c for c in drawn if c.is_task == tasks):
            if current and not fits([*current, column]):
                panels.append(current)
                current = []
            current.append(column)
        if current:
            panels.append(current)
    return [_grid(table, columns, console.width) for columns in panels]


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
