"""RunSpec -> everything up to a run's first step: rows read, model loaded, method attached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import nn

import methods
import tasks
from harness.attach import attach, set_precision
from harness.data import Data, carve, sample, sample_evenly
from harness.execute.job import Job
from harness.kinds import Asked, Reader, reader
from harness.meter import PhaseMeter
from harness.package import cache_folder
from harness.record import UserError
from harness.score import largest_class
from harness.shape import describe, head_names
from harness.spread import ALONE, Spread
from harness.spreadable import in_parts
from methods.registry import sha256_of
from methods.spec import Method, Shape
from tasks.sources import open_rows
from tasks.spec import Recipe, Task


@dataclass
class Setting:
    """What the phases of one run hand on."""

    task: Task
    method: Method
    config: Any
    recipe: Recipe
    learning_rate: float
    device: torch.device
    meter: PhaseMeter
    reader: Reader
    model: nn.Module
    shape: Shape
    heads: tuple[str, ...]
    train: Data
    validation: Asked | None
    asked: Asked
    base: Callable[[], nn.Module]
    """the base model anew, with the head that the run began with, on the CPU"""
    spread: Spread = ALONE
    """what other processes do of it"""


def config_from(kind: type, values: dict[str, Any]) -> Any:
    """The method's config from its recorded values: JSON has no tuples."""
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def recipe_from(values: dict[str, Any]) -> tuple[Recipe, float]:
    """(recipe, resolved learning rate) from the recorded values."""
    known = {f.name for f in fields(Recipe)}
    return Recipe(**{k: v for k, v in values.items() if k in known}), values["learning_rate"]


def _method(job: Job) -> Method:
    """Raises UserError if a method from outside is not the one that was planned."""
    method = methods.get(str(job.method_file or job.spec.method))
    if sha256_of(method.name) != job.spec.method_sha256:
        raise UserError(f"The method {method.name} changed since the run was planned; run the command again.")
    return method


def prepare(job: Job) -> tuple[Setting, dict[str, Any]]:
    """Everything up to the first step: (setting, what the record is to hold of it)."""
    spec = job.spec
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    meter = PhaseMeter(device, job.own_process)
    task, method = tasks.get(spec.task), _method(job)
    recipe, learning_rate = recipe_from(dict(spec.recipe))
    if job.parts is not None:
        recipe = replace(recipe, gradient_accumulation=job.parts)
    config = config_from(method.config, dict(spec.config))
    source = open_rows(task, job.data_dir)
    if spec.data.get("sha256") and source.describe()["sha256"] != spec.data["sha256"]:
        raise UserError(f"The data of {task.name} changed since the run was planned; run the command again.")
    identity = {"task": task.name, **source.describe()}

    def load() -> Reader:
        return reader(task, recipe, job.model, spec.seed, method.positions(config), identity, cache_folder())

    read = load()
    rows, held = carve(source.rows("train"), recipe, task.validation)
    choose = sample_evenly if task.members else sample
    asked_rows = held if recipe.report == "validation" else choose(source.rows("eval"), recipe.max_eval, "max-eval")
    train_data, asked = read.training(rows), read.asked(asked_rows, recipe.report)
    validation = read.asked(held, "validation") if recipe.select == "best" else None
    shape, heads = describe(read.model), head_names(read.model)
    model = attach(read.model, method, config, shape, heads, spec.seed)
    set_precision(model, recipe.precision)
    if not in_parts(recipe.distributed):
        model.to(device)
    stats = {
        "train_rows": len(train_data),
        "validation_rows": len(held),
        "eval_rows": len(asked),
        "eval_largest_class": largest_class(task, asked_rows),
        "length_limit": min(recipe.max_length, read.limit) if read.tokenizer else None,
        "truncated_train": train_data.truncated,
        "truncated_eval": asked.truncated,
    }
    setting = Setting(
        task,
        method,
        config,
        recipe,
        learning_rate,
        device,
        meter,
        read,
        model,
        shape,
        heads,
        train_data,
        validation,
        asked,
        lambda: load().model,
    )
    return setting, {"data_stats": stats, "notes": list(source.notes)}
