"""What a leaderboard is made of: plain values, from which text, markdown, CSV and figures are made."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from harness.report.setting import Setting

Kind = Literal["task", "mean", "also", "count", "bytes", "rate", "seconds", "cost", "index", "mark"]
"""also: a score beside the main one, which neither ranks nor enters a mean; cost: any other one, shown in the unit that
its title ends in; index: made of scores and costs; mark: text"""

Join = Literal["mean", "sum", "highest"]
WHOLE = ("train_seconds", "epoch_eval_seconds", "eval_seconds", "setup_seconds", "wall_seconds")
"""Costs of a whole run."""


@dataclass(frozen=True)
class Column:
    """`name` identifies it (a task, or a field of a record), `title` is what a reader sees."""

    name: str
    title: str
    kind: Kind
    target: float | None = None
    """seconds: the score x100 that the time was taken to"""
    scale: float = 1.0
    """cost: what a value is divided by to be shown in the title's unit"""

    @property
    def over_tasks(self) -> Join:
        """How a cost is joined: rates and single steps by their mean, a whole run's time and energy by their sum."""
        if self.kind in {"count", "bytes", "seconds"} or self.name.endswith("_bytes"):
            return "highest"
        return "sum" if self.name in WHOLE or self.name.endswith("_joules") else "mean"

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
    text: str = ""
    """mark: what is shown"""

    @classmethod
    def of(cls, values: Sequence[float], partial: bool = False) -> Cell:
        """Of one score a seed. Sums of squares in floating point: exact fractions take a while for thousands of cells."""
        if not values:
            return cls()
        mean = fmean(values)
        squares = math.fsum((value - mean) ** 2 for value in values)
        return cls(mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else None, len(values), partial)


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

    @property
    def short_label(self) -> str:
        """The label without its source, to which its mark in brackets leads."""
        return re.sub(r" \(published: .*\)", "", self.label)


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
