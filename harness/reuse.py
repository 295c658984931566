"""What a living worker keeps between runs, so that the next one begins with a clean base model that is not built anew.

    with kept() as pool:                  # in the worker, around all of its runs
        with pool.run() as told:          # around each
            records = do(work)
        for record in records:            # base_model: reused | loaded, and reload_reason where there is one
            record.provenance |= told
        if pool.leftovers():              # what a run left behind: the next one needs another process
            break

A kept model is never run. Each run gets a tree of modules of its own, so that hooks, swapped layers and attributes end
with the run, over the kept model's weights, which are first held against the digests taken when they were loaded. A
weight that a run trained in place comes from its file again. Only one tree a run lies over the kept weights; further
ones (packs, probes) get weights of their own. What the checkpoint lacks, a task's head, is drawn from the run's seed
by the code that draws it in a fresh load, and the first tree of a kept model is held against a fresh load bit by bit.

Outside `pool.run` the loaders of harness/model.py do what they always did.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.pool import Pool

POOL: ContextVar[Pool | None] = ContextVar("pool", default=None)
"""Set by `Pool.run`, inside it only"""


@contextmanager
def kept(reason: str = "") -> Iterator[Pool]:
    """What harness/model.py loads in the pool's runs is kept for the next one, up to the end of the block. `reason`: what a
    worker before this one ended for, told with the first load."""
    from harness.pool import Pool

    pool = Pool(reason)
    try:
        yield pool
    finally:
        pool.clear()


def reusable(load: Callable[..., Any]) -> Callable[..., Any]:
    """A loader `load(source, ..., seed, ...)` that a pool may answer for."""
    signature = inspect.signature(load)

    @functools.wraps(load)
    def loaded(*args: Any, **kwargs: Any) -> Any:
        pool = POOL.get()
        if pool is None:
            return load(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return pool.load(load, dict(bound.arguments))

    return loaded
