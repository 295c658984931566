"""What a leaderboard is made of: plain values, from which text, markdown, CSV and figures are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.report.setting import Setting

Kind = Literal["task", "mean", "also", "count", "bytes", "rate", "seconds"]
"""also: a score beside the main one, which neither ranks nor enters a mean"""


@dataclass(frozen=True)
class Column:
    """`name` identifies it (a task, or a field of a record), `title` is what a reader sees."""

    name: str
    title: str
    kind: Kind
    target: float | None = None
    """seconds: the score x100 that the time was taken to"""

    @property
    def is_points(self) -> bool:
        return self.is_score or self.kind == "also"

    @property
    def is_score(self) -> bool:
        return self.kind in {"task", "mean"}


@dataclass(frozen=True)
class Cell:
    """Scores are x100; costs in the unit that their column's name ends in."""

    value: float | None = None
    sd: float | None = None
    """Over seeds, with n - 1; None for fewer than two."""
    n: int = 0
    """Seeds, or runs for a cost."""
    partial: bool = False
    """Stands on fewer seeds or tasks than the table's other cells."""


@dataclass(frozen=True)
class Row:
    label: str
    method: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class PublishedRow:
    """A row as its source prints it: never ranked, never averaged with measured ones."""

    label: str
    method: str
    """Empty where it is not registered here."""
    model: str
    parameters: str
    protocol: str
    source: str
    url: str
    cells: tuple[Cell, ...]
    texts: tuple[str, ...]
    """The cells as printed, with the spread; empty where the source has no number."""


@dataclass(frozen=True)
class Table:
    """Everything in it was measured under one setting."""

    setting: Setting
    title: str
    caption: str
    """What the columns mean."""
    notes: tuple[str, ...]
    """What is missing, and why."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    seeds: int
    """The most seeds of any cell."""
    load: str
    """Batch and length, without which a speed means nothing; empty if not recorded."""
    machines: str
    """The hardware of the runs that were measured; empty if not recorded."""
    published: tuple[PublishedRow, ...] = ()

    def cell(self, row: Row, column: Column) -> Cell:
        return row.cells[self.columns.index(column)]

    @property
    def summary(self) -> Column | None:
        """The column that ranks: the average, else the only task; None if tasks have nothing that joins them."""
        scores = [column for column in self.columns if column.is_score]
        means = [column for column in scores if column.kind == "mean"]
        return means[0] if means else scores[0] if len(scores) == 1 else None
