"""Which executor makes the runs, and what it is told."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.execute.feed import PAUSE
from harness.execute.job import Work
from harness.record import RESULTS, RunRecord, UserError

EXECUTORS = ("local", "ray", "slurm")
AUTOMATIC = {True: 16, False: 8}
"""Runs of an automatic pack, by whether there is a card. A pack that finds too little memory is halved."""


@dataclass(frozen=True)
class How:
    """Who makes the runs of a sweep."""

    executor: str = "local"
    """one of EXECUTORS; inline: this very process"""
    jobs: int = 1
    """workers side by side"""
    alone: bool = True
    """a process of its own for each run; False: workers live on"""
    timeout: float | None = None
    """seconds after which a run is ended and failed"""
    pack: int = 1
    """runs that may train together"""
    one_seed: bool = False
    """only runs of the same seed train together"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """what the executor takes besides"""

    @property
    def forks(self) -> bool:
        """Whether it pays to start the server of execute/process.py early."""
        return self.executor == "local"


def how_from(options: Mapping[str, Any], isolate: bool | None) -> How:
    """From the options of a command: `executor`, `jobs`, `pack`, `timeout_per_run`. Without any of them each run gets a
    process of its own, one at a time. Raises UserError for what cannot be."""
    executor, jobs, seconds = options.get("executor"), options.get("jobs"), options.get("timeout_per_run")
    if executor not in (None, *EXECUTORS):
        raise UserError(f"--executor {executor}: there are {', '.join(EXECUTORS)}.")
    if jobs is not None and jobs < 1:
        raise UserError("--jobs must be a whole number, 1 or above.")
    if seconds is not None and not 0 < seconds < math.inf:
        raise UserError("--timeout-per-run must be a number of seconds above 0.")
    if isolate is False and (executor or jobs or seconds):
        raise UserError(
            "--no-isolate makes the runs in this process: no --executor, --jobs or --timeout-per-run with it."
        )
    pack, one_seed = _pack(str(options.get("pack", "off")))
    if isolate is False:
        return How("inline", alone=False, pack=pack, one_seed=one_seed)
    lives_on = isolate is None and bool(executor or jobs)
    own = _own(executor, options)
    return How(executor or "local", jobs or 1, not lives_on, seconds, pack, one_seed, own)


def _own(executor: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """What only this executor takes. Raises UserError if it is another one's, cannot be, or a package is absent."""
    for name, whose in (("address", "ray"), ("slurm", "slurm")):
        if options.get(name) is not None and executor != whose:
            raise UserError(f"--{name} goes with --executor {whose} only.")
    if executor == "ray":
        from harness.execute import cluster

        cluster.needed()
        return {"address": None if options.get("address") is None else str(options["address"])}
    if executor == "slurm":
        from harness.execute import slurm
        from harness.execute.slurm_options import settings_from

        said = str(options.get("slurm") or "")
        settings_from(said, slurm.needed())
        return {"folder": Path(options.get("out") or RESULTS).expanduser() / "slurm", "options": said}
    return {}


def _pack(asked: str) -> tuple[int, bool]:
    """(runs that may train together, whether of one seed only). Raises UserError for what cannot be."""
    if asked == "off":
        return 1, False
    if asked == "auto":
        # On a processor the longer texts of another seed's batch cost more than a step's start.
        has_card = bool(cards())
        return AUTOMATIC[has_card], not has_card
    if not asked.isdecimal() or int(asked) < 1:
        raise UserError(f"--pack {asked}: auto, off or a number of runs is expected.")
    return int(asked), False


def cards() -> list[str]:
    """The cards that this process may use, as CUDA_VISIBLE_DEVICES names them; empty without any."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name.strip() not in ("", "-1")]
    import pynvml

    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        return [str(at) for at in range(pynvml.nvmlDeviceGetCount())]
    return []


def run_all(works: Iterable[Work | None], how: How) -> Iterator[RunRecord]:
    """Each record as it comes. A work is asked for when something is free to make it; None: there is nothing to hand out
    at the moment."""
    if how.executor == "inline":
        return _inline(works)
    if how.executor == "ray":
        from harness.execute import ray

        return ray.run_all(works, how.jobs, how.timeout, alone=how.alone, **how.options)
    if how.executor == "slurm":
        from harness.execute import slurm

        return slurm.run_all(works, how.jobs, how.timeout, **how.options)
    from harness.execute import workers

    return workers.run_all(works, workers.places(how.jobs, cards(), how.alone), how.timeout)


def _inline(works: Iterable[Work | None]) -> Iterator[RunRecord]:
    """In this very process: nothing to start, but a crash ends the sweep."""
    from harness.execute.work import do

    for work in works:
        if work is None:
            time.sleep(PAUSE)
        else:
            yield from do(work)
