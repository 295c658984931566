"""Predictions -> the task's metrics and what became of each row.

Items are stored as Parquet: typed, compressed, one file a run of a few kB, and read by pandas, DuckDB or
Arrow without this project, which a NumPy archive is not.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.metrics import measure
from tasks.spec import Task

NO_CLASS = -1
UNREAD = -1.0
"""The value of a generated text that says none"""


@dataclass(frozen=True)
class Scored:
    """Scores in the metrics' own units, and one entry a row, in the order of the rows."""

    scores: dict[str, float | None]
    predictions: list[int] | list[float] | list[str | None]
    """Class or option indices (NO_CLASS where the logits were not finite), values, or what the first rule read."""
    correct: list[bool] | list[float]
    """Whether it is right by the first metric; for a regression the absolute error, NaN where it is not finite."""
    more: dict[str, list[Any]] = field(default_factory=dict)
    """Further columns: the generated text, what other metrics hold for right."""


def largest_class(task: Task, rows: Iterable[Mapping[str, Any]]) -> float | None:
    """What always giving the commonest answer to these rows would score: its share; None for what is not classified."""
    if task.kind not in {"classify", "image"}:
        return None
    counts = Counter(row["label"] for row in rows)
    return max(counts.values()) / counts.total()


def score(task: Task, predictions: np.ndarray, labels: np.ndarray, parts: list[str] | None = None) -> Scored:
    """Scores logits of shape (rows, classes), or values of shape (rows,) or (rows, 1), against labels (rows,).

    With `parts` each metric is also given for each part, as accuracy_matched. Where a row's
    predictions are not finite, all scores that it enters are None. Raises ValueError if the shapes do not fit.
    """
    classes = len(task.labels) or 1
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


def score_texts(task: Task, texts: Sequence[str], gold: Sequence[str], parts: Sequence[str] | None = None) -> Scored:
    """Scores generated texts by each of the task's rules: the share of rows whose answer it reads and finds the same."""
    read = {metric: [rule.find(text) for text in texts] for metric, rule in task.rules.items()}
    right = {
        metric: [
            answer is not None and rule.same(answer, wanted) for answer, wanted in zip(read[metric], gold, strict=True)
        ]
        for metric, rule in task.rules.items()
    }
    more = {"text": list(texts)} | {metric: right[metric] for metric in list(right)[1:]}
    return Scored(_shares(task, right, parts), read[task.metric], right[task.metric], more)


def score_numbers(task: Task, texts: Sequence[str], gold: Sequence[str], parts: Sequence[str] | None = None) -> Scored:
    """Scores generated texts as the classes or values that they say (`task.number`), as T5 is scored on GLUE. Where a
    text says none: of values UNREAD counts; of classes none is right, and for F1 it counts as the wrong one of the two.
    `answered`: the share of texts that say one."""
    said = [task.number(text) for text in texts]  # type: ignore[misc]
    wanted = np.array([task.number(text) for text in gold], dtype=np.float64)  # type: ignore[misc]
    answered = np.array([value is not None for value in said])
    chosen: np.ndarray
    labels: np.ndarray
    if task.labels:
        chosen = np.array([NO_CLASS if value is None else int(value) for value in said])
        labels = wanted.astype(np.int64)
        predictions: list[Any] = [text.strip() for text in texts]
        correct = chosen == labels
    else:
        chosen = np.array([UNREAD if value is None else value for value in said], dtype=np.float64)
        labels, predictions = wanted, chosen.tolist()
        correct = np.abs(chosen - labels)
    groups = {"": np.full(len(texts), True)}
    groups |= {f"_{part}": np.array(parts) == part for part in dict.fromkeys(parts or ())}
    scores: dict[str, float | None] = {}
    for suffix, inside in groups.items():
        for name in task.metrics:
            against = np.where(chosen == NO_CLASS, 1 - labels, chosen) if name == "f1" else chosen
            scores[name + suffix] = measure(name, against[inside], labels[inside])
        scores["answered" + suffix] = float(answered[inside].mean())
    return Scored(scores, predictions, correct.tolist(), {"text": list(texts)})


def score_choices(
    task: Task,
    likelihoods: np.ndarray,
    characters: np.ndarray,
    owner: np.ndarray,
    labels: np.ndarray,
    parts: Sequence[str] | None = None,
) -> Scored:
    """`acc`: the option of the highest log-likelihood is the right one; `acc_norm`: after division by its length in
    characters. Both as lm-evaluation-harness defines them. `likelihoods`, `characters`, `owner`: (options of all rows,)."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    groups = list(zip(starts, [*starts[1:], len(owner)], strict=True))
    values = {"acc": likelihoods, "acc_norm": likelihoods / np.maximum(characters, 1)}
    chosen = {metric: [int(values[metric][a:b].argmax()) for a, b in groups] for metric in task.metrics}
    right = {
        metric: [bool(answer == label) for answer, label in zip(chosen[metric], labels, strict=True)]
        for metric in chosen
    }
    more: dict[str, list[Any]] = {metric: right[metric] for metric in list(right)[1:]}
    return Scored(_shares(task, right, parts), chosen[task.metric], right[task.metric], more)


def _shares(task: Task, right: dict[str, list[bool]], parts: Sequence[str] | None) -> dict[str, float | None]:
    """Each metric's share of right rows, and each part's; of a joint task the flat mean over its members."""
    scores: dict[str, float | None] = {}
    for metric, rows in right.items():
        by_part = {
            part: [r for r, p in zip(rows, parts or (), strict=True) if p == part]
            for part in dict.fromkeys(parts or ())
        }
        shares = {part: sum(found) / len(found) for part, found in by_part.items()}
        whole = list(shares.values()) if task.members else rows
        scores[metric] = sum(whole) / len(whole) if whole else None
        scores |= {f"{metric}_{part}": share for part, share in shares.items()}
    return scores


def write_items(path: Path, scored: Scored) -> None:
    """Writes columns `prediction` and `correct` (or `error`) and what more there is, a row an item, whole or not at all."""
    if scored.correct and isinstance(scored.correct[0], bool):
        kind = pa.string() if scored.more.get("text") is not None else pa.int16()
        columns = {"prediction": pa.array(scored.predictions, kind), "correct": pa.array(scored.correct)}
        columns |= {name: pa.array(values) for name, values in scored.more.items()}
    else:
        columns = {
            "prediction": pa.array(scored.predictions, pa.float32()),
            "error": pa.array(scored.correct, pa.float32()),
        }
        columns |= {name: pa.array(values) for name, values in scored.more.items()}
    _write(path, pa.table(columns))


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows of the same names, whole or not at all."""
    _write(path, pa.Table.from_pylist(list(rows)))


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the move cannot cross a file system.
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_items(path: Path) -> tuple[list[Any], list[bool] | list[float]]:
    """(predictions, correct) as `write_items` wrote them, values to single precision.

    Raises FileNotFoundError, or pyarrow.ArrowInvalid if the file is not Parquet.
    """
    columns = pq.read_table(path).to_pydict()
    return columns["prediction"], columns["correct" if "correct" in columns else "error"]
