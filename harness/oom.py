"""A run whose training found too little memory, once more with smaller parts of the same batches."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace

import torch

from harness.execute.job import Job
from harness.record import RunRecord

OUT_OF_MEMORY = "out of memory: "
"""How the reason of such a record begins"""


def out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in str(error)


def in_training(record: RunRecord) -> bool:
    """Whether memory ran out between a run's set-up and the end of its training: elsewhere smaller parts are no help."""
    return (
        record.reason.startswith(OUT_OF_MEMORY)
        and "setup_seconds" in record.costs
        and "train_seconds" not in record.costs
    )


def halved(batch_size: int, parts: int) -> int | None:
    """The number of parts of a batch that halves the largest one, rounded up; None if that is one row already."""
    return None if parts >= batch_size else min(2 * parts, batch_size)


def attempted(job: Job, attempt: Callable[[Job], RunRecord]) -> RunRecord:
    """`attempt(job)`; where its training found too little memory and the job says `accumulate`, one more attempt with
    batches of the same rows in twice as many parts.

    The record keeps its spec, since the batch decides the result and its parts do not beyond rounding; the parts that
    were really run, which every cost is of, and why stand in its provenance (`on_oom`).
    """
    record = attempt(job)
    if job.on_oom != "accumulate" or not in_training(record):
        return record
    recipe = job.spec.recipe
    parts = halved(recipe["batch_size"], recipe.get("gradient_accumulation", 1))
    if parts is None:
        record.reason += "; the model takes one row at a time already, so that --on-oom accumulate could halve nothing"
        return record
    first = record.reason
    # Models are cycles of references: without a collection the first attempt's would stand beside the second's.
    del record
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    # What the first attempt's heap left behind would count as this one's resident memory.
    record = attempt(replace(job, parts=parts, own_process=False))
    record.provenance["on_oom"] = {"gradient_accumulation": parts, "after": first}
    if record.status == "failed":
        record.reason += f" (with gradient accumulation {parts}, after {first})"
    return record
