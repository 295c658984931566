"""Leaderboards -> figures: score against a cost, and scores by task. Each is written with the data that it shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from harness.record import RunRecord, UserError
from harness.report import style
from harness.report.bars import bars, bars_frame
from harness.report.cells import Table
from harness.report.leaderboard import tables
from harness.report.pareto import pareto, pareto_frame
from harness.store import make_folder, replacing

__all__ = ["bars", "bars_frame", "draw", "pareto", "pareto_frame"]

FORMATS = ("pdf", "svg", "png")
PNG_DPI = 300
LACKING = {"trainable": "a parameter count", "memory": "a peak memory", "speed": "a speed"}


def draw(kind: str, records: Iterable[RunRecord], folder: Path, cost: str = "trainable") -> list[Path]:
    """Writes PDF, SVG, PNG and CSV for each setting that has something to show; `kind` is pareto or bars.

    Raises UserError if none has, or if the folder cannot be written to.
    """
    name = f"pareto-{cost}" if kind == "pareto" else "bars"
    paths: list[Path] = []
    for table in tables(records):
        frame = pareto_frame(table, cost) if kind == "pareto" else bars_frame(table)
        if frame.empty:
            continue
        make_folder(folder)
        with matplotlib.rc_context(style.RC):
            figure = pareto(table, frame, cost) if kind == "pareto" else bars(table, frame)
            paths += _write(figure, frame, table, folder / f"{name}-{table.setting.slug}")
    if not paths and kind == "pareto":
        raise UserError(f"No setting has a method with both a score over its tasks and {LACKING[cost]}.")
    if not paths:
        raise UserError("No record has a score.")
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
