"""How many workers a card holds, by the predicted memory of their runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import methods
from harness.estimate import Load, estimate
from harness.execute.choose import How, cards
from harness.model import ModelSource, kind_of
from harness.models import REGISTRY, BaseModel
from harness.prepare import config_from
from harness.record import RunSpec
from methods.spec import Unsupported

CONTEXT = 600 * 2**20
"""Bytes that a process holds on a card before its first tensor"""
SLACK = 1.15
"""The allocator's rounding and cache"""


def fitted(how: How, specs: Iterable[RunSpec], sources: Mapping[str, ModelSource]) -> tuple[How, str]:
    """(how, with no more workers than the cards hold; what was taken back, in a sentence)"""
    named = cards()
    if how.executor != "local" or not named or how.jobs <= len(named):
        return how, ""
    try:
        need = max((_need(spec, sources[spec.model]) for spec in _distinct(specs)), default=0)
    except Unsupported as error:
        return replace(how, jobs=len(named)), f"One worker a card: its memory cannot be predicted ({error})."
    jobs = sum(max(1, int(room // (SLACK * need + CONTEXT))) for room in map(bytes_of, named))
    if jobs >= how.jobs:
        return how, ""
    return replace(
        how, jobs=jobs
    ), f"{jobs} workers, not {how.jobs}: a run is predicted to need {need / 1e9:.1f} GB of a card."


def bytes_of(card: str) -> int:
    """Memory of a card as CUDA_VISIBLE_DEVICES names it; 0 if the driver does not say."""
    import pynvml

    with suppress(pynvml.NVMLError, ValueError):
        pynvml.nvmlInit()
        of = pynvml.nvmlDeviceGetHandleByUUID if card.startswith(("GPU-", "MIG-")) else _by_number
        return int(pynvml.nvmlDeviceGetMemoryInfo(of(card)).total)
    return 0


def _by_number(card: str) -> object:
    import pynvml

    return pynvml.nvmlDeviceGetHandleByIndex(int(card))


def _distinct(specs: Iterable[RunSpec]) -> Iterable[RunSpec]:
    """One of those that differ only in what takes no memory."""
    return {
        json.dumps([spec.model, spec.method, spec.config, _load(spec).__dict__], sort_keys=True): spec for spec in specs
    }.values()


def _load(spec: RunSpec) -> Load:
    recipe = spec.recipe
    return Load(
        recipe["batch_size"],
        recipe["max_length"],
        recipe["precision"],
        bool(recipe.get("gradient_checkpointing")),
        recipe.get("gradient_accumulation") or 1,
        gpu=True,
    )


def _need(spec: RunSpec, source: ModelSource) -> int:
    """Bytes of the run's training step. Raises Unsupported where they cannot be predicted."""
    method, base, load = methods.get(spec.method), _base(source), _load(spec)
    config = config_from(method.config, dict(spec.config))
    # Some count positions from behind the padding's id.
    positions = base.config.get("max_position_embeddings", load.length + 2) - 2 - method.positions(config)
    return estimate(base, method, config, replace(load, length=min(load.length, positions))).most


def _base(source: ModelSource) -> BaseModel:
    known = REGISTRY.get(source.name)
    if known and known.config:
        return known
    config = json.loads((source.path / "config.json").read_text(encoding="utf-8"))
    return BaseModel(source.name, kind_of(source), "", 0, "", "", config=config)
