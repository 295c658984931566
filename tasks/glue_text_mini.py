"""The rows of glue-mini as text in, text out, for encoder-decoders: glue_text's prompts and answers.

The rows need no download; a T5 does, since no package holds one. Rates were set by hand, not tuned.
"""

from __future__ import annotations

from tasks import glue_mini
from tasks._glue_as_text import as_text
from tasks.spec import Recipe, Suite

MINI = Recipe(
    batch_size=16,
    epochs=1.0,
    learning_rates={"full-ft": 3e-4, "lora": 1e-3, "dora": 1e-3},
    weight_decay=0.0,
    max_length=64,
    dropout=0.0,
    group_by_length=True,
)
TASKS = tuple(
    as_text(task, task.name.removesuffix("-mini"), "glue-text-mini", "glue-text-mini", task.version, {"mini": MINI})
    for task in glue_mini.TASKS
)
SUITE = Suite(
    name="glue-text-mini",
    title="glue-mini for encoder-decoders: text in, text out; rows made by the project",
    tasks=tuple(task.name for task in TASKS),
    average=tuple(task.name for task in TASKS if task.name != "wnli-text-mini"),
    models={"mini": "t5-small"},
)
