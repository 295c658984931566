"""Packed runs against the same runs one by one: LoRA at 5 learning rates x 4 seeds on one mini task, in this process.

    python benchmarks/pack.py [--packs 4 8 20] [--steps 16] [--batch 16] [--model minilm-l6] [--task sst2-mini]

Each way makes all 20 records: models loaded, rows tokenised, trained, scored. Seconds are the clock's and, where other
programs share the machine, the fairer ones that the processor spent on this process; `training` is the steps alone.
The scores must be the same, to a row of the reported split that rounding may turn.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from unittest import mock

import methods
from harness import run as one_by_one
from harness.execute.job import Job
from harness.pack.groups import groups
from harness.pack.run import execute_packed
from harness.pack.train import Pack
from harness.plan import Request
from harness.record import RunRecord
from harness.sweep import prepare

RATES, SEEDS = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3), (0, 1, 2, 3)


@dataclass
class Spent:
    clock: float = 0.0
    processor: float = 0.0

    @contextmanager
    def counting(self) -> Iterator[None]:
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self.clock += time.perf_counter() - clock
        self.processor += time.process_time() - processor


def jobs(options: argparse.Namespace) -> list[Job]:
    """In a user's order: rate by rate, seeds innermost."""
    recipe = {"max_steps": options.steps, "batch_size": options.batch, "max_eval": options.rows}
    request = Request((options.method,), (options.task,), "mini", seeds=SEEDS, recipe=recipe)
    sweep = prepare(request, options.model, None, False, print)
    specs = [
        replace(item.spec, recipe={**item.spec.recipe, "learning_rate": rate})
        for rate in RATES
        for item in sweep.planned
    ]
    return [Job(spec, sweep.models[spec.model], None, None) for spec in specs]


def separate(jobs: list[Job]) -> list[RunRecord]:
    return [one_by_one.execute(job) for job in jobs]


def packed(jobs: list[Job], most: int, one_seed: bool) -> list[RunRecord]:
    of = {job.spec.key: job for job in jobs}
    found = []
    for group in groups([job.spec for job in jobs], most, methods.get, one_seed):
        found += execute_packed([of[spec.key] for spec in group.specs])
    by_key = {record.key: record for record in found}
    return [by_key[job.spec.key] for job in jobs]


def timed(run: Callable[[], list[RunRecord]]) -> tuple[list[RunRecord], Spent, Spent]:
    """(records, spent in all, spent on training)"""
    whole, training = Spent(), Spent()
    learn, train = one_by_one._learn, Pack.train

    def counted(own: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            with training.counting():
                return own(*args)

        return call

    patched = mock.patch.object(one_by_one, "_learn", counted(learn)), mock.patch.object(Pack, "train", counted(train))
    with patched[0], patched[1], whole.counting():
        found = run()
    return found, whole, training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packs", type=int, nargs="+", default=[4, 8, 20])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rows", type=int, default=64, help="of the reported split")
    parser.add_argument("--model", default="minilm-l6")
    parser.add_argument("--task", default="sst2-mini")
    parser.add_argument("--method", default="lora")
    parser.add_argument(
        "--one-seed", action="store_true", help="only runs of one seed, which take the same rows, together"
    )
    options = parser.parse_args()
    made = jobs(options)
    separate(made[:1])  # imports, caches
    print(f"load when it begins: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    base, whole, training = timed(partial(separate, made))
    say("one by one", whole, training)
    for most in options.packs:
        found, spent, steps = timed(partial(packed, made, most, options.one_seed))
        assert all(record.provenance.get("packed") for record in found), [record.reason for record in found]
        say(f"packs of at most {most}", spent, steps, (whole, training))
        apart = max(abs((a.score or 0) - (b.score or 0)) for a, b in zip(base, found, strict=True))
        print(f"  scores differ by at most {apart:.4f}", flush=True)
    print(f"load when it ends: {os.getloadavg()[0]:.1f}")


def say(name: str, whole: Spent, training: Spent, base: tuple[Spent, Spent] | None = None) -> None:
    for title, spent, other in zip(("all", "training"), (whole, training), base or (None, None), strict=True):
        ratio = (
            f"; {other.clock / spent.clock:.2f}x by the clock, {other.processor / spent.processor:.2f}x by the processor"
            if other
            else ""
        )
        print(f"{name}, {title}: {spent.clock:.1f} s by the clock, {spent.processor:.1f} s of the processor{ratio}")


if __name__ == "__main__":
    main()
