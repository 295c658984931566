"""glue-mini: nine tasks in GLUE's schema and metrics, made by the project (tasks/sources/made); no download.

The tasks that they mirror: GLUE, Wang et al. 2018, https://arxiv.org/abs/1804.07461
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tasks.sources.made.glue import SIZES, VERSION, rows
from tasks.spec import Recipe, Suite, Task, TaskKind

URL = "https://arxiv.org/abs/1804.07461"
# So few steps want high rates: set by hand while the suite was made, not tuned.
RATES = {"full-ft": 2e-4, "last-layer": 5e-3, "bitfit": 2e-3, "lora": 2e-3, "rslora": 2e-3, "dora": 2e-3}
# Dropout is of no use in so few steps, and a sixth of their time on a CPU.
SINGLE = Recipe(batch_size=16, epochs=1.0, max_length=64, learning_rates=RATES, dropout=0.0, group_by_length=True)
PAIR = replace(SINGLE, epochs=0.58)
# From a fresh head a regression spends these few steps on finding the labels' mean.
GRADED = replace(SINGLE, epochs=0.8, centre_labels=True)


def _task(
    name: str,
    title: str,
    fields: tuple[str, ...],
    metrics: tuple[str, ...],
    labels: tuple[str, ...] = (),
    recipe: Recipe = PAIR,
) -> Task:
    kind: TaskKind = "classify" if labels else "regress"
    return Task(
        name=f"{name}-mini",
        suite="glue-mini",
        kind=kind,
        title=title,
        url=URL,
        fields=fields,
        metrics=metrics,
        splits={"train": ("train",), "eval": ("dev",)},
        protocol="glue-mini",
        version=VERSION,
        recipes={"mini": recipe},
        labels=labels,
        sizes=dict(SIZES),
        generate=partial(rows, name, len(labels)),
    )


TWO = ("sentence1", "sentence2")
ENTAILED = ("entailment", "not_entailment")
TASKS = (
    _task(
        "cola",
        "Is the sentence acceptable English?",
        ("sentence",),
        ("matthews_correlation", "accuracy"),
        ("unacceptable", "acceptable"),
        SINGLE,
    ),
    _task(
        "sst2", "Is the review negative or positive?", ("sentence",), ("accuracy",), ("negative", "positive"), SINGLE
    ),
    _task("mrpc", "Do two news sentences mean the same?", TWO, ("accuracy", "f1"), ("not_equivalent", "equivalent")),
    _task("stsb", "How similar are two sentences, 0 to 5?", TWO, ("pearson", "spearman"), recipe=GRADED),
    _task(
        "mnli",
        "Does the premise entail or contradict the hypothesis?",
        ("premise", "hypothesis"),
        ("accuracy",),
        ("entailment", "neutral", "contradiction"),
    ),
    _task("qnli", "Does the sentence answer the question?", ("question", "sentence"), ("accuracy",), ENTAILED),
    _task(
        "qqp",
        "Do two questions ask the same?",
        ("question1", "question2"),
        ("accuracy", "f1"),
        ("not_duplicate", "duplicate"),
    ),
    _task("rte", "Does the second sentence follow from the first?", TWO, ("accuracy",), ENTAILED),
    _task(
        "wnli",
        "Does the second sentence read the pronoun rightly?",
        TWO,
        ("accuracy",),
        ("not_entailment", "entailment"),
    ),
)
SUITE = Suite(
    name="glue-mini",
    title="GLUE in miniature: nine language understanding tasks made by the project, no download",
    tasks=tuple(task.name for task in TASKS),
    average=tuple(task.name for task in TASKS if task.name != "wnli-mini"),
    models={"mini": "minilm-l6"},
)
