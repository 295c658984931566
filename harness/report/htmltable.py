"""Leaderboards as HTML: a fragment for each table, and one page of them that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.report.cells import Cell, Column, PublishedRow, Row, Table
from harness.report.render import MISSING, cell_text, places, short_titles

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; }
h2 { font-size: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.notes { color: color-mix(in srgb, currentColor 75%, transparent); font-size: .85rem; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; }
th:first-child { background: Canvas; left: 0; position: sticky; text-align: left; }
thead th { border-bottom: 1px solid; vertical-align: bottom; }
tbody + tbody tr:first-child > * { border-top: 1px solid; }
tbody th { font-weight: normal; }
.best { font-weight: bold; }
.second { text-decoration: underline; }
.published { font-style: italic; }
.heading th { font-size: .85rem; font-weight: bold; }
"""
CLASSES = ("", "best", "second")


def _tag(name: str, text: str, **attributes: str) -> str:
    given = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{given}>{escape(text)}</{name}>"


def _cell(cell: Cell, column: Column, place: int) -> str:
    text = cell_text(cell, column.kind, column.scale)
    title = "missing" if text == MISSING else f"{cell.n} seeds" if column.is_points and cell.n > 1 else ""
    return _tag("td", text, class_=CLASSES[place], title=title)


def _row(row: Row, table: Table, ranks: Sequence[int]) -> str:
    cells = [_cell(cell, column, rank) for cell, column, rank in zip(row.cells, table.columns, ranks, strict=True)]
    return f"<tr>{_tag('th', row.label, scope='row')}{''.join(cells)}</tr>"


def _published(row: PublishedRow) -> str:
    cells = "".join(_tag("td", text) for text in row.texts)
    head = _tag("th", row.short_label, scope="row", title=f"{row.source}: {row.protocol}")
    return f'<tr class="published">{head}{cells}</tr>'


def render_fragment(table: Table) -> str:
    """A `<section>` with heading, table, notes; the best score of a column has the class `best`, the next `second`."""
    titles = short_titles(table)
    ranks = list(zip(*(places(table, column) for column in table.columns), strict=True)) or [()] * len(table.rows)
    heads = "".join(_tag("th", titles[column.name], scope="col") for column in table.columns)
    lines = [
        f'<section id="{escape(table.setting.slug)}">',
        _tag("h2", table.title),
        '<div class="wide"><table>',
        f"<thead><tr>{_tag('th', 'Method', scope='col')}{heads}</tr></thead>",
        "<tbody>",
        *(_row(row, table, own) for row, own in zip(table.rows, ranks, strict=True)),
        "</tbody>",
    ]
    if table.published:
        heading = _tag("th", "Published", colspan=str(1 + len(table.columns)), scope="rowgroup")
        lines += [f'<tbody><tr class="heading">{heading}</tr>', *map(_published, table.published), "</tbody>"]
    lines += ["</table></div>", _tag("p", table.caption, class_="notes")]
    if table.notes:
        lines.append('<ul class="notes">' + "".join(_tag("li", note) for note in table.notes) + "</ul>")
    return "\n".join([*lines, "</section>"]) + "\n"


def render_page(tables: Sequence[Table]) -> str:
    """One page of all tables, without a script and without anything from elsewhere."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Leaderboard</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "".join(map(render_fragment, tables))
        + "</body>\n</html>\n"
    )
