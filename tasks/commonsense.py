"""Commonsense reasoning: eight data sets of questions with options, one adapter trained on all of them.

Hu et al. 2023 (LLM-Adapters), https://arxiv.org/abs/2304.01933; https://github.com/AGI-Edgerunners/LLM-Adapters

Protocol `llm-adapters` (tasks `commonsense`, `boolq`, ...): the model is given an instruction that lists the options
and writes `the correct answer is answer2`; the first of the data set's answers that the text holds, in small letters,
is the model's; none is wrong. `commonsense` trains on the 170,420 questions of all eight and its score is the flat mean
of the eight accuracies. Preset `paper`: LLaMA-7B, the loss over prompt and answer, beam search with four beams.
Its prompts of training and of test differ in white space; so they do here.
Where this differs from the published code:
- it holds out 120 rows and keeps the checkpoint with the lowest loss on them; here all rows are trained on and the
  last weights are reported;
- its base model is in float16, the adapter's products too; here bfloat16;
- its test gives no attention mask with left padding, so that it is right at batch size 1 only; here pads are masked.
Two of the 2376 questions of ARC-easy stand in its own training set, options and all; the published numbers hold them.

Protocol `llm-adapters-likelihood` (tasks `commonsense-likelihood`, `boolq-likelihood`, ...): the same questions in the
prompts of lm-evaluation-harness, https://github.com/EleutherAI/lm-evaluation-harness, each option scored by its
likelihood. Where this differs from its tasks, since LLM-Adapters' files lack what they use, and hub and files are to
give the same: BoolQ is asked without its passage, and HellaSwag's second clause keeps its small letter. WinoGrande is
scored there and here by what follows the blank, once after each option: its rows hold `contexts`, one for an option.

Local files: `<name>/train.json` and `<name>/test.json` with LLM-Adapters' folder names. If `commonsense_170k.json`
lies beside these folders, `commonsense` trains on it. Its rows do not say whose they are (four of the data sets are
worded alike), so a choice of members, and the likelihood tasks, read each member's own training file.
On the hub WinoGrande's 63,238 training rows are those of its six sizes, which overlap, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tasks import _commonsense_rows as rows
from tasks._commonsense_rows import Form, Question, Scored
from tasks.rules import option
from tasks.spec import Generation, Hub, Json, Recipe, Row, Rule, Suite, Task

INDENT = " " * 16


def _prompt(after: str, between: str) -> str:
    """Its training and test code differ in two places where nothing but white space stands."""
    head = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    instruction = f"{INDENT}### Instruction:\n{INDENT}{{instruction}}"
    return f"{head}{after}\n\n{instruction}\n{between}\n{INDENT}### Response:\n{INDENT}"


ADAPTER = {"r": 32, "alpha": 64, "dropout": 0.05, "targets": ["query", "key", "value", "up", "down"]}
PAPER = Recipe(
    batch_size=16,
    epochs=3.0,
    learning_rates={"lora": 3e-4, "dora": 2e-4},
    settings={"lora": ADAPTER, "dora": ADAPTER},
    schedule="linear",
    warmup_steps=100,
    weight_decay=0.0,
    max_length=256,
    mask_prompt=False,
    precision="bf16",
)
QUICK = Recipe(
    batch_size=8,
    max_steps=300,
    learning_rates={"lora": 1e-3, "dora": 1e-3, "full-ft": 1e-4},
    warmup_steps=20,
    weight_decay=0.0,
    max_length=256,
    mask_prompt=True,
    max_eval=400,
)
ARC, ARC_REVISION = "allenai/ai2_arc", "210d026faf9955653af8916fad021475a3f00453"


@dataclass(frozen=True)
class Data:
    """One data set, from which the tasks of both protocols are made."""

    name: str
    title: str
    url: str
    form: Form
    answers: tuple[str, ...]
    scored: Scored
    hub: Hub
    question: Callable[[Mapping[str, Any]], Question]
    """A row of the hub -> the question"""
    folder: str
    reported: str
    """The hub's split with published answers that is the test set here."""
    sizes: tuple[int, int]
    """Rows of training and test set"""
    train_config: tuple[str, ...] | None = None
    """Of the hub's, where it is not that of the test set."""


def _numbered(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"{word}{number}" for number in range(1, count + 1))


DATA = (
    Data(
        name="boolq",
        title="Is the answer to a question yes?",
        url="https://arxiv.org/abs/1905.10044",
        form=rows.BOOLQ,
        answers=("true", "false"),
        scored=rows.yes_or_no,
        hub=Hub("google/boolq", revision="35b264d03638db9f4ce671b711558bf7ff0f80d5"),
        question=rows.boolq,
        folder="boolq",
        reported="validation",
        sizes=(9427, 3270),
    ),
    Data(
        name="piqa",
        title="Which of two ways reaches the goal?",
        url="https://arxiv.org/abs/1911.11641",
        form=rows.SOLUTION,
        answers=_numbered("solution", 2),
        scored=rows.asked("Question: {}\nAnswer:"),
        hub=Hub("baber/piqa", revision="142f6d7367fd9877f0fb3b5734ea6a545f54cdd1"),
        question=rows.piqa,
        folder="piqa",
        reported="validation",
        sizes=(16113, 1838),
    ),
    Data(
        name="siqa",
        title="What do people do, feel or want in a situation?",
        url="https://arxiv.org/abs/1904.09728",
        form=rows.ANSWER,
        answers=_numbered("answer", 5),
        scored=rows.asked("Q: {}\nA:"),
        hub=Hub("lighteval/siqa", revision="54c6a1f8cb6daf4f5abf24a601852612fb35eb25"),
        question=rows.siqa,
        folder="social_i_qa",
        reported="validation",
        sizes=(33410, 1954),
    ),
    Data(
        name="hellaswag",
        title="How does the scene go on?",
        url="https://arxiv.org/abs/1905.07830",
        form=rows.ENDING,
        answers=_numbered("ending", 4),
        scored=rows.ending,
        hub=Hub("Rowan/hellaswag", revision="218ec52e09a7e7462a5400043bb9a69a41d06b76"),
        question=rows.hellaswag,
        folder="hellaswag",
        reported="validation",
        sizes=(39905, 10042),
    ),
    Data(
        name="winogrande",
        title="Which of two names fits the blank?",
        url="https://arxiv.org/abs/1907.10641",
        form=rows.OPTION,
        answers=_numbered("option", 2),
        scored=rows.blank,
        hub=Hub("allenai/winogrande", "winogrande_xl", "01e74176c63542e6b0bcb004dcdea22d94fb67b5"),
        question=rows.winogrande,
        folder="winogrande",
        reported="validation",
        sizes=(63238, 1267),
        train_config=tuple(f"winogrande_{size}" for size in ("xs", "s", "m", "l", "xl", "debiased")),
    ),
    Data(
        name="arc-e",
        title="Science questions of school, the easier ones",
        url="https://arxiv.org/abs/1803.05457",
        form=rows.ANSWER,
        answers=_numbered("answer", 5),
        scored=rows.asked("Question: {}\nAnswer:"),
        hub=Hub(ARC, "ARC-Easy", ARC_REVISION),
        question=rows.arc,
        folder="ARC-Easy",
        reported="test",
        sizes=(2251, 2376),
    ),
    Data(
        name="arc-c",
        title="Science questions of school, the harder ones",
        url="https://arxiv.org/abs/1803.05457",
        form=rows.ANSWER,
        answers=_numbered("answer", 5),
        scored=rows.asked("Question: {}\nAnswer:"),
        hub=Hub(ARC, "ARC-Challenge", ARC_REVISION),
        question=rows.arc,
        folder="ARC-Challenge",
        reported="test",
        sizes=(1119, 1172),
    ),
    Data(
        name="obqa",
        title="Questions about elementary science and everyday facts",
        url="https://arxiv.org/abs/1809.02789",
        form=rows.ANSWER,
        answers=_numbered("answer", 5),
        scored=rows.asked("{}"),
        hub=Hub("allenai/openbookqa", "main", "388097ea7776314e93a529163e0fea805b8a6454"),
        question=rows.openbookqa,
        folder="openbookqa",
        reported="test",
        sizes=(4957, 500),
    ),
)


def _read(data: Data) -> Rule:
    return option("|".join(data.answers))


def _read_of_any() -> Rule:
    """What each data set's rule reads, `true|answer1`, of which the one among the gold answer's own set counts: each
    question is scored by its own data set's rule."""
    read = {data.answers: _read(data) for data in DATA}.values()
    return Rule(
        "first of the data set's own options",
        lambda text: "|".join(filter(None, (rule.find(text) for rule in read))) or None,
        lambda found, gold: gold in found.split("|"),
    )


def _hubs(data: Data, row: Callable[[Mapping[str, Any]], Row]) -> tuple[Hub, Hub | None]:
    """Of the reported rows, and of the training rows where these are elsewhere."""
    hub = replace(data.hub, row=row)
    return hub, replace(hub, config=data.train_config) if data.train_config else None


def _asked(data: Data) -> Task:
    """The task of the protocol in which the answer is generated."""
    hub, train_hub = _hubs(data, lambda row: rows.instructed(data.form, data.question(row)))
    return Task(
        name=data.name,
        suite="commonsense",
        kind="generate",
        title=data.title,
        url=data.url,
        fields=("instruction", "output", "answer"),
        metrics=("accuracy",),
        splits={"train": ("train",), "eval": (data.reported,)},
        sizes=dict(zip(("train", data.reported), data.sizes, strict=True)),
        hub=hub,
        train_hub=train_hub,
        json=Json(_files(data), partial(rows.kept, data.form)),
        prompt=_prompt("  ", INDENT),
        eval_prompt=_prompt(" ", ""),
        target="{output}",
        generation=Generation(max_new_tokens=32, beams=4),
        rules={"accuracy": _read(data)},
        recipes={"paper": PAPER, "quick": QUICK},
        protocol="llm-adapters",
        version="1",
    )


def _compared(data: Data) -> Task:
    """The task of the protocol in which the options' likelihoods are compared."""

    def read(row: Mapping[str, Any]) -> Row | None:
        question = rows.read(data.form, row)
        return None if question is None else data.scored(question)

    hub, train_hub = _hubs(data, lambda row: data.scored(data.question(row)))
    return replace(
        _asked(data),
        name=f"{data.name}-likelihood",
        kind="choice",
        fields=("context", "options"),
        metrics=("acc", "acc_norm"),
        hub=hub,
        train_hub=train_hub,
        json=Json(_files(data), read),
        prompt="{context}",
        eval_prompt="",
        target="",
        generation=None,
        rules={},
        recipes={"paper": replace(PAPER, mask_prompt=True), "quick": QUICK},
        protocol="llm-adapters-likelihood",
    )


def _files(data: Data) -> dict[str, str]:
    return {"train": f"{data.folder}/train.json", data.reported: f"{data.folder}/test.json"}


ASKED = tuple(_asked(data) for data in DATA)
SIZES = {"train": sum(data.sizes[0] for data in DATA), "test": sum(data.sizes[1] for data in DATA)}
COMPARED = tuple(_compared(data) for data in DATA)
JOINT = replace(
    ASKED[0],
    name="commonsense",
    title="Eight commonsense data sets, one adapter",
    url="https://arxiv.org/abs/2304.01933",
    splits={"train": ("train",), "eval": ("test",)},
    sizes=SIZES,
    hub=None,
    json=Json({"train": "commonsense_170k.json"}, rows.kept_of_any),
    rules={"accuracy": _read_of_any()},
    members=tuple(task.name for task in ASKED),
)
JOINT_COMPARED = replace(
    COMPARED[0],
    name="commonsense-likelihood",
    title="Eight commonsense data sets, one adapter, options compared by likelihood",
    url="https://arxiv.org/abs/2304.01933",
    splits={"train": ("train",), "eval": ("test",)},
    sizes=SIZES,
    hub=None,
    json=None,
    members=tuple(task.name for task in COMPARED),
)

TASKS = (JOINT, *ASKED, JOINT_COMPARED, *COMPARED)
SUITE = Suite(
    name="commonsense",
    title="Commonsense-8, eight data sets learned together",
    tasks=("commonsense",),
    average=("commonsense",),
    models={"paper": "llama-7b", "quick": "smollm2-135m"},
    presets={"mini": "commonsense-mini"},
)
