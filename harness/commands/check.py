"""`peftbench tasks check NAME`: the checks that come before training, alone, and one example as the model sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

import tasks
from harness.plan import model_of, select_tasks
from harness.record import UserError
from harness.sweep import preset_for
from tasks.sources import Source, SourceError, open_rows
from tasks.spec import Recipe, Row, Suite, Task

SHOWN_CLASSES = 12


def check(name: str, data_dir: Path | None, preset: str | None, model: str | None, console: Console) -> None:
    """Raises UserError for the first thing that is wrong with the task's data."""
    preset = preset_for(preset, data_dir)
    for suite, task in select_tasks([name], preset, tasks.suites(), tasks.get):
        try:
            source = open_rows(task, data_dir)
            _report(suite, task, source, preset, model, console)
        except SourceError as error:
            raise UserError(str(error)) from None


def _report(suite: Suite, task: Task, source: Source, preset: str, model: str | None, console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    say(f"{task.name}: {source.kind} {source.id}, protocol {task.protocol}, version {task.version}")
    for split in ("train", "eval"):
        rows = source.rows(split)
        if task.kind == "image":
            from harness.images import check as decode

            decode(rows)
        say(f"{split}: {len(rows)} rows" + _parts(rows) + _labels(task, rows))
    for note in source.notes:
        say(f"Note: {note}")
    row = source.rows("train")[0]
    say("First training row" + _example(suite, task, row, preset, model))
    say("No fault found.")


def _parts(rows: Any) -> str:
    counts = Counter(row["part"] for row in rows) if "part" in rows[0] else {}
    return " (" + ", ".join(f"{part} {count}" for part, count in counts.items()) + ")" if counts else ""


def _labels(task: Task, rows: Any) -> str:
    if task.kind == "regress":
        values = [row["label"] for row in rows]
        return f"; labels {min(values):g} to {max(values):g}"
    if task.kind == "generate":
        counts = Counter(str(row["answer"]) for row in rows)
        if len(counts) > SHOWN_CLASSES:
            return f"; {len(counts)} different answers"
        return "; answers: " + ", ".join(f"{answer} {count}" for answer, count in sorted(counts.items()))
    counts = Counter(task.labels[row["label"]] if task.labels else str(row["label"]) for row in rows)
    shown = ", ".join(f"{label} {count}" for label, count in list(sorted(counts.items()))[:SHOWN_CLASSES])
    return "; labels: " + shown + (f" and {len(counts) - SHOWN_CLASSES} more" if len(counts) > SHOWN_CLASSES else "")


def _example(suite: Suite, task: Task, row: Row, preset: str, model: str | None) -> str:
    """As tokens turned back into text where the model's tokenizer is at hand, else as text."""
    if task.kind == "image":
        return f", label {task.labels[row['label']]}: {row['image'] if isinstance(row['image'], str | Path) else 'a picture'}"
    recipe = task.recipes[preset]
    name = model_of(suite, task, preset, model)
    from harness.model import kind_of, load_tokenizer, resolve
    from harness.trust import Trust

    try:
        source = resolve(name, download=False, trust=Trust(pickle=True))
        tokenizer = load_tokenizer(source)
    except (UserError, OSError):
        return f", as text ({name} is not at hand):\n{_text(task, row)}"
    return f", as {name} sees it{_tokens(task, row, tokenizer, recipe, kind_of(source) == 'seq2seq')}"


def _text(task: Task, row: Row) -> str:
    if task.kind == "generate":
        return task.prompt.format_map(row) + "|" + task.target.format_map(row)
    if task.kind == "choice":
        from harness.text import before_option

        return "\n".join("|".join(before_option(task, row, at)) for at in range(len(row["options"])))
    return "\n".join(f"{field}: {row[field]}" for field in task.fields) + f"\nlabel: {row['label']}"


def _tokens(task: Task, row: Row, tokenizer: Any, recipe: Recipe, apart: bool) -> str:
    """apart: an encoder reads the prompt, a decoder is asked for what stands after |."""
    from harness import seq2seq
    from harness.data import encode
    from harness.text import encode_choices, encode_training

    length = recipe.max_length
    if task.kind in {"classify", "regress"}:
        ids = encode(task, [row], tokenizer, length).columns["input_ids"][0]
        label = task.labels[row["label"]] if task.labels else row["label"]
        return f" ({len(ids)} tokens), label {label}:\n{tokenizer.decode(ids)}"
    if task.kind == "choice":
        texts = (
            seq2seq.encode_choices(task, [row], tokenizer, length, 0)
            if apart
            else encode_choices(task, [row], tokenizer, length)
        ).texts
        pairs = zip(texts.prompts, texts.targets, strict=True)
        return f", the options after |, right: {row['label']}:\n" + "\n".join(
            f"{tokenizer.decode(p)}|{tokenizer.decode(t)}" for p, t in pairs
        )
    data = (
        seq2seq.encode_training(task, [row], tokenizer, length, 0)
        if apart
        else encode_training(task, [row], tokenizer, length, recipe.mask_prompt)
    )
    prompt, target = data.prompts[0], data.targets[0]
    asked = "what follows |" if recipe.mask_prompt or apart else "all of it"
    return f" ({len(prompt)} + {len(target)} tokens; trained on {asked}):\n{tokenizer.decode(prompt)}|{tokenizer.decode(target)}"
