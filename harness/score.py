"""Predictions -> the task's metrics and what became of each row.

Items are stored as Parquet: typed, compressed, one file a run of a few kB, and read by pandas, DuckDB or
Arrow without this project, which a NumPy archive is not.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.metrics import measure
from tasks.spec import Task

NO_CLASS = -1


@dataclass(frozen=True)
class Scored:
    """Scores in the metrics' own units, and one entry a row, in the order of the rows."""

    scores: dict[str, float | None]
    predictions: list[int] | list[float]
    """Class indices (NO_CLASS where the logits were not finite), or values."""
    correct: list[bool] | list[float]
    """Whether the class is right; for a regression the absolute error, NaN where the value is not finite."""


def score(task: Task, predictions: np.ndarray, labels: np.ndarray, parts: list[str] | None = None) -> Scored:
    """Scores logits of shape (rows, classes), or values of shape (rows,) or (rows, 1), against labels (rows,).

    With `parts` each metric is also given for each part, as accuracy_matched. Where a row's
    predictions are not finite, all scores that it enters are None. Raises ValueError if the shapes do not fit.
    """
    classes = 1 if task.kind == "regress" else len(task.labels)
    table = np.asarray(predictions, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.shape != (len(labels), classes):
        raise ValueError(f"{task.name}: predictions of shape {table.shape} for {len(labels)} rows, {classes} classes")
    finite = np.isfinite(table).all(axis=1)
    if task.kind == "regress":
        chosen = table[:, 0]
        correct = np.where(finite, np.abs(chosen - labels), np.nan)
    else:
        chosen = np.where(finite, table.argmax(axis=1), NO_CLASS)
        correct = chosen == labels
    scores = _scores(task, chosen, labels, finite, "")
    for part in dict.fromkeys(parts or ()):
        inside = np.array(parts) == part
        scores |= _scores(task, chosen[inside], labels[inside], finite[inside], f"_{part}")
    return Scored(scores, chosen.tolist(), correct.tolist())


def _scores(
    task: Task, chosen: np.ndarray, labels: np.ndarray, finite: np.ndarray, suffix: str
) -> dict[str, float | None]:
    return {name + suffix: measure(name, chosen, labels) if finite.all() else None for name in task.metrics}


def write_items(path: Path, scored: Scored) -> None:
    """Writes columns `prediction` and `correct` (or `error`), a row an item, whole or not at all."""
    if scored.correct and isinstance(scored.correct[0], bool):
        columns = {"prediction": pa.array(scored.predictions, pa.int16()), "correct": pa.array(scored.correct)}
    else:
        columns = {
            "prediction": pa.array(scored.predictions, pa.float32()),
            "error": pa.array(scored.correct, pa.float32()),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the move cannot cross a file system.
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            pq.write_table(pa.table(columns), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_items(path: Path) -> tuple[list[int] | list[float], list[bool] | list[float]]:
    """(predictions, correct) as `write_items` wrote them, values to single precision.

    Raises FileNotFoundError, or pyarrow.ArrowInvalid if the file is not Parquet.
    """
    columns = pq.read_table(path).to_pydict()
    return columns["prediction"], columns["correct" if "correct" in columns else "error"]
