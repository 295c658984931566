"""A leaderboard as plain rows of full precision: CSV, and one data frame of several tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.record import UserError
from harness.report.cells import PublishedRow, Row, Table
from harness.store import make_folder, replacing

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = tuple(f"published_{name}" for name in ("source", "model", "parameters", "protocol", "url"))
FIRST = ("title", "setting", "method", "variant")


def flat(table: Table) -> list[dict[str, Any]]:
    """A dict a row: a score's mean, `<name>_sd` and `<name>_n`; costs in the unit of their name; None where there is none.

    `setting` joins to figures. A table with published rows has five further columns, None in the measured ones. Of their
    spreads only those that their source calls a standard deviation stand under `_sd`.
    """
    rows = []
    every: list[Row | PublishedRow] = [*table.rows, *table.published]
    for row in every:
        values: dict[str, Any] = dict(zip(FIRST, (table.title, table.setting.id, row.method, row.label), strict=True))
        for column, cell in zip(table.columns, row.cells, strict=True):
            values[column.name] = (cell.text or None) if column.kind == "mark" else cell.value
            if column.is_points:
                values[f"{column.name}_sd"] = cell.sd
                values[f"{column.name}_n"] = cell.n if cell.n or isinstance(row, Row) else None
        if table.published:
            values |= {name: getattr(row, name.removeprefix("published_"), None) for name in PUBLISHED}
        rows.append(values)
    return rows


def heads(table: Table) -> list[str]:
    names = [[c.name, f"{c.name}_sd", f"{c.name}_n"] if c.is_points else [c.name] for c in table.columns]
    return [*FIRST, *sum(names, []), *(PUBLISHED if table.published else ())]


def render_csv(table: Table) -> str:
    """The rows of `flat` under a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, heads(table), lineterminator="\n")
    writer.writeheader()
    for row in flat(table):
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
    return out.getvalue()


def frame(tables: Sequence[Table]) -> pd.DataFrame:
    """All rows of all tables; a column that a table lacks is null there. Texts are strings, counts of seeds whole
    numbers, everything else float64, whatever the tables hold."""
    import pandas as pd

    names = list(dict.fromkeys(name for table in tables for name in heads(table)))
    texts = {*FIRST, *PUBLISHED, *(c.name for table in tables for c in table.columns if c.kind == "mark")}
    counts = {f"{c.name}_n" for table in tables for c in table.columns if c.is_points}
    made = pd.DataFrame([row for table in tables for row in flat(table)], columns=names)
    kinds = {name: "string" if name in texts else "Int64" if name in counts else "float64" for name in names}
    return made.astype(kinds)


def write(tables: Sequence[Table], path: Path) -> None:
    """As Parquet or CSV by the path's ending. Raises UserError if it cannot be written."""
    made = frame(tables)
    make_folder(path.parent)
    try:
        with replacing(path) as temporary:
            if path.suffix == ".parquet":
                made.to_parquet(temporary, index=False)
            else:
                made.to_csv(temporary, index=False)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None
