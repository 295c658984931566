"""Which kinds of base models a task can be done with."""

from __future__ import annotations

from collections.abc import Mapping

from methods.spec import ModelKind
from tasks.spec import Task, TaskKind

HEADED = ("an encoder or a decoder", ("encoder", "decoder"))
WRITING = ("a causal language model or an encoder-decoder", ("decoder", "seq2seq"))
NEEDS: Mapping[TaskKind, tuple[str, tuple[ModelKind, ...]]] = {
    "classify": HEADED,
    "regress": HEADED,
    "generate": WRITING,
    "choice": WRITING,
    "image": ("a vision model", ("vision",)),
}
TEXT_TO_TEXT = "; encoder-decoders are given text and write text, as in the suite glue-text"


def misfit(task: Task, name: str, kind: ModelKind) -> str:
    """Why the model called `name` cannot do the task; empty if it can."""
    what, kinds = ("an encoder-decoder", ("seq2seq",)) if task.only_encoder_decoders else NEEDS[task.kind]
    if kind in kinds:
        return ""
    hint = TEXT_TO_TEXT if kind == "seq2seq" and task.kind in {"classify", "regress"} else ""
    return f"{task.name} needs {what}, and {name} is of the kind {kind}{hint}"
