"""commonsense-mini: the eight formats of commonsense-8 over everyday facts, made by the project; no download.

Made in tasks/sources/made/common. Wording, prompt and scoring are those of the real tasks: LLM-Adapters,
Hu et al. 2023, https://arxiv.org/abs/2304.01933
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from tasks import _commonsense_rows as real
from tasks.commonsense import ASKED, COMPARED, DATA, JOINT, JOINT_COMPARED, Data
from tasks.sources.made.common.rows import SIZES, VERSION, questions
from tasks.spec import Generation, Recipe, Rows, Suite, Task

MINI = Recipe(
    batch_size=16,
    max_steps=40,
    learning_rates={"lora": 2e-3},
    max_length=160,
    max_eval=400,
    precision="bf16",
    mask_prompt=True,
)
# Rows of a bare question and an option are a third as long as instructions.
MINI_COMPARED = replace(
    MINI,
    max_steps=150,
    group_by_length=True,
    learning_rates={"lora": 1e-3, "dora": 1e-3, "rslora": 5e-4, "full-ft": 1e-4},
    max_eval=None,
)
GENERATION = Generation(max_new_tokens=12)
NAME = "commonsense-mini"


def rows(data: Data) -> Mapping[str, Rows]:
    """{"train": ..., "eval": ...}: LLM-Adapters' instruction, output and answer; the bare question, options, label."""
    made: dict[str, Rows] = {}
    for split, found in questions(data.name).items():
        made[split] = [
            {
                **real.instructed(data.form, real.Question(asked.text, asked.options, asked.label)),
                "question": asked.text,
                "options": list(asked.options),
                "label": asked.label,
            }
            for asked in found
        ]
    return made


def compared(data: Data) -> Mapping[str, Rows]:
    """The same questions as rows of a choice between options."""
    return {
        split: [data.scored(real.Question(asked.text, asked.options, asked.label)) for asked in found]
        for split, found in questions(data.name).items()
    }


def _mini(task: Task, data: Data, likelihood: bool) -> Task:
    return replace(
        task,
        name=f"{data.name}-mini{'-likelihood' if likelihood else ''}",
        suite=NAME,
        splits={"train": ("train",), "eval": ("eval",)},
        sizes=dict(zip(("train", "eval"), SIZES[data.name], strict=True)),
        hub=None,
        json=None,
        generation=None if likelihood else GENERATION,
        recipes={"mini": MINI_COMPARED if likelihood else MINI},
        protocol=f"{NAME}-likelihood" if likelihood else NAME,
        version=VERSION,
        generate=partial(compared if likelihood else rows, data),
    )


def _joint(task: Task, name: str, members: tuple[Task, ...]) -> Task:
    first = members[0]
    return replace(
        first,
        name=name,
        title=task.title,
        url=task.url,
        sizes={split: sum(member.sizes[split] for member in members) for split in ("train", "eval")},
        rules=task.rules,
        generate=None,
        members=tuple(member.name for member in members),
    )


MEMBERS = tuple(_mini(task, data, False) for task, data in zip(ASKED, DATA, strict=True))
MEMBERS_COMPARED = tuple(_mini(task, data, True) for task, data in zip(COMPARED, DATA, strict=True))
TASKS = (
    _joint(JOINT, NAME, MEMBERS),
    *MEMBERS,
    _joint(JOINT_COMPARED, f"{NAME}-likelihood", MEMBERS_COMPARED),
    *MEMBERS_COMPARED,
)
SUITE = Suite(
    name=NAME,
    title="Commonsense-8 in miniature: eight formats of everyday questions made by the project, no download",
    # In so few steps the model learns to write an answer but not to choose one, so the generated answers rank nothing.
    tasks=(f"{NAME}-likelihood",),
    average=(f"{NAME}-likelihood",),
    models={"mini": "smollm2-135m"},
)
