"""Where a prompt of trained vectors can stand."""

from __future__ import annotations

from methods.spec import ModelKind, TaskKind


def only_texts(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "vision":
        return "a prompt stands before a text, and models for images read none"
    return None
