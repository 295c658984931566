"""The contract of a task: what is solved, where its rows come from, how it is scored. Declarations only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

TaskKind = Literal["classify", "regress", "choice", "generate", "image"]
Row = Mapping[str, Any]
"""One example: the task's text fields, `label` (an int class index, or a float), `part` where a split has parts."""
Rows = Sequence[Row]


@dataclass(frozen=True)
class Recipe:
    """How one run trains; every field is part of the run's identity."""

    batch_size: int = 16
    epochs: float = 3.0
    max_steps: int | None = None
    """If given, it replaces `epochs`."""
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    """method -> the peak rate that this recipe publishes for it; other methods use their own default."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_ratio: float = 0.06
    weight_decay: float = 0.1
    max_grad_norm: float | None = 1.0
    max_length: int = 128
    """Tokens; longer inputs are cut, and how many were is recorded."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: frozen matrices in bf16, everything that trains and all vectors in fp32, matrix products autocast to bf16."""
    select: Literal["last", "best"] = "last"
    """Which weights are reported: the last ones, or those of the best epoch on a validation part
    carved from train. The dev split never chooses."""
    eval_every_epoch: bool = False
    """Score the reported split after each epoch too: for the curve, never for a choice."""
    max_train: int | None = None
    max_eval: int | None = None


@dataclass(frozen=True)
class Hub:
    """A data set on the hub. `revision` None: not pinned in the declaration; the one that was loaded is recorded."""

    id: str
    config: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Table:
    """Delimited text files as published: `files` maps a split's part to the path below the data folder."""

    files: Mapping[str, str]
    columns: Mapping[str, str | int]
    """Our field -> the file's column name, or its position in a file without a header."""
    header: bool = True
    label_names: Mapping[str, int] | None = None
    """The label as written in the file -> class index; None: it is the index (or the number) itself."""
    skip_short: bool = False
    """Leave out lines with too few columns and count them, where the published sizes do; else they are an error."""


Splits = Mapping[str, tuple[str, ...]]
"""{"train": ("train",), "dev": ("validation_matched", "validation_mismatched")}: hub split names, also the keys of `Table.files`.
A split of several parts names each row's part by what follows the last underscore: matched, mismatched."""


@dataclass(frozen=True)
class Task:
    """One task; `fields` are its text columns in the order in which the model reads them."""

    name: str
    suite: str
    kind: TaskKind
    title: str
    url: str
    fields: tuple[str, ...]
    metrics: tuple[str, ...]
    """The first is the one that averages and rankings use."""
    splits: Splits
    protocol: str
    version: str
    recipes: Mapping[str, Recipe]
    """preset -> recipe"""
    labels: tuple[str, ...] = ()
    """Class names in index order; empty for a regression."""
    label_column: str = "label"
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Published rows of each split part, checked at load."""
    hub: Hub | None = None
    table: Table | None = None
    generate: Callable[[], Mapping[str, Rows]] | None = None
    """For a suite that the project makes: () -> {"train": rows, "dev": rows}, always the same."""

    @property
    def metric(self) -> str:
        return self.metrics[0]


@dataclass(frozen=True)
class Suite:
    """Tasks that are read together. `average` names those whose mean is the suite's score."""

    name: str
    title: str
    tasks: tuple[str, ...]
    average: tuple[str, ...]
    models: Mapping[str, str]
    """preset -> the base model used when none is named"""
    presets: Mapping[str, str] = field(default_factory=dict)
    """preset -> the suite that serves it, where that is another one (mini data)."""
