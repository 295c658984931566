"""A sweep of 20 runs, LoRA at 5 learning rates x 4 seeds on one mini task, three ways side by side:

a) one process a run with Hugging Face's Trainer and PEFT (benchmarks/_trainer.py), as people do today;
b) `--executor local`: workers that live on; c) the same with packs.

    python benchmarks/sweep.py [--steps 16] [--jobs 2] [--pack auto] [--ways abc] [--model minilm-l6] [--task sst2-mini]

Each way begins with nothing running and ends with 20 scores. Steps, batches, lengths and rates are the same for all; the
Trainer draws its own order of rows. Ratios are of seconds by the clock, so nothing else should run meanwhile: the load is
printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from rich.console import Console

import tasks
from harness.execute.choose import How, how_from
from harness.plan import Planned, Request
from harness.progress import Progress
from harness.runner import run
from harness.store import Store
from harness.sweep import Sweep, prepare
from tasks.sources import open_rows

RATES, SEEDS = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3), (0, 1, 2, 3)
TRAINER = Path(__file__).with_name("_trainer.py")


def sweep_of(options: argparse.Namespace) -> Sweep:
    """All 20 runs, in a user's order: rate by rate, seeds innermost."""
    request = Request(("lora",), (options.task,), "mini", seeds=SEEDS, recipe={"max_steps": options.steps})
    found = prepare(request, options.model, None, False, print)
    planned = [
        Planned(replace(item.spec, recipe={**item.spec.recipe, "learning_rate": rate}), "the benchmark")
        for rate in RATES
        for item in found.planned
    ]
    return replace(found, planned=planned)


def by_trainer(sweep: Sweep, folder: Path) -> list[float]:
    """One process after another."""
    task = tasks.get(sweep.planned[0].spec.task)
    source, files = open_rows(task, None), []
    for split in ("train", "eval"):
        files.append(folder / f"{split}.jsonl")
        files[-1].write_text("".join(json.dumps(dict(row)) + "\n" for row in source.rows(split)))
    scores = []
    for item in sweep.planned:
        recipe = item.spec.recipe
        words = [sweep.models[item.spec.model].path, *files, recipe["learning_rate"], item.spec.seed]
        words += [recipe["max_steps"], recipe["batch_size"], recipe["max_length"], task.fields[0]]
        done = subprocess.run(
            [sys.executable, TRAINER, *map(str, words)], capture_output=True, text=True, env=os.environ | OFFLINE
        )
        found = re.search(r"accuracy ([\d.]+)", done.stdout)
        if found is None:
            sys.exit(f"The Trainer's run failed:\n{done.stderr[-2000:]}")
        scores.append(float(found[1]))
    return scores


OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}


def by_us(sweep: Sweep, folder: Path, how: How) -> list[float]:
    records = run(sweep, Store(folder), Progress(Console(quiet=True)), how)
    scores = [record.score for record in records if record.score is not None]
    if len(scores) < len(sweep.planned):
        sys.exit(f"A run failed: {next(r.reason for r in records if r.score is None)}")
    return scores


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--pack", default="auto", help="what --pack of `peftbench run` takes")
    parser.add_argument("--ways", default="abc")
    parser.add_argument("--model", default="minilm-l6")
    parser.add_argument("--task", default="sst2-mini")
    options = parser.parse_args(argv)
    sweep = sweep_of(options)
    unpacked = how_from({"executor": "local", "jobs": options.jobs}, None)
    packed = how_from({"executor": "local", "jobs": options.jobs, "pack": options.pack}, None)
    ways: dict[str, tuple[str, Callable[[Path], list[float]]]] = {
        "a": ("Trainer and PEFT, one process a run", lambda folder: by_trainer(sweep, folder)),
        "b": (f"{options.jobs} workers that live on", lambda folder: by_us(sweep, folder, unpacked)),
        "c": (f"{options.jobs} workers, packs of at most {packed.pack}", lambda folder: by_us(sweep, folder, packed)),
    }
    seconds: dict[str, float] = {}
    print(
        f"{len(sweep.planned)} runs of {options.steps} steps; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for way in options.ways:
        name, make = ways[way]
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            scores = make(Path(folder))
            seconds[way] = time.perf_counter() - began
        against = "".join(f"; {seconds[w] / seconds[way]:.2f}x as fast as {w}" for w in seconds if w != way)
        print(f"{way}) {name}: {seconds[way]:.1f} s, mean score {100 * fmean(scores):.1f}{against}", flush=True)
    print(f"load when it ends: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
