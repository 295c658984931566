"""Do the made suites separate methods? Simple baselines beside what runs of the harness reached.

    peftbench run --methods last-layer,lora,full-ft --tasks glue --epochs 3 --out runs
    python benchmarks/mini_suites.py glue-mini --results runs --page results/reference/glue-mini.md

Majority: the most frequent training label or answer (the mean, for a regression). Words: a linear model over counts
of words and word pairs (for options: of the question with each option). Pixels: logistic regression over grey pixels at 16 x 16.
The other columns are the records' own scores, mean and sd over seeds; `--page` gets the table between its markers.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from _page import put_table
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from harness.metrics import measure
from harness.record import RunRecord
from harness.store import Store
from tasks import get, suite
from tasks.sources import open_rows
from tasks.spec import Row, Task

WORDS = {"ngram_range": (1, 2), "token_pattern": r"[^\s.,?!]+|[?]"}


def majority(task: Task, train: Sequence[Row], asked: Sequence[Row]) -> float | None:
    """Score x100 of one answer for all; of a correlation, which is then undefined, 0."""
    if task.kind == "regress":
        return 0.0
    field = "answer" if task.kind == "generate" else "label"
    usual = Counter(row[field] for row in train).most_common(1)[0][0]
    if task.kind == "generate":
        return 100 * fmean(row[field] == usual for row in asked)
    return 100 * (measure(task.metric, [usual] * len(asked), [row[field] for row in asked]) or 0.0)


def words(task: Task, train: Sequence[Row], asked: Sequence[Row]) -> float | None:
    """Score x100 of a linear model over words; None for a task that has neither labels nor options."""
    if task.kind in {"classify", "regress"}:
        linear = LogisticRegression(max_iter=2000) if task.labels else Ridge(alpha=10.0)
        model = make_pipeline(CountVectorizer(**WORDS), linear)
        texts = [[" ".join(row[field] for field in task.fields) for row in rows] for rows in (train, asked)]
        model.fit(texts[0], [row["label"] for row in train])
        return 100 * (measure(task.metric, model.predict(texts[1]).tolist(), [row["label"] for row in asked]) or 0.0)
    if "options" not in train[0]:
        return None
    pairs = [
        (f"{row['question']} {option}", i == row["label"]) for row in train for i, option in enumerate(row["options"])
    ]
    model = make_pipeline(CountVectorizer(**WORDS), LogisticRegression(max_iter=2000))
    model.fit([text for text, _ in pairs], [right for _, right in pairs])
    found = [
        model.decision_function([f"{row['question']} {option}" for option in row["options"]]).argmax() for row in asked
    ]
    return 100 * fmean(int(at) == row["label"] for at, row in zip(found, asked, strict=True))


def pixels(train: Sequence[Row], asked: Sequence[Row]) -> float:
    """Accuracy x100 of logistic regression over grey pixels at 16 x 16."""
    from harness.images import open_pictures

    table = [open_pictures(rows, 16, "none", 1) for rows in (train, asked)]
    values = [found.pixels.mean(axis=1).reshape(len(found), -1) / 255 for found in table]
    model = LogisticRegression(max_iter=1000).fit(values[0], table[0].labels)
    return 100 * float(np.mean(model.predict(values[1]) == table[1].labels))


def reached(records: Sequence[RunRecord], method: str, task: str, score: str) -> str:
    """Mean and sd over seeds, x100; `task` may be a member of a joint task."""
    found = []
    for record in records:
        if record.status != "done" or record.spec.method != method:
            continue
        name = f"{score}{record.metric}"
        value = record.scores.get(name if record.spec.task == task else f"{name}_{task}")
        found += [100 * value] if value is not None else []
    if not found:
        return ""
    return f"{fmean(found):.1f}" + (f" ± {stdev(found):.1f}" if len(found) > 1 else "")


def table(names: Sequence[str], records: Sequence[RunRecord]) -> str:
    """Markdown: a line a task, or a member of a joint task."""
    methods = list(dict.fromkeys(record.spec.method for record in records))
    before = any(score.startswith("before_") for record in records for score in record.scores)
    kind = get(names[0]).kind
    simple = "pixels" if kind == "image" else "words"
    heads = ["task", "majority", simple, *(["untrained"] if before else []), *methods]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for name in names:
        task = get(name)
        source = open_rows(task, None)
        train, asked = source.rows("train"), source.rows("eval")
        most = majority(task, train, asked)
        plain = pixels(train, asked) if kind == "image" else words(task, train, asked)
        cells = ["" if value is None else f"{value:.1f}" for value in (most, plain)]
        if before:
            cells.append(reached(records, methods[0], name, "before_"))
        cells += [reached(records, method, name, "") for method in methods]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    names = [member for name in suite(options.suite).tasks for member in (get(name).members or (name,))]
    records = [record for record in Store(options.results).records() if record.spec.suite == options.suite]
    found = table(names, records)
    print(found)
    if options.page:
        put_table(options.page, found)


if __name__ == "__main__":
    main()
