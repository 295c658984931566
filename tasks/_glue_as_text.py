"""A GLUE task as text in, text out: `mrpc sentence1: ... sentence2: ...` and the label's index, or the value, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from tasks.spec import Generation, Recipe, Row, Task

MARKS: Mapping[str, Mapping[str, str]] = {"mnli": {"hypothesis": "hypothesis"}}
"""Task -> what stands before a field where that is not its name with a colon"""
LONGEST_ANSWER = 10


def said_class(classes: int, text: str) -> float | None:
    """The index that the text is, white space around it apart."""
    names = [str(index) for index in range(classes)]
    return float(names.index(text.strip())) if text.strip() in names else None


def said_value(text: str) -> float | None:
    """The finite number that the text is."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _classified(row: Row) -> Row:
    return {**row, "answer": str(row["label"])}


def _valued(row: Row) -> Row:
    return {**row, "answer": f"{round(row['label'] * 10) / 10:.1f}"}


def prompt(name: str, fields: tuple[str, ...]) -> str:
    marks = MARKS.get(name, {})
    return " ".join([name, *(f"{marks.get(field, field + ':')} {{{field}}}" for field in fields)])


def as_text(task: Task, name: str, suite: str, protocol: str, version: str, recipes: Mapping[str, Recipe]) -> Task:
    """`task` for an encoder-decoder; `name` is GLUE's (cola ... wnli), which the prompt begins with."""
    graded = task.kind == "regress"
    return replace(
        task,
        name=task.name.replace(name, f"{name}-text", 1),
        suite=suite,
        kind="generate",
        prompt=prompt(name, task.fields),
        target="{answer}",
        generation=Generation(LONGEST_ANSWER),
        number=said_value if graded else partial(said_class, len(task.labels)),
        only_encoder_decoders=True,
        rows_of=task,
        row=_valued if graded else _classified,
        protocol=protocol,
        version=version,
        recipes=recipes,
    )
